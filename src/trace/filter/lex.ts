/** Splits a filter expression into tokens. What cannot be read becomes one last `bad` token, so that the parser meets faults in order. */
import { readJson } from './json.ts';
import type { FilterError, JsonValue } from './syntax.ts';

interface At {
  /** 0-based, UTF-16 units. */
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

export type Token =
  | (At & { readonly kind: 'word'; readonly text: string })
  | (At & { readonly kind: 'string'; readonly value: string })
  | (At & { readonly kind: 'number'; readonly value: number })
  | (At & { readonly kind: 'json'; readonly value: JsonValue })
  | (At & { readonly kind: 'mark'; readonly mark: string })
  | (At & { readonly kind: 'end' })
  /** `opened` when a string was begun and not ended: completion goes on there. */
  | (At & { readonly kind: 'bad'; readonly fault: FilterError; readonly opened: boolean });

/** Deepest nesting of parentheses, blocks and `!`, and of arrays and objects in `#` JSON. */
export const MAX_DEPTH = 128;

// Single character classes and one character of lookahead: linear in the text.
const SPACE = /\s*/y;
const NUMBER = /[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const WORD = /(?:[\p{L}\p{M}\p{N}_$-]|\.(?=[\p{L}\p{M}\p{N}_$-])|::(?=[\p{L}\p{N}_$]))+/uy;
const MARK = /!=|<=|>=|[!=<>(){}[\],:]/y;
const WORD_START = /[\p{L}\p{N}_$]/u;

/** Beginner's spellings from other languages, and what to write instead. */
const FOREIGN: readonly (readonly [string, string])[] = [
  ['==', '"="'],
  ['&&', '"AND"'],
  ['||', '"OR"'],
  ['<>', '"!="'],
  ["'", 'double quotes around text'],
  ['\u201c', 'plain double quotes around text'],
  ['\u201d', 'plain double quotes around text'],
];

/** Splits the text; the last token is always `end` or `bad`. Time is linear in the text's length. */
export function lexFilter(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; ;) {
    const token = readToken(text, at + (match(SPACE, text, at)?.length ?? 0));
    tokens.push(token);
    if (token.kind === 'end' || token.kind === 'bad') return tokens;
    at = token.end;
  }
}

function readToken(text: string, start: number): Token {
  const first = text[start];
  if (first === undefined) return { kind: 'end', start, end: start };
  if (first === '"') return readString(text, start);
  if (first === '#') return readPattern(text, start);
  return readForeign(text, start) ?? readMark(text, start) ?? readWordOrNumber(text, start) ?? strange(text, start);
}

function readString(text: string, start: number): Token {
  let value = '';
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '"') return { kind: 'string', start, end: at + 1, value };
    // A backslash stands for the character after it, whichever that is.
    if (text[at] === '\\') at++;
    value += text[at] ?? '';
  }
  const fault = { message: `The text that begins at position ${start} has no closing quote.`, expected: ['"'] };
  return { kind: 'bad', opened: true, start, end: text.length, fault: { ...fault, position: start, length: text.length - start } };
}

function readPattern(text: string, start: number): Token {
  const reading = readJson(text, start + 1, MAX_DEPTH);
  if (reading.ok) return { kind: 'json', start, end: reading.end, value: reading.value };
  const position = Math.min(reading.position, text.length);
  return bad(text, position, `Expected ${reading.expected} in the JSON after "#"`, [reading.expected]);
}

function readForeign(text: string, start: number): Token | undefined {
  const found = FOREIGN.find(([spelling]) => text.startsWith(spelling, start));
  if (found === undefined) return undefined;
  return bad(text, start, `Write ${found[1]}, not ${found[0]}`, [found[1]], found[0].length);
}

function readMark(text: string, start: number): Token | undefined {
  const mark = match(MARK, text, start);
  return mark === undefined ? undefined : { kind: 'mark', start, end: start + mark.length, mark };
}

/** Digits that run on into letters (`500ms`, `10.0.0.1`) are a word: good as a string, and never cut into two. */
function readWordOrNumber(text: string, start: number): Token | undefined {
  const number = match(NUMBER, text, start);
  const word = WORD_START.test(codePoint(text, start)) ? match(WORD, text, start) : undefined;
  if (number === undefined || (word !== undefined && word.length > number.length)) {
    return word === undefined ? undefined : { kind: 'word', start, end: start + word.length, text: word };
  }
  const value = Number(number);
  if (!Number.isFinite(value)) return bad(text, start, `The number ${number} is too large`, ['a number'], number.length);
  return { kind: 'number', start, end: start + number.length, value: value === 0 ? 0 : value };
}

function strange(text: string, start: number): Token {
  const character = codePoint(text, start);
  return bad(text, start, `Unexpected ${JSON.stringify(character)}`, ['a keyword', 'an operator', 'a value'], character.length);
}

function bad(text: string, position: number, what: string, expected: readonly string[], length?: number): Token {
  const width = Math.min(length ?? 1, text.length - position);
  const where = position === text.length ? 'at the end of the expression' : `at position ${position}`;
  const fault = { message: `${what}, ${where}.`, position, length: width, expected };
  return { kind: 'bad', opened: false, start: position, end: position + width, fault };
}

function codePoint(text: string, at: number): string {
  return String.fromCodePoint(text.codePointAt(at) ?? 0);
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
