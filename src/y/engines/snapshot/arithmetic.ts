/**
 * 64-bit arithmetic on registers. Each operation tries doubles first (`frame.ts` says why that works) and falls back to big integers
 * when an operand or the result is no safe integer. `+ 0` turns -0 into 0, which no integer register may hold.
 */
import type { BinaryOperator } from '../../ir/program.ts';
import { getInteger, getUnsigned, isSafeNumber, setInteger, type Frame } from './frame.ts';
import { NEXT, type Step } from './step.ts';

const TWO_32 = 2 ** 32;
const TWO_31 = 2 ** 31;

type Exact = (left: bigint, right: bigint) => bigint;
/** What doubles give; NaN or anything unsafe sends to the exact way. */
type Fast = (left: number, right: number) => number;

interface Registers {
  readonly to: number;
  readonly left: number;
  readonly right: number;
}

/** A step for every operator but the divisions, which may fail. */
export function compileBinary(operator: Exclude<BinaryOperator, DivisionOperator>, registers: Registers): Step {
  switch (operator) {
    case 'add':
      return compileAdd(registers);
    case 'sub':
      return compileSub(registers);
    case 'mul':
      return withFast(
        registers,
        (a, b) => a * b + 0,
        (a, b) => a * b,
      );
    case 'and':
      return withFast(registers, fastAnd, (a, b) => a & b);
    case 'or':
      return withFast(registers, fastOr, (a, b) => a | b);
    case 'xor':
      return withFast(registers, fastXor, (a, b) => a ^ b);
    case 'shl':
      return withFast(
        registers,
        (a, b) => (b === b ? a * 2 ** (b & 63) : NaN),
        (a, b) => a << (b & 63n),
      );
    case 'lshr':
      return withFast(registers, fastLogicalShift, (a, b) => BigInt.asUintN(64, a) >> (b & 63n));
    case 'ashr':
      return withFast(
        registers,
        (a, b) => (b === b ? Math.floor(a / 2 ** (b & 63)) : NaN),
        (a, b) => a >> (b & 63n),
      );
    default:
      return compileComparison(operator, registers);
  }
}

export type DivisionOperator = 'sdiv' | 'udiv' | 'smod' | 'umod';

export function isDivision(operator: BinaryOperator): operator is DivisionOperator {
  return operator === 'sdiv' || operator === 'udiv' || operator === 'smod' || operator === 'umod';
}

/** A division; `onZero` decides where control goes when the divisor is 0. */
export function compileDivision(operator: DivisionOperator, registers: Registers, onZero: Step): Step {
  const { to, left, right } = registers;
  const fast = FAST_DIVISIONS[operator];
  const exact = EXACT_DIVISIONS[operator];
  return (frame) => {
    const { num } = frame;
    if (num[right] === 0) return onZero(frame);
    const result = fast(num[left]!, num[right]!);
    if (isSafeNumber(result)) num[to] = result;
    else setInteger(frame, to, exact(getInteger(frame, left), getInteger(frame, right)));
    return NEXT;
  };
}

const FAST_DIVISIONS: Readonly<Record<DivisionOperator, Fast>> = {
  // The quotient of two safe integers, cut, is exact: it is further from the next whole number than rounding reaches.
  sdiv: (a, b) => Math.trunc(a / b) + 0,
  smod: (a, b) => (a % b) + 0,
  udiv: (a, b) => (a >= 0 && b > 0 ? Math.floor(a / b) : NaN),
  umod: (a, b) => (a >= 0 && b > 0 ? a % b : NaN),
};

const EXACT_DIVISIONS: Readonly<Record<DivisionOperator, Exact>> = {
  sdiv: (a, b) => a / b,
  smod: (a, b) => a % b,
  udiv: (a, b) => BigInt.asUintN(64, a) / BigInt.asUintN(64, b),
  umod: (a, b) => BigInt.asUintN(64, a) % BigInt.asUintN(64, b),
};

function withFast({ to, left, right }: Registers, fast: Fast, exact: Exact): Step {
  return (frame) => {
    const { num } = frame;
    const result = fast(num[left]!, num[right]!);
    if (isSafeNumber(result)) num[to] = result;
    else setInteger(frame, to, exact(getInteger(frame, left), getInteger(frame, right)));
    return NEXT;
  };
}

// hot: additions are written out, the others share `withFast`.
function compileAdd({ to, left, right }: Registers): Step {
  return (frame) => {
    const { num } = frame;
    const result = num[left]! + num[right]!;
    if (isSafeNumber(result)) num[to] = result;
    else setInteger(frame, to, getInteger(frame, left) + getInteger(frame, right));
    return NEXT;
  };
}

function compileSub({ to, left, right }: Registers): Step {
  return (frame) => {
    const { num } = frame;
    const result = num[left]! - num[right]!;
    if (isSafeNumber(result)) num[to] = result;
    else setInteger(frame, to, getInteger(frame, left) - getInteger(frame, right));
    return NEXT;
  };
}

/** The upper 32 bits of a safe integer in two's complement, signed; the lower are `value >>> 0`. */
function upper(value: number): number {
  return Math.floor(value / TWO_32);
}

function join(high: number, low: number): number {
  return high * TWO_32 + (low >>> 0);
}

function fastAnd(a: number, b: number): number {
  return a === a && b === b ? join(upper(a) & upper(b), a & b) : NaN;
}

function fastOr(a: number, b: number): number {
  return a === a && b === b ? join(upper(a) | upper(b), a | b) : NaN;
}

function fastXor(a: number, b: number): number {
  return a === a && b === b ? join(upper(a) ^ upper(b), a ^ b) : NaN;
}

function fastLogicalShift(a: number, b: number): number {
  return a >= 0 && b === b ? Math.floor(a / 2 ** (b & 63)) : NaN;
}

type Comparison = Exclude<BinaryOperator, DivisionOperator | 'add' | 'sub' | 'mul' | 'and' | 'or' | 'xor' | 'shl' | 'lshr' | 'ashr'>;

/** Doubles decide when both operands are ones (and, for unsigned comparisons, not negative). */
function compileComparison(operator: Comparison, registers: Registers): Step {
  switch (operator) {
    case 'eq':
      return compareSigned(
        registers,
        (a, b) => a === b,
        (a, b) => a === b,
      );
    case 'ne':
      return compareSigned(
        registers,
        (a, b) => a !== b,
        (a, b) => a !== b,
      );
    case 'slt':
      return compareSigned(
        registers,
        (a, b) => a < b,
        (a, b) => a < b,
      );
    case 'sle':
      return compareSigned(
        registers,
        (a, b) => a <= b,
        (a, b) => a <= b,
      );
    case 'sgt':
      return compareSigned(
        registers,
        (a, b) => a > b,
        (a, b) => a > b,
      );
    case 'sge':
      return compareSigned(
        registers,
        (a, b) => a >= b,
        (a, b) => a >= b,
      );
    case 'ult':
      return compareUnsigned(
        registers,
        (a, b) => a < b,
        (a, b) => a < b,
      );
    case 'ule':
      return compareUnsigned(
        registers,
        (a, b) => a <= b,
        (a, b) => a <= b,
      );
    case 'ugt':
      return compareUnsigned(
        registers,
        (a, b) => a > b,
        (a, b) => a > b,
      );
    case 'uge':
      return compareUnsigned(
        registers,
        (a, b) => a >= b,
        (a, b) => a >= b,
      );
  }
}

function compareSigned(
  { to, left, right }: Registers,
  fast: (a: number, b: number) => boolean,
  exact: (a: bigint, b: bigint) => boolean,
): Step {
  return (frame) => {
    const { num } = frame;
    const a = num[left]!;
    const b = num[right]!;
    const holds = a === a && b === b ? fast(a, b) : exact(getInteger(frame, left), getInteger(frame, right));
    num[to] = holds ? 1 : 0;
    return NEXT;
  };
}

function compareUnsigned(
  { to, left, right }: Registers,
  fast: (a: number, b: number) => boolean,
  exact: (a: bigint, b: bigint) => boolean,
): Step {
  return (frame) => {
    const { num } = frame;
    const a = num[left]!;
    const b = num[right]!;
    const holds = a >= 0 && b >= 0 ? fast(a, b) : exact(getUnsigned(frame, left), getUnsigned(frame, right));
    num[to] = holds ? 1 : 0;
    return NEXT;
  };
}

/** Keeps the lowest bits and extends them again. */
export function compileExtend(to: number, from: number, bits: 1 | 8 | 16 | 32, signed: boolean): Step {
  const keep = NARROWINGS[`${signed ? 's' : 'u'}${bits}`];
  return (frame) => {
    const value = frame.num[from]!;
    // The double's own 32-bit conversion is modulo 2^32, so any safe integer will do.
    frame.num[to] = keep(value === value ? value : Number(BigInt.asUintN(32, frame.big[from]!)));
    return NEXT;
  };
}

const NARROWINGS: Readonly<Record<`${'s' | 'u'}${1 | 8 | 16 | 32}`, (value: number) => number>> = {
  u1: (value) => value & 1,
  u8: (value) => value & 0xff,
  u16: (value) => value & 0xffff,
  u32: (value) => value >>> 0,
  s1: (value) => -(value & 1) + 0,
  s8: (value) => (value << 24) >> 24,
  s16: (value) => (value << 16) >> 16,
  s32: (value) => value | 0,
};

/** `bits` bits from bit `shift` on. */
export function compileExtract(to: number, from: number, shift: number, bits: number, signed: boolean): Step {
  const resize = signed ? BigInt.asIntN : BigInt.asUintN;
  const amount = BigInt(shift);
  if (shift + bits > 31) {
    return (frame) => {
      setInteger(frame, to, resize(bits, getUnsigned(frame, from) >> amount));
      return NEXT;
    };
  }
  const unused = 32 - bits;
  return (frame) => {
    const value = frame.num[from]!;
    const word = (value === value ? value | 0 : Number(BigInt.asIntN(32, frame.big[from]!))) >> shift;
    frame.num[to] = signed ? (word << unused) >> unused : (word << unused) >>> unused;
    return NEXT;
  };
}

/** Floor of the binary logarithm of an unsigned value; 0 for 0. */
export function compileLog2(to: number, from: number): Step {
  return (frame) => {
    const value = frame.num[from]!;
    if (value >= 0 && value < TWO_31) frame.num[to] = value < 1 ? 0 : 31 - Math.clz32(value);
    else frame.num[to] = getUnsigned(frame, from).toString(2).length - 1;
    return NEXT;
  };
}

/** Number of bits that are set. */
export function compilePopcount(to: number, from: number): Step {
  return (frame) => {
    const value = getUnsigned(frame, from);
    frame.num[to] = countBits(Number(value & 0xffff_ffffn)) + countBits(Number(value >> 32n));
    return NEXT;
  };
}

/** Of 32 bits, in parallel sums (Warren, Hacker's Delight, 5-1). */
function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/** Copies a register, whatever it holds. */
export function compileMove(to: number, from: number): Step {
  return (frame: Frame) => {
    const value = frame.num[from]!;
    frame.num[to] = value;
    if (value !== value) frame.big[to] = frame.big[from]!;
    return NEXT;
  };
}
