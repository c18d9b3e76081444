// Programs in the intermediate form, compiled to eBPF and run in the interpreter.
import { Interpreter, type InterpreterOptions } from '../../src/bpf/index.ts';
import type { ArraySpec, GlobalSpec, IrFunction, Probe, ProbePoint, Program } from '../../src/y/ir/program.ts';
import { readAggregate, emptyAggregate, mergeRecord, addToBucket, type AggregateValue } from '../../src/y/engines/aggregate-layout.ts';
import {
  compileEbpf,
  decodeEvent,
  decodeInteger,
  decodeKey,
  decodeText,
  DEFAULT_LIMITS,
  LOSSES,
  type EbpfOptions,
  type EbpfProgram,
  type Event,
} from '../../src/y/engines/ebpf/index.ts';
import { program } from './y-program.ts';

const PLACE = { file: 'test.y', line: 1, column: 1 };

export const OPTIONS: EbpfOptions = {
  architecture: 'x86-64',
  cpus: 2,
  filter: { kind: 'all' },
  features: { loop: true, forEachElement: true, uprobeMulti: true, cookies: true, kernelFunctions: 'kprobe', lastThreadTold: false },
  limits: { ...DEFAULT_LIMITS, ringBytes: 1 << 16 },
  kernel: {},
  pidNamespace: undefined,
  measure: 'nothing',
  stacks: undefined,
};

export const FUNCTION_POINT: ProbePoint = {
  kind: 'function',
  sites: [
    { module: '/bin/target', address: 0x1000n, fileOffset: 0x1000, name: 'work', type: undefined, size: 16, code: new Uint8Array(16) },
  ],
};

export function hitProbe(body: number, point: ProbePoint = FUNCTION_POINT, rest: Partial<Probe> = {}): Probe {
  return { point, body, where: 'hit', global: false, place: PLACE, text: 'work()', ...rest };
}

/** A program whose first function is the body of a probe at a function's entry. */
export function hitProgram(functions: readonly IrFunction[], rest: Partial<Program> = {}): Program {
  return program(functions, { probes: [hitProbe(0)], ...rest });
}

export function integerGlobal(name: string, rest: Partial<GlobalSpec> = {}): GlobalSpec {
  return { name, kind: 'integer', size: 8, signed: true, sharing: 'shared', initial: undefined, place: PLACE, ...rest };
}

export function integerArray(name: string, keys: ArraySpec['keys'], rest: Partial<ArraySpec> = {}): ArraySpec {
  const value = { kind: 'integer', size: 8, signed: true, type: undefined } as const;
  return { name, keys, value, capacity: 64, storage: 'shared', place: PLACE, ...rest };
}

export const INTEGER_KEY = { kind: 'integer', size: 8, signed: true, type: undefined } as const;

/** What programs left behind, read as a session reads it. */
export interface Stored {
  bytes(map: string, key: Uint8Array): readonly Uint8Array[];
  entries(map: string): readonly { readonly key: Uint8Array; readonly values: readonly Uint8Array[] }[];
}

const ONLY = new Uint8Array(4);
const decoder = new TextDecoder();

function sum(values: readonly Uint8Array[], offset: number, size: 1 | 2 | 4 | 8, signed: boolean): bigint {
  return values.reduce((total, value) => total + decodeInteger(value, offset, size, signed), 0n);
}

export function readGlobal(of: Program, compiled: EbpfProgram, stored: Stored, global: number): bigint | string {
  const layout = compiled.storage.globals[global];
  const spec = of.globals[global]!;
  if (layout === undefined || layout.kind === 'aggregate' || layout.kind === 'thread') throw new Error('not a plain global');
  const values = stored.bytes(layout.map, ONLY);
  if (spec.kind === 'text') return decoder.decode(decodeText(values[0]!, layout.offset, spec.size));
  return sum(values, layout.offset, spec.size as 8, spec.signed);
}

/** Entries of an array, by the text of their keys: `comm,12`. */
export function readArray(compiled: EbpfProgram, stored: Stored, array: number): Record<string, bigint | string> {
  const layout = compiled.storage.arrays[array]!;
  const found: Record<string, bigint | string> = {};
  for (const { key, values } of stored.entries(layout.map)) {
    const name = decodeKey(layout, key).map((part) => (typeof part === 'bigint' ? String(part) : decoder.decode(part)));
    const { value } = layout;
    if (value.kind === 'text') found[name.join(',')] = decoder.decode(decodeText(values[0]!, 0, value.capacity));
    else if (value.kind === 'integer') found[name.join(',')] = sum(values, 0, value.size, value.signed);
    else found[name.join(',')] = sum(values, 0, 8, true);
  }
  return found;
}

export function readGlobalAggregate(compiled: EbpfProgram, stored: Stored, global: number) {
  const place = compiled.storage.globals[global];
  if (place?.kind !== 'aggregate') throw new Error('no aggregate');
  const value = emptyAggregate(place.layout);
  for (const record of stored.bytes(place.map, ONLY)) mergeRecord(place.layout, value, record, true);
  return {
    value,
    read: (reader: Parameters<typeof readAggregate>[2], argument?: number) => readAggregate(place.layout, value, reader, argument),
  };
}

/** Aggregates of an array by their keys, with their histograms. */
export function readArrayAggregates(compiled: EbpfProgram, stored: Stored, array: number): Record<string, AggregateValue> {
  const layout = compiled.storage.arrays[array]!;
  if (layout.value.kind !== 'aggregate') throw new Error('no aggregates');
  const found: Record<string, AggregateValue> = {};
  for (const { key, values } of stored.entries(layout.map)) {
    const value = emptyAggregate(layout.value.layout);
    for (const record of values) mergeRecord(layout.value.layout, value, record, false);
    found[decodeKey(layout, key).join(',')] = value;
  }
  const { buckets } = layout.value;
  for (const { key, values } of buckets === undefined ? [] : stored.entries(buckets.map)) {
    const id = Number(decodeInteger(key, buckets!.offset, 4, false));
    addToBucket(found[decodeKey(layout, key).join(',')]!, id >>> 16, id & 0xffff, sum(values, 0, 8, false));
  }
  return found;
}

export function readLosses(compiled: EbpfProgram, stored: Stored): Record<string, bigint> {
  const values = stored.bytes(compiled.storage.losses, ONLY);
  return Object.fromEntries(
    LOSSES.map((loss, index) => [loss, sum(values, 8 * index, 8, false)] as const).filter(([, count]) => count > 0n),
  );
}

export function compileOrThrow(of: Program, options: Partial<EbpfOptions> = {}): EbpfProgram {
  const compiled = compileEbpf(of, { ...OPTIONS, ...options });
  if (!compiled.ok) throw new Error(compiled.error.map(({ message }) => message).join('; '));
  return compiled.value;
}

/** pt_regs of x86-64 with these registers at their offsets. */
export function registers(values: Readonly<Record<number, bigint>>): Uint8Array {
  const bytes = new Uint8Array(168);
  for (const [offset, value] of Object.entries(values))
    new DataView(bytes.buffer).setBigUint64(Number(offset), BigInt.asUintN(64, value), true);
  return bytes;
}

/** rdi, rsi, rdx, rcx. */
export function callOf(...values: readonly bigint[]): Uint8Array {
  return registers(Object.fromEntries(values.map((value, index) => [[112, 104, 96, 88][index]!, value])));
}

export interface EbpfRun {
  readonly compiled: EbpfProgram;
  readonly interpreter: Interpreter;
  readonly stored: Stored;
  /** Runs a program (the first when no name is given); throws what the interpreter finds wrong. */
  hit(context?: Uint8Array, name?: string): bigint;
  global(index: number): bigint | string;
  array(index: number): Record<string, bigint | string>;
  losses(): Record<string, bigint>;
  events(): Event[];
}

/** Compiles and makes ready to run; process 100, thread 101, named `worker`. */
export function prepareRun(of: Program, options: Partial<EbpfOptions> = {}, outside: InterpreterOptions = {}): EbpfRun {
  const compiled = compileOrThrow(of, options);
  let now = 1000n;
  const interpreter = new Interpreter(compiled.object, {
    cpuCount: 2,
    ...outside,
    helpers: {
      get_current_pid_tgid: () => (100n << 32n) | 101n,
      get_current_uid_gid: () => (1001n << 32n) | 1000n,
      ktime_get_ns: () => (now += 10n),
      get_current_comm: (call) => {
        const into = call.getBytes(call.arguments[0], Number(call.arguments[1]), true);
        into.fill(0);
        into.set(new TextEncoder().encode('worker'));
        return 0;
      },
      ...outside.helpers,
    },
  });
  const stored = interpreterStore(interpreter);
  return {
    compiled,
    interpreter,
    stored,
    hit: (context = callOf(), name = compiled.object.programs[0]!.name) => {
      const outcome = interpreter.run(name, context);
      if (!outcome.ok) throw new Error(`${outcome.error.program} slot ${outcome.error.slot}: ${outcome.error.message}`);
      return outcome.value.returnValue;
    },
    global: (index) => readGlobal(of, compiled, stored, index),
    array: (index) => readArray(compiled, stored, index),
    losses: () => readLosses(compiled, stored),
    events: () =>
      interpreter
        .map(compiled.events.ring)
        .takeRecords()
        .flatMap((record) => decodeEvent(compiled.events, record, 0, record.length) ?? []),
  };
}

function interpreterStore(interpreter: Interpreter): Stored {
  return {
    bytes: (map, key) => {
      const from = interpreter.map(map);
      const values = Array.from({ length: from.isPerCpu ? 2 : 1 }, (_, cpu) => from.lookup(key, cpu));
      return values.flatMap((value) => (value === undefined ? [] : [value]));
    },
    entries: (map) => [...interpreter.map(map).entries()].map(({ key, values }) => ({ key, values })),
  };
}
