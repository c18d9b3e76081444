/**
 * User stacks of hit probes: the in-kernel unwinder walks them, and each different one is kept once, under its id: once for a process
 * and all children that have the same mappings, so that many short-lived children fill nothing.
 *
 * A process of which the unwinder knows nothing, or whose code lies in no mapping that it knows, is noted (`y_ustack_ask`), so that
 * user space opens and refreshes only processes that are met. Children inherit their parent's tables inside the kernel.
 */
import { ok, type Result } from '../base/index.ts';
import { MAP_FLAGS, type Assembler, type BpfObject, type MapSpec, type ProgramType } from '../bpf/index.ts';
import type { KernelError, KernelObject } from '../kernel/index.ts';
import {
  emitLoadUnwindState,
  emitUnwinder,
  processPrograms,
  readUnwoundStack,
  STATE,
  UNWIND_FUNCTIONS,
  UNWIND_STATUS,
  unwindMaps,
  type ProcessProgram,
  type ProcessProgramOffsets,
  type UnwinderOptions,
  type UnwoundStack,
} from '../unwind/index.ts';
import type { StackEmitter } from '../y/index.ts';
import { toKey, toView } from './counters.ts';

/** The map of taken stacks. */
const USER_STACKS = 'y_ustacks';
const NUMBERS = 'y_ustack_ids';
const ASKED = 'y_ustack_ask';
const PARENTS = 'y_ustack_kin';
const MAX_ASKED = 1024;
const MAX_PARENTS = 16_384;
const FUNCTION = 'y_user_stack';
const MAX_FRAMES = 127;
/** What is kept of a stack: the unwinder's state from `count` on, to the last frame. */
const FIRST_BYTE = STATE.count;
const KEPT_BYTES = STATE.frames + MAX_FRAMES * 8 - FIRST_BYTE;
/** A field of the state that nobody reads any more: the stack's number goes there. */
const NUMBER = STATE.cfa;
/** An odd number with bits everywhere (2^64 divided by the golden ratio): spreads the mappings' number over the hash. */
const SPREAD = 0x9e3779b97f4a7c15n;
const BPF_NOEXIST = 1;

/** Program types whose context is the interrupted thread's registers. */
const WITH_REGISTERS = new Set<ProgramType>(['kprobe', 'perfEvent']);

/** A stack of a process; `pid` is the first that it was seen of. */
export interface KeptStack extends UnwoundStack {
  readonly pid: number;
}

/** Emits the taking of a stack. Stacks are numbered from 1 as they are first seen. */
export class UnwoundStacks implements StackEmitter {
  readonly maps: readonly MapSpec[];
  /** Our own function's frame, the unwinder's, and its callback's. */
  readonly stackBytes = 128;
  readonly callDepth = 3;
  readonly #options: UnwinderOptions;

  /** @param stacks different ones that are kept; a further one is lost, and counted by the engine */
  constructor(stacks: number, options: UnwinderOptions) {
    this.#options = { ...options, maxFrames: MAX_FRAMES };
    this.maps = [
      ...unwindMaps(),
      { name: USER_STACKS, type: 'hash', keyBytes: 8, valueBytes: KEPT_BYTES, maxEntries: stacks, flags: MAP_FLAGS.noPreallocate },
      { name: NUMBERS, type: 'array', keyBytes: 4, valueBytes: 8, maxEntries: 1 },
      { name: ASKED, type: 'hash', keyBytes: 4, valueBytes: 4, maxEntries: MAX_ASKED },
      { name: PARENTS, type: 'lruHash', keyBytes: 4, valueBytes: 4, maxEntries: MAX_PARENTS },
    ];
  }

  emitUserStack(assembler: Assembler): void {
    assembler.move(1, 6).callFunction(FUNCTION);
  }

  emitFunctions(a: Assembler, programType: ProgramType): void {
    const entry = WITH_REGISTERS.has(programType) ? 'context' : 'task';
    const [none, number, known, ask] = ['none', 'number', 'known', 'ask'].map((name) => a.newLabel(name)) as [
      string,
      string,
      string,
      string,
    ];
    a.function(FUNCTION, [{ name: 'context', type: 'pointer' }]).callFunction(UNWIND_FUNCTIONS[entry]);
    emitLoadUnwindState(a, 6, none);
    a.load(4, 1, 6, STATE.status).jumpIfImm('eq', 1, UNWIND_STATUS.noProcess, ask).jumpIfImm('ne', 1, UNWIND_STATUS.unmapped, known);
    a.label(ask).store(4, 10, -24, 1).load(4, 1, 6, STATE.tgid).store(4, 10, -20, 1);
    a.loadMap(1, ASKED).move(2, 10).aluImm('add', 2, -20).move(3, 10).aluImm('add', 3, -24).moveImm(4, 0).call('map_update_elem');
    a.label(known);
    a.load(8, 1, 6, STATE.count).jumpIfImm('eq', 1, 0, none);
    const spread = a.newLabel('spread');
    a.load(4, 1, 6, STATE.generation).jumpIfImm('ne', 1, 0, spread).load(4, 1, 6, STATE.tgid).aluImm('lsh', 1, 32);
    a.label(spread).loadImm64(2, SPREAD).alu('mul', 1, 2).load(8, 2, 6, STATE.hash).alu('xor', 2, 1).store(8, 10, -16, 2);
    emitFind(a).jumpIfImm('ne', 0, 0, number);
    a.loadMapValue(1, NUMBERS).moveImm(2, 1).atomic('fetchAdd', 8, 1, 0, 2).aluImm('add', 2, 1).store(8, 6, NUMBER, 2);
    a.loadMap(1, USER_STACKS).move(2, 10).aluImm('add', 2, -16).move(3, 6).aluImm('add', 3, FIRST_BYTE);
    a.moveImm(4, BPF_NOEXIST).call('map_update_elem');
    // Another CPU may have been quicker (-EEXIST): then its number counts.
    emitFind(a).jumpIfImm('eq', 0, 0, none);
    a.label(number)
      .load(4, 0, 0, NUMBER - FIRST_BYTE)
      .exit();
    a.label(none).moveImm(0, 0).exit();
    emitUnwinder(a, [entry], this.#options);
  }
}

/** r0 = the stack whose key lies at r10 - 16, or 0. */
function emitFind(a: Assembler): Assembler {
  return a.loadMap(1, USER_STACKS).move(2, 10).aluImm('add', 2, -16).call('map_lookup_elem');
}

/** The programs that follow forks, execs and exits for the unwinder; none where the kernel's types are not known. */
export function tableFollowers(offsets: Partial<ProcessProgramOffsets>): readonly ProcessProgram[] {
  const { taskTgid, taskSignal, signalLive } = offsets;
  if (taskTgid === undefined || taskSignal === undefined || signalLive === undefined) return [];
  return processPrograms({ taskTgid, taskSignal, signalLive }, { parents: PARENTS, unknown: ASKED });
}

/** Whether an object takes user stacks in this way. */
export function takesUserStacks(object: BpfObject): boolean {
  return object.maps.some(({ name }) => name === USER_STACKS);
}

/** What the kernel's side of user stacks holds. */
export class StackMaps {
  readonly #object: KernelObject;

  constructor(object: KernelObject) {
    this.#object = object;
  }

  /** Processes whose tables are missing or old, since the last call. */
  takeAsked(): readonly { readonly pid: number; readonly isMissing: boolean }[] {
    const items = this.#object.map(ASKED).takeEntries();
    if (!items.ok) return [];
    return items.value.map(({ key, value }) => ({
      pid: toView(key).getUint32(0, true),
      isMissing: toView(value).getUint32(0, true) === UNWIND_STATUS.noProcess,
    }));
  }

  /** Parent of a process that was forked from one in the tables, as long as that is remembered. */
  parentOf(pid: number): number | undefined {
    const value = this.#object.map(PARENTS).lookup(toKey(pid));
    return value.ok && value.value !== undefined ? toView(value.value).getUint32(0, true) : undefined;
  }

  /** How many stacks have been numbered: a later one has a greater number. */
  get count(): number {
    const value = this.#object.map(NUMBERS).lookup(toKey(0));
    return value.ok && value.value !== undefined ? Number(toView(value.value).getBigUint64(0, true)) : 0;
  }

  /** All stacks that were taken, by number. */
  read(): Result<ReadonlyMap<number, KeptStack>, KernelError> {
    const items = this.#object.map(USER_STACKS).entries({ chunk: 256 });
    if (!items.ok) return items;
    return ok(
      new Map(
        items.value.map(({ value }) => {
          const state = new Uint8Array(FIRST_BYTE + KEPT_BYTES);
          state.set(value, FIRST_BYTE);
          const view = toView(state);
          return [view.getUint32(NUMBER, true), { ...readUnwoundStack(state), pid: view.getUint32(STATE.tgid, true) }];
        }),
      ),
    );
  }
}
