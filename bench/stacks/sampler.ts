// Stacks by our unwinder: samples of chosen processes, each with its user stack.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Result } from '../../src/base/index.ts';
import { Assembler, type BpfObject } from '../../src/bpf/index.ts';
import { KernelObject, type RingReader } from '../../src/kernel/index.ts';
import { Symbolizer } from '../../src/symbols/index.ts';
import { openTarget, type Target } from '../../src/target/index.ts';
import {
  emitLoadUnwindState,
  emitUnwinder,
  readUnwoundStack,
  STATE,
  UNWIND_FUNCTIONS,
  unwindMaps,
  UnwindTables,
  type UnwoundStack,
} from '../../src/unwind/index.ts';
import { listProcessTree } from '../harness/index.ts';
import { isRooted } from './roots.ts';

const RING_BYTES = 16 << 20;
const LOOK_MS = 200;
/** Auxiliary vector entry of the program's first instruction, `_start` (include/uapi/linux/auxvec.h). */
const AT_ENTRY = 9;
/** `_start` is that long on every architecture. */
const START_BYTES = 64n;

/** What became of the samples of one load. */
export interface StackCounts {
  readonly samples: number;
  /** Stacks whose outermost frame is a thread's first function. */
  readonly complete: number;
  readonly frames: number;
  /** Why the others are not, with how many. */
  readonly others: ReadonlyMap<string, number>;
}

export interface SampleOptions {
  readonly hz: number;
  readonly milliseconds: number;
}

function must<T>(result: Result<T, string | { readonly message: string }>): T {
  if (result.ok) return result.value;
  throw new Error(typeof result.error === 'string' ? result.error : result.error.message);
}

/** Sends the unwinder's whole state for each sample of a process that is in `wanted`, its pid in place of the frame's CFA. */
function samplingObject(): BpfObject {
  const a = new Assembler();
  a.function('sample', [{ name: 'context', type: 'pointer' }]).move(6, 1);
  a.call('get_current_pid_tgid').aluImm('rsh', 0, 32).store(4, 10, -4, 0);
  a.loadMap(1, 'wanted').move(2, 10).aluImm('add', 2, -4).call('map_lookup_elem').jumpIfImm('eq', 0, 0, 'out');
  a.move(1, 6).callFunction(UNWIND_FUNCTIONS.context);
  emitLoadUnwindState(a, 7, 'out');
  a.loadMap(1, 'ring').move(2, 7).moveImm(3, STATE.bytes).moveImm(4, 0).call('ringbuf_output');
  a.label('out').moveImm(0, 0).exit();
  emitUnwinder(a, ['context'], { maxFrames: 255 });
  return {
    maps: [
      ...unwindMaps(),
      { name: 'wanted', type: 'hash', keyBytes: 4, valueBytes: 4, maxEntries: 1024 },
      { name: 'ring', type: 'ringBuffer', keyBytes: 0, valueBytes: 0, maxEntries: RING_BYTES },
    ],
    programs: [{ name: 'sample', type: 'perfEvent', ...a.assemble() }],
  };
}

/** Samples a process and its descendants. A stack counts as complete when the unwinder says so and its last frame is a known root. */
export async function sampleStacks(root: number, { hz, milliseconds }: SampleOptions): Promise<StackCounts> {
  const object = must(KernelObject.load(samplingObject()));
  const tables = must(UnwindTables.open(object));
  const ring = must(object.openRing('ring'));
  const targets = new Map<number, Target>();
  const stacks: { readonly pid: number; readonly stack: UnwoundStack }[] = [];
  try {
    follow(root, object, tables, targets);
    must(object.attachSampler('sample', { event: 'cpu-clock', frequency: hz }));
    for (let passed = 0; passed < milliseconds; passed += LOOK_MS) {
      await sleep(LOOK_MS);
      drain(ring, stacks);
      follow(root, object, tables, targets);
    }
    return countStacks(stacks, targets);
  } finally {
    for (const target of targets.values()) target.close();
    tables.close();
    await object.close();
  }
}

function follow(root: number, object: KernelObject, tables: UnwindTables, targets: Map<number, Target>): void {
  for (const target of targets.values()) tables.refresh(target);
  for (const pid of listProcessTree(root)) {
    if (targets.has(pid)) continue;
    const target = openTarget({ pid });
    if (!target.ok) continue; // ended in the meantime
    targets.set(pid, target.value);
    must(tables.addProcess(target.value));
    must(object.map('wanted').update(new Uint8Array(new Uint32Array([pid]).buffer), new Uint8Array(4)));
  }
}

function drain(ring: RingReader, stacks: { pid: number; stack: UnwoundStack }[]): void {
  ring.drain((bytes, offset, length) => {
    const state = bytes.slice(offset, offset + length);
    const stack = readUnwoundStack(state);
    if (stack.status !== 'kernelThread') stacks.push({ pid: new DataView(state.buffer).getUint32(STATE.tgid, true), stack });
  });
}

function countStacks(
  stacks: readonly { readonly pid: number; readonly stack: UnwoundStack }[],
  targets: ReadonlyMap<number, Target>,
): StackCounts {
  const symbolizers = new Map([...targets].map(([pid, target]) => [pid, Symbolizer.forTarget(target)]));
  const others = new Map<string, number>();
  let [complete, frames] = [0, 0];
  for (const { pid, stack } of stacks) {
    frames += stack.frames.length;
    const names = (address: bigint): string =>
      symbolizers
        .get(pid)
        ?.resolve(address - 1n)
        .at(-1)?.name ?? '';
    const reason = findFault(stack, targets.get(pid), names);
    if (reason === undefined) complete++;
    else others.set(reason, (others.get(reason) ?? 0) + 1);
  }
  return { samples: stacks.length, complete, frames, others };
}

/** Why a stack is not complete, with the function where it ends. */
function findFault(stack: UnwoundStack, target: Target | undefined, nameOf: (address: bigint) => string): string | undefined {
  const last = stack.frames.at(-1) ?? 0n;
  const entry = target?.auxv.get(AT_ENTRY);
  if (stack.status !== 'complete') return `${stack.status} at ${nameOf(last)}`;
  if (entry !== undefined && last >= entry && last < entry + START_BYTES) return undefined;
  return isRooted([nameOf(last)]) ? undefined : `ends at ${nameOf(last)}`;
}
