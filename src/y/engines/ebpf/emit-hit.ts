/** Reads of memory, and what a hit is about: process, time, arguments, registers, backtraces. */
import type { AccessSize, Register } from '../../../bpf/index.ts';
import type { UsdtOperand } from '../../knowledge.ts';
import type { Instruction, Space, TextBuiltin } from '../../ir/program.ts';
import { CONTROL, TEXT_HEADER_BYTES } from './ebpf-program.ts';
import { chunksOf, emitCount, textEnd, type Emitter, type TextAt } from './emitter.ts';
import { emitAtMost, emitCopy, emitCountBytes, emitZero } from './emit-text.ts';
import { STACK } from './function-plan.ts';
import { emitTask, TASK_PATHS } from './hit-task.ts';
import { ARGUMENT_REGISTERS, findRegister, STACK_ARGUMENTS, SYSCALL_REGISTERS } from './machine.ts';
import type { KernelOffsets } from './options.ts';
import { MAPS } from './storage-plan.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;

const BPF_F_USER_STACK = 1 << 8;
const COMM_BYTES = 16;
const EFAULT = -14;
const BTF_HINT = 'a kernel with BTF: /sys/kernel/btf/vmlinux';

/** Reads `size` bytes at r3 into `STACK.a`; jumps to `failed` when it cannot. */
function emitReadWord(e: Emitter, space: Space, size: AccessSize, failed: string): void {
  e.a.move(1, 10).aluImm('add', 1, STACK.a).moveImm(2, size);
  e.a.call(space === 'user' ? 'probe_read_user' : 'probe_read_kernel').jumpIfImm('ne', 0, 0, failed);
}

export function emitRead(e: Emitter, { to, space, address, offset, size, signed, onFail }: Of<'read'>): void {
  e.load(3, address);
  emitAddConstant(e, 3, BigInt(offset));
  emitReadWord(e, space, size, e.failureOf(onFail, 'failed-read'));
  const register = e.target(to, 0);
  e.a.load(size, register, 10, STACK.a);
  e.extend(register, size, signed);
  e.store(to, register);
}

function emitAddConstant(e: Emitter, register: Register, value: bigint): void {
  if (value === 0n) return;
  if (value >= -(2n ** 31n) && value < 2n ** 31n) {
    e.a.aluImm('add', register, Number(value));
    return;
  }
  e.loadConstant(0, value);
  e.a.alu('add', register, 0);
}

const PAGE = 4096;
const MOST_PAGES = 16;

/** One byte of each page, and the last one; of more than 16 pages, the first 16 and the last byte. */
export function emitValid(e: Emitter, { to, space, address, size }: Of<'valid'>): void {
  const { a } = e;
  const [bad, last, done] = [a.newLabel('bad'), a.newLabel('last'), a.newLabel('done')];
  for (let page = 0; page < MOST_PAGES; page++) {
    e.load(0, size);
    a.jumpIfImm('le', 0, page * PAGE, last);
    e.load(3, address);
    a.aluImm('add', 3, page * PAGE);
    emitReadWord(e, space, 1, bad);
  }
  e.load(0, size);
  a.label(last).jumpIfImm('eq', 0, 0, done);
  e.load(3, address);
  a.alu('add', 3, 0).aluImm('sub', 3, 1);
  emitReadWord(e, space, 1, bad);
  const good = a.newLabel('good');
  a.label(done).moveImm(0, 1).jump(good).label(bad).moveImm(0, 0).label(good);
  e.store(to, 0);
}

export function emitBuiltin(e: Emitter, { to, name, at }: Of<'builtin'>): void {
  const { a } = e;
  const isCurrent = e.unit.request.task === undefined;
  const shiftRight = (bits: number, _emitted: unknown): unknown => a.aluImm('rsh', 0, bits);
  const low = (_emitted: unknown): unknown => a.alu32('mov', 0, 0);
  const since = (divisor: number): unknown => a.call('ktime_get_ns').aluImm('div', 0, divisor);
  const emitters: Readonly<Record<typeof name, () => unknown>> = {
    pid: () => shiftRight(32, e.emitProcessAndThread()),
    tid: () => low(e.emitProcessAndThread()),
    uid: () => (isCurrent ? low(a.call('get_current_uid_gid')) : emitTaskPath(e, TASK_PATHS.uid, 4, at)),
    gid: () => (isCurrent ? shiftRight(32, a.call('get_current_uid_gid')) : emitTaskPath(e, TASK_PATHS.gid, 4, at)),
    cpu: () => a.call('get_smp_processor_id'),
    cgroup: () => (isCurrent ? a.call('get_current_cgroup_id') : emitTaskPath(e, TASK_PATHS.cgroup, 8, at)),
    'now-ns': () => a.call('ktime_get_ns'),
    'now-us': () => since(1000),
    'now-ms': () => since(1_000_000),
    'now-s': () => since(1_000_000_000),
    'wall-ns': () => a.call('ktime_get_ns').loadMapValue(1, MAPS.control, CONTROL.wallOffset).load(8, 1, 1).alu('add', 0, 1),
    random: () => {
      a.call('get_prandom_u32').aluImm('lsh', 0, 32).store(8, 10, STACK.a, 0);
      a.call('get_prandom_u32').alu32('mov', 0, 0).load(8, 1, 10, STACK.a).alu('or', 0, 1);
    },
    nspid: () => emitNamespacePid(e, at),
    ppid: () => emitTaskPath(e, TASK_PATHS.parent, 4, at),
    pgid: () => emitTaskPath(e, TASK_PATHS.processGroup, 4, at),
    'thread-pointer': () => emitTaskPath(e, TASK_PATHS.threadPointer, 8, at),
  };
  emitters[name]();
  e.store(to, 0);
}

/** r0 = what lies at the end of a chain of pointers that begins at the task that the hit is about. */
function emitTaskPath(e: Emitter, path: readonly (keyof KernelOffsets)[], size: 4 | 8, at: Instruction['at']): void {
  const { a } = e;
  emitTask(a, e.unit.request.task);
  for (const [index, name] of path.entries()) {
    const offset = e.unit.options.kernel[name];
    if (offset === undefined) e.diagnose('kernel-type', `this needs the kernel's types (${name})`, at, BTF_HINT);
    const bytes = index === path.length - 1 ? size : 8;
    a.aluImm('add', 3, offset ?? 0);
    emitReadWord(e, 'kernel', bytes, e.failure('failed-read'));
    a.load(bytes, 3, 10, STACK.a);
  }
  a.move(0, 3);
}

function emitNamespacePid(e: Emitter, at: Instruction['at']): void {
  const { a } = e;
  const { pidNamespace } = e.unit.options;
  if (pidNamespace === undefined) e.diagnose('pid-namespace', 'the target has no pid namespace of its own to count in', at, 'use _pid()');
  e.loadConstant(1, pidNamespace?.device ?? 0n);
  e.loadConstant(2, pidNamespace?.inode ?? 0n);
  // struct bpf_pidns_info: the thread's and the process's number.
  a.move(3, 10).aluImm('add', 3, STACK.a).moveImm(4, 8).call('get_ns_current_pid_tgid');
  a.jumpIfImm('ne', 0, 0, e.failure('failed-read')).load(4, 0, 10, STACK.a + 4);
}

/** Texts that no helper gives, and what to take in their place. */
const UNKNOWN_TEXTS: Readonly<Record<Exclude<TextBuiltin, 'comm' | 'probe-function'>, readonly [shown: string, hint: string]>> = {
  exe: ['_exe()', 'use _comm(), or _pid() and /proc/PID/exe'],
  container: ['_container()', 'use _cgroup(): the number of the control group, which is the inode of its folder below /sys/fs/cgroup'],
  'trace-id': ['_trace_id()', 'use _tid()'],
};

export function emitBuiltinText(e: Emitter, { to, name, at }: Of<'builtin-text'>): void {
  if (name === 'probe-function') return emitProbeFunction(e, to);
  if (name !== 'comm') {
    const [shown, hint] = UNKNOWN_TEXTS[name];
    return e.diagnose('kernel-text', `${shown} is not known inside the kernel`, at, hint);
  }
  const direct = 'local' in to && e.body.texts[to.local]! >= COMM_BYTES;
  const text = direct ? e.text(to) : e.unit.scratchText(COMM_BYTES, 2);
  emitCommBytes(e, text, at);
  const base = e.base(text.place, 8, 1);
  e.a.storeImm(8, base.register, base.offset, 0);
  emitCountBytes(e, text);
  emitZero(e, text.place, TEXT_HEADER_BYTES + COMM_BYTES, textEnd(text.capacity));
  if (!direct) emitCopy(e, e.writableText(to), text);
}

function emitCommBytes(e: Emitter, text: TextAt, at: Instruction['at']): void {
  const { request, options } = e.unit;
  if (request.task === undefined) {
    e.address(1, text.place, TEXT_HEADER_BYTES);
    e.a.moveImm(2, COMM_BYTES).call('get_current_comm');
    return;
  }
  const { taskComm } = options.kernel;
  if (taskComm === undefined) e.diagnose('kernel-type', "this needs the kernel's types (taskComm)", at, BTF_HINT);
  emitZero(e, text.place, TEXT_HEADER_BYTES, TEXT_HEADER_BYTES + COMM_BYTES);
  emitTask(e.a, request.task);
  e.a.aluImm('add', 3, taskComm ?? 0);
  e.address(1, text.place, TEXT_HEADER_BYTES);
  e.a.moveImm(2, COMM_BYTES).call('probe_read_kernel_str').jumpIfImm('slt', 0, 0, e.failure('failed-read'));
}

/** By the site's variant: the literal with its function's name. */
function emitProbeFunction(e: Emitter, to: Of<'builtin-text'>['to']): void {
  const { a } = e;
  const names = e.probeBody?.functionNames ?? [''];
  const done = a.newLabel('done');
  const cases = names.map((name) => ({ name, label: a.newLabel('name') }));
  e.unit.emitVariantSwitch(cases.map(({ label }) => label));
  for (const { name, label } of cases) {
    a.label(label);
    const { offset, length } = e.unit.addConstantText(name);
    emitCopy(e, e.writableText(to), { place: { kind: 'map', map: e.unit.namesMap, offset }, capacity: length });
    a.jump(done);
  }
  a.label(done);
}

/** Entry arguments, by the kind of place that the probe is at. */
export function emitArgument(e: Emitter, { to, index, at }: Of<'argument'>): void {
  const { a } = e;
  const source = e.probeBody?.argumentSource;
  const { architecture } = e.unit.options;
  if (source?.kind === 'usdt') return emitUsdtArgument(e, to, index, at);
  if (source?.kind === 'function') {
    const registers = ARGUMENT_REGISTERS[architecture];
    const offset = registers[index];
    if (offset !== undefined) a.load(8, 0, 6, offset);
    else {
      const { stackPointer, first } = STACK_ARGUMENTS[architecture];
      a.load(8, 3, 6, stackPointer).aluImm('add', 3, first + 8 * (index - registers.length));
      emitReadWord(e, e.unit.request.kernelCode ? 'kernel' : 'user', 8, e.failure('failed-read'));
      a.load(8, 0, 10, STACK.a);
    }
  } else if (source?.kind === 'syscall') {
    const offset = SYSCALL_REGISTERS[architecture][index];
    if (offset === undefined) return e.diagnose('argument', `a system call has no argument ${index + 1}`, at);
    a.load(8, 3, 6, 0).aluImm('add', 3, offset);
    emitReadWord(e, 'kernel', 8, e.failure('failed-read'));
    a.load(8, 0, 10, STACK.a);
  } else if (source?.kind === 'context' && source.offsets[index] !== undefined) a.load(8, 0, 6, source.offsets[index]);
  else if (source?.kind === 'hook') {
    a.moveImm(2, index);
    emitHooked(e, 3, 'get_func_arg');
  } else if (source?.kind === 'new-thread' && index === 0) {
    const offset = e.unit.options.kernel.taskPid;
    if (offset === undefined) e.diagnose('kernel-type', "this needs the kernel's types (taskPid)", at, BTF_HINT);
    a.load(8, 3, 6, 0).aluImm('add', 3, offset ?? 0);
    emitReadWord(e, 'kernel', 4, e.failure('failed-read'));
    a.load(4, 0, 10, STACK.a);
  } else {
    e.diagnose('argument', 'this kind of probe has no arguments', at, 'take them at the entry, and keep them in a _thread variable');
    return;
  }
  e.store(to, 0);
}

/** Each variant of the sites has its own operand; equal ones share code. */
function emitUsdtArgument(e: Emitter, to: number, index: number, at: Instruction['at']): void {
  const { a } = e;
  const source = e.probeBody?.argumentSource;
  if (source?.kind !== 'usdt') return;
  const done = a.newLabel('done');
  const operands = source.variants.map((variant) => variant[index]);
  const labels = new Map<string, { readonly label: string; readonly operand: UsdtOperand | undefined }>();
  const keyOf = (operand: UsdtOperand | undefined): string =>
    JSON.stringify(operand, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  for (const operand of operands) {
    if (operand === undefined) e.diagnose('argument', `the static probe has no argument ${index + 1} at some of its places`, at);
    const key = keyOf(operand);
    if (!labels.has(key)) labels.set(key, { label: a.newLabel('operand'), operand });
  }
  if (labels.size > 1) e.unit.emitVariantSwitch(operands.map((operand) => labels.get(keyOf(operand))!.label));
  for (const { label, operand } of labels.values()) {
    a.label(label);
    if (operand !== undefined) emitOperand(e, operand, at);
    a.jump(done);
  }
  a.label(done);
  e.store(to, 0);
}

/** r0 = the operand, extended as its size and sign say. */
function emitOperand(e: Emitter, operand: UsdtOperand, at: Instruction['at']): void {
  const { a } = e;
  if (operand.kind === 'constant') return e.loadConstant(0, operand.value);
  const loadRegister = (register: Register, name: string): void => {
    const found = findRegister(e.unit.options.architecture, name);
    if (found === undefined) return e.diagnose('register', `the static probe uses ${name}, which is not known here`, at);
    a.load(8, register, 6, found.offset);
    narrow(e, register, found.size, false);
  };
  if (operand.kind === 'register') loadRegister(0, operand.register);
  else {
    loadRegister(3, operand.base);
    if (operand.index !== undefined) {
      loadRegister(0, operand.index);
      if (operand.scale > 1) a.aluImm('mul', 0, operand.scale);
      a.alu('add', 3, 0);
    }
    emitAddConstant(e, 3, operand.displacement);
    emitReadWord(e, 'user', operand.size, e.failure('failed-read'));
    a.load(operand.size, 0, 10, STACK.a);
  }
  narrow(e, 0, operand.size, operand.signed);
}

function narrow(e: Emitter, register: Register, size: AccessSize, signed: boolean): void {
  if (size < 8) e.a.aluImm('lsh', register, 64 - 8 * size).aluImm(signed ? 'arsh' : 'rsh', register, 64 - 8 * size);
}

export function emitReturnValue(e: Emitter, { to, at }: Of<'return-value'>): void {
  const source = e.probeBody?.argumentSource;
  if (source?.kind === 'return') e.a.load(8, 0, 6, source.offset);
  else if (source?.kind === 'hook-return') emitHooked(e, 2, 'get_func_ret');
  else e.diagnose('return-value', 'this kind of probe has no returned value', at, 'use a probe of the return: fn() -> T r');
  e.store(to, 0);
}

/** r0 = what the helper writes to where r`to` points: not the context's word itself, which the verifier takes for a typed pointer. */
function emitHooked({ a }: Emitter, to: 2 | 3, helper: 'get_func_arg' | 'get_func_ret'): void {
  a.move(1, 6).move(to, 10).aluImm('add', to, STACK.a).storeImm(8, 10, STACK.a, 0).call(helper).load(8, 0, 10, STACK.a);
}

export function emitRegister(e: Emitter, { to, name, at }: Of<'register'>): void {
  const found = findRegister(e.unit.options.architecture, name);
  if (!e.unit.request.hasRegisters || found === undefined) {
    const why =
      found === undefined ? `there is no register ${name} on ${e.unit.options.architecture}` : 'this kind of probe has no registers';
    return e.diagnose('register', why, at);
  }
  e.a.load(8, 0, 6, found.offset);
  narrow(e, 0, found.size, false);
  e.store(to, 0);
}

/** A field of a tracepoint's record. */
export function emitContext(e: Emitter, { to, offset, size, signed, at }: Of<'context'>): void {
  const { a } = e;
  if (!e.unit.request.hasRecord) return e.diagnose('context', 'this kind of probe has no record', at);
  if (offset % size === 0) a.load(size, 0, 6, offset);
  else {
    a.move(3, 6).aluImm('add', 3, offset);
    emitReadWord(e, 'kernel', size, e.failure('failed-read'));
    a.load(size, 0, 10, STACK.a);
  }
  e.extend(0, size, signed);
  e.store(to, 0);
}

export function emitContextText(e: Emitter, { to, offset, size, dataLoc, at }: Of<'context-text'>): void {
  const { a } = e;
  if (!e.unit.request.hasRecord) return e.diagnose('context', 'this kind of probe has no record', at);
  const text = e.unit.scratchText(dataLoc ? e.unit.longestText : Math.min(size, e.unit.longestText), 2);
  emitZero(e, text.place, 0, textEnd(text.capacity));
  a.move(3, 6);
  if (dataLoc) a.load(4, 0, 6, offset).aluImm('and', 0, 0xffff).alu('add', 3, 0);
  else a.aluImm('add', 3, offset);
  e.address(1, text.place, TEXT_HEADER_BYTES);
  a.moveImm(2, dataLoc ? text.capacity + 1 : Math.min(size, 8 * chunksOf(text.capacity))).call('probe_read_kernel_str');
  a.jumpIfImm('sle', 0, 0, e.failure('failed-read')).aluImm('sub', 0, 1);
  emitAtMost(e, 0, text.capacity);
  const base = e.base(text.place, 8, 1);
  a.store(8, base.register, base.offset, 0);
  emitCopy(e, e.writableText(to), text);
}

/** A backtrace's id: user part in the lower half, kernel part in the upper, each plus 1 (see `splitStackId`). A lost one is counted. */
export function emitStack(e: Emitter, { to, form, at }: Of<'stack'>): void {
  const { a } = e;
  if (typeof form !== 'string' || form === 'mixed') {
    return e.diagnose('language-stack', 'stacks of a language cannot be taken in a probe that runs in the kernel yet', at, 'use _ubt()');
  }
  if (form === 'user') emitUserStack(e);
  else emitStackId(e, 0);
  if (form !== 'user') a.aluImm('lsh', 0, 32);
  if (form === 'both') {
    a.store(8, 10, STACK.b, 0);
    emitUserStack(e);
    a.load(8, 1, 10, STACK.b).alu('or', 0, 1);
  }
  e.store(to, 0);
}

function emitUserStack(e: Emitter): void {
  const { stacks } = e.unit.options;
  if (stacks === undefined) return emitStackId(e, BPF_F_USER_STACK);
  e.unit.takesUserStacks = true;
  stacks.emitUserStack(e.a, e.unit.request.type);
  const { a } = e;
  const done = a.newLabel('done');
  a.jumpIfImm('ne', 0, 0, done);
  emitCount(a, 'stack-lost');
  a.moveImm(0, 0).label(done);
}

/** Where there is no such part (no kernel code below a probe of a program; a kernel thread), it is 0 and nothing is lost. */
function emitStackId(e: Emitter, flags: number): void {
  const { a } = e;
  const [none, done] = [a.newLabel('none'), a.newLabel('done')];
  const mayLack = flags === 0 || e.unit.request.kernelCode;
  e.unit.takesStacks = true;
  a.move(1, 6).loadMap(2, MAPS.stacks).moveImm(3, flags).call('get_stackid');
  a.jumpIfImm('slt', 0, 0, none).aluImm('add', 0, 1).label(done);
  e.defer(() => {
    const absent = a.newLabel('absent');
    a.label(none);
    if (mayLack) a.jumpIfImm('eq', 0, EFAULT, absent);
    emitCount(a, 'stack-lost');
    a.label(absent).moveImm(0, 0).jump(done);
  });
}
