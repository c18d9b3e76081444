import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { at, block, format, irFunction, k, program, r, testEnvironment } from '../../../../test/support/y-program.ts';
import type { AggregateReader, ArraySpec, Instruction, IrFunction, KeyArgument, Program, ValueSpec } from '../../ir/program.ts';
import { SnapshotEngine } from './engine.ts';

type Bare = Parameters<typeof block>[0][number];

const PLACE = { file: 'test.y', line: 1, column: 1 };
const LONG = { kind: 'integer', size: 8, signed: true, type: undefined } as const;
const TEXT = { kind: 'text', capacity: 8 } as const;

function array(keys: ArraySpec['keys'], value: ValueSpec, rest: Partial<ArraySpec> = {}): ArraySpec {
  return { name: 'arr', keys, value, capacity: 100, storage: 'shared', place: PLACE, ...rest };
}

function show(...registers: readonly number[]): Bare {
  return {
    op: 'print',
    stream: 'out',
    format: registers.length - 1,
    values: registers.map((register) => ({ kind: 'integer', value: r(register) })),
  };
}

const D = { verb: 'd' } as const;
const FORMATS = [format(D, ';'), format(D, ',', D, ';'), format(D, ',', D, ',', D, ';')];

function run(functions: readonly IrFunction[], rest: Partial<Program>) {
  const whole = program(functions, { formats: FORMATS, ...rest });
  const made = testEnvironment(whole);
  const engine = new SnapshotEngine(whole, made.environment);
  const outcome = engine.run(0);
  return { ...made, engine, outcome, text: made.recorded.text };
}

function runStraight(list: readonly Bare[], rest: Partial<Program>) {
  return run([irFunction([block(list)], { texts: [16, 16] })], rest);
}

describe('globals', () => {
  test('are added to modulo their size; the value before is extended by their sign', () => {
    const global = (size: number, signed: boolean, initial: Uint8Array) =>
      ({ name: 'g', kind: 'integer', size, signed, sharing: 'shared', initial, place: PLACE }) as const;
    const globals = [global(4, true, Buffer.from('ffffff7f', 'hex')), global(4, false, Buffer.from('ffffffff', 'hex'))];
    const add = (to: number, index: number): Bare => ({ op: 'add-global', to, global: index, offset: 0, size: 4, value: k(1) });
    const load = (to: number, index: number): Bare => ({ op: 'load-global', to, global: index, offset: 0, size: 4, signed: index === 0 });
    expect(runStraight([add(0, 0), load(1, 0), add(2, 1), load(3, 1), show(0, 1), show(2, 3)], { globals }).text).toBe(
      '2147483647,-2147483648;4294967295,0;',
    );
  });

  test('of doubles and structs keep their parts', () => {
    const globals = [
      { name: 'f', kind: 'float', size: 8, signed: true, sharing: 'shared', initial: undefined, place: PLACE },
      { name: 's', kind: 'struct', size: 16, signed: false, sharing: 'shared', initial: undefined, place: PLACE },
    ] as const;
    const list: Bare[] = [
      { op: 'float', to: 0, value: -1.25 },
      { op: 'store-global', global: 0, offset: 0, size: 8, value: r(0) },
      { op: 'load-global', to: 1, global: 0, offset: 0, size: 8, signed: true },
      { op: 'store-global', global: 1, offset: 12, size: 2, value: k(-3) },
      { op: 'load-global', to: 2, global: 1, offset: 8, size: 8, signed: false },
      { op: 'print', stream: 'out', format: 0, values: [{ kind: 'float', register: 1 }] },
      { op: 'print', stream: 'out', format: 1, values: [{ kind: 'integer', value: r(2) }] },
    ];
    const body = irFunction([block(list)], { registers: ['float', 'float', 'integer'] });
    expect(run([body], { globals, formats: [format({ verb: 'f' }, ' '), format({ verb: 'x' })] }).text).toBe('-1.250000 fffd00000000');
  });
});

describe('arrays', () => {
  const add = (value: number, ...keys: readonly KeyArgument[]): Bare => ({ op: 'array-add', to: 0, array: 0, keys, value: k(value) });
  const load = (to: number, ...keys: readonly KeyArgument[]): Bare => ({
    op: 'array-load',
    to,
    array: 0,
    keys,
    offset: 0,
    size: 8,
    signed: true,
  });
  const has = (to: number, ...keys: readonly KeyArgument[]): Bare => ({ op: 'array-has', to, array: 0, keys });
  const literal = (index: number): KeyArgument => ({ text: { literal: index } });
  const literals = ['x', 'xy', ''].map((text) => Buffer.from(text));

  test('count by several keys; what is missing is 0', () => {
    const arrays = [array([TEXT, { ...LONG, size: 2, signed: true }], LONG)];
    const list = [
      add(5, literal(0), k(0xffff)),
      add(2, literal(0), k(-1)),
      load(1, literal(0), k(65535)),
      load(2, literal(1), k(-1)),
      show(0, 1, 2),
    ];
    const { storage, text } = runStraight(list, { arrays, literals });
    expect(text).toBe('5,7,0;');
    expect(storage.entries(0).map(({ key }) => key)).toEqual([[Uint8Array.of(0x78), -1n]]);
  });

  test('tell texts apart that join to the same bytes', () => {
    const arrays = [array([TEXT, TEXT], LONG)];
    const list = [
      add(1, literal(0), literal(1)),
      add(1, literal(1), literal(0)),
      add(1, literal(2), literal(1)),
      { op: 'array-count', to: 1, array: 0 } as const,
      show(1),
    ];
    expect(runStraight(list, { arrays, literals }).text).toBe('3;');
  });

  test('are stored to in parts, deleted from and cleared', () => {
    const arrays = [array([LONG], { kind: 'struct', size: 16 })];
    const store = (key: number, offset: number, value: number): Bare => ({
      op: 'array-store',
      array: 0,
      keys: [k(key)],
      offset,
      size: 4,
      value: k(value),
    });
    const list: Bare[] = [
      store(1, 8, 7),
      store(1, 12, 1),
      { op: 'array-load', to: 1, array: 0, keys: [k(1)], offset: 8, size: 8, signed: false },
      { op: 'array-delete', array: 0, keys: [k(1)] },
      { op: 'array-delete', array: 0, keys: [k(9)] },
      has(2, k(1)),
      store(2, 0, 1),
      has(3, k(2)),
      { op: 'array-clear', array: 0 },
      has(4, k(2)),
      show(1, 2, 3),
      show(4),
    ];
    expect(runStraight(list, { arrays }).text).toBe(`${7n + (1n << 32n)},0,1;0;`);
  });

  test('hold texts, cut at their capacity', () => {
    const arrays = [array([LONG], { kind: 'text', capacity: 3 })];
    const list: Bare[] = [
      { op: 'array-store-text', array: 0, keys: [k(1)], value: { literal: 0 } },
      { op: 'array-load-text', to: { local: 0 }, array: 0, keys: [k(1)] },
      { op: 'array-load-text', to: { local: 1 }, array: 0, keys: [k(2)] },
      { op: 'print', stream: 'out', format: 0, values: [0, 1].map((local) => ({ kind: 'text', text: { local } })) },
    ];
    expect(
      runStraight(list, { arrays, literals: [Buffer.from('abcdef')], formats: [format({ verb: 's' }, '|', { verb: 's' }, '|')] }).text,
    ).toBe('abc||');
  });

  test('that are full drop what is new, and count it', () => {
    const arrays = [array([LONG], LONG, { capacity: 2 })];
    const full = at(9, add(1, k(3)) as Instruction);
    const { engine, storage, text } = runStraight(
      [add(1, k(1)), add(1, k(2)), full, add(4, k(1)), load(1, k(1)), load(2, k(3)), show(1, 2)],
      { arrays },
    );
    expect(text).toBe('5,0;');
    expect(storage.countEntries(0)).toBe(2);
    expect(engine.losses()).toEqual([{ why: 'array-full', at: { ...PLACE, line: 9 }, count: 1 }]);
  });

  test('that forget the least recently used make room', () => {
    const arrays = [array([LONG], LONG, { capacity: 2, storage: 'lru' })];
    const list = [add(1, k(1)), add(1, k(2)), load(1, k(1)), add(1, k(3)), has(2, k(1)), has(3, k(2)), has(4, k(3)), show(2, 3, 4)];
    expect(runStraight(list, { arrays }).text).toBe('1,0,1;');
  });
});

describe('_foreach', () => {
  const arrays = [array([TEXT, LONG], LONG)];
  const literals = ['b', 'a', 'ab'].map((text) => Buffer.from(text));
  const fill = [
    [0, 2, 10],
    [1, 5, 10],
    [2, -1, 7],
    [1, -5, 99],
  ].map(([text, number, value]): Bare => ({
    op: 'array-add',
    to: undefined,
    array: 0,
    keys: [{ text: { literal: text! } }, k(number!)],
    value: k(value!),
  }));

  type Iterate = Extract<Instruction, { op: 'iterate' }>;

  /** The keys in the order of the loop; the loop adds an entry that it must not meet. */
  function walk(order: Iterate['order'], limit?: number, functions: readonly IrFunction[] = []): string {
    const iterate: Bare = { op: 'iterate', iterator: 1, array: 0, order, limit: limit === undefined ? undefined : k(limit) };
    const body: Bare[] = [
      { op: 'iterator-key', to: { local: 0 }, iterator: 1, index: 0 },
      { op: 'iterator-key', to: 0, iterator: 1, index: 1 },
      {
        op: 'print',
        stream: 'out',
        format: 0,
        values: [
          { kind: 'text', text: { local: 0 } },
          { kind: 'integer', value: r(0) },
        ],
      },
      { op: 'array-add', to: undefined, array: 0, keys: [{ text: { literal: 0 } }, k(77)], value: k(1) },
    ];
    const main = irFunction(
      [
        block([...fill, iterate], { op: 'next', iterator: 1, body: 1, done: 2 }),
        block(body, { op: 'next', iterator: 1, body: 1, done: 2 }),
        block([]),
      ],
      {
        texts: [8],
        iterators: 2,
      },
    );
    return run([main, ...functions], { arrays, literals, formats: [format({ verb: 's' }, D, ' ')] }).text;
  }

  test('goes by key when nothing is asked', () => {
    expect(walk(undefined)).toBe('a-5 a5 ab-1 b2 ');
  });

  test('goes by key or value, either way; equal ones by key', () => {
    expect(walk({ descending: true, by: 'key' })).toBe('b2 ab-1 a5 a-5 ');
    expect(walk({ descending: false, by: 'value' })).toBe('ab-1 a5 b2 a-5 ');
    expect(walk({ descending: true, by: 'value' })).toBe('a-5 a5 b2 ab-1 ');
  });

  test('goes by what a function makes of the keys', () => {
    const square: Bare[] = [
      { op: 'iterator-key', to: 0, iterator: 1, index: 1 },
      { op: 'binary', to: 1, operator: 'mul', left: r(0), right: r(0) },
    ];
    const by = irFunction([block(square, { op: 'return', value: r(1) })], { result: 'integer' });
    expect(walk({ descending: true, by: { function: 1 } }, undefined, [by])).toBe('a-5 a5 b2 ab-1 ');
    const half = irFunction(
      [
        block(
          [
            { op: 'iterator-key', to: 0, iterator: 1, index: 1 },
            { op: 'convert', to: 2, from: r(0), form: 'signed' },
          ],
          { op: 'return', value: r(2) },
        ),
      ],
      {
        registers: ['integer', 'integer', 'float'],
        result: 'float',
      },
    );
    expect(walk({ descending: false, by: { function: 1 } }, undefined, [half])).toBe('a-5 ab-1 b2 a5 ');
  });

  test.each([
    [2, 'a-5 a5 '],
    [0, ''],
    [-1, ''],
    [9, 'a-5 a5 ab-1 b2 '],
  ])('stops after %d entries', (limit, expected) => {
    expect(walk(undefined, limit)).toBe(expected);
  });
});

describe('aggregates', () => {
  const arrays = [array([LONG], { kind: 'aggregate' })];
  const readers: readonly AggregateReader[] = ['count', 'sum', 'min', 'max', 'avg'];
  const samples = fc.array(fc.oneof(fc.integer({ min: -40, max: 40 }).map(BigInt), fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })), {
    maxLength: 40,
  });

  test('read what plain computation says', () => {
    fc.assert(
      fc.property(samples, (list) => {
        expect(readers.map((reader) => readOne(list, reader))).toEqual(expectedOf(list));
      }),
      { numRuns: 200 },
    );
  });

  test('have quantiles within 6.25 % of the sample at that rank', () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 1_000_000 }), (list, millionths) => {
        const got = readOne(list, 'quantile', millionths);
        const sorted = [...list].sort((a, b) => (a < b ? -1 : Number(a > b)));
        const rank = Math.max(1, Math.ceil((millionths * list.length) / 1_000_000));
        const exact = sorted[rank - 1] ?? 0n;
        const error = Math.abs(Number(got - exact));
        expect(error).toBeLessThanOrEqual(0.0625 * Math.abs(Number(exact)));
      }),
      { numRuns: 300 },
    );
  });

  test('have variance and deviation as doubles', () => {
    const fill = [2n, 4n, 4n, 4n, 5n, 5n, 7n, 9n].map((value): Bare => ({
      op: 'aggregate',
      into: { array: 0, keys: [k(1)] },
      value: k(value),
    }));
    const list: Bare[] = [
      ...fill,
      ...(['variance', 'stddev'] as const).map((reader, to): Bare => ({
        op: 'aggregate-read',
        to,
        from: { array: 0, keys: [k(1)] },
        reader,
        argument: undefined,
      })),
      { op: 'print', stream: 'out', format: 0, values: [0, 1].map((register) => ({ kind: 'float', register })) },
    ];
    const body = irFunction([block(list)], { registers: ['float', 'float'] });
    expect(run([body], { arrays, formats: [format({ verb: 'f' }, ' ', { verb: 'f' })] }).text).toBe('4.000000 2.000000');
  });

  test('that are missing read as 0 and are not made', () => {
    const list: Bare[] = [{ op: 'aggregate-read', to: 0, from: { array: 0, keys: [k(1)] }, reader: 'max', argument: undefined }, show(0)];
    const { text, storage } = runStraight(list, { arrays });
    expect([text, storage.countEntries(0)]).toEqual(['0;', 0]);
  });

  test('print as histograms', () => {
    const scales = [{ kind: 'log' }, { kind: 'linear', low: 0n, high: 8n, step: 4n }] as const;
    const globals = [{ name: 'g', kind: 'aggregate', size: 0, signed: true, sharing: 'shared', initial: undefined, place: PLACE }] as const;
    const list: Bare[] = [
      ...[-3n, 1n, 1n, 5n, 100n].map((value): Bare => ({ op: 'aggregate', into: { global: 0 }, value: k(value) })),
      { op: 'print', stream: 'out', format: 0, values: scales.map((scale) => ({ kind: 'histogram', from: { global: 0 }, scale })) },
    ];
    const lines = runStraight(list, { globals, formats: [format({ verb: 's' }, { verb: 's' })] }).text.split('\n');
    expect(lines.map((line) => line.slice(0, 14).trimEnd())).toEqual([
      ' (-4, -2]  1 |',
      '       -1  0 |',
      '        0  0 |',
      '        1  2 |',
      '   [2, 4)  0 |',
      '   [4, 8)  1 |',
      '  [8, 16)  0 |',
      ' [16, 32)  0 |',
      ' [32, 64)  0 |',
      '[64, 128)  1 |',
      '   < 0  1 |███',
      '[0, 4)  2 |███',
      '[4, 8)  1 |███',
      '  >= 8  1 |███',
      '',
    ]);
  });

  function readOne(list: readonly bigint[], reader: AggregateReader, argument?: number): bigint {
    const fill = list.map((value): Bare => ({ op: 'aggregate', into: { array: 0, keys: [k(1)] }, value: k(value) }));
    const read: Bare = { op: 'aggregate-read', to: 0, from: { array: 0, keys: [k(1)] }, reader, argument };
    return BigInt(runStraight([...fill, read, show(0)], { arrays }).text.slice(0, -1));
  }

  function expectedOf(list: readonly bigint[]): readonly bigint[] {
    const count = BigInt(list.length);
    const sum = BigInt.asIntN(
      64,
      list.reduce((total, value) => total + value, 0n),
    );
    const least = list.reduce((a, b) => (a < b ? a : b), list[0] ?? 0n);
    const greatest = list.reduce((a, b) => (a > b ? a : b), list[0] ?? 0n);
    return [count, sum, least, greatest, count === 0n ? 0n : sum / count];
  }
});
