/**
 * The interpreter's memory: regions, each with its own upper half of the address, so that finding one is an index and no pointer arithmetic
 * of a program gets from one into another. Addresses look like the kernel's (the upper bits are set), so they differ from the target's.
 */
import { assert } from '../../base/index.ts';

/** Upper half of the first region's address. */
const FIRST_UPPER = 0xffff8800;
/** Lower half of a region's first byte: small negative offsets stay outside of every region. */
const START = 0x10000;

export interface Region {
  readonly bytes: Uint8Array;
  readonly data: DataView;
  readonly writable: boolean;
}

/** Bytes that a program can point to. */
export class InterpreterMemory {
  readonly #regions: (Region | undefined)[] = [];
  readonly #free: number[] = [];

  /** Gives `bytes` an address; they are used in place, not copied. */
  add(bytes: Uint8Array, writable = true): bigint {
    const index = this.#free.pop() ?? this.#regions.length;
    this.#regions[index] = { bytes, data: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), writable };
    return (BigInt(FIRST_UPPER + index) << 32n) | BigInt(START);
  }

  /** Takes an address back: what still points there faults, until the place is given anew. */
  remove(address: bigint): void {
    const index = Number(address >> 32n) - FIRST_UPPER;
    assert(this.#regions[index] !== undefined, 'this region was removed before');
    this.#regions[index] = undefined;
    this.#free.push(index);
  }

  /** The region at an address whose halves are given, without sign; undefined where there is none. */
  find(upper: number): Region | undefined {
    return this.#regions[upper - FIRST_UPPER];
  }

  /** Index into the region's bytes; -1 when `size` bytes are not all inside. */
  indexIn(region: Region, lower: number, size: number): number {
    const index = lower - START;
    return index >= 0 && index + size <= region.bytes.length ? index : -1;
  }

  /** `length` bytes at `address`, in place; undefined when they do not lie in one region, or may not be written. */
  slice(address: bigint, length: number, forWriting = false): Uint8Array | undefined {
    const region = this.find(Number(address >> 32n));
    if (region === undefined || (forWriting && !region.writable)) return undefined;
    const index = this.indexIn(region, Number(address & 0xffffffffn), length);
    return index < 0 ? undefined : region.bytes.subarray(index, index + length);
  }
}
