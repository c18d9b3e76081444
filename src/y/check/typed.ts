/**
 * The typed tree: a program whose every name is resolved, every type known and every conversion written out.
 * `lower` makes it into the intermediate form without asking anything further.
 */
import type { AggregateReader, Description, Format, IntegerBuiltin, Program, SourcePlace, Space, TextBuiltin } from '../ir/program.ts';
import type { VariableSite } from '../knowledge.ts';
import type { YType } from './ytype.ts';

/** What a program is before its functions are lowered, which is when literals and formats are collected. */
export interface TypedProgram extends Omit<Program, 'literals' | 'formats' | 'functions' | 'relocations'> {
  readonly functions: readonly TypedFunction[];
}

export interface TypedFunction {
  readonly name: string;
  readonly result: YType;
  /** The first ones are the parameters. */
  readonly locals: readonly Local[];
  readonly parameters: number;
  readonly iterators: number;
  readonly body: readonly Statement[];
  readonly place: SourcePlace;
}

export interface Local {
  readonly name: string;
  readonly type: YType;
}

/** A field inside of a value: bytes from its start; `bits` for a bit-field, counted from the least significant bit at `offset`. */
export interface Field {
  readonly offset: number;
  readonly bits: { readonly offset: number; readonly size: number } | undefined;
}

/** Where a kernel offset came from, so that it can be found again on another kernel. */
export interface Origin {
  readonly type: string;
  readonly path: string;
  /** Bytes of `path` in `type` of the kernel that the program is compiled for. A place in an element of it lies behind that. */
  readonly offset: number;
}

export type Place =
  | (Field & { readonly kind: 'local'; readonly local: number })
  | (Field & { readonly kind: 'global'; readonly global: number })
  | (Field & { readonly kind: 'element'; readonly array: number; readonly keys: readonly Expression[] })
  | RemotePlace
  /** A field of a tracepoint's record. `size` is its bytes; `dataLoc` when a word at `offset` says where. */
  | { readonly kind: 'context'; readonly offset: number; readonly size: number; readonly dataLoc: boolean };

export interface RemotePlace extends Field {
  readonly kind: 'remote';
  readonly address: Expression;
  readonly space: Space;
  readonly origin: Origin | undefined;
}

export type ArithmeticOperator = 'add' | 'sub' | 'mul' | 'div' | 'mod' | 'and' | 'or' | 'xor' | 'shl' | 'shr';
export type ComparisonOperator = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';

export interface ExpressionBase {
  readonly type: YType;
  readonly at: SourcePlace;
}

export type Expression = ExpressionBase & ExpressionKind;

export type ExpressionKind =
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'literal'; readonly bytes: Uint8Array }
  | { readonly kind: 'load'; readonly place: Place }
  /** Address of a global of the target. */
  | { readonly kind: 'target-variable'; readonly site: VariableSite; readonly address: bigint }
  /** Address of a text in the target's read-only data. */
  | { readonly kind: 'target-literal'; readonly bytes: Uint8Array; readonly address: bigint }
  /** Address of a place in the target: `&x`, or an array that became a pointer. */
  | { readonly kind: 'address'; readonly place: RemotePlace }
  /** To `type`: between integers, doubles and pointers; to `bool` it is a comparison with zero. */
  | { readonly kind: 'convert'; readonly operand: Expression }
  /** Both operands are of the same kind; the computation is done in `type`. */
  | { readonly kind: 'binary'; readonly operator: ArithmeticOperator; readonly left: Expression; readonly right: Expression }
  /** Operands are both integers of one type, both doubles, or both texts. */
  | { readonly kind: 'compare'; readonly operator: ComparisonOperator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'negate' | 'complement'; readonly operand: Expression }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'concatenate'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'logical'; readonly operator: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'conditional'; readonly condition: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly kind: 'comma'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'assign'; readonly place: Place; readonly value: Expression }
  /** A record that the program holds becomes all zeros. */
  | { readonly kind: 'zero'; readonly place: Place }
  /** `place = (type of place)((compute)place operator operand)`; gives the value before for `x++`. Texts: `+=` alone. */
  | {
      readonly kind: 'compound';
      readonly place: Place;
      readonly operator: ArithmeticOperator;
      readonly operand: Expression;
      readonly compute: YType;
      readonly gives: 'before' | 'after';
    }
  | { readonly kind: 'sample'; readonly place: Place; readonly value: Expression }
  | { readonly kind: 'contains'; readonly array: number; readonly keys: readonly Expression[] }
  | { readonly kind: 'match'; readonly regex: number; readonly subject: Expression; readonly negated: boolean; readonly captures: Captures }
  | { readonly kind: 'call'; readonly function: number; readonly arguments: readonly Expression[] }
  | BuiltinKind;

/** Locals that take the groups of a match; those that nobody reads are left out. */
export interface Captures {
  readonly locals: ReadonlyMap<number, number>;
}

export type BuiltinKind =
  | { readonly kind: 'number-builtin'; readonly name: IntegerBuiltin }
  | { readonly kind: 'text-builtin'; readonly name: TextBuiltin }
  | { readonly kind: 'argument'; readonly index: number }
  | { readonly kind: 'return-value' }
  | { readonly kind: 'register'; readonly name: string }
  | { readonly kind: 'stack'; readonly form: 'user' | 'kernel' | 'both' | 'mixed' | { readonly language: string } }
  | { readonly kind: 'read-text'; readonly address: Expression; readonly length: Expression | undefined; readonly space: Space }
  | { readonly kind: 'valid'; readonly address: Expression; readonly size: Expression; readonly space: Space }
  | { readonly kind: 'describe'; readonly operand: Expression; readonly as: Description }
  /** Bytes of the target for the eye; only as a value to print. */
  | { readonly kind: 'hex'; readonly text: Expression }
  | { readonly kind: 'log2'; readonly operand: Expression }
  | { readonly kind: 'absolute'; readonly operand: Expression }
  | { readonly kind: 'least' | 'greatest'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'text-length'; readonly text: Expression }
  | { readonly kind: 'text-at'; readonly text: Expression; readonly index: Expression }
  | { readonly kind: 'substring'; readonly text: Expression; readonly start: Expression; readonly length: Expression }
  | {
      readonly kind: 'aggregate-read';
      readonly place: Place;
      readonly reader: AggregateReader;
      /** Of a quantile, in millionths. */
      readonly argument: number | undefined;
    }
  | { readonly kind: 'histogram'; readonly place: Place; readonly scale: HistogramScale }
  | { readonly kind: 'array-count'; readonly array: number }
  | { readonly kind: 'print'; readonly stream: 'out' | 'warn' | 'error'; readonly format: Format; readonly values: readonly Expression[] }
  | {
      readonly kind: 'chart';
      readonly chart: 'flame' | 'histogram' | 'table' | 'pie' | 'bar' | 'line';
      readonly source: { readonly array: number } | { readonly global: number };
      readonly reader: AggregateReader | undefined;
      readonly unit: Uint8Array | undefined;
      readonly title: Uint8Array | undefined;
    }
  | { readonly kind: 'exit' }
  | { readonly kind: 'delete'; readonly array: number; readonly keys: readonly Expression[] }
  | { readonly kind: 'clear'; readonly array: number };

export type HistogramScale =
  | { readonly kind: 'log' }
  | { readonly kind: 'linear'; readonly low: bigint; readonly high: bigint; readonly step: bigint };

export type Statement = { readonly at: SourcePlace } & StatementKind;

export type StatementKind =
  | { readonly kind: 'block'; readonly body: readonly Statement[] }
  | { readonly kind: 'expression'; readonly expression: Expression }
  /** The local begins here: with `initial`, with zeros, or with the words of registers that a record was passed in. */
  | { readonly kind: 'declare'; readonly local: number; readonly initial: Expression | undefined }
  | { readonly kind: 'words'; readonly local: number; readonly words: readonly Word[] }
  | { readonly kind: 'if'; readonly condition: Expression; readonly yes: readonly Statement[]; readonly no: readonly Statement[] }
  | {
      readonly kind: 'loop';
      readonly condition: Expression | undefined;
      readonly step: Expression | undefined;
      readonly body: readonly Statement[];
      /** `do … while`. */
      readonly bodyFirst: boolean;
    }
  | {
      readonly kind: 'switch';
      readonly subject: Expression;
      readonly labels: readonly SwitchLabel[];
      readonly otherwise: number | undefined;
      readonly body: readonly Statement[];
    }
  | { readonly kind: 'label'; readonly label: number }
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' }
  | { readonly kind: 'return'; readonly value: Expression | undefined }
  | {
      readonly kind: 'foreach';
      readonly iterator: number;
      readonly array: number;
      /** Locals that take the keys. */
      readonly keys: readonly number[];
      readonly order: { readonly descending: boolean; readonly by: 'key' | 'value' | { readonly function: number } } | undefined;
      readonly limit: Expression | undefined;
      readonly body: readonly Statement[];
    }
  /** The key local takes the iterator's key: how a sort function begins. */
  | { readonly kind: 'keys'; readonly iterator: number; readonly keys: readonly number[] }
  | { readonly kind: 'try'; readonly body: readonly Statement[]; readonly handler: readonly Statement[] };

export interface SwitchLabel {
  readonly low: bigint;
  /** The same as `low`, but for `case 1 ... 5`. */
  readonly high: bigint;
  readonly label: number;
}

/** Eight bytes (or fewer, the last ones) of a record passed in registers. */
export interface Word {
  readonly offset: number;
  readonly size: 1 | 2 | 4 | 8;
  /** Bytes into the register's value where this part begins. */
  readonly shift: number;
  readonly from: Expression;
}
