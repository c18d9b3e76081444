/**
 * Response times in buckets that grow by 3 %: any quantile is within 1.5 % of the truth, for any number of requests.
 * Bucket `i` holds durations in (1.03^(i-1), 1.03^i] microseconds; bucket 0 holds everything up to 1 µs.
 */

const GROWTH = 1.03;
const LOG_GROWTH = Math.log(GROWTH);
/** Holds up to 1.03^1023 µs, some 150 days. */
const LAST_BUCKET = 1023;

/** The bucket of a duration in nanoseconds. */
export function bucketOf(durationNanos: number): number {
  const micros = durationNanos / 1000;
  if (micros <= 1) return 0;
  return Math.min(LAST_BUCKET, Math.ceil(Math.log(micros) / LOG_GROWTH - 1e-9));
}

/** The middle of a bucket, in seconds: within 1.5 % of every duration in it. */
export function bucketSeconds(bucket: number): number {
  if (bucket === 0) return 1e-6;
  return ((2 * GROWTH ** bucket) / (1 + GROWTH)) * 1e-6;
}

/** Counts by bucket. */
export class Histogram {
  /** Indexed by bucket. */
  readonly counts = new Float64Array(LAST_BUCKET + 1);
  total = 0;

  add(durationNanos: number): void {
    this.addCount(bucketOf(durationNanos), 1);
  }

  /** hot: once per bucket of each stored minute that is summed. */
  addCount(bucket: number, count: number): void {
    this.counts[bucket] = this.counts[bucket]! + count;
    this.total += count;
  }

  merge(other: Histogram): void {
    for (let bucket = 0; bucket <= LAST_BUCKET; bucket++) this.addCount(bucket, other.counts[bucket]!);
  }

  /** Buckets that hold something, ascending, with their counts. */
  filled(): [bucket: number, count: number][] {
    const filled: [number, number][] = [];
    for (let bucket = 0; bucket <= LAST_BUCKET; bucket++) {
      if (this.counts[bucket]! > 0) filled.push([bucket, this.counts[bucket]!]);
    }
    return filled;
  }

  /** The duration in seconds that a share `q` (0 to 1) of the requests did not exceed; 0 when there are none. */
  quantile(q: number): number {
    const wanted = Math.max(1, Math.ceil(q * this.total));
    let seen = 0;
    for (const [bucket, count] of this.filled()) {
      seen += count;
      if (seen >= wanted) return bucketSeconds(bucket);
    }
    return 0;
  }

  /** At most `limit` entries in ascending order; neighbours are merged into the larger of the two when there are more. */
  entries(limit = 100): { value: number; count: number }[] {
    const sorted = this.filled();
    const step = Math.max(1, Math.ceil(sorted.length / limit));
    const entries: { value: number; count: number }[] = [];
    for (let i = 0; i < sorted.length; i += step) {
      const group = sorted.slice(i, i + step);
      const count = group.reduce((sum, [, n]) => sum + n, 0);
      const heaviest = group.reduce((best, entry) => (entry[1] > best[1] ? entry : best));
      entries.push({ value: bucketSeconds(heaviest[0]), count });
    }
    return entries;
  }
}
