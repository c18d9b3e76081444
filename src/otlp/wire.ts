/**
 * Protobuf's wire format (protobuf.dev/programming-guides/encoding), bounds-checked: every read is given the end of the
 * message it belongs to and fails, by throwing `WireError`, before it would pass it. 64-bit numbers are read as halves.
 */
import type { OtlpError } from './model.ts';

/** Thrown inside the decoder for a request that cannot be read; turned into a `Result` at its border. */
export class WireError extends Error {
  readonly detail: OtlpError;

  constructor(detail: OtlpError) {
    super(detail.message);
    this.detail = detail;
  }
}

/** Wire types; 3 and 4 are the long deprecated groups, which we skip. */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

const MAX_GROUP_DEPTH = 64;
const TWO_28 = 0x1000_0000;

/** Reads primitives from `bytes`, moving `pos`. */
export class WireReader {
  readonly bytes: Uint8Array;
  pos = 0;
  /** Halves of the last `fixed64` read as a time. */
  seconds = 0;
  nanos = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(code: OtlpError['code'], message: string): never {
    throw new WireError({ code, message: `${message} (byte ${this.pos})`, offset: this.pos });
  }

  /** A varint's low 32 bits, unsigned; higher bits are dropped as protobuf prescribes for 32-bit fields. */
  varint32(end: number): number {
    const { bytes } = this;
    let pos = this.pos;
    if (pos < end && bytes[pos]! < 0x80) {
      this.pos = pos + 1;
      return bytes[pos]!;
    }
    let value = 0;
    const last = pos + 10;
    for (let shift = 0; ; shift += 7) {
      if (pos >= end) this.fail('truncated', 'The message ends inside a number');
      if (pos >= last) this.fail('bad-varint', 'A number is longer than ten bytes');
      const byte = bytes[pos++]!;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    this.pos = pos;
    return value >>> 0;
  }

  /** A field's tag: number × 8 + wire type. */
  tag(end: number): number {
    const tag = this.varint32(end);
    if (tag < 8) this.fail('bad-tag', 'A field has number 0');
    return tag;
  }

  /** A length that fits in what is left before `end`; returns where the field ends. */
  lengthEnd(end: number): number {
    const start = this.pos;
    const length = this.varint32(end);
    const size = this.pos - start;
    // Bits beyond the 32nd, which varint32 drops, would make a hostile length look harmless.
    const tooLong = size > 5 || (size === 5 && this.bytes[this.pos - 1]! > 0x0f);
    if (tooLong || length > end - this.pos) {
      this.fail('truncated', `A field says it is longer than the ${end - this.pos} bytes that are left`);
    }
    return this.pos + length;
  }

  /** A signed 64-bit varint: a number, or its decimal digits when a double cannot hold it. */
  int64(end: number): number | string {
    const { bytes } = this;
    let pos = this.pos;
    if (pos < end && bytes[pos]! < 0x80) {
      this.pos = pos + 1;
      return bytes[pos]!;
    }
    // low, middle: 28 bits each; high: the remaining 8.
    let low = 0;
    let middle = 0;
    let high = 0;
    for (let index = 0; ; index++) {
      if (pos >= end) this.fail('truncated', 'The message ends inside a number');
      if (index === 10) this.fail('bad-varint', 'A number is longer than ten bytes');
      const byte = bytes[pos++]!;
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index < 8) middle |= bits << (7 * (index - 4));
      else high |= bits << (7 * (index - 8));
      if (byte < 0x80) break;
    }
    this.pos = pos;
    return joinInt64(low, middle, high & 0xff);
  }

  /** Reads nanoseconds since 1970 into `seconds` and `nanos`, exactly and without bigint. */
  time(end: number): void {
    const pos = this.pos;
    if (end - pos < 8) this.fail('truncated', 'The message ends inside a time');
    const low = this.#view.getUint32(pos, true);
    const high = this.#view.getUint32(pos + 4, true);
    this.pos = pos + 8;
    // Long division by 10^9, 16 bits at a time: every step stays below 2^53.
    const top = Math.floor(high / 1e9);
    const first = (high - top * 1e9) * 65536 + (low >>> 16);
    const middle = Math.floor(first / 1e9);
    const second = (first - middle * 1e9) * 65536 + (low & 0xffff);
    const bottom = Math.floor(second / 1e9);
    this.seconds = (top * 65536 + middle) * 65536 + bottom;
    this.nanos = second - bottom * 1e9;
  }

  double(end: number): number {
    const pos = this.pos;
    if (end - pos < 8) this.fail('truncated', 'The message ends inside a double');
    this.pos = pos + 8;
    return this.#view.getFloat64(pos, true);
  }

  fixed32(end: number): number {
    const pos = this.pos;
    if (end - pos < 4) this.fail('truncated', 'The message ends inside a 32-bit number');
    this.pos = pos + 4;
    return this.#view.getUint32(pos, true);
  }

  /** Passes over the field whose tag was just read, whatever it is. */
  skip(tag: number, end: number, depth = 0): void {
    switch (tag & 7) {
      case WireType.varint:
        this.varint32(end);
        return;
      case WireType.fixed64:
        this.#advance(8, end);
        return;
      case WireType.bytes:
        this.pos = this.lengthEnd(end);
        return;
      case WireType.startGroup:
        this.#skipGroup(tag, end, depth + 1);
        return;
      case WireType.fixed32:
        this.#advance(4, end);
        return;
      default:
        this.fail('bad-wire-type', `Field ${tag >>> 3} has wire type ${tag & 7}`);
    }
  }

  /**
   * For a tag that no case took: passes over a field that we do not know; a field that we do know (bit n of
   * `knownFields` for field n) has the wrong wire type, which is an error.
   */
  skipUnknown(tag: number, end: number, knownFields: number): void {
    const field = tag >>> 3;
    if (field < 32 && ((knownFields >>> field) & 1) === 1) {
      this.fail('bad-wire-type', `Field ${field} has wire type ${tag & 7}`);
    }
    this.skip(tag, end);
  }

  #advance(count: number, end: number): void {
    if (end - this.pos < count) this.fail('truncated', 'The message ends inside a field');
    this.pos += count;
  }

  #skipGroup(startTag: number, end: number, depth: number): void {
    if (depth > MAX_GROUP_DEPTH) this.fail('too-deep', 'Groups are nested too deep');
    const endTag = startTag + 1;
    for (;;) {
      const tag = this.tag(end);
      if (tag === endTag) return;
      this.skip(tag, end, depth);
    }
  }
}

/** Joins 28 + 28 + 8 bits of two's complement. */
function joinInt64(low: number, middle: number, high: number): number | string {
  if (high < 0x80) {
    if (high === 0 && middle < 1 << 25) return middle * TWO_28 + low;
    return ((BigInt(high) << 56n) | (BigInt(middle) << 28n) | BigInt(low)).toString();
  }
  // Negative: its value is -(complement + 1), and the complement is small when the number is.
  const upper = ~middle & 0xfff_ffff;
  if (high === 0xff && upper < 1 << 25) {
    const value = -(upper * TWO_28 + (~low & 0xfff_ffff) + 1);
    if (value >= Number.MIN_SAFE_INTEGER) return value;
  }
  const bits = (BigInt(high) << 56n) | (BigInt(middle) << 28n) | BigInt(low);
  return BigInt.asIntN(64, bits).toString();
}
