/**
 * All functions of one file, from whatever told of them, in columns sorted by address: what lookups search and
 * what the cache on disk holds.
 */
import { findLastNotAbove, findSymbolAt, type FrameStarts, type SymbolTable } from '../elf/index.ts';

/** Rows may share a start (aliases); the one to print comes last. Offsets count from `base`. */
export interface FunctionTable {
  /** Lowest loaded address of the file, as linked. */
  readonly base: number;
  readonly count: number;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** Where each name begins in `names`; 0 for functions known only by their bounds. */
  readonly nameOffsets: Uint32Array;
  /** UTF-8, each name ended by a NUL; the first byte is one. */
  readonly names: Uint8Array;
}

/** What a table is made from; earlier symbol tables win over later ones, and bounds only fill what no symbol covers. */
export interface FunctionSources {
  readonly base: number;
  readonly symbols: readonly SymbolTable[];
  readonly bounds: FrameStarts | undefined;
}

const MAX_NESTED = 16;

/** Joins sources into one table. */
export function buildFunctionTable({ base, symbols, bounds }: FunctionSources): FunctionTable {
  const named = symbols.flatMap((table, priority) => listRows(table, priority, base));
  const gaps = bounds ? listGaps(symbols, bounds, base) : [];
  const sorted = [...named, ...gaps].sort((a, b) => a.start - b.start || b.priority - a.priority || a.order - b.order);
  const names = new NameWriter();
  const rows = withoutRepeats(sorted.map(({ start, end, name }) => ({ start, end, name: names.add(name()) })));
  return {
    base,
    count: rows.length,
    starts: Uint32Array.from(rows, (row) => row.start),
    ends: Uint32Array.from(rows, (row) => row.end),
    nameOffsets: Uint32Array.from(rows, (row) => row.name),
    names: names.finish(),
  };
}

/** Of rows with the same start and name (a symbol of both tables) the last one stays. */
function withoutRepeats(rows: readonly { start: number; end: number; name: number }[]) {
  const kept: { start: number; end: number; name: number }[] = [];
  const seen = new Set<number>();
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i]!;
    if (row.start !== kept.at(-1)?.start) seen.clear();
    if (seen.has(row.name)) continue;
    seen.add(row.name);
    kept.push(row);
  }
  return kept.reverse();
}

interface Row {
  readonly start: number;
  readonly end: number;
  readonly priority: number;
  readonly order: number;
  name(): string;
}

function listRows(table: SymbolTable, priority: number, base: number): Row[] {
  const shift = table.base - base;
  return Array.from({ length: table.count }, (_, order) => ({
    start: table.starts[order]! + shift,
    end: table.ends[order]! + shift,
    priority,
    order,
    name: () => table.name(order),
  })).filter((row) => row.start >= 0 && row.end <= 0xffff_ffff);
}

/** Ranges that begin where no symbol covers; each ends where the next one or a symbol begins. */
function listGaps(symbols: readonly SymbolTable[], bounds: FrameStarts, base: number): Row[] {
  const rows: Row[] = [];
  const nextSymbol = (address: number): number =>
    Math.min(
      ...symbols.map((table) => {
        const after = findLastNotAbove(table.starts, address - table.base, table.count) + 1;
        return after < table.count ? table.starts[after]! + table.base : Infinity;
      }),
      Infinity,
    );
  for (let i = 0; i < bounds.starts.length; i++) {
    const address = bounds.starts[i]! + bounds.base;
    const start = address - base;
    if (start < 0 || symbols.some((table) => findSymbolAt(table, address - table.base) >= 0)) continue;
    const next = (bounds.starts[i + 1] ?? bounds.starts[i]! + 1) + bounds.base;
    rows.push({ start, end: Math.min(next, nextSymbol(address)) - base, priority: symbols.length, order: i, name: () => '' });
  }
  return rows;
}

class NameWriter {
  #bytes = Buffer.alloc(65_536);
  #length = 1;
  readonly #known = new Map<string, number>();

  add(name: string): number {
    if (name === '') return 0;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const size = Buffer.byteLength(name) + 1;
    if (this.#length + size > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes], Math.max(this.#bytes.length * 2, this.#length + size));
    }
    const at = this.#length;
    this.#bytes.write(name, at);
    this.#bytes[at + size - 1] = 0;
    this.#length += size;
    this.#known.set(name, at);
    return at;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Index of the function that covers `offset` (from the table's base); -1 when none does. */
// hot: once for each address that is new
export function findFunctionAt(table: FunctionTable, offset: number): number {
  const last = findLastNotAbove(table.starts, offset, table.count);
  for (let i = last; i >= 0 && i > last - MAX_NESTED; i--) {
    if (offset < table.ends[i]!) return i;
  }
  return -1;
}

/** The name as the file spells it; empty for functions known only by their bounds. */
export function functionName(table: FunctionTable, index: number): string {
  const start = table.nameOffsets[index]!;
  if (start === 0 || start >= table.names.length) return '';
  const end = table.names.indexOf(0, start);
  return Buffer.from(table.names.buffer, table.names.byteOffset + start, (end < 0 ? table.names.length : end) - start).toString('utf8');
}
