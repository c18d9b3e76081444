import { describe, expect, test } from 'vitest';
import type { Block, Instruction, Program } from '../ir/program.ts';
import {
  addSample,
  bucketBounds,
  bucketOf,
  emptyAggregate,
  findHistogram,
  mergeRecord,
  planAggregates,
  readAggregate,
} from './aggregate-layout.ts';

const LOG = { kind: 'log' } as const;
const place = { file: 'x.y', line: 1, column: 1 };

function programWith(instructions: Instruction[]): Program {
  const block: Block = { instructions, end: { op: 'return', value: undefined } };
  const body = {
    name: 'end',
    parameters: [],
    result: 'none',
    registers: [],
    texts: [],
    objects: [],
    iterators: 0,
    blocks: [block],
    place,
  } as const;
  const aggregate = { name: 'a', kind: 'aggregate', size: 0, signed: true, sharing: 'shared', initial: undefined, place } as const;
  return {
    file: 'x.y',
    options: [],
    globals: [aggregate],
    arrays: [],
    literals: [],
    formats: [],
    regexes: [],
    functions: [body],
    probes: [],
    header: undefined,
    sources: new Map(),
  };
}

function layoutOf(instructions: Instruction[]) {
  return planAggregates(programWith(instructions)).globals.get(0)!;
}

const read = (reader: 'variance' | 'quantile' | 'min' | 'count', argument?: number): Instruction => ({
  op: 'aggregate-read',
  to: 0,
  from: { global: 0 },
  reader,
  argument,
  at: undefined,
});

describe('planAggregates()', () => {
  test('keeps only what is read', () => {
    expect(layoutOf([read('count')])).toMatchObject({ baseBytes: 16, denseBytes: 16, minimum: undefined, squares: undefined });
    expect(layoutOf([read('min'), read('variance')])).toMatchObject({ minimum: 16, maximum: 24, squares: 32, baseBytes: 48 });
    expect(layoutOf([read('quantile', 500_000)]).histograms).toHaveLength(1);
  });

  test('records each linear scale once', () => {
    const scale = { kind: 'linear', low: 0n, high: 10n, step: 3n } as const;
    const print: Instruction = {
      op: 'print',
      stream: 'out',
      format: 0,
      values: [
        { kind: 'histogram', from: { global: 0 }, scale },
        { kind: 'histogram', from: { global: 0 }, scale: LOG },
      ],
      at: undefined,
    };
    const layout = layoutOf([print, print]);
    expect(layout.histograms.map(({ buckets }) => buckets)).toEqual([6, 992]);
    expect(findHistogram(layout, scale)).toBe(0);
  });
});

describe('bucketOf()', () => {
  const samples = [0n, 1n, 15n, 16n, 17n, 255n, 256n, 1_000_003n, 2n ** 62n + 12345n, 2n ** 63n - 1n];

  test.each([...samples, ...samples.map((sample) => -sample - 1n)])('%d lies in its bucket, whose middle is within 6.25 %%', (sample) => {
    const bucket = bucketOf(LOG, sample);
    const { first, last } = bucketBounds(LOG, bucket);
    expect(sample >= first && sample <= last).toBe(true);
    const middle = Number((first + last) / 2n);
    expect(Math.abs(middle - Number(sample))).toBeLessThanOrEqual(0.0625 * Math.abs(Number(sample)));
  });

  test('buckets follow each other without gaps', () => {
    for (let bucket = 9; bucket < 983; bucket++) expect(bucketBounds(LOG, bucket).last + 1n).toBe(bucketBounds(LOG, bucket + 1).first);
  });

  test('a linear scale has a bucket below and one above', () => {
    const scale = { kind: 'linear', low: 10n, high: 20n, step: 4n } as const;
    expect([9n, 10n, 13n, 14n, 19n, 20n].map((sample) => bucketOf(scale, sample))).toEqual([0, 1, 1, 2, 3, 4]);
    expect(bucketBounds(scale, 3)).toEqual({ first: 18n, last: 19n });
  });
});

describe('readAggregate()', () => {
  test('gives what the samples say', () => {
    const layout = layoutOf([read('min'), read('variance'), read('quantile')]);
    const value = emptyAggregate(layout);
    for (const sample of [-4n, 0n, 4n, 8n]) addSample(layout, value, sample);
    const results = (['count', 'sum', 'min', 'max', 'avg', 'variance'] as const).map((reader) =>
      readAggregate(layout, value, reader, undefined),
    );
    expect(results).toEqual([4n, 8n, -4n, 8n, 2n, 20]);
    expect(readAggregate(layout, value, 'quantile', 500_000)).toBe(0n);
    expect(readAggregate(layout, value, 'quantile', 1_000_000)).toBe(8n);
  });

  test('gives 0 without samples', () => {
    const layout = layoutOf([read('min'), read('variance'), read('quantile')]);
    for (const reader of ['min', 'avg', 'variance', 'quantile'] as const)
      expect(Number(readAggregate(layout, emptyAggregate(layout), reader, 990_000))).toBe(0);
  });

  test('merges the records of several CPUs', () => {
    const layout = layoutOf([read('min'), read('variance')]);
    const record = (count: bigint, sum: bigint, minimum: bigint, maximum: bigint, squares: bigint): Uint8Array => {
      const data = new DataView(new ArrayBuffer(layout.denseBytes));
      for (const [index, field] of [count, sum, minimum, maximum, squares].entries()) data.setBigInt64(8 * index, field, true);
      return new Uint8Array(data.buffer);
    };
    const value = emptyAggregate(layout);
    mergeRecord(layout, value, record(0n, 0n, 0n, 0n, 0n), true);
    mergeRecord(layout, value, record(2n, -6n, -4n, -2n, 20n), true);
    mergeRecord(layout, value, record(1n, 9n, 9n, 9n, 81n), true);
    expect(value).toMatchObject({ count: 3n, sum: 3n, minimum: -4n, maximum: 9n, squares: 101n });
  });
});
