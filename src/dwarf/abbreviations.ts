/** Abbreviation tables: the layouts that a unit's entries have (DWARF 5, 7.5.3). */
import { Form } from './constants.ts';
import { Cursor } from './cursor.ts';
import { fixedSize, type UnitShape } from './forms.ts';

/** The layout of one kind of entry. */
export class Abbreviation {
  readonly tag: number;
  readonly hasChildren: boolean;
  readonly attributes: readonly number[];
  readonly forms: readonly number[];
  /** Values that the layout itself holds (DW_FORM_implicit_const), by attribute index. */
  readonly implicit: readonly number[];
  #shape: UnitShape | undefined;
  #size = -1;

  constructor(tag: number, hasChildren: boolean, attributes: readonly number[], forms: readonly number[], implicit: readonly number[]) {
    this.tag = tag;
    this.hasChildren = hasChildren;
    this.attributes = attributes;
    this.forms = forms;
    this.implicit = implicit;
  }

  /** Bytes of all values together where that is always the same in units of this shape, else -1. */
  sizeIn(shape: UnitShape): number {
    if (this.#shape === shape) return this.#size;
    this.#shape = shape;
    this.#size = 0;
    for (const form of this.forms) {
      const size = fixedSize(form, shape);
      this.#size = size < 0 || this.#size < 0 ? -1 : this.#size + size;
    }
    return this.#size;
  }
}

const KEPT_TABLES = 64;
const MAX_DENSE = 0xffff;

/** Reads tables of one section when they are asked for, and keeps the last few: all of a large program's would take more memory than the rest. */
export class Abbreviations {
  readonly #cursor: Cursor;
  readonly #kept = new Map<number, (code: number) => Abbreviation | undefined>();
  /** Bytes that may still be read: units of a damaged file could each name another start in one long table. */
  #budget: number;

  constructor(section: Uint8Array, name: string, littleEndian: boolean) {
    this.#cursor = new Cursor(section, name, littleEndian);
    this.#budget = section.length * 64 + 2 ** 24;
  }

  /** Finds layouts by code in the table at `offset`. @throws FormatFault when the table cannot be read */
  table(offset: number): (code: number) => Abbreviation | undefined {
    const kept = this.#kept.get(offset);
    if (kept !== undefined) return kept;
    this.#cursor.seek(offset);
    const table = readTable(this.#cursor);
    this.#budget -= this.#cursor.pos - offset;
    if (this.#budget < 0) this.#cursor.fail('units share abbreviations in a way that no compiler writes');
    if (this.#kept.size === KEPT_TABLES) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(offset, table);
    return table;
  }

  /** Once the units are scanned, single questions may read tables again without end. */
  liftBudget(): void {
    this.#budget = Number.POSITIVE_INFINITY;
  }
}

function readTable(cursor: Cursor): (code: number) => Abbreviation | undefined {
  const dense: (Abbreviation | undefined)[] = [undefined];
  const sparse = new Map<number, Abbreviation>();
  for (let code = cursor.uleb(); code !== 0; code = cursor.uleb()) {
    const tag = cursor.uleb();
    const hasChildren = cursor.u8() !== 0;
    const attributes: number[] = [];
    const forms: number[] = [];
    const implicit: number[] = [];
    for (;;) {
      const attribute = cursor.uleb();
      const form = cursor.uleb();
      if (attribute === 0 && form === 0) break;
      attributes.push(attribute);
      forms.push(form);
      implicit.push(form === Form.implicitConst ? cursor.sleb() : 0);
    }
    const abbreviation = new Abbreviation(tag, hasChildren, attributes, forms, implicit);
    if (code === dense.length && code <= MAX_DENSE) dense.push(abbreviation);
    else sparse.set(code, abbreviation);
    // The last table of a section may lack its end.
    if (cursor.pos === cursor.end) break;
  }
  return (code) => dense[code] ?? sparse.get(code);
}
