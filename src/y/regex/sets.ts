/** Named sets of characters, all of ASCII, and their complements. */
import { complement, MAX_CODE_POINT, normalise, type Ranges } from './node.ts';

const DIGIT: Ranges = [[48, 57]];
const UPPER: Ranges = [[65, 90]];
const LOWER: Ranges = [[97, 122]];
const SPACE: Ranges = [
  [9, 13],
  [32, 32],
];
const ALPHA: Ranges = [...UPPER, ...LOWER];
const WORD: Ranges = [...DIGIT, ...UPPER, [95, 95], ...LOWER];
const BLANK: Ranges = [
  [9, 9],
  [32, 32],
];

/** By the letter after the backslash. */
export const ESCAPED_SETS: Readonly<Record<string, Ranges>> = {
  d: DIGIT,
  D: complement(DIGIT, MAX_CODE_POINT),
  w: WORD,
  W: complement(WORD, MAX_CODE_POINT),
  s: SPACE,
  S: complement(SPACE, MAX_CODE_POINT),
  h: BLANK,
  H: complement(BLANK, MAX_CODE_POINT),
  N: complement([[10, 10]], MAX_CODE_POINT),
};

/** POSIX.1-2017, section 7.3.1, in the C locale; `word` as in Perl. */
export const POSIX_SETS: Readonly<Record<string, Ranges>> = {
  alnum: [...DIGIT, ...ALPHA],
  alpha: ALPHA,
  ascii: [[0, 127]],
  blank: BLANK,
  cntrl: [
    [0, 31],
    [127, 127],
  ],
  digit: DIGIT,
  graph: [[33, 126]],
  lower: LOWER,
  print: [[32, 126]],
  punct: [
    [33, 47],
    [58, 64],
    [91, 96],
    [123, 126],
  ],
  space: SPACE,
  upper: UPPER,
  word: WORD,
  xdigit: [...DIGIT, [65, 70], [97, 102]],
};

/** Letters whose other case is looked for: ASCII to Cyrillic and Armenian (below the Hebrew block). */
const FOLDED_BELOW = 0x590;

/** The ranges with the other case of each letter below U+0590 added, where that is one letter too. */
export function foldCase(ranges: Ranges): Ranges {
  const added: [number, number][] = [];
  for (const [first, last] of ranges) {
    for (let point = first; point <= Math.min(last, FOLDED_BELOW - 1); point++) {
      const character = String.fromCodePoint(point);
      for (const other of [character.toLowerCase(), character.toUpperCase()]) {
        const folded = other.codePointAt(0) ?? point;
        // A letter of ASCII has no other case outside: the long s and the Kelvin sign stay apart.
        const fits = other.length === String.fromCodePoint(folded).length && point < 128 === folded < 128;
        if (folded !== point && fits) added.push([folded, folded]);
      }
    }
  }
  return normalise([...ranges, ...added]);
}
