/**
 * Doubles as decimal text, rounded as C's `printf` does: exactly, and to even when the double lies exactly between two texts.
 * (JavaScript's `toFixed` rounds such ties up.) Worked out with big integers: a double is a whole number times a power of two.
 */
import { assert } from '../../base/index.ts';

/** A finite double that is not negative as `mantissa * 2 ** exponent`. */
interface Binary {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** Digits `d.ddd` times ten to the `exponent`. */
export interface Scientific {
  /** At least one; the first is not 0 unless the number is. */
  readonly digits: string;
  readonly exponent: number;
}

/** True for negative numbers and for -0. */
export function isNegative(value: number): boolean {
  return value < 0 || Object.is(value, -0);
}

/**
 * The digits of `%.<places>f` without a sign.
 *
 * @param value finite; its sign is ignored
 * @param places digits after the point, from 0
 */
export function toFixedDigits(value: number, places: number): string {
  const { mantissa, exponent } = toBinary(value);
  const scaled = mantissa * 10n ** BigInt(places);
  const whole = exponent >= 0 ? scaled << BigInt(exponent) : divideToEven(scaled, 1n << BigInt(-exponent));
  const digits = whole.toString().padStart(places + 1, '0');
  if (places === 0) return digits;
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/**
 * The first `count` significant digits, rounded, and the power of ten of the first one.
 *
 * @param value finite; its sign is ignored
 * @param count from 1
 */
export function toSignificantDigits(value: number, count: number): Scientific {
  assert(count >= 1, 'a number has at least one significant digit');
  if (value === 0) return { digits: '0'.repeat(count), exponent: 0 };
  const guess = Math.floor(Math.log10(Math.abs(value)));
  // The logarithm may be off by one next to a power of ten; the number of digits tells.
  for (const exponent of [guess, guess + 1, guess - 1]) {
    const digits = scaleByTen(toBinary(value), count - 1 - exponent).toString();
    if (digits.length === count) return { digits, exponent };
    // Rounding up to the next power of ten: 9.99 to two digits is 10.
    if (digits.length === count + 1 && exponent === guess && /^10*$/.test(digits)) {
      return { digits: digits.slice(0, count), exponent: exponent + 1 };
    }
  }
  throw new Error(`Bug: no decimal exponent found for ${value}`);
}

/** `binary * 10 ** power`, rounded to a whole number, to even in a tie. */
function scaleByTen({ mantissa, exponent }: Binary, power: number): bigint {
  let numerator = mantissa;
  let denominator = 1n;
  if (power >= 0) numerator *= 10n ** BigInt(power);
  else denominator = 10n ** BigInt(-power);
  if (exponent >= 0) numerator <<= BigInt(exponent);
  else denominator <<= BigInt(-exponent);
  return divideToEven(numerator, denominator);
}

function divideToEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  if (twice > denominator || (twice === denominator && (quotient & 1n) === 1n)) return quotient + 1n;
  return quotient;
}

/** IEEE 754 binary64: 52 bits of fraction, 11 of exponent with bias 1023. */
function toBinary(value: number): Binary {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const fraction = bits & ((1n << 52n) - 1n);
  const biased = Number(bits >> 52n);
  if (biased === 0) return { mantissa: fraction, exponent: -1074 };
  return { mantissa: fraction | (1n << 52n), exponent: biased - 1075 };
}
