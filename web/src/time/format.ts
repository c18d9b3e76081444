/** Numbers and times as people read them, always with a unit. A no-break space stands between number and unit. */

const NB = '\u00a0';

/** Seconds to `420 µs`, `56 ms`, `1.23 s`, `1 min 15 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 0) return `−${formatDuration(-seconds)}`;
  if (seconds === 0) return `0${NB}ms`;
  if (seconds < 0.001) return `${trim(seconds * 1e6, 3)}${NB}µs`;
  if (seconds < 0.9995) return `${trim(seconds * 1e3, 3)}${NB}ms`;
  if (seconds < 60) return `${trim(seconds, 3)}${NB}s`;
  if (seconds < 3600) return twoUnits(seconds, 60, 'min', 1, 's');
  if (seconds < 86_400) return twoUnits(seconds, 3600, 'h', 60, 'min');
  return twoUnits(seconds, 86_400, 'd', 3600, 'h');
}

function twoUnits(seconds: number, big: number, bigName: string, small: number, smallName: string): string {
  const whole = Math.round(seconds / small);
  const per = big / small;
  const rest = whole % per;
  const head = `${Math.floor(whole / per)}${NB}${bigName}`;
  return rest === 0 ? head : `${head} ${rest}${NB}${smallName}`;
}

/** At most `digits` significant digits, no trailing zeros, never an exponent. */
function trim(value: number, digits: number): string {
  if (value >= 10 ** digits) return Math.round(value).toString();
  return Number(value.toPrecision(digits)).toString();
}

/** `847`, `12,345`, `1.2 M`. */
export function formatCount(count: number): string {
  if (count < 100_000) return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
  if (count < 1e6) return `${trim(count / 1e3, 3)}${NB}k`;
  if (count < 1e9) return `${trim(count / 1e6, 3)}${NB}M`;
  return `${trim(count / 1e9, 3)}${NB}G`;
}

/** Requests a minute: `0.2/min`, `320/min`, `1.2 k/min`. */
export function formatRate(count: number, rangeSeconds: number): string {
  const perMinute = rangeSeconds > 0 ? (count * 60) / rangeSeconds : 0;
  if (perMinute === 0) return '0/min';
  if (perMinute < 0.01) return '<0.01/min';
  if (perMinute < 1000) return `${trim(perMinute, perMinute < 10 ? 2 : 3)}/min`;
  if (perMinute < 1e6) return `${trim(perMinute / 1e3, 3)}${NB}k/min`;
  return `${trim(perMinute / 1e6, 3)}${NB}M/min`;
}

/** A rate over a range; for a single trace (`rangeSeconds` 0) the number of calls. */
export function formatTraffic(count: number, rangeSeconds: number): string {
  return rangeSeconds > 0 ? formatRate(count, rangeSeconds) : `${formatCount(count)}${NB}${count === 1 ? 'call' : 'calls'}`;
}

/** A share 0–1: `0 %`, `<0.1 %`, `3.2 %`, `100 %`. Never rounds a failure away, nor up to all. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (!Number.isFinite(percent) || percent <= 0) return `0${NB}%`;
  if (percent < 0.1) return `<0.1${NB}%`;
  if (percent >= 100) return `100${NB}%`;
  if (percent > 99.9) return `>99.9${NB}%`;
  return `${percent < 10 ? percent.toFixed(1).replace(/\.0$/, '') : trim(percent, 3)}${NB}%`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}${NB}B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${trim(value, 3)}${NB}${units[unit]}`;
}

const two = (value: number): string => value.toString().padStart(2, '0');

/** Local wall clock: `14:03:22`. */
export function formatClock(seconds: number): string {
  const date = new Date(seconds * 1000);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Local date: `Mon 3 Aug`. */
export function formatDay(seconds: number): string {
  const date = new Date(seconds * 1000);
  const day = date.toLocaleDateString('en-GB', { weekday: 'short' });
  return `${day} ${date.getDate()} ${date.toLocaleDateString('en-GB', { month: 'short' })}`;
}

/** Local date and clock to the millisecond: `2026-08-03 14:03:22.417`. */
export function formatMoment(seconds: number): string {
  const date = new Date(seconds * 1000);
  const ms = date.getMilliseconds().toString().padStart(3, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${formatClock(seconds)}.${ms}`;
}

/** UTC, for tooltips and for comparing with logs. */
export function formatUtc(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? '–' : date.toISOString();
}

/** `just now`, `12 s ago`, `3 min ago`, `2 h ago`, `5 d ago`. */
export function formatAge(seconds: number, nowSeconds: number): string {
  const age = nowSeconds - seconds;
  if (age < 2) return 'just now';
  if (age < 60) return `${Math.floor(age)}${NB}s ago`;
  if (age < 3600) return `${Math.floor(age / 60)}${NB}min ago`;
  if (age < 86_400) return `${Math.floor(age / 3600)}${NB}h ago`;
  return `${Math.floor(age / 86_400)}${NB}d ago`;
}

/** Marks on a time axis for a step: seconds only when the step is below a minute, the day when it is above half a day. */
export function formatTick(seconds: number, spanSeconds: number): string {
  if (spanSeconds <= 600) return formatClock(seconds);
  const clock = formatClock(seconds).slice(0, 5);
  return spanSeconds > 86_400 ? `${formatDay(seconds).slice(4)} ${clock}` : clock;
}
