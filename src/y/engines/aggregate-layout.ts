/**
 * How aggregates are recorded and read, on every engine: what is kept, where in a record, and which bucket a sample falls into.
 *
 * A record holds only what some reader of the program asks for. Engines in the kernel keep one record a CPU; readers merge them here. All
 * fields are little-endian, aligned to 8 bytes.
 */
import { assert } from '../../base/index.ts';
import type { AggregatePlace, AggregateReader, Instruction, OutputValue, Program } from '../ir/program.ts';

type HistogramScale = Extract<OutputValue, { kind: 'histogram' }>['scale'];

export interface AggregateLayout {
  /** Bytes of the record without histograms; a multiple of 8. */
  readonly baseBytes: number;
  /** Bytes with every histogram in it. */
  readonly denseBytes: number;
  /** Offsets in bytes: unsigned 64 bits; signed 64 bits, wrapping. */
  readonly count: number;
  readonly sum: number;
  /** Both or neither: signed 64 bits; without meaning while `count` is 0. */
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  /** The sum of squares: unsigned 128 bits, wrapping. */
  readonly squares: number | undefined;
  readonly histograms: readonly HistogramLayout[];
}

export interface HistogramLayout {
  readonly scale: HistogramScale;
  /** Counters of 64 bits. */
  readonly buckets: number;
  /** Of bucket 0 in a dense record. */
  readonly offset: number;
}

/** An aggregate while it is read: merged over all CPUs. */
export interface AggregateValue {
  count: bigint;
  sum: bigint;
  minimum: bigint;
  maximum: bigint;
  squares: bigint;
  /** For each histogram of the layout: counts by bucket. */
  readonly buckets: readonly Map<number, bigint>[];
}

/** Buckets of magnitudes: 0–15 exactly, then eight for each power of two up to 2^63. */
const MAGNITUDES = 496;
/** Buckets of the log histogram: negative samples mirror the positive ones around bucket 496, which holds 0. */
export const LOG_BUCKETS = 2 * MAGNITUDES;
export const LOG_ZERO_BUCKET = MAGNITUDES;

/** Layouts of all aggregates that the program records or reads: by index of the global and of the array. */
export function planAggregates(program: Program): {
  readonly globals: ReadonlyMap<number, AggregateLayout>;
  readonly arrays: ReadonlyMap<number, AggregateLayout>;
} {
  const globals = new Map<number, Needs>();
  const arrays = new Map<number, Needs>();
  for (const [index, { kind }] of program.globals.entries()) if (kind === 'aggregate') globals.set(index, new Needs());
  for (const [index, { value }] of program.arrays.entries()) if (value.kind === 'aggregate') arrays.set(index, new Needs());
  const needsOf = (place: AggregatePlace | { readonly array: number }): Needs | undefined =>
    'global' in place ? globals.get(place.global) : arrays.get(place.array);
  for (const { blocks } of program.functions)
    for (const { instructions } of blocks) for (const instruction of instructions) addNeeds(instruction, needsOf);
  const layOut = (needs: ReadonlyMap<number, Needs>): Map<number, AggregateLayout> =>
    new Map([...needs].map(([index, need]) => [index, layOutRecord(need)]));
  return { globals: layOut(globals), arrays: layOut(arrays) };
}

class Needs {
  readonly readers = new Set<AggregateReader>();
  readonly scales: HistogramScale[] = [];

  addReader(reader: AggregateReader): void {
    this.readers.add(reader);
    if (reader === 'quantile') this.addScale({ kind: 'log' });
  }

  addScale(scale: HistogramScale): void {
    if (!this.scales.some((known) => sameScale(known, scale))) this.scales.push(scale);
  }
}

function addNeeds(instruction: Instruction, needsOf: (place: AggregatePlace | { readonly array: number }) => Needs | undefined): void {
  if (instruction.op === 'aggregate-read') needsOf(instruction.from)?.addReader(instruction.reader);
  if (instruction.op === 'print')
    for (const value of instruction.values) if (value.kind === 'histogram') needsOf(value.from)?.addScale(value.scale);
  if (instruction.op !== 'chart') return;
  const needs = needsOf(instruction.source);
  if (instruction.chart === 'histogram') needs?.addScale({ kind: 'log' });
  // A histogram says its bounds below; a table without a reader has a column for each.
  if (instruction.chart === 'histogram' || (instruction.chart === 'table' && instruction.reader === undefined)) needs?.addReader('min');
  if (instruction.reader !== undefined) needs?.addReader(instruction.reader);
}

function layOutRecord({ readers, scales }: Needs): AggregateLayout {
  let next = 16;
  const take = (bytes: number): number => (next += bytes) - bytes;
  const bounds = readers.has('min') || readers.has('max');
  const minimum = bounds ? take(8) : undefined;
  const maximum = bounds ? take(8) : undefined;
  const squares = readers.has('variance') || readers.has('stddev') ? take(16) : undefined;
  const baseBytes = next;
  const histograms = scales.map((scale): HistogramLayout => {
    const buckets = countBuckets(scale);
    return { scale, buckets, offset: take(8 * buckets) };
  });
  return { baseBytes, denseBytes: next, count: 0, sum: 8, minimum, maximum, squares, histograms };
}

function countBuckets(scale: HistogramScale): number {
  if (scale.kind === 'log') return LOG_BUCKETS;
  assert(scale.step > 0n && scale.high > scale.low, 'a linear histogram needs a step above 0 and a high bound above the low one');
  return Number((scale.high - scale.low + scale.step - 1n) / scale.step) + 2;
}

function sameScale(a: HistogramScale, b: HistogramScale): boolean {
  if (a.kind !== 'linear' || b.kind !== 'linear') return a.kind === b.kind;
  return a.low === b.low && a.high === b.high && a.step === b.step;
}

/** The index of the histogram with this scale; -1 when the layout has none. */
export function findHistogram(layout: AggregateLayout, scale: HistogramScale): number {
  return layout.histograms.findIndex((histogram) => sameScale(histogram.scale, scale));
}

/** The bucket of a signed 64-bit sample. Linear: bucket 0 is below `low`, the last one `high` and above. */
export function bucketOf(scale: HistogramScale, sample: bigint): number {
  if (scale.kind === 'log') {
    const magnitude = magnitudeBucket(sample < 0n ? -sample : sample);
    return sample < 0n ? LOG_ZERO_BUCKET - magnitude : LOG_ZERO_BUCKET + magnitude;
  }
  if (sample < scale.low) return 0;
  if (sample >= scale.high) return countBuckets(scale) - 1;
  return Number((sample - scale.low) / scale.step) + 1;
}

function magnitudeBucket(magnitude: bigint): number {
  if (magnitude < 16n) return Number(magnitude);
  const power = magnitude.toString(2).length - 1;
  return 16 + (power - 4) * 8 + Number((magnitude >> BigInt(power - 3)) & 7n);
}

/**
 * First and last sample of a bucket, both included; of a linear histogram's first bucket the first, and of its last bucket the last,
 * is the least or greatest 64-bit integer.
 */
export function bucketBounds(scale: HistogramScale, bucket: number): { readonly first: bigint; readonly last: bigint } {
  if (scale.kind === 'log') return logBounds(bucket);
  const low = scale.low + BigInt(bucket - 1) * scale.step;
  if (bucket === 0) return { first: -(2n ** 63n), last: scale.low - 1n };
  if (bucket === countBuckets(scale) - 1) return { first: scale.high, last: 2n ** 63n - 1n };
  const last = low + scale.step - 1n;
  return { first: low, last: last < scale.high ? last : scale.high - 1n };
}

function logBounds(bucket: number): { readonly first: bigint; readonly last: bigint } {
  const index = Math.abs(bucket - LOG_ZERO_BUCKET);
  let [low, high] = [BigInt(index), BigInt(index)];
  if (index >= 16) {
    const shift = BigInt(Math.floor((index - 16) / 8) + 1);
    low = BigInt(8 + (index % 8)) << shift;
    high = low + (1n << shift) - 1n;
  }
  return bucket < LOG_ZERO_BUCKET ? { first: -high, last: -low } : { first: low, last: high };
}

export function emptyAggregate(layout: AggregateLayout): AggregateValue {
  return { count: 0n, sum: 0n, minimum: 0n, maximum: 0n, squares: 0n, buckets: layout.histograms.map(() => new Map<number, bigint>()) };
}

/** Records a sample, as `<<<` does. */
export function addSample(layout: AggregateLayout, value: AggregateValue, sample: bigint): void {
  if (value.count === 0n || sample < value.minimum) value.minimum = sample;
  if (value.count === 0n || sample > value.maximum) value.maximum = sample;
  value.count++;
  value.sum = BigInt.asIntN(64, value.sum + sample);
  value.squares = BigInt.asUintN(128, value.squares + sample * sample);
  for (const [index, { scale }] of layout.histograms.entries()) addToBucket(value, index, bucketOf(scale, sample), 1n);
}

/** Adds to a bucket of the layout's histogram `histogram`. */
export function addToBucket(value: AggregateValue, histogram: number, bucket: number, count: bigint): void {
  const buckets = value.buckets[histogram];
  assert(buckets !== undefined, `no histogram ${histogram}`);
  if (count !== 0n) buckets.set(bucket, (buckets.get(bucket) ?? 0n) + count);
}

/** Adds what another record of the same layout has seen. */
export function addAggregate(into: AggregateValue, from: AggregateValue): void {
  if (from.count === 0n) return;
  if (into.count === 0n || from.minimum < into.minimum) into.minimum = from.minimum;
  if (into.count === 0n || from.maximum > into.maximum) into.maximum = from.maximum;
  into.count += from.count;
  into.sum = BigInt.asIntN(64, into.sum + from.sum);
  into.squares = BigInt.asUintN(128, into.squares + from.squares);
  for (const [index, buckets] of from.buckets.entries()) for (const [bucket, count] of buckets) addToBucket(into, index, bucket, count);
}

/** Adds one CPU's record to `value`. `dense`: the record has its histograms in it. */
export function mergeRecord(layout: AggregateLayout, value: AggregateValue, record: Uint8Array, dense: boolean): void {
  const data = new DataView(record.buffer, record.byteOffset, record.byteLength);
  const count = data.getBigUint64(layout.count, true);
  if (count === 0n) return;
  if (layout.minimum !== undefined && layout.maximum !== undefined) {
    const minimum = data.getBigInt64(layout.minimum, true);
    const maximum = data.getBigInt64(layout.maximum, true);
    if (value.count === 0n || minimum < value.minimum) value.minimum = minimum;
    if (value.count === 0n || maximum > value.maximum) value.maximum = maximum;
  }
  value.count += count;
  value.sum = BigInt.asIntN(64, value.sum + data.getBigInt64(layout.sum, true));
  if (layout.squares !== undefined) {
    const squares = data.getBigUint64(layout.squares, true) | (data.getBigUint64(layout.squares + 8, true) << 64n);
    value.squares = BigInt.asUintN(128, value.squares + squares);
  }
  if (!dense) return;
  for (const [index, { buckets, offset }] of layout.histograms.entries())
    for (let bucket = 0; bucket < buckets; bucket++) addToBucket(value, index, bucket, data.getBigUint64(offset + 8 * bucket, true));
}

/**
 * What a reader gives: an integer, or a double for `variance` and `stddev` (of the whole population). All are 0 without samples; `avg`
 * truncates toward 0. `argument`: the quantile in millionths; its relative error is under 6.25 %.
 */
export function readAggregate(
  layout: AggregateLayout,
  value: AggregateValue,
  reader: AggregateReader,
  argument: number | undefined,
): bigint | number {
  const { count, sum } = value;
  switch (reader) {
    case 'count':
      return count;
    case 'sum':
      return sum;
    case 'min':
      return value.minimum;
    case 'max':
      return value.maximum;
    case 'avg':
      return count === 0n ? 0n : sum / count;
    case 'variance':
      return variance(value);
    case 'stddev':
      return Math.sqrt(variance(value));
    case 'quantile':
      return quantile(layout, value, argument ?? 500_000);
  }
}

/** Exact until the last division. */
function variance({ count, sum, squares }: AggregateValue): number {
  if (count === 0n) return 0;
  return Number(squares * count - sum * sum) / Number(count) ** 2;
}

function quantile(layout: AggregateLayout, value: AggregateValue, millionths: number): bigint {
  const index = findHistogram(layout, { kind: 'log' });
  const buckets = [...(value.buckets[index] ?? [])].sort(([a], [b]) => a - b);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0n);
  const product = total * BigInt(Math.round(millionths));
  const wanted = product === 0n ? 1n : (product + 999_999n) / 1_000_000n;
  let seen = 0n;
  for (const [bucket, count] of buckets) {
    seen += count;
    if (seen >= wanted) return middle(layout, value, bucket);
  }
  return 0n;
}

/** A bucket's middle, within the bounds that were recorded. */
function middle(layout: AggregateLayout, { minimum, maximum }: AggregateValue, bucket: number): bigint {
  const { first, last } = logBounds(bucket);
  const between = (first + last) / 2n;
  if (layout.minimum === undefined) return between;
  if (between < minimum) return minimum;
  return between > maximum ? maximum : between;
}
