/** A program's storage in our own memory: what programs use that have no hit probes. One thread, so one copy of everything. */
import { assert } from '../../../base/index.ts';
import type { ArraySpec, GlobalSpec, Program, ValueSpec } from '../../ir/program.ts';
import { addSample, emptyAggregate, planAggregates, type AggregateLayout, type AggregateValue } from '../aggregate-layout.ts';
import { copyOf, readInteger, viewOf, writeInteger, type Size } from './bytes.ts';
import type { AggregateTarget, ArrayEntry, Key, Storage } from './storage.ts';

interface StoredEntry {
  readonly key: Key;
  value: Uint8Array;
  readonly aggregate: AggregateValue | undefined;
}

interface StoredArray {
  readonly spec: ArraySpec;
  readonly valueBytes: number;
  readonly layout: AggregateLayout | undefined;
  /** By `nameOf(key)`, in order of use when the least recently used goes first. */
  readonly entries: Map<string, StoredEntry>;
}

const NOTHING = new Uint8Array(0);

export class MemoryStorage implements Storage {
  readonly #globals: readonly { readonly spec: GlobalSpec; value: Uint8Array }[];
  readonly #globalAggregates = new Map<number, { readonly layout: AggregateLayout; readonly value: AggregateValue }>();
  readonly #arrays: readonly StoredArray[];

  /** Globals begin with their first values, arrays empty. */
  constructor(program: Program) {
    const layouts = planAggregates(program);
    this.#globals = program.globals.map((spec) => ({ spec, value: initialValue(spec) }));
    for (const [index, layout] of layouts.globals) this.#globalAggregates.set(index, { layout, value: emptyAggregate(layout) });
    this.#arrays = program.arrays.map((spec, index) => ({
      spec,
      valueBytes: sizeOf(spec.value),
      layout: layouts.arrays.get(index),
      entries: new Map<string, StoredEntry>(),
    }));
  }

  loadGlobal(global: number): Uint8Array {
    return this.#global(global).value;
  }

  storeGlobal(global: number, offset: number, bytes: Uint8Array): void {
    const stored = this.#global(global);
    if (stored.spec.kind === 'text') stored.value = copyOf(bytes, stored.spec.size);
    else stored.value.set(bytes, offset);
  }

  addGlobal(global: number, offset: number, size: 4 | 8, value: bigint): bigint {
    return addTo(this.#global(global).value, offset, size, value);
  }

  loadEntry(array: number, key: Key): Uint8Array | undefined {
    return this.#find(array, nameOf(key))?.value;
  }

  storeEntry(array: number, key: Key, offset: number, bytes: Uint8Array): boolean {
    const entry = this.#findOrInsert(array, key);
    if (entry === undefined) return false;
    const { spec } = this.#array(array);
    if (spec.value.kind === 'text') entry.value = copyOf(bytes, spec.value.capacity);
    else entry.value.set(bytes, offset);
    return true;
  }

  addEntry(array: number, key: Key, value: bigint): bigint | undefined {
    const entry = this.#findOrInsert(array, key);
    return entry === undefined ? undefined : addTo(entry.value, 0, entry.value.length as Size, value);
  }

  hasEntry(array: number, key: Key): boolean {
    return this.#find(array, nameOf(key)) !== undefined;
  }

  deleteEntry(array: number, key: Key): void {
    this.#array(array).entries.delete(nameOf(key));
  }

  clearArray(array: number): void {
    this.#array(array).entries.clear();
  }

  countEntries(array: number): number {
    return this.#array(array).entries.size;
  }

  entries(array: number): readonly ArrayEntry[] {
    return [...this.#array(array).entries.values()].map(({ key, value, aggregate }) => ({
      key,
      value: copyOf(value),
      aggregate: aggregate && copyOfAggregate(aggregate),
    }));
  }

  addSample(target: AggregateTarget, value: bigint): boolean {
    if ('global' in target) {
      const { layout, value: aggregate } = this.#globalAggregate(target.global);
      addSample(layout, aggregate, value);
      return true;
    }
    const { layout } = this.#array(target.array);
    assert(layout !== undefined, `array ${target.array} holds no aggregates`);
    const aggregate = this.#findOrInsert(target.array, target.key)?.aggregate;
    if (aggregate === undefined) return false;
    addSample(layout, aggregate, value);
    return true;
  }

  loadAggregate(target: AggregateTarget): AggregateValue | undefined {
    const aggregate =
      'global' in target ? this.#globalAggregate(target.global).value : this.#find(target.array, nameOf(target.key))?.aggregate;
    return aggregate && copyOfAggregate(aggregate);
  }

  #global(index: number): { readonly spec: GlobalSpec; value: Uint8Array } {
    const global = this.#globals[index];
    assert(global !== undefined, `no global ${index}`);
    return global;
  }

  #globalAggregate(index: number): { readonly layout: AggregateLayout; readonly value: AggregateValue } {
    const found = this.#globalAggregates.get(index);
    assert(found !== undefined, `global ${index} is no aggregate`);
    return found;
  }

  #array(index: number): StoredArray {
    const array = this.#arrays[index];
    assert(array !== undefined, `no array ${index}`);
    return array;
  }

  #find(index: number, name: string): StoredEntry | undefined {
    const { entries, spec } = this.#array(index);
    const entry = entries.get(name);
    if (entry !== undefined && spec.storage === 'lru') touch(entries, name, entry);
    return entry;
  }

  /** Undefined when the array is full; a least-recently-used one makes room. */
  #findOrInsert(index: number, key: Key): StoredEntry | undefined {
    const name = nameOf(key);
    const found = this.#find(index, name);
    if (found !== undefined) return found;
    const { entries, spec, valueBytes, layout } = this.#array(index);
    if (entries.size >= spec.capacity) {
      if (spec.storage !== 'lru') return undefined;
      entries.delete(entries.keys().next().value!);
    }
    const kept = key.map((part) => (typeof part === 'bigint' ? part : copyOf(part)));
    const entry = { key: kept, value: new Uint8Array(valueBytes), aggregate: layout && emptyAggregate(layout) };
    entries.set(name, entry);
    return entry;
  }
}

/** Makes an entry the most recently used one. */
function touch(entries: Map<string, StoredEntry>, name: string, entry: StoredEntry): void {
  entries.delete(name);
  entries.set(name, entry);
}

/** Equal for equal keys only: a text says its length first. */
function nameOf(key: Key): string {
  let name = '';
  for (const part of key) {
    name +=
      typeof part === 'bigint'
        ? `${part},`
        : `${part.length}:${Buffer.from(part.buffer, part.byteOffset, part.length).toString('latin1')},`;
  }
  return name;
}

function initialValue(spec: GlobalSpec): Uint8Array {
  if (spec.kind === 'text') return copyOf(spec.initial ?? NOTHING, spec.size);
  const value = new Uint8Array(spec.size);
  if (spec.initial !== undefined) value.set(spec.initial.subarray(0, spec.size));
  return value;
}

/** Bytes of a new entry. */
function sizeOf(value: ValueSpec): number {
  switch (value.kind) {
    case 'integer':
    case 'struct':
      return value.size;
    case 'float':
      return 8;
    case 'text':
    case 'aggregate':
      return 0;
  }
}

function addTo(bytes: Uint8Array, offset: number, size: Size, value: bigint): bigint {
  const view = viewOf(bytes);
  const before = readInteger(view, offset, size, false);
  writeInteger(view, offset, size, before + value);
  return before;
}

function copyOfAggregate(value: AggregateValue): AggregateValue {
  return { ...value, buckets: value.buckets.map((counts) => new Map(counts)) };
}
