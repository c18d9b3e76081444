import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { at, block, branch, format, irFunction, k, r } from '../../../../test/support/y-program.ts';
import {
  callOf,
  hitProbe,
  hitProgram,
  INTEGER_KEY,
  integerArray,
  integerGlobal,
  OPTIONS,
  prepareRun,
  readArrayAggregates,
  readGlobalAggregate,
} from '../../../../test/support/y-ebpf.ts';
import type { BinaryOperator, Instruction, Program } from '../../ir/program.ts';
import { bucketOf } from '../aggregate-layout.ts';
import { compileEbpf } from './index.ts';

const store = (global: number, register: number) => ({ op: 'store-global', global, offset: 0, size: 8, value: r(register) }) as const;
const aggregateGlobal = integerGlobal('a', { kind: 'aggregate', size: 0 });
const textKey = (capacity: number) => ({ kind: 'text', capacity }) as const;
const bytes = (text: string) => new TextEncoder().encode(text);

/** The value that a function leaves in global 0, run once. */
function compute(instructions: Parameters<typeof block>[0], context?: Uint8Array, rest: Partial<Program> = {}): bigint | string {
  const of = hitProgram([irFunction([block([...instructions, store(0, 0)])])], { globals: [integerGlobal('g')], ...rest });
  const run = prepareRun(of);
  run.hit(context);
  return run.global(0);
}

describe('arithmetic', () => {
  const MIN = -(2n ** 63n);
  test.each<[BinaryOperator, bigint, bigint, bigint]>([
    ['add', 5n, 7n, 12n],
    ['add', 2n ** 63n - 1n, 1n, MIN],
    ['sub', 5n, 7n, -2n],
    ['mul', -3n, 7n, -21n],
    ['sdiv', -7n, 2n, -3n],
    ['sdiv', MIN, -1n, MIN],
    ['smod', -7n, 2n, -1n],
    ['smod', 7n, -2n, 1n],
    ['udiv', -1n, 2n, 2n ** 63n - 1n],
    ['umod', -1n, 10n, 5n],
    ['and', 12n, 10n, 8n],
    ['or', 12n, 10n, 14n],
    ['xor', 12n, 10n, 6n],
    ['shl', 1n, 65n, 2n],
    ['lshr', -1n, 60n, 15n],
    ['ashr', -16n, 2n, -4n],
    ['eq', 3n, 3n, 1n],
    ['slt', -1n, 0n, 1n],
    ['ult', -1n, 0n, 0n],
    ['uge', -1n, 2n ** 40n, 1n],
  ])('%s of %d and %d is %d, from registers and constants alike', (operator, left, right, expected) => {
    const arguments_ = [
      { op: 'argument', to: 1, index: 0 },
      { op: 'argument', to: 2, index: 1 },
    ] as const;
    const context = callOf(left, right);
    for (const [a, b] of [
      [r(1), r(2)],
      [r(1), k(right)],
      [k(left), r(2)],
      [k(left), k(right)],
    ] as const)
      expect(compute([...arguments_, { op: 'binary', to: 0, operator, left: a, right: b }], context)).toBe(expected);
    // The result may be one of the operands.
    for (const to of [1, 2])
      expect(
        compute([...arguments_, { op: 'binary', to, operator, left: r(1), right: r(2) }, { op: 'move', to: 0, from: r(to) }], context),
      ).toBe(expected);
  });

  test.each([
    [0n, 0n, 0n],
    [1n, 0n, 1n],
    [1000n, 9n, 6n],
    [-1n, 63n, 64n],
    [2n ** 40n, 40n, 1n],
  ])('log2 and popcount of %d', (value, log, ones) => {
    const from = { op: 'argument', to: 1, index: 0 } as const;
    expect(compute([from, { op: 'log2', to: 0, from: r(1) }], callOf(value))).toBe(log);
    expect(compute([from, { op: 'popcount', to: 0, from: r(1) }], callOf(value))).toBe(ones);
  });

  test('extend and extract keep what they should', () => {
    const from = { op: 'argument', to: 1, index: 0 } as const;
    const value = callOf(0xffff_fff0_8001_00f3n);
    const extend = (bits: 1 | 8 | 16 | 32, signed: boolean) => compute([from, { op: 'extend', to: 0, from: r(1), bits, signed }], value);
    expect([extend(8, true), extend(8, false), extend(32, true), extend(32, false), extend(1, true)]).toEqual([
      -13n,
      0xf3n,
      -0x7ffe_ff0dn,
      0x8001_00f3n,
      -1n,
    ]);
    expect(compute([from, { op: 'extract', to: 0, from: r(1), shift: 4, bits: 3, signed: true }], value)).toBe(-1n);
    expect(compute([from, { op: 'extract', to: 0, from: r(1), shift: 31, bits: 33, signed: false }], value)).toBe(0x1_ffff_ffe1n);
  });

  test('a division by zero ends the hit and is counted, or goes to its handler', () => {
    const divide = (onFail?: number): Instruction => at(3, { op: 'binary', to: 0, operator: 'sdiv', left: k(1), right: r(1), onFail });
    const first = [{ op: 'argument', to: 1, index: 0 } as const];
    const ends = prepareRun(hitProgram([irFunction([block([...first, divide(), store(0, 0)])])], { globals: [integerGlobal('g')] }));
    ends.hit(callOf(0n));
    expect(ends.losses()).toEqual({ 'division-by-zero': 1n });
    const handled = irFunction([block([...first, divide(1), store(0, 0)]), block([{ op: 'move', to: 0, from: k(77) }, store(0, 0)])]);
    const goesOn = prepareRun(hitProgram([handled], { globals: [integerGlobal('g')] }));
    goesOn.hit(callOf(0n));
    expect([goesOn.global(0), goesOn.losses()]).toEqual([77n, {}]);
  });

  test.each([0, -0, 1.5, -2.25, 1e-42, 1.4e-45, 3.4028234663852886e38, Infinity, -Infinity])(
    'a float of the target prints as the double %d',
    (value) => {
      const data = new DataView(new ArrayBuffer(4));
      data.setFloat32(0, value);
      const convert = irFunction([
        block([
          { op: 'argument', to: 1, index: 0 },
          { op: 'convert', to: 2, from: r(1), form: 'float32-bits' },
          { op: 'print', stream: 'out', format: 0, values: [{ kind: 'float', register: 2 }] },
        ]),
      ]);
      const run = prepareRun(hitProgram([convert], { formats: [format({ verb: 'f' })] }));
      run.hit(callOf(BigInt(data.getUint32(0))));
      expect(run.events()).toMatchObject([{ values: [data.getFloat32(0)] }]);
    },
  );
});

test('a double becomes the nearest float', () => {
  const narrow = irFunction([
    block([
      { op: 'argument', to: 1, index: 0 },
      { op: 'convert', to: 2, from: r(1), form: 'to-float32' },
      { op: 'store-global', global: 0, offset: 0, size: 8, value: r(2) },
    ]),
  ]);
  const run = prepareRun(hitProgram([narrow], { globals: [integerGlobal('bits', { signed: false })] }));
  const data = new DataView(new ArrayBuffer(8));
  const check = (value: number): void => {
    data.setFloat64(0, value);
    run.hit(callOf(data.getBigUint64(0)));
    data.setFloat32(0, value);
    expect([value, run.global(0)]).toEqual([value, BigInt(data.getUint32(0))]);
  };
  // Halfway between two floats, and between the greatest one and what would come after it.
  const halves = [1 + 2 ** -24, 1 + 3 * 2 ** -24, 2 ** -150, 3 * 2 ** -150, 2 ** -149, 2 ** -126 - 2 ** -150];
  const ends = [3.4028234663852886e38, 3.4028235677973366e38, 3.402823567797336e38, 1e300, 5e-324, 0, Infinity];
  for (const value of [...halves, ...ends]) for (const signed of [value, -value]) check(signed);
  const near = fc.tuple(fc.float({ noNaN: true, noDefaultInfinity: true }), fc.integer({ min: -3, max: 3 }));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.double({ noNaN: true }),
        fc.float({ noNaN: true }),
        near.map(([base, steps]) => base * (1 + steps * 2 ** -25)),
      ),
      check,
    ),
    { numRuns: 1000 },
  );
});

describe('loops', () => {
  /** sum += i while i < argument 0. */
  const sumLoop = irFunction([
    block(
      [
        { op: 'argument', to: 2, index: 0 },
        { op: 'move', to: 0, from: k(0) },
        { op: 'move', to: 1, from: k(0) },
      ],
      { op: 'jump', to: 1 },
    ),
    block([{ op: 'binary', to: 3, operator: 'slt', left: r(1), right: r(2) }], branch(r(3), 2, 3)),
    block(
      [
        { op: 'binary', to: 0, operator: 'add', left: r(0), right: r(1) },
        { op: 'binary', to: 1, operator: 'add', left: r(1), right: k(1) },
      ],
      { op: 'jump', to: 1 },
    ),
    block([store(0, 0)]),
  ]);

  test.each([true, false])('run to their end (bpf_loop: %s)', (loop) => {
    const run = prepareRun(hitProgram([sumLoop], { globals: [integerGlobal('g')] }), { features: { ...OPTIONS.features, loop } });
    run.hit(callOf(10n));
    expect(run.global(0)).toBe(45n);
    run.hit(callOf(0n));
    expect(run.global(0)).toBe(0n);
  });

  test('end at the budget, which is counted', () => {
    const run = prepareRun(hitProgram([sumLoop], { globals: [integerGlobal('g', { initial: bytes('\u0007') })] }), {
      limits: { ...OPTIONS.limits, loopBudget: 100 },
    });
    run.hit(callOf(99n));
    expect(run.global(0)).toBe(4851n);
    run.hit(callOf(100n));
    expect([run.global(0), run.losses()]).toEqual([4851n, { 'loop-budget': 1n }]);
    run.hit(callOf(3n));
    expect(run.global(0)).toBe(3n);
  });

  test('in a function that another loop calls, with a result', () => {
    const callee = irFunction(
      [
        block([{ op: 'move', to: 1, from: k(1) }], { op: 'jump', to: 1 }),
        block([], branch(r(0), 2, 3)),
        block(
          [
            { op: 'binary', to: 1, operator: 'mul', left: r(1), right: r(0) },
            { op: 'binary', to: 0, operator: 'sub', left: r(0), right: k(1) },
          ],
          { op: 'jump', to: 1 },
        ),
        block([], { op: 'return', value: r(1) }),
      ],
      { name: 'factorial', parameters: ['integer'], result: 'integer' },
    );
    const body = irFunction([
      block(
        [
          { op: 'move', to: 0, from: k(0) },
          { op: 'move', to: 1, from: k(1) },
        ],
        { op: 'jump', to: 1 },
      ),
      block(
        [
          { op: 'call', to: 2, function: 1, arguments: [r(1)] },
          { op: 'binary', to: 0, operator: 'add', left: r(0), right: r(2) },
          { op: 'binary', to: 1, operator: 'add', left: r(1), right: k(1) },
          { op: 'binary', to: 3, operator: 'sle', left: r(1), right: k(5) },
        ],
        branch(r(3), 1, 2),
      ),
      block([store(0, 0)]),
    ]);
    const run = prepareRun(hitProgram([body, callee], { globals: [integerGlobal('g')] }));
    run.hit();
    expect([run.global(0), run.losses()]).toEqual([1n + 2n + 6n + 24n + 120n, {}]);
  });
});

describe('recursion', () => {
  test('is refused, with the cycle', () => {
    const even = irFunction([block([{ op: 'call', to: undefined, function: 1, arguments: [] }])], { name: 'even' });
    const odd = irFunction([block([{ op: 'call', to: undefined, function: 0, arguments: [] }])], { name: 'odd' });
    const compiled = compileEbpf(hitProgram([even, odd]), OPTIONS);
    expect(compiled).toMatchObject({ ok: false, error: [{ code: 'recursion', message: expect.stringContaining('even → odd → even') }] });
  });
});

describe('arrays', () => {
  test('count by the name and the number, with keys as short as the texts used', () => {
    const body = irFunction(
      [
        block([
          { op: 'builtin-text', to: { local: 0 }, name: 'comm' },
          { op: 'builtin', to: 0, name: 'tid' },
          { op: 'array-add', to: undefined, array: 0, keys: [{ text: { local: 0 } }, r(0)], value: k(1) },
        ]),
      ],
      { texts: [16] },
    );
    const counts = integerArray('counts', [textKey(128), { kind: 'integer', size: 4, signed: true, type: undefined }]);
    const run = prepareRun(hitProgram([body], { arrays: [counts] }));
    expect(run.compiled.storage.arrays[0]?.keyBytes).toBe(28);
    expect(run.compiled.object.maps.map(({ name }) => name)).not.toContain('frames');
    for (let hit = 0; hit < 3; hit++) run.hit();
    expect(run.array(0)).toEqual({ 'worker,101': 3n });
  });

  test('store, load, find, delete, and count what no longer fits', () => {
    const key = [r(1)];
    const body = irFunction([
      block([
        { op: 'argument', to: 1, index: 0 },
        { op: 'array-has', to: 2, array: 0, keys: key },
        { op: 'array-load', to: 3, array: 0, keys: key, offset: 0, size: 4, signed: true },
        { op: 'array-add', to: 4, array: 0, keys: key, value: k(-5) },
        { op: 'array-load', to: 5, array: 0, keys: key, offset: 0, size: 4, signed: true },
        { op: 'array-store', array: 0, keys: key, offset: 0, size: 4, value: k(7) },
        { op: 'array-delete', array: 0, keys: [k(99)] },
        {
          op: 'print',
          stream: 'out',
          format: 0,
          values: [2, 3, 4, 5].map((register) => ({ kind: 'integer', value: r(register) }) as const),
        },
      ]),
    ]);
    const array = integerArray('a', [INTEGER_KEY], { capacity: 2, value: { kind: 'integer', size: 4, signed: true, type: undefined } });
    const run = prepareRun(hitProgram([body], { arrays: [array], formats: [format('')] }));
    for (const argument of [1n, 99n, 1n, 99n, 3n]) run.hit(callOf(argument));
    expect(run.events().map((event) => event.kind === 'print' && event.values)).toEqual([
      [0n, 0n, 0n, -5n],
      [0n, 0n, 0n, -5n],
      [1n, 7n, 7n, 2n],
      [0n, 0n, 0n, -5n],
      [0n, 0n, 0n, -5n],
    ]);
    expect(run.array(0)).toEqual({ 1: 7n, 3: 7n });
    expect(run.losses()).toEqual({});
    run.hit(callOf(4n));
    expect(run.losses()).toEqual({ 'array-full': 2n });
  });

  test('hold texts and structs; clearing empties them', () => {
    const body = irFunction(
      [
        block([
          { op: 'array-store-text', array: 0, keys: [k(1)], value: { literal: 0 } },
          { op: 'array-load-text', to: { local: 0 }, array: 0, keys: [k(1)] },
          { op: 'array-load-text', to: { local: 1 }, array: 0, keys: [k(2)] },
          { op: 'array-store', array: 1, keys: [{ text: { local: 0 } }], offset: 8, size: 2, value: k(-2) },
          { op: 'array-load', to: 0, array: 1, keys: [{ text: { local: 0 } }], offset: 8, size: 2, signed: true },
          { op: 'array-load', to: 1, array: 1, keys: [{ text: { local: 0 } }], offset: 0, size: 8, signed: true },
          {
            op: 'print',
            stream: 'out',
            format: 0,
            values: [
              { kind: 'text', text: { local: 0 } },
              { kind: 'text', text: { local: 1 } },
              { kind: 'integer', value: r(0) },
              { kind: 'integer', value: r(1) },
            ],
          },
          { op: 'array-clear', array: 0 },
        ]),
      ],
      { texts: [20, 8] },
    );
    const texts = integerArray('t', [INTEGER_KEY], { value: { kind: 'text', capacity: 12 } });
    const structs = integerArray('s', [textKey(32)], { value: { kind: 'struct', size: 16 } });
    const run = prepareRun(hitProgram([body], { arrays: [texts, structs], literals: [bytes('hello, wide world')], formats: [format('')] }));
    run.hit();
    expect(run.events()).toMatchObject([{ values: [bytes('hello, wide '), bytes(''), -2n, 0n] }]);
    expect(Object.keys(run.array(0))).toEqual([]);
    expect(Object.keys(run.array(1))).toEqual(['hello, wide ']);
  });
});

describe('aggregates', () => {
  const samples = [5n, -3n, 1_000_000_007n, 0n, 17n, 2n ** 62n, -(2n ** 63n)];
  const scale = { kind: 'linear', low: 0n, high: 100n, step: 10n } as const;
  const end = irFunction([
    block([
      { op: 'aggregate-read', to: 0, from: { global: 0 }, reader: 'min', argument: undefined },
      { op: 'aggregate-read', to: 0, from: { global: 0 }, reader: 'variance', argument: undefined },
      { op: 'aggregate-read', to: 0, from: { array: 0, keys: [k(1)] }, reader: 'quantile', argument: 500_000 },
      {
        op: 'print',
        stream: 'out',
        format: 0,
        values: [
          { kind: 'histogram', from: { global: 0 }, scale: { kind: 'log' } },
          { kind: 'histogram', from: { global: 0 }, scale },
          { kind: 'histogram', from: { array: 0, keys: [k(1)] }, scale },
        ],
      },
    ]),
  ]);
  const body = irFunction([
    block([
      { op: 'argument', to: 0, index: 0 },
      { op: 'aggregate', into: { global: 0 }, value: r(0) },
      { op: 'aggregate', into: { array: 0, keys: [k(1)] }, value: r(0) },
    ]),
  ]);
  const of = hitProgram([body, end], {
    globals: [aggregateGlobal],
    arrays: [integerArray('a', [INTEGER_KEY], { value: { kind: 'aggregate' } })],
    formats: [format('')],
    probes: [hitProbe(0), { ...hitProbe(1), point: { kind: 'end' }, where: 'host' }],
  });

  test('keep count, sum, bounds, squares and histograms', () => {
    const run = prepareRun(of);
    for (const sample of samples) run.hit(callOf(sample));
    const { value, read } = readGlobalAggregate(run.compiled, run.stored, 0);
    const sum = BigInt.asIntN(
      64,
      samples.reduce((total, sample) => total + sample, 0n),
    );
    const squares = BigInt.asUintN(
      128,
      samples.reduce((total, sample) => total + sample * sample, 0n),
    );
    expect(value).toMatchObject({ count: 7n, sum, minimum: -(2n ** 63n), maximum: 2n ** 62n, squares });
    expect(read('count')).toBe(7n);
    const logBuckets = new Map(samples.map((sample) => [bucketOf({ kind: 'log' }, sample), 1n]));
    expect(new Map(value.buckets[0])).toEqual(logBuckets);
    expect([...value.buckets[1]!].sort(([a], [b]) => a - b)).toEqual([
      [0, 2n],
      [1, 2n],
      [2, 1n],
      [11, 2n],
    ]);
    const [entry] = Object.values(readArrayAggregates(run.compiled, run.stored, 0));
    expect(entry).toMatchObject({
      count: 7n,
      sum,
      buckets: [
        logBuckets,
        new Map([
          [0, 2n],
          [1, 2n],
          [2, 1n],
          [11, 2n],
        ]),
      ],
    });
  });
});
