/**
 * Reads of one memory space while a probe runs. Pages are kept until the run ends, so that a walk sees each page once and asks for
 * it once; what lies across two pages, or in a page that cannot be read whole, is asked for exactly.
 */
import type { SnapshotMemory } from './environment.ts';

const PAGE_SIZE = 4096;
/** 64 MiB; beyond, all are forgotten: a walk that large does not come back to its first pages. */
const MAX_PAGES = 16_384;

export class TargetReader {
  readonly #memory: SnapshotMemory | undefined;
  /** By page number; undefined: cannot be read whole. */
  readonly #pages = new Map<number, DataView | undefined>();
  #lastNumber = -1;
  #last: DataView | undefined;
  /** Where in the page that `find` gave the address is. */
  offset = 0;

  constructor(memory: SnapshotMemory | undefined) {
    this.#memory = memory;
  }

  /**
   * hot: the page that holds `size` bytes at `address` wholly, with `offset` set; undefined when only `read` can tell.
   *
   * @param address not negative, a safe integer; NaN for addresses that are not
   */
  find(address: number, size: number): DataView | undefined {
    // False for NaN too.
    if (!(address >= 0)) return undefined;
    const number = Math.floor(address / PAGE_SIZE);
    const offset = address - number * PAGE_SIZE;
    if (offset + size > PAGE_SIZE) return undefined;
    this.offset = offset;
    if (number === this.#lastNumber) return this.#last;
    const page = this.#pages.get(number) ?? this.#load(number);
    this.#lastNumber = number;
    this.#last = page;
    return page;
  }

  /** Exactly `length` bytes; undefined when unreadable. */
  read(address: bigint, length: number): Uint8Array | undefined {
    return this.#memory?.read(address, length);
  }

  /** Bytes up to a NUL or `limit`; undefined when unreadable before that. */
  readText(address: bigint, limit: number): Uint8Array | undefined {
    return this.#memory?.readText(address, limit);
  }

  /** True when all `size` bytes can be read. Reads a page at a time. */
  isReadable(address: bigint, size: bigint): boolean {
    const end = address + size;
    for (let at = address; at < end;) {
      const next = (at / BigInt(PAGE_SIZE) + 1n) * BigInt(PAGE_SIZE);
      const length = Number((next < end ? next : end) - at);
      if (this.read(at, length) === undefined) return false;
      at += BigInt(length);
    }
    return true;
  }

  /** Forgets all pages, and has the memory forget its own. */
  drop(): void {
    this.#memory?.drop?.();
    this.#pages.clear();
    this.#lastNumber = -1;
    this.#last = undefined;
  }

  #load(number: number): DataView | undefined {
    if (this.#pages.has(number)) return undefined;
    if (this.#pages.size >= MAX_PAGES) this.#pages.clear();
    const bytes = this.#memory?.read(BigInt(number) * BigInt(PAGE_SIZE), PAGE_SIZE);
    const page = bytes === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#pages.set(number, page);
    return page;
  }
}
