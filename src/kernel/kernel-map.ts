/** A map in the kernel. */
import { assert, err, ok, type Result } from '../base/index.ts';
import { encodeStorageBtf, MAP_FLAGS, MAP_TYPES, type MapSpec } from '../bpf/index.ts';
import {
  callBpf,
  closeDescriptor,
  Errno,
  errnoOf,
  mapDescriptor,
  MAX_ROOM_BYTES,
  type NativeError,
  type Structure,
} from '../native/index.ts';
import { Command, encodeName } from './commands.ts';
import { listCpus } from './cpus.ts';
import { toKernelError, type KernelError } from './error.ts';
import { MappedValues } from './mapped-values.ts';

export interface MapItem {
  readonly key: Uint8Array;
  /** One value; of a per-CPU map, those of all possible processors one after the other (see `splitPerCpu`). */
  readonly value: Uint8Array;
}

export interface EntriesOptions {
  /** False: one element a call, as on a kernel before 5.6. */
  readonly batched?: boolean;
  /** Elements a call; grows by itself where the kernel needs more room. */
  readonly chunk?: number;
}

const UPDATE_FLAGS = { any: 0, new: 1, existing: 2 } as const;
const PER_CPU_TYPES = new Set<string>(['perCpuHash', 'perCpuArray', 'lruPerCpuHash']);
const CHUNK = 4096;

type Shape = Omit<MapSpec, 'name' | 'entries'>;

/** Owns a map's file descriptor. The map lives as long as this, a program, or an attachment holds it. */
export class KernelMap {
  readonly name: string;
  readonly shape: Shape;
  /** The descriptor, for other calls into the kernel; closed by `close` alone. */
  readonly fd: number;
  /** Bytes that a look-up gives: in per-CPU maps, 8-byte aligned values of all possible processors. */
  readonly valueBytes: number;
  #mapped: MappedValues | undefined;
  #closed = false;

  private constructor(name: string, shape: Shape, fd: number) {
    this.name = name;
    this.shape = shape;
    this.fd = fd;
    this.valueBytes = this.isPerCpu ? align8(shape.valueBytes) * listCpus('possible').length : shape.valueBytes;
  }

  static create(name: string, shape: Shape): Result<KernelMap, KernelError> {
    const inner = shape.inner === undefined ? undefined : KernelMap.create(`${name}.inner`, shape.inner);
    if (inner?.ok === false) return inner;
    const btf = shape.type === 'taskStorage' ? loadStorageBtf(shape.valueBytes) : undefined;
    if (btf?.ok === false) return btf;
    const fd = callBpf('MAP_CREATE', Command.MAP_CREATE, 72, (attributes) => {
      for (const [index, value] of [MAP_TYPES[shape.type], shape.keyBytes, shape.valueBytes, shape.maxEntries].entries())
        attributes.setU32(4 * index, value);
      attributes.setU32(16, (shape.flags ?? 0) | (shape.type === 'taskStorage' ? MAP_FLAGS.noPreallocate : 0));
      attributes.setU32(20, inner?.value.fd ?? 0);
      attributes.setBytes(28, encodeName(name));
      if (btf !== undefined)
        for (const [index, value] of [btf.value.fd, btf.value.keyType, btf.value.valueType].entries())
          attributes.setU32(48 + 4 * index, value);
    });
    inner?.value.close();
    if (btf !== undefined) closeDescriptor(btf.value.fd);
    return fd.ok ? ok(new KernelMap(name, shape, fd.value)) : err(toKernelError(fd.error, `map ${name}`));
  }

  get isPerCpu(): boolean {
    return PER_CPU_TYPES.has(this.shape.type);
  }

  /** The value, undefined when there is none. */
  lookup(key: Uint8Array): Result<Uint8Array | undefined, KernelError> {
    let value: Uint8Array | undefined;
    let room: Uint8Array | undefined;
    const result = this.#element('MAP_LOOKUP_ELEM', Command.MAP_LOOKUP_ELEM, key, (attributes) => {
      room = attributes.pointToRoom(16, this.valueBytes);
    });
    if (result.ok) value = room?.slice();
    return result.ok || errnoOf(result.error) === Errno.ENOENT ? ok(value) : err(this.#error(result.error));
  }

  /** Sets a value; of a per-CPU map the same for every processor. ENOENT, EEXIST and E2BIG (full) are errors. */
  update(key: Uint8Array, value: Uint8Array, mode: keyof typeof UPDATE_FLAGS = 'any'): Result<void, KernelError> {
    assert(value.length === this.shape.valueBytes, `a value of ${value.length} bytes for map ${this.name} of ${this.shape.valueBytes}`);
    return this.#set(key, this.isPerCpu ? repeat(value, this.valueBytes) : value, mode);
  }

  /** Sets each processor's own value of a per-CPU map: those of all possible processors one after the other, as `lookup` gives them. */
  updateEach(key: Uint8Array, values: Uint8Array): Result<void, KernelError> {
    assert(values.length === this.valueBytes, `${values.length} bytes for map ${this.name} of ${this.valueBytes}`);
    return this.#set(key, values, 'any');
  }

  /** Puts a map into a map of maps, or a program into a program array. */
  updateDescriptor(key: Uint8Array, fd: number): Result<void, KernelError> {
    return this.#set(key, new Uint8Array(new Uint32Array([fd]).buffer), 'any');
  }

  /** Whether there was one. */
  delete(key: Uint8Array): Result<boolean, KernelError> {
    const result = this.#element('MAP_DELETE_ELEM', Command.MAP_DELETE_ELEM, key);
    if (result.ok) return ok(true);
    return errnoOf(result.error) === Errno.ENOENT ? ok(false) : err(this.#error(result.error));
  }

  /** All elements, in the kernel's order. While programs write, an element may be missed or seen twice. */
  entries(options: EntriesOptions = {}): Result<MapItem[], KernelError> {
    return this.#readAll(Command.MAP_LOOKUP_BATCH, options, false);
  }

  /** Takes all elements out. Each count is given once, whatever programs do meanwhile, where the kernel has batches. */
  takeEntries(options: EntriesOptions = {}): Result<MapItem[], KernelError> {
    return this.#readAll(Command.MAP_LOOKUP_AND_DELETE_BATCH, options, true);
  }

  /** The values of an array made with `MAP_FLAGS.mmapable`, shared with the kernel without calls; one for the map, closed with it. */
  mapped(): Result<MappedValues, KernelError> {
    assert(!this.#closed, `map ${this.name} is closed`);
    if (this.#mapped !== undefined) return ok(this.#mapped);
    const stride = align8(this.shape.valueBytes);
    const mapping = mapDescriptor(this.fd, stride * this.shape.maxEntries, 0, true);
    if (!mapping.ok) return err(this.#error(mapping.error));
    this.#mapped = new MappedValues(mapping.value, stride, this.shape.valueBytes);
    return ok(this.#mapped);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#mapped?.close();
    closeDescriptor(this.fd);
  }

  #error(error: NativeError): KernelError {
    return toKernelError(error, `map ${this.name}`);
  }

  #set(key: Uint8Array, value: Uint8Array, mode: keyof typeof UPDATE_FLAGS): Result<void, KernelError> {
    const result = this.#element('MAP_UPDATE_ELEM', Command.MAP_UPDATE_ELEM, key, (attributes) => {
      attributes.pointToCopy(16, value);
      attributes.setU64(24, UPDATE_FLAGS[mode]);
    });
    return result.ok ? ok(undefined) : err(this.#error(result.error));
  }

  #element(name: string, command: number, key: Uint8Array, fill?: (attributes: Structure) => void): Result<number, NativeError> {
    assert(!this.#closed, `map ${this.name} is closed`);
    assert(key.length === this.shape.keyBytes, `a key of ${key.length} bytes for map ${this.name} of ${this.shape.keyBytes}`);
    return callBpf(name, command, 32, (attributes) => {
      attributes.setU32(0, this.fd);
      attributes.pointToCopy(8, key);
      fill?.(attributes);
    });
  }

  #readAll(command: number, options: EntriesOptions, remove: boolean): Result<MapItem[], KernelError> {
    assert(!this.#closed, `map ${this.name} is closed`);
    if (options.batched === false) return this.#readEach(remove);
    const items: MapItem[] = [];
    const most = Math.max(1, Math.floor((MAX_ROOM_BYTES - 4096) / (this.shape.keyBytes + this.valueBytes)));
    let chunk = Math.min(options.chunk ?? CHUNK, most);
    let token: Uint8Array | undefined;
    for (;;) {
      const batch = this.#readBatch(command, chunk, token);
      items.push(...batch.items);
      if (batch.errno === Errno.ENOENT) return ok(items);
      if (batch.errno === Errno.ENOSPC && chunk < most) chunk = Math.min(chunk * 2, most);
      else if (batch.error !== undefined)
        return items.length === 0 && isMissing(batch.errno) ? this.#readEach(remove) : err(this.#error(batch.error));
      else if (batch.items.length === 0) return ok(items);
      token = batch.errno === Errno.ENOSPC ? token : batch.token;
    }
  }

  /** One call. The token says where to go on; it is given back as the kernel wrote it. */
  #readBatch(command: number, count: number, token: Uint8Array | undefined) {
    const { keyBytes } = this.shape;
    const rooms: { token?: Uint8Array; keys?: Uint8Array; values?: Uint8Array; count: number } = { count: 0 };
    const result = callBpf(
      'MAP_LOOKUP_BATCH',
      command,
      56,
      (attributes) => {
        if (token !== undefined) attributes.pointToCopy(0, token);
        rooms.token = attributes.pointToRoom(8, Math.max(keyBytes, 8));
        rooms.keys = attributes.pointToRoom(16, count * keyBytes);
        rooms.values = attributes.pointToRoom(24, count * this.valueBytes);
        attributes.setU32(32, count);
        attributes.setU32(36, this.fd);
      },
      (attributes) => {
        rooms.count = attributes.getU32(32);
      },
    );
    const errno = result.ok ? 0 : errnoOf(result.error);
    const got = result.ok || errno === Errno.ENOENT ? rooms.count : 0;
    const keys = rooms.keys?.slice(0, got * keyBytes) ?? new Uint8Array(0);
    const values = rooms.values?.slice(0, got * this.valueBytes) ?? new Uint8Array(0);
    const items = Array.from({ length: got }, (_, index) => ({
      key: keys.subarray(index * keyBytes, (index + 1) * keyBytes),
      value: values.subarray(index * this.valueBytes, (index + 1) * this.valueBytes),
    }));
    return { items, errno, error: result.ok ? undefined : result.error, token: rooms.token?.slice() };
  }

  /** Key by key, for kernels and kinds of map without batches. */
  #readEach(remove: boolean): Result<MapItem[], KernelError> {
    const items: MapItem[] = [];
    let key = this.#nextKey(undefined);
    while (key.ok && key.value !== undefined) {
      const current = key.value;
      const value = this.lookup(current);
      if (!value.ok) return value;
      if (value.value !== undefined) items.push({ key: current, value: value.value });
      key = this.#nextKey(current);
      if (remove) this.delete(current);
    }
    return key.ok ? ok(items) : key;
  }

  #nextKey(key: Uint8Array | undefined): Result<Uint8Array | undefined, KernelError> {
    let room: Uint8Array | undefined;
    const result = callBpf('MAP_GET_NEXT_KEY', Command.MAP_GET_NEXT_KEY, 32, (attributes) => {
      attributes.setU32(0, this.fd);
      if (key !== undefined) attributes.pointToCopy(8, key);
      room = attributes.pointToRoom(16, this.shape.keyBytes);
    });
    if (result.ok) return ok(room?.slice());
    return errnoOf(result.error) === Errno.ENOENT ? ok(undefined) : err(this.#error(result.error));
  }
}

/** The values of the possible processors, in place, each `valueBytes` long. */
export function splitPerCpu(value: Uint8Array, valueBytes: number): Uint8Array[] {
  const stride = align8(valueBytes);
  return Array.from({ length: Math.floor(value.length / stride) }, (_, cpu) => value.subarray(cpu * stride, cpu * stride + valueBytes));
}

/** The batch command, or batches of this kind of map, are not there. */
function isMissing(errno: number): boolean {
  return errno === Errno.EINVAL || errno === Errno.ENOTSUPP || errno === Errno.EOPNOTSUPP;
}

function align8(bytes: number): number {
  return (bytes + 7) & ~7;
}

function repeat(value: Uint8Array, totalBytes: number): Uint8Array {
  const all = new Uint8Array(totalBytes);
  for (let at = 0; at < totalBytes; at += align8(value.length)) all.set(value, at);
  return all;
}

function loadStorageBtf(valueBytes: number): Result<{ fd: number; keyType: number; valueType: number }, KernelError> {
  const { btf, keyType, valueType } = encodeStorageBtf(valueBytes);
  const fd = loadBtf(btf);
  return fd.ok ? ok({ fd: fd.value, keyType, valueType }) : fd;
}

/** Loads BTF of our own; a file descriptor. */
export function loadBtf(btf: Uint8Array): Result<number, KernelError> {
  const fd = callBpf('BTF_LOAD', Command.BTF_LOAD, 28, (attributes) => {
    attributes.pointToCopy(0, btf);
    attributes.setU32(16, btf.length);
  });
  return fd.ok ? fd : err(toKernelError(fd.error));
}
