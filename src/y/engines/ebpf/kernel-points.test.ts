import { describe, expect, test } from 'vitest';
import { block, format, irFunction, k, r } from '../../../../test/support/y-program.ts';
import { hitProbe, hitProgram, integerGlobal, OPTIONS, prepareRun } from '../../../../test/support/y-ebpf.ts';
import type { InterpreterOptions } from '../../../bpf/index.ts';
import type { Instruction, ProbePoint } from '../../ir/program.ts';
import { compileEbpf, type EbpfOptions } from './index.ts';

type HelperTable = NonNullable<InterpreterOptions['helpers']>;

const formats = [format('')];
const u32 = (...values: number[]) => new Uint8Array(new Uint32Array(values).buffer);
const u64 = (...values: bigint[]) => new Uint8Array(new BigUint64Array(values).buffer);
const text = (value: string, bytes: number) => new Uint8Array(bytes).map((_, index) => value.codePointAt(index) ?? 0);
const integer = (register: number) => ({ kind: 'integer', value: r(register) }) as const;
const ARCHITECTURES = ['x86-64', 'aarch64'] as const;

function probe(point: ProbePoint, ...instructions: Instruction[] | Parameters<typeof block>[0]) {
  return hitProgram([irFunction([block(instructions)], { texts: [16] })], {
    formats,
    globals: [integerGlobal('n')],
    probes: [hitProbe(0, point)],
  });
}

function refuse(point: ProbePoint, options: Partial<EbpfOptions>, ...instructions: Parameters<typeof block>[0]) {
  const compiled = compileEbpf(probe(point, ...instructions), { ...OPTIONS, ...options });
  return compiled.ok ? [] : compiled.error.map(({ code, message, hint }) => ({ code, message, hint }));
}

describe('_cpu.on', () => {
  const kernel = {
    taskPid: 0x20,
    taskTgid: 0x24,
    taskComm: 0x30,
    taskCredentials: 0x48,
    credentialsUid: 8,
    credentialsGid: 12,
    taskCgroups: 0x50,
    cgroupSetDefault: 0x10,
    cgroupNode: 0x18,
    nodeId: 0x60,
  };
  const memory = new Map([
    [0x1020n, u32(301, 300)],
    [0x1030n, text('next', 16)],
    [0x1048n, u64(0x2000n)],
    [0x2008n, u32(1)],
    [0x200cn, u32(2)],
    [0x1050n, u64(0x3000n)],
    [0x3010n, u64(0x4000n)],
    [0x4018n, u64(0x5000n)],
    [0x5060n, u64(77n)],
  ]);
  const outside = {
    readOutside: (_: string, address: bigint, length: number) =>
      // A text is read a byte at a time.
      address >= 0x1030n && address < 0x1040n && length === 1
        ? memory.get(0x1030n)!.subarray(Number(address - 0x1030n), Number(address - 0x1030n) + 1)
        : memory.get(address),
  };
  const context = u64(0n, 0x9000n, 0x1000n, 0n);
  const point: ProbePoint = { kind: 'cpu', direction: 'on' };
  const names = ['pid', 'tid', 'uid', 'gid', 'cgroup'] as const;
  const facts = probe(
    point,
    ...names.map((name, index) => ({ op: 'builtin', to: index, name }) as const),
    { op: 'builtin-text', to: { local: 0 }, name: 'comm' },
    {
      op: 'print',
      stream: 'out',
      format: 0,
      values: [...names.map((_, index) => integer(index)), { kind: 'text', text: { local: 0 } }],
    },
  );

  test('tells who gets the CPU, by whom the filter goes too', () => {
    const run = prepareRun(facts, { kernel, filter: { kind: 'pid', follow: false } }, outside);
    run.hit(context);
    expect(run.events()).toEqual([]);
    run.interpreter.map('targets').update(u32(300), new Uint8Array(8));
    const control = run.interpreter.map('control').lookup(new Uint8Array(4))!;
    new DataView(control.buffer, control.byteOffset).setUint32(8, 1, true);
    run.hit(context);
    expect(run.events()).toMatchObject([{ pid: 300, tid: 301, values: [300n, 301n, 1n, 2n, 77n, text('next', 4)] }]);
    expect(run.losses()).toEqual({});
  });

  test('asks for the control group of that thread', () => {
    const run = prepareRun(facts, { kernel, filter: { kind: 'cgroup' } }, outside);
    run.hit(context);
    run.interpreter.map('cgroups').update(u64(77n), new Uint8Array(8));
    run.hit(context);
    expect(run.events()).toHaveLength(1);
  });

  test('reads numbers that do not lie side by side', () => {
    const apart = new Map([
      [0x1024n, u32(301)],
      [0x1020n, u32(300)],
    ]);
    const shuffled = { readOutside: (_: string, address: bigint) => apart.get(address) };
    const body = [
      { op: 'builtin', to: 0, name: 'pid' },
      { op: 'builtin', to: 1, name: 'tid' },
    ] as const;
    const print = { op: 'print', stream: 'out', format: 0, values: [integer(0), integer(1)] } as const;
    const run = prepareRun(probe(point, ...body, print), { kernel: { taskTgid: 0x20, taskPid: 0x24 } }, shuffled);
    run.hit(context);
    expect(run.events()).toMatchObject([{ pid: 300, tid: 301, values: [300n, 301n] }]);
  });

  test.each<[string, Parameters<typeof block>[0][number]]>([
    ['its stack cannot be walked', { op: 'stack', to: 0, form: 'user' }],
    [
      "the target's memory cannot be read",
      { op: 'read', to: 0, space: 'user', address: k(8), offset: 0, size: 8, signed: false, onFail: undefined },
    ],
    ['_nspid() is not known', { op: 'builtin', to: 0, name: 'nspid' }],
  ])('refuses: %s', (message, instruction) => {
    expect(refuse(point, { kernel, pidNamespace: { device: 1n, inode: 2n } }, instruction)).toMatchObject([
      { code: 'other-thread', message: expect.stringContaining(message) as string },
    ]);
  });

  test("needs the kernel's types", () => {
    expect(refuse(point, {})).toMatchObject([{ code: 'other-thread', message: expect.stringContaining('taskPid') as string }]);
  });
});

test('_cpu.off leaves out the last switch of a thread that has ended', () => {
  let state = 1;
  const outside = { readOutside: (_: string, address: bigint) => (address === 0x9018n ? u32(state) : undefined) };
  const counting = probe(
    { kind: 'cpu', direction: 'off' },
    { op: 'add-global', to: undefined, global: 0, offset: 0, size: 8, value: k(1) },
  );
  const run = prepareRun(counting, { kernel: { taskState: 0x18 } }, outside);
  run.hit(u64(0n, 0x9000n, 0x1000n, 0n));
  state = 0x80;
  run.hit(u64(0n, 0x9000n, 0x1000n, 0n));
  expect(run.global(0)).toBe(1n);
});

test.each(ARCHITECTURES)('_page_fault reads the address behind the registers (%s)', (architecture) => {
  const print = { op: 'print', stream: 'out', format: 0, values: [integer(0)] } as const;
  const run = prepareRun(probe({ kind: 'page-fault' }, { op: 'argument', to: 0, index: 0 }, print), { architecture });
  const context = new Uint8Array(288);
  new DataView(context.buffer).setBigUint64(architecture === 'x86-64' ? 176 : 280, 0x7f00_1234n, true);
  run.hit(context);
  expect(run.events()).toMatchObject([{ values: [0x7f00_1234n] }]);
  expect(run.compiled.attachments.at(-1)?.point).toEqual({ kind: 'counter', event: 'page-faults', period: 1 });
});

test('counters have known names', () => {
  expect(refuse({ kind: 'pmu', event: 'sunshine', period: 1 }, {})).toMatchObject([
    { code: 'counter', hint: expect.stringContaining('cycles') as string },
  ]);
});

describe('_kfunc', () => {
  const features = { ...OPTIONS.features, kernelFunctions: 'hook' } as const;
  const print = { op: 'print', stream: 'out', format: 0, values: [integer(0)] } as const;

  test.each(ARCHITECTURES)('a hook has its arguments and its result from helpers (%s)', (architecture) => {
    const helpers: HelperTable = {
      get_func_arg: (call) => {
        call.getBytes(call.arguments[2], 8, true).set(u64(10n * call.arguments[1]));
        return 0;
      },
      get_func_ret: (call) => {
        call.getBytes(call.arguments[1], 8, true).set(u64(42n));
        return 0;
      },
    };
    const entry = probe({ kind: 'kfunc', name: 'vfs_read', exit: false }, { op: 'argument', to: 0, index: 2 }, print);
    const first = prepareRun(entry, { architecture, features }, { helpers });
    expect(first.compiled.object.programs[0]).toMatchObject({ type: 'tracing', attach: 'traceEntry', attachTo: 'vfs_read' });
    first.hit(u64(1n, 2n, 3n, 4n));
    expect(first.events()).toMatchObject([{ values: [20n] }]);
    const exit = probe({ kind: 'kfunc', name: 'vfs_read', exit: true }, { op: 'return-value', to: 0 }, print);
    const last = prepareRun(exit, { architecture, features }, { helpers });
    expect(last.compiled.object.programs[0]).toMatchObject({ type: 'tracing', attach: 'traceExit', attachTo: 'vfs_read' });
    last.hit(u64(1n, 2n, 3n, 4n));
    expect(last.events()).toMatchObject([{ values: [42n] }]);
  });

  test('a breakpoint has registers', () => {
    const entry = probe({ kind: 'kfunc', name: 'vfs_read', exit: false }, { op: 'argument', to: 0, index: 0 }, print);
    const compiled = compileEbpf(entry, OPTIONS);
    if (!compiled.ok) throw new Error(compiled.error[0]!.message);
    expect(compiled.value.attachments[0]?.point).toEqual({ kind: 'kprobe', isReturn: false, name: 'vfs_read' });
  });

  test('without either, the reason and the way out are said', () => {
    const none = { why: 'it is forbidden', wayOut: (name: string) => `instead of ${name}` };
    expect(refuse({ kind: 'kfunc', name: 'vfs_read', exit: false }, { features: { ...OPTIONS.features, kernelFunctions: none } })).toEqual([
      {
        code: 'kernel-function',
        message: "the kernel's function `vfs_read` cannot be probed: it is forbidden",
        hint: 'instead of vfs_read',
      },
    ]);
  });
});

test('a tracepoint without a record is a raw one', () => {
  const tracepoint = { category: 'sched', name: 'sched_wakeup', id: 0, fields: [] };
  const counting = probe(
    { kind: 'tracepoint', tracepoint },
    { op: 'add-global', to: undefined, global: 0, offset: 0, size: 8, value: k(1) },
  );
  const run = prepareRun(counting);
  expect(run.compiled.attachments[0]?.point).toEqual({ kind: 'raw-tracepoint', name: 'sched_wakeup' });
});

test.each(['fork', 'thread-start'] as const)('the first argument of %s is the new thread', (event) => {
  const print = { op: 'print', stream: 'out', format: 0, values: [integer(0)] } as const;
  const outside = { readOutside: (_: string, address: bigint) => (address === 0x1020n ? u32(500) : undefined) };
  const run = prepareRun(
    probe({ kind: 'life', event }, { op: 'argument', to: 0, index: 0 }, print),
    { kernel: { taskPid: 0x20 } },
    outside,
  );
  run.hit(u64(0x1000n, 0n));
  run.hit(u64(0x1000n, 0x10000n));
  expect(run.events()).toMatchObject([{ values: [500n] }]);
});

test.each([true, false])('the end of a process is that of its last thread, where the kernel tells (%s)', (lastThreadTold) => {
  const counting = probe({ kind: 'life', event: 'exit' }, { op: 'add-global', to: undefined, global: 0, offset: 0, size: 8, value: k(1) });
  const run = prepareRun(counting, { features: { ...OPTIONS.features, lastThreadTold } });
  // The current thread is not its process's first.
  run.hit(u64(0x1000n, 0n));
  run.hit(u64(0x1000n, 1n));
  expect(run.global(0)).toBe(lastThreadTold ? 1n : 0n);
});
