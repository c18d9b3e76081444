/** What a regular expression says, as a tree. */
export type RegexNode =
  | { readonly kind: 'empty' }
  /** One character of these code points, as UTF-8; or, when `bytes`, one byte. */
  | { readonly kind: 'set'; readonly ranges: Ranges; readonly bytes: boolean }
  | { readonly kind: 'sequence'; readonly items: readonly RegexNode[] }
  /** Earlier ones are preferred. */
  | { readonly kind: 'choice'; readonly items: readonly RegexNode[] }
  /** `max` is undefined for no bound. `at`, `end`: the operand and its quantifier in the pattern, for messages. */
  | {
      readonly kind: 'repeat';
      readonly body: RegexNode;
      readonly min: number;
      readonly max: number | undefined;
      readonly lazy: boolean;
      readonly at: number;
      readonly end: number;
    }
  | { readonly kind: 'group'; readonly body: RegexNode; readonly index: number }
  | { readonly kind: 'assertion'; readonly what: Assertion };

export type Assertion = 'start' | 'end' | 'line-start' | 'line-end' | 'word-border' | 'no-word-border';

/** Code points or bytes: pairs of first and last, sorted, apart from each other. */
export type Ranges = readonly (readonly [number, number])[];

export interface RegexError {
  readonly message: string;
  readonly hint: string | undefined;
  /** In the pattern, UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

export const MAX_CODE_POINT = 0x10ffff;

/** Sorts ranges and joins those that touch. */
export function normalise(ranges: Ranges): Ranges {
  const sorted = ranges.toSorted((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [first, last] of sorted) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined;
}

/** All from 0 to `max` that are not in `ranges`. */
export function complement(ranges: Ranges, max: number): Ranges {
  const out: [number, number][] = [];
  let next = 0;
  for (const [first, last] of normalise(ranges)) {
    if (first > next) out.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= max) out.push([next, max]);
  return out;
}
