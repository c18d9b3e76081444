/** Source lines → addresses: which line programs know a file, and their rows. */
import type { CodeMap } from './code-map.ts';
import type { Unit } from './die.ts';
import { At } from './constants.ts';
import type { DebugFile } from './debug-file.ts';
import { orUndefined } from './format-error.ts';
import { LineFlag, readLineHeader, type LineTable } from './line-program.ts';

export interface FoundLine {
  /** The file's path as the compiler wrote it. */
  readonly file: string;
  /** The line that was found: the one asked for, or the nearest following one that has code. */
  readonly line: number;
  readonly exact: boolean;
  /** Ascending; the lowest address in each function and inlined copy. */
  readonly addresses: readonly number[];
}

export class LineIndex {
  readonly #code: CodeMap;
  readonly #units: Unit[] = [];
  /** Hash of each file's last part, and the place in `#units` of a unit whose program names it: 8 bytes a file and program. */
  readonly #hashes: Uint32Array;
  readonly #owners: Uint32Array;

  constructor(file: DebugFile, code: CodeMap) {
    this.#code = code;
    const hashes: number[] = [];
    const owners: number[] = [];
    // Damaged programs may overlap: what all their tables together may hold is bounded.
    let budget = file.cursor('.debug_line').bytes.length + 65_536;
    const seen = new Set<number>();
    for (const unit of file.units) {
      orUndefined(() => {
        const root = file.root(unit);
        const offset = root?.unsigned(At.stmtList);
        if (offset === undefined || seen.has(offset) || budget < 0) return;
        seen.add(offset);
        const { files } = readLineHeader(file, offset, root?.text(At.compDir) ?? '', unit);
        budget -= files.length;
        this.#units.push(unit);
        for (const hash of new Set(files.map(hashOfLastPart))) {
          hashes.push(hash);
          owners.push(this.#units.length - 1);
        }
      });
    }
    this.#hashes = Uint32Array.from(hashes);
    this.#owners = Uint32Array.from(owners);
  }

  find(suffix: string, line: number): FoundLine | undefined {
    const hash = hashOfLastPart(suffix);
    const rows: { unit: Unit; address: number; line: number; file: string }[] = [];
    let best = Number.POSITIVE_INFINITY;
    for (let at = 0; at < this.#hashes.length; at++) {
      if (this.#hashes[at] !== hash) continue;
      const unit = this.#units[this.#owners[at]!]!;
      const table = this.#code.lines(unit);
      if (table === undefined) continue;
      const nearest = nearestLine(table, suffix, line);
      if (nearest > best || nearest === Number.POSITIVE_INFINITY) continue;
      if (nearest < best) rows.length = 0;
      best = nearest;
      eachRow(table, suffix, (row, file) => {
        if (table.line[row] === best) rows.push({ unit, address: table.address[row]!, line: best, file });
      });
    }
    if (rows.length === 0) return undefined;
    return { file: rows[0]!.file, line: best, exact: best === line, addresses: this.#lowestInEachBlock(rows) };
  }

  #lowestInEachBlock(rows: { readonly unit: Unit; readonly address: number }[]): number[] {
    const lowest = new Map<string, number>();
    for (const { unit, address } of rows) {
      const chain = orUndefined(() => this.#code.chainAt(unit, address)) ?? [];
      const key = `${unit.index}:${chain.map((die) => die.offset).join('.')}`;
      lowest.set(key, Math.min(address, lowest.get(key) ?? address));
    }
    return [...new Set(lowest.values())].sort((left, right) => left - right);
  }
}

/** Calls `visit` for each row of the files that end in `suffix` where a breakpoint may be put. */
function eachRow(table: LineTable, suffix: string, visit: (row: number, file: string) => void): void {
  const wanted = new Map<number, string>();
  table.header.files.forEach((file, index) => {
    if (file === suffix || file.endsWith(`/${suffix}`)) wanted.set(index, file);
  });
  for (let row = 0; row < table.address.length; row++) {
    const file = table.flags[row] === LineFlag.isStatement ? wanted.get(table.file[row]!) : undefined;
    if (file !== undefined) visit(row, file);
  }
}

/** The first line from `line` on that has code; infinity for none. */
function nearestLine(table: LineTable, suffix: string, line: number): number {
  let nearest = Number.POSITIVE_INFINITY;
  eachRow(table, suffix, (row) => {
    const found = table.line[row]!;
    if (found >= line && found < nearest) nearest = found;
  });
  return nearest;
}

function hashOfLastPart(path: string): number {
  let hash = 0x811c_9dc5;
  for (let index = path.lastIndexOf('/') + 1; index < path.length; index++) hash = Math.imul(hash ^ path.codePointAt(index)!, 0x0100_0193);
  return hash >>> 0;
}
