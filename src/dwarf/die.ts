/** One debugging information entry: its attributes are located when it is read, and decoded when they are asked for. */
import type { Abbreviation } from './abbreviations.ts';
import { At, Form } from './constants.ts';
import { decodeText, type Cursor } from './cursor.ts';
import { skipForm, type UnitShape } from './forms.ts';
import type { DebugSections } from './sections.ts';

/** Where a text is: its section's bytes, and its offset there. */
export interface TextPlace {
  readonly bytes: Uint8Array;
  readonly start: number;
}

/** What entries ask of the file that they lie in. */
export interface UnitFile {
  readonly sections: DebugSections;
  readonly supplementary: UnitFile | undefined;
  /** True for a file of split units; `skeleton` is then the unit of the program that stands for it. */
  readonly isSplit: boolean;
  readonly skeleton: Unit | undefined;
  /** A cursor over a section; the same one each time. */
  cursor(section: string): Cursor;
  layouts(unit: Unit): LayoutFinder;
  root(unit: Unit): Die | undefined;
  dieAt(number: number): Die | undefined;
  typeBySignature(signature: bigint): Die | undefined;
  bases(unit: Unit): UnitBases;
  addressAt(unit: Unit, index: number): number | undefined;
  locateText(unit: Unit, form: number, cursor: Cursor): TextPlace | undefined;
  isSkeleton(unit: Unit, root: Die): boolean;
}

/** Offsets that a unit's root entry gives, from which its indirect values are counted (DWARF 5, 7.26 to 7.29). */
export interface UnitBases {
  readonly stringOffsets: number;
  readonly addresses: number;
  readonly rangeLists: number;
  /** Before DWARF 5: added to offsets of ranges in split units. */
  readonly ranges: number;
}

/** One unit. Offsets are in the section that it lies in; `base` added, they are the file's own numbering of entries. */
export interface Unit extends UnitShape {
  readonly file: UnitFile;
  /** Place among the file's units. */
  readonly index: number;
  readonly cursor: Cursor;
  /** 0 for `.debug_info`; the size of that for `.debug_types`. */
  readonly base: number;
  readonly start: number;
  readonly end: number;
  /** Where the root entry is. */
  readonly root: number;
  readonly type: number;
  readonly abbreviationsAt: number;
  /** Of a type unit. */
  readonly signature: bigint | undefined;
  /** Of a type unit: where the type is, from the unit's start. */
  readonly typeOffset: number;
  /** Of a skeleton or split unit of DWARF 5. */
  readonly dwoId: bigint | undefined;
}

/** Finds the layout of an entry by its code. */
export type LayoutFinder = (code: number) => Abbreviation | undefined;

/** Chains of references (an inlined copy → its abstract entry → its declaration) are three long; damage can make them endless. */
const MAX_REFERENCES = 16;

export class Die {
  readonly unit: Unit;
  /** Offset in the unit's section. */
  readonly offset: number;
  readonly tag: number;
  readonly hasChildren: boolean;
  /** Where the first child is, or the next entry. */
  readonly after: number;
  readonly #layout: Abbreviation;
  readonly #positions: readonly number[];

  constructor(unit: Unit, offset: number, layout: Abbreviation, positions: readonly number[], after: number) {
    this.unit = unit;
    this.offset = offset;
    this.tag = layout.tag;
    this.hasChildren = layout.hasChildren;
    this.after = after;
    this.#layout = layout;
    this.#positions = positions;
  }

  /** The file's own number of this entry, the same for `.debug_info` and `.debug_types` together. */
  get number(): number {
    return this.unit.base + this.offset;
  }

  has(attribute: number): boolean {
    return this.#layout.attributes.includes(attribute);
  }

  form(attribute: number): number | undefined {
    return this.#value(attribute)?.form;
  }

  /** An attribute's form and a cursor that stands at its value. */
  #value(attribute: number): { readonly form: number; readonly cursor: Cursor; readonly implicit: number } | undefined {
    const index = this.#layout.attributes.indexOf(attribute);
    if (index < 0) return undefined;
    const { cursor, end } = this.unit;
    cursor.seek(this.#positions[index]!, end);
    let form = this.#layout.forms[index]!;
    if (form === Form.indirect) form = cursor.uleb();
    return { form, cursor, implicit: this.#layout.implicit[index]! };
  }

  /** A number; undefined when it is absent or not a constant. Signed only where the form is. */
  unsigned(attribute: number): number | undefined {
    const value = this.#value(attribute);
    if (value === undefined) return undefined;
    const { form, cursor } = value;
    switch (form) {
      case Form.data1:
      case Form.flag:
        return cursor.u8();
      case Form.data2:
        return cursor.u16();
      case Form.data4:
        return cursor.u32();
      case Form.data8:
        return cursor.u64();
      case Form.udata:
        return cursor.uleb();
      case Form.sdata:
        return cursor.sleb();
      case Form.implicitConst:
        return value.implicit;
      case Form.secOffset:
        return cursor.unsigned(this.unit.offsetSize);
      case Form.flagPresent:
        return 1;
      default:
        return undefined;
    }
  }

  /** A number in all its bits; `signed` says how a form that does not tell is meant. */
  big(attribute: number, signed: boolean): bigint | undefined {
    const value = this.#value(attribute);
    if (value === undefined) return undefined;
    const { form, cursor } = value;
    if (form === Form.sdata) return cursor.bigLeb(true);
    if (form === Form.udata) return cursor.bigLeb(false);
    if (form === Form.implicitConst) return BigInt(value.implicit);
    const size = ({ [Form.data1]: 1, [Form.data2]: 2, [Form.data4]: 4, [Form.data8]: 8 } as Record<number, number>)[form];
    if (size === undefined) return undefined;
    const bits = size === 8 ? cursor.bigU64() : BigInt(cursor.unsigned(size));
    return signed ? BigInt.asIntN(size * 8, bits) : bits;
  }

  flag(attribute: number): boolean {
    return (this.unsigned(attribute) ?? 0) !== 0;
  }

  /** Where a text is: its section's bytes and offset. */
  textAt(attribute: number): { readonly bytes: Uint8Array; readonly start: number } | undefined {
    const value = this.#value(attribute);
    return value === undefined ? undefined : this.unit.file.locateText(this.unit, value.form, value.cursor);
  }

  text(attribute: number): string | undefined {
    const place = this.textAt(attribute);
    if (place === undefined) return undefined;
    const end = place.bytes.indexOf(0, place.start);
    return decodeText(place.bytes, place.start, end < 0 ? place.bytes.length : end);
  }

  /** The bytes of a block or expression. */
  block(attribute: number): Uint8Array | undefined {
    const value = this.#value(attribute);
    if (value === undefined) return undefined;
    const { form, cursor } = value;
    const lengths: Record<number, () => number> = {
      [Form.exprloc]: () => cursor.uleb(),
      [Form.block]: () => cursor.uleb(),
      [Form.block1]: () => cursor.u8(),
      [Form.block2]: () => cursor.u16(),
      [Form.block4]: () => cursor.u32(),
    };
    const length = lengths[form]?.();
    if (length === undefined) return undefined;
    const start = cursor.pos;
    cursor.skip(length);
    return cursor.bytes.subarray(start, start + length);
  }

  address(attribute: number): number | undefined {
    const value = this.#value(attribute);
    if (value === undefined) return undefined;
    const { form, cursor } = value;
    switch (form) {
      case Form.addr:
        return cursor.unsigned(this.unit.addressSize);
      case Form.addrx:
      case Form.gnuAddrIndex:
        return this.unit.file.addressAt(this.unit, cursor.uleb());
      case Form.addrx1:
        return this.unit.file.addressAt(this.unit, cursor.u8());
      case Form.addrx2:
        return this.unit.file.addressAt(this.unit, cursor.u16());
      case Form.addrx3:
        return this.unit.file.addressAt(this.unit, cursor.u24());
      case Form.addrx4:
        return this.unit.file.addressAt(this.unit, cursor.u32());
      default:
        return undefined;
    }
  }

  /** The index of a range list, by DW_FORM_rnglistx. */
  listIndex(attribute: number): number | undefined {
    const value = this.#value(attribute);
    return value?.form === Form.rnglistx ? value.cursor.uleb() : undefined;
  }

  /** The entry that an attribute refers to, in whatever unit or file; undefined when that is not there. */
  reference(attribute: number): Die | undefined {
    const value = this.#value(attribute);
    if (value === undefined) return undefined;
    const { form, cursor } = value;
    const { unit } = this;
    switch (form) {
      case Form.ref1:
        return unit.file.dieAt(unit.base + unit.start + cursor.u8());
      case Form.ref2:
        return unit.file.dieAt(unit.base + unit.start + cursor.u16());
      case Form.ref4:
        return unit.file.dieAt(unit.base + unit.start + cursor.u32());
      case Form.ref8:
        return unit.file.dieAt(unit.base + unit.start + cursor.u64());
      case Form.refUdata:
        return unit.file.dieAt(unit.base + unit.start + cursor.uleb());
      case Form.refAddr:
        return unit.file.dieAt(cursor.unsigned(unit.version === 2 ? unit.addressSize : unit.offsetSize));
      case Form.refSig8:
        return unit.file.typeBySignature(cursor.bigU64());
      case Form.gnuRefAlt:
        return unit.file.supplementary?.dieAt(cursor.unsigned(unit.offsetSize));
      case Form.refSup4:
        return unit.file.supplementary?.dieAt(cursor.u32());
      case Form.refSup8:
        return unit.file.supplementary?.dieAt(cursor.u64());
      default:
        return undefined;
    }
  }

  /** A reference within the unit, from its start. */
  unitReference(attribute: number): number | undefined {
    const value = this.#value(attribute);
    if (value === undefined) return undefined;
    const size = ({ [Form.ref1]: 1, [Form.ref2]: 2, [Form.ref4]: 4, [Form.ref8]: 8 } as Record<number, number>)[value.form];
    if (size !== undefined) return value.cursor.unsigned(size);
    return value.form === Form.refUdata ? value.cursor.uleb() : undefined;
  }

  /** What this entry is a copy or the definition of: its abstract origin, else its declaration. */
  origin(): Die | undefined {
    return this.reference(At.abstractOrigin) ?? this.reference(At.specification);
  }

  /** This entry and those it is a copy or definition of, nearest first. */
  chain(): Die[] {
    const chain: Die[] = [this];
    for (let die = this.origin(); die !== undefined && chain.length < MAX_REFERENCES; die = die.origin()) chain.push(die);
    return chain;
  }

  name(): string | undefined {
    return this.text(At.name);
  }

  type(): Die | undefined {
    return this.reference(At.type);
  }

  /** Children in order; what they contain is passed over. */
  children(): Die[] {
    const children: Die[] = [];
    if (!this.hasChildren) return children;
    const { unit } = this;
    const layouts = unit.file.layouts(unit);
    let pos = this.after;
    for (;;) {
      const child = readDie(unit, pos, layouts);
      if (child === undefined) return children;
      children.push(child);
      pos = afterDie(child, layouts);
    }
  }
}

/** Reads the entry at `pos`; undefined for the mark that ends a list of children, and at the unit's end. */
export function readDie(unit: Unit, pos: number, layouts: LayoutFinder): Die | undefined {
  const { cursor, end } = unit;
  if (pos >= end) return undefined;
  cursor.seek(pos, end);
  const code = cursor.uleb();
  if (code === 0) return undefined;
  const layout = layouts(code) ?? cursor.fail(`an entry of abbreviation ${code}, which does not exist`);
  const positions: number[] = [];
  for (const form of layout.forms) {
    positions.push(cursor.pos);
    skipForm(cursor, form, unit);
  }
  return new Die(unit, pos, layout, positions, cursor.pos);
}

/** Where the entry after `die` and all that it contains is. */
export function afterDie(die: Die, layouts: LayoutFinder): number {
  if (!die.hasChildren) return die.after;
  const { unit } = die;
  const sibling = siblingOf(die);
  if (sibling !== undefined) return sibling;
  const { cursor } = unit;
  cursor.seek(die.after, unit.end);
  for (let depth = 1; depth > 0 && cursor.pos < unit.end;) {
    const code = cursor.uleb();
    if (code === 0) {
      depth--;
      continue;
    }
    const layout = layouts(code) ?? cursor.fail(`an entry of abbreviation ${code}, which does not exist`);
    const size = layout.sizeIn(unit);
    if (size >= 0) cursor.skip(size);
    else for (const form of layout.forms) skipForm(cursor, form, unit);
    if (layout.hasChildren) depth++;
  }
  return cursor.pos;
}

/** DW_AT_sibling, where it leads forward: backward would never end. */
function siblingOf(die: Die): number | undefined {
  const offset = die.unitReference(At.sibling);
  if (offset === undefined) return undefined;
  const { start, end } = die.unit;
  return start + offset > die.after && start + offset <= end ? start + offset : undefined;
}
