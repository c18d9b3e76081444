// What the eBPF engine compiles, in the real kernel: the verifier takes it, and attached to a C program it counts right.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test, type TestContext } from 'vitest';
import { BtfTypes } from '../../src/btf/index.ts';
import { findMember } from '../../src/ctypes/index.ts';
import { CONTROL, splitStackId, type KernelOffsets } from '../../src/y/engines/ebpf/index.ts';
import type { Instruction, Probe, Program } from '../../src/y/ir/program.ts';
import { compileRegex } from '../../src/y/regex/index.ts';
import {
  hitProbe,
  hitProgram,
  INTEGER_KEY,
  integerArray,
  integerGlobal,
  OPTIONS,
  readArrayAggregates,
  readGlobalAggregate,
} from '../support/y-ebpf.ts';
import { at, block, branch, format, irFunction, k, r } from '../support/y-program.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { must, u32 } from './support/kernel.ts';
import { attach, attachRun, loadRun, WorkTarget } from './support/y-run.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const argument = (to: number, index = to) => ({ op: 'argument', to, index }) as const;
const store = (global: number, register: number) => ({ op: 'store-global', global, offset: 0, size: 8, value: r(register) }) as const;
const print = (...values: Extract<Instruction, { op: 'print' }>['values']) => ({ op: 'print', stream: 'out', format: 0, values }) as const;
const text = (local: number) => ({ kind: 'text', text: { local } }) as const;
const integer = (register: number) => ({ kind: 'integer', value: r(register) }) as const;
const formats = [format('')];
const place = { file: 'test.y', line: 1, column: 1 };

test('a counter, a two-key count and a histogram count every call', async (context) => {
  const target = await WorkTarget.start(context);
  const body = irFunction(
    [
      block([
        at(1, argument(0)),
        at(2, { op: 'add-global', to: undefined, global: 0, offset: 0, size: 8, value: k(1) }),
        at(3, { op: 'builtin-text', to: { local: 0 }, name: 'comm' }),
        at(4, { op: 'builtin', to: 1, name: 'tid' }),
        at(5, { op: 'array-add', to: undefined, array: 0, keys: [{ text: { local: 0 } }, r(1)], value: k(1) }),
        at(6, { op: 'aggregate', into: { global: 1 }, value: r(0) }),
        at(7, { op: 'aggregate', into: { array: 1, keys: [r(1)] }, value: r(0) }),
      ]),
    ],
    { texts: [16] },
  );
  const reading = irFunction([
    block([
      { op: 'aggregate-read', to: 0, from: { global: 1 }, reader: 'quantile', argument: 500_000 },
      { op: 'aggregate-read', to: 0, from: { global: 1 }, reader: 'stddev', argument: undefined },
      { op: 'aggregate-read', to: 0, from: { array: 1, keys: [k(0)] }, reader: 'quantile', argument: 500_000 },
      { op: 'aggregate-read', to: 0, from: { array: 1, keys: [k(0)] }, reader: 'max', argument: undefined },
    ]),
  ]);
  const run = attachRun(context, target, (point) =>
    hitProgram([body, reading], {
      globals: [integerGlobal('n'), integerGlobal('a', { kind: 'aggregate', size: 0 })],
      arrays: [
        integerArray('counts', [{ kind: 'text', capacity: 128 }, INTEGER_KEY]),
        integerArray('sizes', [INTEGER_KEY], { value: { kind: 'aggregate' } }),
      ],
      probes: [hitProbe(0, point)],
    }),
  );
  await target.call(100, 50n);
  await target.call(10, -7n);
  expect(run.losses()).toEqual({});
  expect(run.global(0)).toBe(110n);
  expect(Object.values(run.array(0))).toEqual([110n]);
  expect(Object.keys(run.array(0))[0]).toMatch(new RegExp(`,${target.pid}$`));
  const { read } = readGlobalAggregate(run.compiled, run.stored, 1);
  expect([read('count'), read('sum'), Number(read('quantile', 500_000))]).toEqual([110n, 4930n, expect.closeTo(50, -1)]);
  const [sizes] = Object.values(readArrayAggregates(run.compiled, run.stored, 1));
  expect(sizes).toMatchObject({ count: 110n, sum: 4930n, maximum: 50n });
  expect([...sizes!.buckets[0]!.values()].sort()).toEqual([10n, 100n]);
});

/** counts[i % argument 1] += i for each i < argument 0, in two nested loops' shape: the inner one runs three times. */
const nested = irFunction([
  block([argument(0), argument(1), { op: 'move', to: 2, from: k(0) }], { op: 'jump', to: 1 }),
  block([{ op: 'binary', to: 9, operator: 'slt', left: r(2), right: r(0) }], branch(r(9), 2, 5)),
  block(
    [
      { op: 'binary', to: 3, operator: 'umod', left: r(2), right: r(1) },
      { op: 'move', to: 4, from: k(0) },
    ],
    { op: 'jump', to: 3 },
  ),
  block(
    [
      { op: 'array-add', to: 5, array: 0, keys: [r(3), r(4)], value: r(2) },
      { op: 'binary', to: 4, operator: 'add', left: r(4), right: k(1) },
      { op: 'binary', to: 9, operator: 'ult', left: r(4), right: k(3) },
    ],
    branch(r(9), 3, 4),
  ),
  block([{ op: 'binary', to: 2, operator: 'add', left: r(2), right: k(1) }], { op: 'jump', to: 1 }),
  block([store(0, 2)]),
]);

test.for([true, false])('nested loops with arrays of many keys (bpf_loop: %s)', async (loop, context) => {
  const target = await WorkTarget.start(context);
  const options = { features: { ...OPTIONS.features, loop } };
  const of = (point: Probe['point']): Program =>
    hitProgram([nested], {
      globals: [integerGlobal('rounds')],
      arrays: [integerArray('sums', [INTEGER_KEY, INTEGER_KEY], { capacity: 4096 })],
      probes: [hitProbe(0, point)],
    });
  const run = attachRun(context, target, of, options);
  const count = loop ? 1000n : 10n;
  await target.call(1, count, 7n);
  expect([run.losses(), run.global(0)]).toEqual([{}, count]);
  const sums = run.array(0);
  expect(Object.keys(sums)).toHaveLength(21);
  const expected = Array.from({ length: Number(count) }, (_, i) => i)
    .filter((i) => i % 7 === 3)
    .reduce((a, b) => a + b, 0);
  expect([sums['3,0'], sums['3,2']]).toEqual([BigInt(expected), BigInt(expected)]);
  await target.call(1, 10_000_000n, 7n);
  expect(run.losses()).toEqual({ 'loop-budget': 1n });
});

test('texts are read from the process, joined, cut, compared and sent', async (context) => {
  const target = await WorkTarget.start(context);
  const body = irFunction(
    [
      block([
        argument(0),
        { op: 'read-text', to: { local: 0 }, space: 'user', address: r(0), length: undefined, onFail: undefined },
        { op: 'read-text', to: { local: 1 }, space: 'user', address: r(0), length: k(3), onFail: undefined },
        { op: 'concatenate', to: { local: 2 }, left: { local: 1 }, right: { local: 0 } },
        { op: 'substring', to: { local: 3 }, from: { local: 0 }, start: k(4), length: k(6) },
        { op: 'compare-text', to: 1, left: { local: 1 }, right: { literal: 0 } },
        { op: 'text-at', to: 2, from: { local: 0 }, index: k(4) },
        { op: 'array-store-text', array: 0, keys: [{ text: { local: 3 } }], value: { local: 2 } },
        { op: 'array-load-text', to: { local: 4 }, array: 0, keys: [{ text: { local: 3 } }] },
        { op: 'copy-text', to: { global: 0 }, from: { local: 4 } },
        print(text(0), text(1), text(2), text(3), text(4), integer(1), integer(2)),
        { op: 'copy-text', to: { local: 5 }, from: { local: 1 } },
        print(text(5)),
      ]),
    ],
    { texts: [128, 15, 300, 64, 8, 32] },
  );
  const run = attachRun(context, target, (point) =>
    hitProgram([body], {
      globals: [integerGlobal('last', { kind: 'text', size: 64 })],
      arrays: [integerArray('names', [{ kind: 'text', capacity: 128 }], { value: { kind: 'text', capacity: 40 } })],
      literals: [bytes('GET')],
      formats,
      probes: [hitProbe(0, point)],
    }),
  );
  await target.call(2, target.textAddress);
  expect(run.losses()).toEqual({});
  const whole = 'GET /index.html';
  const values = [whole, 'GET', `GET${whole}`, '/index', 'GETGET /', 0n, 47n];
  const shown = run
    .events()
    .map((event) =>
      event.kind === 'print' ? event.values.map((value) => (value instanceof Uint8Array ? new TextDecoder().decode(value) : value)) : [],
    );
  expect(shown).toEqual([values, ['GET'], values, ['GET']]);
  expect([run.global(0), run.array(0)]).toEqual(['GETGET /', { '/index': `GET${whole}` }]);
  await target.call(1, 16n);
  expect(run.losses()).toEqual({ 'failed-read': 1n });
});

test('user stacks get ids that the map of stacks knows; below a probe of a program there is no kernel part', async (context) => {
  const target = await WorkTarget.start(context);
  const body = irFunction([
    block([
      { op: 'stack', to: 0, form: 'user' },
      { op: 'stack', to: 1, form: 'both' },
      { op: 'array-add', to: undefined, array: 0, keys: [r(0)], value: k(1) },
      store(0, 0),
      store(1, 1),
    ]),
  ]);
  const run = attachRun(context, target, (point) =>
    hitProgram([body], {
      globals: [integerGlobal('user'), integerGlobal('both')],
      arrays: [integerArray('stacks', [{ kind: 'stack' }])],
      probes: [hitProbe(0, point)],
    }),
  );
  await target.call(5);
  expect(run.losses()).toEqual({});
  const id = run.global(0) as bigint;
  const { user, kernel } = splitStackId(run.global(1) as bigint);
  expect(splitStackId(id)).toEqual({ user, kernel: undefined });
  expect(run.array(0)).toEqual({ [String(id)]: 5n });
  const frames = new Uint8Array(new Uint32Array([user!]).buffer);
  expect(run.stored.bytes(run.compiled.storage.stacks!, frames)[0]!.some((byte) => byte !== 0)).toBe(true);
  expect(kernel).toBeUndefined();
});

test('threads keep their variables, a return sees what the entry kept, and exit stops all', async (context) => {
  const target = await WorkTarget.start(context);
  const entry = irFunction([block([argument(0), store(0, 0)])]);
  const leave = irFunction([
    block(
      [
        { op: 'load-global', to: 0, global: 0, offset: 0, size: 8, signed: true },
        { op: 'return-value', to: 1 },
        print(integer(0), integer(1)),
        { op: 'binary', to: 2, operator: 'eq', left: r(0), right: k(3) },
      ],
      branch(r(2), 1, 2),
    ),
    block([{ op: 'exit' }]),
    block([]),
  ]);
  const run = attachRun(context, target, (point) =>
    hitProgram([entry, leave], {
      globals: [integerGlobal('kept', { sharing: 'thread', initial: new Uint8Array([42]) })],
      formats,
      probes: [hitProbe(0, point), hitProbe(1, { kind: 'return', sites: [target.site('work')] })],
    }),
  );
  for (const value of [1n, 2n, 3n, 4n]) await target.call(1, value, 10n);
  expect(run.losses()).toEqual({});
  expect(run.events().map((event) => (event.kind === 'print' ? event.values : event.kind))).toEqual([
    [1n, 11n],
    [2n, 12n],
    [3n, 13n],
    'exit',
  ]);
});

test('probes on one point run in order; those of one place each have their own filter', async (context) => {
  const target = await WorkTarget.start(context);
  const bodies = [1, 2, 3].map((value) => irFunction([block([{ op: 'move', to: 0, from: k(value) }, print(integer(0))])]));
  const run = attachRun(context, target, (point) =>
    hitProgram(bodies, { formats, probes: [hitProbe(1, point), hitProbe(0, point, { global: true }), hitProbe(2, point)] }),
  );
  expect(run.compiled.attachments).toHaveLength(1);
  await target.call(1);
  expect(run.events().map((event) => (event.kind === 'print' ? [event.values[0], event.probe, event.pid] : []))).toEqual([
    [2n, 0, target.pid],
    [1n, 1, target.pid],
    [3n, 2, target.pid],
  ]);
});

test('system calls come with their arguments and results', async (context) => {
  const target = await WorkTarget.start(context);
  const write = { kind: 'syscall', names: ['write'], numbers: [process.arch === 'x64' ? 1 : 64], all: false } as const;
  const entry = irFunction([block([argument(0), argument(2), print(integer(0), integer(2))])]);
  const leave = irFunction([block([{ op: 'return-value', to: 0 }, print(integer(0))])]);
  const run = attachRun(context, target, () =>
    hitProgram([entry, leave], {
      formats,
      probes: [hitProbe(0, { ...write, exit: false }), hitProbe(1, { ...write, exit: true })],
    }),
  );
  await target.call(1);
  const [called, returned] = run.events().map((event) => (event.kind === 'print' ? event.values : []));
  expect(called![0]).toBe(1n);
  expect(called![1]).toBe(returned![0]);
});

test('regular expressions find and take apart', async (context) => {
  const target = await WorkTarget.start(context);
  const compiled = ['^GET /(\\w+)\\.(html|php)$', 'POST|PUT'].map((source, index) => {
    const result = compileRegex(source, '', index === 0 ? 3 : 0);
    if (!result.ok) throw new Error('not a regular expression');
    return result.value;
  });
  const body = irFunction(
    [
      block([
        argument(0),
        { op: 'read-text', to: { local: 0 }, space: 'user', address: r(0), length: undefined, onFail: undefined },
        { op: 'match', to: 1, regex: 0, subject: { local: 0 }, groups: [{ local: 3 }, { local: 1 }, { local: 2 }] },
        { op: 'match', to: 2, regex: 0, subject: { local: 1 }, groups: [] },
        { op: 'match', to: 3, regex: 1, subject: { local: 0 }, groups: [] },
        { op: 'match', to: 4, regex: 1, subject: { literal: 0 }, groups: [] },
        print(text(1), text(2), text(3), integer(1), integer(2), integer(3), integer(4)),
      ]),
    ],
    { texts: [128, 128, 3, 128] },
  );
  const run = attachRun(context, target, (point) =>
    hitProgram([body], { regexes: compiled, literals: [bytes('a PUT b')], formats, probes: [hitProbe(0, point)] }),
  );
  await target.call(1, target.textAddress);
  expect(run.losses()).toEqual({});
  const [event] = run.events();
  const values =
    event?.kind === 'print' ? event.values.map((value) => (value instanceof Uint8Array ? new TextDecoder().decode(value) : value)) : [];
  expect(values).toEqual(['index', 'htm', 'GET /index.html', 1n, 0n, 0n, 1n]);
});

test.for<[string, Probe['point'], Instruction['op'][]]>([
  ['a clock', { kind: 'profile', hz: 99 }, []],
  ['switches off', { kind: 'cpu', direction: 'off' }, []],
  ['forks', { kind: 'life', event: 'fork' }, []],
  ['threads that start', { kind: 'life', event: 'thread-start' }, []],
  ['processes that end', { kind: 'life', event: 'exit' }, []],
  ['exec', { kind: 'life', event: 'exec' }, []],
  ['a kernel function', { kind: 'kfunc', name: 'vfs_read', exit: false }, []],
  ['page faults', { kind: 'page-fault' }, ['argument']],
])('%s: the program loads with all that asks about the hit', ([, point, more], context) => {
  const names = ['pid', 'tid', 'uid', 'gid', 'cpu', 'cgroup', 'now-ms', 'wall-ns', 'random'] as const;
  const body = irFunction(
    [
      block([
        ...names.map((name, index) => ({ op: 'builtin', to: index, name }) as const),
        ...(more.includes('argument') ? [argument(9, 0)] : [{ op: 'move', to: 9, from: k(0) } as const]),
        { op: 'stack', to: 10, form: 'both' },
        { op: 'builtin-text', to: { local: 0 }, name: 'comm' },
        print(...[...names, '', ''].map((_, index) => integer(index)), text(0)),
      ]),
    ],
    { texts: [16] },
  );
  for (const filter of [{ kind: 'pid', follow: true }, { kind: 'cgroup' }, { kind: 'all' }] as const)
    for (const measure of ['nothing', 'hits', 'time'] as const)
      loadRun(context, hitProgram([body], { formats, probes: [hitProbe(0, point, { place })] }), { filter, measure });
});

test('hits on several CPUs at one time count exactly, or are counted as lost', async (context) => {
  const targets = [await WorkTarget.start(context), await WorkTarget.start(context)];
  const body = irFunction(
    [
      block([
        argument(0),
        { op: 'read-text', to: { local: 0 }, space: 'user', address: r(0), length: undefined, onFail: undefined },
        { op: 'concatenate', to: { local: 1 }, left: { local: 0 }, right: { local: 0 } },
        { op: 'array-add', to: undefined, array: 0, keys: [{ text: { local: 1 } }], value: k(1) },
        { op: 'add-global', to: undefined, global: 0, offset: 0, size: 8, value: k(1) },
      ]),
    ],
    { texts: [128, 128] },
  );
  const run = attachRun(
    context,
    targets[0]!,
    (point) =>
      hitProgram([body], {
        globals: [integerGlobal('n')],
        arrays: [integerArray('a', [{ kind: 'text', capacity: 128 }])],
        probes: [hitProbe(0, point)],
      }),
    { filter: { kind: 'all' } },
  );
  await Promise.all(targets.map((target) => target.call(20_000, target.textAddress)));
  const counted = run.global(0) as bigint;
  expect(counted + (run.losses()['scratch-busy'] ?? 0n)).toBe(40_000n);
  expect(run.array(0)).toEqual({ ['GET /index.html'.repeat(2)]: counted });
});

/** Offsets in the running kernel's structs. */
function kernelOffsets(context: TestContext): KernelOffsets {
  requireOrSkip(context, existsSync('/sys/kernel/btf/vmlinux'), 'this kernel has no BTF');
  const types = must(BtfTypes.open(readFileSync('/sys/kernel/btf/vmlinux')));
  const offset = (struct: string, member: string): number => {
    const type = types.findType(struct, 'struct');
    if (type?.kind !== 'record') throw new Error(`no struct ${struct}`);
    return findMember(type, member)!.offset;
  };
  return {
    taskTgid: offset('task_struct', 'tgid'),
    taskRealParent: offset('task_struct', 'real_parent'),
    taskSignal: offset('task_struct', 'signal'),
    signalLive: offset('signal_struct', 'live'),
    // pids[PIDTYPE_PGID]: the third pointer.
    signalProcessGroup: offset('signal_struct', 'pids') + 16,
    pidNumber: offset('pid', 'numbers'),
  };
}

test('children are followed, know their parent and their group, and are forgotten when they end', async (context) => {
  const kernel = kernelOffsets(context);
  const names = ['pid', 'ppid', 'pgid'] as const;
  const body = irFunction([
    block([...names.map((name, to) => ({ op: 'builtin', to, name }) as const), print(...names.map((_, to) => integer(to)))]),
  ]);
  const of = hitProgram([body], { formats, probes: [hitProbe(0, { kind: 'life', event: 'exit' })] });
  const run = loadRun(context, of, { filter: { kind: 'pid', follow: true }, kernel });
  for (const attachment of run.compiled.attachments) attach(run.object, attachment);
  const shell = spawn('sh', ['-c', 'read x; (true; sh -c "true; true"); true'], { stdio: ['pipe', 'ignore', 'inherit'] });
  context.onTestFinished(() => void shell.kill('SIGKILL'));
  const control = new Uint8Array(CONTROL.bytes);
  new DataView(control.buffer).setUint32(CONTROL.firstTarget, shell.pid!, true);
  must(run.object.map(run.compiled.storage.control).update(u32(0), control));
  shell.stdin.end('\n');
  await once(shell, 'exit');
  const ended = run.events().map((event) => (event.kind === 'print' ? event.values.map(Number) : []));
  expect(ended.length).toBeGreaterThanOrEqual(2);
  expect(ended.at(-1)![0]).toBe(shell.pid);
  expect(ended[0]![1]).toBe(ended.length === 2 ? shell.pid : ended[1]![0]);
  const [, , group] = ended.at(-1)!;
  expect(ended.every(([, , other]) => other === group)).toBe(true);
  expect(run.stored.entries(run.compiled.storage.targets!)).toEqual([]);
  expect(run.losses()).toEqual({});
});
