/** Programs of the engine's own: they follow forks, and clear away what belongs to threads and processes that end. */
import { Assembler, type ProgramSpec } from '../../../bpf/index.ts';
import { CONTROL, type Attachment } from './ebpf-program.ts';
import { STACK } from './function-plan.ts';
import type { EbpfOptions } from './options.ts';
import { MAPS } from './storage-plan.ts';

interface OwnProgram {
  readonly spec: ProgramSpec;
  readonly attachment: Attachment;
}

const CLONE_THREAD = 0x10000;

function own(name: string, tracepoint: string, assembler: Assembler): OwnProgram {
  const spec: ProgramSpec = { name, type: 'rawTracepoint', ...assembler.assemble() };
  return { spec, attachment: { program: name, probes: [], point: { kind: 'raw-tracepoint', name: tracepoint } } };
}

/** r2 = address of what lies at `offset` of the stack. */
function pointTo(a: Assembler, register: 2 | 3, offset: number): Assembler {
  return a.move(register, 10).aluImm('add', register, offset);
}

/** task_newtask(task, clone_flags): a process of the target gets a child, which belongs to it. Undefined when nothing is to be followed. */
export function followForks({ filter, kernel }: EbpfOptions): OwnProgram | undefined {
  if (filter.kind !== 'pid' || !filter.follow || kernel.taskTgid === undefined) return undefined;
  const a = new Assembler();
  const [inside, out] = [a.newLabel('inside'), a.newLabel('out')];
  a.move(6, 1).load(8, 0, 6, 8).aluImm('and', 0, CLONE_THREAD).jumpIfImm('ne', 0, 0, out);
  a.call('get_current_pid_tgid')
    .aluImm('rsh', 0, 32)
    .loadMapValue(7, MAPS.control)
    .load(4, 2, 7, CONTROL.firstTarget)
    .jumpIf('eq', 0, 2, inside);
  a.store(4, 10, STACK.a, 0);
  pointTo(a, 2, STACK.a).loadMap(1, MAPS.targets).call('map_lookup_elem').jumpIfImm('eq', 0, 0, out);
  a.label(inside).load(8, 3, 6, 0).aluImm('add', 3, kernel.taskTgid).move(1, 10).aluImm('add', 1, STACK.a).moveImm(2, 4);
  a.call('probe_read_kernel').jumpIfImm('ne', 0, 0, out).storeImm(8, 10, STACK.b, 1);
  pointTo(a, 2, STACK.a);
  pointTo(a, 3, STACK.b).loadMap(1, MAPS.targets).moveImm(4, 0).call('map_update_elem').jumpIfImm('ne', 0, 0, out);
  a.moveImm(1, 1).atomic('add', 4, 7, CONTROL.otherTargets, 1);
  a.label(out).moveImm(0, 0).exit();
  return own('follow_forks', 'task_newtask', a);
}

/**
 * sched_process_exit: forgets the thread's variables, and with the last thread the process, whose number another may get. Without the
 * kernel's types a process stays in the target. Undefined when nothing is to be forgotten.
 */
export function forgetEnded({ filter, kernel, features }: EbpfOptions, hasThreadVariables: boolean): OwnProgram | undefined {
  const { taskSignal, signalLive } = kernel;
  const seesLast = features.lastThreadTold || (taskSignal !== undefined && signalLive !== undefined);
  const forgetsProcesses = filter.kind === 'pid' && seesLast;
  if (!hasThreadVariables && !forgetsProcesses) return undefined;
  const a = new Assembler();
  const out = a.newLabel('out');
  a.move(6, 1).call('get_current_pid_tgid').move(7, 0).store(4, 10, STACK.a, 0);
  if (hasThreadVariables) pointTo(a, 2, STACK.a).loadMap(1, MAPS.threads).call('map_delete_elem');
  if (forgetsProcesses) {
    if (features.lastThreadTold) a.load(8, 0, 6, 8).aluImm('and', 0, 0xff).jumpIfImm('eq', 0, 0, out);
    else emitUnlessLast(a, { taskSignal: taskSignal ?? 0, signalLive: signalLive ?? 0 }, out);
    a.aluImm('rsh', 7, 32).store(4, 10, STACK.a, 7);
    pointTo(a, 2, STACK.a).loadMap(1, MAPS.targets).call('map_delete_elem');
    a.loadMapValue(1, MAPS.control, CONTROL.firstTarget).load(4, 2, 1).jumpIf('ne', 2, 7, out).storeImm(4, 1, 0, 0);
  }
  a.label(out).moveImm(0, 0).exit();
  return own('forget_ended', 'sched_process_exit', a);
}

/** Jumps to `out` while threads of the process live. Of two that end at once, both may look like the last. */
function emitUnlessLast(a: Assembler, at: { readonly taskSignal: number; readonly signalLive: number }, out: string): void {
  const readInto = (offset: number, bytes: number): void => {
    a.aluImm('add', 3, offset).move(1, 10).aluImm('add', 1, STACK.b).moveImm(2, bytes).call('probe_read_kernel').jumpIfImm('ne', 0, 0, out);
  };
  a.load(8, 3, 6, 0);
  readInto(at.taskSignal, 8);
  a.load(8, 3, 10, STACK.b);
  readInto(at.signalLive, 4);
  a.load(4, 0, 10, STACK.b).jumpIfImm('ne', 0, 0, out);
}
