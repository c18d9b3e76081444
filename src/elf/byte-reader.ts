import { FormatFault } from './format-error.ts';

const TWO_32 = 2 ** 32;

/**
 * Integers and text at offsets of one byte range, in one byte order. Every read checks its bounds and throws
 * `FormatFault` (`truncated`) beyond them. The bytes are not copied and must not change.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  readonly length: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.bytes = bytes;
    this.littleEndian = littleEndian;
    this.length = bytes.length;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Throws unless `size` bytes lie at `offset`. */
  check(offset: number, size: number): void {
    if (offset >= 0 && size >= 0 && offset + size <= this.length) return;
    throw new FormatFault('truncated', `${size} bytes at offset ${offset} lie outside of ${this.length} bytes`);
  }

  u8(offset: number): number {
    this.check(offset, 1);
    return this.#view.getUint8(offset);
  }

  u16(offset: number): number {
    this.check(offset, 2);
    return this.#view.getUint16(offset, this.littleEndian);
  }

  u32(offset: number): number {
    this.check(offset, 4);
    return this.#view.getUint32(offset, this.littleEndian);
  }

  i32(offset: number): number {
    this.check(offset, 4);
    return this.#view.getInt32(offset, this.littleEndian);
  }

  /** 64 bits as a number: exact below 2^53, and above it for multiples of 4096 (all that addresses of pages need). */
  u64(offset: number): number {
    this.check(offset, 8);
    const low = this.#view.getUint32(this.littleEndian ? offset : offset + 4, this.littleEndian);
    const high = this.#view.getUint32(this.littleEndian ? offset + 4 : offset, this.littleEndian);
    return high * TWO_32 + low;
  }

  /** 64 signed bits as a number: exact within 2^53 of 0. */
  i64(offset: number): number {
    this.check(offset, 8);
    const low = this.#view.getUint32(this.littleEndian ? offset : offset + 4, this.littleEndian);
    const high = this.#view.getInt32(this.littleEndian ? offset + 4 : offset, this.littleEndian);
    return high * TWO_32 + low;
  }

  /** 64 bits, exact. */
  big64(offset: number): bigint {
    this.check(offset, 8);
    return this.#view.getBigUint64(offset, this.littleEndian);
  }

  /** Offset of the first NUL at or after `offset`, or the end of the bytes where there is none. */
  endOfText(offset: number): number {
    if (offset < 0 || offset > this.length)
      throw new FormatFault('truncated', `text at offset ${offset} lies outside of ${this.length} bytes`);
    const end = this.bytes.indexOf(0, offset);
    return end < 0 ? this.length : end;
  }

  /** UTF-8 text at `offset` up to a NUL, the end of the bytes, or `limit` bytes. */
  text(offset: number, limit = 65_536): string {
    if (offset < 0 || offset > this.length)
      throw new FormatFault('truncated', `text at offset ${offset} lies outside of ${this.length} bytes`);
    return textOf(this.bytes.subarray(offset, Math.min(offset + limit, this.length)));
  }

  /** A view of `size` bytes at `offset`. */
  range(offset: number, size: number): Uint8Array {
    this.check(offset, size);
    return this.bytes.subarray(offset, offset + size);
  }
}

/** UTF-8 text up to the first NUL, or all of it. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.buffer, bytes.byteOffset, end < 0 ? bytes.length : end).toString('utf8');
}
