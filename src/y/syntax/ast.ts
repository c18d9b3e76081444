/**
 * The syntax tree: what the parser gives and the checker reads. Every node is immutable and has a `kind` and a `span`.
 *
 * The parser knows the script's own types and variables, not the target's. Where C cannot be parsed without knowing whether
 * a name is a type, it decides by shape (`(T *)x` is a cast, `T *p;` a declaration) and leaves the rest to the checker:
 * `ambiguous-call`, `sizeof` of a lone name, an array's lone key, a parameter's lone name. `error` nodes stand where a diagnostic
 * was already given: nothing more should be said of them.
 */
import type { Span } from './span.ts';

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

/** A name as written. `text` is without the backquotes of a C++ name. */
export interface Identifier {
  readonly text: string;
  /** Written in backquotes. */
  readonly quoted: boolean;
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

/**
 * Of a function or a probe. In a probe a lone unknown name is a parameter without a type (`malloc(n)`), in a function's
 * declaration a type without a name.
 */
export interface ParameterNode {
  readonly name: Identifier | undefined;
  /** Undefined when left out: debug information must have it. */
  readonly type: TypeNode | undefined;
  readonly span: Span;
}

// ---------------------------------------------------------------- types

interface TypeBase {
  readonly constant: boolean;
  readonly volatile: boolean;
  readonly span: Span;
}

export type TypeNode =
  | BasicNode
  | NamedNode
  | TagNode
  | RecordNode
  | EnumNode
  | PointerNode
  | ReferenceNode
  | ArrayNode
  | FunctionNode
  | StringNode
  | SpecialNode
  | TypeofNode
  | ErrorType;

export interface BasicNode extends TypeBase {
  readonly kind: 'basic';
  readonly name: BasicName;
}

/** C's arithmetic types, each in one spelling. */
export type BasicName =
  | 'void'
  | 'bool'
  | 'char'
  | 'signed char'
  | 'unsigned char'
  | 'short'
  | 'unsigned short'
  | 'int'
  | 'unsigned int'
  | 'long'
  | 'unsigned long'
  | 'long long'
  | 'unsigned long long'
  | '__int128'
  | 'unsigned __int128'
  | 'float'
  | 'double'
  | 'long double';

/** A typedef of the script or of the target, `size_t` and its like, or a C++ name in backquotes. */
export interface NamedNode extends TypeBase {
  readonly kind: 'named';
  readonly name: Identifier;
}

/** `struct x` without a body. */
export interface TagNode extends TypeBase {
  readonly kind: 'tag';
  readonly tag: 'struct' | 'union' | 'enum';
  readonly name: Identifier;
}

/** A struct or union with its members. */
export interface RecordNode extends TypeBase {
  readonly kind: 'record';
  readonly tag: 'struct' | 'union';
  readonly name: Identifier | undefined;
  readonly members: readonly MemberNode[];
  /** `__attribute__((packed))`. */
  readonly packed: boolean;
}

export interface MemberNode {
  /** Undefined for an anonymous struct or union, and for an unnamed bit-field. */
  readonly name: Identifier | undefined;
  readonly type: TypeNode;
  /** Bits of a bit-field. */
  readonly bits: Expression | undefined;
  readonly span: Span;
}

export interface EnumNode extends TypeBase {
  readonly kind: 'enum';
  readonly name: Identifier | undefined;
  readonly enumerators: readonly EnumeratorNode[];
}

export interface EnumeratorNode {
  readonly name: Identifier;
  readonly value: Expression | undefined;
  readonly span: Span;
}

export interface PointerNode extends TypeBase {
  readonly kind: 'pointer';
  readonly to: TypeNode;
}

/** C++ `T &`, or `T &&` when `rvalue`. */
export interface ReferenceNode extends TypeBase {
  readonly kind: 'reference';
  readonly to: TypeNode;
  readonly rvalue: boolean;
}

export interface ArrayNode extends TypeBase {
  readonly kind: 'array';
  readonly of: TypeNode;
  /** Undefined for `[]`. */
  readonly size: Expression | undefined;
}

export interface FunctionNode extends TypeBase {
  readonly kind: 'function-type';
  readonly result: TypeNode;
  readonly parameters: readonly ParameterNode[];
  readonly variadic: boolean;
}

/** `_str` or `_str<512>`. */
export interface StringNode extends TypeBase {
  readonly kind: 'string-type';
  readonly capacity: Expression | undefined;
}

export interface SpecialNode extends TypeBase {
  readonly kind: 'aggregate-type' | 'backtrace-type';
}

/** `typeof(expression)`. */
export interface TypeofNode extends TypeBase {
  readonly kind: 'typeof';
  readonly operand: Expression;
}

export interface ErrorType extends TypeBase {
  readonly kind: 'error-type';
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

// ---------------------------------------------------------------- expressions

export type Expression =
  | IntegerLiteral
  | FloatLiteral
  | CharacterLiteral
  | StringLiteral
  | RegexLiteral
  | NameExpression
  | CaptureExpression
  | UnaryExpression
  | UpdateExpression
  | BinaryExpression
  | LogicalExpression
  | AssignExpression
  | SampleExpression
  | ConditionalExpression
  | CommaExpression
  | CallExpression
  | AmbiguousCall
  | IndexExpression
  | MemberExpression
  | CastExpression
  | SpaceCastExpression
  | ReadExpression
  | SizeofExpression
  | OffsetofExpression
  | ContainerOfExpression
  | InExpression
  | MatchExpression
  | InitializerList
  | ErrorExpression;

export interface IntegerLiteral {
  readonly kind: 'integer';
  readonly value: bigint;
  /** As C11 6.4.4.1 says for a target with 64-bit `long`. */
  readonly type: 'int' | 'unsigned int' | 'long' | 'unsigned long' | 'long long' | 'unsigned long long';
  readonly span: Span;
}

export interface FloatLiteral {
  readonly kind: 'float';
  readonly value: number;
  readonly type: 'float' | 'double' | 'long double';
  readonly span: Span;
}

/** Of type `int`. A multi-byte character gives its bytes, first one highest, as GCC does. */
export interface CharacterLiteral {
  readonly kind: 'character';
  readonly value: bigint;
  readonly span: Span;
}

/** Adjacent literals are joined. Without the final NUL. */
export interface StringLiteral {
  readonly kind: 'string';
  /** UTF-8, with escapes as single bytes. */
  readonly bytes: Uint8Array;
  /** `bytes` as UTF-8, damaged parts replaced: for messages and names. */
  readonly text: string;
  readonly span: Span;
}

/** `rx/pattern/flags`. */
export interface RegexLiteral {
  readonly kind: 'regex';
  readonly pattern: string;
  readonly flags: string;
  /** Of the pattern's first character: an offset in the pattern is one in the source. */
  readonly patternStart: number;
  readonly span: Span;
}

/** `scope` is a module glob or a source file: `"libx.so*"::name`. */
export interface NameExpression {
  readonly kind: 'name';
  readonly name: Identifier;
  readonly scope: StringLiteral | undefined;
  readonly span: Span;
}

/** `$0`, `$1`, … */
export interface CaptureExpression {
  readonly kind: 'capture';
  readonly index: number;
  readonly span: Span;
}

export interface UnaryExpression {
  readonly kind: 'unary';
  readonly operator: '+' | '-' | '!' | '~' | '*' | '&';
  readonly operand: Expression;
  readonly span: Span;
}

export interface UpdateExpression {
  readonly kind: 'update';
  readonly operator: '++' | '--';
  readonly prefix: boolean;
  readonly operand: Expression;
  readonly span: Span;
}

export type BinaryOperatorText = '+' | '-' | '*' | '/' | '%' | '<<' | '>>' | '&' | '|' | '^' | '==' | '!=' | '<' | '<=' | '>' | '>=';

export interface BinaryExpression {
  readonly kind: 'binary';
  readonly operator: BinaryOperatorText;
  readonly left: Expression;
  readonly right: Expression;
  readonly operatorSpan: Span;
  readonly span: Span;
}

export interface LogicalExpression {
  readonly kind: 'logical';
  readonly operator: '&&' | '||';
  readonly left: Expression;
  readonly right: Expression;
  readonly span: Span;
}

/** `operator` is undefined for `=`, `+` for `+=` and so on. */
export interface AssignExpression {
  readonly kind: 'assign';
  readonly operator: '+' | '-' | '*' | '/' | '%' | '<<' | '>>' | '&' | '|' | '^' | undefined;
  readonly target: Expression;
  readonly value: Expression;
  readonly operatorSpan: Span;
  readonly span: Span;
}

/** `aggregate <<< value`. */
export interface SampleExpression {
  readonly kind: 'sample';
  readonly into: Expression;
  readonly value: Expression;
  readonly span: Span;
}

/** `then` is undefined for GNU's `a ?: b`. */
export interface ConditionalExpression {
  readonly kind: 'conditional';
  readonly condition: Expression;
  readonly then: Expression | undefined;
  readonly else: Expression;
  readonly span: Span;
}

export interface CommaExpression {
  readonly kind: 'comma';
  /** At least two. */
  readonly items: readonly Expression[];
  readonly span: Span;
}

/** Built-ins are calls as well (`_pid()`, `printf(…)`), save those that take a type: `space-cast`, `read`. */
export interface CallExpression {
  readonly kind: 'call';
  readonly callee: Expression;
  readonly arguments: readonly Expression[];
  readonly span: Span;
}

/** `(name)(arguments)`: a cast if `name` is a type of the target, otherwise a call. */
export interface AmbiguousCall {
  readonly kind: 'ambiguous-call';
  readonly name: NameExpression;
  readonly arguments: readonly Expression[];
  readonly span: Span;
}

/** `a[i]`, or `a[k1, k2]` of an associative array. */
export interface IndexExpression {
  readonly kind: 'index';
  readonly object: Expression;
  /** At least one. */
  readonly indices: readonly Expression[];
  readonly span: Span;
}

export interface MemberExpression {
  readonly kind: 'member';
  readonly object: Expression;
  readonly name: Identifier;
  /** `->` */
  readonly arrow: boolean;
  readonly span: Span;
}

/** `(T)x`; with an `initializer-list` as operand the compound literal `(T){…}`. */
export interface CastExpression {
  readonly kind: 'cast';
  readonly type: TypeNode;
  readonly operand: Expression;
  readonly span: Span;
}

/** `_user(T *, x)`, `_kernel(T *, x)`. */
export interface SpaceCastExpression {
  readonly kind: 'space-cast';
  readonly space: 'user' | 'kernel';
  readonly type: TypeNode;
  readonly operand: Expression;
  readonly span: Span;
}

/** `_read(T, p)`. */
export interface ReadExpression {
  readonly kind: 'read';
  readonly type: TypeNode;
  readonly address: Expression;
  readonly span: Span;
}

/** Either `type` or `operand` is set. An operand that is a lone `name` may be a type of the target. */
export interface SizeofExpression {
  readonly kind: 'sizeof';
  readonly type: TypeNode | undefined;
  readonly operand: Expression | undefined;
  readonly span: Span;
}

/** `offsetof(T, a.b[2])`. */
export interface OffsetofExpression {
  readonly kind: 'offsetof';
  readonly type: TypeNode;
  readonly path: readonly PathStep[];
  readonly span: Span;
}

/** `_container_of(p, T, a.b)`. */
export interface ContainerOfExpression {
  readonly kind: 'container-of';
  readonly pointer: Expression;
  readonly type: TypeNode;
  readonly path: readonly PathStep[];
  readonly span: Span;
}

export type PathStep =
  | { readonly kind: 'member-step'; readonly name: Identifier; readonly span: Span }
  | { readonly kind: 'index-step'; readonly index: Expression; readonly span: Span };

/** `k in arr`, `(k1, k2) in arr`. */
export interface InExpression {
  readonly kind: 'in';
  readonly keys: readonly Expression[];
  readonly array: Expression;
  readonly span: Span;
}

/** `s ~~ rx/…/`, `s !~~ rx/…/`. */
export interface MatchExpression {
  readonly kind: 'match';
  readonly subject: Expression;
  readonly negated: boolean;
  /** A `regex`, or `error` after a diagnostic. */
  readonly pattern: RegexLiteral | ErrorExpression;
  readonly span: Span;
}

/** `{ 1, .x = 2, [3] = 4 }`. */
export interface InitializerList {
  readonly kind: 'initializer-list';
  readonly items: readonly InitializerItem[];
  readonly span: Span;
}

export interface InitializerItem {
  /** Empty without a designator. */
  readonly designators: readonly PathStep[];
  readonly value: Expression;
  readonly span: Span;
}

export interface ErrorExpression {
  readonly kind: 'error';
  readonly span: Span;
}
