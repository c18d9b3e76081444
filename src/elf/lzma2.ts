/**
 * LZMA2 decoder. Sources: "LZMA specification" (I. Pavlov, 2015, public domain) for the coder; the .xz file format 1.2.1
 * and xz's lzma2_decoder.c for the chunks.
 *
 * The output array is the dictionary: a match can only reach what was written to it. Its size is the caller's bound.
 */
import { FormatFault } from './format-error.ts';

const damaged = (what: string): FormatFault => new FormatFault('damaged', `LZMA2 data: ${what}`);

const PROBABILITY_HALF = 1024;
const STATES = 12;
const LENGTH_CODER_SIZE = 2 + 16 * 8 + 16 * 8 + 256;
/** Offsets of the parts of the one array of probabilities. */
const AT = (() => {
  let next = 0;
  const take = (size: number): number => {
    const at = next;
    next += size;
    return at;
  };
  return {
    isMatch: take(STATES * 16),
    isRep: take(STATES),
    isRep0: take(STATES),
    isRep1: take(STATES),
    isRep2: take(STATES),
    isRep0Long: take(STATES * 16),
    distanceSlot: take(4 * 64),
    distanceSpecial: take(115),
    distanceAlign: take(16),
    length: take(LENGTH_CODER_SIZE),
    repLength: take(LENGTH_CODER_SIZE),
    literal: take(0x300 << 4),
    end: next,
  } as const;
})();
const LITERALS_END = AT.literal + (0x300 << 4);

/** Unpacks one LZMA2 stream from `input` at `start`; fills at most `output`. Gives where the stream ended and how much was written. */
export function decodeLzma2(input: Uint8Array, start: number, output: Uint8Array): { readonly end: number; readonly written: number } {
  const decoder = new LzmaDecoder(input, output);
  let at = start;
  let needsDictionary = true;
  let needsProperties = true;
  for (;;) {
    const control = byteAt(input, at++);
    if (control === 0) return { end: at, written: decoder.written };
    if (control >= 0xe0 || control === 1) {
      needsDictionary = false;
      needsProperties ||= control === 1;
      decoder.forget();
    } else if (needsDictionary) throw damaged('the first chunk does not reset the dictionary');
    if (control >= 0x80) {
      const unpacked = ((control & 0x1f) << 16) + (byteAt(input, at) << 8) + byteAt(input, at + 1) + 1;
      const packed = (byteAt(input, at + 2) << 8) + byteAt(input, at + 3) + 1;
      at += 4;
      if (control >= 0xc0) {
        decoder.setProperties(byteAt(input, at++));
        needsProperties = false;
      } else if (needsProperties) throw damaged('the first chunk has no properties');
      if (control >= 0xa0) decoder.reset();
      decoder.decodeChunk(at, packed, unpacked);
      at += packed;
    } else {
      if (control > 2) throw damaged(`control byte ${control} does not exist`);
      const size = (byteAt(input, at) << 8) + byteAt(input, at + 1) + 1;
      decoder.copyChunk(at + 2, size);
      at += 2 + size;
    }
  }
}

function byteAt(input: Uint8Array, at: number): number {
  const byte = input[at];
  if (byte === undefined) throw new FormatFault('truncated', 'LZMA2 data ends within a chunk');
  return byte;
}

class LzmaDecoder {
  readonly #input: Uint8Array;
  readonly #output: Uint8Array;
  readonly #probabilities = new Uint16Array(LITERALS_END);
  #at = 0;
  #range = 0;
  #code = 0;
  /** Where the dictionary began: matches may not reach before. */
  #dictionaryStart = 0;
  #state = 0;
  #reps: [number, number, number, number] = [0, 0, 0, 0];
  #literalContextBits = 0;
  #literalPositionMask = 0;
  #positionMask = 0;
  written = 0;

  constructor(input: Uint8Array, output: Uint8Array) {
    this.#input = input;
    this.#output = output;
  }

  forget(): void {
    this.#dictionaryStart = this.written;
  }

  setProperties(byte: number): void {
    if (byte >= 9 * 5 * 5) throw damaged(`properties ${byte} do not exist`);
    const literalContextBits = byte % 9;
    const literalPositionBits = Math.floor(byte / 9) % 5;
    if (literalContextBits + literalPositionBits > 4) throw damaged(`properties ${byte} are not allowed`);
    this.#literalContextBits = literalContextBits;
    this.#literalPositionMask = (1 << literalPositionBits) - 1;
    this.#positionMask = (1 << Math.floor(byte / 45)) - 1;
  }

  reset(): void {
    this.#state = 0;
    this.#reps = [0, 0, 0, 0];
    this.#probabilities.fill(PROBABILITY_HALF);
  }

  copyChunk(at: number, size: number): void {
    if (at + size > this.#input.length) throw new FormatFault('truncated', 'LZMA2 data ends within a chunk');
    this.#checkRoom(size);
    this.#output.set(this.#input.subarray(at, at + size), this.written);
    this.written += size;
  }

  decodeChunk(at: number, packed: number, unpacked: number): void {
    if (at + packed > this.#input.length || packed < 5) throw new FormatFault('truncated', 'LZMA2 data ends within a chunk');
    this.#checkRoom(unpacked);
    this.#at = at + 1;
    this.#range = 0xffff_ffff;
    this.#code = 0;
    for (let i = 0; i < 4; i++) this.#code = ((this.#code << 8) | this.#input[this.#at++]!) >>> 0;
    const limit = this.written + unpacked;
    while (this.written < limit) {
      if (this.#at > at + packed) throw damaged('a chunk reads beyond its end');
      this.#step(limit);
    }
  }

  #checkRoom(size: number): void {
    if (this.written + size > this.#output.length)
      throw new FormatFault('too-large', `LZMA2 data unpacks to more than ${this.#output.length} bytes`);
  }

  /** One literal, match or repeated match. */
  #step(limit: number): void {
    const position = (this.written - this.#dictionaryStart) & this.#positionMask;
    const state = this.#state;
    if (this.#bit(AT.isMatch + state * 16 + position) === 0) return this.#literal();
    if (this.#bit(AT.isRep + state) === 0) {
      const length = this.#length(AT.length, position);
      this.#reps = [this.#distance(length), this.#reps[0], this.#reps[1], this.#reps[2]];
      this.#state = state < 7 ? 7 : 10;
      return this.#copy(length, limit);
    }
    if (this.#bit(AT.isRep0 + state) === 0) {
      if (this.#bit(AT.isRep0Long + state * 16 + position) === 0) {
        this.#state = state < 7 ? 9 : 11;
        return this.#copy(1, limit);
      }
    } else this.#rotate(state);
    const length = this.#length(AT.repLength, position);
    this.#state = state < 7 ? 8 : 11;
    this.#copy(length, limit);
  }

  #rotate(state: number): void {
    const [first, second, third, fourth] = this.#reps;
    if (this.#bit(AT.isRep1 + state) === 0) this.#reps = [second, first, third, fourth];
    else if (this.#bit(AT.isRep2 + state) === 0) this.#reps = [third, first, second, fourth];
    else this.#reps = [fourth, first, second, third];
  }

  #copy(length: number, limit: number): void {
    const distance = this.#reps[0] + 1;
    if (distance > this.written - this.#dictionaryStart) throw damaged('a match reaches before the beginning');
    if (this.written + length > limit) throw damaged('a match passes the end of its chunk');
    const output = this.#output;
    const end = this.written + length;
    for (; this.written < end; this.written++) output[this.written] = output[this.written - distance]!;
  }

  #literal(): void {
    const at = this.written - this.#dictionaryStart;
    const previous = at > 0 ? this.#output[this.written - 1]! : 0;
    const context = ((at & this.#literalPositionMask) << this.#literalContextBits) + (previous >> (8 - this.#literalContextBits));
    const base = AT.literal + 0x300 * context;
    let symbol = 1;
    if (this.#state >= 7) {
      if (this.#reps[0] >= at) throw damaged('a match reaches before the beginning');
      let matched = this.#output[this.written - this.#reps[0] - 1]!;
      while (symbol < 0x100) {
        const matchBit = (matched >> 7) & 1;
        matched <<= 1;
        const bit = this.#bit(base + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit !== bit) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(base + symbol);
    this.#output[this.written++] = symbol & 0xff;
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  /** Of a match: 2 to 273. */
  #length(base: number, position: number): number {
    if (this.#bit(base) === 0) return 2 + this.#tree(base + 2 + position * 8, 3);
    if (this.#bit(base + 1) === 0) return 10 + this.#tree(base + 2 + 128 + position * 8, 3);
    return 18 + this.#tree(base + 2 + 256, 8);
  }

  #distance(length: number): number {
    const slot = this.#tree(AT.distanceSlot + Math.min(length - 2, 3) * 64, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const high = ((2 | (slot & 1)) << bits) >>> 0;
    if (slot < 14) return high + this.#reverseTree(AT.distanceSpecial + high - slot, bits);
    return high + this.#direct(bits - 4) * 16 + this.#reverseTree(AT.distanceAlign, 4);
  }

  #tree(base: number, bits: number): number {
    let symbol = 1;
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.#bit(base + symbol);
    return symbol - (1 << bits);
  }

  #reverseTree(base: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(base + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  #direct(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) {
      this.#normalize();
      this.#range >>>= 1;
      const bit = this.#code >= this.#range ? 1 : 0;
      if (bit === 1) this.#code = (this.#code - this.#range) >>> 0;
      value = value * 2 + bit;
    }
    return value;
  }

  #bit(index: number): number {
    this.#normalize();
    const probability = this.#probabilities[index]!;
    const bound = (this.#range >>> 11) * probability;
    if (this.#code < bound) {
      this.#range = bound;
      this.#probabilities[index] = probability + ((2048 - probability) >> 5);
      return 0;
    }
    this.#code = (this.#code - bound) >>> 0;
    this.#range = (this.#range - bound) >>> 0;
    this.#probabilities[index] = probability - (probability >> 5);
    return 1;
  }

  #normalize(): void {
    if (this.#range >= 0x100_0000) return;
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | byteAt(this.#input, this.#at++)) >>> 0;
  }
}
