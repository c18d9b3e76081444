/**
 * Reads ClickHouse's Native format into columns. Dictionary columns stay dictionaries, 64-bit times become two 32-bit halves:
 * no bigint and no object per cell. Knows the types that our queries return; refuses others by name.
 */
import { assert } from '../base/index.ts';

/** A column of a result. Text columns hold one string per row; `dictionary` ones an index into distinct values. */
export type NativeColumn =
  | { readonly kind: 'numbers'; readonly values: Float64Array }
  | { readonly kind: 'ids'; readonly width: number; readonly bytes: Buffer }
  | { readonly kind: 'text'; readonly values: readonly string[] }
  | { readonly kind: 'nanoseconds'; readonly seconds: Float64Array; readonly nanos: Uint32Array }
  | { readonly kind: 'lists'; readonly ends: Float64Array; readonly items: NativeColumn }
  | { readonly kind: 'map'; readonly ends: Float64Array; readonly keys: readonly string[]; readonly values: readonly string[] };

export interface NativeTable {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, NativeColumn>;
}

/** Parses a whole response: any number of blocks, joined. Throws when it ends early or has a type we do not ask for. */
export function readNative(bytes: Buffer): NativeTable {
  const reader = new BlockReader(bytes);
  const blocks: { rows: number; columns: Map<string, NativeColumn> }[] = [];
  while (!reader.atEnd) blocks.push(reader.block());
  const filled = blocks.filter((block) => block.rows > 0);
  if (filled.length <= 1) return filled[0] ?? blocks[0] ?? { rows: 0, columns: new Map() };
  return joinBlocks(filled);
}

function joinBlocks(blocks: readonly { rows: number; columns: Map<string, NativeColumn> }[]): NativeTable {
  const columns = new Map<string, NativeColumn>();
  for (const name of blocks[0]!.columns.keys()) {
    columns.set(name, joinColumns(blocks.map((block) => block.columns.get(name)!)));
  }
  return { rows: blocks.reduce((sum, block) => sum + block.rows, 0), columns };
}

function joinNumbers(parts: readonly Float64Array[]): Float64Array {
  const joined = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function joinEnds(parts: readonly Float64Array[]): Float64Array {
  const joined = joinNumbers(parts);
  let base = 0;
  let at = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i++) joined[at++] = part[i]! + base;
    base += part.at(-1) ?? 0;
  }
  return joined;
}

function partsOf<K extends NativeColumn['kind']>(parts: readonly NativeColumn[], kind: K): Extract<NativeColumn, { kind: K }>[] {
  return parts.map((part) => {
    assert(part.kind === kind, `a column changed from ${kind} to ${part.kind} between blocks`);
    return part as Extract<NativeColumn, { kind: K }>;
  });
}

function joinColumns(parts: readonly NativeColumn[]): NativeColumn {
  const first = parts[0]!;
  switch (first.kind) {
    case 'numbers':
      return { kind: 'numbers', values: joinNumbers(partsOf(parts, 'numbers').map((part) => part.values)) };
    case 'ids':
      return { kind: 'ids', width: first.width, bytes: Buffer.concat(partsOf(parts, 'ids').map((part) => part.bytes)) };
    case 'text':
      return { kind: 'text', values: partsOf(parts, 'text').flatMap((part) => part.values) };
    case 'nanoseconds': {
      const times = partsOf(parts, 'nanoseconds');
      return {
        kind: 'nanoseconds',
        seconds: joinNumbers(times.map((part) => part.seconds)),
        nanos: Uint32Array.from(times.flatMap((part) => [...part.nanos])),
      };
    }
    case 'lists': {
      const lists = partsOf(parts, 'lists');
      return { kind: 'lists', ends: joinEnds(lists.map((part) => part.ends)), items: joinColumns(lists.map((part) => part.items)) };
    }
    case 'map': {
      const maps = partsOf(parts, 'map');
      return {
        kind: 'map',
        ends: joinEnds(maps.map((part) => part.ends)),
        keys: maps.flatMap((part) => part.keys),
        values: maps.flatMap((part) => part.values),
      };
    }
  }
}

class BlockReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  block(): { rows: number; columns: Map<string, NativeColumn> } {
    const width = this.#varint();
    const rows = this.#varint();
    const columns = new Map<string, NativeColumn>();
    for (let i = 0; i < width; i++) {
      const name = this.#string();
      columns.set(name, this.#column(this.#string(), rows));
    }
    return { rows, columns };
  }

  #column(type: string, rows: number): NativeColumn {
    if (type.startsWith('LowCardinality(')) {
      if (rows > 0) this.#uint64(); // serialisation version
      return { kind: 'text', values: this.#dictionary(rows) };
    }
    if (type === 'String') return { kind: 'text', values: this.#strings(rows) };
    if (type.startsWith('FixedString(')) return this.#ids(Number(type.slice(12, -1)), rows);
    if (type.startsWith('DateTime64(9')) return this.#nanoseconds(rows);
    if (type.startsWith('Map(')) return this.#map(type, rows);
    if (type.startsWith('Array(')) return this.#lists(type.slice(6, -1), rows);
    return { kind: 'numbers', values: this.#numbers(type, rows) };
  }

  #numbers(type: string, rows: number): Float64Array {
    const size = numberSize(type);
    const view = this.#view;
    const values = new Float64Array(rows);
    let at = this.#take(size * rows);
    for (let i = 0; i < rows; i++, at += size) {
      if (size === 8) {
        values[i] = type === 'Float64' ? view.getFloat64(at, true) : view.getUint32(at, true) + view.getUint32(at + 4, true) * 4294967296;
      } else if (size === 4) values[i] = view.getUint32(at, true);
      else if (size === 2) values[i] = view.getUint16(at, true);
      else values[i] = this.#bytes[at]!;
    }
    return values;
  }

  #nanoseconds(rows: number): NativeColumn {
    const seconds = new Float64Array(rows);
    const nanos = new Uint32Array(rows);
    let at = this.#take(8 * rows);
    for (let i = 0; i < rows; i++, at += 8) {
      let quotient = 0;
      let remainder = 0;
      // Long division by 1e9, 16 bits at a time: every step stays below 2^53.
      for (let digit = 6; digit >= 0; digit -= 2) {
        const current = remainder * 65536 + this.#view.getUint16(at + digit, true);
        const part = Math.floor(current / 1e9);
        quotient = quotient * 65536 + part;
        remainder = current - part * 1e9;
      }
      seconds[i] = quotient;
      nanos[i] = remainder;
    }
    return { kind: 'nanoseconds', seconds, nanos };
  }

  #ids(width: number, rows: number): NativeColumn {
    const at = this.#take(width * rows);
    return { kind: 'ids', width, bytes: this.#bytes.subarray(at, at + width * rows) };
  }

  #lists(itemType: string, rows: number): NativeColumn {
    const ends = this.#numbers('UInt64', rows);
    return { kind: 'lists', ends, items: this.#column(itemType, ends.at(-1) ?? 0) };
  }

  #map(type: string, rows: number): NativeColumn {
    const dictionaryKeys = type.startsWith('Map(LowCardinality(String), String)');
    assert(dictionaryKeys, `cannot read a column of type ${type}`);
    if (rows > 0) this.#uint64(); // serialisation version of the keys
    const ends = this.#numbers('UInt64', rows);
    const count = ends.at(-1) ?? 0;
    const keys = this.#dictionary(count);
    return { kind: 'map', ends, keys, values: this.#strings(count) };
  }

  #dictionary(rows: number): string[] {
    if (rows === 0) return [];
    const width = this.#uint64() & 0xff;
    const distinct = this.#strings(this.#uint64());
    const count = this.#uint64();
    assert(count === rows, `a dictionary column has ${count} indexes for ${rows} rows`);
    const indexes = this.#numbers(['UInt8', 'UInt16', 'UInt32', 'UInt64'][width]!, rows);
    const values = new Array<string>(rows);
    for (let i = 0; i < rows; i++) values[i] = distinct[indexes[i]!]!;
    return values;
  }

  #strings(rows: number): string[] {
    const values = new Array<string>(rows);
    for (let i = 0; i < rows; i++) values[i] = this.#string();
    return values;
  }

  #string(): string {
    const length = this.#varint();
    const at = this.#take(length);
    return length === 0 ? '' : this.#bytes.toString('utf8', at, at + length);
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#take(1)]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  #uint64(): number {
    const at = this.#take(8);
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 4294967296;
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new Error('the store ended its answer early');
    this.#at = at + count;
    return at;
  }
}

function numberSize(type: string): number {
  switch (type) {
    case 'UInt8':
    case 'Bool':
      return 1;
    case 'UInt16':
    case 'Date':
      return 2;
    case 'UInt32':
      return 4;
    case 'UInt64':
    case 'Float64':
      return 8;
    default:
      if (type.startsWith('DateTime(') || type === 'DateTime') return 4;
      throw new Error(`Bug: cannot read a column of type ${type}`);
  }
}
