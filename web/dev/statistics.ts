import type { Latency, Outcome, Outcomes } from '../../src/api/index.ts';

export function outcomesOf(items: readonly { readonly outcome: Outcome; readonly seconds: number }[], weight = 1): Outcomes {
  const count = (outcome: Outcome): number => Math.round(items.filter((item) => item.outcome === outcome).length * weight);
  const throttle = count('throttle');
  const error = count('error') + throttle;
  const fault = count('fault');
  const ok = count('ok');
  return {
    ok,
    error,
    throttle,
    fault,
    total: ok + error + fault,
    totalSeconds: items.reduce((sum, item) => sum + item.seconds, 0) * weight,
  };
}

/** Quantiles and a histogram of at most 100 entries on a logarithmic grid of 10 %. */
export function latencyOf(seconds: readonly number[], weight = 1): Latency {
  const sorted = seconds.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const buckets = new Map<number, number>();
  for (const value of sorted) {
    const bucket = Math.round(Math.log(Math.max(value, 1e-6)) / Math.log(1.1));
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + weight);
  }
  const histogram = [...buckets]
    .map(([bucket, count]) => ({ value: 1.1 ** bucket, count: Math.round(count) }))
    .toSorted((a, b) => a.value - b.value);
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), histogram: histogram.slice(-100) };
}
