/**
 * Reads numbers from one section, never past `end`: a read that would pass it throws `FormatFault`.
 * 64-bit numbers are doubles, exact up to 2^53 (every address of a program is); `bigU64` is exact always.
 */
import { FormatFault } from './format-error.ts';

const TWO_32 = 0x1_0000_0000;

export class Cursor {
  readonly bytes: Uint8Array;
  readonly section: string;
  readonly littleEndian: boolean;
  readonly view: DataView;
  /** Next byte to be read, from the section's start. */
  pos = 0;
  /** One past the last byte that may be read. */
  end: number;

  constructor(bytes: Uint8Array, section: string, littleEndian: boolean) {
    this.bytes = bytes;
    this.section = section;
    this.littleEndian = littleEndian;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.length;
  }

  fail(message: string): never {
    throw new FormatFault(this.section, this.pos, message);
  }

  /** Goes to `pos` and allows reads up to `end`. */
  seek(pos: number, end: number = this.bytes.length): void {
    if (!(pos >= 0 && pos <= end && end <= this.bytes.length))
      this.fail(`a range ${pos}..${end} outside of the section's ${this.bytes.length} bytes`);
    this.pos = pos;
    this.end = end;
  }

  /** Passes over `count` bytes. */
  skip(count: number): void {
    if (!(count >= 0 && count <= this.end - this.pos)) this.fail(`${count} bytes wanted, ${this.end - this.pos} left`);
    this.pos += count;
  }

  #take(count: number): number {
    const at = this.pos;
    if (count > this.end - at) this.fail(`${count} bytes wanted, ${this.end - at} left`);
    this.pos = at + count;
    return at;
  }

  u8(): number {
    if (this.pos >= this.end) this.fail('1 byte wanted, 0 left');
    return this.bytes[this.pos++]!;
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    return this.view.getUint16(this.#take(2), this.littleEndian);
  }

  i16(): number {
    return this.view.getInt16(this.#take(2), this.littleEndian);
  }

  u24(): number {
    const at = this.#take(3);
    const { bytes } = this;
    const [low, high] = this.littleEndian ? [bytes[at]!, bytes[at + 2]!] : [bytes[at + 2]!, bytes[at]!];
    return low | (bytes[at + 1]! << 8) | (high << 16);
  }

  u32(): number {
    return this.view.getUint32(this.#take(4), this.littleEndian);
  }

  i32(): number {
    return this.view.getInt32(this.#take(4), this.littleEndian);
  }

  u64(): number {
    const at = this.#take(8);
    const first = this.view.getUint32(at, this.littleEndian);
    const second = this.view.getUint32(at + 4, this.littleEndian);
    return this.littleEndian ? second * TWO_32 + first : first * TWO_32 + second;
  }

  i64(): number {
    return Number(this.view.getBigInt64(this.#take(8), this.littleEndian));
  }

  bigU64(): bigint {
    return this.view.getBigUint64(this.#take(8), this.littleEndian);
  }

  /** An unsigned number of 1, 2, 3, 4 or 8 bytes. */
  unsigned(size: number): number {
    switch (size) {
      case 1:
        return this.u8();
      case 2:
        return this.u16();
      case 3:
        return this.u24();
      case 4:
        return this.u32();
      case 8:
        return this.u64();
      default:
        return this.fail(`a number of ${size} bytes`);
    }
  }

  /** Unsigned LEB128 (DWARF 5, 7.6); bits beyond the 63rd are dropped. */
  uleb(): number {
    const { bytes, end } = this;
    let pos = this.pos;
    if (pos < end && bytes[pos]! < 0x80) {
      this.pos = pos + 1;
      return bytes[pos]!;
    }
    let value = 0;
    let scale = 1;
    for (;;) {
      if (pos >= end) this.fail('a number goes on after the end');
      const byte = bytes[pos++]!;
      if (scale < 2 ** 63) value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) break;
    }
    this.pos = pos;
    return value;
  }

  /** Signed LEB128. */
  sleb(): number {
    const { bytes, end } = this;
    let pos = this.pos;
    let value = 0;
    let scale = 1;
    for (;;) {
      if (pos >= end) this.fail('a number goes on after the end');
      const byte = bytes[pos++]!;
      if (scale < 2 ** 63) value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte >= 0x80) continue;
      this.pos = pos;
      return (byte & 0x40) !== 0 ? value - Math.min(scale, 2 ** 70) : value;
    }
  }

  /** LEB128 as it is written, exact in 64 bits: `signed` extends the sign. */
  bigLeb(signed: boolean): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.u8();
      if (shift < 64n) value |= BigInt(byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      if (!signed) return BigInt.asUintN(64, value);
      const width = shift + 7n;
      return BigInt.asIntN(64, (byte & 0x40) !== 0 && width < 64n ? value - (1n << width) : value);
    }
  }

  skipLeb(): void {
    const { bytes, end } = this;
    let pos = this.pos;
    while (pos < end && bytes[pos]! >= 0x80) pos++;
    if (pos >= end) this.fail('a number goes on after the end');
    this.pos = pos + 1;
  }

  /** Passes over a NUL-terminated text and returns where it started. */
  skipText(): number {
    const start = this.pos;
    const nul = this.bytes.indexOf(0, start);
    if (nul < 0 || nul >= this.end) this.fail('a text without an end');
    this.pos = nul + 1;
    return start;
  }

  text(): string {
    const start = this.skipText();
    return decodeText(this.bytes, start, this.pos - 1);
  }

  /**
   * Reads an initial length (DWARF 5, 7.4): 4 bytes, or ffffffff and 8 bytes for the 64-bit format.
   *
   * @returns where the unit ends, and whether offsets in it have 8 bytes
   */
  unitEnd(): { readonly end: number; readonly offsetSize: 4 | 8 } {
    const first = this.u32();
    const long = first === 0xffff_ffff;
    if (first >= 0xffff_fff0 && !long) this.fail(`a unit's length is the reserved ${first}`);
    const length = long ? this.u64() : first;
    if (length > this.end - this.pos) this.fail(`a unit of ${length} bytes, ${this.end - this.pos} left`);
    return { end: this.pos + length, offsetSize: long ? 8 : 4 };
  }
}

const utf8 = new TextDecoder();

/** UTF-8 between two offsets; short plain names, which nearly all are, without the decoder's overhead. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > 48) return utf8.decode(bytes.subarray(start, end));
  let text = '';
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte >= 0x80) return utf8.decode(bytes.subarray(start, end));
    text += String.fromCharCode(byte);
  }
  return text;
}
