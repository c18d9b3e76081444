/** What lowering one function needs to know. */
import type { Expression, TypedFunction, TypedProgram } from '../../check/index.ts';
import type { Operand, TextPlace } from '../program.ts';
import type { FunctionBuilder, Tables } from './builder.ts';

/** Where a local lives. */
export type Home =
  | { readonly kind: 'integer' | 'float'; readonly register: number }
  | { readonly kind: 'text'; readonly text: number }
  | { readonly kind: 'object'; readonly object: number };

export interface Loop {
  readonly done: number;
  /** Undefined in a `switch`. */
  readonly next: number | undefined;
}

/** The rules of the tree that all others come back to. They stand here so that no file needs the one that needs it. */
export interface Rules {
  readonly number: (x: Context, e: Expression) => Operand;
  readonly float: (x: Context, e: Expression) => number;
  readonly text: (x: Context, e: Expression, wanted: Wanted) => TextPlace;
  readonly effect: (x: Context, e: Expression) => void;
}

export interface Wanted {
  /** The text goes here, whatever the expression; the place is not read by it. */
  readonly into?: TextPlace | undefined;
  /** Bytes that whoever asks can use. */
  readonly capacity?: number | undefined;
}

export interface Context {
  readonly rules: Rules;
  readonly program: TypedProgram;
  readonly fn: TypedFunction;
  readonly b: FunctionBuilder;
  readonly tables: Tables;
  readonly homes: readonly Home[];
  readonly loops: Loop[];
  /** Blocks of the labels of the `switch` statements around. */
  labels: ReadonlyMap<number, number>;
}

/** Which parameters are numbers: they come before the texts, so that register and text numbers count through. */
export function parameterOrder(fn: TypedFunction): number[] {
  const all = fn.locals.slice(0, fn.parameters).map((local, index) => ({ text: local.type.kind === 'text', index }));
  return [...all.filter(({ text }) => !text), ...all.filter(({ text }) => text)].map(({ index }) => index);
}

/** An integer, a pointer, a truth value or a backtrace's id. */
export function lowerNumber(x: Context, e: Expression): Operand {
  return x.rules.number(x, e);
}

/** A double's register. */
export function lowerFloat(x: Context, e: Expression): number {
  return x.rules.float(x, e);
}

/** Gives the place of a text: its own, `into` when wanted, or a temporary one. */
export function lowerText(x: Context, e: Expression, wanted: Wanted = {}): TextPlace {
  return x.rules.text(x, e, wanted);
}

/** An expression for what it does. */
export function lowerEffect(x: Context, e: Expression): void {
  x.rules.effect(x, e);
}
