/**
 * The time range as it stands in the URL: relative (`1h`: the last hour, moving) or absolute (`<from>~<to>`, ISO 8601 or epoch seconds).
 */
export interface RelativeRange {
  readonly kind: 'relative';
  readonly seconds: number;
  readonly text: string;
}

export interface AbsoluteRange {
  readonly kind: 'absolute';
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export type TimeRange = RelativeRange | AbsoluteRange;

export const DEFAULT_RANGE = '1h';

export const RELATIVE_CHOICES = [
  ['5m', 'Last 5 minutes'],
  ['15m', 'Last 15 minutes'],
  ['30m', 'Last 30 minutes'],
  ['1h', 'Last hour'],
  ['3h', 'Last 3 hours'],
  ['6h', 'Last 6 hours'],
  ['12h', 'Last 12 hours'],
  ['1d', 'Last 24 hours'],
  ['2d', 'Last 2 days'],
  ['7d', 'Last 7 days'],
] as const;

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Reads a range; undefined when it is none. Accepts X-Ray's console form `PT15M` too. */
export function parseRange(text: string): TimeRange | undefined {
  const relative = /^(\d{1,5})(s|m|h|d|w)$/.exec(text) ?? /^PT?(\d{1,5})([SMHD])$/.exec(text);
  if (relative) {
    const unit = relative[2]!.toLowerCase();
    const seconds = Number(relative[1]) * UNIT_SECONDS[unit]!;
    return seconds > 0 ? { kind: 'relative', seconds, text: `${relative[1]}${unit}` } : undefined;
  }
  const [left, right, more] = text.split('~');
  if (left === undefined || right === undefined || more !== undefined) return undefined;
  const from = parseMoment(left);
  const to = parseMoment(right);
  if (from === undefined || to === undefined || to <= from) return undefined;
  return absoluteRange(from, to);
}

export function rangeOrDefault(text: string | undefined): TimeRange {
  return (text === undefined ? undefined : parseRange(text)) ?? parseRange(DEFAULT_RANGE)!;
}

export function absoluteRange(from: number, to: number): AbsoluteRange {
  return { kind: 'absolute', from, to, text: `${toIso(from)}~${toIso(to)}` };
}

function toIso(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString().replace('.000Z', 'Z');
}

/** Epoch seconds or anything ISO-like; a text without zone is local time. */
export function parseMoment(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^\d{9,11}(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  if (!/^\d{4}-\d{2}-\d{2}/.test(trimmed)) return undefined;
  const ms = Date.parse(trimmed.replace(/^(\d{4}-\d{2}-\d{2}) /, '$1T'));
  return Number.isNaN(ms) ? undefined : ms / 1000;
}

/** The concrete bounds at this moment, epoch seconds. */
export function resolveRange(range: TimeRange, nowSeconds = Date.now() / 1000): { readonly from: number; readonly to: number } {
  if (range.kind === 'absolute') return { from: range.from, to: range.to };
  return { from: nowSeconds - range.seconds, to: nowSeconds };
}

export function rangeSeconds(range: TimeRange): number {
  return range.kind === 'absolute' ? range.to - range.from : range.seconds;
}

/** The next wider relative choice, to offer when nothing was found. */
export function widerRange(range: TimeRange): string | undefined {
  const seconds = rangeSeconds(range);
  return RELATIVE_CHOICES.map(([text]) => text).find((text) => (parseRange(text) as RelativeRange).seconds > seconds * 1.5);
}

/** The same length, twice around the same middle. */
export function zoomOut(range: TimeRange): AbsoluteRange {
  const { from, to } = resolveRange(range);
  const half = (to - from) / 2;
  return absoluteRange(from - half, Math.min(to + half, Date.now() / 1000));
}
