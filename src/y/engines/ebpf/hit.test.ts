import { describe, expect, test } from 'vitest';
import { block, format, irFunction, k, r } from '../../../../test/support/y-program.ts';
import {
  callOf,
  hitProbe,
  hitProgram,
  integerArray,
  integerGlobal,
  OPTIONS,
  prepareRun,
  registers,
  type EbpfRun,
} from '../../../../test/support/y-ebpf.ts';
import type { UsdtOperand, UsdtSite } from '../../knowledge.ts';
import type { Instruction, Probe } from '../../ir/program.ts';
import { compileEbpf, CONTROL, type StackEmitter } from './index.ts';

const ONLY = new Uint8Array(4);
const formats = [format('')];
const print = (...values: Extract<Instruction, { op: 'print' }>['values']) => ({ op: 'print', stream: 'out', format: 0, values }) as const;
const integer = (register: number) => ({ kind: 'integer', value: r(register) }) as const;
const u32 = (value: number) => new Uint8Array(new Uint32Array([value]).buffer);
const counting = irFunction([block([{ op: 'add-global', to: undefined, global: 0, offset: 0, size: 8, value: k(1) }])]);
const counter = (rest: Partial<Probe> = {}) =>
  hitProgram([counting], { globals: [integerGlobal('n')], probes: [hitProbe(0, undefined, rest)] });

describe('the filter', () => {
  test('lets the first process through, then those of the map when there are others', () => {
    const run = prepareRun(counter(), { filter: { kind: 'pid', follow: false } });
    const control = new DataView(run.interpreter.map('control').lookup(ONLY)!.buffer);
    const setControl = (offset: number, value: number): void => {
      const bytes = run.interpreter.map('control').lookup(ONLY)!;
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(offset, value, true);
    };
    expect(control.byteLength).toBeGreaterThanOrEqual(CONTROL.bytes);
    run.interpreter.map('targets').update(u32(100), new Uint8Array(8));
    run.hit();
    expect(run.global(0)).toBe(0n);
    setControl(CONTROL.otherTargets, 1);
    run.hit();
    expect(run.global(0)).toBe(1n);
    run.interpreter.map('targets').delete(u32(100));
    run.hit();
    expect(run.global(0)).toBe(1n);
    setControl(CONTROL.firstTarget, 100);
    run.hit();
    expect(run.global(0)).toBe(2n);
    setControl(CONTROL.stopped, 1);
    run.hit();
    expect(run.global(0)).toBe(2n);
  });

  test('asks for the cgroup, and not of global probes', () => {
    const helpers = { get_current_cgroup_id: () => 77n };
    const run = prepareRun(counter(), { filter: { kind: 'cgroup' } }, { helpers });
    run.hit();
    run.interpreter.map('cgroups').update(new Uint8Array(new BigUint64Array([77n]).buffer), new Uint8Array(8));
    run.hit();
    expect(run.global(0)).toBe(1n);
    const everywhere = prepareRun(counter({ global: true }), { filter: { kind: 'cgroup' } }, { helpers });
    everywhere.hit();
    expect(everywhere.global(0)).toBe(1n);
  });

  test('follows forks and forgets processes that end', () => {
    const kernel = { taskTgid: 8, taskSignal: 16, signalLive: 4 };
    // The task at 0x1000 has process 200 and its signal struct at 0x2000, where no thread is left.
    const memory = new Map([
      [0x1008n, u32(200)],
      [0x1010n, new Uint8Array(new BigUint64Array([0x2000n]).buffer)],
      [0x2004n, u32(0)],
    ]);
    let current = 100n;
    const helpers = { get_current_pid_tgid: () => (current << 32n) | current };
    const outside = { helpers, readOutside: (_: string, address: bigint) => memory.get(address) };
    const run = prepareRun(counter(), { filter: { kind: 'pid', follow: true }, kernel }, outside);
    expect(
      run.compiled.attachments.map(({ program, point }) => [program, point.kind === 'raw-tracepoint' ? point.name : point.kind]),
    ).toEqual([
      ['follow_forks', 'task_newtask'],
      ['user_0', 'uprobe'],
      ['forget_ended', 'sched_process_exit'],
    ]);
    const targets = run.interpreter.map('targets');
    const task = (flags: bigint) => new Uint8Array(new BigUint64Array([0x1000n, flags]).buffer);
    run.hit(task(0n), 'follow_forks');
    expect(targets.lookup(u32(200))).toBeUndefined();
    targets.update(u32(100), new Uint8Array(8));
    run.hit(task(0x10000n), 'follow_forks');
    expect(targets.lookup(u32(200))).toBeUndefined();
    run.hit(task(0n), 'follow_forks');
    expect(targets.lookup(u32(200))).toBeDefined();
    current = 200n;
    run.hit();
    expect(run.global(0)).toBe(1n);
    run.hit(task(0n), 'forget_ended');
    expect(targets.lookup(u32(200))).toBeUndefined();
  });
});

describe('arguments', () => {
  const usdtSite = (fileOffset: number, operands: readonly UsdtOperand[]): UsdtSite => ({
    module: '/bin/target',
    address: BigInt(fileOffset),
    fileOffset,
    semaphore: undefined,
    operands,
  });
  const operands: readonly UsdtOperand[] = [
    { kind: 'register', size: 4, signed: true, register: '%edi' },
    { kind: 'constant', size: 8, signed: true, value: -5n },
    { kind: 'memory', size: 2, signed: false, base: '%rbp', index: '%rcx', scale: 4, displacement: -8n },
  ];

  test.each([0n, 1n, 2n])('of a static probe follow the operands of the place, variant %d', (cookie) => {
    const body = irFunction([block([{ op: 'argument', to: 0, index: 0 }, print(integer(0))])]);
    // Equal operands at two places are one variant.
    const sites = [...operands, operands[0]!].map((operand, index) => usdtSite(16 * index, [operand]));
    const memory = {
      readOutside: (_: string, address: bigint) => (address === 0x5000n + 4n * 3n - 8n ? Uint8Array.of(0xfe, 0xff) : undefined),
    };
    const of = hitProgram([body], { formats, probes: [hitProbe(0, { kind: 'usdt', name: 'x', sites })] });
    const run = prepareRun(of, {}, { helpers: { get_attach_cookie: () => cookie }, ...memory });
    const { point } = run.compiled.attachments[0]!;
    expect(point.kind === 'uprobe' && point.sites.map((site) => site.cookie)).toEqual([0n, 1n, 2n, 0n]);
    run.hit(registers({ 112: 0xffff_ffffn, 32: 0x5000n, 88: 3n }));
    expect(run.events()).toMatchObject([{ values: [[-1n, -5n, 0xfffen][Number(cookie)]] }]);
  });

  test('beyond the registers come from the stack', () => {
    const body = irFunction([block([{ op: 'argument', to: 0, index: 7 }, print(integer(0))])]);
    const value = new Uint8Array(new BigUint64Array([99n]).buffer);
    const outside = { readOutside: (_: string, address: bigint) => (address === 0x7000n + 16n ? value : undefined) };
    const run = prepareRun(hitProgram([body], { formats }), {}, outside);
    run.hit(registers({ 152: 0x7000n }));
    expect(run.events()).toMatchObject([{ values: [99n] }]);
  });

  test('the function of the place is known by its cookie, and a marker is stepped over', () => {
    const code = Uint8Array.of(0xf3, 0x0f, 0x1e, 0xfa, 0x55);
    const sites = ['first', 'second'].map((name, index) => ({
      module: '/bin/target',
      address: 0n,
      fileOffset: 0x100 * index,
      name,
      type: undefined,
      size: 32,
      code: index === 0 ? code : new Uint8Array(4),
    }));
    const body = irFunction(
      [block([{ op: 'builtin-text', to: { local: 0 }, name: 'probe-function' }, print({ kind: 'text', text: { local: 0 } })])],
      {
        texts: [32],
      },
    );
    const of = hitProgram([body], { formats, probes: [hitProbe(0, { kind: 'function', sites })] });
    const run = prepareRun(of, {}, { helpers: { get_attach_cookie: () => 1n } });
    expect(run.compiled.attachments[0]?.point).toMatchObject({ sites: [{ fileOffset: 4 }, { fileOffset: 0x100 }] });
    run.hit();
    expect(run.events()).toMatchObject([{ values: [new TextEncoder().encode('second')] }]);
  });
});

describe('frames', () => {
  const looped = irFunction([
    block([{ op: 'move', to: 0, from: k(0) }], { op: 'jump', to: 1 }),
    block([{ op: 'read', to: 1, space: 'user', address: k(0x1000), offset: 0, size: 8, signed: false, onFail: undefined }], {
      op: 'jump',
      to: 1,
    }),
  ]);

  test('a hit in the middle of another has its own; too many are counted', () => {
    let depth = 0;
    const outside = {
      readOutside: (space: string) => {
        if (space === 'user' && depth++ < 6) run.hit();
        return undefined;
      },
    };
    const run: EbpfRun = prepareRun(hitProgram([looped]), {}, outside);
    run.hit();
    expect(run.losses()).toEqual({ 'scratch-busy': expect.any(BigInt), 'failed-read': 4n });
    // Whoever ended gave its frame back.
    depth = 99;
    run.hit();
    expect(run.losses()['failed-read']).toBe(5n);
  });
});

describe('what the kernel cannot do', () => {
  const refuse = (instructions: Parameters<typeof block>[0], rest: Parameters<typeof hitProgram>[1] = {}) => {
    const compiled = compileEbpf(hitProgram([irFunction([block(instructions)], { texts: [16] })], rest), OPTIONS);
    return compiled.ok ? [] : compiled.error.map(({ code }) => code);
  };

  test.each<[string, Parameters<typeof block>[0]]>([
    ['kernel-float', [{ op: 'float-binary', to: 0, operator: 'add', left: 0, right: 1 }]],
    ['kernel-float', [{ op: 'convert', to: 0, from: r(1), form: 'signed' }]],
    ['return-value', [{ op: 'return-value', to: 0 }]],
    ['language-stack', [{ op: 'stack', to: 0, form: { language: 'lua' } }]],
    ['kernel-text', [{ op: 'builtin-text', to: { local: 0 }, name: 'exe' }]],
    ['kernel-type', [{ op: 'builtin', to: 0, name: 'ppid' }]],
    ['register', [{ op: 'register', to: 0, name: 'xyz' }]],
    ['host-only', [{ op: 'array-count', to: 0, array: 0 }]],
    ['context', [{ op: 'context', to: 0, offset: 8, size: 4, signed: true }]],
  ])('is said: %s', (code, instructions) => {
    expect(refuse(instructions, { arrays: [integerArray('a', [{ kind: 'stack' }])] })).toEqual([code]);
  });
});

describe('aggregates', () => {
  test('whose histogram does not fit into a record are refused', () => {
    const print_ = print({ kind: 'histogram', from: { global: 0 }, scale: { kind: 'linear', low: 0n, high: 5000n, step: 1n } });
    const of = hitProgram([irFunction([block([{ op: 'aggregate', into: { global: 0 }, value: k(1) }])]), irFunction([block([print_])])], {
      globals: [integerGlobal('a', { kind: 'aggregate', size: 0 })],
      formats,
    });
    expect(compileEbpf(of, OPTIONS)).toMatchObject({ ok: false, error: [{ code: 'histogram-size' }] });
  });
});

describe('AArch64', () => {
  test('has its arguments and results in its own registers', () => {
    const entry = irFunction([
      block([{ op: 'argument', to: 0, index: 7 }, { op: 'register', to: 1, name: 'w3' }, print(integer(0), integer(1))]),
    ]);
    const leave = irFunction([block([{ op: 'return-value', to: 0 }, print(integer(0))])]);
    const { sites } = hitProbe(0).point as Extract<Probe['point'], { kind: 'function' }>;
    const of = hitProgram([entry, leave], { formats, probes: [hitProbe(0), hitProbe(1, { kind: 'return', sites })] });
    const run = prepareRun(of, { architecture: 'aarch64' });
    const context = new Uint8Array(new BigUint64Array(34).map((_, index) => 0x1_0000_0000n + BigInt(index)).buffer);
    run.hit(context, 'user_0');
    run.hit(context, 'user_1');
    expect(run.events()).toMatchObject([{ values: [0x1_0000_0007n, 3n] }, { values: [0x1_0000_0000n] }]);
  });
});

describe('stacks', () => {
  test('of a walker of ours are called for, and its functions come once', () => {
    const stacks: StackEmitter = {
      maps: [],
      stackBytes: 64,
      callDepth: 1,
      emitUserStack: (a) => void a.move(1, 6).callFunction('walk'),
      emitFunctions: (a) =>
        void a
          .function('walk', [{ name: 'context', type: 'pointer' }])
          .load(8, 0, 1, 112)
          .exit(),
    };
    const body = irFunction([
      block([{ op: 'stack', to: 0, form: 'user' }, { op: 'stack', to: 1, form: 'user' }, print(integer(0), integer(1))]),
    ]);
    const run = prepareRun(hitProgram([body], { formats }), { stacks });
    run.hit(callOf(0x1234n));
    run.hit(callOf(0n));
    expect(run.events()).toMatchObject([{ values: [0x1234n, 0x1234n] }, { values: [0n, 0n] }]);
    expect(run.losses()).toEqual({ 'stack-lost': 2n });
  });
});

describe('measuring', () => {
  test('counts hits and their time for each probe', () => {
    const run = prepareRun(counter(), { measure: 'time' });
    for (let hit = 0; hit < 3; hit++) run.hit();
    const [value] = run.stored.bytes(run.compiled.storage.measures!, u32(0));
    const data = new DataView(value!.buffer, value!.byteOffset);
    expect([data.getBigUint64(0, true), data.getBigUint64(8, true)]).toEqual([3n, 30n]);
  });
});
