import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bucketOf, bucketSeconds, Histogram } from './histogram.ts';

const DAY_NANOS = 86_400e9;

function histogramOf(durations: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const duration of durations) histogram.add(duration);
  return histogram;
}

/** From a microsecond to a day, as often short as long. */
const duration = fc.double({ min: Math.log(1_000), max: Math.log(DAY_NANOS), noNaN: true }).map((log) => Math.round(Math.exp(log)));

describe('Histogram', () => {
  test('quantile() is within 2 % of the exact one', () => {
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 300 }), fc.double({ min: 0, max: 1, noNaN: true }), (durations, q) => {
        const sorted = durations.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]! / 1e9;
        expect(Math.abs(histogramOf(durations).quantile(q) / exact - 1)).toBeLessThan(0.02);
      }),
      { numRuns: 1_000 },
    );
  });

  test('a duration stands in a bucket whose middle is within 2 % of it, and longer ones never stand before it', () => {
    fc.assert(
      fc.property(duration, duration, (a, b) => {
        expect(Math.abs(bucketSeconds(bucketOf(a)) / (a / 1e9) - 1)).toBeLessThan(0.02);
        expect(Math.sign(bucketOf(a) - bucketOf(b)) * Math.sign(a - b)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['nothing', 0, 0],
    ['a nanosecond', 1, 0],
    ['a microsecond', 1_000, 0],
    ['a little more', 1_001, 1],
  ])('%s', (_, nanos, bucket) => {
    expect(bucketOf(nanos)).toBe(bucket);
  });

  test('what is longer than anything stands in the last bucket', () => {
    expect(bucketOf(Number.MAX_SAFE_INTEGER * 1e6)).toBe(bucketOf(1e30));
    expect(histogramOf([1e30]).total).toBe(1);
  });

  test('merging is the same as counting everything in one', () => {
    fc.assert(
      fc.property(fc.array(duration), fc.array(duration), (a, b) => {
        const merged = histogramOf(a);
        merged.merge(histogramOf(b));
        const together = histogramOf([...a, ...b]);
        expect([merged.total, merged.filled()]).toEqual([together.total, together.filled()]);
      }),
    );
  });

  test('entries() gives all counts in at most as many entries as asked for, ascending', () => {
    fc.assert(
      fc.property(fc.array(duration, { maxLength: 300 }), fc.integer({ min: 1, max: 120 }), (durations, limit) => {
        const entries = histogramOf(durations).entries(limit);
        expect(entries.length).toBeLessThanOrEqual(limit);
        expect(entries.reduce((sum, entry) => sum + entry.count, 0)).toBe(durations.length);
        expect(entries.every((entry, index) => index === 0 || entry.value > entries[index - 1]!.value)).toBe(true);
      }),
    );
  });

  test('is empty without requests', () => {
    expect([new Histogram().quantile(0.5), new Histogram().entries()]).toEqual([0, []]);
  });
});
