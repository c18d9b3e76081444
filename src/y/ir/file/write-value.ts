/**
 * Plain data as bytes: what a `Program` is made of. Every value begins with a byte that says its kind. Objects, arrays and strings that
 * occur twice are written once and referred to, so that what contains itself ends. Numbers of length are LEB128.
 */

/** Kinds of values in a file. Never renumbered. */
export const TAG = {
  undefined: 0,
  true: 1,
  false: 2,
  /** A non-negative integer as LEB128. */
  integer: 3,
  double: 4,
  /** A sign byte and the magnitude as LEB128. */
  bigint: 5,
  string: 6,
  bytes: 7,
  words: 8,
  longs: 9,
  array: 10,
  object: 11,
  map: 12,
  /** Number of an object, array or map written before, in the order of their beginnings. */
  again: 13,
  /** Number of a string written before. */
  stringAgain: 14,
} as const;

export class ValueWriter {
  private buffer = new Uint8Array(4096);
  private length = 0;
  private readonly seen = new Map<object, number>();
  private readonly strings = new Map<string, number>();

  finish(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  value(value: unknown): void {
    switch (typeof value) {
      case 'undefined':
        return this.byte(TAG.undefined);
      case 'boolean':
        return this.byte(value ? TAG.true : TAG.false);
      case 'number':
        return this.number(value);
      case 'bigint':
        this.byte(TAG.bigint);
        this.byte(value < 0n ? 1 : 0);
        return this.size(value < 0n ? -value : value);
      case 'string':
        return this.string(value);
      case 'object':
        if (value !== null) return this.object(value);
        break;
      default:
    }
    throw new Error(`Bug: a program holds a ${typeof value}`);
  }

  private string(value: string): void {
    const before = this.strings.get(value);
    if (before !== undefined) {
      this.byte(TAG.stringAgain);
      return this.size(BigInt(before));
    }
    this.strings.set(value, this.strings.size);
    this.block(TAG.string, new TextEncoder().encode(value));
  }

  private number(value: number): void {
    if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) {
      this.byte(TAG.integer);
      return this.size(BigInt(value));
    }
    this.byte(TAG.double);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.raw(bytes);
  }

  private object(value: object): void {
    const before = this.seen.get(value);
    if (before !== undefined) {
      this.byte(TAG.again);
      return this.size(BigInt(before));
    }
    if (value instanceof Uint8Array) return this.block(TAG.bytes, value);
    if (value instanceof Uint16Array) return this.block(TAG.words, littleEndian(value, 2));
    if (value instanceof Uint32Array) return this.block(TAG.longs, littleEndian(value, 4));
    this.seen.set(value, this.seen.size);
    if (Array.isArray(value)) return this.list(TAG.array, value);
    if (value instanceof Map) return this.list(TAG.map, [...value].flat());
    const names = Object.keys(value);
    this.list(
      TAG.object,
      names.flatMap((name) => [name, (value as Record<string, unknown>)[name]]),
    );
  }

  private list(tag: number, items: readonly unknown[]): void {
    this.byte(tag);
    this.size(BigInt(tag === TAG.array ? items.length : items.length / 2));
    for (const item of items) this.value(item);
  }

  private block(tag: number, bytes: Uint8Array): void {
    this.byte(tag);
    this.size(BigInt(bytes.length));
    this.raw(bytes);
  }

  private size(value: bigint): void {
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80);
    this.byte(Number(rest));
  }

  private byte(value: number): void {
    this.room(1);
    this.buffer[this.length++] = value;
  }

  private raw(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  private room(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + bytes));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }
}

function littleEndian(values: Uint16Array | Uint32Array, width: 2 | 4): Uint8Array {
  const bytes = new Uint8Array(values.length * width);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => (width === 2 ? view.setUint16(index * 2, value, true) : view.setUint32(index * 4, value, true)));
  return bytes;
}
