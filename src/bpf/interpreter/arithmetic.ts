/**
 * 64-bit arithmetic on registers that are kept as two halves: bigint is several times slower, and most operations need no more than
 * two of 32 bits. Semantics: RFC 9669, section 4.
 */

/** r0–r10 as two halves each. */
export interface RegisterFile {
  readonly low: Int32Array;
  readonly high: Int32Array;
}

export function createRegisters(): RegisterFile {
  return { low: new Int32Array(11), high: new Int32Array(11) };
}

/** Without sign. */
export function getRegister({ low, high }: RegisterFile, index: number): bigint {
  return (BigInt(high[index]! >>> 0) << 32n) | BigInt(low[index]! >>> 0);
}

export function setRegister({ low, high }: RegisterFile, index: number, value: bigint): void {
  low[index] = Number(BigInt.asIntN(32, value));
  high[index] = Number(BigInt.asIntN(32, value >> 32n));
}

/** `operation` is the upper half of the opcode. `signed`: of division. False when there is no such operation. */
export function alu64(file: RegisterFile, dst: number, operation: number, low: number, high: number, signed: boolean): boolean {
  const a = file.low[dst]!;
  const b = file.high[dst]!;
  switch (operation) {
    case 0x00: {
      const sum = (a >>> 0) + (low >>> 0);
      file.low[dst] = sum | 0;
      file.high[dst] = b + high + (sum > 0xffffffff ? 1 : 0);
      return true;
    }
    case 0x10:
      file.low[dst] = a - low;
      file.high[dst] = b - high - (a >>> 0 < low >>> 0 ? 1 : 0);
      return true;
    case 0x20:
      multiply(file, dst, a, b, low, high);
      return true;
    case 0x30:
    case 0x90:
      divide(file, dst, operation === 0x90, (BigInt(high) << 32n) | BigInt(low >>> 0), signed);
      return true;
    case 0x40:
      return put(file, dst, a | low, b | high);
    case 0x50:
      return put(file, dst, a & low, b & high);
    case 0x60:
    case 0x70:
    case 0xc0:
      return shift(file, dst, operation, low & 63);
    case 0x80:
      return put(file, dst, -a, ~b + (a === 0 ? 1 : 0));
    case 0xa0:
      return put(file, dst, a ^ low, b ^ high);
    case 0xb0:
      return put(file, dst, low, high);
    default:
      return false;
  }
}

function put(file: RegisterFile, dst: number, low: number, high: number): true {
  file.low[dst] = low;
  file.high[dst] = high;
  return true;
}

/** Lower 64 bits of the product: the lower halves in pieces of 16 bits, for products of 32 bits do not fit a double. */
function multiply(file: RegisterFile, dst: number, a: number, b: number, low: number, high: number): void {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = low & 0xffff;
  const b1 = low >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const middleLow = (middle & 0xffff) + a0 * b1;
  const carry = a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(middleLow / 0x10000);
  put(file, dst, Math.imul(a, low), carry + Math.imul(a, high) + Math.imul(b, low));
}

/** By zero: the quotient is 0, the remainder the dividend. */
function divide(file: RegisterFile, dst: number, remainder: boolean, divisor: bigint, signed: boolean): void {
  const toSigned = signed ? BigInt.asIntN : BigInt.asUintN;
  const a = toSigned(64, getRegister(file, dst));
  const b = toSigned(64, divisor);
  setRegister(file, dst, b === 0n ? (remainder ? a : 0n) : remainder ? a % b : a / b);
}

function shift(file: RegisterFile, dst: number, operation: number, by: number): true {
  const low = file.low[dst]!;
  const high = file.high[dst]!;
  if (by === 0) return true;
  if (operation === 0x60) {
    if (by >= 32) return put(file, dst, 0, low << (by - 32));
    return put(file, dst, low << by, (high << by) | (low >>> (32 - by)));
  }
  const fill = operation === 0xc0 ? high >> 31 : 0;
  if (by >= 32) return put(file, dst, operation === 0xc0 ? high >> (by - 32) : high >>> (by - 32), fill);
  return put(file, dst, (low >>> by) | (high << (32 - by)), operation === 0xc0 ? high >> by : high >>> by);
}

/** On the lower half; the upper becomes 0. */
export function alu32(file: RegisterFile, dst: number, operation: number, value: number, signed: boolean): boolean {
  const result = compute32(file.low[dst]!, operation, value, signed);
  if (result === undefined) return false;
  return put(file, dst, result, 0);
}

function compute32(a: number, operation: number, b: number, signed: boolean): number | undefined {
  switch (operation) {
    case 0x00:
      return a + b;
    case 0x10:
      return a - b;
    case 0x20:
      return Math.imul(a, b);
    case 0x30:
      if (b === 0) return 0;
      return signed ? Math.trunc(a / b) : Math.floor((a >>> 0) / (b >>> 0));
    case 0x40:
      return a | b;
    case 0x50:
      return a & b;
    case 0x60:
      return a << (b & 31);
    case 0x70:
      return a >>> (b & 31);
    case 0x80:
      return -a;
    case 0x90:
      if (b === 0) return a;
      return signed ? a % b : (a >>> 0) % (b >>> 0);
    case 0xa0:
      return a ^ b;
    case 0xb0:
      return b;
    case 0xc0:
      return a >> (b & 31);
    default:
      return undefined;
  }
}

/** Whether a jump's condition holds; `wide`: on 64 bits. Undefined when there is no such condition. */
export function compare(operation: number, wide: boolean, a: number, aHigh: number, b: number, bHigh: number): boolean | undefined {
  const highA = wide ? aHigh : 0;
  const highB = wide ? bHigh : 0;
  const equal = a === b && highA === highB;
  const below = highA === highB ? a >>> 0 < b >>> 0 : highA >>> 0 < highB >>> 0;
  const less = wide ? (highA === highB ? a >>> 0 < b >>> 0 : highA < highB) : a < b;
  switch (operation) {
    case 0x10:
      return equal;
    case 0x20:
      return !below && !equal;
    case 0x30:
      return !below;
    case 0x40:
      return ((a & b) | (highA & highB)) !== 0;
    case 0x50:
      return !equal;
    case 0x60:
      return !less && !equal;
    case 0x70:
      return !less;
    case 0xa0:
      return below;
    case 0xb0:
      return below || equal;
    case 0xc0:
      return less;
    case 0xd0:
      return less || equal;
    default:
      return undefined;
  }
}

/** The instruction of byte order: `swap` the lower `bits`, or only cut to them. */
export function reorder(file: RegisterFile, dst: number, bits: number, swap: boolean): boolean {
  if (bits !== 16 && bits !== 32 && bits !== 64) return false;
  const low = file.low[dst]!;
  const high = file.high[dst]!;
  if (bits === 16) return put(file, dst, swap ? ((low & 0xff) << 8) | ((low >>> 8) & 0xff) : low & 0xffff, 0);
  if (bits === 32) return put(file, dst, swap ? swap32(low) : low, 0);
  return swap ? put(file, dst, swap32(high), swap32(low)) : true;
}

function swap32(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}
