/**
 * Where a program's globals, arrays and aggregates live. Both engines share one storage: in our own memory (`MemoryStorage`),
 * or in the kernel's maps when hit probes run there. Everything is synchronous.
 *
 * Values cross as bytes, little-endian, as the program's specifications lay them out: an integer in its size, a double in 8, a
 * struct in its size; a text is its own bytes, without padding or NUL. Keys cross as parts, one for each of the array's keys.
 */
import type { AggregateValue } from '../aggregate-layout.ts';

/** An integer or a backtrace's id in the range of its key's type, or the bytes of a text. */
export type KeyPart = bigint | Uint8Array;
export type Key = readonly KeyPart[];

/** One entry of an array as it was when it was read. `value` is empty for arrays of aggregates, `aggregate` undefined for all others. */
export interface ArrayEntry {
  readonly key: Key;
  readonly value: Uint8Array;
  readonly aggregate: AggregateValue | undefined;
}

/** Which aggregate: a global one, or the one under a key of an array. */
export type AggregateTarget = { readonly global: number } | { readonly array: number; readonly key: Key };

/** Indices count as in the program's `globals` and `arrays`. */
export interface Storage {
  /** The whole value; per-CPU integers summed. The caller reads it at once, does not change and does not keep it. */
  loadGlobal(global: number): Uint8Array;
  /** Writes part of a value; of a text, whose `offset` is 0, the whole. `bytes` is the caller's. */
  storeGlobal(global: number, offset: number, bytes: Uint8Array): void;
  /** Adds to an integer of `size` bytes, modulo its size; gives the value before, not extended (unsigned). */
  addGlobal(global: number, offset: number, size: 4 | 8, value: bigint): bigint;

  /** Undefined when there is no such entry. As of `loadGlobal`, the caller neither changes nor keeps it. */
  loadEntry(array: number, key: Key): Uint8Array | undefined;
  /** Writes part of a value; inserts what is missing with zeros around it. False when the array is full. */
  storeEntry(array: number, key: Key, offset: number, bytes: Uint8Array): boolean;
  /** Adds to an integer value, modulo its size; inserts what is missing. The value before (unsigned); undefined when the array is full. */
  addEntry(array: number, key: Key, value: bigint): bigint | undefined;
  hasEntry(array: number, key: Key): boolean;
  deleteEntry(array: number, key: Key): void;
  clearArray(array: number): void;
  countEntries(array: number): number;
  /** All entries, in any order. They are the caller's. */
  entries(array: number): readonly ArrayEntry[];

  /** Takes a sample into an aggregate; inserts what is missing. False when the array is full. */
  addSample(target: AggregateTarget, value: bigint): boolean;
  /** Merged over all CPUs; undefined when there is no such entry. A snapshot: later samples do not change it. */
  loadAggregate(target: AggregateTarget): AggregateValue | undefined;
}
