import { describe, expect, test } from 'vitest';
import {
  at,
  block,
  branch,
  ByteMemory,
  format,
  irFunction,
  k,
  program,
  r,
  testEnvironment,
  type TestEnvironment,
} from '../../../../test/support/y-program.ts';
import type { EnumType } from '../../../ctypes/index.ts';
import type { Block, Description, Instruction, IrFunction, Program } from '../../ir/program.ts';
import { SnapshotEngine, type RunOutcome } from './engine.ts';

type Bare = Parameters<typeof block>[0][number];

const PLACE = { file: 'test.y', line: 1, column: 1 };
const BASE = 0x5000n;

/** 64 bytes at 0x5000: two numbers, a negative one, a text without end, the double 2.5. */
function memoryOf(): ByteMemory {
  const bytes = Buffer.alloc(64);
  bytes.writeBigUInt64LE(0xffff_8000_0000_1234n, 0);
  bytes.writeInt32LE(-5, 8);
  bytes.write('hello\0world', 16);
  bytes.writeDoubleLE(2.5, 32);
  bytes.write('unended!', 56);
  return new ByteMemory({ start: BASE, bytes });
}

interface Ran extends TestEnvironment {
  readonly outcome: RunOutcome;
  readonly engine: SnapshotEngine;
}

function run(whole: Program, rest: Parameters<typeof testEnvironment>[2] = {}): Ran {
  const made = testEnvironment(whole, memoryOf(), rest);
  const engine = new SnapshotEngine(whole, made.environment);
  return { ...made, engine, outcome: engine.run(0) };
}

/** Runs instructions and prints registers as signed numbers. */
function registersAfter(
  list: readonly Bare[],
  shown: readonly number[],
  rest: Partial<IrFunction> = {},
  of: Partial<Program> = {},
): string {
  const pieces = shown.flatMap((_register, index) => [...(index === 0 ? [] : [' ']), { verb: 'd' } as const]);
  const print: Bare = { op: 'print', stream: 'out', format: 0, values: shown.map((register) => ({ kind: 'integer', value: r(register) })) };
  const { recorded, outcome } = run(program([irFunction([block([...list, print])], rest)], { formats: [format(...pieces)], ...of }));
  return outcome.kind === 'done' ? recorded.text : outcome.why;
}

function read(to: number, address: bigint, size: 1 | 2 | 4 | 8, signed = false, onFail?: number): Bare {
  return { op: 'read', to, space: 'user', address: k(address), offset: 0, size, signed, onFail };
}

describe('reads of the target', () => {
  test('give integers of every size, extended by their sign', () => {
    const list = [
      read(0, BASE, 8),
      read(1, BASE + 8n, 4, true),
      read(2, BASE + 8n, 4),
      read(3, BASE + 8n, 2, true),
      read(4, BASE, 1),
      read(5, BASE, 8, true),
    ];
    expect(registersAfter(list, [0, 1, 2, 3, 4, 5])).toBe(
      `${BigInt.asIntN(64, 0xffff_8000_0000_1234n)} -5 4294967291 -5 52 ${-0x7fff_ffff_edccn}`,
    );
  });

  test('take a page once a run, and see it as it is then', () => {
    const page = Buffer.alloc(8192);
    const memory = new ByteMemory({ start: 0x10000n, bytes: page });
    const list = [1, 2, 3].map((index) => read(index, 0x10000n + BigInt(index), 1));
    const whole = program([irFunction([block(list)])]);
    const engine = new SnapshotEngine(whole, testEnvironment(whole, memory).environment);
    engine.run(0);
    expect([memory.reads, memory.drops]).toEqual([1, 1]);
    engine.run(0);
    expect([memory.reads, memory.drops]).toEqual([2, 2]);
  });

  test('cross pages', () => {
    const bytes = Buffer.alloc(8192);
    bytes.writeUInt32LE(0xdead_beef, 4094);
    const whole = program(
      [irFunction([block([read(0, 0x10000n + 4094n, 4), { op: 'store-global', global: 0, offset: 0, size: 8, value: r(0) }])])],
      {
        globals: [{ name: 'g', kind: 'integer', size: 8, signed: true, sharing: 'shared', initial: undefined, place: PLACE }],
      },
    );
    const { environment, storage } = testEnvironment(whole, new ByteMemory({ start: 0x10000n, bytes }));
    expect(new SnapshotEngine(whole, environment).run(0)).toEqual({ kind: 'done' });
    expect(Buffer.from(storage.loadGlobal(0)).readUInt32LE()).toBe(0xdead_beef);
  });

  test('that fail go to the handler', () => {
    const blocks = [
      block([read(0, 0n, 8, false, 1)], { op: 'jump', to: 2 }),
      block([{ op: 'move', to: 1, from: k(7) }], { op: 'jump', to: 2 }),
      print(1),
    ];
    expect(run(program([irFunction(blocks)], { formats: [format({ verb: 'd' })] })).recorded.text).toBe('7');
  });

  test('that fail without a handler end the hit, and are counted by place', () => {
    const failing = at(12, read(0, 0n, 8) as Instruction);
    const { engine, outcome, recorded } = run(program([irFunction([block([failing, { op: 'exit' }])])]));
    expect(outcome).toEqual({
      kind: 'ended',
      why: 'failed-read',
      at: { ...PLACE, line: 12 },
      message: '_oneshot ended early at test.y:12: 8 bytes of user memory cannot be read',
    });
    engine.run(0);
    expect(engine.losses()).toEqual([{ why: 'failed-read', at: { ...PLACE, line: 12 }, count: 2 }]);
    expect(recorded.exits).toBe(0);
  });

  test('of the kernel fail where there is no access to it', () => {
    const list: Bare[] = [{ op: 'read', to: 0, space: 'kernel', address: k(-4096), offset: 0, size: 8, signed: false, onFail: undefined }];
    expect(registersAfter(list, [0])).toBe('failed-read');
  });

  test('of structs and doubles', () => {
    const list: Bare[] = [
      { op: 'read-object', object: 0, offset: 8, space: 'user', address: k(BASE + 8n), size: 4, onFail: undefined },
      { op: 'load-object', to: 0, object: 0, offset: 8, size: 4, signed: true },
      { op: 'store-object', object: 0, offset: 0, size: 2, value: k(-2) },
      { op: 'load-object', to: 1, object: 0, offset: 0, size: 4, signed: false },
      read(2, BASE + 32n, 8),
      { op: 'convert', to: 3, from: r(2), form: 'float64-bits' },
      { op: 'float', to: 4, value: 4 },
      { op: 'float-binary', to: 3, operator: 'mul', left: 3, right: 4 },
      { op: 'convert', to: 5, from: r(3), form: 'truncate' },
    ];
    const registers = ['integer', 'integer', 'integer', 'float', 'float', 'integer'] as const;
    expect(registersAfter(list, [0, 1, 5], { objects: [16], registers })).toBe('-5 65534 10');
  });

  test('valid says what can be read', () => {
    const ask = (to: number, address: bigint, size: number): Bare => ({
      op: 'valid',
      to,
      space: 'user',
      address: k(address),
      size: k(size),
    });
    expect(registersAfter([ask(0, BASE, 64), ask(1, BASE, 65), ask(2, 0n, 1), ask(3, BASE + 63n, 1)], [0, 1, 2, 3])).toBe('1 0 0 1');
  });
});

function print(register: number): Block {
  return block([{ op: 'print', stream: 'out', format: 0, values: [{ kind: 'integer', value: r(register) }] }]);
}

describe('control', () => {
  test('division by zero goes to the handler, or ends the hit', () => {
    const divide = (onFail: number | undefined): Bare => ({ op: 'binary', to: 0, operator: 'umod', left: k(5), right: k(0), onFail });
    expect(registersAfter([divide(undefined)], [0])).toBe('division-by-zero');
    const blocks = [block([divide(1)]), block([{ op: 'move', to: 0, from: k(3) }], { op: 'jump', to: 2 }), print(0)];
    expect(run(program([irFunction(blocks)], { formats: [format({ verb: 'd' })] })).recorded.text).toBe('3');
  });

  test('a loop without end meets its budget', () => {
    const { outcome } = run(program([irFunction([block([at(3, { op: 'move', to: 0, from: k(1) })], { op: 'jump', to: 0 })])]), {
      loopBudget: 10_000,
    });
    expect(outcome).toMatchObject({
      why: 'loop-budget',
      message: '_oneshot ended early at test.y:3: the probe took its 10,000 instructions',
    });
  });

  test('calls pass numbers, texts and results, and may recurse', () => {
    // sum(n, t): n === 0 ? 0 : n + sum(n - 1, t)
    const sum = irFunction(
      [
        block([], branch(r(0), 1, 2)),
        block(
          [
            { op: 'binary', to: 2, operator: 'sub', left: r(0), right: k(1) },
            { op: 'call', to: 3, function: 1, arguments: [r(2), { text: { local: 0 } }] },
            { op: 'binary', to: 3, operator: 'add', left: r(3), right: r(0) },
          ],
          { op: 'return', value: r(3) },
        ),
        block([{ op: 'print', stream: 'out', format: 0, values: [{ kind: 'text', text: { local: 0 } }] }], {
          op: 'return',
          value: k(1n << 62n),
        }),
      ],
      { parameters: ['integer', 'text'], result: 'integer', texts: [3] },
    );
    const body = irFunction([
      block([
        { op: 'call', to: 0, function: 1, arguments: [k(4), { text: { literal: 0 } }] },
        { op: 'print', stream: 'out', format: 1, values: [{ kind: 'integer', value: r(0) }] },
      ]),
    ]);
    const formats = [format('[', { verb: 's' }, '] '), format({ verb: 'd' })];
    expect(run(program([body, sum], { formats, literals: [Buffer.from('abcd')] })).recorded.text).toBe(`[abc] ${(1n << 62n) + 10n}`);
  });

  test('calls that never return are stopped', () => {
    const forever = irFunction([block([{ op: 'call', to: undefined, function: 0, arguments: [] }])]);
    const { outcome, engine } = run(program([forever]));
    expect(outcome).toMatchObject({ kind: 'ended', why: 'loop-budget', message: expect.stringContaining('calls nest deeper than 1000') });
    expect(engine.run(0)).toEqual(outcome);
  });

  test('a fail ends the hit with its reason', () => {
    expect(run(program([irFunction([block([], { op: 'fail', why: 'uncaught' })])])).outcome).toMatchObject({
      kind: 'ended',
      why: 'uncaught',
    });
  });

  test('an instruction about a hit is our bug', () => {
    const whole = program([irFunction([block([{ op: 'argument', to: 0, index: 0 }])])]);
    expect(() => run(whole)).toThrow('Bug: the instruction argument is in a host probe');
  });
});

describe('texts', () => {
  const local = (index: number) => ({ local: index });

  function textsAfter(list: readonly Bare[], shown: readonly number[], texts: readonly number[], of: Partial<Program> = {}): string {
    const values = shown.map((index) => ({ kind: 'text', text: local(index) }) as const);
    const pieces = shown.flatMap(() => ['<', { verb: 's' } as const, '>']);
    const whole = program([irFunction([block([...list, { op: 'print', stream: 'out', format: 0, values }])], { texts })], {
      formats: [format(...pieces)],
      ...of,
    });
    const { recorded, outcome } = run(whole);
    return outcome.kind === 'done' ? recorded.text : outcome.why;
  }

  test('are read to a NUL, by length, and cut at the capacity', () => {
    const readText = (to: number, address: bigint, length?: bigint): Bare => ({
      op: 'read-text',
      to: local(to),
      space: 'user',
      address: k(address),
      length: length === undefined ? undefined : k(length),
      onFail: undefined,
    });
    const list = [readText(0, BASE + 16n), readText(1, BASE + 16n, 7n), readText(2, BASE + 16n), readText(3, BASE + 56n)];
    expect(textsAfter(list, [0, 1, 2, 3], [32, 32, 3, 8])).toBe('<hello><hello\\x00w><hel><unended!>');
    expect(textsAfter([readText(0, BASE + 56n)], [0], [9])).toBe('failed-read');
    expect(textsAfter([readText(0, BASE + 16n, -1n)], [0], [9])).toBe('<>');
  });

  test('are joined, cut, compared and measured', () => {
    const list: Bare[] = [
      { op: 'copy-text', to: local(0), from: { literal: 0 } },
      { op: 'concatenate', to: local(0), left: local(0), right: local(0) },
      { op: 'concatenate', to: local(1), left: { literal: 0 }, right: local(0) },
      { op: 'substring', to: local(2), from: local(0), start: k(2), length: k(3) },
      { op: 'substring', to: local(3), from: local(0), start: k(-4), length: k(2n ** 62n) },
      { op: 'substring', to: local(2), from: local(2), start: k(1), length: k(9) },
    ];
    expect(textsAfter(list, [0, 1, 2, 3], [16, 5, 16, 16], { literals: [Buffer.from('abc')] })).toBe('<abcabc><abcab><ab><abcabc>');
  });

  test('compare by unsigned bytes, the shorter first', () => {
    const literals = ['a', 'ab', '\u00e9', 'z'].map((text) => Buffer.from(text));
    const compare = (to: number, left: number, right: number): Bare => ({
      op: 'compare-text',
      to,
      left: { literal: left },
      right: { literal: right },
    });
    expect(registersAfter([compare(0, 0, 1), compare(1, 2, 3), compare(2, 1, 1)], [0, 1, 2], {}, { literals })).toBe('-1 1 0');
  });

  test('have a length and bytes', () => {
    const list: Bare[] = [
      { op: 'text-length', to: 0, from: { literal: 0 } },
      ...[0, -1, 3, 2n ** 63n].map((index, to): Bare => ({ op: 'text-at', to: to + 1, from: { literal: 0 }, index: k(index) })),
    ];
    expect(registersAfter(list, [0, 1, 2, 3, 4], {}, { literals: [Buffer.from([0xe9, 1, 2])] })).toBe('3 233 0 0 0');
  });

  test('of the program are kept between runs', () => {
    const globals = [
      { name: 's', kind: 'text', size: 4, signed: false, sharing: 'shared', initial: Buffer.from('ab'), place: PLACE },
    ] as const;
    const grow: Bare = { op: 'concatenate', to: { global: 0 }, left: { global: 0 }, right: { literal: 0 } };
    const show: Bare = { op: 'print', stream: 'out', format: 0, values: [{ kind: 'text', text: { global: 0 } }] };
    const { engine, recorded } = run(
      program([irFunction([block([show, grow])])], { globals, formats: [format({ verb: 's' }, ';')], literals: [Buffer.from('c')] }),
    );
    for (let count = 0; count < 3; count++) engine.run(0);
    expect(recorded.text).toBe('ab;abc;abcc;abcc;');
  });
});

describe('what is around a probe', () => {
  test('the identity, the clocks and chance', () => {
    const names = [
      'pid',
      'tid',
      'ppid',
      'pgid',
      'nspid',
      'uid',
      'gid',
      'cpu',
      'cgroup',
      'now-ns',
      'now-us',
      'now-ms',
      'now-s',
      'random',
      'thread-pointer',
    ] as const;
    const list = names.map((name, to): Bare => ({ op: 'builtin', to, name }));
    expect(
      registersAfter(
        list,
        names.map((_name, index) => index),
      ),
    ).toBe('100 101 1 99 7 1000 1001 0 5 5000000001 5000000 5000 5 42 140733193392128');
  });

  test('warnings and errors have streams of their own; exit is told', () => {
    const say = (stream: 'out' | 'warn' | 'error'): Bare => ({ op: 'print', stream, format: 0, values: [] });
    const { recorded } = run(
      program([irFunction([block([say('warn'), { op: 'exit' }, say('error'), say('out')])])], { formats: [format('x')] }),
    );
    expect(recorded).toMatchObject({ text: 'warn: x\nerror: x\nx', exits: 1 });
  });

  test('addresses, lines, backtraces and enumerators have names', () => {
    const colour: EnumType = { kind: 'enum', name: 'colour', size: 4, signed: false, enumerators: [{ name: 'RED', value: 2n }] };
    const named = { kind: 'named', form: 'typedef', name: 'colour_t', target: colour } as const;
    const describe = (value: bigint, as: Description): Bare[] => [
      { op: 'print', stream: 'out', format: 0, values: [{ kind: 'described', value: k(value), as }] },
      { op: 'describe', to: { local: 0 }, from: k(value), as },
      { op: 'print', stream: 'out', format: 0, values: [{ kind: 'text', text: { local: 0 } }] },
    ];
    const list = [
      ...describe(0xffff_ffff_8000_0000n, { kind: 'symbol', space: 'kernel' }),
      ...describe(12n, { kind: 'source' }),
      ...describe(2n, { kind: 'stack' }),
      ...describe(2n, { kind: 'enum', type: named }),
      ...describe(-1n, { kind: 'enum', type: named }),
    ];
    const { recorded } = run(program([irFunction([block(list)], { texts: [64] })], { formats: [format({ verb: 's' }, '|')] }));
    const twice = (text: string): string => `${text}|${text}|`;
    expect(recorded.text).toBe(
      twice('kernel:ffffffff80000000') + twice('file.c:12') + twice('leaf+0x10\nmiddle+0x10\n') + twice('RED') + twice('-1'),
    );
  });

  test('a backtrace or a register that cannot be had is counted', () => {
    const list: Bare[] = [
      { op: 'stack', to: 0, form: 'user' },
      { op: 'register', to: 1, name: 'ip' },
    ];
    const whole = program([irFunction([block(list)])]);
    const { engine, outcome } = run(whole);
    expect(outcome).toMatchObject({ why: 'failed-read' });
    expect(engine.losses().map(({ why }) => why)).toEqual(['stack-lost', 'failed-read']);
    expect(run(whole, { captureStack: () => 3n, register: () => 0x1234n }).outcome).toEqual({ kind: 'done' });
  });
});
