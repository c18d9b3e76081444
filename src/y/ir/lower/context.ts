/** What lowering one function needs to know. */
import type { TypedFunction, TypedProgram } from '../../check/index.ts';
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

export interface Context {
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
