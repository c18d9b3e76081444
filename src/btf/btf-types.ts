/**
 * The kernel's own type information (BTF), of the kernel itself or of a module.
 *
 * Opening reads each type's header once and keeps its offset; names go into a hash table at the first question by name. Types
 * become `CType` when they are asked for, and their members when those are looked at. Memory: 4 bytes a type, 16 more
 * once names are asked for; the caller's bytes are kept.
 */
import { err, ok, type Result } from '../base/index.ts';
import type { CType, EnumType, FunctionType } from '../ctypes/index.ts';
import { BTF_MAGIC, Kind, typeSize } from './format.ts';
import { NameTable } from './name-table.ts';
import { TypeReader } from './type-reader.ts';

export interface BtfError {
  readonly kind: 'damaged';
  readonly message: string;
}

/** Kinds that can be asked for by name. A class of C++ or a forward declaration never stands in for a definition. */
export type BtfKind = 'integer' | 'float' | 'struct' | 'union' | 'enum' | 'typedef' | 'function' | 'variable';

const KINDS: Readonly<Record<BtfKind, readonly number[]>> = {
  integer: [Kind.integer],
  float: [Kind.float],
  struct: [Kind.struct],
  union: [Kind.union],
  enum: [Kind.enum, Kind.enum64],
  typedef: [Kind.typedef],
  function: [Kind.function],
  variable: [Kind.variable],
};
const TYPE_KINDS = [Kind.struct, Kind.union, Kind.enum, Kind.enum64, Kind.typedef, Kind.integer, Kind.float, Kind.forward];

export interface BtfFunction {
  /** BTF id, as attaching by id wants it. */
  readonly id: number;
  readonly name: string;
  readonly type: FunctionType;
  readonly linkage: 'static' | 'global' | 'extern';
}

export interface BtfEnumerator {
  readonly name: string;
  readonly value: bigint;
  readonly type: EnumType;
}

/** Types of one BTF blob, and of the base that it builds on. */
export class BtfTypes {
  /** One past the highest id; ids from `firstId` on are this blob's own. */
  readonly count: number;
  readonly firstId: number;
  /** Where this blob's strings begin in the common numbering. */
  readonly firstString: number;
  readonly #base: BtfTypes | undefined;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #offsets: Uint32Array;
  readonly #strings: Uint8Array;
  readonly #reader: TypeReader;
  #names: NameTable | undefined;

  private constructor(bytes: Uint8Array, offsets: Uint32Array, strings: Uint8Array, base: BtfTypes | undefined) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#offsets = offsets;
    this.#strings = strings;
    this.#base = base;
    // Id 0 is void, and belongs to nobody.
    this.firstId = base === undefined ? 1 : base.count;
    this.count = this.firstId + offsets.length;
    this.firstString = base === undefined ? 0 : base.firstString + base.#strings.length;
    this.#reader = new TypeReader(this);
  }

  /**
   * Opens BTF as `/sys/kernel/btf/*` has it, little-endian.
   *
   * @param bytes kept, not copied: they must not change
   * @param base the kernel's own, for a module's
   */
  static open(bytes: Uint8Array, base?: BtfTypes): Result<BtfTypes, BtfError> {
    const damaged = (message: string): Result<never, BtfError> => err({ kind: 'damaged', message: `BTF: ${message}` });
    if (bytes.length < 24) return damaged(`${bytes.length} bytes are too few for its header`);
    const view = viewOf(bytes);
    if (view.getUint16(0, true) !== BTF_MAGIC) return damaged('it does not begin with its magic number (only little-endian is read)');
    if (view.getUint8(2) !== 1) return damaged(`version ${view.getUint8(2)}, and only 1 is known`);
    const header = view.getUint32(4, true);
    const [typeAt, typeLength, stringAt, stringLength] = [8, 12, 16, 20].map((at) => view.getUint32(at, true)) as [
      number,
      number,
      number,
      number,
    ];
    if (header < 24 || header + typeAt + typeLength > bytes.length || header + stringAt + stringLength > bytes.length) {
      return damaged(`its sections reach beyond its ${bytes.length} bytes`);
    }
    const offsets = findTypes(view, header + typeAt, typeLength);
    if (typeof offsets === 'string') return damaged(offsets);
    const strings = bytes.subarray(header + stringAt, header + stringAt + stringLength);
    return ok(new BtfTypes(bytes, offsets, strings, base));
  }

  /** The type of that name; a definition before a forward declaration. `struct x`, `union x`, `enum x` name their kind. */
  findType(name: string, kind?: BtfKind): CType | undefined {
    const tagged = /^(struct|union|enum)\s+(.+)$/.exec(name);
    if (tagged) return this.findType(tagged[2]!, tagged[1] as BtfKind);
    const id = this.#find(name, kind === undefined ? TYPE_KINDS : KINDS[kind]);
    return id === undefined ? undefined : this.typeOf(id);
  }

  /** A function by name: its parameters, with their names, and its result. */
  findFunction(name: string): BtfFunction | undefined {
    const id = this.#find(name, KINDS.function);
    if (id === undefined) return undefined;
    const type = this.typeOf(id);
    if (type.kind !== 'function') return undefined;
    return { id, name, type, linkage: (['static', 'global', 'extern'] as const)[this.info(id) & 0xffff] ?? 'static' };
  }

  /** Names of all functions, this blob's own only; each once or, for static ones of the same name, more often. */
  *functionNames(): Iterable<string> {
    for (let id = this.firstId; id < this.count; id++) {
      const name = this.kindOf(id) === Kind.function ? this.nameOf(id) : '';
      if (name !== '') yield name;
    }
  }

  /** BTF id by name and kind, as attaching by id wants it. */
  idOf(name: string, kind: BtfKind): number | undefined {
    return this.#find(name, KINDS[kind]);
  }

  /** All enumerators of that name. Reads every enum: a few milliseconds. */
  findEnumerators(name: string): BtfEnumerator[] {
    const found: BtfEnumerator[] = this.#base?.findEnumerators(name) ?? [];
    const wanted = new TextEncoder().encode(name);
    for (let id = this.firstId; id < this.count; id++) {
      const kind = this.kindOf(id);
      if (kind !== Kind.enum && kind !== Kind.enum64) continue;
      if (!this.#hasEnumerator(id, kind, wanted)) continue;
      const type = this.typeOf(id);
      if (type.kind !== 'enum') continue;
      for (const one of type.enumerators) if (one.name === name) found.push({ ...one, type });
    }
    return found;
  }

  #hasEnumerator(id: number, kind: number, wanted: Uint8Array): boolean {
    const { at, view } = this.place(id)!;
    const step = kind === Kind.enum ? 8 : 12;
    const end = at + 12 + (this.info(id) & 0xffff) * step;
    for (let pos = at + 12; pos < end; pos += step) if (this.stringIs(view.getUint32(pos, true), wanted)) return true;
    return false;
  }

  /** The type of that id; void for 0 and for one that does not exist. The same object each time it is asked. */
  typeOf(id: number): CType {
    return id < this.firstId && this.#base !== undefined ? this.#base.typeOf(id) : this.#reader.read(id);
  }

  /** Where a type's words are, in this blob or its base; for the reader. Undefined for void and ids that do not exist. */
  place(id: number): { readonly at: number; readonly view: DataView } | undefined {
    if (id < this.firstId) return this.#base?.place(id);
    const at = this.#offsets[id - this.firstId];
    return at === undefined ? undefined : { at, view: this.#view };
  }

  /** The word of kind, flag and number of members; 0 for void. */
  info(id: number): number {
    const place = this.place(id);
    return place === undefined ? 0 : place.view.getUint32(place.at + 4, true);
  }

  kindOf(id: number): number {
    return (this.info(id) >>> 24) & 0x1f;
  }

  nameOf(id: number): string {
    const place = this.place(id);
    return place === undefined ? '' : this.stringAt(place.view.getUint32(place.at, true));
  }

  /** A string by its number; empty for one outside of the blob. */
  stringAt(offset: number): string {
    if (offset < this.firstString) return this.#base?.stringAt(offset) ?? '';
    const start = offset - this.firstString;
    const end = this.#strings.indexOf(0, start);
    return start >= this.#strings.length ? '' : new TextDecoder().decode(this.#strings.subarray(start, end < 0 ? undefined : end));
  }

  /** Whether a string is `wanted`, without making it. */
  stringIs(offset: number, wanted: Uint8Array): boolean {
    if (offset < this.firstString) return this.#base?.stringIs(offset, wanted) ?? false;
    const start = offset - this.firstString;
    for (let index = 0; index < wanted.length; index++) if (this.#strings[start + index] !== wanted[index]) return false;
    return this.#strings[start + wanted.length] === 0;
  }

  /** The first type of that name and one of the kinds; earlier kinds before later ones, this blob before its base. */
  #find(name: string, kinds: readonly number[]): number | undefined {
    if (name === '') return undefined;
    this.#names ??= NameTable.build(this.#bytes, this.#offsets, this.#strings, this.firstString);
    const wanted = new TextEncoder().encode(name);
    let best: number | undefined;
    let bestRank = kinds.length;
    for (const index of this.#names.candidates(wanted)) {
      const id = this.firstId + index;
      const rank = kinds.indexOf(this.kindOf(id));
      if (rank < 0 || rank > bestRank || (rank === bestRank && id > best!)) continue;
      if (!this.stringIs(this.#view.getUint32(this.#offsets[index]!, true), wanted)) continue;
      best = id;
      bestRank = rank;
    }
    if (best === undefined || kinds[bestRank] === Kind.forward)
      return (this.#base === undefined ? undefined : this.#base.#find(name, kinds)) ?? best;
    return best;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Offsets of all types, or what is wrong with one. */
function findTypes(view: DataView, start: number, length: number): Uint32Array | string {
  const offsets = new Uint32Array(Math.floor(length / 12));
  let count = 0;
  const end = start + length;
  for (let at = start; at < end;) {
    if (end - at < 12) return `type ${count + 1} is cut short`;
    const info = view.getUint32(at + 4, true);
    const kind = (info >>> 24) & 0x1f;
    const size = typeSize(kind, info & 0xffff);
    if (size === undefined) return `type ${count + 1} is of the kind ${kind}, which is not known`;
    if (size > end - at) return `type ${count + 1} is cut short`;
    offsets[count++] = at;
    at += size;
  }
  return offsets.slice(0, count);
}
