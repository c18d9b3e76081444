/** Maps in memory, with the kernel's rules (Documentation/bpf/maps.rst and map_*.rst of Linux 6.18). */
import { assert } from '../../base/index.ts';
import type { MapSpec } from '../object.ts';
import type { InterpreterMemory } from './memory.ts';

export type MapShape = Omit<MapSpec, 'name' | 'entries'>;

/** What updates and deletions return when they fail: negative error numbers, as a program sees them. */
export const MapError = { ENOENT: -2, E2BIG: -7, EEXIST: -17, EINVAL: -22 } as const;

const BPF_NOEXIST = 1n;
const BPF_EXIST = 2n;
const RECORD_HEADER_BYTES = 8;

interface Slot {
  readonly key: Uint8Array;
  /** One value, or one for each processor. */
  readonly values: readonly Uint8Array[];
  readonly addresses: readonly bigint[];
  /** In maps of maps. */
  readonly inner: InterpreterMap | undefined;
}

/** A map of any kind. Values are live: what a program writes is seen, what is written here the program sees. */
export class InterpreterMap {
  readonly name: string;
  readonly shape: MapShape;
  /** What a program holds when it has loaded the map. */
  readonly address: bigint;
  /** Records that programs submitted and `takeRecords` has not taken: of a ring buffer, or sent to perf event arrays. */
  readonly #records: Uint8Array[] = [];
  readonly #reserved = new Map<bigint, Uint8Array>();
  readonly #slots = new Map<string, Slot>();
  readonly #programs = new Map<string, string>();
  /** Deleted, but programs that run may still hold their addresses. */
  readonly #deleted: Slot[] = [];
  readonly #memory: InterpreterMemory;
  readonly #cpuCount: number;
  #usedBytes = 0;

  constructor(name: string, shape: MapShape, memory: InterpreterMemory, cpuCount: number) {
    this.name = name;
    this.shape = shape;
    this.#memory = memory;
    this.#cpuCount = cpuCount;
    this.address = memory.add(new Uint8Array(0), false);
  }

  /** Has all its elements from the start; none can be deleted. */
  get isArray(): boolean {
    const { type } = this.shape;
    return type === 'array' || type === 'perCpuArray' || type === 'arrayOfMaps' || type === 'perfEventArray';
  }

  get isPerCpu(): boolean {
    return ['perCpuHash', 'perCpuArray', 'lruPerCpuHash'].includes(this.shape.type);
  }

  /** The value for a key, in place; `cpu` counts in per-CPU maps. */
  lookup(key: Uint8Array, cpu = 0): Uint8Array | undefined {
    return this.#find(key)?.values[this.isPerCpu ? cpu : 0];
  }

  /** The address of a value, or of an inner map, for a program; 0 when there is none. Counts as use in LRU maps. */
  addressOf(key: Uint8Array, cpu: number): bigint {
    const slot = this.#find(key);
    if (slot === undefined) return 0n;
    if (slot.inner !== undefined) return slot.inner.address;
    if (this.shape.type === 'lruHash' || this.shape.type === 'lruPerCpuHash') {
      this.#slots.delete(nameOf(slot.key));
      this.#slots.set(nameOf(slot.key), slot);
    }
    return slot.addresses[this.isPerCpu ? cpu : 0] ?? 0n;
  }

  innerMap(key: Uint8Array): InterpreterMap | undefined {
    return this.#find(key)?.inner;
  }

  /** As bpf_map_update_elem: 0, or a negative error number. In per-CPU maps, the other processors' values of a new element are zero. */
  update(key: Uint8Array, value: Uint8Array | InterpreterMap, flags = 0n, cpu = 0): number {
    if (flags > BPF_EXIST) return MapError.EINVAL;
    const slot = this.#find(key);
    if (this.isArray) return this.#updateArray(key, value, flags, cpu);
    if (slot !== undefined && flags === BPF_NOEXIST) return MapError.EEXIST;
    if (slot === undefined && flags === BPF_EXIST) return MapError.ENOENT;
    if (slot !== undefined && !(value instanceof InterpreterMap)) {
      slot.values[this.isPerCpu ? cpu : 0]!.set(value.subarray(0, this.shape.valueBytes));
      return 0;
    }
    if (slot === undefined && this.#slots.size >= this.shape.maxEntries && !this.#evict()) return MapError.E2BIG;
    if (slot !== undefined) this.delete(key);
    this.#insert(key, value, cpu);
    return 0;
  }

  /** As bpf_map_delete_elem: 0, or a negative error number. */
  delete(key: Uint8Array): number {
    if (this.isArray) return MapError.EINVAL;
    const slot = this.#find(key);
    if (slot === undefined) return MapError.ENOENT;
    this.#slots.delete(nameOf(slot.key));
    this.#deleted.push(slot);
    return 0;
  }

  /** Keys and values (of per-CPU maps, one value a processor), in place, in order of insertion or first use. */
  entries(): { readonly key: Uint8Array; readonly values: readonly Uint8Array[]; readonly addresses: readonly bigint[] }[] {
    if (this.#holdsZeros) for (let index = 0; index < this.shape.maxEntries; index++) this.#find(arrayKey(index));
    return [...this.#slots.values()];
  }

  /** Puts a program into a program array. */
  setProgram(key: Uint8Array, program: string): void {
    assert(this.shape.type === 'programArray', `${this.name} holds no programs`);
    this.#programs.set(nameOf(key), program);
  }

  findProgram(index: number): string | undefined {
    return this.#programs.get(nameOf(arrayKey(index)));
  }

  /** Room for a record; 0 when the ring buffer is full. */
  reserve(length: number): bigint {
    const need = (length + RECORD_HEADER_BYTES + 7) & ~7;
    if (length < 0 || this.#usedBytes + need > this.shape.maxEntries) return 0n;
    this.#usedBytes += need;
    const bytes = new Uint8Array(length);
    const address = this.#memory.add(bytes);
    this.#reserved.set(address, bytes);
    return address;
  }

  /** Ends a reservation; false when there is none at this address. */
  finish(address: bigint, submit: boolean): boolean {
    const bytes = this.#reserved.get(address);
    if (bytes === undefined) return false;
    this.#reserved.delete(address);
    this.#memory.remove(address);
    if (submit) this.#records.push(bytes);
    return true;
  }

  /** Whether a reservation was never submitted nor discarded, which the verifier would not let pass. */
  get hasOpenRecords(): boolean {
    return this.#reserved.size > 0;
  }

  /** Adds a record of a perf event array. */
  pushRecord(bytes: Uint8Array): void {
    this.#records.push(bytes.slice());
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Takes the records out, oldest first, and makes their room free again. */
  takeRecords(): Uint8Array[] {
    this.#usedBytes = 0;
    return this.#records.splice(0);
  }

  /** Programs have ended: addresses of deleted elements are taken back. */
  settle(): void {
    for (const slot of this.#deleted.splice(0)) for (const address of slot.addresses) this.#memory.remove(address);
  }

  #find(key: Uint8Array): Slot | undefined {
    const name = nameOf(key.subarray(0, this.shape.keyBytes));
    const slot = this.#slots.get(name);
    if (slot !== undefined || !this.#holdsZeros) return slot;
    const index = new DataView(key.buffer, key.byteOffset).getUint32(0, true);
    if (index >= this.shape.maxEntries) return undefined;
    this.#insert(key, new Uint8Array(this.shape.valueBytes), 0);
    return this.#slots.get(name);
  }

  /** Elements that were never written exist too. */
  get #holdsZeros(): boolean {
    return this.shape.type === 'array' || this.shape.type === 'perCpuArray';
  }

  #updateArray(key: Uint8Array, value: Uint8Array | InterpreterMap, flags: bigint, cpu: number): number {
    const index = new DataView(key.buffer, key.byteOffset).getUint32(0, true);
    if (index >= this.shape.maxEntries) return MapError.E2BIG;
    if (flags === BPF_NOEXIST) return MapError.EEXIST;
    if (value instanceof InterpreterMap) this.#insert(key, value, cpu);
    else this.lookup(key, cpu)?.set(value.subarray(0, this.shape.valueBytes));
    return 0;
  }

  #insert(key: Uint8Array, value: Uint8Array | InterpreterMap, cpu: number): void {
    const own = key.slice(0, this.shape.keyBytes);
    if (value instanceof InterpreterMap) {
      this.#slots.set(nameOf(own), { key: own, values: [], addresses: [], inner: value });
      return;
    }
    const values = Array.from({ length: this.isPerCpu ? this.#cpuCount : 1 }, () => new Uint8Array(this.shape.valueBytes));
    values[this.isPerCpu ? cpu : 0]!.set(value.subarray(0, this.shape.valueBytes));
    this.#slots.set(nameOf(own), { key: own, values, addresses: values.map((bytes) => this.#memory.add(bytes)), inner: undefined });
  }

  /** Makes room in an LRU map. */
  #evict(): boolean {
    if (this.shape.type !== 'lruHash' && this.shape.type !== 'lruPerCpuHash') return false;
    const oldest = this.#slots.values().next().value;
    return oldest !== undefined && this.delete(oldest.key) === 0;
  }
}

/** The key of an array's element. */
function arrayKey(index: number): Uint8Array {
  return new Uint8Array(new Uint32Array([index]).buffer);
}

function nameOf(key: Uint8Array): string {
  return String.fromCharCode(...key);
}
