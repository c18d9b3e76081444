/**
 * One file of debug information: its units, and the sections that entries refer to. A program has one, and may have
 * others beside it: split units (`.dwo`, `.dwp`), and the supplementary file of `dwz`.
 */
import { Abbreviations } from './abbreviations.ts';
import { At, Form, UnitType } from './constants.ts';
import { Cursor } from './cursor.ts';
import { readDie, type Die, type LayoutFinder, type Unit, type UnitBases, type UnitFile } from './die.ts';
import { FormatFault, orUndefined } from './format-error.ts';
import type { DebugSections } from './sections.ts';
import { parseUnit } from './unit.ts';

const EMPTY = new Uint8Array(0);

export interface DebugFileOptions {
  /** Split units: sections' names end in `.dwo`, addresses lie in the skeleton's file. */
  readonly split?: { readonly skeleton: Unit } | undefined;
  readonly supplementary?: DebugFile | undefined;
}

export class DebugFile implements UnitFile {
  readonly sections: DebugSections;
  readonly units: Unit[] = [];
  readonly supplementary: DebugFile | undefined;
  readonly abbreviations: Abbreviations;
  /** Units whose header or version could not be read. */
  skipped = 0;
  /** The file's first damage, if any. */
  firstDamage: FormatFault | undefined;
  /** Finds type units of other files of the program, for split units. */
  findSignature: ((signature: bigint) => Die | undefined) | undefined;
  readonly #split: { readonly skeleton: Unit } | undefined;
  readonly #signatures = new Map<bigint, Unit>();
  readonly #bases = new Map<Unit, UnitBases>();
  readonly #cursors = new Map<string, Cursor>();

  constructor(sections: DebugSections, options: DebugFileOptions = {}) {
    this.sections = sections;
    this.supplementary = options.supplementary;
    this.#split = options.split;
    const abbrev = this.#name('.debug_abbrev');
    this.abbreviations = new Abbreviations(sections.section(abbrev) ?? EMPTY, abbrev, sections.littleEndian);
    const info = this.cursor('.debug_info');
    this.#readUnits(info, 0);
    this.#readUnits(this.cursor('.debug_types'), info.bytes.length);
  }

  get isSplit(): boolean {
    return this.#split !== undefined;
  }

  /** A split file's skeleton in the program; undefined for others. */
  get skeleton(): Unit | undefined {
    return this.#split?.skeleton;
  }

  #name(section: string): string {
    return this.#split === undefined ? section : `${section}.dwo`;
  }

  /** A cursor over a section, empty when there is none. The same one each time. */
  cursor(section: string): Cursor {
    let cursor = this.#cursors.get(section);
    if (cursor === undefined) {
      const name = this.#name(section);
      cursor = new Cursor(this.sections.section(name) ?? EMPTY, name, this.sections.littleEndian);
      this.#cursors.set(section, cursor);
    }
    return cursor;
  }

  #readUnits(cursor: Cursor, base: number): void {
    try {
      for (let pos = 0; pos < cursor.bytes.length;) {
        const unit = parseUnit(this, cursor, base, pos, this.units.length);
        if (unit.type === 0) this.skipped++;
        this.units.push(unit);
        if (unit.signature !== undefined && !this.#signatures.has(unit.signature)) this.#signatures.set(unit.signature, unit);
        pos = unit.end;
      }
    } catch (error) {
      if (!(error instanceof FormatFault)) throw error;
      this.skipped++;
      this.firstDamage ??= error;
    }
  }

  layouts(unit: Unit): LayoutFinder {
    return this.abbreviations.table(unit.abbreviationsAt);
  }

  /** The unit that an entry's number lies in. */
  unitAt(number: number): Unit | undefined {
    let low = 0;
    let high = this.units.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const unit = this.units[middle]!;
      if (unit.base + unit.start <= number) low = middle + 1;
      else high = middle;
    }
    const unit = this.units[low - 1];
    return unit !== undefined && number < unit.base + unit.end ? unit : undefined;
  }

  /** The entry of that number; undefined where no unit is. @throws FormatFault when no entry can be read there */
  dieAt(number: number): Die | undefined {
    const unit = this.unitAt(number);
    if (unit === undefined || number - unit.base < unit.root) return undefined;
    return readDie(unit, number - unit.base, this.layouts(unit));
  }

  root(unit: Unit): Die | undefined {
    return readDie(unit, unit.root, this.layouts(unit));
  }

  typeBySignature(signature: bigint): Die | undefined {
    const unit = this.#signatures.get(signature);
    if (unit === undefined) return this.findSignature?.(signature);
    return this.dieAt(unit.base + unit.start + unit.typeOffset);
  }

  /** A type unit of this file itself. */
  ownTypeBySignature(signature: bigint): Die | undefined {
    return this.#signatures.has(signature) ? this.typeBySignature(signature) : undefined;
  }

  bases(unit: Unit): UnitBases {
    const kept = this.#bases.get(unit);
    if (kept !== undefined) return kept;
    // The root entry itself may use them; defaults stand meanwhile.
    const wide = unit.offsetSize === 8;
    const defaults: UnitBases = {
      stringOffsets: unit.version >= 5 ? (wide ? 16 : 8) : 0,
      rangeLists: unit.version >= 5 ? (wide ? 20 : 12) : 0,
      addresses: unit.version >= 5 ? (wide ? 16 : 8) : 0,
      ranges: 0,
    };
    this.#bases.set(unit, defaults);
    const root = orUndefined(() => this.root(unit));
    const bases = root === undefined ? defaults : this.#rootBases(root, defaults);
    this.#bases.set(unit, bases);
    return bases;
  }

  #rootBases(root: Die, defaults: UnitBases): UnitBases {
    const skeleton = this.#split?.skeleton;
    const outer = skeleton?.file.bases(skeleton);
    return {
      stringOffsets: root.unsigned(At.strOffsetsBase) ?? defaults.stringOffsets,
      rangeLists: root.unsigned(At.rnglistsBase) ?? defaults.rangeLists,
      addresses: outer?.addresses ?? root.unsigned(At.addrBase) ?? root.unsigned(At.gnuAddrBase) ?? defaults.addresses,
      ranges: outer?.ranges ?? root.unsigned(At.gnuRangesBase) ?? 0,
    };
  }

  /** An address by its index in `.debug_addr`. */
  addressAt(unit: Unit, index: number): number | undefined {
    const owner = this.#split?.skeleton.file ?? this;
    const cursor = owner.cursor('.debug_addr');
    const at = this.bases(unit).addresses + index * unit.addressSize;
    if (at + unit.addressSize > cursor.bytes.length) return undefined;
    cursor.seek(at);
    return cursor.unsigned(unit.addressSize);
  }

  /** Where a text of `form` is; `cursor` stands at its value. Undefined for other forms and texts outside of their section. */
  locateText(unit: Unit, form: number, cursor: Cursor): { readonly bytes: Uint8Array; readonly start: number } | undefined {
    switch (form) {
      case Form.string:
        return { bytes: cursor.bytes, start: cursor.skipText() };
      case Form.strp:
        return inside(this.cursor('.debug_str').bytes, cursor.unsigned(unit.offsetSize));
      case Form.lineStrp:
        return inside(this.cursor('.debug_line_str').bytes, cursor.unsigned(unit.offsetSize));
      case Form.gnuStrpAlt:
      case Form.strpSup:
        return this.supplementary && inside(this.supplementary.cursor('.debug_str').bytes, cursor.unsigned(unit.offsetSize));
      case Form.strx:
      case Form.gnuStrIndex:
        return this.#indexedText(unit, cursor.uleb());
      case Form.strx1:
        return this.#indexedText(unit, cursor.u8());
      case Form.strx2:
        return this.#indexedText(unit, cursor.u16());
      case Form.strx3:
        return this.#indexedText(unit, cursor.u24());
      case Form.strx4:
        return this.#indexedText(unit, cursor.u32());
      default:
        return undefined;
    }
  }

  #indexedText(unit: Unit, index: number): { readonly bytes: Uint8Array; readonly start: number } | undefined {
    const offsets = this.cursor('.debug_str_offsets');
    const at = this.bases(unit).stringOffsets + index * unit.offsetSize;
    if (at + unit.offsetSize > offsets.bytes.length) return undefined;
    offsets.seek(at);
    return inside(this.cursor('.debug_str').bytes, offsets.unsigned(unit.offsetSize));
  }

  /** True for a unit that only stands for a split one. */
  isSkeleton(unit: Unit, root: Die): boolean {
    return unit.type === UnitType.skeleton || (!this.isSplit && (root.has(At.gnuDwoName) || root.has(At.dwoName)));
  }
}

function inside(bytes: Uint8Array, start: number): { readonly bytes: Uint8Array; readonly start: number } | undefined {
  return start < bytes.length ? { bytes, start } : undefined;
}
