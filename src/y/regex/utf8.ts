/** Characters as sequences of byte ranges: how a set of code points becomes an automaton over UTF-8 (Unicode 15, table 3-7). */
import type { Ranges } from './node.ts';

/** Byte ranges in order; a character matches when each of its bytes is in its range. */
export type ByteSequence = readonly (readonly [number, number])[];

const LENGTH_LIMITS = [0x7f, 0x7ff, 0xffff, 0x10ffff];

/** The sequences of all characters in `ranges`, surrogates left out. No two match the same bytes. */
export function toByteSequences(ranges: Ranges): readonly ByteSequence[] {
  const out: ByteSequence[] = [];
  for (const [first, last] of ranges) {
    addRange(out, first, Math.min(last, 0xd7ff));
    addRange(out, Math.max(first, 0xe000), last);
  }
  return out;
}

function addRange(out: ByteSequence[], first: number, last: number): void {
  if (first > last) return;
  for (const limit of LENGTH_LIMITS) {
    if (first <= limit && last > limit) {
      addRange(out, first, limit);
      addRange(out, limit + 1, last);
      return;
    }
  }
  // Split so that all bytes after the first that differs have their full range.
  for (let trailing = 1; trailing < encode(last).length; trailing++) {
    const mask = (1 << (6 * trailing)) - 1;
    if ((first & ~mask) === (last & ~mask)) continue;
    if ((first & mask) !== 0) {
      addRange(out, first, first | mask);
      addRange(out, (first | mask) + 1, last);
      return;
    }
    if ((last & mask) !== mask) {
      addRange(out, first, (last & ~mask) - 1);
      addRange(out, last & ~mask, last);
      return;
    }
  }
  const high = encode(last);
  out.push(encode(first).map((byte, index) => [byte, high[index] ?? byte] as const));
}

function encode(point: number): readonly number[] {
  if (point < 0x80) return [point];
  if (point < 0x800) return [0xc0 | (point >> 6), 0x80 | (point & 63)];
  if (point < 0x10000) return [0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63)];
  return [0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63)];
}
