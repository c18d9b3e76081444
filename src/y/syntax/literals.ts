/** What literal tokens mean: C11 6.4.4 and 6.4.5 for a target with 32-bit `int`, 64-bit `long` and signed `char`. */
import type { CharacterLiteral, FloatLiteral, IntegerLiteral, RegexLiteral, StringLiteral } from './ast-expressions.ts';
import { spanOver, type Span } from './span.ts';
import type { Token } from './token.ts';

/** Told of what is wrong with a literal; the reader goes on with a likely value. */
export type Complain = (code: string, message: string, span: Span, hint?: string) => void;

const INTEGER = /^(?:0[xX](?<hex>[0-9a-fA-F]+)|0[bB](?<binary>[01]+)|(?<octal>0[0-7]*)|(?<decimal>[1-9][0-9]*))(?<suffix>[uUlL]*)$/;
const FLOAT = /^(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?(?<suffix>[fFlL]?)$/;
const HEX_FLOAT = /^0[xX](?<whole>[0-9a-fA-F]*)\.?(?<part>[0-9a-fA-F]*)[pP](?<exponent>[+-]?[0-9]{1,9})(?<suffix>[fFlL]?)$/;
const SUFFIX = /^(?:u|l|ul|lu|ll|ull|llu)?$/;
const UTF8 = new TextEncoder();

/** Reads a `number` token. */
export function readNumber(token: Token, complain: Complain): IntegerLiteral | FloatLiteral {
  const { text, span } = token;
  const whole = INTEGER.exec(text)?.groups;
  if (whole !== undefined) return readInteger(text, whole, span, complain);
  const float = FLOAT.exec(text)?.groups;
  if (float !== undefined) return { kind: 'float', value: Number(text.replace(/[fFlL]$/, '')), type: floatType(float['suffix']), span };
  const hex = HEX_FLOAT.exec(text)?.groups;
  if (hex !== undefined && `${hex['whole']}${hex['part']}` !== '') return readHexFloat(hex, span);
  const hint = /^0[0-7]*[89]/.test(text) ? 'a number that begins with 0 is octal' : undefined;
  complain('bad-number', `"${text}" is not a number`, span, hint);
  return { kind: 'integer', value: 0n, type: 'int', span };
}

function readInteger(text: string, parts: Record<string, string | undefined>, span: Span, complain: Complain): IntegerLiteral {
  const { hex, binary, octal, decimal } = parts;
  const digits =
    hex !== undefined ? `0x${hex}` : binary !== undefined ? `0b${binary}` : octal !== undefined ? `0o0${octal}` : (decimal ?? '0');
  const suffix = (parts['suffix'] ?? '').toLowerCase();
  if (!SUFFIX.test(suffix) || /lL|Ll/.test(text))
    complain('bad-number', `"${text}" has a suffix that C does not know`, span, 'use u, l, ul, ll or ull');
  const value = digits.length > 200 ? 1n << 64n : BigInt(digits);
  if (value >= 1n << 64n) complain('number-too-large', `"${text}" does not fit into 64 bits`, span);
  return { kind: 'integer', value: BigInt.asUintN(64, value), type: integerType(value, suffix, decimal !== undefined), span };
}

/** C11 6.4.4.1, paragraph 5. */
function integerType(value: bigint, suffix: string, decimal: boolean): IntegerLiteral['type'] {
  const unsigned = suffix.includes('u');
  const longs = suffix.replaceAll('u', '').length;
  const mayBeUnsigned = unsigned || !decimal;
  if (longs === 0 && !unsigned && value < 1n << 31n) return 'int';
  if (longs === 0 && mayBeUnsigned && value < 1n << 32n) return 'unsigned int';
  const fits = !unsigned && value < 1n << 63n;
  if (longs === 2) return fits ? 'long long' : 'unsigned long long';
  return fits ? 'long' : 'unsigned long';
}

function floatType(suffix: string | undefined): FloatLiteral['type'] {
  if (suffix === 'f' || suffix === 'F') return 'float';
  return suffix === 'l' || suffix === 'L' ? 'long double' : 'double';
}

/** Exact up to 53 bits of mantissa. */
function readHexFloat(parts: Record<string, string | undefined>, span: Span): FloatLiteral {
  const { whole = '', part = '', exponent = '0' } = parts;
  const value = Number(BigInt(`0x${whole}${part}`)) * 2 ** (Number(exponent) - 4 * part.length);
  return { kind: 'float', value, type: floatType(parts['suffix']), span };
}

/** Reads a `character` token: the bytes of its UTF-8, first one highest; one byte is a signed `char`. */
export function readCharacter(token: Token, complain: Complain): CharacterLiteral {
  const { text, span } = token;
  const bytes = unescape(text.slice(1, -1), span, complain);
  if (bytes.length === 0) complain('empty-character', 'this character constant is empty', span, 'write a character between the quotes');
  if (bytes.length > 4)
    complain('long-character', `the character constant ${text} has more than four bytes`, span, 'write a string in double quotes');
  let value = 0n;
  for (const byte of bytes.subarray(0, 4)) value = (value << 8n) | BigInt(byte);
  return { kind: 'character', value: bytes.length === 1 ? BigInt.asIntN(8, value) : BigInt.asIntN(32, value), span };
}

/** Reads `string` tokens (at least one) as one string. */
export function readString(tokens: readonly Token[], complain: Complain): StringLiteral {
  const parts = tokens.map((token) => unescape(token.text.slice(token.text.indexOf('"') + 1, -1), token.span, complain));
  const bytes = joinBytes(parts);
  const [first, last] = [tokens[0], tokens.at(-1)];
  if (first === undefined || last === undefined) throw new Error('readString: no token');
  return { kind: 'string', bytes, text: new TextDecoder().decode(bytes), span: spanOver(first.span, last.span) };
}

/** Reads a `regex` token. Flags are the regular expression compiler's to judge. */
export function readRegex(token: Token): RegexLiteral {
  const { text, span } = token;
  const flags = /[A-Za-z]*$/.exec(text)?.[0] ?? '';
  return { kind: 'regex', pattern: text.slice(3, text.length - flags.length - 1), flags, patternStart: span.start + 3, span };
}

const SIMPLE: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  e: 27,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  "'": 39,
  '"': 34,
  '?': 63,
};
const ESCAPE =
  /\\(?:x(?<hex>[0-9a-fA-F]*)|u(?<short>[0-9a-fA-F]{4})|U(?<long>[0-9a-fA-F]{8})|(?<octal>[0-7]{1,3})|(?<line>\r?\n)|(?<simple>[^]))/y;

/** The bytes of a literal's inside. */
function unescape(text: string, span: Span, complain: Complain): Uint8Array {
  if (!text.includes('\\')) return UTF8.encode(text);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < text.length;) {
    const next = text.indexOf('\\', at);
    const end = next < 0 ? text.length : next;
    if (end > at) parts.push(UTF8.encode(text.slice(at, end)));
    if (next < 0) break;
    ESCAPE.lastIndex = next;
    const found = ESCAPE.exec(text);
    parts.push(escaped(found?.[0] ?? '\\', found?.groups ?? {}, span, complain));
    at = next + (found?.[0].length ?? 1);
  }
  return joinBytes(parts);
}

function escaped(written: string, parts: Record<string, string | undefined>, span: Span, complain: Complain): Uint8Array {
  const { hex, short, long, octal, simple } = parts;
  if (hex !== undefined) {
    if (hex === '') complain('bad-escape', `"\\x" needs hexadecimal digits after it`, span);
    else if (/^0*[0-9a-fA-F]{3,}$/.test(hex) && !/^0*[0-9a-fA-F]{1,2}$/.test(hex))
      complain('bad-escape', `"${written}" is more than a byte`, span, 'end the string and begin another: "\\x41" "B"');
    return Uint8Array.of(Number.parseInt(`0${hex.slice(-2)}`, 16));
  }
  if (octal !== undefined) {
    if (Number.parseInt(octal, 8) > 255) complain('bad-escape', `"${written}" is more than a byte`, span);
    return Uint8Array.of(Number.parseInt(octal, 8));
  }
  const point = short ?? long;
  if (point !== undefined) return encodePoint(Number.parseInt(point, 16), written, span, complain);
  if (simple === undefined) return new Uint8Array();
  if (Object.hasOwn(SIMPLE, simple)) return Uint8Array.of(SIMPLE[simple] ?? 0);
  complain(
    'bad-escape',
    `"${written}" is no escape that C knows`,
    span,
    simple === 'x' || simple === 'u' ? undefined : `write "\\\\${simple}" for a backslash`,
  );
  return UTF8.encode(simple);
}

function encodePoint(point: number, written: string, span: Span, complain: Complain): Uint8Array {
  if (point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff)) return UTF8.encode(String.fromCodePoint(point));
  complain('bad-escape', `"${written}" is no character of Unicode`, span);
  return new Uint8Array();
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
