import { describe, expect, test } from 'vitest';
import { block, irFunction, k, program, testEnvironment } from '../../../test/support/y-program.ts';
import type { EnumType } from '../../ctypes/index.ts';
import { SnapshotEngine } from '../engines/snapshot/index.ts';
import type { ArraySpec, Instruction, KeyArgument, ValueSpec } from '../ir/program.ts';
import type { Chart } from './chart.ts';

type Bare = Parameters<typeof block>[0][number];
type ChartInstruction = Extract<Instruction, { op: 'chart' }>;

const PLACE = { file: 'test.y', line: 1, column: 1 };
const LONG = { kind: 'integer', size: 8, signed: true, type: undefined } as const;
const COLOUR: EnumType = { kind: 'enum', name: 'colour', size: 4, signed: false, enumerators: [{ name: 'RED', value: 2n }] };
const ENUM = { kind: 'integer', size: 4, signed: false, type: COLOUR } as const;
const TEXT = { kind: 'text', capacity: 16 } as const;
const STACK = { kind: 'stack' } as const;

interface Filled {
  readonly keys: ArraySpec['keys'];
  readonly value: ValueSpec;
  /** Keys and value of each entry; for aggregates each is one sample. */
  readonly entries: readonly (readonly [keys: readonly (bigint | string)[], value: bigint])[];
}

/** The chart that a program draws of an array which it has filled. */
function chartOf({ keys, value, entries }: Filled, rest: Partial<ChartInstruction> & Pick<ChartInstruction, 'chart'>): Chart {
  const texts = [...new Set(entries.flatMap(([parts]) => parts.filter((part) => typeof part === 'string')))];
  const literals = ['bytes', 'A title', ...texts].map((text) => Buffer.from(text));
  const argument = (part: bigint | string): KeyArgument =>
    typeof part === 'bigint' ? k(part) : { text: { literal: 2 + texts.indexOf(part) } };
  const fill = entries.map(([parts, number]): Bare => {
    const key = parts.map(argument);
    if (value.kind === 'aggregate') return { op: 'aggregate', into: { array: 0, keys: key }, value: k(number) };
    return { op: 'array-store', array: 0, keys: key, offset: 0, size: value.kind === 'integer' ? value.size : 8, value: k(number) };
  });
  const draw: Bare = { op: 'chart', source: { array: 0 }, reader: undefined, unit: undefined, title: undefined, ...rest };
  const arrays = [{ name: 'arr', keys, value, capacity: 100, storage: 'shared', place: PLACE }] as const;
  const whole = program([irFunction([block([...fill, draw])])], { arrays, literals });
  const { environment, recorded } = testEnvironment(whole);
  expect(new SnapshotEngine(whole, environment).run(0)).toEqual({ kind: 'done' });
  expect(recorded.charts).toHaveLength(1);
  return recorded.charts[0]!;
}

describe('buildChart()', () => {
  test('makes a flame graph of backtraces and the keys around them', () => {
    const entries = [
      [['nginx', 2n], 30n],
      [['nginx', 3n], 5n],
      [['nginx', 2n], 10n],
      [['curl', 0n], 1n],
    ] as const;
    expect(
      chartOf({ keys: [TEXT, STACK], value: { kind: 'aggregate' }, entries }, { chart: 'flame', reader: 'sum', unit: 0, title: 1 }),
    ).toEqual({
      type: 'flame',
      title: 'A title',
      unit: 'bytes',
      ver: 1,
      series: {
        name: 'arr',
        frames: ['curl', '[no stack]', 'nginx', 'middle', 'leaf', 'main'],
        data: [
          { stack: [2, 3, 4], value: 40 },
          { stack: [2, 5, 3, 4], value: 5 },
          { stack: [0, 1], value: 1 },
        ],
      },
      summary: { total: 46, count: 3 },
    });
  });

  test('makes shares, largest first, equal ones by key', () => {
    const entries = [
      [[7n], 1n],
      [[2n], 5n],
      [[1n], 1n],
    ] as const;
    const chart = chartOf({ keys: [ENUM], value: LONG, entries }, { chart: 'pie' });
    expect(chart).toMatchObject({ type: 'pie', title: 'arr', unit: '', summary: { total: 7, count: 3 } });
    expect(chart.series.data).toEqual([
      { name: 'RED', value: 5 },
      { name: '1', value: 1 },
      { name: '7', value: 1 },
    ]);
    expect(chartOf({ keys: [ENUM], value: { kind: 'aggregate' }, entries }, { chart: 'bar', reader: 'count' }).series.data).toContainEqual({
      name: 'RED',
      value: 1,
    });
  });

  test('makes one histogram of all aggregates', () => {
    const entries = [
      [[1n], 0n],
      [[1n], 3n],
      [[2n], 17n],
      [[2n], -6n],
    ] as const;
    expect(chartOf({ keys: [LONG], value: { kind: 'aggregate' }, entries }, { chart: 'histogram' })).toMatchObject({
      type: 'dist-bar',
      series: { data: { '-4': 1, '-2': 0, '-1': 0, '0': 1, '1': 0, '2': 1, '4': 0, '8': 0, '16': 1 } },
      summary: { min: -6, max: 17, avg: 3, cnt: 4 },
    });
  });

  test('makes tables with a header, integers as numbers', () => {
    const entries = [
      [['b', 5n], 2n],
      [['a', -5n], 1n],
    ] as const;
    expect(chartOf({ keys: [TEXT, LONG], value: ENUM, entries }, { chart: 'table' }).series.data).toEqual([
      ['key 1', 'key 2', 'arr'],
      ['a', -5, 1],
      ['b', 5, 'RED'],
    ]);
    expect(chartOf({ keys: [TEXT, LONG], value: { kind: 'aggregate' }, entries }, { chart: 'table' }).series.data).toEqual([
      ['key 1', 'key 2', 'count', 'sum', 'avg', 'min', 'max'],
      ['a', -5, 1, 1, 1, 1, 1],
      ['b', 5, 1, 2, 2, 2, 2],
    ]);
  });

  test('makes a line for each key before the last', () => {
    const entries = [
      [['in', 2n], 20n],
      [['out', 1n], 7n],
      [['in', 1n], 10n],
    ] as const;
    expect(chartOf({ keys: [TEXT, LONG], value: LONG, entries }, { chart: 'line' }).series.data).toEqual([
      { name: 'in', points: [[1, 10], [2, 20]] }, // prettier-ignore
      { name: 'out', points: [[1, 7]] },
    ]);
  });

  test('draws nothing of an empty array', () => {
    const empty = { keys: [LONG], value: { kind: 'aggregate' }, entries: [] } as const;
    expect(chartOf(empty, { chart: 'histogram' })).toMatchObject({ series: { data: {} }, summary: { min: 0, max: 0, avg: 0, cnt: 0 } });
    expect(chartOf(empty, { chart: 'flame' })).toMatchObject({ series: { frames: [], data: [] }, summary: { total: 0, count: 0 } });
  });
});
