/** The syntax tree's expressions and types, which are made of each other. The rest is in `ast.ts`, and so is what to know of all. */
import type { Span } from './span.ts';

/** A name as written. `text` is without the backquotes of a C++ name. */
export interface Identifier {
  readonly text: string;
  /** Written in backquotes. */
  readonly quoted: boolean;
  readonly span: Span;
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
