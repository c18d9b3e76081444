/** What compiling gives: the object, where to attach it, and how to find and read what it leaves in maps. */
import type { BpfObject } from '../../../bpf/index.ts';
import type { AggregateLayout } from '../aggregate-layout.ts';
import type { CounterEvent } from '../../counter-events.ts';
import type { Description, Loss, SourcePlace } from '../../ir/program.ts';

export interface EbpfProgram {
  readonly object: BpfObject;
  readonly attachments: readonly Attachment[];
  readonly storage: StorageLayout;
  readonly events: EventLayout;
}

/** A mistake of the program's author, or what this engine cannot do here. */
export interface EbpfDiagnostic {
  readonly code: string;
  readonly message: string;
  readonly place: SourcePlace | undefined;
  readonly hint: string | undefined;
}

/** Which program goes where. Attach the engine's own (`probes` empty) first. */
export interface Attachment {
  /** Of the object's programs. */
  readonly program: string;
  /** Indices in the program's `probes` that it runs, in order. */
  readonly probes: readonly number[];
  readonly point: AttachPoint;
}

export type AttachPoint =
  | { readonly kind: 'uprobe'; readonly isReturn: boolean; readonly sites: readonly UprobeSite[] }
  /** A kernel function, by a breakpoint. */
  | { readonly kind: 'kprobe'; readonly isReturn: boolean; readonly name: string }
  /** A kernel function that the program was loaded for (`tracing`). */
  | { readonly kind: 'kernel-hook'; readonly name: string }
  | { readonly kind: 'tracepoint'; readonly category: string; readonly name: string; readonly id: number }
  | { readonly kind: 'raw-tracepoint'; readonly name: string }
  /** On every CPU: a clock, or a counter of the machine. */
  | { readonly kind: 'clock'; readonly hz: number }
  | { readonly kind: 'counter'; readonly event: CounterEvent; readonly period: number };

export interface UprobeSite {
  /** Path as the target sees it. */
  readonly module: string;
  /** Past an `endbr64`, which the kernel would have to single-step. */
  readonly fileOffset: number;
  readonly cookie: bigint;
  /** File offset of the semaphore, when the probe has one. */
  readonly semaphore: number | undefined;
}

/** All integers are little-endian. */
export interface StorageLayout {
  /** By index of the program's globals; undefined for one that no hit probe uses. */
  readonly globals: readonly (GlobalLayout | undefined)[];
  /** By index of the program's arrays; undefined likewise. */
  readonly arrays: readonly (ArrayLayout | undefined)[];
  /** One entry; see `CONTROL`. */
  readonly control: string;
  /** A per-CPU array of one entry: 64-bit counters, indexed by `LOSSES`. */
  readonly losses: string;
  /** A per-CPU array, one entry a probe: hits and nanoseconds, 64 bits each; undefined when nothing is measured. */
  readonly measures: string | undefined;
  /** Hash of process ids (32 bits) to 8 bytes; undefined unless the filter is `pid`. */
  readonly targets: string | undefined;
  /** Hash of cgroup ids (64 bits) to 8 bytes; undefined unless the filter is `cgroup`. */
  readonly cgroups: string | undefined;
  /** A stack trace map of up to 127 addresses each; see `splitStackId`. Undefined when no stack is taken. */
  readonly stacks: string | undefined;
}

/** Offsets in the only entry of the control map: 32 bits each unless said. */
export const CONTROL = {
  /** Not 0: all hits return at once. Set by `_exit` in a hit, or by the session. */
  stopped: 0,
  /** A process id that needs no look-up in `targets`; 0 for none. */
  firstTarget: 4,
  /** How many further processes `targets` has held: while 0 nobody looks there. */
  otherTargets: 8,
  /** 64 bits: what makes wall-clock nanoseconds of CLOCK_MONOTONIC. */
  wallOffset: 16,
  bytes: 24,
} as const;

/** Index of each reason in the losses' record. */
export const LOSSES: readonly Loss[] = [
  'failed-read',
  'division-by-zero',
  'loop-budget',
  'array-full',
  'ring-full',
  'stack-lost',
  'scratch-busy',
  'uncaught',
];

/** A text in a map: its length in 32 bits, 4 bytes of zeros, then its bytes, zeros after them. */
export const TEXT_HEADER_BYTES = 8;

export type GlobalLayout =
  /** At `offset` of the map's only entry. */
  | { readonly kind: 'value'; readonly map: string; readonly offset: number; readonly bytes: number }
  /** The same, an entry a CPU, which begins with zeros: a reader adds the initial value to the sum. */
  | { readonly kind: 'percpu'; readonly map: string; readonly offset: number; readonly bytes: number }
  /** At `offset` of the entry for the thread id (32 bits). */
  | { readonly kind: 'thread'; readonly map: string; readonly offset: number; readonly bytes: number }
  /** Dense records, one a CPU, in the map's only entry. */
  | { readonly kind: 'aggregate'; readonly map: string; readonly layout: AggregateLayout };

export interface ArrayLayout {
  readonly map: string;
  /** Values of each CPU apart, to be summed. */
  readonly perCpu: boolean;
  readonly keyBytes: number;
  /** In the order of the array's keys. Bytes between the parts are zero. */
  readonly keys: readonly KeyPartLayout[];
  readonly valueBytes: number;
  readonly value:
    /** An integer lies in the lower bytes of 8. */
    | { readonly kind: 'integer'; readonly size: 1 | 2 | 4 | 8; readonly signed: boolean }
    | { readonly kind: 'float' }
    | { readonly kind: 'text'; readonly capacity: number }
    | { readonly kind: 'struct'; readonly size: number }
    | { readonly kind: 'aggregate'; readonly layout: AggregateLayout; readonly buckets: BucketsLayout | undefined };
}

/**
 * Histograms of an array's aggregates: a per-CPU hash of counters of 64 bits. The key is the array's, and then, at `offset`, 32 bits: the
 * bucket in the lower half, the index of the layout's histogram in the upper.
 */
export interface BucketsLayout {
  readonly map: string;
  readonly keyBytes: number;
  readonly offset: number;
}

/** A text part has its header too. `capacity` may be below that of the array: no longer text is ever a key. */
export type KeyPartLayout =
  | { readonly kind: 'integer'; readonly offset: number; readonly size: 1 | 2 | 4 | 8; readonly signed: boolean }
  | { readonly kind: 'text'; readonly offset: number; readonly capacity: number }
  | { readonly kind: 'stack'; readonly offset: number };

/** Records of the ring. Each begins with the header (`EVENT`); the id of an `exit` is 0. */
export interface EventLayout {
  readonly ring: string;
  /** By id; index 0 is undefined. */
  readonly prints: readonly (PrintLayout | undefined)[];
}

/** Offsets of an event's header: 32 bits each, `time` (CLOCK_MONOTONIC, nanoseconds) 64. */
export const EVENT = { id: 0, probe: 4, time: 8, cpu: 16, pid: 20, tid: 24, values: 32 } as const;

export interface PrintLayout {
  readonly stream: 'out' | 'warn' | 'error';
  /** Index in the program's formats. */
  readonly format: number;
  /** Value n has 8 bytes at `EVENT.values + 8 * n`. */
  readonly values: readonly PrintValue[];
  readonly place: SourcePlace | undefined;
}

/** A text's 8 bytes are two of 32 bits: where in the record its bytes are, and how many. A float's are a double. */
export type PrintValue = { readonly kind: 'integer' | 'float' | 'text' } | { readonly kind: 'described'; readonly as: Description };

/** The stack trace map's ids in a backtrace's id, when the kernel's walker took it; undefined for a part that was not taken or lost. */
export function splitStackId(id: bigint): { readonly user: number | undefined; readonly kernel: number | undefined } {
  const user = Number(BigInt.asUintN(32, id));
  const kernel = Number(BigInt.asUintN(32, id >> 32n));
  return { user: user === 0 ? undefined : user - 1, kernel: kernel === 0 ? undefined : kernel - 1 };
}
