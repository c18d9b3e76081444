/** The other way of `write-value.ts`. Every length is checked against what is left, and depth is bounded. */
import { TAG } from './write-value.ts';

const DEEPEST = 200;

export class ValueError extends Error {}

export class ValueReader {
  private readonly bytes: Uint8Array;
  private at = 0;
  private depth = 0;
  private readonly seen: unknown[] = [];
  private readonly strings: string[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The one value that the bytes are. Throws `ValueError`. */
  whole(): unknown {
    const value = this.value();
    if (this.at !== this.bytes.length) throw new ValueError(`${this.bytes.length - this.at} bytes too many`);
    return value;
  }

  private value(): unknown {
    const tag = this.byte();
    switch (tag) {
      case TAG.undefined:
        return undefined;
      case TAG.true:
        return true;
      case TAG.false:
        return false;
      case TAG.integer:
        return Number(this.size());
      case TAG.double: {
        const part = this.take(8);
        return new DataView(part.buffer, part.byteOffset, 8).getFloat64(0, true);
      }
      case TAG.bigint: {
        const negative = this.byte() === 1;
        const value = this.size();
        return negative ? -value : value;
      }
      case TAG.string:
        return this.string();
      case TAG.stringAgain:
        return this.stringAgain();
      case TAG.bytes:
        return this.take(this.count()).slice();
      case TAG.words:
        return this.numbers(2);
      case TAG.longs:
        return this.numbers(4);
      default:
        return this.compound(tag);
    }
  }

  private string(): string {
    const text = new TextDecoder().decode(this.take(this.count()));
    this.strings.push(text);
    return text;
  }

  private stringAgain(): string {
    const number = this.count();
    const text = this.strings[number];
    if (text === undefined) throw new ValueError(`a reference to string ${number}, of ${this.strings.length}`);
    return text;
  }

  private compound(tag: number): unknown {
    if (++this.depth > DEEPEST) throw new ValueError('nested too deep');
    try {
      if (tag === TAG.again) return this.again();
      const count = this.count();
      if (tag === TAG.array) {
        const list: unknown[] = [];
        this.seen.push(list);
        for (let index = 0; index < count; index++) list.push(this.value());
        return list;
      }
      if (tag === TAG.map) {
        const map = new Map<unknown, unknown>();
        this.seen.push(map);
        for (let index = 0; index < count; index++) map.set(this.value(), this.value());
        return map;
      }
      if (tag === TAG.object) return this.object(count);
      throw new ValueError(`a value of kind ${tag}`);
    } finally {
      this.depth--;
    }
  }

  private object(count: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.seen.push(object);
    for (let index = 0; index < count; index++) {
      const name = this.value();
      if (typeof name !== 'string' || name === '__proto__') throw new ValueError('a field without a name');
      object[name] = this.value();
    }
    return object;
  }

  private again(): unknown {
    const number = this.count();
    if (number >= this.seen.length) throw new ValueError(`a reference to value ${number}, of ${this.seen.length}`);
    return this.seen[number];
  }

  private numbers(width: 2 | 4): Uint16Array | Uint32Array {
    const part = this.take(this.count());
    const view = new DataView(part.buffer, part.byteOffset, part.length);
    const length = Math.floor(part.length / width);
    if (width === 2) return Uint16Array.from({ length }, (_, index) => view.getUint16(index * 2, true));
    return Uint32Array.from({ length }, (_, index) => view.getUint32(index * 4, true));
  }

  /** A number of things that each take at least one byte, or a number of bytes. */
  private count(): number {
    const value = this.size();
    if (value > BigInt(this.bytes.length)) throw new ValueError(`a length of ${value}`);
    return Number(value);
  }

  private size(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 140n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new ValueError('a number that does not end');
  }

  private byte(): number {
    return this.take(1)[0]!;
  }

  private take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new ValueError('cut short');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}
