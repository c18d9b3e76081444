/** An aggregate's buckets as rows of a histogram, and those as text. */
import type { OutputValue } from '../ir/program.ts';
import { bucketBounds, findHistogram, type AggregateLayout, type AggregateValue } from '../engines/aggregate-layout.ts';
import { drawBar } from './bar.ts';

export type HistogramScale = Extract<OutputValue, { kind: 'histogram' }>['scale'];

/** Samples from `first` to `last`, both included; undefined where a linear histogram is open. */
export interface HistogramRow {
  readonly first: bigint | undefined;
  readonly last: bigint | undefined;
  readonly count: bigint;
}

/** What `drawHistogram` aims at when nothing else is said. */
const LINE_COLUMNS = 80;

/** Rows from the first to the last that has samples, those between included unless they are too many; none without samples. */
export function toHistogramRows(layout: AggregateLayout, value: AggregateValue, scale: HistogramScale): readonly HistogramRow[] {
  const buckets = value.buckets[findHistogram(layout, scale)] ?? new Map<number, bigint>();
  return scale.kind === 'log' ? powerRows(buckets, scale) : linearRows(buckets, scale);
}

/** Sub-buckets merged into powers of two. Row 0 holds 0, row ±n the magnitudes from 2^(n-1) to 2^n - 1. */
function powerRows(buckets: ReadonlyMap<number, bigint>, scale: HistogramScale): readonly HistogramRow[] {
  const counts = new Map<number, bigint>();
  for (const [bucket, count] of buckets) {
    const { first, last } = bucketBounds(scale, bucket);
    const row = last < 0n ? -bitLength(-last) : bitLength(first);
    counts.set(row, (counts.get(row) ?? 0n) + count);
  }
  return fill(counts, (row) => {
    if (row === 0) return { first: 0n, last: 0n };
    const low = 1n << BigInt(Math.abs(row) - 1);
    const high = low * 2n - 1n;
    return row < 0 ? { first: -high, last: -low } : { first: low, last: high };
  });
}

function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

function linearRows(buckets: ReadonlyMap<number, bigint>, scale: HistogramScale): readonly HistogramRow[] {
  if (scale.kind !== 'linear') return [];
  return fill(buckets, (row) => {
    const { first, last } = bucketBounds(scale, row);
    return { first: first < scale.low ? undefined : first, last: last >= scale.high ? undefined : last };
  });
}

/** More rows than these are not for reading: then only those with samples are there. */
const MAX_ROWS = 200;

/** One row for each index from the least to the greatest. */
function fill(counts: ReadonlyMap<number, bigint>, boundsOf: (row: number) => Omit<HistogramRow, 'count'>): readonly HistogramRow[] {
  const rows: HistogramRow[] = [];
  const filled = [...counts.keys()].sort((a, b) => a - b);
  const end = filled.at(-1);
  if (end === undefined) return [];
  if (end - filled[0]! >= MAX_ROWS) return filled.map((row) => ({ ...boundsOf(row), count: counts.get(row) ?? 0n }));
  for (let row = filled[0]!; row <= end; row++) rows.push({ ...boundsOf(row), count: counts.get(row) ?? 0n });
  return rows;
}

/**
 * Lines of bounds, count and bar, each ended by a newline; `(no samples)` without rows.
 *
 * @param columns the widest line
 */
export function drawHistogram(rows: readonly HistogramRow[], columns = LINE_COLUMNS): string {
  if (rows.length === 0) return '(no samples)\n';
  const labels = rows.map(toLabel);
  const counts = rows.map(({ count }) => count.toString());
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const countWidth = Math.max(...counts.map((count) => count.length));
  const barWidth = Math.max(10, columns - labelWidth - countWidth - 5);
  const greatest = rows.reduce((most, { count }) => (count > most ? count : most), 0n);
  return rows
    .map(({ count }, index) => {
      const bar = drawBar(Number(count) / Number(greatest), barWidth);
      return `${labels[index]!.padStart(labelWidth)}  ${counts[index]!.padStart(countWidth)} |${bar.padEnd(barWidth)}|\n`;
    })
    .join('');
}

/** `4`, `[4K, 8K)`, `(-8, -4]`, `< 0`, `>= 100`. */
function toLabel({ first, last }: HistogramRow): string {
  if (first === undefined) return last === undefined ? 'all' : `< ${toBound(last + 1n)}`;
  if (last === undefined) return `>= ${toBound(first)}`;
  if (first === last) return toBound(first);
  if (last < 0n && isPower(1n - first) && isPower(-last)) return `(${toBound(first - 1n)}, ${toBound(last)}]`;
  return `[${toBound(first)}, ${toBound(last + 1n)})`;
}

function isPower(value: bigint): boolean {
  return value > 0n && (value & (value - 1n)) === 0n;
}

/** Whole multiples of 2^10, 2^20 … with K, M, G, T, P, E. */
function toBound(value: bigint): string {
  let rest = value;
  let unit = 0;
  while (rest !== 0n && rest % 1024n === 0n && unit < 6) {
    rest /= 1024n;
    unit += 1;
  }
  return `${rest}${['', 'K', 'M', 'G', 'T', 'P', 'E'][unit]}`;
}
