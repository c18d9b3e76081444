/**
 * Addresses → functions, inlined copies and lines. Units are found by the ranges of their roots; what is in a unit is read when an
 * address in it is asked for, and the last few units are kept.
 */
import { At, Tag } from './constants.ts';
import type { DebugFile } from './debug-file.ts';
import { afterDie, readDie, type Die, type Unit } from './die.ts';
import { FormatFault, orUndefined } from './format-error.ts';
import { findLineRow, readLineHeader, runLineProgram, type LineTable } from './line-program.ts';
import { RangeReader } from './ranges.ts';

const KEPT_UNITS = 32;
/** Blocks nest a few dozen deep; beyond that the rest of a damaged unit is passed over. */
const MAX_DEPTH = 512;

/** Functions and inlined copies of a unit that have addresses; struct of arrays, in the order of the file. */
export interface CodeBlocks {
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Offset of the entry in the unit's section. */
  readonly die: Uint32Array;
  /** 0 for a function; for an inlined copy, how many blocks it is in. */
  readonly depth: Uint16Array;
}

/** Units by address: ranges sorted by start. */
export class CodeMap {
  readonly #units: readonly Unit[];
  readonly #start: Float64Array;
  readonly #end: Float64Array;
  readonly #unit: Uint32Array;
  readonly #blocks = new Map<Unit, CodeBlocks>();
  readonly #lines = new Map<number, LineTable | undefined>();
  readonly #splitOf: (unit: Unit) => Unit | undefined;

  /** @param splitOf the split unit that a skeleton stands for */
  constructor(file: DebugFile, splitOf: (unit: Unit) => Unit | undefined) {
    this.#splitOf = splitOf;
    const ranges: { start: number; end: number; unit: number }[] = [];
    const lists = (file.cursor('.debug_ranges').bytes.length + file.cursor('.debug_rnglists').bytes.length) / 2 + 4096;
    const reader = new RangeReader(lists * 4);
    this.#units = file.units;
    const arranged = readAranges(file);
    for (const unit of file.units) {
      const own = orUndefined(() => {
        const root = file.root(unit);
        return root === undefined ? undefined : { ranges: reader.of(root), isWhole: root.has(At.ranges) };
      });
      // DWARF 2 had no lists: a root whose code is in several places says at most one of them.
      const arrangedHere = own?.isWhole === true ? [] : (arranged.get(unit.base === 0 ? unit.start : -1) ?? []);
      const found = [...(own?.ranges ?? []), ...arrangedHere];
      for (const { start, end } of found) ranges.push({ start, end, unit: unit.index });
    }
    ranges.sort((left, right) => left.start - right.start);
    this.#start = Float64Array.from(ranges, (range) => range.start);
    this.#end = Float64Array.from(ranges, (range) => range.end);
    this.#unit = Uint32Array.from(ranges, (range) => range.unit);
  }

  /** The unit whose code is at `address`; of a skeleton, still the skeleton. */
  unitAt(address: number): Unit | undefined {
    let low = 0;
    let high = this.#start.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#start[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    // Ranges of different units may overlap where a function was dropped or folded: the nearest few are tried.
    for (let at = low - 1; at >= Math.max(0, low - 8); at--) if (address < this.#end[at]!) return this.#units[this.#unit[at]!];
    return undefined;
  }

  /** The function at `address` and the inlined copies around it, outermost first. */
  chainAt(unit: Unit, address: number): Die[] {
    const owner = this.#splitOf(unit) ?? unit;
    const blocks = this.blocks(owner);
    const chain: number[] = [];
    for (let index = 0; index < blocks.start.length; index++) {
      if (!(blocks.start[index]! <= address && address < blocks.end[index]!)) continue;
      const depth = blocks.depth[index]!;
      if (depth === 0) chain.length = 0;
      else while (chain.length > 0 && blocks.depth[chain.at(-1)!]! >= depth) chain.pop();
      chain.push(index);
    }
    const layouts = owner.file.layouts(owner);
    return chain.flatMap((index) => orUndefined(() => readDie(owner, blocks.die[index]!, layouts)) ?? []);
  }

  /** The blocks of a unit, read on first use. */
  blocks(unit: Unit): CodeBlocks {
    const kept = this.#blocks.get(unit);
    if (kept !== undefined) return kept;
    const blocks = readBlocks(unit);
    if (this.#blocks.size >= KEPT_UNITS) this.#blocks.delete(this.#blocks.keys().next().value!);
    this.#blocks.set(unit, blocks);
    return blocks;
  }

  /** The line table of a unit; undefined when it has none that can be read. */
  lines(unit: Unit): LineTable | undefined {
    const root = orUndefined(() => unit.file.root(unit));
    const offset = root?.unsigned(At.stmtList);
    if (root === undefined || offset === undefined) return undefined;
    if (this.#lines.has(offset)) return this.#lines.get(offset);
    const table = orUndefined(() => runLineProgram(readLineHeader(unit.file, offset, root.text(At.compDir) ?? '', unit)));
    if (this.#lines.size >= KEPT_UNITS) this.#lines.delete(this.#lines.keys().next().value!);
    this.#lines.set(offset, table);
    return table;
  }

  /** File and line at an address of `unit`. */
  lineAt(unit: Unit, address: number): { readonly file: string; readonly line: number } | undefined {
    const table = this.lines(unit);
    const row = table === undefined ? -1 : findLineRow(table, address);
    if (table === undefined || row < 0) return undefined;
    return { file: table.header.files[table.file[row]!] ?? '', line: table.line[row]! };
  }
}

/** Reads every function with addresses and the inlined copies in it. */
function readBlocks(unit: Unit): CodeBlocks {
  const { file } = unit;
  const budget =
    (file.cursor('.debug_ranges').bytes.length + file.cursor('.debug_rnglists').bytes.length + (unit.end - unit.start)) / 2 + 4096;
  const walk = new BlockWalk(unit, new RangeReader(budget));
  try {
    walk.run();
  } catch (error) {
    // What was read before the damage is of use.
    if (!(error instanceof FormatFault)) throw error;
  }
  return walk.finish();
}

class BlockWalk {
  readonly #unit: Unit;
  readonly #ranges: RangeReader;
  readonly #start: number[] = [];
  readonly #end: number[] = [];
  readonly #die: number[] = [];
  readonly #depth: number[] = [];

  constructor(unit: Unit, ranges: RangeReader) {
    this.#unit = unit;
    this.#ranges = ranges;
  }

  run(): void {
    const unit = this.#unit;
    const layouts = unit.file.layouts(unit);
    const root = readDie(unit, unit.root, layouts);
    if (root === undefined || !root.hasChildren) return;
    /** Depth of inlining in each open entry; -1 outside of functions. */
    const open: number[] = [-1];
    let pos = root.after;
    while (open.length > 0 && pos < unit.end) {
      const die = readDie(unit, pos, layouts);
      if (die === undefined) {
        open.pop();
        pos++;
        continue;
      }
      const outer = open.at(-1)!;
      const inner = open.length > MAX_DEPTH ? undefined : this.#enter(die, outer);
      if (inner === undefined || !die.hasChildren) pos = afterDie(die, layouts);
      else {
        open.push(inner);
        pos = die.after;
      }
    }
  }

  /** @returns depth inside of `die`, or undefined when there is nothing of interest in it */
  #enter(die: Die, outer: number): number | undefined {
    switch (die.tag) {
      case Tag.subprogram:
        return this.#add(die, 0) || outer >= 0 ? 0 : undefined;
      case Tag.inlinedSubroutine:
        this.#add(die, outer + 1);
        return outer + 1;
      case Tag.lexicalBlock:
        return outer;
      case Tag.namespace:
      case Tag.module:
      case Tag.structureType:
      case Tag.classType:
      case Tag.unionType:
        return outer;
      default:
        return undefined;
    }
  }

  #add(die: Die, depth: number): boolean {
    const ranges = this.#ranges.of(die);
    for (const { start, end } of ranges) {
      this.#start.push(start);
      this.#end.push(end);
      this.#die.push(die.offset);
      this.#depth.push(depth);
    }
    return ranges.length > 0;
  }

  finish(): CodeBlocks {
    return {
      start: Float64Array.from(this.#start),
      end: Float64Array.from(this.#end),
      die: Uint32Array.from(this.#die),
      depth: Uint16Array.from(this.#depth),
    };
  }
}

/** `.debug_aranges` (DWARF 5, 6.1.2): ranges by the start of their unit. Used for units that do not say themselves. */
function readAranges(file: DebugFile): Map<number, { start: number; end: number }[]> {
  const units = new Map<number, { start: number; end: number }[]>();
  const cursor = file.cursor('.debug_aranges');
  const read = (pos: number): number => {
    cursor.seek(pos);
    const { end, offsetSize } = cursor.unitEnd();
    cursor.end = end;
    cursor.skip(2);
    const unit = cursor.unsigned(offsetSize);
    const size = cursor.u8();
    cursor.skip(1);
    if (size !== 4 && size !== 8) cursor.fail(`addresses of ${size} bytes`);
    cursor.skip((2 * size - ((cursor.pos - pos) % (2 * size))) % (2 * size));
    const ranges = units.get(unit) ?? [];
    units.set(unit, ranges);
    while (cursor.pos + 2 * size <= end) {
      const start = cursor.unsigned(size);
      const length = cursor.unsigned(size);
      if (start > 0 && length > 0) ranges.push({ start, end: start + length });
    }
    return end;
  };
  orUndefined(() => {
    for (let pos = 0; pos < cursor.bytes.length;) pos = read(pos);
  });
  return units;
}
