import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addSample, emptyAggregate, type AggregateLayout } from '../engines/aggregate-layout.ts';
import { drawHistogram, toHistogramRows, type HistogramScale } from './histogram.ts';
import { widthOf } from './terminal.ts';

function rowsOf(scale: HistogramScale, samples: readonly bigint[]) {
  const layout: AggregateLayout = {
    baseBytes: 16,
    denseBytes: 16,
    count: 0,
    sum: 8,
    minimum: undefined,
    maximum: undefined,
    squares: undefined,
    histograms: [{ scale, buckets: 0, offset: 16 }],
  };
  const value = emptyAggregate(layout);
  for (const sample of samples) addSample(layout, value, sample);
  return toHistogramRows(layout, value, scale);
}

const numbers = fc.oneof(fc.integer({ min: -70, max: 70 }).map(BigInt), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));

describe('toHistogramRows()', () => {
  test('counts each sample in the one row that holds it', () => {
    fc.assert(
      fc.property(fc.array(numbers, { maxLength: 50 }), (samples) => {
        for (const { first, last, count } of rowsOf({ kind: 'log' }, samples)) {
          expect(count).toBe(BigInt(samples.filter((sample) => sample >= first! && sample <= last!).length));
        }
        const total = rowsOf({ kind: 'log' }, samples).reduce((sum, { count }) => sum + count, 0n);
        expect(total).toBe(BigInt(samples.length));
      }),
    );
  });

  test('has rows without gaps', () => {
    const rows = rowsOf({ kind: 'log' }, [-100n, 5000n]);
    for (const [index, row] of rows.slice(1).entries()) expect(row.first).toBe(rows[index]!.last! + 1n);
    expect([rows[0]!.first, rows.at(-1)!.last]).toEqual([-127n, 8191n]);
  });

  test('keeps the open ends of a linear histogram open, and cuts its last row', () => {
    const scale = { kind: 'linear', low: 10n, high: 20n, step: 4n } as const;
    expect(rowsOf(scale, [0n, 19n, 20n])).toEqual([
      { first: undefined, last: 9n, count: 1n },
      { first: 10n, last: 13n, count: 0n },
      { first: 14n, last: 17n, count: 0n },
      { first: 18n, last: 19n, count: 1n },
      { first: 20n, last: undefined, count: 1n },
    ]);
  });

  test('leaves empty rows out where they would be too many', () => {
    const scale = { kind: 'linear', low: 0n, high: 1_000_000_000n, step: 1n } as const;
    expect(rowsOf(scale, [3n, 999_999_999n, 3n])).toEqual([
      { first: 3n, last: 3n, count: 2n },
      { first: 999_999_999n, last: 999_999_999n, count: 1n },
    ]);
  });
});

describe('drawHistogram()', () => {
  test('fits 80 columns, whatever the samples', () => {
    fc.assert(
      fc.property(fc.array(numbers, { maxLength: 20 }), (samples) => {
        const lines = drawHistogram(rowsOf({ kind: 'log' }, samples)).split('\n');
        expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(80);
        if (samples.length > 0) expect(new Set(lines.slice(0, -1).map(widthOf)).size).toBe(1);
      }),
    );
  });

  test('names bounds by powers of 1024', () => {
    const labels = drawHistogram(rowsOf({ kind: 'log' }, [-3n, 0n, 700n, 5n << 20n])).split('\n');
    expect(labels.map((line) => line.slice(0, 12).trim()).filter((label) => /K|M|-4|\b0\b/.test(label))).toEqual([
      '(-4, -2]',
      '0',
      '[512, 1K)',
      '[1K, 2K)',
      '[2K, 4K)',
      '[4K, 8K)',
      '[8K, 16K)',
      '[16K, 32K)',
      '[32K, 64K)',
      '[64K, 128K)',
      '[128K, 256K)',
      '[256K, 512K)',
      '[512K, 1M)',
      '[1M, 2M)',
      '[2M, 4M)',
      '[4M, 8M)',
    ]);
  });
});
