/** Axes: where round values lie. */

/** Round steps for a linear axis from 0 to `top`, about `count` of them. */
export function linearTicks(top: number, count: number): number[] {
  if (!(top > 0)) return [0];
  const rough = top / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let value = 0; value <= top * 1.0001; value += step) ticks.push(value);
  return ticks;
}

const TIME_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Round wall-clock moments between two, at most about `count`, in local time. */
export function timeTicks(from: number, to: number, count: number): number[] {
  const step = TIME_STEPS.find((candidate) => (to - from) / candidate <= count) ?? 86_400 * Math.ceil((to - from) / 86_400 / count);
  const zone = new Date(from * 1000).getTimezoneOffset() * 60;
  const ticks: number[] = [];
  for (let value = Math.ceil((from - zone) / step) * step + zone; value <= to; value += step) ticks.push(value);
  return ticks;
}

/** 1, 2 and 5 times powers of ten between two positive values; only powers of ten when that is more than `count`. */
export function logTicks(low: number, high: number, count: number): number[] {
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const factor of [1, 2, 5]) {
      const value = factor * 10 ** power;
      if (value >= low * 0.999 && value <= high * 1.001) all.push(value);
    }
  }
  if (all.length <= count) return all;
  const tens = all.filter((value) => Math.abs(Math.log10(value) % 1) < 1e-6 || Math.abs(Math.log10(value) % 1) > 1 - 1e-6);
  return tens.length >= 2 ? tens : all.filter((_, index) => index % Math.ceil(all.length / count) === 0);
}
