/** Growable little-endian byte buffer: what ClickHouse's binary formats are written with. */

const HEX_VALUE = new Uint8Array(128);
for (let i = 0; i < 10; i++) HEX_VALUE[48 + i] = i;
for (let i = 0; i < 6; i++) {
  HEX_VALUE[97 + i] = 10 + i;
  HEX_VALUE[65 + i] = 10 + i;
}

const TWO_32 = 4294967296;

/** `length` counts the bytes written so far; every method grows the buffer as it needs. */
export class ByteWriter {
  length = 0;
  #bytes: Buffer;
  #view: DataView;

  constructor(initialBytes = 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(initialBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.length + count));
    this.#bytes.copy(grown, 0, 0, this.length);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  uint8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  uint16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.length, value, true);
    this.length += 2;
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** `value` is a whole number up to 2^53. */
  uint64(value: number): void {
    this.#reserve(8);
    const low = value >>> 0;
    this.#view.setUint32(this.length, low, true);
    this.#view.setUint32(this.length + 4, (value - low) / TWO_32, true);
    this.length += 8;
  }

  /** Writes `seconds * 1e9 + nanos` as 64 bits without a bigint. hot: two per stored span. */
  nanoseconds(seconds: number, nanos: number): void {
    this.#reserve(8);
    const secondsLow = seconds % 65536;
    const billions = ((seconds - secondsLow) / 65536) * 1e9; // times 2^16
    const base = secondsLow * 1e9 + nanos;
    const baseLow = base >>> 0;
    const billionsLow = billions % 65536;
    let low = baseLow + billionsLow * 65536;
    let high = (base - baseLow) / TWO_32 + (billions - billionsLow) / 65536;
    if (low >= TWO_32) {
      low -= TWO_32;
      high++;
    }
    this.#view.setUint32(this.length, low, true);
    this.#view.setUint32(this.length + 4, high, true);
    this.length += 8;
  }

  /** Unsigned LEB128. */
  varint(value: number): void {
    this.#reserve(10);
    while (value >= 128) {
      this.#bytes[this.length++] = (value % 128) | 128;
      value = Math.floor(value / 128);
    }
    this.#bytes[this.length++] = value;
  }

  /** Writes `byteCount` bytes given as hexadecimal digits; an empty text writes zeros. */
  hex(digits: string, byteCount: number): void {
    this.#reserve(byteCount);
    const bytes = this.#bytes;
    let at = this.length;
    if (digits.length === 0) {
      bytes.fill(0, at, at + byteCount);
    } else {
      for (let i = 0; i < byteCount; i++) {
        bytes[at++] = (HEX_VALUE[digits.charCodeAt(2 * i)]! << 4) | HEX_VALUE[digits.charCodeAt(2 * i + 1)]!;
      }
    }
    this.length += byteCount;
  }

  /** Writes a length-prefixed UTF-8 string. hot: short ASCII is copied by hand, which is 3 × faster than a native call. */
  string(text: string): void {
    const size = text.length;
    this.#reserve(size * 3 + 10);
    if (size < 48 && this.#shortAscii(text, size)) return;
    const byteCount = Buffer.byteLength(text);
    this.varint(byteCount);
    this.#reserve(byteCount);
    this.#bytes.write(text, this.length, 'utf8');
    this.length += byteCount;
  }

  #shortAscii(text: string, size: number): boolean {
    const bytes = this.#bytes;
    let at = this.length;
    bytes[at++] = size;
    for (let i = 0; i < size; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      bytes[at++] = code;
    }
    this.length = at;
    return true;
  }

  raw(source: Uint8Array): void {
    this.#reserve(source.length);
    this.#bytes.set(source, this.length);
    this.length += source.length;
  }

  /** The bytes written so far; valid until the next write or `clear`. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }
}
