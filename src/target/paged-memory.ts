// Reads through a cache of whole pages, so that a walk over linked structures sees each page once and as it was at one time, and the number of
// system calls follows the number of pages, not of reads.
import type { Memory } from './target.ts';

export const PAGE_SIZE = 4096;
/** Larger reads of pages that are not cached go past the cache: keeping them would push everything else out. */
const LARGEST_CACHED_PAGES = 1024;
/** User addresses are below 2^56 (x86-64 with five levels); above the number's 2^53 we would lose bits, and nothing is mapped there. */
const HIGHEST_ADDRESS = 1n << 53n;

/** Where pages come from. */
export interface PageSource {
  /**
   * Reads whole pages; undefined for each that cannot be read.
   *
   * @param pageNumbers address / PAGE_SIZE, ascending
   */
  readPages(pageNumbers: readonly number[]): (Uint8Array | undefined)[];
}

export interface PagedMemoryOptions {
  /** Pages kept, at most; the oldest go first. Default 16,384 (64 MiB). */
  readonly maxPages?: number;
}

/** `Memory` over a source of pages. */
export class PagedMemory implements Memory {
  readonly #source: PageSource;
  readonly #maxPages: number;
  /** undefined: tried and cannot be read. */
  readonly #pages = new Map<number, Uint8Array | undefined>();

  constructor(source: PageSource, options: PagedMemoryOptions = {}) {
    this.#source = source;
    this.#maxPages = options.maxPages ?? 16_384;
  }

  read(address: bigint, length: number): Uint8Array | undefined {
    const at = length < 0 ? undefined : this.#locate(address, length);
    if (at !== undefined) return new Uint8Array(at.page.subarray(at.offset, at.offset + length));
    return this.readMany([{ address, length }])[0];
  }

  readU8(address: bigint): number | undefined {
    const at = this.#locate(address, 1);
    return at === undefined ? this.read(address, 1)?.[0] : at.page[at.offset];
  }

  readU16(address: bigint): number | undefined {
    const bytes = this.read(address, 2);
    return bytes === undefined ? undefined : bytes[0]! | (bytes[1]! << 8);
  }

  readU32(address: bigint): number | undefined {
    const at = this.#locate(address, 4);
    if (at !== undefined) return viewOf(at.page).getUint32(at.offset, true);
    const bytes = this.read(address, 4);
    return bytes === undefined ? undefined : viewOf(bytes).getUint32(0, true);
  }

  readU64(address: bigint): bigint | undefined {
    const at = this.#locate(address, 8);
    if (at !== undefined) return viewOf(at.page).getBigUint64(at.offset, true);
    const bytes = this.read(address, 8);
    return bytes === undefined ? undefined : viewOf(bytes).getBigUint64(0, true);
  }

  readText(address: bigint, limit: number): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    let taken = 0;
    while (taken < limit) {
      const at = address + BigInt(taken);
      const chunk = Math.min(limit - taken, PAGE_SIZE - Number(at & BigInt(PAGE_SIZE - 1)));
      const bytes = this.read(at, chunk);
      if (bytes === undefined) return undefined;
      const end = bytes.indexOf(0);
      parts.push(end < 0 ? bytes : bytes.subarray(0, end));
      taken += chunk;
      if (end >= 0) break;
    }
    return joinBytes(parts);
  }

  readMany(ranges: readonly { readonly address: bigint; readonly length: number }[]): (Uint8Array | undefined)[] {
    const answers: (Uint8Array | undefined)[] = ranges.map(() => undefined);
    let group: number[] = [];
    let groupPages = 0;
    const flush = (): void => {
      const pages = this.#load(group.map((index) => ranges[index]!));
      for (const index of group) answers[index] = assemble(pages, ranges[index]!);
      group = [];
      groupPages = 0;
    };
    for (const [index, range] of ranges.entries()) {
      if (!isAddressable(range)) continue;
      group.push(index);
      groupPages += Math.ceil(range.length / PAGE_SIZE) + 1;
      if (groupPages >= LARGEST_CACHED_PAGES) flush();
    }
    if (group.length > 0) flush();
    return answers;
  }

  drop(): void {
    this.#pages.clear();
  }

  /** The cached page that holds `length` bytes at `address` wholly, if there is one. */
  #locate(address: bigint, length: number): { page: Uint8Array; offset: number } | undefined {
    if (address < 0n || address >= HIGHEST_ADDRESS) return undefined;
    const number = Number(address);
    const offset = number % PAGE_SIZE;
    if (offset + length > PAGE_SIZE) return undefined;
    const page = this.#pages.get((number - offset) / PAGE_SIZE);
    return page === undefined ? undefined : { page, offset };
  }

  /** All pages of the ranges, from the cache or the source. */
  #load(ranges: readonly { readonly address: bigint; readonly length: number }[]): ReadonlyMap<number, Uint8Array | undefined> {
    const found = new Map<number, Uint8Array | undefined>();
    const missing = new Set<number>();
    for (const range of ranges) {
      const first = Math.floor(Number(range.address) / PAGE_SIZE);
      const last = Math.floor((Number(range.address) + Math.max(range.length, 1) - 1) / PAGE_SIZE);
      for (let page = first; page <= last; page++) {
        if (this.#pages.has(page)) found.set(page, this.#pages.get(page));
        else missing.add(page);
      }
    }
    if (missing.size === 0) return found;
    const numbers = [...missing].sort((a, b) => a - b);
    const contents = this.#source.readPages(numbers);
    const keep = numbers.length <= LARGEST_CACHED_PAGES;
    for (const [index, page] of numbers.entries()) {
      found.set(page, contents[index]);
      if (keep) this.#keep(page, contents[index]);
    }
    return found;
  }

  #keep(page: number, content: Uint8Array | undefined): void {
    if (this.#pages.size >= this.#maxPages) this.#pages.delete(this.#pages.keys().next().value!);
    this.#pages.set(page, content);
  }
}

function isAddressable(range: { readonly address: bigint; readonly length: number }): boolean {
  return range.address >= 0n && range.length >= 0 && range.address + BigInt(range.length) <= HIGHEST_ADDRESS;
}

function assemble(
  pages: ReadonlyMap<number, Uint8Array | undefined>,
  range: { readonly address: bigint; readonly length: number },
): Uint8Array | undefined {
  const bytes = new Uint8Array(range.length);
  let at = Number(range.address);
  let done = 0;
  while (done < range.length) {
    const offset = at % PAGE_SIZE;
    const page = pages.get((at - offset) / PAGE_SIZE);
    if (page === undefined) return undefined;
    const length = Math.min(PAGE_SIZE - offset, range.length - done);
    bytes.set(page.subarray(offset, offset + length), done);
    done += length;
    at += length;
  }
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
