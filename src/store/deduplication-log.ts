/**
 * ClickHouse writes the token of a batch into a table's deduplication log just before it renames the finished part into its place. A store
 * that is killed between the two knows the token and lacks the rows: the batch, sent again, would be taken for stored. So before a store
 * starts, tokens of parts that do not exist are taken out of the log.
 *
 * Log: `deduplication_logs/deduplication_log_N.txt` beside the parts, a line per part: operation (1: added), part, token's hash, separated
 * by tabs. A part's directory is `<partition>_<first block>_<last block>_<level>`; merging makes parts that cover several blocks.
 * Source: ClickHouse 26.7, `MergeTreeDeduplicationLog.cpp`, `MergeTreeSink.cpp` (`commitPart`).
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Only the last inserts can have been cut off: as many as there may be under way, one per partition. */
const LINES_LOOKED_AT = 1_000;

/** Looks through all tables below `dataDir` (the store's `--path`); how many tokens were taken out. The store must not run. */
export function repairDeduplicationLogs(dataDir: string): number {
  let removed = 0;
  for (const table of tableDirectories(join(dataDir, 'store'))) {
    const logs = list(join(table, 'deduplication_logs')).filter((name) => /^deduplication_log_\d+\.txt$/.test(name));
    const newest = logs.toSorted((a, b) => numberOf(b) - numberOf(a))[0];
    if (newest !== undefined) removed += repairLog(join(table, 'deduplication_logs', newest), new StoredParts(list(table)));
  }
  return removed;
}

function tableDirectories(store: string): string[] {
  return list(store).flatMap((prefix) => list(join(store, prefix)).map((table) => join(store, prefix, table)));
}

function repairLog(path: string, parts: StoredParts): number {
  const lines = readFileSync(path, 'utf8').split('\n');
  const from = Math.max(0, lines.length - LINES_LOOKED_AT);
  const kept = lines.filter((line, index) => index < from || !isDangling(line, parts));
  const removed = lines.length - kept.length;
  if (removed === 0) return 0;
  if (kept.at(-1) !== '') kept.push('');
  writeFileSync(`${path}.new`, kept.join('\n'), { mode: 0o640, flush: true });
  renameSync(`${path}.new`, path);
  return removed;
}

/** Also true of a line that was cut off, to which the next one would be joined. */
function isDangling(line: string, parts: StoredParts): boolean {
  if (line === '') return false; // after the last newline
  const [, operation, part] = /^([12])\t(\S+)\t\S+$/.exec(line) ?? [];
  const block = part === undefined ? undefined : readPart(part);
  return block === undefined || (operation === '1' && !parts.cover(block));
}

interface Part {
  readonly partition: string;
  readonly first: number;
  readonly last: number;
}

function readPart(name: string): Part | undefined {
  const [, partition, first, last] = /^([0-9a-z-]+)_(\d+)_(\d+)_\d+(?:_\d+)?$/.exec(name) ?? [];
  return partition === undefined ? undefined : { partition, first: Number(first), last: Number(last) };
}

/** The parts of a table, by partition. */
class StoredParts {
  readonly #byPartition = new Map<string, Part[]>();

  constructor(directoryNames: readonly string[]) {
    for (const name of directoryNames) {
      const part = readPart(name);
      if (part === undefined) continue;
      const others = this.#byPartition.get(part.partition);
      if (others) others.push(part);
      else this.#byPartition.set(part.partition, [part]);
    }
  }

  /** A block that lies within the partition's blocks was merged or dropped, not cut off: the cut off one is newer than all. */
  cover({ partition, last }: Part): boolean {
    return (this.#byPartition.get(partition) ?? []).some((part) => part.last >= last);
  }
}

function numberOf(name: string): number {
  return Number(/\d+/.exec(name)?.[0]);
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // a new store, or no directory
  }
}
