/**
 * Names of types, functions, variables, enumerators and namespaces → where their entries are, made by one pass over a file.
 *
 * The pass skips attributes by the abbreviations' sizes and whole functions by their siblings: what is inside a function is
 * not indexed. Struct of arrays; the text of names stays in the file, only a hash of it is kept, and hits are checked against
 * the text. Memory: 17 bytes an indexed entry and 4 to 8 for the hash's heads (arrays at most twice that while they grow).
 */
import type { Abbreviation } from './abbreviations.ts';
import { At, Form, Tag } from './constants.ts';
import type { Cursor } from './cursor.ts';
import type { DebugFile } from './debug-file.ts';
import type { Die, Unit } from './die.ts';
import { FormatFault, orUndefined } from './format-error.ts';
import { skipForm } from './forms.ts';

/** What an indexed entry is. */
export const Category = {
  none: 0,
  struct: 1,
  union: 2,
  class: 3,
  enum: 4,
  typedef: 5,
  base: 6,
  function: 7,
  variable: 8,
  enumerator: 9,
  namespace: 10,
} as const;

const CATEGORIES = new Uint8Array(0x50);
CATEGORIES[Tag.structureType] = Category.struct;
CATEGORIES[Tag.unionType] = Category.union;
CATEGORIES[Tag.classType] = Category.class;
CATEGORIES[Tag.interfaceType] = Category.class;
CATEGORIES[Tag.enumerationType] = Category.enum;
CATEGORIES[Tag.typedef] = Category.typedef;
CATEGORIES[Tag.baseType] = Category.base;
CATEGORIES[Tag.unspecifiedType] = Category.base;
CATEGORIES[Tag.subprogram] = Category.function;
CATEGORIES[Tag.variable] = Category.variable;
CATEGORIES[Tag.enumerator] = Category.enumerator;
CATEGORIES[Tag.namespace] = Category.namespace;
CATEGORIES[Tag.module] = Category.namespace;

const CATEGORY_BITS = 0x0f;
/** Only a declaration. */
const DECLARATION = 0x10;
/** Its name is that of the entry that it is a copy or definition of. */
const LINKED = 0x20;
/** Has addresses of its own, or is inlined: a function that exists. */
const HAS_CODE = 0x40;
const NAMELESS = 0x80;

/** FNV-1a of a text without its spaces, which compilers place differently in templates (`> >`); ends at a NUL. */
function hashName(bytes: Uint8Array, start: number): number {
  let hash = 0x811c_9dc5;
  // Longer names exist; the rest is compared when the hash is found.
  const end = Math.min(bytes.length, start + 1024);
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte === 0) break;
    if (byte !== 0x20) hash = Math.imul(hash ^ byte, 0x0100_0193);
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** A name as it is compared: without spaces. */
function withoutSpaces(name: string): string {
  return name.replaceAll(' ', '');
}

/** Splits at the `::` that are not inside of `<…>` or `(…)`, and gives the last part. */
export function lastPart(qualified: string): string {
  let depth = 0;
  for (let index = qualified.length - 1; index > 0; index--) {
    const letter = qualified[index]!;
    if (letter === '>' || letter === ')') depth++;
    else if (letter === '<' || letter === '(') depth--;
    else if (depth === 0 && letter === ':' && qualified[index - 1] === ':') return qualified.slice(index + 1);
  }
  return qualified;
}

export class NameIndex {
  readonly file: DebugFile;
  /** Units that were damaged, and are indexed only up to the damage. */
  damaged = 0;
  #dies = new Uint32Array(1024);
  #parents = new Uint32Array(1024);
  #hashes = new Uint32Array(1024);
  #kinds = new Uint8Array(1024);
  /** Entry 0 stands for "none". */
  #count = 1;
  #next = new Uint32Array(0);
  #heads = new Uint32Array(1);
  readonly #supplementary: NameIndex | undefined;
  readonly #scopes = new Map<number, string>();

  constructor(file: DebugFile, supplementary?: NameIndex) {
    this.file = file;
    this.#supplementary = supplementary;
    for (const unit of file.units) this.#guard(() => new UnitScan(this, unit).run());
    this.#dies = this.#dies.slice(0, this.#count);
    this.#parents = this.#parents.slice(0, this.#count);
    this.#hashes = this.#hashes.slice(0, this.#count);
    this.#kinds = this.#kinds.slice(0, this.#count);
    this.#link();
    this.#chain();
  }

  get count(): number {
    return this.#count - 1;
  }

  /** Bytes that the index itself takes. */
  get sizeBytes(): number {
    return [this.#dies, this.#parents, this.#hashes, this.#kinds, this.#next, this.#heads].reduce(
      (sum, array) => sum + array.byteLength,
      0,
    );
  }

  #guard(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof FormatFault)) throw error;
      this.damaged++;
    }
  }

  /** Adds an entry; `hash` of a linked one is the number of what it refers to, until all are there. */
  add(die: number, parent: number, hash: number, kind: number): number {
    const entry = this.#count++;
    if (entry === this.#dies.length) this.#grow();
    this.#dies[entry] = die;
    this.#parents[entry] = parent;
    this.#hashes[entry] = hash;
    this.#kinds[entry] = kind;
    return entry;
  }

  #grow(): void {
    const length = this.#dies.length * 2;
    const grown = <T extends Uint32Array | Uint8Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#dies = grown(this.#dies, new Uint32Array(length));
    this.#parents = grown(this.#parents, new Uint32Array(length));
    this.#hashes = grown(this.#hashes, new Uint32Array(length));
    this.#kinds = grown(this.#kinds, new Uint8Array(length));
  }

  /** The entry of a debugging entry's number; 0 when that is not indexed. */
  entryAt(number: number): number {
    let low = 1;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#dies[middle]! < number) low = middle + 1;
      else high = middle;
    }
    return low < this.#count && this.#dies[low] === number ? low : 0;
  }

  /** Gives entries without a name that of the entry they refer to, and its place. */
  #link(): void {
    for (let entry = 1; entry < this.#count; entry++) {
      if ((this.#kinds[entry]! & LINKED) === 0) continue;
      let target = this.entryAt(this.#hashes[entry]!);
      // What comes before is linked already; a reference forward is followed, a few steps.
      for (let hop = 0; hop < 8 && target > entry && (this.#kinds[target]! & LINKED) !== 0; hop++)
        target = this.entryAt(this.#hashes[target]!);
      if (target !== 0 && (target < entry || (this.#kinds[target]! & LINKED) === 0)) {
        this.#hashes[entry] = this.#hashes[target]!;
        this.#parents[entry] = this.#parents[target]!;
        this.#kinds[entry]! |= this.#kinds[target]! & NAMELESS;
      } else this.#linkByText(entry);
    }
  }

  #linkByText(entry: number): void {
    const place = orUndefined(() => nameOfChain(this.file.dieAt(this.#dies[entry]!)));
    this.#hashes[entry] = place === undefined ? 0 : hashName(place.bytes, place.start);
    this.#parents[entry] = 0;
    if (place === undefined) this.#kinds[entry]! |= NAMELESS;
  }

  #chain(): void {
    this.#heads = new Uint32Array(2 ** Math.ceil(Math.log2(this.#count + 1)));
    this.#next = new Uint32Array(this.#count);
    const mask = this.#heads.length - 1;
    for (let entry = this.#count - 1; entry > 0; entry--) {
      if ((this.#kinds[entry]! & NAMELESS) !== 0) continue;
      const slot = this.#hashes[entry]! & mask;
      this.#next[entry] = this.#heads[slot]!;
      this.#heads[slot] = entry;
    }
  }

  /** Entries whose name, without what it is qualified with, is `name` (with whatever spaces), in the file's order. */
  find(name: string): number[] {
    const bytes = new TextEncoder().encode(name);
    const hash = hashName(bytes, 0);
    const wanted = withoutSpaces(name);
    const found: number[] = [];
    for (let entry = this.#heads[hash & (this.#heads.length - 1)]!; entry !== 0; entry = this.#next[entry]!) {
      if (this.#hashes[entry] === hash && withoutSpaces(this.nameOf(entry)) === wanted) found.push(entry);
    }
    return found;
  }

  /** Every entry of a category, in order. */
  *all(category: number): Iterable<number> {
    for (let entry = 1; entry < this.#count; entry++) {
      if ((this.#kinds[entry]! & CATEGORY_BITS) === category && (this.#kinds[entry]! & NAMELESS) === 0) yield entry;
    }
  }

  category(entry: number): number {
    return this.#kinds[entry]! & CATEGORY_BITS;
  }

  isDeclaration(entry: number): boolean {
    return (this.#kinds[entry]! & DECLARATION) !== 0;
  }

  hasCode(entry: number): boolean {
    return (this.#kinds[entry]! & HAS_CODE) !== 0;
  }

  parent(entry: number): number {
    return this.#parents[entry]!;
  }

  die(entry: number): Die | undefined {
    return orUndefined(() => this.file.dieAt(this.#dies[entry]!));
  }

  /** Name without what it is qualified with; empty for none. */
  nameOf(entry: number): string {
    return (
      orUndefined(() =>
        this.die(entry)
          ?.chain()
          .map((die) => die.name())
          .find((name) => name !== undefined),
      ) ?? ''
    );
  }

  /** `ns::Class::name`. */
  qualifiedName(entry: number): string {
    const parent = this.#parents[entry]!;
    if (parent === 0 && (this.#kinds[entry]! & LINKED) !== 0) return this.#foreignName(entry);
    const name = this.nameOf(entry);
    const scope = this.#scope(parent);
    return scope === '' ? name : `${scope}::${name}`;
  }

  /** The qualified name of an entry whose declaration lies in the supplementary file. */
  #foreignName(entry: number): string {
    const last = orUndefined(() => this.die(entry)?.chain().at(-1));
    const index = this.#supplementary;
    if (last === undefined || index === undefined || last.unit.file !== index.file) return this.nameOf(entry);
    const foreign = index.entryAt(last.number);
    return foreign === 0 ? this.nameOf(entry) : index.qualifiedName(foreign);
  }

  /** The qualified name of a namespace, class or enum, as its members are qualified. */
  #scope(entry: number): string {
    const names: string[] = [];
    for (let at = entry, depth = 0; at !== 0 && depth < 128; at = this.#parents[at]!, depth++) names.push(this.#scopeName(at));
    return names
      .reverse()
      .filter((name) => name !== '')
      .join('::');
  }

  #scopeName(entry: number): string {
    const kept = this.#scopes.get(entry);
    if (kept !== undefined) return kept;
    const fallback = this.category(entry) === Category.namespace ? '(anonymous namespace)' : '';
    const name = this.nameOf(entry) || fallback;
    if (this.#scopes.size > 4096) this.#scopes.clear();
    this.#scopes.set(entry, name);
    return name;
  }
}

function nameOfChain(die: Die | undefined): ReturnType<Die['textAt']> {
  for (const one of die?.chain() ?? []) {
    const place = one.textAt(At.name) ?? one.textAt(At.linkageName);
    if (place !== undefined) return place;
  }
  return undefined;
}

/** What of a layout matters to the scan, found out once a layout. */
interface Plan {
  readonly category: number;
  readonly hasSibling: boolean;
}

/** One unit's pass. hot: measured by `name-index.test.ts` on libc's debug file. */
class UnitScan {
  readonly #index: NameIndex;
  readonly #unit: Unit;
  readonly #cursor: Cursor;
  readonly #plans = new Map<Abbreviation, Plan>();
  // What the attributes of the entry just passed said.
  #nameForm = 0;
  #namePos = 0;
  #sibling = 0;
  #flags = 0;
  #reference = -1;
  #hasForeign = false;

  constructor(index: NameIndex, unit: Unit) {
    this.#index = index;
    this.#unit = unit;
    this.#cursor = unit.cursor;
  }

  run(): void {
    const unit = this.#unit;
    const cursor = this.#cursor;
    if (unit.root >= unit.end) return;
    const layouts = unit.file.layouts(unit);
    cursor.seek(unit.root, unit.end);
    const root = layouts(cursor.uleb());
    if (root === undefined || !root.hasChildren) return;
    for (const form of root.forms) skipForm(cursor, form, unit);
    /** Entry of each open scope; -1 for one whose contents are passed over. */
    const scopes: number[] = [0];
    while (scopes.length > 0 && cursor.pos < unit.end) {
      const pos = cursor.pos;
      const code = cursor.uleb();
      if (code === 0) {
        scopes.pop();
        continue;
      }
      const layout = layouts(code) ?? cursor.fail(`an entry of abbreviation ${code}, which does not exist`);
      this.#entry(layout, pos, scopes);
    }
  }

  #entry(layout: Abbreviation, pos: number, scopes: number[]): void {
    const cursor = this.#cursor;
    const unit = this.#unit;
    const parent = scopes.at(-1)!;
    const { category, hasSibling } = this.#plan(layout);
    const wanted = category !== Category.none && parent >= 0;
    if (!wanted && !(layout.hasChildren && hasSibling)) {
      const size = layout.sizeIn(unit);
      if (size >= 0) cursor.skip(size);
      else for (const form of layout.forms) skipForm(cursor, form, unit);
      if (layout.hasChildren) scopes.push(-1);
      return;
    }
    this.#attributes(layout);
    const entry = wanted ? this.#record(category, unit.base + pos, parent) : -1;
    if (!layout.hasChildren) return;
    const isScope = wanted && category !== Category.function && category !== Category.variable && category <= Category.namespace;
    if (isScope) scopes.push(entry);
    else if (this.#sibling > cursor.pos && this.#sibling <= unit.end) cursor.pos = this.#sibling;
    else scopes.push(-1);
  }

  #plan(layout: Abbreviation): Plan {
    let plan = this.#plans.get(layout);
    if (plan === undefined) {
      // A static member is declared in its class as a member, before DWARF 5.
      const isStatic = layout.tag === Tag.member && (layout.attributes.includes(At.external) || layout.attributes.includes(At.declaration));
      plan = { category: isStatic ? Category.variable : (CATEGORIES[layout.tag] ?? 0), hasSibling: layout.attributes.includes(At.sibling) };
      this.#plans.set(layout, plan);
    }
    return plan;
  }

  /** Passes over an entry's attributes and notes the few that matter. */
  #attributes(layout: Abbreviation): void {
    const cursor = this.#cursor;
    const unit = this.#unit;
    const { attributes, forms } = layout;
    this.#nameForm = 0;
    this.#sibling = 0;
    this.#flags = 0;
    this.#reference = -1;
    this.#hasForeign = false;
    for (let index = 0; index < forms.length; index++) {
      const form = forms[index]!;
      const at = cursor.pos;
      skipForm(cursor, form, unit);
      switch (attributes[index]) {
        case At.name:
          this.#nameForm = form;
          this.#namePos = at;
          break;
        case At.sibling:
          this.#sibling = unit.start + this.#referenceAt(form, at);
          break;
        case At.declaration:
          this.#flags |= DECLARATION;
          break;
        case At.specification:
        case At.abstractOrigin: {
          const target = this.#referenceAt(form, at);
          if (form === Form.refAddr) this.#reference = target;
          else if (target > 0) this.#reference = unit.base + unit.start + target;
          else this.#hasForeign = true;
          break;
        }
        case At.lowPc:
        case At.ranges:
        case At.inline:
          this.#flags |= HAS_CODE;
          break;
      }
    }
  }

  /** A reference's value; 0 for one that leads to another file. */
  #referenceAt(form: number, at: number): number {
    const cursor = this.#cursor;
    const after = cursor.pos;
    cursor.pos = at;
    let value = 0;
    if (form === Form.ref4) value = cursor.u32();
    else if (form === Form.ref1) value = cursor.u8();
    else if (form === Form.ref2) value = cursor.u16();
    else if (form === Form.ref8) value = cursor.u64();
    else if (form === Form.refUdata) value = cursor.uleb();
    else if (form === Form.refAddr) value = cursor.unsigned(this.#unit.version === 2 ? this.#unit.addressSize : this.#unit.offsetSize);
    cursor.pos = after;
    return value;
  }

  #record(category: number, number: number, parent: number): number {
    const kind = category | this.#flags;
    // What an entry refers to says what it is qualified with, even where it repeats the name (as in type units).
    if (this.#reference >= 0) return this.#index.add(number, 0, this.#reference, kind | LINKED);
    // The reference leads to another file: number 0 is no entry's, so its text is looked up.
    if (this.#hasForeign) return this.#index.add(number, 0, 0, kind | LINKED);
    if (this.#nameForm !== 0) {
      const place = this.#name();
      if (place === undefined || place.bytes[place.start] === 0) return this.#index.add(number, parent, 0, kind | NAMELESS);
      return this.#index.add(number, parent, hashName(place.bytes, place.start), kind);
    }
    return this.#index.add(number, parent, 0, kind | NAMELESS);
  }

  #name(): { readonly bytes: Uint8Array; readonly start: number } | undefined {
    const cursor = this.#cursor;
    const unit = this.#unit;
    const { pos, end } = cursor;
    cursor.pos = this.#namePos;
    const form = this.#nameForm === Form.indirect ? cursor.uleb() : this.#nameForm;
    const place = unit.file.locateText(unit, form, cursor);
    // Finding an indexed text may have read the unit's root.
    cursor.seek(pos, end);
    return place;
  }
}
