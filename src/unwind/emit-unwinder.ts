// The in-kernel unwinder: functions of a program that turn a thread's registers into the addresses of its frames.
//
// All state lies in a map, not on the stack: there the verifier sees unknown numbers and recognises a state it has seen, where on the stack it
// would follow every constant through every round. Searches have no branches, for the same reason.
import { assert } from '../base/index.ts';
import type { Assembler } from '../bpf/index.ts';
import type { FrameArchitecture } from '../dwarf/index.ts';
import { emitFrameStep } from './emit-frame-step.ts';
import { COUNTERS, MAX_FRAMES, PROCESS, REGISTER_SLOTS, STATE, UNWIND_MAPS } from './layout.ts';
import { UNWIND_STATUS } from './status.ts';

export interface UnwinderOptions {
  readonly architecture?: FrameArchitecture;
  /** 1–255; default 127. */
  readonly maxFrames?: number;
  /**
   * How frames are repeated. `loop-helper` (the default): bpf_loop, Linux 5.17. `bounded`: a loop that the verifier walks round by round, Linux
   * 5.3; then `maxFrames` is at most 127, at about 2,000 instructions a frame of the million that the verifier is willing to walk.
   */
  readonly repeat?: 'loop-helper' | 'bounded';
  /**
   * Where a thread's saved user registers come from when the kernel was interrupted, or in a tracepoint. `helper` (the default): bpf_task_pt_regs,
   * Linux 5.15. Else they are read from the kernel stack: `stackOffset` is the offset of `stack` in the kernel's `struct task_struct` (from BTF) and
   * `stackBytes` is the size of a kernel stack (16,384 on x86-64).
   */
  readonly taskRegisters?: 'helper' | { readonly stackOffset: number; readonly stackBytes: number };
  /**
   * Emits code that runs once a frame, innermost first, before its caller is looked for: r9 is the state and must be kept, r0–r8 are free, stack below
   * r10 - 24 too. The frame is number `STATE.count` - 1, its address is `STATE.pc`, its registers are at `findRegisterOffset`.
   */
  readonly onFrame?: (assembler: Assembler) => void;
}

/**
 * Where the state holds a register of the frame, by DWARF number; undefined for registers that are not followed. Those that calls do not preserve
 * are right only in the first frame, and in ones that a signal interrupted (`STATE.interrupted` is not 0).
 */
export function findRegisterOffset(architecture: FrameArchitecture, dwarf: number): number | undefined {
  const slot = REGISTER_SLOTS[architecture].dwarf.indexOf(dwarf);
  return slot < 0 ? undefined : STATE.registers + slot * 8;
}

/** Labels of the functions; all are called with `callFunction`, clobber r0–r5, and return a status (`UNWIND_STATUS`) in r0. */
export const UNWIND_FUNCTIONS = {
  /** r1 = context of a perf event, uprobe or kprobe: unwinds the user stack from its registers, or from the task's saved ones when it interrupted the kernel. */
  context: 'unwind_context',
  /** No argument: unwinds from the current task's saved user registers (tracepoints, and whatever runs in the kernel). */
  task: 'unwind_task',
} as const;

const RUN = 'unwind_run';
const STEP = 'unwind_step';
const MAX_BOUNDED_FRAMES = 127;

/** Where registers lie in the kernel's struct pt_regs, by DWARF number (arch/x86/include/uapi/asm/ptrace.h, arch/arm64/include/asm/ptrace.h). */
interface SavedRegisters {
  readonly pc: number;
  readonly bytes: number;
  readonly offsetOf: (dwarf: number) => number;
  /** Field whose low bits, and-ed with `modeMask`, tell the mode. */
  readonly mode: number;
  readonly modeMask: number;
  readonly userMode: number;
}

/** Words of x86-64's pt_regs by DWARF number 0–15. */
const X86_WORDS = [10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0];

const SAVED: Readonly<Record<FrameArchitecture, SavedRegisters>> = {
  'x86-64': { pc: 128, bytes: 168, offsetOf: (dwarf) => X86_WORDS[dwarf]! * 8, mode: 136, modeMask: 3, userMode: 3 },
  aarch64: { pc: 256, bytes: 336, offsetOf: (dwarf) => dwarf * 8, mode: 264, modeMask: 15, userMode: 0 },
};

/**
 * Emits the unwinder's functions after whatever the assembler holds; the program's main function must be complete (end with `exit`) and have been
 * begun with `function`. The object needs the maps of `unwindMaps`.
 *
 * @param entries which of `UNWIND_FUNCTIONS` to emit
 */
export function emitUnwinder(
  assembler: Assembler,
  entries: readonly (keyof typeof UNWIND_FUNCTIONS)[],
  options: UnwinderOptions = {},
): void {
  const architecture = options.architecture ?? 'x86-64';
  const repeat = options.repeat ?? 'loop-helper';
  const largest = repeat === 'bounded' ? MAX_BOUNDED_FRAMES : MAX_FRAMES;
  const maxFrames = options.maxFrames ?? Math.min(127, largest);
  assert(maxFrames >= 1 && maxFrames <= largest, `${maxFrames} frames asked of an unwinder that repeats by ${repeat}`);
  const taskRegisters = options.taskRegisters ?? 'helper';
  for (const entry of entries) emitEntry(assembler, entry, architecture, taskRegisters);
  emitRun(assembler, repeat, maxFrames);
  const emitStep = (done: string): void => {
    options.onFrame?.(assembler);
    emitFrameStep(assembler, architecture, maxFrames, done);
  };
  if (repeat === 'loop-helper') emitLoopCallback(assembler, emitStep);
  else emitStepFunction(assembler, emitStep, maxFrames);
}

/** Sets `register` to the state that the last call of an unwinder filled on this CPU, and jumps to `missing` if there is none (there always is). Clobbers r0–r5. */
export function emitLoadUnwindState(assembler: Assembler, register: 0 | 6 | 7 | 8 | 9, missing: string): void {
  emitMapValue(assembler, UNWIND_MAPS.state, missing);
  if (register !== 0) assembler.move(register, 0);
}

/** r0 = the first value of a map; uses four bytes of stack at r10 - 4. */
function emitMapValue(a: Assembler, map: string, missing: string): void {
  a.storeImm(4, 10, -4, 0).loadMap(1, map).move(2, 10).aluImm('add', 2, -4).call('map_lookup_elem').jumpIfImm('eq', 0, 0, missing);
}

type TaskRegisters = NonNullable<UnwinderOptions['taskRegisters']>;

function emitEntry(a: Assembler, entry: keyof typeof UNWIND_FUNCTIONS, architecture: FrameArchitecture, task: TaskRegisters): void {
  const saved = SAVED[architecture];
  const missing = a.newLabel('missing');
  const fromKernel = a.newLabel('kernel');
  const run = a.newLabel('run');
  a.function(UNWIND_FUNCTIONS[entry], entry === 'context' ? [{ name: 'context', type: 'pointer' }] : []);
  if (entry === 'context') a.move(6, 1);
  emitMapValue(a, UNWIND_MAPS.state, missing);
  a.move(9, 0);
  if (entry === 'context') {
    a.load(8, 1, 6, saved.mode).aluImm('and', 1, saved.modeMask).jumpIfImm('ne', 1, saved.userMode, fromKernel);
    emitCopyRegisters(a, architecture, 6);
    a.jump(run).label(fromKernel);
  }
  if (task === 'helper') {
    a.call('get_current_task_btf').move(1, 0).call('task_pt_regs').move(7, 0);
    emitCopyRegisters(a, architecture, 7);
  } else {
    emitReadFromKernelStack(a, architecture, task.stackOffset, task.stackBytes, missing);
  }
  a.label(run).callFunction(RUN).exit();
  a.label(missing).moveImm(0, UNWIND_STATUS.notRun).exit();
}

/** Copies the followed registers from struct pt_regs at register `from` to the state at r9. */
function emitCopyRegisters(a: Assembler, architecture: FrameArchitecture, from: 6 | 7 | 9, base = 0): void {
  const saved = SAVED[architecture];
  a.load(8, 1, from, base + saved.pc).store(8, 9, STATE.pc, 1);
  for (const [slot, dwarf] of REGISTER_SLOTS[architecture].dwarf.entries()) {
    a.load(8, 1, from, base + saved.offsetOf(dwarf)).store(8, 9, STATE.registers + slot * 8, 1);
  }
}

/** The saved user registers lie at the top of the kernel stack; they are read into the room for frames, which is free yet. */
function emitReadFromKernelStack(
  a: Assembler,
  architecture: FrameArchitecture,
  stackOffset: number,
  stackBytes: number,
  missing: string,
): void {
  const { bytes } = SAVED[architecture];
  a.call('get_current_task').move(3, 0).aluImm('add', 3, stackOffset);
  a.move(1, 10).aluImm('add', 1, -16).moveImm(2, 8).call('probe_read_kernel').jumpIfImm('ne', 0, 0, missing);
  a.load(8, 3, 10, -16).aluImm('add', 3, stackBytes - bytes);
  a.move(1, 9).aluImm('add', 1, STATE.frames).moveImm(2, bytes).call('probe_read_kernel').jumpIfImm('ne', 0, 0, missing);
  emitCopyRegisters(a, architecture, 9, STATE.frames);
}

/** Finds the process's table, then repeats steps until one says that it is done. */
function emitRun(a: Assembler, repeat: 'loop-helper' | 'bounded', maxFrames: number): void {
  const noProcess = a.newLabel('no_process');
  const kernelThread = a.newLabel('kernel_thread');
  const done = a.newLabel('done');
  const missing = a.newLabel('missing');
  a.function(RUN);
  emitMapValue(a, UNWIND_MAPS.state, missing);
  a.move(9, 0).load(8, 1, 9, STATE.pc).store(8, 9, STATE.frames, 1).store(8, 9, STATE.hash, 1);
  for (const field of [
    STATE.adjust,
    STATE.framePointerFrames,
    STATE.generation,
    STATE.piece,
    STATE.exact + 8,
    STATE.exact + 16,
    STATE.exact + 24,
  ])
    a.storeImm(8, 9, field, 0);
  for (const field of [STATE.count, STATE.interrupted, STATE.exact]) a.storeImm(8, 9, field, 1);
  a.storeImm(8, 9, STATE.status, UNWIND_STATUS.maxFrames);
  a.jumpIfImm('eq', 1, 0, kernelThread);
  a.call('get_current_pid_tgid').aluImm('rsh', 0, 32).store(4, 9, STATE.tgid, 0).store(4, 10, -4, 0);
  a.loadMap(1, UNWIND_MAPS.processes).move(2, 10).aluImm('add', 2, -4).call('map_lookup_elem').jumpIfImm('eq', 0, 0, noProcess);
  a.load(4, 1, 0, PROCESS.shard).store(4, 9, STATE.mappingShard, 1);
  a.load(4, 1, 0, PROCESS.first).store(4, 9, STATE.mappingFirst, 1);
  a.load(4, 1, 0, PROCESS.generation).store(4, 9, STATE.generation, 1);
  a.load(4, 1, 0, PROCESS.count).store(4, 9, STATE.mappingCount, 1).jumpIfImm('eq', 1, 0, noProcess);
  if (repeat === 'bounded') a.callFunction(STEP);
  else a.store(8, 10, -16, 9).moveImm(1, maxFrames).loadFunction(2, STEP).move(3, 10).aluImm('add', 3, -16).moveImm(4, 0).call('loop');
  a.jump(done);
  a.label(noProcess).storeImm(8, 9, STATE.status, UNWIND_STATUS.noProcess).jump(done);
  a.label(kernelThread).storeImm(8, 9, STATE.count, 0).storeImm(8, 9, STATE.status, UNWIND_STATUS.kernelThread);
  a.label(done);
  emitCount(a, missing);
  a.load(8, 0, 9, STATE.status).exit();
  a.label(missing).moveImm(0, UNWIND_STATUS.notRun).exit();
}

function emitCount(a: Assembler, missing: string): void {
  const add = (offset: number): Assembler => a.load(8, 3, 0, offset).alu('add', 3, 2).store(8, 0, offset, 3);
  emitMapValue(a, UNWIND_MAPS.counters, missing);
  a.load(8, 2, 9, STATE.count);
  add(COUNTERS.frames * 8);
  a.load(8, 2, 9, STATE.framePointerFrames);
  add(COUNTERS.framePointerFrames * 8);
  a.load(8, 1, 9, STATE.status).aluImm('and', 1, 15).aluImm('lsh', 1, 3).alu('add', 0, 1).moveImm(2, 1);
  add(0);
}

/** The callback of bpf_loop: (index, pointer to the pointer to the state) → 0 go on, 1 stop. */
function emitLoopCallback(a: Assembler, emitStep: (done: string) => void): void {
  const done = a.newLabel('step_done');
  a.function(STEP, [
    { name: 'index', type: 'u32' },
    { name: 'context', type: 'pointer' },
  ]);
  a.load(8, 9, 2, 0);
  emitStep(done);
  a.moveImm(0, 0).exit().label(done).moveImm(0, 1).exit();
}

/** The same as a loop of its own; the count of rounds lies on the stack, where the verifier sees that it ends. */
function emitStepFunction(a: Assembler, emitStep: (done: string) => void, maxFrames: number): void {
  const done = a.newLabel('step_done');
  const again = a.newLabel('again');
  a.function(STEP);
  emitMapValue(a, UNWIND_MAPS.state, done);
  a.move(9, 0).storeImm(8, 10, -16, 0).label(again);
  emitStep(done);
  a.load(8, 1, 10, -16).aluImm('add', 1, 1).store(8, 10, -16, 1).jumpIfImm('lt', 1, maxFrames, again);
  a.label(done).moveImm(0, 0).exit();
}
