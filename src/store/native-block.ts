/**
 * Builds blocks of ClickHouse's Native format (column by column) from span rows.
 * Blocks can be written one after another into one INSERT, so a block is also what the spool keeps.
 * Source: ClickHouse docs "Native format"; `SerializationLowCardinality.cpp` for dictionary columns.
 */
import { ByteWriter } from './byte-writer.ts';
import type { SpanRow } from '../record/index.ts';

/** Dictionary-coded text column: each distinct value once, then one index per row. */
class DictionaryColumn {
  readonly #indexOf = new Map<string, number>();
  readonly #values = new ByteWriter(4096);
  #indexes = new Uint32Array(1024);
  #rows = 0;

  constructor() {
    this.clear();
  }

  push(value: string): void {
    let index = this.#indexOf.get(value);
    if (index === undefined) {
      index = this.#indexOf.size;
      this.#indexOf.set(value, index);
      this.#values.string(value);
    }
    if (this.#rows === this.#indexes.length) this.#grow();
    this.#indexes[this.#rows++] = index;
  }

  #grow(): void {
    const grown = new Uint32Array(this.#indexes.length * 2);
    grown.set(this.#indexes);
    this.#indexes = grown;
  }

  /** Serialisation version 1 ("shared dictionaries with additional keys"), once before the column's data. */
  writePrefix(out: ByteWriter): void {
    out.uint64(1);
  }

  writeTo(out: ByteWriter): void {
    if (this.#rows === 0) return; // an empty LowCardinality column has no body
    const size = this.#indexOf.size;
    const width = size <= 256 ? 0 : size <= 65536 ? 1 : 2;
    out.uint64(width | (1 << 9)); // 1 << 9: the dictionary comes with the block
    out.uint64(size);
    out.raw(this.#values.bytes());
    out.uint64(this.#rows);
    for (let i = 0; i < this.#rows; i++) {
      const index = this.#indexes[i]!;
      if (width === 0) out.uint8(index);
      else if (width === 1) out.uint16(index);
      else out.uint32(index);
    }
  }

  clear(): void {
    this.#rows = 0;
    this.#indexOf.clear();
    this.#values.clear();
    this.#indexOf.set('', 0); // index 0 is the default value
    this.#values.uint8(0);
  }
}

const DICTIONARY_COLUMNS = [
  ['name', 'name'],
  ['service', 'service'],
  ['type', 'type'],
  ['peer', 'peer'],
  ['peer_type', 'peerType'],
  ['method', 'method'],
  ['user_agent', 'userAgent'],
  ['resource', 'resource'],
  ['shape', 'shape'],
] as const;

const TEXT_COLUMNS = [
  ['url', 'url'],
  ['client_ip', 'clientIp'],
  ['user', 'user'],
  ['rest', 'rest'],
] as const;

/** Columns that `takeBlock` writes one by one: eight of fixed width, and `attrs`. */
const PLAIN_COLUMNS = 9;

type DictionaryField = (typeof DICTIONARY_COLUMNS)[number][1];
type TextField = (typeof TEXT_COLUMNS)[number][1];

/** Collects rows and writes them as one Native block for the table `spans`. */
export class SpanBlock {
  rows = 0;
  readonly #times = new ByteWriter(8192);
  readonly #durations = new ByteWriter(8192);
  readonly #traceIds = new ByteWriter(16384);
  readonly #spanIds = new ByteWriter(8192);
  readonly #parentIds = new ByteWriter(8192);
  readonly #flags = new ByteWriter(2048);
  readonly #statuses = new ByteWriter(2048);
  readonly #seen = new ByteWriter(4096);
  readonly #attributeEnds = new ByteWriter(8192);
  readonly #attributeKeys = new DictionaryColumn();
  readonly #attributeValues = new ByteWriter(65536);
  #attributeCount = 0;
  readonly #dictionaries = new Map<DictionaryField, DictionaryColumn>(
    DICTIONARY_COLUMNS.map(([, field]) => [field, new DictionaryColumn()]),
  );
  readonly #texts = new Map<TextField, ByteWriter>(TEXT_COLUMNS.map(([, field]) => [field, new ByteWriter(65536)]));

  /** About how many bytes the block will take. */
  get sizeBytes(): number {
    let size = this.rows * 70 + this.#attributeValues.length + this.#attributeCount;
    for (const text of this.#texts.values()) size += text.length;
    return size;
  }

  /** hot: once per stored span. `seenSeconds` is when it arrived (epoch seconds). */
  push(row: SpanRow, seenSeconds: number): void {
    this.rows++;
    this.#times.nanoseconds(row.startSeconds, row.startNanos);
    this.#durations.uint64(row.durationNanos);
    this.#traceIds.hex(row.traceId, 16);
    this.#spanIds.hex(row.spanId, 8);
    this.#parentIds.hex(row.parentId, 8);
    this.#flags.uint16(row.flags);
    this.#statuses.uint16(row.status);
    this.#seen.uint32(seenSeconds);
    for (const [field, column] of this.#dictionaries) column.push(row[field]);
    for (const [field, column] of this.#texts) column.string(row[field]);
    const keys = row.attributeKeys;
    const values = row.attributeValues;
    for (let i = 0; i < keys.length; i++) {
      this.#attributeKeys.push(keys[i]!);
      this.#attributeValues.string(values[i]!);
    }
    this.#attributeCount += keys.length;
    this.#attributeEnds.uint64(this.#attributeCount);
  }

  /** Writes the block and empties it. */
  takeBlock(out: ByteWriter): void {
    const column = (name: string, type: string): void => {
      out.string(name);
      out.string(type);
    };
    const plain = (name: string, type: string, bytes: ByteWriter): void => {
      column(name, type);
      out.raw(bytes.bytes());
      bytes.clear();
    };
    out.varint(PLAIN_COLUMNS + DICTIONARY_COLUMNS.length + TEXT_COLUMNS.length);
    out.varint(this.rows);
    plain('ts', "DateTime64(9, 'UTC')", this.#times);
    plain('dur', 'UInt64', this.#durations);
    plain('trace_id', 'FixedString(16)', this.#traceIds);
    plain('span_id', 'FixedString(8)', this.#spanIds);
    plain('parent_id', 'FixedString(8)', this.#parentIds);
    plain('flags', 'UInt16', this.#flags);
    plain('status', 'UInt16', this.#statuses);
    plain('seen', "DateTime('UTC')", this.#seen);
    for (const [name, field] of DICTIONARY_COLUMNS) {
      column(name, 'LowCardinality(String)');
      const values = this.#dictionaries.get(field)!;
      values.writePrefix(out);
      values.writeTo(out);
      values.clear();
    }
    for (const [name, field] of TEXT_COLUMNS) plain(name, 'String', this.#texts.get(field)!);
    this.#takeAttributes(out, column);
    this.rows = 0;
  }

  #takeAttributes(out: ByteWriter, column: (name: string, type: string) => void): void {
    column('attrs', 'Map(LowCardinality(String), String)');
    this.#attributeKeys.writePrefix(out);
    out.raw(this.#attributeEnds.bytes());
    this.#attributeKeys.writeTo(out);
    out.raw(this.#attributeValues.bytes());
    this.#attributeEnds.clear();
    this.#attributeKeys.clear();
    this.#attributeValues.clear();
    this.#attributeCount = 0;
  }
}
