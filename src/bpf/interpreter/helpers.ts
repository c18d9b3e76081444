/** The kernel's helpers, as far as they mean something without a kernel. Others come from the caller. */
import { HELPER_IDS, type HelperName } from '../helpers.ts';
import { MapError, type InterpreterMap } from './maps.ts';
import type { InterpreterMemory } from './memory.ts';

/** What a helper sees of its call. */
export interface HelperCall {
  /** Arguments r1–r5, without sign. */
  readonly arguments: readonly [bigint, bigint, bigint, bigint, bigint];
  readonly memory: InterpreterMemory;
  /** The processor that the program runs on. */
  readonly cpu: number;
  /** The map whose address this is; faults when it is none. */
  getMap(address: bigint): InterpreterMap;
  /** `length` bytes in place; faults when they are not all there. */
  getBytes(address: bigint, length: number, forWriting?: boolean): Uint8Array;
  /** Calls a function of the program, given as an argument. */
  callBack(address: bigint, ...callArguments: bigint[]): bigint;
  /** Reads outside of the interpreter's memory; undefined where nothing can be read. */
  readOutside(space: 'user' | 'kernel', address: bigint, length: number): Uint8Array | undefined;
  /** Ends the program: the verifier would not have let this pass. */
  fault(message: string): never;
}

/** Returns r0; negative numbers are error numbers. */
export type Helper = (call: HelperCall) => bigint | number;

export type HelperTable = Partial<Readonly<Record<HelperName, Helper>>>;

const EFAULT = -14;
const ENOSPC = -28;
const MAX_LOOPS = 1n << 23n;

function key(call: HelperCall, map: InterpreterMap, address: bigint): Uint8Array {
  return call.getBytes(address, map.shape.keyBytes);
}

function readInto(call: HelperCall, space: 'user' | 'kernel'): number {
  const [to, length, from] = call.arguments;
  const into = call.getBytes(to, Number(length), true);
  const bytes = call.memory.slice(from, into.length) ?? call.readOutside(space, from, into.length);
  if (bytes === undefined) into.fill(0);
  else into.set(bytes.subarray(0, into.length));
  return bytes === undefined ? EFAULT : 0;
}

/** Bytes up to and with a NUL, at most `length`, always ended by one; their number, or -EFAULT. */
function readTextInto(call: HelperCall, space: 'user' | 'kernel'): number {
  const [to, length, from] = call.arguments;
  const into = call.getBytes(to, Number(length), true);
  for (let i = 0; i < into.length; i++) {
    const address = from + BigInt(i);
    const byte = (call.memory.slice(address, 1) ?? call.readOutside(space, address, 1))?.[0];
    if (byte === undefined) {
      into.fill(0);
      return EFAULT;
    }
    into[i] = byte;
    if (byte === 0) return i + 1;
  }
  if (into.length > 0) into[into.length - 1] = 0;
  return into.length;
}

function output(call: HelperCall): number {
  const map = call.getMap(call.arguments[0]);
  const bytes = call.getBytes(call.arguments[1], Number(call.arguments[2]));
  const address = map.reserve(bytes.length);
  if (address === 0n) return -11;
  call.getBytes(address, bytes.length, true).set(bytes);
  map.finish(address, true);
  return 0;
}

function finish(call: HelperCall, submit: boolean, maps: Iterable<InterpreterMap>): number {
  for (const map of maps) if (map.finish(call.arguments[0], submit)) return 0;
  return call.fault('a record is ended that was not reserved');
}

function loop(call: HelperCall): bigint | number {
  const [count, callback, context] = call.arguments;
  if (count > MAX_LOOPS) return MapError.E2BIG;
  for (let index = 0n; index < count; index++) if (call.callBack(callback, index, context) !== 0n) return index + 1n;
  return count;
}

function forEach(call: HelperCall): bigint {
  const [address, callback, context] = call.arguments;
  let visited = 0n;
  for (const entry of call.getMap(address).entries()) {
    const keyAddress = call.memory.add(entry.key, false);
    const result = call.callBack(callback, address, keyAddress, entry.addresses[call.getMap(address).isPerCpu ? call.cpu : 0]!, context);
    call.memory.remove(keyAddress);
    visited++;
    if (result !== 0n) break;
  }
  return visited;
}

function compareText(call: HelperCall): number {
  const [left, length, right] = call.arguments;
  const a = call.getBytes(left, Number(length));
  for (let i = 0; i < a.length; i++) {
    const b = call.getBytes(right + BigInt(i), 1)[0]!;
    if (a[i] !== b || b === 0) return a[i]! - b;
  }
  return 0;
}

/** Helpers on maps, records, loops and memory; `maps` are those of the object. */
export function createHelpers(maps: () => Iterable<InterpreterMap>): HelperTable {
  const elementOf = (call: HelperCall, cpu: number) => {
    const map = call.getMap(call.arguments[0]);
    return map.addressOf(key(call, map, call.arguments[1]), cpu);
  };
  return {
    map_lookup_elem: (call) => elementOf(call, call.cpu),
    map_lookup_percpu_elem: (call) => elementOf(call, Number(call.arguments[2])),
    map_update_elem: (call) => {
      const map = call.getMap(call.arguments[0]);
      const value = call.getBytes(call.arguments[2], map.shape.valueBytes);
      return map.update(key(call, map, call.arguments[1]), value, call.arguments[3], call.cpu);
    },
    map_delete_elem: (call) => {
      const map = call.getMap(call.arguments[0]);
      return map.delete(key(call, map, call.arguments[1]));
    },
    for_each_map_elem: forEach,
    ringbuf_output: output,
    ringbuf_reserve: (call) => call.getMap(call.arguments[0]).reserve(Number(call.arguments[1])),
    ringbuf_submit: (call) => finish(call, true, maps()),
    ringbuf_discard: (call) => finish(call, false, maps()),
    ringbuf_query: (call) => {
      const map = call.getMap(call.arguments[0]);
      return [map.usedBytes, map.shape.maxEntries, 0, map.usedBytes][Number(call.arguments[1])] ?? 0;
    },
    perf_event_output: (call) => {
      const map = call.getMap(call.arguments[1]);
      map.pushRecord(call.getBytes(call.arguments[3], Number(call.arguments[4])));
      return map.shape.type === 'perfEventArray' ? 0 : ENOSPC;
    },
    loop,
    strncmp: compareText,
    get_smp_processor_id: (call) => call.cpu,
    probe_read: (call) => readInto(call, 'kernel'),
    probe_read_kernel: (call) => readInto(call, 'kernel'),
    probe_read_user: (call) => readInto(call, 'user'),
    copy_from_user: (call) => readInto(call, 'user'),
    probe_read_str: (call) => readTextInto(call, 'kernel'),
    probe_read_kernel_str: (call) => readTextInto(call, 'kernel'),
    probe_read_user_str: (call) => readTextInto(call, 'user'),
  };
}

/** By number, as programs call them; later tables win. */
export function indexHelpers(...tables: readonly HelperTable[]): ReadonlyMap<number, Helper> {
  const byId = new Map<number, Helper>();
  for (const table of tables)
    for (const [name, helper] of Object.entries(table)) if (helper !== undefined) byId.set(HELPER_IDS[name as HelperName], helper);
  return byId;
}
