/**
 * Names of code that a runtime generated: `/tmp/perf-PID.map` (Linux tools/perf/Documentation/jit-interface.txt) and
 * `jit-PID.dump` (tools/perf/Documentation/jitdump-specification.txt). Addresses are used again as code is thrown away; the
 * later entry counts.
 */
import { findLastNotAbove } from '../elf/index.ts';

/** Generated functions, sorted by address, none overlapping. */
export interface JitTable {
  readonly count: number;
  /** Addresses of the process. */
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly names: readonly string[];
  /** Lines or records that could not be read. */
  readonly skipped: number;
}

interface JitEntry {
  readonly start: number;
  readonly end: number;
  readonly name: string;
  readonly order: number;
}

/** Parses `start size name` lines, hexadecimal without prefix (some writers add `0x`). */
export function parsePerfMap(text: string): JitTable {
  const entries: JitEntry[] = [];
  let skipped = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const match = /^(?:0x)?([0-9a-f]{1,16}) (?:0x)?([0-9a-f]{1,16}) (.+)$/i.exec(line);
    const start = Number.parseInt(match?.[1] ?? '', 16);
    const size = Number.parseInt(match?.[2] ?? '', 16);
    if (match && size > 0 && start + size <= Number.MAX_SAFE_INTEGER)
      entries.push({ start, end: start + size, name: match[3]!, order: entries.length });
    else skipped++;
  }
  return toTable(entries, skipped);
}

const JITDUMP_MAGIC = 0x4a695444;
const RECORD = { load: 0, move: 1 } as const;

/** Parses a jitdump file, also one that is still being written; undefined when it is none. */
export function parseJitDump(bytes: Uint8Array): JitTable | undefined {
  if (bytes.length < 40) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const littleEndian = view.getUint32(0, true) === JITDUMP_MAGIC;
  if (!littleEndian && view.getUint32(0, false) !== JITDUMP_MAGIC) return undefined;
  const u64 = (at: number): number => Number(view.getBigUint64(at, littleEndian));
  const byIndex = new Map<number, JitEntry>();
  const entries: JitEntry[] = [];
  let skipped = 0;
  let at = view.getUint32(8, littleEndian);
  while (at + 16 <= bytes.length) {
    const size = view.getUint32(at + 4, littleEndian);
    const kind = view.getUint32(at, littleEndian);
    if (size < 16 || at + size > bytes.length) break;
    const entry =
      kind === RECORD.load && size > 56
        ? { start: u64(at + 32), end: u64(at + 32) + u64(at + 40), name: loadName(bytes, at, size), index: u64(at + 48) }
        : kind === RECORD.move && size >= 64
          ? { start: u64(at + 40), end: u64(at + 40) + u64(at + 48), name: byIndex.get(u64(at + 56))?.name ?? '', index: u64(at + 56) }
          : undefined;
    if (entry && entry.name !== '' && entry.end > entry.start && entry.end <= Number.MAX_SAFE_INTEGER) {
      const added = { ...entry, order: entries.length };
      entries.push(added);
      byIndex.set(entry.index, added);
    } else if (kind === RECORD.load || kind === RECORD.move) skipped++;
    at += size;
  }
  return toTable(entries, skipped);
}

function loadName(bytes: Uint8Array, at: number, size: number): string {
  const range = bytes.subarray(at + 56, at + size);
  const end = range.indexOf(0);
  return Buffer.from(range.subarray(0, end < 0 ? 0 : end)).toString('utf8');
}

/** Where two overlap, the older one goes. */
function toTable(entries: JitEntry[], skipped: number): JitTable {
  entries.sort((a, b) => a.start - b.start || a.order - b.order);
  const kept: JitEntry[] = [];
  for (const entry of entries) {
    let newest = true;
    for (let last = kept.at(-1); last && last.end > entry.start; last = kept.at(-1)) {
      newest = last.order < entry.order;
      if (!newest) break;
      kept.pop();
    }
    if (newest) kept.push(entry);
  }
  return {
    count: kept.length,
    starts: Float64Array.from(kept, (entry) => entry.start),
    ends: Float64Array.from(kept, (entry) => entry.end),
    names: kept.map((entry) => entry.name),
    skipped,
  };
}

/** Index of the function at an address of the process; -1 when none is. */
export function findJitFunction(table: JitTable, address: number): number {
  const at = findLastNotAbove(table.starts, address, table.count);
  return at >= 0 && address < table.ends[at]! ? at : -1;
}
