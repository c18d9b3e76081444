/** Numbers as clients can read them: JSON numbers, never null, without the noise of binary fractions. */

/** Seconds to the microsecond, for times and durations; 0 for what is no number. */
export function roundMicros(seconds: number): number {
  return Number.isFinite(seconds) ? Math.round(seconds * 1e6) / 1e6 : 0;
}

/** Seconds to the millisecond, as in histograms. */
export function roundMillis(seconds: number): number {
  return Number.isFinite(seconds) ? Math.round(seconds * 1e3) / 1e3 : 0;
}
