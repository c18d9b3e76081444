/** Which maps hold a program's globals, arrays and constants, and where in them. */
import { MAP_FLAGS, type MapSpec } from '../../../bpf/index.ts';
import { planAggregates } from '../aggregate-layout.ts';
import type { AggregatePlace, ArraySpec, GlobalSpec, Instruction, IrFunction, KeyArgument, Program, TextPlace } from '../../ir/program.ts';
import { CONTROL, LOSSES, TEXT_HEADER_BYTES, type ArrayLayout, type GlobalLayout, type KeyPartLayout } from './ebpf-program.ts';
import type { EbpfOptions } from './options.ts';

/** Names of maps. The kernel keeps 15 bytes of each. */
export const MAPS = {
  control: 'control',
  losses: 'losses',
  measures: 'measures',
  events: 'events',
  globals: 'globals',
  perCpuGlobals: 'globals_cpu',
  threads: 'threads',
  constants: 'constants',
  frames: 'frames',
  stacks: 'stacks',
  targets: 'targets',
  cgroups: 'cgroups',
} as const;

/** Maps larger than this are filled as entries come, not at once. */
const PREALLOCATED_BYTES = 64 << 20;
/** BPF_F_RDONLY_PROG (include/uapi/linux/bpf.h). */
const READ_ONLY = 1 << 7;
const MOST_BUCKETS = 1 << 20;

export interface StoragePlan {
  readonly globals: readonly (GlobalLayout | undefined)[];
  readonly arrays: readonly (ArrayLayout | undefined)[];
  /** Where constants lie in the map `constants`. */
  readonly literals: readonly number[];
  /** First values of `_thread` variables, as an entry of `threads` has them. */
  readonly threadTemplate: number;
  /** Zeros, as many as the longest value of an array has bytes. */
  readonly zeros: number;
  readonly maps: readonly MapSpec[];
}

export function roundUp(bytes: number, multiple: number): number {
  return Math.ceil(bytes / multiple) * multiple;
}

/** Bytes of a text with its header in maps and keys. */
export function textBytes(capacity: number): number {
  return TEXT_HEADER_BYTES + roundUp(Math.max(capacity, 1), 8);
}

/** `functions`: those that run in the kernel. */
export function planStorage(program: Program, functions: readonly IrFunction[], options: EbpfOptions): StoragePlan {
  const used = findUsed(functions);
  const aggregates = planAggregates(program);
  const keyCapacities = findKeyCapacities(program);
  const maps: MapSpec[] = [];
  const areas = { value: new Area(), percpu: new Area(), thread: new Area() };
  const globals = program.globals.map((spec, index): GlobalLayout | undefined => {
    if (!used.globals.has(index)) return undefined;
    const layout = aggregates.globals.get(index);
    if (layout === undefined) return placeGlobal(spec, areas);
    const map = `agg_${index}`;
    maps.push({ name: map, type: 'perCpuArray', keyBytes: 4, valueBytes: layout.denseBytes, maxEntries: 1 });
    return { kind: 'aggregate', map, layout };
  });
  const arrays = program.arrays.map((spec, index): ArrayLayout | undefined => {
    if (!used.arrays.has(index)) return undefined;
    const layout = layOutArray(spec, index, keyCapacities.get(index) ?? [], aggregates.arrays.get(index));
    maps.push(...arrayMaps(spec, layout, options));
    return layout;
  });
  const constants = new Area();
  const literals = program.literals.map((literal) => constants.add(textBytes(literal.length), encodeText(literal, literal.length)));
  const threadTemplate = constants.add(areas.thread.bytes.length, areas.thread.bytes);
  const zeros = constants.add(Math.max(8, ...arrays.map((array) => array?.valueBytes ?? 0)), undefined);
  maps.push(...fixedMaps(options), ...areaMaps(areas, options), valueMap(MAPS.constants, constants.bytes, READ_ONLY));
  return { globals, arrays, literals, threadTemplate, zeros, maps };
}

/** Bytes that values are put into, one after another. */
class Area {
  bytes = new Uint8Array(0);

  /** Its offset. */
  add(size: number, initial: Uint8Array | undefined): number {
    const offset = this.bytes.length;
    const grown = new Uint8Array(offset + roundUp(size, 8));
    grown.set(this.bytes);
    if (initial !== undefined) grown.set(initial.subarray(0, size), offset);
    this.bytes = grown;
    return offset;
  }
}

/** With header and padding. */
export function encodeText(text: Uint8Array, capacity: number): Uint8Array {
  const bytes = new Uint8Array(textBytes(capacity));
  const length = Math.min(text.length, capacity);
  new DataView(bytes.buffer).setUint32(0, length, true);
  bytes.set(text.subarray(0, length), TEXT_HEADER_BYTES);
  return bytes;
}

function placeGlobal(spec: GlobalSpec, areas: Readonly<Record<'value' | 'percpu' | 'thread', Area>>): GlobalLayout {
  const bytes = spec.kind === 'text' ? textBytes(spec.size) : spec.size;
  const initial = spec.initial !== undefined && spec.kind === 'text' ? encodeText(spec.initial, spec.size) : spec.initial;
  const kind = spec.sharing === 'shared' ? 'value' : spec.sharing;
  const map = { value: MAPS.globals, percpu: MAPS.perCpuGlobals, thread: MAPS.threads }[kind];
  return { kind, map, offset: areas[kind].add(bytes, kind === 'percpu' ? undefined : initial), bytes };
}

function valueMap(name: string, bytes: Uint8Array, flags = 0): MapSpec {
  const entries = [{ key: new Uint8Array(4), value: bytes }];
  return { name, type: 'array', keyBytes: 4, valueBytes: bytes.length, maxEntries: 1, flags, entries };
}

function areaMaps(areas: Readonly<Record<'value' | 'percpu' | 'thread', Area>>, { limits }: EbpfOptions): MapSpec[] {
  const maps: MapSpec[] = [];
  const { value, percpu, thread } = areas;
  if (value.bytes.length > 0) maps.push(valueMap(MAPS.globals, value.bytes));
  if (percpu.bytes.length > 0)
    maps.push({ name: MAPS.perCpuGlobals, type: 'perCpuArray', keyBytes: 4, valueBytes: percpu.bytes.length, maxEntries: 1 });
  if (thread.bytes.length > 0)
    maps.push({ name: MAPS.threads, type: 'hash', keyBytes: 4, valueBytes: thread.bytes.length, maxEntries: limits.threads });
  return maps;
}

function fixedMaps({ filter, limits }: EbpfOptions): MapSpec[] {
  const maps: MapSpec[] = [
    valueMap(MAPS.control, new Uint8Array(CONTROL.bytes)),
    { name: MAPS.losses, type: 'perCpuArray', keyBytes: 4, valueBytes: 8 * LOSSES.length, maxEntries: 1 },
  ];
  if (filter.kind === 'pid') maps.push({ name: MAPS.targets, type: 'hash', keyBytes: 4, valueBytes: 8, maxEntries: limits.targets });
  if (filter.kind === 'cgroup') maps.push({ name: MAPS.cgroups, type: 'hash', keyBytes: 8, valueBytes: 8, maxEntries: limits.targets });
  return maps;
}

function layOutArray(
  spec: ArraySpec,
  index: number,
  capacities: readonly number[],
  aggregate: ReturnType<typeof planAggregates>['arrays'] extends ReadonlyMap<number, infer Layout> ? Layout | undefined : never,
): ArrayLayout {
  let next = 0;
  const take = (bytes: number, align: number): number => {
    const offset = roundUp(next, align);
    next = offset + bytes;
    return offset;
  };
  const keys = spec.keys.map((key, part): KeyPartLayout => {
    if (key.kind === 'stack') return { kind: 'stack', offset: take(8, 8) };
    if (key.kind === 'integer') return { kind: 'integer', offset: take(key.size, key.size), size: key.size, signed: key.signed };
    const capacity = Math.min(key.capacity, capacities[part] ?? key.capacity);
    return { kind: 'text', offset: take(textBytes(capacity), 8), capacity };
  });
  // The kernel hashes whole words faster.
  const keyBytes = roundUp(next, 4);
  const common = { map: `array_${index}`, perCpu: spec.storage === 'percpu' || aggregate !== undefined, keyBytes, keys };
  const { value } = spec;
  if (value.kind === 'integer') return { ...common, valueBytes: 8, value: { kind: 'integer', size: value.size, signed: value.signed } };
  if (value.kind === 'float') return { ...common, valueBytes: 8, value };
  if (value.kind === 'text') return { ...common, valueBytes: textBytes(value.capacity), value };
  if (value.kind === 'struct') return { ...common, valueBytes: roundUp(value.size, 8), value };
  const layout = aggregate ?? {
    baseBytes: 16,
    denseBytes: 16,
    count: 0,
    sum: 8,
    minimum: undefined,
    maximum: undefined,
    squares: undefined,
    histograms: [],
  };
  const buckets = layout.histograms.length === 0 ? undefined : { map: `buckets_${index}`, keyBytes: keyBytes + 4, offset: keyBytes };
  return { ...common, valueBytes: layout.baseBytes, value: { kind: 'aggregate', layout, buckets } };
}

function arrayMaps({ storage, capacity }: ArraySpec, layout: ArrayLayout, { cpus }: EbpfOptions): MapSpec[] {
  const { map: name, keyBytes, valueBytes, perCpu } = layout;
  const lru = storage === 'lru';
  const type = perCpu ? (lru ? 'lruPerCpuHash' : 'perCpuHash') : lru ? 'lruHash' : 'hash';
  const large = capacity * (keyBytes + valueBytes * (perCpu ? cpus : 1)) > PREALLOCATED_BYTES;
  const maps: MapSpec[] = [{ name, type, keyBytes, valueBytes, maxEntries: capacity, flags: large && !lru ? MAP_FLAGS.noPreallocate : 0 }];
  const buckets = layout.value.kind === 'aggregate' ? layout.value.buckets : undefined;
  if (buckets === undefined) return maps;
  const maxEntries = Math.min(MOST_BUCKETS, 64 * capacity);
  maps.push({
    name: buckets.map,
    type: lru ? 'lruPerCpuHash' : 'perCpuHash',
    keyBytes: buckets.keyBytes,
    valueBytes: 8,
    maxEntries,
    flags: lru ? 0 : MAP_FLAGS.noPreallocate,
  });
  return maps;
}

interface Used {
  readonly globals: Set<number>;
  readonly arrays: Set<number>;
}

function findUsed(functions: readonly IrFunction[]): Used {
  const used: Used = { globals: new Set(), arrays: new Set() };
  const takeText = (place: unknown): void => {
    if (isGlobalPlace(place)) used.globals.add(place.global);
  };
  for (const instruction of functions.flatMap(({ blocks }) => blocks.flatMap(({ instructions }) => instructions))) {
    if ('array' in instruction) used.arrays.add(instruction.array);
    if ('global' in instruction) used.globals.add(instruction.global);
    for (const place of textsOf(instruction)) takeText(place);
    for (const place of aggregatesOf(instruction)) {
      if ('array' in place) used.arrays.add(place.array);
      else used.globals.add(place.global);
    }
  }
  for (const { blocks } of functions)
    for (const { end } of blocks) if (end.op === 'return' && end.value !== undefined && 'text' in end.value) takeText(end.value.text);
  return used;
}

function isGlobalPlace(place: unknown): place is { readonly global: number } {
  return typeof place === 'object' && place !== null && 'global' in place;
}

function keysOf(instruction: Instruction): readonly KeyArgument[] {
  const direct = 'keys' in instruction ? instruction.keys : [];
  return [...direct, ...aggregatesOf(instruction).flatMap((place) => ('array' in place ? place.keys : []))];
}

function aggregatesOf(instruction: Instruction): readonly AggregatePlace[] {
  if (instruction.op === 'aggregate') return [instruction.into];
  if (instruction.op === 'aggregate-read') return [instruction.from];
  if (instruction.op === 'print') return instruction.values.flatMap((value) => (value.kind === 'histogram' ? [value.from] : []));
  return [];
}

/** Every text place that an instruction names. */
function textsOf(instruction: Instruction): readonly TextPlace[] {
  const places: TextPlace[] = [];
  const add = (place: unknown): void => {
    if (typeof place === 'object' && place !== null && ('global' in place || 'local' in place || 'literal' in place))
      places.push(place as TextPlace);
  };
  for (const name of ['to', 'from', 'left', 'right', 'subject', 'value'] as const)
    if (name in instruction) add((instruction as unknown as Readonly<Record<string, unknown>>)[name]);
  for (const key of keysOf(instruction)) if ('text' in key) add(key.text);
  if (instruction.op === 'match') for (const group of instruction.groups) add(group);
  if (instruction.op === 'call') for (const argument of instruction.arguments) if ('text' in argument) add(argument.text);
  if (instruction.op === 'print') for (const value of instruction.values) if (value.kind === 'text') add(value.text);
  return places;
}

export function capacityOf(program: Program, body: IrFunction, place: TextPlace): number {
  if ('local' in place) return body.texts[place.local]!;
  return 'global' in place ? program.globals[place.global]!.size : program.literals[place.literal]!.length;
}

/** By array and part: the longest text that any function, on either engine, uses as a key there. */
function findKeyCapacities(program: Program): Map<number, number[]> {
  const capacities = new Map<number, number[]>();
  const take = (body: IrFunction, array: number, keys: readonly KeyArgument[]): void => {
    const known = capacities.get(array) ?? [];
    capacities.set(array, known);
    for (const [part, key] of keys.entries())
      if ('text' in key) known[part] = Math.max(known[part] ?? 0, capacityOf(program, body, key.text));
  };
  for (const body of program.functions)
    for (const { instructions } of body.blocks)
      for (const instruction of instructions) {
        if ('keys' in instruction) take(body, instruction.array, instruction.keys);
        for (const place of aggregatesOf(instruction)) if ('array' in place) take(body, place.array, place.keys);
      }
  return capacities;
}
