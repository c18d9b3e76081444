/**
 * A program's storage when hit probes run in the kernel: what they use lies in the kernel's maps, the rest in our memory.
 *
 * A failing call into the kernel here is a defect or a map that was closed; it throws. That an array is full is an answer.
 */
import { assert, type Result } from '../base/index.ts';
import { splitPerCpu, type KernelError, type KernelObject } from '../kernel/index.ts';
import {
  addAggregate,
  addToBucket,
  decodeInteger,
  decodeKey,
  decodeText,
  emptyAggregate,
  encodeKey,
  encodeStoredText,
  MemoryStorage,
  mergeRecord,
  type AggregateLayout,
  type AggregateTarget,
  type AggregateValue,
  type ArrayEntry,
  type ArrayLayout,
  type BucketsLayout,
  type GlobalLayout,
  type Key,
  type Program,
  type Storage,
  type StorageLayout,
} from '../y/index.ts';

const FIRST = new Uint8Array(4);
const NOTHING = new Uint8Array(0);

export class KernelStorage implements Storage {
  readonly #program: Program;
  readonly #layout: StorageLayout;
  readonly #object: KernelObject;
  readonly #local: MemoryStorage;

  constructor(program: Program, layout: StorageLayout, object: KernelObject) {
    this.#program = program;
    this.#layout = layout;
    this.#object = object;
    this.#local = new MemoryStorage(program);
  }

  loadGlobal(global: number): Uint8Array {
    const layout = this.#layout.globals[global];
    if (layout === undefined || layout.kind === 'aggregate' || layout.kind === 'thread') return this.#local.loadGlobal(global);
    const value = this.#lookUp(layout.map, FIRST);
    assert(value !== undefined, `map ${layout.map} is empty`);
    if (layout.kind === 'percpu') return this.#sumGlobal(global, layout, value);
    const stored = value.subarray(layout.offset, layout.offset + layout.bytes);
    const { kind, size } = this.#spec(global);
    return kind === 'text' ? decodeText(stored, 0, size) : stored;
  }

  storeGlobal(global: number, offset: number, bytes: Uint8Array): void {
    const layout = this.#layout.globals[global];
    if (layout === undefined || layout.kind === 'aggregate' || layout.kind === 'thread')
      return this.#local.storeGlobal(global, offset, bytes);
    if (layout.kind === 'percpu') return this.#storePerCpu(global, layout, bytes);
    const map = this.#object.map(layout.map);
    const isText = this.#spec(global).kind === 'text';
    const written = isText ? encodeStoredText(bytes, this.#spec(global).size) : bytes;
    const at = layout.offset + (isText ? 0 : offset);
    // The whole entry would overwrite what programs write next to it at the same time; the shared memory does not.
    const mapped = map.mapped();
    if (mapped.ok) return mapped.value.write(0, at, written);
    const value = this.#lookUp(layout.map, FIRST)!;
    value.set(written, at);
    check(map.update(FIRST, value));
  }

  addGlobal(global: number, offset: number, size: 4 | 8, value: bigint): bigint {
    const layout = this.#layout.globals[global];
    if (layout === undefined) return this.#local.addGlobal(global, offset, size, value);
    const before = readUnsigned(this.loadGlobal(global), offset, size);
    this.storeGlobal(global, offset, littleEndian(before + value, size));
    return before;
  }

  loadEntry(array: number, key: Key): Uint8Array | undefined {
    const layout = this.#layout.arrays[array];
    if (layout === undefined) return this.#local.loadEntry(array, key);
    const encoded = encodeKey(layout, key);
    const value = encoded && this.#lookUp(layout.map, encoded);
    return value && decodeValue(layout, this.#joinCpus(layout, value));
  }

  storeEntry(array: number, key: Key, offset: number, bytes: Uint8Array): boolean {
    const layout = this.#layout.arrays[array];
    if (layout === undefined) return this.#local.storeEntry(array, key, offset, bytes);
    const encoded = encodeKey(layout, key);
    if (encoded === undefined) return false;
    const old = this.#lookUp(layout.map, encoded);
    const value = old?.slice(0, layout.valueBytes) ?? new Uint8Array(layout.valueBytes);
    if (layout.value.kind === 'text') value.set(encodeStoredText(bytes, layout.value.capacity), 0);
    else if (layout.value.kind === 'integer') value.set(extendTo8(bytes, layout.value.signed), 0);
    else value.set(bytes, offset);
    return this.#write(layout, encoded, value);
  }

  addEntry(array: number, key: Key, value: bigint): bigint | undefined {
    const layout = this.#layout.arrays[array];
    if (layout === undefined) return this.#local.addEntry(array, key, value);
    const size = layout.value.kind === 'integer' ? layout.value.size : 8;
    const old = this.loadEntry(array, key);
    const before = old === undefined ? 0n : readUnsigned(old, 0, size);
    return this.storeEntry(array, key, 0, littleEndian(before + value, size)) ? before : undefined;
  }

  hasEntry(array: number, key: Key): boolean {
    const layout = this.#layout.arrays[array];
    if (layout === undefined) return this.#local.hasEntry(array, key);
    const encoded = encodeKey(layout, key);
    return encoded !== undefined && this.#lookUp(layout.map, encoded) !== undefined;
  }

  deleteEntry(array: number, key: Key): void {
    const layout = this.#layout.arrays[array];
    if (layout === undefined) return this.#local.deleteEntry(array, key);
    const encoded = encodeKey(layout, key);
    if (encoded === undefined) return;
    check(this.#object.map(layout.map).delete(encoded));
    const buckets = layout.value.kind === 'aggregate' ? layout.value.buckets : undefined;
    if (buckets !== undefined) this.#deleteBuckets(buckets, encoded);
  }

  clearArray(array: number): void {
    const layout = this.#layout.arrays[array];
    if (layout === undefined) return this.#local.clearArray(array);
    check(this.#object.map(layout.map).takeEntries());
    const buckets = layout.value.kind === 'aggregate' ? layout.value.buckets : undefined;
    if (buckets !== undefined) check(this.#object.map(buckets.map).takeEntries());
  }

  countEntries(array: number): number {
    const layout = this.#layout.arrays[array];
    return layout === undefined ? this.#local.countEntries(array) : this.#items(layout.map).length;
  }

  entries(array: number): readonly ArrayEntry[] {
    const layout = this.#layout.arrays[array];
    if (layout === undefined) return this.#local.entries(array);
    const { value: kind } = layout;
    const items = this.#items(layout.map);
    if (kind.kind !== 'aggregate')
      return items.map(({ key, value }) => ({
        key: decodeKey(layout, key),
        value: decodeValue(layout, this.#joinCpus(layout, value)),
        aggregate: undefined,
      }));
    const found = new Map(items.map(({ key, value }) => [nameOf(key), { key, value: this.#merge(layout, kind.layout, value) }]));
    if (kind.buckets !== undefined) this.#addBuckets(kind.buckets, (key) => found.get(nameOf(key))?.value);
    for (const { key, aggregate } of this.#local.entries(array)) {
      const encoded = encodeKey(layout, key);
      if (encoded === undefined) continue;
      const there = found.get(nameOf(encoded));
      if (there === undefined) found.set(nameOf(encoded), { key: encoded, value: aggregate! });
      else addAggregate(there.value, aggregate!);
    }
    return [...found.values()].map(({ key, value }) => ({ key: decodeKey(layout, key), value: NOTHING, aggregate: value }));
  }

  /** Samples of host probes are kept here and joined when they are read: they are few, and the kernel's records belong to its CPUs. */
  addSample(target: AggregateTarget, value: bigint): boolean {
    return this.#local.addSample(target, value);
  }

  loadAggregate(target: AggregateTarget): AggregateValue | undefined {
    const ours = this.#local.loadAggregate(target);
    const theirs = 'global' in target ? this.#loadGlobalAggregate(target.global) : this.#loadArrayAggregate(target.array, target.key);
    if (theirs === undefined) return ours;
    if (ours !== undefined) addAggregate(theirs, ours);
    return theirs;
  }

  #loadGlobalAggregate(global: number): AggregateValue | undefined {
    const layout = this.#layout.globals[global];
    const value = layout?.kind === 'aggregate' ? this.#lookUp(layout.map, FIRST) : undefined;
    if (layout?.kind !== 'aggregate' || value === undefined) return undefined;
    const merged = emptyAggregate(layout.layout);
    for (const record of this.#cpus(layout.map, value)) mergeRecord(layout.layout, merged, record, true);
    return merged;
  }

  #loadArrayAggregate(array: number, key: Key): AggregateValue | undefined {
    const layout = this.#layout.arrays[array];
    if (layout?.value.kind !== 'aggregate') return undefined;
    const encoded = encodeKey(layout, key);
    const value = encoded && this.#lookUp(layout.map, encoded);
    if (encoded === undefined || value === undefined) return undefined;
    const merged = this.#merge(layout, layout.value.layout, value);
    const name = nameOf(encoded);
    if (layout.value.buckets !== undefined) this.#addBuckets(layout.value.buckets, (of) => (nameOf(of) === name ? merged : undefined));
    return merged;
  }

  #merge({ map, value: kind }: ArrayLayout, layout: AggregateLayout, value: Uint8Array): AggregateValue {
    const merged = emptyAggregate(layout);
    const dense = kind.kind === 'aggregate' && kind.buckets === undefined;
    for (const record of this.#cpus(map, value)) mergeRecord(layout, merged, record, dense);
    return merged;
  }

  #addBuckets({ map, offset }: BucketsLayout, find: (key: Uint8Array) => AggregateValue | undefined): void {
    for (const { key, value } of this.#items(map)) {
      const aggregate = find(key.subarray(0, offset));
      if (aggregate === undefined) continue;
      const place = new DataView(key.buffer, key.byteOffset).getUint32(offset, true);
      const count = this.#cpus(map, value).reduce((sum, one) => sum + readUnsigned(one, 0, 8), 0n);
      addToBucket(aggregate, place >>> 16, place & 0xffff, count);
    }
  }

  #deleteBuckets({ map, offset }: BucketsLayout, of: Uint8Array): void {
    const name = nameOf(of);
    for (const { key } of this.#items(map)) if (nameOf(key.subarray(0, offset)) === name) check(this.#object.map(map).delete(key));
  }

  #sumGlobal(global: number, layout: PerCpuGlobal, value: Uint8Array): Uint8Array {
    const { size, initial } = this.#spec(global);
    const width = size as 1 | 2 | 4 | 8;
    let sum = initial === undefined ? 0n : readUnsigned(initial, 0, width);
    for (const one of this.#cpus(layout.map, value)) sum += readUnsigned(one, layout.offset, width);
    return littleEndian(sum, width);
  }

  /** The first CPU's copy becomes the value, less the initial one, which readers add; the others become zero. */
  #storePerCpu(global: number, layout: PerCpuGlobal, bytes: Uint8Array): void {
    const { size, initial } = this.#spec(global);
    const width = size as 1 | 2 | 4 | 8;
    const wanted = readUnsigned(bytes, 0, width) - (initial === undefined ? 0n : readUnsigned(initial, 0, width));
    const value = this.#lookUp(layout.map, FIRST)!;
    for (const [cpu, one] of this.#cpus(layout.map, value).entries()) one.set(littleEndian(cpu === 0 ? wanted : 0n, width), layout.offset);
    check(this.#object.map(layout.map).updateEach(FIRST, value));
  }

  #write({ map: name, perCpu }: ArrayLayout, key: Uint8Array, value: Uint8Array): boolean {
    const map = this.#object.map(name);
    if (!perCpu) return isStored(map.update(key, value));
    const all = new Uint8Array(map.valueBytes);
    all.set(value);
    return isStored(map.updateEach(key, all));
  }

  #cpus(map: string, value: Uint8Array): Uint8Array[] {
    return splitPerCpu(value, this.#object.map(map).shape.valueBytes);
  }

  /** The value as one CPU's: integers of all CPUs summed. */
  #joinCpus(layout: ArrayLayout, value: Uint8Array): Uint8Array {
    if (!layout.perCpu || layout.value.kind !== 'integer') return value;
    return littleEndian(
      this.#cpus(layout.map, value).reduce((sum, one) => sum + readUnsigned(one, 0, 8), 0n),
      8,
    );
  }

  #lookUp(map: string, key: Uint8Array): Uint8Array | undefined {
    return check(this.#object.map(map).lookup(key));
  }

  #items(map: string) {
    return check(this.#object.map(map).entries());
  }

  #spec(global: number) {
    const spec = this.#program.globals[global];
    assert(spec !== undefined, `no global ${global}`);
    return spec;
  }
}

type PerCpuGlobal = Extract<GlobalLayout, { kind: 'percpu' }>;

function check<T>(result: Result<T, KernelError>): T {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

/** False when the map is full (E2BIG, or ENOMEM where elements are made on demand). */
function isStored(result: Result<void, KernelError>): boolean {
  if (result.ok) return true;
  if (result.error.errno === 7 || result.error.errno === 12) return false;
  throw new Error(result.error.message);
}

function decodeValue({ value: kind }: ArrayLayout, bytes: Uint8Array): Uint8Array {
  switch (kind.kind) {
    case 'text':
      return decodeText(bytes, 0, kind.capacity);
    case 'aggregate':
      return NOTHING;
    case 'float':
      return bytes.slice(0, 8);
    case 'integer':
    case 'struct':
      return bytes.slice(0, kind.size);
  }
}

/** An integer lies in the lower bytes of 8 and is kept extended. */
function extendTo8(bytes: Uint8Array, signed: boolean): Uint8Array {
  const value = readUnsigned(bytes, 0, bytes.length as 1 | 2 | 4 | 8);
  return littleEndian(signed ? BigInt.asIntN(bytes.length * 8, value) : value, 8);
}

function readUnsigned(bytes: Uint8Array, offset: number, size: 1 | 2 | 4 | 8): bigint {
  return decodeInteger(bytes, offset, size, false);
}

function littleEndian(value: bigint, size: 1 | 2 | 4 | 8): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, value), true);
  return bytes.subarray(0, size);
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
