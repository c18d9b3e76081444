/** Arguments that a system call reads from memory: a structure, and what it points to. */
import { assert } from '../base/index.ts';
import type { Arena } from './arena.ts';

/**
 * A structure in the arena, zeroed. Offsets are those of the C structure. What it points to lives in the arena too, so that no address is
 * seen outside. Everything is gone at the next native call of this thread.
 */
export class Structure {
  readonly #arena: Arena;
  readonly #start: number;
  readonly #size: number;

  constructor(arena: Arena, size: number) {
    this.#arena = arena;
    this.#size = size;
    this.#start = arena.reserveZeroed(size);
  }

  /** For this room's calls alone. */
  get address(): number {
    return this.#arena.address(this.#start);
  }

  setU32(offset: number, value: number): void {
    this.#arena.data.setUint32(this.#at(offset, 4), value >>> 0, true);
  }

  setU64(offset: number, value: number | bigint): void {
    this.#arena.setU64(this.#at(offset, 8), value);
  }

  getU32(offset: number): number {
    return this.#arena.data.getUint32(this.#at(offset, 4), true);
  }

  /** Copies bytes into the structure itself. */
  setBytes(offset: number, bytes: Uint8Array): void {
    this.#arena.bytes.set(bytes, this.#at(offset, bytes.length));
  }

  /** Copies bytes beside the structure, which points to them from `offset` on. */
  pointToCopy(offset: number, bytes: Uint8Array): void {
    this.#arena.setU64(this.#at(offset, 8), this.#arena.address(this.#arena.put(bytes)));
  }

  /** As `pointToCopy`, of UTF-8 text ended by a NUL. */
  pointToText(offset: number, text: string): void {
    this.pointToCopy(offset, new TextEncoder().encode(`${text}\0`));
  }

  /** Room for the kernel to write into, zeroed; the view shows what it wrote, until the next native call. */
  pointToRoom(offset: number, length: number): Uint8Array {
    const index = this.#arena.reserveZeroed(length);
    this.#arena.setU64(this.#at(offset, 8), this.#arena.address(index));
    return this.#arena.bytes.subarray(index, index + length);
  }

  /** Points to an array of 64-bit numbers. */
  pointToNumbers(offset: number, values: readonly (number | bigint)[]): void {
    const index = this.#arena.reserve(values.length * 8);
    for (const [place, value] of values.entries()) this.#arena.setU64(index + place * 8, value);
    this.#arena.setU64(this.#at(offset, 8), this.#arena.address(index));
  }

  #at(offset: number, length: number): number {
    assert(offset >= 0 && offset + length <= this.#size, `${length} bytes at ${offset} are outside of a structure of ${this.#size}`);
    return this.#start + offset;
  }
}
