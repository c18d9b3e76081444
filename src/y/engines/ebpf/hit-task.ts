/**
 * Who a hit is about. Nearly always the current thread, which helpers know. Where the kernel announces a thread that is not
 * the current one yet (`_cpu.on`), its facts are read from the task that the tracepoint names; its memory and stack are out of reach.
 */
import type { Assembler } from '../../../bpf/index.ts';
import type { Instruction, SourcePlace } from '../../ir/program.ts';
import { STACK } from './function-plan.ts';
import type { EbpfOptions, KernelOffsets } from './options.ts';

/** Offset in the context of a pointer to the task; undefined: the current one. */
export type HitTask = number | undefined;

/** Fields that lead from a task to what is wanted. */
export const TASK_PATHS = {
  cgroup: ['taskCgroups', 'cgroupSetDefault', 'cgroupNode', 'nodeId'],
  parent: ['taskRealParent', 'taskTgid'],
  processGroup: ['taskSignal', 'signalProcessGroup', 'pidNumber'],
  threadPointer: ['taskThreadPointer'],
  uid: ['taskCredentials', 'credentialsUid'],
  gid: ['taskCredentials', 'credentialsGid'],
} as const satisfies Readonly<Record<string, readonly (keyof KernelOffsets)[]>>;

/** r3 = the task. r6 is the context; r0–r5 are lost. */
export function emitTask(a: Assembler, task: HitTask): void {
  if (task === undefined) a.call('get_current_task').move(3, 0);
  else a.load(8, 3, 6, task);
}

/** r0 = process id in the upper half, thread id in the lower. `STACK.a` and r1–r5 are lost. */
export function emitProcessAndThread(a: Assembler, task: HitTask, { taskPid = 0, taskTgid = 0 }: KernelOffsets): void {
  if (task === undefined) {
    a.call('get_current_pid_tgid');
    return;
  }
  const read = (offset: number, bytes: 4 | 8, to: number): void => {
    a.load(8, 3, 6, task).aluImm('add', 3, offset).move(1, 10).aluImm('add', 1, to).moveImm(2, bytes).call('probe_read_kernel');
  };
  // The two lie side by side unless the kernel's structs were shuffled.
  if (taskTgid === taskPid + 4) read(taskPid, 8, STACK.a);
  else {
    read(taskPid, 4, STACK.a);
    read(taskTgid, 4, STACK.a + 4);
  }
  a.load(8, 0, 10, STACK.a);
}

/** r0 = the control group's id. `STACK.a` and r1–r5 are lost. */
export function emitControlGroup(a: Assembler, task: HitTask, kernel: KernelOffsets): void {
  if (task === undefined) {
    a.call('get_current_cgroup_id');
    return;
  }
  emitTask(a, task);
  for (const name of TASK_PATHS.cgroup) {
    a.aluImm('add', 3, kernel[name] ?? 0)
      .move(1, 10)
      .aluImm('add', 1, STACK.a)
      .moveImm(2, 8)
      .call('probe_read_kernel');
    a.load(8, 3, 10, STACK.a);
  }
  a.move(0, 3);
}

/** What cannot be had in a hit about another thread than the current one. */
export function findOutOfReach(
  { filter, kernel }: EbpfOptions,
  instructions: readonly Instruction[],
): { readonly message: string; readonly place: SourcePlace | undefined; readonly hint: string } | undefined {
  const filterPath = filter.kind === 'cgroup' ? TASK_PATHS.cgroup : [];
  const missing = (['taskPid', 'taskTgid', ...filterPath] as const).find((name) => kernel[name] === undefined);
  if (missing !== undefined) {
    const message = `a thread that gets a CPU is known only by the kernel's types (${missing})`;
    return { message, place: undefined, hint: 'a kernel with BTF: /sys/kernel/btf/vmlinux; or use _cpu.off' };
  }
  const hint = 'take it at _cpu.off, when the thread loses the CPU, and keep it in a _thread variable';
  for (const instruction of instructions) {
    if (instruction.op === 'stack')
      return {
        message: 'the thread that gets the CPU is not the current one yet: its stack cannot be walked',
        place: instruction.at,
        hint,
      };
    if ('space' in instruction && instruction.space === 'user')
      return {
        message: "the thread that gets the CPU is not the current one yet: the target's memory cannot be read",
        place: instruction.at,
        hint,
      };
    if (instruction.op === 'builtin' && instruction.name === 'nspid')
      return { message: '_nspid() is not known of a thread that is not the current one', place: instruction.at, hint: 'use _pid()' };
  }
  return undefined;
}
