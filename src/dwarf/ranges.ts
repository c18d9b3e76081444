/** The addresses that an entry covers: low and high (DWARF 5, 2.17.2), or a list in `.debug_ranges` or `.debug_rnglists` (2.17.3). */
import { At, Form } from './constants.ts';
import type { Die } from './die.ts';
import { FormatFault } from './format-error.ts';

/** Addresses from `start` up to, and without, `end`. */
export interface AddressRange {
  readonly start: number;
  readonly end: number;
}

/** DW_RLE_* (table 7.30). */
const Entry = {
  end: 0,
  baseAddressx: 1,
  startxEndx: 2,
  startxLength: 3,
  offsetPair: 4,
  baseAddress: 5,
  startEnd: 6,
  startLength: 7,
} as const;

/**
 * Reads ranges, and counts: lists of damaged files may overlap, so that reading each entry's would take the square of the file's size.
 * `budget` is how many list entries may be read in all.
 */
export class RangeReader {
  #budget: number;

  constructor(budget: number) {
    this.#budget = budget;
  }

  /** Ranges of an entry, in the order of its list; empty when it has none. Ranges at address 0 (code that the linker dropped) are left out. */
  of(die: Die): AddressRange[] {
    if (die.has(At.ranges)) return this.#list(die).filter(isLive);
    const start = die.address(At.lowPc);
    if (start === undefined) return [];
    const end = die.form(At.highPc) === Form.addr ? die.address(At.highPc) : undefined;
    const range = { start, end: end ?? die.address(At.highPc) ?? start + (die.unsigned(At.highPc) ?? 0) };
    return isLive(range) ? [range] : [];
  }

  #list(die: Die): AddressRange[] {
    const { unit } = die;
    const bases = unit.file.bases(unit);
    const index = die.listIndex(At.ranges);
    if (unit.version < 5) {
      // Of split units, the list is in the program's own file.
      const isRoot = die.offset === unit.root;
      return this.#old(die, (die.unsigned(At.ranges) ?? 0) + (isRoot && unit.file.skeleton === undefined ? 0 : bases.ranges));
    }
    if (index === undefined) return this.#new(die, die.unsigned(At.ranges) ?? 0);
    const cursor = unit.file.cursor('.debug_rnglists');
    cursor.seek(bases.rangeLists + index * unit.offsetSize);
    return this.#new(die, bases.rangeLists + cursor.unsigned(unit.offsetSize));
  }

  #spend(): void {
    if (--this.#budget < 0) throw new FormatFault('.debug_ranges', 0, 'lists of ranges overlap in a way that no compiler writes');
  }

  #base(die: Die): number {
    const { unit } = die;
    const outer = unit.file.skeleton;
    const root = outer === undefined ? unit.file.root(unit) : outer.file.root(outer);
    return root?.address(At.lowPc) ?? 0;
  }

  #old(die: Die, offset: number): AddressRange[] {
    const { unit } = die;
    const ranges: AddressRange[] = [];
    const file = unit.file.skeleton?.file ?? unit.file;
    let base = this.#base(die);
    const cursor = file.cursor('.debug_ranges');
    cursor.seek(offset);
    const highest = unit.addressSize === 8 ? 2 ** 64 : 0xffff_ffff;
    for (;;) {
      this.#spend();
      const start = cursor.unsigned(unit.addressSize);
      const end = cursor.unsigned(unit.addressSize);
      if (start === 0 && end === 0) return ranges;
      if (start >= highest) base = end;
      else ranges.push({ start: base + start, end: base + end });
    }
  }

  #new(die: Die, offset: number): AddressRange[] {
    const { unit } = die;
    const ranges: AddressRange[] = [];
    let base = this.#base(die);
    const cursor = unit.file.cursor('.debug_rnglists');
    const indexed = (): number => unit.file.addressAt(unit, cursor.uleb()) ?? 0;
    const address = (): number => cursor.unsigned(unit.addressSize);
    cursor.seek(offset);
    for (;;) {
      this.#spend();
      const kind = cursor.u8();
      switch (kind) {
        case Entry.end:
          return ranges;
        case Entry.baseAddressx:
          base = indexed();
          break;
        case Entry.baseAddress:
          base = address();
          break;
        case Entry.startxEndx:
          ranges.push({ start: indexed(), end: indexed() });
          break;
        case Entry.startxLength: {
          const start = indexed();
          ranges.push({ start, end: start + cursor.uleb() });
          break;
        }
        case Entry.offsetPair:
          ranges.push({ start: base + cursor.uleb(), end: base + cursor.uleb() });
          break;
        case Entry.startEnd:
          ranges.push({ start: address(), end: address() });
          break;
        case Entry.startLength: {
          const start = address();
          ranges.push({ start, end: start + cursor.uleb() });
          break;
        }
        default:
          cursor.fail(`range list entry ${kind}`);
      }
    }
  }
}

function isLive(range: AddressRange): boolean {
  return range.start > 0 && range.end > range.start && range.end <= Number.MAX_SAFE_INTEGER;
}
