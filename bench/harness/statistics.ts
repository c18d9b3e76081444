/** What a set of measured values comes to; all in the values' own unit. */
export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Median of the distances to the median: the spread, untouched by a few outliers. */
  readonly mad: number;
}

/** The value below which the part `q` (0 to 1) of the values lies, interpolated between neighbours; NaN of none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const low = sorted[Math.floor(position)] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? Number.NaN;
  return low + (high - low) * (position - Math.floor(position));
}

/** Median and spread of one or more values. */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError('nothing was measured');
  const median = quantile(values, 0.5);
  return {
    count: values.length,
    median,
    min: quantile(values, 0),
    max: quantile(values, 1),
    mad: quantile(
      values.map((value) => Math.abs(value - median)),
      0.5,
    ),
  };
}
