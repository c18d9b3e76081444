/**
 * What a compiler hands to the kernel: maps and programs, with names instead of file descriptors. Data only, no behaviour: `kernel/`
 * loads it, `interpreter.ts` runs it without a kernel.
 */

/** Numbers of enum bpf_map_type (include/uapi/linux/bpf.h, Linux 6.18). */
export const MAP_TYPES = {
  hash: 1,
  array: 2,
  programArray: 3,
  perfEventArray: 4,
  perCpuHash: 5,
  perCpuArray: 6,
  stackTrace: 7,
  lruHash: 9,
  lruPerCpuHash: 10,
  longestPrefix: 11,
  arrayOfMaps: 12,
  hashOfMaps: 13,
  queue: 22,
  stack: 23,
  ringBuffer: 27,
  taskStorage: 29,
  bloomFilter: 30,
} as const;

export type MapType = keyof typeof MAP_TYPES;

/** Numbers of enum bpf_prog_type. */
export const PROGRAM_TYPES = {
  socketFilter: 1,
  kprobe: 2,
  schedCls: 3,
  tracepoint: 5,
  xdp: 6,
  perfEvent: 7,
  cgroupSkb: 8,
  rawTracepoint: 17,
  tracing: 26,
  lsm: 29,
  syscall: 31,
} as const;

export type ProgramType = keyof typeof PROGRAM_TYPES;

/** Numbers of enum bpf_attach_type. */
export const ATTACH_TYPES = {
  cgroupInetIngress: 0,
  cgroupInetEgress: 1,
  traceRawTracepoint: 23,
  traceEntry: 24,
  traceExit: 25,
  traceIterator: 28,
  perfEvent: 41,
  uprobeMulti: 48,
  uprobeSession: 57,
} as const;

export type AttachType = keyof typeof ATTACH_TYPES;

/** Flags of a map (enum in include/uapi/linux/bpf.h). */
export const MAP_FLAGS = { noPreallocate: 1, numaNode: 4, mmapable: 1 << 10, preserveElements: 1 << 11, innerMap: 1 << 12 } as const;

export interface MapSpec {
  /** Unique in the object. The kernel keeps 15 bytes of it. */
  readonly name: string;
  readonly type: MapType;
  /** Bytes; 0 for a ring buffer, 4 for the kinds of array. */
  readonly keyBytes: number;
  /** Bytes; 0 for a ring buffer, 4 for maps of maps and of programs. */
  readonly valueBytes: number;
  /** Entries; for a ring buffer bytes, a power of two and a multiple of the page size; 0 for task storage. */
  readonly maxEntries: number;
  /** Of `MAP_FLAGS`, or-ed. */
  readonly flags?: number;
  /** What the inner maps look like; of `arrayOfMaps` and `hashOfMaps` alone. */
  readonly inner?: Omit<MapSpec, 'name' | 'entries'>;
  /** What the map holds at first. */
  readonly entries?: readonly MapEntry[];
}

export interface MapEntry {
  readonly key: Uint8Array;
  /** Bytes, or the name of a map or program of the same object. */
  readonly value: Uint8Array | { readonly map: string } | { readonly program: string };
}

export interface ProgramSpec {
  /** Unique in the object. The kernel keeps 15 bytes of it. */
  readonly name: string;
  readonly type: ProgramType;
  /** Where the program is meant for; needed by `tracing`, and by `kprobe` for uprobe_multi links. */
  readonly attach?: AttachType;
  /** For `tracing`: the kernel's function, tracepoint (`sched_switch`) or iterator (`task`). */
  readonly attachTo?: string;
  /** May sleep (BPF_F_SLEEPABLE): uprobes and iterators that call `copy_from_user`. `syscall` programs always may. */
  readonly sleepable?: boolean;
  /** The slots; places of maps hold zeros until `maps` is applied. */
  readonly code: Uint8Array;
  readonly maps: readonly MapRelocation[];
  /** The program's functions, the main one first, by rising slot. May be empty when there is one function and no line information. */
  readonly functions: readonly FunctionInfo[];
  /** By rising slot, each slot at most once. May be empty. */
  readonly lines: readonly LineInfo[];
}

/** The two-slot load at `slot` gets a map. */
export interface MapRelocation {
  readonly slot: number;
  readonly map: string;
  /** `map`: the map itself, for helpers. `value`: the address of its only entry plus `offset`; arrays with one entry alone. */
  readonly kind: 'map' | 'value';
  readonly offset: number;
}

export type ParameterType = 'int' | 'u32' | 'u64' | 'pointer';

/** A function of a program. A function returns an `int`, as far as the kernel is told. */
export interface FunctionInfo {
  /** First slot. */
  readonly slot: number;
  /** A C identifier. */
  readonly name: string;
  readonly parameters: readonly { readonly name: string; readonly type: ParameterType }[];
}

/** The instructions from `slot` on come from this place of the source. */
export interface LineInfo {
  readonly slot: number;
  readonly file: string;
  /** From 1; up to 4,194,303. */
  readonly line: number;
  /** From 1; up to 1,023. */
  readonly column: number;
  /** The line's text, for messages. */
  readonly text: string;
}

/** Maps and programs that belong together. */
export interface BpfObject {
  readonly maps: readonly MapSpec[];
  readonly programs: readonly ProgramSpec[];
}
