/** Registers to and from little-endian bytes. A double's register holds the double itself and crosses as its IEEE 754 bits. */
import { getInteger, isSafeNumber, setInteger, type Frame } from './frame.ts';

const TWO_32 = 2 ** 32;

export type Size = 1 | 2 | 4 | 8;
export type RegisterKind = 'integer' | 'float';

/** Sets register `to` from bytes of a view. hot: once for each read of the target. */
export type Load = (frame: Frame, view: DataView, offset: number) => void;

/** The load for a register of `kind`; `size` 4 of a double is a single-precision one. */
export function compileLoad(to: number, kind: RegisterKind, size: Size, signed: boolean): Load {
  if (kind === 'float') {
    return (frame, view, offset) => {
      frame.num[to] = size === 4 ? view.getFloat32(offset, true) : view.getFloat64(offset, true);
    };
  }
  switch (size) {
    case 1:
      return signed
        ? (frame, view, offset) => void (frame.num[to] = view.getInt8(offset))
        : (frame, view, offset) => void (frame.num[to] = view.getUint8(offset));
    case 2:
      return signed
        ? (frame, view, offset) => void (frame.num[to] = view.getInt16(offset, true))
        : (frame, view, offset) => void (frame.num[to] = view.getUint16(offset, true));
    case 4:
      return signed
        ? (frame, view, offset) => void (frame.num[to] = view.getInt32(offset, true))
        : (frame, view, offset) => void (frame.num[to] = view.getUint32(offset, true));
    case 8:
      return (frame, view, offset) => {
        const value = view.getInt32(offset + 4, true) * TWO_32 + view.getUint32(offset, true);
        if (isSafeNumber(value)) frame.num[to] = value;
        else setInteger(frame, to, view.getBigInt64(offset, true));
      };
  }
}

/** Writes a register's low `size` bytes into a view. */
export function storeRegister(frame: Frame, register: number, kind: RegisterKind, view: DataView, offset: number, size: Size): void {
  if (kind === 'float') {
    if (size === 4) view.setFloat32(offset, frame.num[register]!, true);
    else view.setFloat64(offset, frame.num[register]!, true);
    return;
  }
  const value = frame.num[register]!;
  // The setters convert modulo their size, and any safe integer keeps its low 32 bits in that.
  if (size === 8 || value !== value) writeInteger(view, offset, size, getInteger(frame, register));
  else if (size === 4) view.setInt32(offset, value | 0, true);
  else if (size === 2) view.setInt16(offset, value | 0, true);
  else view.setInt8(offset, value | 0);
}

/** Writes the low `size` bytes of an integer. */
export function writeInteger(view: DataView, offset: number, size: Size, value: bigint): void {
  if (size === 8) view.setBigInt64(offset, BigInt.asIntN(64, value), true);
  else if (size === 4) view.setUint32(offset, Number(BigInt.asUintN(32, value)), true);
  else if (size === 2) view.setUint16(offset, Number(BigInt.asUintN(16, value)), true);
  else view.setUint8(offset, Number(BigInt.asUintN(8, value)));
}

/** An integer of `size` bytes. */
export function readInteger(view: DataView, offset: number, size: Size, signed: boolean): bigint {
  if (size === 8) return signed ? view.getBigInt64(offset, true) : view.getBigUint64(offset, true);
  if (size === 4) return BigInt(signed ? view.getInt32(offset, true) : view.getUint32(offset, true));
  if (size === 2) return BigInt(signed ? view.getInt16(offset, true) : view.getUint16(offset, true));
  return BigInt(signed ? view.getInt8(offset) : view.getUint8(offset));
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A copy of at most `limit` bytes. (`slice` of a Node `Buffer` would be a view.) */
export function copyOf(bytes: Uint8Array, limit = bytes.length): Uint8Array {
  return new Uint8Array(bytes.subarray(0, limit));
}
