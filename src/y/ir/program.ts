/**
 * The intermediate form: what a checked program becomes, and all that an engine gets to see.
 *
 * A probe's body is a function of basic blocks over virtual registers. A register holds a 64-bit integer (pointers,
 * booleans and backtrace ids too) or a double; it may be written many times (no SSA). Integers of fewer bits are kept extended to
 * 64 as their C type says; the lowering emits `extend` after each operation that can leave that range, so that an engine computes
 * in 64 bits only. Texts do not fit registers: they live in places (`TextPlace`), each with a capacity in bytes; longer ones are cut.
 *
 * Reads of the target are explicit and may fail: control then goes to the instruction's `onFail` block (a `_catch`). When it has none, the
 * function is left, and the `call` that entered it fails in its turn; where no call has an `onFail` either, the hit ends and is counted
 * (`failed-read`). The same holds for division by zero. All else that ends a hit ends it at once.
 *
 * Programs run in two places that share their storage (globals and arrays). Probes with `where: 'hit'` run where the event
 * is: in the kernel. Those with `where: 'host'` (`_begin`, `_end`, `_oneshot`, timers) run in our own process, on either engine. The
 * instructions marked "host only" never occur in a hit function (the checker sees to it).
 */
import type { CType } from '../../ctypes/index.ts';
import type { FunctionSite, LineSite, Tracepoint, UsdtSite } from '../knowledge.ts';
import type { Format } from './format.ts';
import type { RegexProgram } from './regex-program.ts';

export interface Program {
  readonly file: string;
  readonly options: readonly OptionSpec[];
  readonly globals: readonly GlobalSpec[];
  readonly arrays: readonly ArraySpec[];
  /** Text literals, without NUL. */
  readonly literals: readonly Uint8Array[];
  readonly formats: readonly Format[];
  readonly regexes: readonly RegexProgram[];
  readonly functions: readonly IrFunction[];
  readonly probes: readonly Probe[];
  /** From the `@analyzer` block; undefined without one. */
  readonly header: Readonly<Record<string, string>> | undefined;
  /** Source texts by file, for line information and diagnostics. */
  readonly sources: ReadonlyMap<string, string>;
  /** Numbers in instructions that belong to one kernel or one run of the target; undefined for a program that stays where it was compiled. */
  readonly relocations?: readonly Relocation[] | undefined;
}

/** A number to find again where the program is loaded: the `offset` or the constant of one instruction. */
export interface Relocation {
  readonly function: number;
  readonly block: number;
  readonly instruction: number;
  readonly target: RelocationTarget;
}

export type RelocationTarget =
  /** `offset` of a read, or what is added: bytes of `path` (`a.b`) in a kernel type by its BTF name (`struct task_struct`), and `addend` more. */
  | { readonly kind: 'kernel-field'; readonly type: string; readonly path: string; readonly addend: number }
  /** Constant of a move: address of a global of the target, `fileAddress` as its file counts. */
  | {
      readonly kind: 'variable';
      readonly module: string;
      readonly buildId: string | undefined;
      readonly name: string;
      readonly fileAddress: bigint | undefined;
    }
  /** Constant of a move: address of a text in the target's read-only data. */
  | { readonly kind: 'literal'; readonly bytes: Uint8Array };

export interface SourcePlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** A parameter that the command line sets. The global with the same name holds its value. */
export interface OptionSpec {
  readonly name: string;
  readonly global: number;
  readonly help: string;
}

export interface GlobalSpec {
  readonly name: string;
  readonly kind: 'integer' | 'float' | 'text' | 'struct' | 'aggregate';
  /** Bytes: of an integer 1, 2, 4 or 8; of a text its capacity; of a struct its size; of an aggregate 0. */
  readonly size: number;
  readonly signed: boolean;
  /** `thread`: one copy a thread, begun with `initial`; `percpu`: one a CPU, summed when the host reads it. */
  readonly sharing: 'shared' | 'percpu' | 'thread';
  /** Little-endian bytes of the first value; undefined for zero. */
  readonly initial: Uint8Array | undefined;
  readonly place: SourcePlace;
}

export interface ArraySpec {
  readonly name: string;
  readonly keys: readonly KeySpec[];
  readonly value: ValueSpec;
  /** Entries; a full array drops the insert and counts it. */
  readonly capacity: number;
  readonly storage: 'shared' | 'percpu' | 'lru';
  readonly place: SourcePlace;
}

/** A `stack` key is the 64-bit id of a captured backtrace. `enumType` lets the host print names. */
export type KeySpec =
  | { readonly kind: 'integer'; readonly size: 1 | 2 | 4 | 8; readonly signed: boolean; readonly type: CType | undefined }
  | { readonly kind: 'text'; readonly capacity: number }
  | { readonly kind: 'stack' };

export type ValueSpec =
  | { readonly kind: 'integer'; readonly size: 1 | 2 | 4 | 8; readonly signed: boolean; readonly type: CType | undefined }
  | { readonly kind: 'float' }
  | { readonly kind: 'text'; readonly capacity: number }
  | { readonly kind: 'aggregate' }
  | { readonly kind: 'struct'; readonly size: number };

export type { Format, FormatPiece } from './format.ts';
export type { CaptureProgram, RegexProgram } from './regex-program.ts';

export interface Probe {
  readonly point: ProbePoint;
  /** Index of the body in `functions`: no parameters, no result. */
  readonly body: number;
  readonly where: 'hit' | 'host';
  /** `_global`: fires for every process, not only for the target. */
  readonly global: boolean;
  readonly place: SourcePlace;
  /** As written, for reports. */
  readonly text: string;
}

export type ProbePoint =
  | { readonly kind: 'begin' }
  | { readonly kind: 'end' }
  | { readonly kind: 'oneshot' }
  | { readonly kind: 'timer'; readonly periodNs: number }
  | { readonly kind: 'profile'; readonly hz: number }
  | { readonly kind: 'pmu'; readonly event: string; readonly period: number }
  | { readonly kind: 'function'; readonly sites: readonly FunctionSite[] }
  | { readonly kind: 'return'; readonly sites: readonly FunctionSite[] }
  | { readonly kind: 'instruction'; readonly sites: readonly (FunctionSite | LineSite)[] }
  | { readonly kind: 'usdt'; readonly sites: readonly UsdtSite[]; readonly name: string }
  | {
      readonly kind: 'syscall';
      readonly names: readonly string[];
      readonly numbers: readonly number[];
      readonly exit: boolean;
      readonly all: boolean;
    }
  | { readonly kind: 'kfunc'; readonly name: string; readonly exit: boolean }
  | { readonly kind: 'tracepoint'; readonly tracepoint: Tracepoint }
  | { readonly kind: 'cpu'; readonly direction: 'on' | 'off' }
  | { readonly kind: 'life'; readonly event: 'exec' | 'fork' | 'exit' | 'thread-start' | 'thread-exit' }
  | { readonly kind: 'page-fault' };

export interface IrFunction {
  readonly name: string;
  /** Registers 0 … parameters.length - 1 (or texts, in order) hold the arguments on entry. */
  readonly parameters: readonly ('integer' | 'float' | 'text')[];
  readonly result: 'integer' | 'float' | 'text' | 'none';
  /** What each register holds. */
  readonly registers: readonly ('integer' | 'float')[];
  /** Capacity in bytes of each local text. The first ones are the text parameters, in order. */
  readonly texts: readonly number[];
  /** Size in bytes of each local struct. */
  readonly objects: readonly number[];
  /** Number of iterators of `_foreach`. */
  readonly iterators: number;
  /** Block 0 is the entry. */
  readonly blocks: readonly Block[];
  readonly place: SourcePlace;
}

export interface Block {
  readonly instructions: readonly Instruction[];
  readonly end: Terminator;
}

/** A register by its index, or a constant. */
export type Operand = { readonly register: number } | { readonly constant: bigint };
/** Where a text is. `literal` and `option` texts are never written. */
export type TextPlace = { readonly local: number } | { readonly global: number } | { readonly literal: number };
export type KeyArgument = Operand | { readonly text: TextPlace };

export type Space = 'user' | 'kernel';

export type BinaryOperator =
  | 'add'
  | 'sub'
  | 'mul'
  | 'sdiv'
  | 'udiv'
  | 'smod'
  | 'umod'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'lshr'
  | 'ashr'
  | 'eq'
  | 'ne'
  | 'slt'
  | 'sle'
  | 'sgt'
  | 'sge'
  | 'ult'
  | 'ule'
  | 'ugt'
  | 'uge';

/** Numbers about the hit. `now-*` is CLOCK_MONOTONIC, `wall-ns` CLOCK_REALTIME. `arg` and the like are instructions of their own. */
export type IntegerBuiltin =
  | 'pid'
  | 'tid'
  | 'ppid'
  | 'pgid'
  | 'nspid'
  | 'uid'
  | 'gid'
  | 'cpu'
  | 'cgroup'
  | 'now-ns'
  | 'now-us'
  | 'now-ms'
  | 'now-s'
  | 'wall-ns'
  | 'random'
  | 'thread-pointer';
export type TextBuiltin = 'comm' | 'exe' | 'container' | 'trace-id' | 'probe-function';

interface At {
  /** For line information and counted failures; undefined for what the compiler made up. */
  readonly at: SourcePlace | undefined;
  /** Where the instruction's number comes from; engines need not look at it. */
  readonly relocate?: RelocationTarget | undefined;
}

export type Instruction = At & InstructionKind;

export type InstructionKind =
  // Arithmetic. Shifts take the amount modulo 64; comparisons give 0 or 1; `sdiv` truncates; division by zero fails as a read does.
  | { readonly op: 'move'; readonly to: number; readonly from: Operand }
  | {
      readonly op: 'binary';
      readonly to: number;
      readonly operator: BinaryOperator;
      readonly left: Operand;
      readonly right: Operand;
      readonly onFail?: number | undefined;
    }
  | { readonly op: 'extend'; readonly to: number; readonly from: Operand; readonly bits: 1 | 8 | 16 | 32; readonly signed: boolean }
  /** A bit-field: `bits` bits of `from` beginning at bit `shift`. */
  | {
      readonly op: 'extract';
      readonly to: number;
      readonly from: Operand;
      readonly shift: number;
      readonly bits: number;
      readonly signed: boolean;
    }
  | { readonly op: 'float'; readonly to: number; readonly value: number }
  | {
      readonly op: 'float-binary';
      readonly to: number;
      readonly operator: 'add' | 'sub' | 'mul' | 'div' | 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';
      readonly left: number;
      readonly right: number;
    }
  /**
   * `…-bits`: a float of 32 or 64 bits as it lies in memory, to a double; `to-float32`: a double to such 32 bits, rounded to nearest;
   * `signed`/`unsigned`: an integer to a double; `truncate`: a double to an integer.
   */
  | {
      readonly op: 'convert';
      readonly to: number;
      readonly from: Operand;
      readonly form: 'float32-bits' | 'float64-bits' | 'to-float32' | 'signed' | 'unsigned' | 'truncate';
    }
  | { readonly op: 'log2' | 'popcount'; readonly to: number; readonly from: Operand }

  // Storage of the program itself.
  | {
      readonly op: 'load-global';
      readonly to: number;
      readonly global: number;
      readonly offset: number;
      readonly size: 1 | 2 | 4 | 8;
      readonly signed: boolean;
    }
  | { readonly op: 'store-global'; readonly global: number; readonly offset: number; readonly size: 1 | 2 | 4 | 8; readonly value: Operand }
  /** Atomic; `to` gets the value before. Only integers of 4 and 8 bytes. */
  | {
      readonly op: 'add-global';
      readonly to: number | undefined;
      readonly global: number;
      readonly offset: number;
      readonly size: 4 | 8;
      readonly value: Operand;
    }
  | {
      readonly op: 'load-object';
      readonly to: number;
      readonly object: number;
      readonly offset: number;
      readonly size: 1 | 2 | 4 | 8;
      readonly signed: boolean;
    }
  | { readonly op: 'store-object'; readonly object: number; readonly offset: number; readonly size: 1 | 2 | 4 | 8; readonly value: Operand }

  // Reads of the target or the kernel. `address` + `offset`.
  | {
      readonly op: 'read';
      readonly to: number;
      readonly space: Space;
      readonly address: Operand;
      readonly offset: number;
      readonly size: 1 | 2 | 4 | 8;
      readonly signed: boolean;
      readonly onFail: number | undefined;
    }
  | {
      readonly op: 'read-object';
      readonly object: number;
      readonly offset: number;
      readonly space: Space;
      readonly address: Operand;
      readonly size: number;
      readonly onFail: number | undefined;
    }
  /** To the first NUL, or `length` bytes when given (NULs kept); cut at the capacity of `to`. */
  | {
      readonly op: 'read-text';
      readonly to: TextPlace;
      readonly space: Space;
      readonly address: Operand;
      readonly length: Operand | undefined;
      readonly onFail: number | undefined;
    }
  /** 1 when `size` bytes at `address` can be read. Never fails. */
  | { readonly op: 'valid'; readonly to: number; readonly space: Space; readonly address: Operand; readonly size: Operand }

  // About the hit.
  | { readonly op: 'builtin'; readonly to: number; readonly name: IntegerBuiltin }
  | { readonly op: 'builtin-text'; readonly to: TextPlace; readonly name: TextBuiltin }
  /** Argument by the calling convention of functions, system calls or the static probe; integers as the register has them, not extended. */
  | { readonly op: 'argument'; readonly to: number; readonly index: number }
  | { readonly op: 'return-value'; readonly to: number }
  | { readonly op: 'register'; readonly to: number; readonly name: string }
  /** A field of the tracepoint's record. */
  | { readonly op: 'context'; readonly to: number; readonly offset: number; readonly size: 1 | 2 | 4 | 8; readonly signed: boolean }
  | { readonly op: 'context-text'; readonly to: TextPlace; readonly offset: number; readonly size: number; readonly dataLoc: boolean }
  /** A captured backtrace's id; equal stacks of one process have equal ids. `language` stacks need a runtime's walker. */
  | { readonly op: 'stack'; readonly to: number; readonly form: 'user' | 'kernel' | 'both' | 'mixed' | { readonly language: string } }

  // Texts.
  | { readonly op: 'copy-text'; readonly to: TextPlace; readonly from: TextPlace }
  | { readonly op: 'concatenate'; readonly to: TextPlace; readonly left: TextPlace; readonly right: TextPlace }
  | { readonly op: 'substring'; readonly to: TextPlace; readonly from: TextPlace; readonly start: Operand; readonly length: Operand }
  /** By unsigned bytes, shorter first: -1, 0 or 1. */
  | { readonly op: 'compare-text'; readonly to: number; readonly left: TextPlace; readonly right: TextPlace }
  | { readonly op: 'text-length'; readonly to: number; readonly from: TextPlace }
  /** The byte at `index`; 0 outside. */
  | { readonly op: 'text-at'; readonly to: number; readonly from: TextPlace; readonly index: Operand }
  /** 1 when it matches; group n goes to `groups[n]` when that is given (`$0` is the whole match; leftmost, alternatives and quantifiers by preference as in Perl). */
  | {
      readonly op: 'match';
      readonly to: number;
      readonly regex: number;
      readonly subject: TextPlace;
      readonly groups: readonly (TextPlace | undefined)[];
    }
  /** Host only: name of an address, its source line, a backtrace's text, an enumerator's name. */
  | { readonly op: 'describe'; readonly to: TextPlace; readonly from: Operand; readonly as: Description }

  // Arrays and aggregates. A missing entry reads as 0 or the empty text.
  | {
      readonly op: 'array-load';
      readonly to: number;
      readonly array: number;
      readonly keys: readonly KeyArgument[];
      readonly offset: number;
      readonly size: 1 | 2 | 4 | 8;
      readonly signed: boolean;
    }
  | {
      readonly op: 'array-store';
      readonly array: number;
      readonly keys: readonly KeyArgument[];
      readonly offset: number;
      readonly size: 1 | 2 | 4 | 8;
      readonly value: Operand;
    }
  /** Atomic on shared arrays; inserts what is missing. `to` gets the value before. `field`: of an array of records, where the integer lies, aligned. */
  | {
      readonly op: 'array-add';
      readonly to: number | undefined;
      readonly array: number;
      readonly keys: readonly KeyArgument[];
      readonly value: Operand;
      readonly field?: { readonly offset: number; readonly size: 4 | 8 } | undefined;
    }
  | { readonly op: 'array-load-text'; readonly to: TextPlace; readonly array: number; readonly keys: readonly KeyArgument[] }
  | { readonly op: 'array-store-text'; readonly array: number; readonly keys: readonly KeyArgument[]; readonly value: TextPlace }
  | { readonly op: 'array-has'; readonly to: number; readonly array: number; readonly keys: readonly KeyArgument[] }
  | { readonly op: 'array-delete'; readonly array: number; readonly keys: readonly KeyArgument[] }
  | { readonly op: 'array-clear'; readonly array: number }
  | { readonly op: 'aggregate'; readonly into: AggregatePlace; readonly value: Operand }
  /** Host only. `variance`, `stddev` give doubles, the others integers; `argument` is the quantile, 0–1, in millionths. */
  | {
      readonly op: 'aggregate-read';
      readonly to: number;
      readonly from: AggregatePlace;
      readonly reader: AggregateReader;
      readonly argument: number | undefined;
    }
  /** Host only. */
  | { readonly op: 'array-count'; readonly to: number; readonly array: number }
  /** Host only: takes the entries as they are now. `by`: a function of no parameters that reads the iterator's keys; its integer or double orders. */
  | {
      readonly op: 'iterate';
      readonly iterator: number;
      readonly array: number;
      readonly order: { readonly descending: boolean; readonly by: 'key' | 'value' | { readonly function: number } } | undefined;
      readonly limit: Operand | undefined;
    }
  | { readonly op: 'iterator-key'; readonly to: number | TextPlace; readonly iterator: number; readonly index: number }
  | {
      readonly op: 'call';
      readonly to: number | TextPlace | undefined;
      readonly function: number;
      readonly arguments: readonly KeyArgument[];
      /** Where a failure goes that the function does not handle itself; `to` keeps its value then. */
      readonly onFail?: number | undefined;
    }

  // Out.
  | { readonly op: 'print'; readonly stream: 'out' | 'warn' | 'error'; readonly format: number; readonly values: readonly OutputValue[] }
  /** Host only. `title`, `unit` are literals. */
  | {
      readonly op: 'chart';
      readonly chart: 'flame' | 'histogram' | 'table' | 'pie' | 'bar' | 'line';
      readonly source: { readonly array: number } | { readonly global: number };
      readonly reader: AggregateReader | undefined;
      readonly unit: number | undefined;
      readonly title: number | undefined;
    }
  | { readonly op: 'exit' };

export type AggregateReader = 'count' | 'sum' | 'min' | 'max' | 'avg' | 'variance' | 'stddev' | 'quantile';
export type AggregatePlace = { readonly global: number } | { readonly array: number; readonly keys: readonly KeyArgument[] };

/** What an integer means to a reader of the output. */
export type Description =
  | { readonly kind: 'symbol'; readonly space: Space }
  | { readonly kind: 'source' }
  | { readonly kind: 'stack' }
  | { readonly kind: 'enum'; readonly type: CType };

export type OutputValue =
  | { readonly kind: 'integer'; readonly value: Operand }
  | { readonly kind: 'float'; readonly register: number }
  | { readonly kind: 'text'; readonly text: TextPlace }
  | { readonly kind: 'described'; readonly value: Operand; readonly as: Description }
  /** Host only: drawn as text over several lines. */
  | {
      readonly kind: 'histogram';
      readonly from: AggregatePlace;
      readonly scale:
        | { readonly kind: 'log' }
        | { readonly kind: 'linear'; readonly low: bigint; readonly high: bigint; readonly step: bigint };
    };

export type Terminator =
  | { readonly op: 'jump'; readonly to: number }
  | { readonly op: 'branch'; readonly condition: Operand; readonly then: number; readonly else: number }
  | { readonly op: 'return'; readonly value: KeyArgument | undefined }
  /** Ends the hit and counts why. */
  | { readonly op: 'fail'; readonly why: Loss }
  /** Host only: takes the iterator's next entry, or goes on at `done`. */
  | { readonly op: 'next'; readonly iterator: number; readonly body: number; readonly done: number };

/** What a session counts as lost; each is shown at its end. */
export type Loss =
  | 'failed-read'
  | 'division-by-zero'
  | 'loop-budget'
  | 'array-full'
  | 'ring-full'
  | 'stack-lost'
  | 'scratch-busy'
  | 'uncaught';
