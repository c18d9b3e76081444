/** Reads one JSON value out of a longer text (RFC 8259), bounded in depth, with the place of what is wrong. */
import type { JsonValue } from './syntax.ts';

/** Where the value ended, or where it went wrong. */
export type JsonReading =
  | { readonly ok: true; readonly value: JsonValue; readonly end: number }
  | { readonly ok: false; readonly position: number; readonly expected: string };

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// No escape of this pattern can match in two ways, so it takes time linear in the text.
// eslint-disable-next-line no-control-regex
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORDS: readonly (readonly [string, JsonValue])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

class JsonFault extends Error {
  readonly position: number;
  readonly expected: string;

  constructor(position: number, expected: string) {
    super(expected);
    this.position = position;
    this.expected = expected;
  }
}

/** Reads the value that starts at `start` (space before it is skipped); `maxDepth` bounds arrays within arrays. */
export function readJson(text: string, start: number, maxDepth: number): JsonReading {
  const reader = new JsonReader(text, start, maxDepth);
  try {
    const value = reader.value();
    return { ok: true, value, end: reader.at };
  } catch (fault) {
    if (fault instanceof JsonFault) return { ok: false, position: fault.position, expected: fault.expected };
    throw fault;
  }
}

class JsonReader {
  readonly text: string;
  readonly maxDepth: number;
  at: number;
  depth = 0;

  constructor(text: string, at: number, maxDepth: number) {
    this.text = text;
    this.at = at;
    this.maxDepth = maxDepth;
  }

  value(): JsonValue {
    this.take(SPACE);
    switch (this.text[this.at]) {
      case '[':
        return this.nested(() => this.array());
      case '{':
        return this.nested(() => this.object());
      case '"':
        return this.string();
      default:
        return this.scalar();
    }
  }

  nested<T>(read: () => T): T {
    if (this.depth >= this.maxDepth) throw new JsonFault(this.at, `at most ${this.maxDepth} levels of JSON`);
    this.depth++;
    this.at++;
    const value = read();
    this.depth--;
    return value;
  }

  array(): JsonValue {
    const items: JsonValue[] = [];
    if (this.skip(']')) return items;
    do items.push(this.value());
    while (this.skip(','));
    this.need(']', '"," or "]"');
    return items;
  }

  object(): JsonValue {
    const members: [string, JsonValue][] = [];
    if (this.skip('}')) return {};
    do {
      this.take(SPACE);
      const key = this.string();
      this.need(':', '":"');
      members.push([key, this.value()]);
    } while (this.skip(','));
    this.need('}', '"," or "}"');
    // fromEntries defines own properties: a key `__proto__` is a key like any other.
    return Object.fromEntries(members);
  }

  string(): string {
    if (this.text[this.at] !== '"') throw new JsonFault(this.at, 'a JSON string in double quotes');
    const literal = this.take(STRING);
    if (literal === undefined) throw new JsonFault(this.at, 'a complete JSON string');
    return JSON.parse(literal) as string;
  }

  scalar(): JsonValue {
    for (const [word, value] of WORDS) {
      if (!this.text.startsWith(word, this.at)) continue;
      this.at += word.length;
      return value;
    }
    const literal = this.take(NUMBER);
    const number = literal === undefined ? Number.NaN : Number(literal);
    if (!Number.isFinite(number)) throw new JsonFault(this.at, 'a JSON value');
    return number === 0 ? 0 : number; // -0 equals 0 and is not printed
  }

  skip(mark: string): boolean {
    this.take(SPACE);
    if (this.text[this.at] !== mark) return false;
    this.at++;
    return true;
  }

  need(mark: string, expected: string): void {
    if (!this.skip(mark)) throw new JsonFault(this.at, expected);
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match === null) return undefined;
    this.at += match[0].length;
    return match[0];
  }
}
