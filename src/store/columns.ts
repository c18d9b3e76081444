/** Columns of a result by name and kind; empty ones when the result has no rows. */
import { assert } from '../base/index.ts';
import type { NativeColumn, NativeTable } from './native-reader.ts';

function column<K extends NativeColumn['kind']>(table: NativeTable, name: string, kind: K): Extract<NativeColumn, { kind: K }> | undefined {
  const found = table.columns.get(name);
  if (found === undefined && table.rows === 0) return undefined;
  assert(found?.kind === kind, `column ${name} is ${found?.kind ?? 'missing'}, not ${kind}`);
  return found as Extract<NativeColumn, { kind: K }>;
}

/** The bytes of a column of fixed-width ids, one after another. */
export function ids(table: NativeTable, name: string): Buffer {
  return column(table, name, 'ids')?.bytes ?? Buffer.alloc(0);
}

export function numbers(table: NativeTable, name: string): Float64Array {
  return column(table, name, 'numbers')?.values ?? new Float64Array(0);
}

export function texts(table: NativeTable, name: string): readonly string[] {
  return column(table, name, 'text')?.values ?? [];
}

export function times(table: NativeTable, name: string): { seconds: Float64Array; nanos: Uint32Array } {
  return column(table, name, 'nanoseconds') ?? { seconds: new Float64Array(0), nanos: new Uint32Array(0) };
}

/** A column of nanosecond times as epoch seconds. */
export function seconds(table: NativeTable, name: string): Float64Array {
  const { seconds: whole, nanos } = times(table, name);
  return whole.map((second, row) => second + nanos[row]! / 1e9);
}

export function mapColumn(table: NativeTable, name: string): { ends: Float64Array; keys: readonly string[]; values: readonly string[] } {
  return column(table, name, 'map') ?? { ends: new Float64Array(0), keys: [], values: [] };
}

/** A column of lists of numbers: the values of all rows one after another, and where each row's end. */
export function numberLists(table: NativeTable, name: string): { ends: Float64Array; values: Float64Array } {
  const lists = column(table, name, 'lists');
  if (lists === undefined) return { ends: new Float64Array(0), values: new Float64Array(0) };
  assert(lists.items.kind === 'numbers', `column ${name} holds lists of ${lists.items.kind}`);
  return { ends: lists.ends, values: lists.items.values };
}
