/** Probe points of the kernel's: the program type and the place that each takes, and how its hits are told apart. */
import type { Assembler, ProgramSpec, ProgramType } from '../../../bpf/index.ts';
import type { ProbePoint } from '../../ir/program.ts';
import { COUNTER_EVENTS, type CounterEvent } from '../../counter-events.ts';
import type { AttachPoint } from './ebpf-program.ts';
import { STACK } from './function-plan.ts';
import { PERF_ADDRESS, RETURN_REGISTER, SYSCALL_NUMBER } from './machine.ts';
import type { EbpfOptions } from './options.ts';
import type { ArgumentSource, UnitBody } from './program-context.ts';

/** What a point needs: equal keys share a program. */
export interface KernelPoint {
  readonly key: string;
  readonly type: ProgramType;
  readonly attach?: { readonly kind: ProgramSpec['attach']; readonly to: string };
  readonly point: AttachPoint;
  readonly argumentSource?: ArgumentSource;
  readonly guard?: UnitBody['guard'];
  /** Offset in the context of the task that the hit is about; the current one when absent. */
  readonly task?: number;
  readonly hasRegisters?: boolean;
  readonly hasRecord?: boolean;
}

const CLONE_THREAD = 0x10000;
/** `task_struct.__state` of a thread that has ended (include/linux/sched.h). */
const TASK_DEAD = 0x80;
/** `id` of a tracepoint whose record nobody described. */
const UNDESCRIBED = 0;

/** Why a point cannot be had; undefined when it can. */
export function findUnavailable(
  point: ProbePoint,
  { features }: EbpfOptions,
): { readonly code: string; readonly message: string; readonly hint: string } | undefined {
  if (point.kind === 'pmu' && !COUNTER_EVENTS.some((known) => known === point.event))
    return { code: 'counter', message: `there is no counter \`${point.event}\``, hint: `one of ${COUNTER_EVENTS.join(', ')}` };
  if (point.kind !== 'kfunc' || typeof features.kernelFunctions === 'string') return undefined;
  const { why, wayOut } = features.kernelFunctions;
  return { code: 'kernel-function', message: `the kernel's function \`${point.name}\` cannot be probed: ${why}`, hint: wayOut(point.name) };
}

/** The place of a point that `findUnavailable` has nothing against. */
export function toKernelPoint(point: ProbePoint, options: EbpfOptions): KernelPoint {
  switch (point.kind) {
    case 'profile':
      return { key: `clock ${point.hz}`, type: 'perfEvent', point: { kind: 'clock', hz: point.hz }, hasRegisters: true };
    case 'pmu':
      return counter(point.event as CounterEvent, point.period, options);
    case 'page-fault':
      return counter('page-faults', 1, options);
    case 'tracepoint':
      return toTracepoint(point.tracepoint);
    case 'kfunc':
      return toKernelFunction(point, options);
    case 'syscall':
      return toSyscall(point, options);
    case 'cpu':
      return toSwitch(point.direction, options);
    case 'life':
      return toLife(point.event, options);
    default:
      throw new Error(`a probe of the kind ${point.kind} is not the kernel's`);
  }
}

function raw(name: string): Pick<KernelPoint, 'key' | 'type' | 'point'> {
  return { key: `raw ${name}`, type: 'rawTracepoint', point: { kind: 'raw-tracepoint', name } };
}

/** The address that an event is about follows the registers and the period: struct bpf_perf_event_data. */
function counter(event: CounterEvent, period: number, { architecture }: EbpfOptions): KernelPoint {
  const argumentSource: ArgumentSource = { kind: 'context', offsets: [PERF_ADDRESS[architecture]] };
  return {
    key: `counter ${event} ${period}`,
    type: 'perfEvent',
    point: { kind: 'counter', event, period },
    argumentSource,
    hasRegisters: true,
  };
}

/** Where tracefs cannot be read, the place is known and the record is not. */
function toTracepoint({ category, name, id }: Extract<ProbePoint, { kind: 'tracepoint' }>['tracepoint']): KernelPoint {
  if (id === UNDESCRIBED) return raw(name);
  return { key: `tracepoint ${id}`, type: 'tracepoint', point: { kind: 'tracepoint', category, name, id }, hasRecord: true };
}

function toKernelFunction({ name, exit }: Extract<ProbePoint, { kind: 'kfunc' }>, { architecture, features }: EbpfOptions): KernelPoint {
  const key = `${exit ? 'return of' : 'entry of'} ${name}`;
  if (features.kernelFunctions === 'hook') {
    return {
      key,
      type: 'tracing',
      attach: { kind: exit ? 'traceExit' : 'traceEntry', to: name },
      point: { kind: 'kernel-hook', name },
      argumentSource: { kind: exit ? 'hook-return' : 'hook' },
    };
  }
  const argumentSource: ArgumentSource = exit ? { kind: 'return', offset: RETURN_REGISTER[architecture] } : { kind: 'function' };
  return { key, type: 'kprobe', point: { kind: 'kprobe', isReturn: exit, name }, argumentSource, hasRegisters: true };
}

/** sched_switch(preempt, prev, next, …): the thread that goes is still the current one. */
function toSwitch(direction: 'on' | 'off', { kernel }: EbpfOptions): KernelPoint {
  const at = raw('sched_switch');
  if (direction === 'on') return { ...at, key: `${at.key} next`, task: 16 };
  const { taskState } = kernel;
  if (taskState === undefined) return at;
  // The last switch of a thread that has ended: nothing waits from there on.
  const guard = (a: Assembler, skip: string): void => {
    a.load(8, 3, 6, 8).aluImm('add', 3, taskState).move(1, 10).aluImm('add', 1, STACK.a).moveImm(2, 4).call('probe_read_kernel');
    a.load(4, 0, 10, STACK.a).aluImm('and', 0, TASK_DEAD).jumpIfImm('ne', 0, 0, skip);
  };
  return { ...at, guard };
}

/** Where the six arguments, or the result, lie in the record of a system call's own tracepoint (struct syscall_trace_enter, kernel/trace/trace.h). */
const SYSCALL_RECORD = { arguments: [16, 24, 32, 40, 48, 56], result: 16 } as const;

/** One system call has a tracepoint of its own. The common one is hit by every call of the host, and tells them apart by number. */
function toSyscall(point: Extract<ProbePoint, { kind: 'syscall' }>, { architecture, features }: EbpfOptions): KernelPoint {
  const { numbers, all, exit, names } = point;
  const [only] = names;
  if (!all && names.length === 1 && only !== undefined && features.hasSyscallTracepoint?.(only) === true) {
    const name = `sys_${exit ? 'exit' : 'enter'}_${only}`;
    const argumentSource: ArgumentSource = exit
      ? { kind: 'return', offset: SYSCALL_RECORD.result }
      : { kind: 'context', offsets: SYSCALL_RECORD.arguments };
    return { key: name, type: 'tracepoint', point: { kind: 'tracepoint', category: 'syscalls', name, id: UNDESCRIBED }, argumentSource };
  }
  const guard = all
    ? undefined
    : (a: Assembler, skip: string): void => {
        if (exit) emitExitNumber(a, architecture, skip);
        else a.load(8, 0, 6, 8);
        const mine = a.newLabel('mine');
        for (const number of numbers) a.jumpIfImm('eq', 0, number, mine);
        a.jump(skip).label(mine);
      };
  const argumentSource: ArgumentSource = exit ? { kind: 'return', offset: 8 } : { kind: 'syscall' };
  return { ...raw(exit ? 'sys_exit' : 'sys_enter'), argumentSource, ...(guard === undefined ? {} : { guard }) };
}

/** r0 = number of the system call that ends: sys_exit has the registers and the result. */
function emitExitNumber(a: Assembler, architecture: EbpfOptions['architecture'], skip: string): void {
  const { offset, size } = SYSCALL_NUMBER[architecture];
  a.load(8, 3, 6, 0).aluImm('add', 3, offset).move(1, 10).aluImm('add', 1, STACK.a).moveImm(2, size).call('probe_read_kernel');
  a.jumpIfImm('ne', 0, 0, skip).load(size, 0, 10, STACK.a);
}

function toLife(event: Extract<ProbePoint, { kind: 'life' }>['event'], { features }: EbpfOptions): KernelPoint {
  // task_newtask(task, clone_flags)
  const newTask = (thread: boolean): KernelPoint => {
    const guard = (a: Assembler, skip: string): void => {
      a.load(8, 0, 6, 8)
        .aluImm('and', 0, CLONE_THREAD)
        .jumpIfImm(thread ? 'eq' : 'ne', 0, 0, skip);
    };
    return { ...raw('task_newtask'), argumentSource: { kind: 'new-thread' }, guard };
  };
  switch (event) {
    case 'exec':
      return raw('sched_process_exec');
    case 'fork':
      return newTask(false);
    case 'thread-start':
      return newTask(true);
    case 'thread-exit':
      return raw('sched_process_exit');
    case 'exit':
      return { ...raw('sched_process_exit'), guard: features.lastThreadTold ? whenLast : whenLeader };
  }
}

/** sched_process_exit(task, group_dead) since Linux 6.16. */
function whenLast(a: Assembler, skip: string): void {
  a.load(8, 0, 6, 8).aluImm('and', 0, 0xff).jumpIfImm('eq', 0, 0, skip);
}

/** Before that, the first thread's end stands for the process's: of several that end at once none can be seen to be the last. */
function whenLeader(a: Assembler, skip: string): void {
  a.call('get_current_pid_tgid').move(1, 0).aluImm('rsh', 1, 32).alu32('mov', 0, 0).jumpIf('ne', 0, 1, skip);
}
