/**
 * The syntax tree: what the parser gives and the checker reads. Every node is immutable and has a `kind` and a `span`.
 *
 * The parser knows the script's own types and variables, not the target's. Where C cannot be parsed without knowing whether
 * a name is a type, it decides by shape (`(T *)x` is a cast, `T *p;` a declaration) and leaves the rest to the checker:
 * `ambiguous-call`, `sizeof` of a lone name, an array's lone key, a parameter's lone name. `error` nodes stand where a diagnostic
 * was already given: nothing more should be said of them.
 */
import type {
  EnumNode,
  Expression,
  FunctionNode,
  Identifier,
  ParameterNode,
  RecordNode,
  StringLiteral,
  TagNode,
  TypeNode,
} from './ast-expressions.ts';
import type { Span } from './span.ts';

export type * from './ast-expressions.ts';

export interface Unit {
  readonly kind: 'unit';
  readonly file: string;
  /** The `@analyzer` block of the main file; undefined without one. */
  readonly header: Header | undefined;
  readonly items: readonly Item[];
  readonly span: Span;
}

/** `analyzer` is a tag among the others. A tag given twice is a diagnostic; the first one stays. */
export interface Header {
  readonly tags: readonly HeaderTag[];
  readonly span: Span;
}

export interface HeaderTag {
  /** Without the `@`. */
  readonly name: string;
  readonly value: string;
  readonly span: Span;
}

// ---------------------------------------------------------------- declarations

export type Item = VariableDeclaration | FunctionDeclaration | TypedefDeclaration | TypeDeclaration | ProbeDeclaration;
/** What may be declared inside of a block too. */
export type Declaration = VariableDeclaration | TypedefDeclaration | TypeDeclaration;

/** One declarator: `long a, *b;` gives two. */
export interface VariableDeclaration {
  readonly kind: 'variable';
  readonly name: Identifier;
  /** Of the variable; of an associative array the type of its values. */
  readonly type: TypeNode;
  /**
   * Set for an associative array: `V name[K1, K2]`. A lone `named` key that the script does not declare may also be an
   * enumerator of the target (`int a[MAX]`): then this is a C array.
   */
  readonly keys: readonly TypeNode[] | undefined;
  /** `: capacity` of an associative array. */
  readonly capacity: Expression | undefined;
  readonly initializer: Expression | undefined;
  readonly storage: Storage;
  /** The trailing comment of an `_option`, or the empty text. */
  readonly help: string;
  readonly span: Span;
}

export interface Storage {
  readonly thread: boolean;
  readonly percpu: boolean;
  readonly lru: boolean;
  readonly option: boolean;
  readonly static: boolean;
  /** Declares a variable of the target, overlaying what debug information says of it. */
  readonly extern: boolean;
}

export interface FunctionDeclaration {
  readonly kind: 'function';
  readonly name: Identifier;
  readonly type: FunctionNode;
  /** Undefined for a prototype. */
  readonly body: Block | undefined;
  readonly storage: Storage;
  readonly span: Span;
}

export interface TypedefDeclaration {
  readonly kind: 'typedef';
  readonly name: Identifier;
  readonly type: TypeNode;
  readonly span: Span;
}

/** `struct s { … };`, `enum e { … };`, or `struct s;`. */
export interface TypeDeclaration {
  readonly kind: 'type-declaration';
  readonly type: RecordNode | EnumNode | TagNode;
  readonly span: Span;
}

export interface ProbeDeclaration {
  readonly kind: 'probe';
  /** `_probe?`: no match is no error. */
  readonly optional: boolean;
  /** `_global`, before `_probe` or after it: fires for every process. */
  readonly global: boolean;
  readonly points: readonly PointNode[];
  readonly condition: Expression | undefined;
  readonly body: Block;
  readonly span: Span;
}

// ---------------------------------------------------------------- probe points

/** `text`: the point as written, blanks made single. */
interface PointBase {
  readonly text: string;
  readonly span: Span;
}

export type PointNode = PointBase & PointKind;

export type PointKind =
  | { readonly kind: 'begin' | 'end' | 'oneshot' }
  | { readonly kind: 'timer'; readonly unit: 's' | 'ms' | 'us' | 'hz'; readonly amount: Expression }
  | { readonly kind: 'profile'; readonly hz: Expression }
  | { readonly kind: 'pmu'; readonly event: StringLiteral; readonly period: Expression }
  /** `parameters` is undefined where there were no parentheses. */
  | { readonly kind: 'function-entry'; readonly function: FunctionPattern; readonly parameters: readonly ParameterNode[] | undefined }
  /** `result` is undefined for `fn() ->` without a name, which is a diagnostic, or `-> void`. */
  | { readonly kind: 'function-return'; readonly function: FunctionPattern; readonly result: ParameterNode | undefined }
  | { readonly kind: 'instruction'; readonly function: FunctionPattern; readonly offset: bigint }
  | { readonly kind: 'address'; readonly address: Expression }
  | { readonly kind: 'line'; readonly file: StringLiteral; readonly line: number }
  | {
      readonly kind: 'usdt';
      readonly provider: StringLiteral;
      readonly name: StringLiteral;
      readonly parameters: readonly ParameterNode[] | undefined;
    }
  | { readonly kind: 'syscall' | 'kfunc'; readonly name: Identifier; readonly parameters: readonly ParameterNode[] | undefined }
  | { readonly kind: 'syscall-return' | 'kfunc-return'; readonly name: Identifier; readonly result: ParameterNode | undefined }
  | { readonly kind: 'tracepoint'; readonly category: Identifier; readonly name: Identifier }
  | { readonly kind: 'cpu'; readonly direction: 'on' | 'off' }
  | { readonly kind: 'life'; readonly event: 'exec' | 'fork' | 'exit' | 'thread-start' | 'thread-exit' }
  | { readonly kind: 'page-fault'; readonly parameters: readonly ParameterNode[] | undefined }
  | { readonly kind: 'error-point' };

/** A function by name or glob (`*`, `?`), in the modules or the source file that `scope` names. */
export interface FunctionPattern {
  readonly name: Identifier;
  readonly scope: StringLiteral | undefined;
  /** The name has `*` or `?` and no backquotes. */
  readonly glob: boolean;
}

// ---------------------------------------------------------------- statements

export type Statement =
  | Block
  | DeclarationStatement
  | ExpressionStatement
  | EmptyStatement
  | IfStatement
  | ForStatement
  | WhileStatement
  | SwitchStatement
  | JumpStatement
  | ReturnStatement
  | ForeachStatement
  | TryStatement
  | DeleteStatement
  | ClearStatement;

export interface Block {
  readonly kind: 'block';
  readonly statements: readonly Statement[];
  readonly span: Span;
}

export interface DeclarationStatement {
  readonly kind: 'declaration';
  readonly declarations: readonly Declaration[];
  readonly span: Span;
}

export interface ExpressionStatement {
  readonly kind: 'expression';
  readonly expression: Expression;
  readonly span: Span;
}

export interface EmptyStatement {
  readonly kind: 'empty';
  readonly span: Span;
}

export interface IfStatement {
  readonly kind: 'if';
  readonly condition: Expression;
  readonly then: Statement;
  readonly else: Statement | undefined;
  readonly span: Span;
}

export interface ForStatement {
  readonly kind: 'for';
  readonly initial: DeclarationStatement | ExpressionStatement | undefined;
  readonly condition: Expression | undefined;
  readonly step: Expression | undefined;
  readonly body: Statement;
  readonly span: Span;
}

export interface WhileStatement {
  readonly kind: 'while' | 'do-while';
  readonly condition: Expression;
  readonly body: Statement;
  readonly span: Span;
}

/** Sections in order; control falls from one to the next. */
export interface SwitchStatement {
  readonly kind: 'switch';
  readonly subject: Expression;
  readonly sections: readonly SwitchSection[];
  readonly span: Span;
}

export interface SwitchSection {
  readonly labels: readonly CaseLabel[];
  readonly statements: readonly Statement[];
  readonly span: Span;
}

/** `to` is set for `case 1 ... 5:`. */
export type CaseLabel =
  | { readonly kind: 'case'; readonly value: Expression; readonly to: Expression | undefined; readonly span: Span }
  | { readonly kind: 'default'; readonly span: Span };

export interface JumpStatement {
  readonly kind: 'break' | 'continue';
  readonly span: Span;
}

export interface ReturnStatement {
  readonly kind: 'return';
  readonly value: Expression | undefined;
  readonly span: Span;
}

/** `_foreach (k1, k2 in array; sort desc by expr; limit n) body`. */
export interface ForeachStatement {
  readonly kind: 'foreach';
  readonly keys: readonly Identifier[];
  readonly array: Expression;
  /** `by` undefined: by the value. */
  readonly sort: { readonly descending: boolean; readonly by: Expression | undefined; readonly span: Span } | undefined;
  readonly limit: Expression | undefined;
  readonly body: Statement;
  readonly span: Span;
}

export interface TryStatement {
  readonly kind: 'try';
  readonly body: Block;
  readonly handler: Block;
  readonly span: Span;
}

/** `_delete arr[k1, k2];`: `target` should be an `index`; the checker says so when not. */
export interface DeleteStatement {
  readonly kind: 'delete';
  readonly target: Expression;
  readonly span: Span;
}

export interface ClearStatement {
  readonly kind: 'clear';
  readonly array: Expression;
  readonly span: Span;
}
