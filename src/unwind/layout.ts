// How the maps of the in-kernel unwinder are laid out: what `emit-unwinder` reads is what `unwind-tables` writes. All little-endian, offsets in bytes.
import type { MapSpec } from '../bpf/index.ts';
import { MAP_FLAGS } from '../bpf/index.ts';
import type { FrameArchitecture } from '../dwarf/index.ts';

/** Registers that are followed from frame to frame, by DWARF number. The place in the list is the register's slot. */
export interface RegisterSlots {
  /** Slot 0 is the stack pointer, slot 1 the frame pointer. */
  readonly dwarf: readonly number[];
  /** Slots from 1 up to here (not included) survive calls; those after it are known only where a thread was interrupted. */
  readonly preserved: number;
  /** Where a call leaves the return address, when not on the stack. */
  readonly linkSlot: number | undefined;
}

/** System V ABI supplement for x86-64, figures 3.4 and 3.36; AAPCS64 section 6.1.1 and AADWARF64 section 4.1. */
export const REGISTER_SLOTS: Readonly<Record<FrameArchitecture, RegisterSlots>> = {
  'x86-64': { dwarf: [7, 6, 3, 12, 13, 14, 15, 10, 0, 1, 2, 4, 5, 8, 9, 11], preserved: 7, linkSlot: undefined },
  aarch64: { dwarf: [31, 29, 30, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28], preserved: 13, linkSlot: 2 },
};

/** A row: u32 address relative to its table's base, u32 number of a rule. */
export const ROW_BYTES = 8;
export const ROWS_PER_SHARD = 65_536;

/** A mapping; the table of a process is sorted by start. */
export const MAPPING = { start: 0, end: 8, base: 16, shard: 24, firstRow: 26, lastRow: 28, flags: 30, bytes: 32 } as const;
export const MAPPINGS_PER_SHARD = 16_384;
/** What `MAPPING.flags` says; with any of them the rows do not count. */
export const MAPPING_FLAG = { framePointer: 1, returnProbe: 2, noTable: 4 } as const;

/** Where a process's mappings lie. */
export const PROCESS = { shard: 0, first: 4, count: 8, generation: 12, bytes: 16 } as const;

/**
 * A rule. `window`: the caller's registers lie close together, so they are read at once, `windowBytes` from CFA + `windowOffset` on; a byte a
 * register (at `slots` + its slot) says which word of the window holds it, `UNCHANGED` that the callee did not save it.
 */
export const RULE = {
  kind: 0,
  cfaSlot: 1,
  returnWord: 2,
  windowBytes: 3,
  cfaOffset: 4,
  windowOffset: 8,
  /** Of `dereference`: what is added to the word read. Of `plt`: from which place in 16 bytes on one word more is pushed. */
  extra: 12,
  flags: 16,
  /** Slot 0, the stack pointer, is the CFA, so its byte is `flags`. */
  slots: 16,
  /** Of a second window, for registers that lie at fixed distances from the frame pointer (realigned stacks): its length, and i16 from where on. */
  frameBytes: 29,
  frameOffset: 30,
  bytes: 32,
} as const;
/** `frame`: by the frame pointer, wherever it points; the function goes from one stack to another. */
export const RULE_KIND = { none: 0, register: 1, dereference: 2, plt: 3, signal: 4, end: 5, unsupported: 6, frame: 7 } as const;
export const RULE_FLAG = { callerSaved: 2, interrupted: 4 } as const;
export const UNCHANGED = 0xff;
/** In `returnWord`: the return address is not in the window but in the register whose slot the low four bits are. */
export const RETURN_IN_REGISTER = 0x80;
export const MAX_RULES = 65_536;
export const MAX_WINDOW_WORDS = 16;
/** Words of the second window follow those of the first. */
export const MAX_FRAME_WINDOW_WORDS = 8;

/** The state of one unwinding, which is also its answer. */
export const STATE = {
  pc: 0,
  adjust: 8,
  count: 16,
  hash: 24,
  status: 32,
  framePointerFrames: 40,
  moduleAddress: 48,
  firstRow: 56,
  rowCount: 64,
  rule: 72,
  cfa: 80,
  /** Not 0: the frame was interrupted, so that all registers are known. */
  interrupted: 88,
  mappingShard: 96,
  mappingFirst: 100,
  mappingCount: 104,
  tgid: 108,
  /** u32: number of the mappings that were used, the same for a process and its children until they change; 0 for none. */
  generation: 112,
  /** Where in the thread's stack the bytes of `STACK_PIECE` come from; 0: none were read yet; `NO_PIECE`: they could not be read. */
  piece: 120,
  registers: 128,
  window: 256,
  /** Bit per frame: the address is the next instruction itself, not a return address. */
  exact: 448,
  frames: 480,
  bytes: 480 + 256 * 8,
} as const;
/** Frames that a state has room for; the index is masked with it. */
export const FRAME_MASK = 255;
export const MAX_FRAMES = 255;

/**
 * Rules that were found last, behind each state: u64 address × 65,536 + number of the rule, u32 generation of the process's mappings; an address has
 * one place. The same frames come again and again, and finding a row takes most of a frame's time. Address and rule are one word, so that a program
 * that interrupts another never leaves a rule with another address.
 */
export const RULE_CACHE = { rule: 0, generation: 8, entryBytes: 16, entries: 1024 } as const;

/** Counters: one u64 a status, then these. */
export const COUNTERS = { frames: 16, framePointerFrames: 17, bytes: 256 } as const;

/** A piece of the thread's stack behind the cache, so that many frames need one reading; and room behind it that a masked index may reach. */
export const STACK_PIECE = { offset: STATE.bytes + RULE_CACHE.entries * RULE_CACHE.entryBytes, bytes: 1024, room: 1536 } as const;
export const NO_PIECE = 1;
const STATE_BYTES = STACK_PIECE.offset + STACK_PIECE.room;

/** Names of the maps, as programs refer to them. */
export const UNWIND_MAPS = {
  processes: 'unw_processes',
  mappings: 'unw_mappings',
  rows: 'unw_rows',
  rules: 'unw_rules',
  state: 'unw_state',
  counters: 'unw_counters',
} as const;

export interface UnwindMapOptions {
  /** Processes at once; default 4,096. */
  readonly maxProcesses?: number;
  /** Shards of 65,536 rows (512 KiB each, made when they are needed); default 1,024. */
  readonly maxRowShards?: number;
  /** Shards of 16,384 mappings (512 KiB each, made when they are needed); default 256. */
  readonly maxMappingShards?: number;
}

/** Inner maps of rows and of mappings: one value of 512 KiB that user space fills by writing to memory. */
export const SHARD_SPEC = {
  type: 'array',
  keyBytes: 4,
  valueBytes: ROWS_PER_SHARD * ROW_BYTES,
  maxEntries: 1,
  flags: MAP_FLAGS.mmapable,
} as const satisfies Omit<MapSpec, 'name' | 'entries'>;

/** The maps that a program with the unwinder in it needs. All but the state may be shared between programs. */
export function unwindMaps(options: UnwindMapOptions = {}): MapSpec[] {
  const shards = { type: 'arrayOfMaps', keyBytes: 4, valueBytes: 4, inner: SHARD_SPEC } as const;
  return [
    { name: UNWIND_MAPS.processes, type: 'hash', keyBytes: 4, valueBytes: PROCESS.bytes, maxEntries: options.maxProcesses ?? 4096 },
    { ...shards, name: UNWIND_MAPS.mappings, maxEntries: options.maxMappingShards ?? 256 },
    { ...shards, name: UNWIND_MAPS.rows, maxEntries: options.maxRowShards ?? 1024 },
    { name: UNWIND_MAPS.rules, type: 'array', keyBytes: 4, valueBytes: MAX_RULES * RULE.bytes, maxEntries: 1, flags: MAP_FLAGS.mmapable },
    { name: UNWIND_MAPS.state, type: 'perCpuArray', keyBytes: 4, valueBytes: STATE_BYTES, maxEntries: 1 },
    { name: UNWIND_MAPS.counters, type: 'perCpuArray', keyBytes: 4, valueBytes: COUNTERS.bytes, maxEntries: 1 },
  ];
}
