/**
 * What the checker knows while it walks a program: the scopes, the tables it fills, and what it has had to say so far.
 * One `CheckState` lives as long as one call of `check`.
 */
import type { CType, RecordType } from '../../ctypes/index.ts';
import type { ArraySpec, GlobalSpec, OptionSpec, Probe, RegexProgram, SourcePlace, Space } from '../ir/program.ts';
import type { Knowledge, Tracepoint } from '../knowledge.ts';
import type { Block, Diagnostic, Expression as ExpressionNode, FunctionDeclaration, Note, Span } from '../syntax/index.ts';

import type { Expression, Local, Place, Statement, TypedFunction } from './typed.ts';
import { ERROR, type YType } from './ytype.ts';

export type Name =
  | { readonly kind: 'local'; readonly local: number; readonly type: YType }
  | { readonly kind: 'global'; readonly global: number; readonly type: YType; readonly option: boolean; readonly thread: boolean }
  | { readonly kind: 'array'; readonly array: number }
  | { readonly kind: 'function'; readonly declaration: FunctionDeclaration }
  | { readonly kind: 'enumerator'; readonly value: bigint; readonly type: CType }
  | { readonly kind: 'extern'; readonly type: CType; readonly space: Space }
  /** A parameter that lies in memory: on the stack, or behind a pointer. */
  | { readonly kind: 'place'; readonly place: Place; readonly type: YType }
  /** Something that is there and cannot be used; said when it is used. */
  | { readonly kind: 'unusable'; readonly message: string; readonly hint: string }
  /** Already complained about. */
  | { readonly kind: 'broken' };

export interface ScriptType {
  readonly type: CType;
  readonly space: Space | undefined;
}

export interface Scope {
  readonly parent: Scope | undefined;
  readonly names: Map<string, Name>;
  readonly typedefs: Map<string, ScriptType>;
  /** `struct x`, by `x`; unions and enums too, as in C. */
  readonly tags: Map<string, CType>;
  /** The last match of this block, for `$n`. */
  match: OpenMatch | undefined;
}

export interface OpenMatch {
  readonly regex: number;
  /** Bytes of the text that is matched: a group may be all of it. */
  readonly capacity: number;
  /** Group → the local that takes it. */
  readonly locals: Map<number, number>;
}

/** Something that only a probe of one sort can do; `thread`: one that has a thread to look at, in the kernel or in a core dump. */
export interface Need {
  readonly where: 'hit' | 'host' | 'thread';
  readonly what: string;
  readonly hint: string | undefined;
  readonly span: Span;
}

/** What a body gathers while it is checked. */
export interface FunctionState {
  readonly name: string;
  readonly locals: Local[];
  readonly needs: Need[];
  readonly calls: Set<number>;
  result: YType;
  /** How a pointer without a known space is taken. */
  readonly space: Space;
  iterators: number;
  loops: number;
  switches: number;
  readonly tracepoint: Tracepoint | undefined;
  /** Expressions that `_ret()` and `_arg(n)` are. */
  readonly hit: HitArguments | undefined;
  /** Inside of a sort expression: locals below this index belong to the surrounding function. */
  readonly foreign: number;
}

/** What of a call can be asked for in a probe. */
export interface HitArguments {
  readonly kind: 'entry' | 'return' | 'other';
  /** Where argument `n` is and of which type, as far as that is known; undefined when there is no such argument. */
  readonly argument: (index: number) => KnownArgument | undefined;
  readonly result: CType | undefined;
  readonly space: Space;
}

export interface KnownArgument {
  /** For the `argument` instruction; undefined when the argument is not one whole register or stack slot. */
  readonly index: number | undefined;
  readonly type: CType | undefined;
}

export interface ArrayTypes {
  readonly keys: readonly YType[];
  readonly value: YType;
}

/** The two rules of the grammar that all others come back to. They stand here so that no file needs the one that needs it. */
export interface Rules {
  readonly expression: (c: CheckState, node: ExpressionNode) => Expression;
  readonly block: (c: CheckState, block: Block) => Statement[];
}

export interface CheckState {
  readonly rules: Rules;
  readonly knowledge: Knowledge;
  readonly sources: ReadonlyMap<string, string>;
  readonly diagnostics: Diagnostic[];
  readonly top: Scope;
  scope: Scope;
  readonly globals: GlobalSpec[];
  readonly arrays: ArraySpec[];
  readonly arrayTypes: ArrayTypes[];
  readonly options: OptionSpec[];
  readonly regexes: RegexProgram[];
  readonly functions: (TypedFunction | undefined)[];
  /** Needs and calls of each function, for the check of where it may run. */
  readonly needs: Pick<FunctionState, 'needs' | 'calls'>[];
  /** Script functions already made for a combination of memory spaces. */
  readonly instances: Map<string, { readonly index: number; readonly result: YType; readonly parameters: readonly YType[] }>;
  readonly probes: Probe[];
  readonly probeSpans: Span[];
  /** Names that nobody knows, each said once. */
  readonly unknown: Set<string>;
  /** Records that the script defines, from before their definition is read: they stand before the target's of that name. */
  readonly openRecords: Set<CType>;
  fn: FunctionState | undefined;
}

export function newScope(parent: Scope | undefined): Scope {
  return { parent, names: new Map(), typedefs: new Map(), tags: new Map(), match: undefined };
}

/** One expression of the syntax tree to one of the typed tree. Never throws; a mistake gives an expression of type `error`. */
export function checkExpression(c: CheckState, node: ExpressionNode): Expression {
  return c.rules.expression(c, node);
}

export function checkBlock(c: CheckState, block: Block): Statement[] {
  return c.rules.block(c, block);
}

/** Runs `body` in a scope of its own. */
export function inScope<T>(c: CheckState, body: () => T): T {
  const outer = c.scope;
  c.scope = newScope(outer);
  try {
    return body();
  } finally {
    c.scope = outer;
  }
}

export function newFunctionState(name: string, given: Partial<FunctionState> = {}): FunctionState {
  return {
    name,
    locals: [],
    needs: [],
    calls: new Set(),
    result: { kind: 'void' },
    space: 'user',
    iterators: 0,
    loops: 0,
    switches: 0,
    tracepoint: undefined,
    hit: undefined,
    foreign: 0,
    ...given,
  };
}

/** Says what is wrong. The same message about the same place is said once. */
export function report(c: CheckState, code: string, span: Span, message: string, hint?: string, notes: readonly Note[] = []): void {
  say(c, { severity: 'error', code, message, span, notes, hint });
}

export function warn(c: CheckState, code: string, span: Span, message: string, hint?: string): void {
  say(c, { severity: 'warning', code, message, span, notes: [], hint });
}

function say(c: CheckState, diagnostic: Diagnostic): void {
  const known = c.diagnostics.some(
    (other) =>
      other.message === diagnostic.message &&
      other.span?.file === diagnostic.span?.file &&
      other.span?.start === diagnostic.span?.start &&
      other.span?.end === diagnostic.span?.end,
  );
  if (!known) c.diagnostics.push(diagnostic);
}

/** Says what is wrong and stands in for the expression. */
export function mistake(c: CheckState, code: string, span: Span, message: string, hint?: string, notes: readonly Note[] = []): Expression {
  report(c, code, span, message, hint, notes);
  return broken(span);
}

export function broken(span: Span): Expression {
  return { kind: 'integer', value: 0n, type: ERROR, at: place(span) };
}

export function place(span: Span): SourcePlace {
  return { file: span.file, line: span.line, column: span.column };
}

/** The source text of a node on one line, cut at 60 characters. */
export function snippet(c: CheckState, span: Span): string {
  const text = (c.sources.get(span.file) ?? '').slice(span.start, span.end).replaceAll(/\s+/g, ' ');
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

export function findName(c: CheckState, name: string): Name | undefined {
  for (let scope: Scope | undefined = c.scope; scope !== undefined; scope = scope.parent) {
    const found = scope.names.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Names of the script that can be seen from here. */
export function visibleNames(c: CheckState): string[] {
  const names: string[] = [];
  for (let scope: Scope | undefined = c.scope; scope !== undefined; scope = scope.parent) names.push(...scope.names.keys());
  return names;
}

/** Gives a name a meaning in the innermost scope; a second one of the same scope is a mistake. */
export function declareName(c: CheckState, text: string, span: Span, name: Name): void {
  if (c.scope.names.has(text)) {
    report(c, 'redeclared', span, `\`${text}\` is declared already`, 'give one of the two another name');
    return;
  }
  c.scope.names.set(text, name);
}

export function newLocal(c: CheckState, name: string, type: YType): number {
  const { locals } = c.fn!;
  locals.push({ name, type });
  return locals.length - 1;
}

/** Notes that what stands here runs only in the kernel (`hit`), only in our own process (`host`), or only where there is a thread. */
export function need(c: CheckState, where: Need['where'], what: string, span: Span, hint?: string): void {
  c.fn?.needs.push({ where, what, hint, span });
}

/** Takes back what was noted about a name of an address: printed as it is, it is made where the output is written. */
export function pardon(c: CheckState, span: Span): void {
  const needs = c.fn?.needs ?? [];
  const at = needs.findIndex((one) => one.what === NAMING && one.span === span);
  if (at >= 0) needs.splice(at, 1);
}

/** What `_sym` and the like need outside of printing. */
export const NAMING = 'the name of an address';

/** A record whose members come later: a type may point to itself, or to one further down. */
export interface OpenRecord extends Omit<RecordType, 'size' | 'declaration' | 'members'> {
  size: number;
  declaration: boolean;
  members: RecordType['members'];
}
