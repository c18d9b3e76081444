/** From an array or an aggregate to a chart. */
import { assert } from '../../base/index.ts';
import { addAggregate, emptyAggregate, readAggregate, type AggregateLayout } from '../engines/aggregate-layout.ts';
import { readInteger, viewOf } from '../engines/snapshot/bytes.ts';
import type { Describer } from '../engines/snapshot/describer.ts';
import { compareKeys } from '../engines/snapshot/entry-order.ts';
import type { ArrayEntry, Storage } from '../engines/snapshot/storage.ts';
import type { AggregateReader, ArraySpec, Instruction, Program, ValueSpec } from '../ir/program.ts';
import type { BarChart, Cell, Chart, FlameChart, HistogramChart, Line, LineChart, NamedValue, PieChart, TableChart } from './chart.ts';
import { toHistogramRows } from './histogram.ts';
import { describeEnum, framesOfPart, nameOfPart } from './key-names.ts';
import { toPrintable } from './text.ts';

type ChartInstruction = Extract<Instruction, { op: 'chart' }>;

/** What a chart is built from. */
export interface ChartContext {
  readonly program: Program;
  readonly storage: Storage;
  readonly describe: Describer;
  readonly layouts: {
    readonly globals: ReadonlyMap<number, AggregateLayout>;
    readonly arrays: ReadonlyMap<number, AggregateLayout>;
  };
}

/** The array or the global that is drawn; a global is an array of one entry without keys. */
interface Source {
  readonly name: string;
  readonly keys: ArraySpec['keys'];
  readonly value: ValueSpec;
  readonly layout: AggregateLayout | undefined;
  /** By key. */
  readonly entries: readonly ArrayEntry[];
}

interface Drawing {
  readonly describe: Describer;
  readonly source: Source;
  readonly reader: AggregateReader | undefined;
  readonly head: { readonly title: string; readonly unit: string; readonly ver: 1 };
}

/** The chart that a program asks for, from what its storage holds now. */
export function buildChart(context: ChartContext, instruction: ChartInstruction): Chart {
  const source = loadSource(context, instruction.source);
  const title = literal(context.program, instruction.title) ?? source.name;
  const unit = literal(context.program, instruction.unit) ?? '';
  const drawing = { describe: context.describe, source, reader: instruction.reader, head: { title, unit, ver: 1 } } as const;
  switch (instruction.chart) {
    case 'pie':
    case 'bar':
      return buildShares(drawing, instruction.chart);
    case 'histogram':
      return buildHistogram(drawing);
    case 'table':
      return buildTable(drawing);
    case 'line':
      return buildLines(drawing);
    case 'flame':
      return buildFlame(drawing);
  }
}

function literal(program: Program, index: number | undefined): string | undefined {
  const bytes = index === undefined ? undefined : program.literals[index];
  return bytes && toPrintable(bytes);
}

function loadSource({ program, storage, layouts }: ChartContext, place: ChartInstruction['source']): Source {
  if ('array' in place) {
    const spec = program.arrays[place.array];
    assert(spec !== undefined, `no array ${place.array}`);
    const entries = [...storage.entries(place.array)].sort((a, b) => compareKeys(a.key, b.key));
    return { name: spec.name, keys: spec.keys, value: spec.value, layout: layouts.arrays.get(place.array), entries };
  }
  const spec = program.globals[place.global];
  assert(spec !== undefined, `no global ${place.global}`);
  const layout = layouts.globals.get(place.global);
  const aggregate = layout && (storage.loadAggregate(place) ?? emptyAggregate(layout));
  const value = aggregate === undefined ? storage.loadGlobal(place.global) : new Uint8Array(0);
  return { name: spec.name, keys: [], value: valueSpecOf(spec), layout, entries: [{ key: [], value, aggregate }] };
}

function valueSpecOf({ kind, size, signed }: Program['globals'][number]): ValueSpec {
  switch (kind) {
    case 'integer':
      return { kind, size: size as 1 | 2 | 4 | 8, signed, type: undefined };
    case 'text':
      return { kind, capacity: size };
    case 'struct':
      return { kind, size };
    case 'float':
    case 'aggregate':
      return { kind };
  }
}

/** An entry's number: of an aggregate what `reader` says, its sum when nothing is said; a text or a struct has none and counts as 1. */
function numberOf({ source, reader }: Drawing, entry: ArrayEntry): number {
  switch (source.value.kind) {
    case 'aggregate':
      return Number(readEntry(source, entry, reader ?? 'sum'));
    case 'integer':
      return Number(readInteger(viewOf(entry.value), 0, source.value.size, source.value.signed));
    case 'float':
      return viewOf(entry.value).getFloat64(0, true);
    case 'text':
    case 'struct':
      return 1;
  }
}

function readEntry({ layout }: Source, { aggregate }: ArrayEntry, reader: AggregateReader): bigint | number {
  assert(layout !== undefined && aggregate !== undefined, 'an entry of an array of aggregates has an aggregate');
  return readAggregate(layout, aggregate, reader, undefined);
}

function nameOfEntry({ source, describe }: Drawing, entry: ArrayEntry): string {
  if (source.keys.length === 0) return source.name;
  return entry.key.map((part, index) => nameOfPart(describe, source.keys[index]!, part)).join(', ');
}

function buildShares(drawing: Drawing, type: 'pie' | 'bar'): PieChart | BarChart {
  const data = drawing.source.entries.map((entry): NamedValue => ({ name: nameOfEntry(drawing, entry), value: numberOf(drawing, entry) }));
  // Stable: what is equal stays in the order of keys.
  data.sort((a, b) => b.value - a.value);
  const total = data.reduce((sum, { value }) => sum + value, 0);
  return { type, ...drawing.head, series: { name: drawing.source.name, data }, summary: { total, count: data.length } };
}

/** Of an aggregate, or of all aggregates of an array taken together. */
function buildHistogram(drawing: Drawing): HistogramChart {
  const { source, head } = drawing;
  assert(source.layout !== undefined, `${source.name} holds no samples`);
  const merged = emptyAggregate(source.layout);
  for (const { aggregate } of source.entries) if (aggregate !== undefined) addAggregate(merged, aggregate);
  const data: Record<string, number> = {};
  for (const { first, last, count } of toHistogramRows(source.layout, merged, { kind: 'log' })) {
    data[String(last! < 0n ? last : first)] = Number(count);
  }
  const summary = {
    min: Number(merged.minimum),
    max: Number(merged.maximum),
    avg: merged.count === 0n ? 0 : Number(merged.sum / merged.count),
    cnt: Number(merged.count),
  };
  return { type: 'dist-bar', ...head, series: { name: source.name, data }, summary };
}

/** Rows by key. Columns: the keys, then the value, or what is known of the aggregate. */
function buildTable(drawing: Drawing): TableChart {
  const { source, head, describe } = drawing;
  const columns = valueColumns(drawing);
  const keyNames = source.keys.map((_key, index) => (source.keys.length === 1 ? 'key' : `key ${index + 1}`));
  const rows = source.entries.map((entry): Cell[] => [
    ...entry.key.map((part, index) => cellOfPart(drawing, nameOfPart(describe, source.keys[index]!, part), index)),
    ...columns.map(({ cell }) => cell(entry)),
  ]);
  const data = [[...keyNames, ...columns.map(({ name }) => name)], ...rows];
  return { type: 'table', ...head, series: { name: source.name, keys: source.keys.length, data }, summary: { count: rows.length } };
}

/** Integers stay numbers, so that a reader can sort by them. */
function cellOfPart({ source }: Drawing, name: string, index: number): Cell {
  const plain = source.keys[index]!.kind === 'integer' && /^-?\d+$/.test(name);
  return plain && Number.isSafeInteger(Number(name)) ? Number(name) : name;
}

interface Column {
  readonly name: string;
  cell(entry: ArrayEntry): Cell;
}

function valueColumns(drawing: Drawing): readonly Column[] {
  const { source, reader } = drawing;
  const { value, layout } = source;
  if (value.kind === 'aggregate') {
    const bounds: readonly AggregateReader[] = layout?.minimum === undefined ? [] : ['min', 'max'];
    const readers = reader === undefined ? (['count', 'sum', 'avg', ...bounds] as const) : [reader];
    return readers.map((name) => ({ name, cell: (entry) => Number(readEntry(source, entry, name)) }));
  }
  if (value.kind === 'text') return [{ name: source.name, cell: (entry) => toPrintable(entry.value) }];
  const { type } = value.kind === 'integer' ? value : { type: undefined };
  if (type === undefined) return [{ name: source.name, cell: (entry) => numberOf(drawing, entry) }];
  return [
    {
      name: source.name,
      cell: (entry) => {
        const number = numberOf(drawing, entry);
        const name = describeEnum(type, BigInt(number));
        return name === String(number) ? number : name;
      },
    },
  ];
}

/** The last key is where a point lies; keys before it name its line. Without numbers there, points count from 0. */
function buildLines(drawing: Drawing): LineChart {
  const { source, head, describe } = drawing;
  const lines = new Map<string, [number, number][]>();
  for (const entry of source.entries) {
    const last = entry.key.at(-1);
    const isNumber = typeof last === 'bigint' && source.keys.at(-1)?.kind === 'integer';
    const names = isNumber ? entry.key.slice(0, -1) : [];
    const name = names.length === 0 ? source.name : names.map((part, index) => nameOfPart(describe, source.keys[index]!, part)).join(', ');
    const points = lines.get(name) ?? [];
    points.push([isNumber ? Number(last) : points.length, numberOf(drawing, entry)]);
    lines.set(name, points);
  }
  const data = [...lines].map(([name, points]): Line => ({ name, points: points.sort((a, b) => a[0] - b[0]) }));
  return { type: 'line', ...head, series: { name: source.name, data }, summary: { count: data.length } };
}

/** Keys in their order are frames from the outermost in; entries with the same frames are summed. */
function buildFlame(drawing: Drawing): FlameChart {
  const { source, head, describe } = drawing;
  const frames = new Map<string, number>();
  const stacks = new Map<string, { readonly stack: readonly number[]; value: number }>();
  for (const entry of source.entries) {
    const names = entry.key.flatMap((part, index) => framesOfPart(describe, source.keys[index]!, part));
    const stack = names.map((name) => internFrame(frames, name));
    const key = stack.join(',');
    const known = stacks.get(key) ?? { stack, value: 0 };
    known.value += numberOf(drawing, entry);
    stacks.set(key, known);
  }
  const data = [...stacks.values()].sort((a, b) => b.value - a.value);
  const total = data.reduce((sum, { value }) => sum + value, 0);
  return {
    type: 'flame',
    ...head,
    series: { name: source.name, frames: [...frames.keys()], data },
    summary: { total, count: data.length },
  };
}

function internFrame(frames: Map<string, number>, name: string): number {
  const known = frames.get(name);
  if (known !== undefined) return known;
  frames.set(name, frames.size);
  return frames.size - 1;
}
