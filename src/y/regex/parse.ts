/**
 * Parses a regular expression: the common part of Perl's and JavaScript's syntax. Back-references and look-around are refused: they
 * cannot be matched in linear time and constant memory.
 */
import { err, ok, type Result } from '../../base/index.ts';
import { ESCAPED_SETS, foldCase, POSIX_SETS } from './sets.ts';
import { complement, MAX_CODE_POINT, normalise, type Ranges, type RegexError, type RegexNode } from './node.ts';

export interface ParsedRegex {
  readonly node: RegexNode;
  /** Capturing groups, without `$0`. */
  readonly groups: number;
}

/** Largest number in `{m,n}`. */
export const MAX_REPEAT = 1000;
const MAX_DEPTH = 200;
const MAX_GROUPS = 99;
const QUANTIFIER = /\{(\d{1,9})(?:(,)(\d{0,9}))?\}/y;
const CONTROL: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7, e: 27, '0': 0 };

/** Parses `pattern`; `flags` are of `i`, `s`, `m`, `x`. */
export function parseRegex(pattern: string, flags: string): Result<ParsedRegex, RegexError> {
  const strange = [...flags].find((flag) => !'ismx'.includes(flag));
  if (strange !== undefined) {
    return err({ message: `there is no flag "${strange}"`, hint: 'flags are i, s, m and x', start: pattern.length, end: pattern.length });
  }
  try {
    return ok(new RegexParser(pattern, flags).run());
  } catch (failure) {
    if (failure instanceof RegexFailure) return err(failure.error);
    throw failure;
  }
}

class RegexFailure extends Error {
  readonly error: RegexError;

  constructor(error: RegexError) {
    super(error.message);
    this.error = error;
  }
}

class RegexParser {
  private readonly pattern: string;
  private readonly ignoreCase: boolean;
  private readonly dotAll: boolean;
  private readonly multiline: boolean;
  private readonly extended: boolean;
  private at = 0;
  private depth = 0;
  private groups = 0;

  constructor(pattern: string, flags: string) {
    this.pattern = pattern;
    this.ignoreCase = flags.includes('i');
    this.dotAll = flags.includes('s');
    this.multiline = flags.includes('m');
    this.extended = flags.includes('x');
  }

  run(): ParsedRegex {
    const node = this.parseChoice();
    if (this.at < this.pattern.length) this.fail('")" closes nothing', this.at, this.at + 1, 'write \\) for the character');
    return { node, groups: this.groups };
  }

  private parseChoice(): RegexNode {
    if (++this.depth > MAX_DEPTH) this.fail(`groups are nested more than ${MAX_DEPTH} deep`, this.at, this.at + 1);
    const items = [this.parseSequence()];
    while (this.take('|')) items.push(this.parseSequence());
    this.depth--;
    return items.length === 1 ? (items[0] as RegexNode) : { kind: 'choice', items };
  }

  private parseSequence(): RegexNode {
    const items: RegexNode[] = [];
    for (;;) {
      this.skipExtended();
      const next = this.pattern[this.at];
      if (next === undefined || next === '|' || next === ')') break;
      const begin = this.at;
      items.push(this.parseQuantified(this.parseAtom(), begin));
    }
    if (items.length === 1) return items[0] as RegexNode;
    return items.length === 0 ? { kind: 'empty' } : { kind: 'sequence', items };
  }

  /** Blanks and comments under the flag `x`. */
  private skipExtended(): void {
    while (this.extended) {
      const character = this.pattern[this.at];
      if (character === '#') {
        const newline = this.pattern.indexOf('\n', this.at);
        this.at = newline < 0 ? this.pattern.length : newline + 1;
      } else if (character !== undefined && /\s/.test(character)) this.at++;
      else return;
    }
  }

  // ------------------------------------------------------------ quantifiers

  private parseQuantified(body: RegexNode, begin: number): RegexNode {
    this.skipExtended();
    const bounds = this.readQuantifier();
    if (bounds === undefined) return body;
    const [min, max] = bounds;
    if (body.kind === 'assertion') this.fail('a place without width cannot be repeated', begin, this.at);
    const lazy = this.take('?');
    if (this.pattern[this.at] === '+')
      this.fail('there are no possessive quantifiers', this.at, this.at + 1, 'leave out the "+": matching is linear anyhow');
    if (max !== undefined && min > max) this.fail(`{${min},${max}} is upside down`, begin, this.at);
    if (min > MAX_REPEAT || (max ?? 0) > MAX_REPEAT) this.fail(`more than ${MAX_REPEAT} repetitions`, begin, this.at);
    const end = this.at;
    this.skipExtended();
    const again = this.at;
    if (this.readQuantifier() !== undefined)
      this.fail('a quantifier after a quantifier', again, this.at, 'put (?: ) around what the first one repeats');
    return { kind: 'repeat', body, min, max, lazy, at: begin, end };
  }

  private readQuantifier(): readonly [number, number | undefined] | undefined {
    if (this.take('*')) return [0, undefined];
    if (this.take('+')) return [1, undefined];
    if (this.take('?')) return [0, 1];
    QUANTIFIER.lastIndex = this.at;
    const found = QUANTIFIER.exec(this.pattern);
    if (found === null) return undefined;
    this.at += found[0].length;
    const min = Number(found[1]);
    if (found[2] === undefined) return [min, min];
    return [min, found[3] === '' ? undefined : Number(found[3])];
  }

  // ------------------------------------------------------------ atoms

  private parseAtom(): RegexNode {
    const begin = this.at;
    const point = this.pattern.codePointAt(begin) ?? 0;
    const character = String.fromCodePoint(point);
    this.at += character.length;
    switch (character) {
      case '(':
        return this.parseGroup(begin);
      case '[':
        return this.parseClass(begin);
      case '.':
        return toSet(this.dotAll ? [[0, MAX_CODE_POINT]] : complement([[10, 10]], MAX_CODE_POINT));
      case '^':
        return { kind: 'assertion', what: this.multiline ? 'line-start' : 'start' };
      case '$':
        return { kind: 'assertion', what: this.multiline ? 'line-end' : 'end' };
      case '\\':
        return this.parseEscape(begin);
      case '*':
      case '+':
      case '?':
        return this.fail(`"${character}" has nothing to repeat`, begin, this.at, `write \\${character} for the character`);
      default:
        return this.toCharacter(point);
    }
  }

  private toCharacter(point: number): RegexNode {
    return toSet(this.ignoreCase ? foldCase([[point, point]]) : [[point, point]]);
  }

  private parseGroup(begin: number): RegexNode {
    let index: number | undefined;
    if (this.take('?')) this.readGroupKind(begin);
    else index = ++this.groups;
    if (index !== undefined && index > MAX_GROUPS)
      this.fail(`more than ${MAX_GROUPS} groups`, begin, this.at, 'write (?: ) for groups that are not read');
    const body = this.parseChoice();
    if (!this.take(')')) this.fail('this group is not closed', begin, begin + 1, 'close it with ")", or write \\( for the character');
    return index === undefined ? body : { kind: 'group', body, index };
  }

  private readGroupKind(begin: number): void {
    if (this.take(':')) return;
    const rest = this.pattern.slice(this.at, this.at + 2);
    if (/^[=!]|^<[=!]/.test(rest)) {
      this.fail(
        'there is no look-around',
        begin,
        this.at + 1,
        'match the text around it too and read a group: $1; or use two patterns with && and !~~',
      );
    }
    if (/^<|^P|^'/.test(rest)) this.fail('groups have no names', begin, this.at + 1, 'write (…) and read it by number: $1');
    if (rest.startsWith('>')) this.fail('there are no atomic groups', begin, this.at + 1, 'write (?:…): matching is linear anyhow');
    this.fail(`"(?${rest.slice(0, 1)}" is no kind of group`, begin, this.at + 1, 'flags stand behind the pattern: rx/…/i');
  }

  // ------------------------------------------------------------ escapes

  private parseEscape(begin: number): RegexNode {
    const character = this.pattern[this.at];
    if (character === undefined) return this.fail('a backslash at the end', begin, begin + 1, 'write \\\\ for the character');
    if (Object.hasOwn(ESCAPED_SETS, character)) {
      this.at++;
      return toSet(ESCAPED_SETS[character] ?? []);
    }
    switch (character) {
      case 'b':
      case 'B':
        this.at++;
        return { kind: 'assertion', what: character === 'b' ? 'word-border' : 'no-word-border' };
      case 'A':
      case 'z':
        this.at++;
        return { kind: 'assertion', what: character === 'A' ? 'start' : 'end' };
      case 'Z':
        return this.fail('there is no \\Z', begin, begin + 2, 'write \\z, or \\n?\\z to allow a newline at the end');
      default:
    }
    if (/[1-9k]/.test(character)) this.fail('there are no back-references', begin, this.at + 1, 'capture both and compare them: $1 == $2');
    const escaped = this.readEscapedPoint(begin);
    if (escaped.byte) return { kind: 'set', ranges: [[escaped.point, escaped.point]], bytes: true };
    return this.toCharacter(escaped.point);
  }

  /** After a backslash: one character, or a byte above 127 by `\xHH`. */
  private readEscapedPoint(begin: number): { readonly point: number; readonly byte: boolean } {
    const point = this.pattern.codePointAt(this.at) ?? 0;
    const character = String.fromCodePoint(point);
    this.at += character.length;
    if (character === 'x' || character === 'u') return this.readHex(character, begin);
    if (Object.hasOwn(CONTROL, character)) return { point: CONTROL[character] ?? 0, byte: false };
    if (/[A-Za-z]/.test(character))
      return this.fail(`"\\${character}" means nothing`, begin, this.at, `write "${character}" for the letter`);
    return { point, byte: false };
  }

  private readHex(letter: 'x' | 'u', begin: number): { readonly point: number; readonly byte: boolean } {
    const rest = this.pattern.slice(this.at, this.at + 10);
    const found = /^\{([0-9a-fA-F]{1,6})\}/.exec(rest) ?? (letter === 'x' ? /^([0-9a-fA-F]{2})/ : /^([0-9a-fA-F]{4})/).exec(rest);
    const form = letter === 'x' ? '\\x41 or \\x{1F600}' : '\\u0041 or \\u{1F600}';
    if (found === null) return this.fail(`"\\${letter}" needs hexadecimal digits`, begin, this.at, `as in ${form}`);
    this.at += found[0].length;
    const point = Number.parseInt(found[1] ?? '', 16);
    if (point > MAX_CODE_POINT || (point >= 0xd800 && point <= 0xdfff)) this.fail('this is no character of Unicode', begin, this.at);
    return { point, byte: letter === 'x' && !found[0].startsWith('{') && point > 127 };
  }

  // ------------------------------------------------------------ classes

  private parseClass(begin: number): RegexNode {
    const negated = this.take('^');
    const ranges: (readonly [number, number])[] = [];
    let bytes = false;
    for (let first = true; ; first = false) {
      const character = this.pattern[this.at];
      if (character === undefined)
        return this.fail('this class is not closed', begin, begin + 1, 'close it with "]", or write \\[ for the character');
      // A "]" at once is a character, as in Perl and POSIX.
      if (character === ']' && !first) break;
      const item = this.parseClassItem();
      bytes ||= item.byte;
      ranges.push(...item.ranges);
    }
    this.at++;
    const wide = ranges.some(([, last]) => last > 255);
    if (bytes && wide) {
      this.fail('this class mixes bytes (\\x80 to \\xff) and characters', begin, this.at, 'write characters as \\u00e9, or all as bytes');
    }
    const folded = this.ignoreCase ? foldCase(ranges) : normalise(ranges);
    const top = bytes ? 255 : MAX_CODE_POINT;
    const kept = bytes ? folded.filter(([first]) => first <= 255) : folded;
    return { kind: 'set', ranges: negated ? complement(kept, top) : kept, bytes };
  }

  private parseClassItem(): { readonly ranges: Ranges; readonly byte: boolean } {
    const begin = this.at;
    const posix = /^\[:(\^?)([a-z]+):\]/.exec(this.pattern.slice(this.at, this.at + 14));
    if (posix !== null) return { ranges: this.readPosix(posix, begin), byte: false };
    const from = this.readClassPoint();
    const isRange = this.pattern[this.at] === '-' && this.pattern[this.at + 1] !== ']' && this.at + 1 < this.pattern.length;
    if ('ranges' in from) return { ranges: from.ranges, byte: false };
    if (!isRange) return { ranges: [[from.point, from.point]], byte: from.byte };
    this.at++;
    const to = this.readClassPoint();
    if ('ranges' in to) return this.fail('a range cannot end with a set', begin, this.at, 'write \\- for the character');
    if (to.point < from.point) this.fail('this range is upside down', begin, this.at);
    return { ranges: [[from.point, to.point]], byte: from.byte || to.byte };
  }

  private readPosix(found: RegExpExecArray, begin: number): Ranges {
    this.at += found[0].length;
    const name = found[2] ?? '';
    const set = Object.hasOwn(POSIX_SETS, name) ? POSIX_SETS[name] : undefined;
    if (set === undefined)
      return this.fail(`there is no class [:${name}:]`, begin, this.at, `there are ${Object.keys(POSIX_SETS).join(' ')}`);
    return found[1] === '^' ? complement(set, MAX_CODE_POINT) : set;
  }

  private readClassPoint(): { readonly point: number; readonly byte: boolean } | { readonly ranges: Ranges } {
    const begin = this.at;
    const point = this.pattern.codePointAt(this.at) ?? 0;
    this.at += String.fromCodePoint(point).length;
    if (point !== 0x5c) return { point, byte: false };
    const character = this.pattern[this.at];
    if (character === undefined) return this.fail('a backslash at the end', begin, this.at);
    if (Object.hasOwn(ESCAPED_SETS, character)) {
      this.at++;
      return { ranges: ESCAPED_SETS[character] ?? [] };
    }
    if (character === 'b') {
      this.at++;
      return { point: 8, byte: false };
    }
    return this.readEscapedPoint(begin);
  }

  // ------------------------------------------------------------

  private take(character: string): boolean {
    if (this.pattern[this.at] !== character) return false;
    this.at++;
    return true;
  }

  private fail(message: string, start: number, end: number, hint?: string): never {
    throw new RegexFailure({ message, hint, start, end: Math.max(end, start) });
  }
}

function toSet(ranges: Ranges): RegexNode {
  return { kind: 'set', ranges: normalise(ranges), bytes: false };
}
