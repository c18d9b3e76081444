/** An array's values in shared memory. */
import { assert } from '../base/index.ts';
import type { Mapping } from '../native/index.ts';

/**
 * Reads and writes the values of an array map without calls into the kernel. Only copies leave it, for a view that outlived the map would end
 * the process at its next use; after the map was closed, every method throws.
 */
export class MappedValues {
  readonly #mapping: Mapping;
  readonly #stride: number;
  readonly #valueBytes: number;
  #bytes: Uint8Array | undefined;

  constructor(mapping: Mapping, stride: number, valueBytes: number) {
    this.#mapping = mapping;
    this.#stride = stride;
    this.#valueBytes = valueBytes;
    this.#bytes = new Uint8Array(mapping.buffer);
  }

  /** A copy of `length` bytes of an element. */
  read(index: number, offset: number, length: number): Uint8Array {
    const at = this.#at(index, offset, length);
    return this.#open().slice(at, at + length);
  }

  /** The unsigned number of 64 bits at `offset`. */
  readU64(index: number, offset: number): bigint {
    const bytes = this.read(index, offset, 8);
    return new DataView(bytes.buffer).getBigUint64(0, true);
  }

  write(index: number, offset: number, bytes: Uint8Array): void {
    this.#open().set(bytes, this.#at(index, offset, bytes.length));
  }

  /** Called by the map. */
  close(): void {
    this.#bytes = undefined;
    this.#mapping.close();
  }

  #at(index: number, offset: number, length: number): number {
    assert(offset >= 0 && length >= 0 && offset + length <= this.#valueBytes, `${length} bytes at ${offset} of a value`);
    const at = index * this.#stride + offset;
    assert(index >= 0 && at + length <= this.#open().length, `element ${index} of an array`);
    return at;
  }

  #open(): Uint8Array {
    assert(this.#bytes !== undefined, 'the map is closed');
    return this.#bytes;
  }
}
