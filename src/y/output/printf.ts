/**
 * Values through a parsed format string, as C's `printf` writes them (C11 7.21.6.1, checked against glibc).
 *
 * Widths and precisions count bytes, as in C. Different from C: texts and characters that are not printable UTF-8 show as
 * `\x..` escapes (`toPrintable`); `%e` prints an enumerator's name (of a double
 * what C does); a conversion that gets a value of another kind prints it by
 * its kind rather than misreading it.
 */
import { assert } from '../../base/index.ts';
import type { Format, FormatPiece } from '../ir/program.ts';
import { isNegative, toFixedDigits, toSignificantDigits } from './decimal.ts';
import { toJsonText, toPrintable } from './text.ts';

/** A value to print. An integer is 64 bits, as its register holds it; `string` is text that we made (a name, a histogram). */
export type PrintValue =
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'text'; readonly bytes: Uint8Array }
  | { readonly kind: 'string'; readonly text: string };

type Conversion = Exclude<FormatPiece, { readonly text: string }>;

/** The whole text of one `printf`. There is one value for each conversion. */
export function formatText(format: Format, values: readonly PrintValue[]): string {
  let text = '';
  let next = 0;
  for (const piece of format.pieces) {
    if ('text' in piece) {
      text += piece.text;
      continue;
    }
    const value = values[next];
    assert(value !== undefined, `a format has more conversions than the ${values.length} values it got`);
    next += 1;
    text += convert(piece, value);
  }
  return text;
}

function convert(piece: Conversion, value: PrintValue): string {
  if (value.kind === 'string') return formatBytes(piece, value.text, Buffer.from(value.text));
  if (value.kind === 'text') return formatBytes(piece, undefined, value.bytes);
  if (piece.verb === 'f' || piece.verb === 'g' || (piece.verb === 'e' && value.kind === 'float')) {
    return formatFloat(piece, value.kind === 'float' ? value.value : Number(BigInt.asIntN(64, value.value)));
  }
  if (value.kind === 'integer') return formatInteger(piece, value.value);
  return formatFloat({ ...piece, verb: 'g' }, value.value);
}

/** Text: `precision` is the most bytes that are taken. */
function formatBytes(piece: Conversion, whole: string | undefined, bytes: Uint8Array): string {
  const taken = piece.precision === undefined ? bytes : bytes.subarray(0, piece.precision);
  if (piece.encoding !== undefined) {
    const encoded = piece.encoding === 'hex' ? Buffer.from(taken).toString('hex') : toJsonText(taken);
    return padText(piece, encoded, Buffer.byteLength(encoded));
  }
  const text = whole !== undefined && taken.length === bytes.length ? whole : toPrintable(taken);
  return padText(piece, text, taken.length);
}

function padText(piece: Conversion, text: string, length: number): string {
  const padding = ' '.repeat(Math.max(0, (piece.width ?? 0) - length));
  return piece.minus ? text + padding : padding + text;
}

function formatInteger(piece: Conversion, value: bigint): string {
  switch (piece.verb) {
    case 'c':
      return padText(piece, toPrintable(Uint8Array.of(Number(value & 0xffn))), 1);
    case 'p':
      return formatPointer(piece, BigInt.asUintN(64, value));
    case 'x':
    case 'X':
    case 'o':
    case 'u':
      return formatUnsigned(piece, BigInt.asUintN(piece.size * 8, value));
    default:
      return formatSigned(piece, BigInt.asIntN(piece.size * 8, value));
  }
}

function formatSigned(piece: Conversion, value: bigint): string {
  const digits = value < 0n ? (-value).toString() : value.toString();
  return padNumber(piece, signOf(piece, value < 0n), integerDigits(piece, digits), piece.precision === undefined);
}

function formatUnsigned(piece: Conversion, value: bigint): string {
  const base = piece.verb === 'o' ? 8 : piece.verb === 'u' ? 10 : 16;
  let digits = integerDigits(piece, value.toString(base));
  // The alternate form of octal makes the first digit a zero, by precision if need be.
  if (piece.verb === 'o' && piece.alternate && !digits.startsWith('0')) digits = `0${digits}`;
  const prefix = base === 16 && piece.alternate && value !== 0n ? '0x' : '';
  if (piece.verb === 'X') return padNumber(piece, prefix.toUpperCase(), digits.toUpperCase(), piece.precision === undefined);
  return padNumber(piece, prefix, digits, piece.precision === undefined);
}

/** As glibc: `0x` and hexadecimal; the null pointer is `(nil)`. */
function formatPointer(piece: Conversion, value: bigint): string {
  if (value === 0n) return padText(piece, '(nil)', 5);
  return padNumber(piece, signOf(piece, false) + '0x', integerDigits(piece, value.toString(16)), piece.precision === undefined);
}

/** Precision is the least number of digits; zero with precision zero has none. */
function integerDigits(piece: Conversion, digits: string): string {
  if (piece.precision === 0 && digits === '0') return '';
  return digits.padStart(piece.precision ?? 1, '0');
}

function signOf(piece: Conversion, negative: boolean): string {
  if (negative) return '-';
  if (piece.plus) return '+';
  return piece.space ? ' ' : '';
}

/** Zeros go between sign and digits, blanks before the sign, or after everything with `-`. */
function padNumber(piece: Conversion, sign: string, digits: string, mayZero: boolean): string {
  const missing = Math.max(0, (piece.width ?? 0) - sign.length - digits.length);
  if (piece.minus) return sign + digits + ' '.repeat(missing);
  if (piece.zero && mayZero) return sign + '0'.repeat(missing) + digits;
  return ' '.repeat(missing) + sign + digits;
}

function formatFloat(piece: Conversion, value: number): string {
  const sign = signOf(piece, isNegative(value));
  if (Number.isNaN(value)) return padNumber(piece, sign, 'nan', false);
  if (!Number.isFinite(value)) return padNumber(piece, sign, 'inf', false);
  const digits = piece.verb === 'f' ? fixedDigits : piece.verb === 'e' ? scientificDigits : generalDigits;
  return padNumber(piece, sign, digits(piece, value), true);
}

function fixedDigits(piece: Conversion, value: number): string {
  const places = piece.precision ?? 6;
  const digits = toFixedDigits(value, places);
  return places === 0 && piece.alternate ? `${digits}.` : digits;
}

function scientificDigits(piece: Conversion, value: number): string {
  const { digits, exponent } = toSignificantDigits(value, (piece.precision ?? 6) + 1);
  const point = digits.length > 1 || piece.alternate ? '.' : '';
  return `${digits[0]!}${point}${digits.slice(1)}${powerText(exponent)}`;
}

/** At least two digits. */
function powerText(exponent: number): string {
  return `e${exponent < 0 ? '-' : '+'}${Math.abs(exponent).toString().padStart(2, '0')}`;
}

/** `%g`: scientific when the exponent is below -4 or not below the precision; trailing zeros go unless `#`. */
function generalDigits(piece: Conversion, value: number): string {
  const precision = Math.max(1, piece.precision ?? 6);
  const { digits, exponent } = toSignificantDigits(value, precision);
  const scientific = exponent < -4 || exponent >= precision;
  const point = scientific ? 1 : exponent + 1;
  let plain = point > 0 ? digits.slice(0, point) : '0';
  let fraction = point > 0 ? digits.slice(point) : '0'.repeat(-point) + digits;
  if (!piece.alternate) fraction = fraction.replace(/0+$/, '');
  if (fraction !== '' || piece.alternate) plain += `.${fraction}`;
  return scientific ? plain + powerText(exponent) : plain;
}
