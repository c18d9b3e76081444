/** BTF's types to `CType`, each when it is first looked at. */
import {
  lazy,
  sizeOf,
  type CType,
  type EnumType,
  type Enumerator,
  type FunctionType,
  type Member,
  type NamedType,
  type RecordType,
} from '../ctypes/index.ts';
import { Kind } from './format.ts';

const VOID: CType = { kind: 'void' };
const FORMS: Readonly<Record<number, NamedType['form']>> = {
  [Kind.typedef]: 'typedef',
  [Kind.volatile]: 'volatile',
  [Kind.const]: 'const',
  [Kind.restrict]: 'restrict',
};
const INT_SIGNED = 1;
const INT_BOOL = 4;
const KIND_FLAG = 0x8000_0000;
const MAX_TAGS = 64;

/** Where the reader gets types' words, names and each other from. */
export interface TypeSource {
  typeOf(id: number): CType;
  findType(name: string, kind: 'struct' | 'union'): CType | undefined;
  place(id: number): { readonly at: number; readonly view: DataView } | undefined;
  info(id: number): number;
  kindOf(id: number): number;
  nameOf(id: number): string;
  stringAt(offset: number): string;
}

export class TypeReader {
  readonly #types: TypeSource;
  /** What was read before: a type is one object, which also ends cycles. */
  readonly #read = new Map<number, CType>();

  constructor(types: TypeSource) {
    this.#types = types;
  }

  read(id: number): CType {
    const before = this.#read.get(id);
    if (before !== undefined) return before;
    const type = this.#make(this.#withoutTags(id));
    this.#read.set(id, type);
    return type;
  }

  /** Type tags (`__user`, `__percpu`) are promises to checkers; we pass over them. */
  #withoutTags(id: number): number {
    let inner = id;
    for (let depth = 0; depth < MAX_TAGS && this.#types.kindOf(inner) === Kind.typeTag; depth++) inner = this.#word(inner, 2);
    return inner;
  }

  #word(id: number, index: number): number {
    const place = this.#types.place(id);
    return place === undefined ? 0 : place.view.getUint32(place.at + index * 4, true);
  }

  #name(id: number): string | undefined {
    const name = this.#types.nameOf(id);
    return name === '' ? undefined : name;
  }

  #make(id: number): CType {
    const kind = this.#types.kindOf(id);
    switch (kind) {
      case Kind.integer:
        return this.#integer(id);
      case Kind.float:
        return { kind: 'float', name: this.#types.nameOf(id), size: floatSize(this.#word(id, 2)) };
      case Kind.pointer:
        return lazy({ kind: 'pointer', form: 'pointer', size: 8 }, { target: () => this.#type(this.#word(id, 2)) });
      case Kind.array:
        return lazy({ kind: 'array', length: this.#word(id, 5) || undefined }, { element: () => this.#type(this.#word(id, 3)) });
      case Kind.struct:
      case Kind.union:
        return this.#record(id, kind === Kind.struct ? 'struct' : 'union');
      case Kind.forward:
        return this.#forward(id);
      case Kind.enum:
      case Kind.enum64:
        return this.#enum(id, kind === Kind.enum64);
      case Kind.function:
      case Kind.variable:
        return this.#type(this.#word(id, 2));
      case Kind.prototype:
        return this.#prototype(id);
      default: {
        const form = FORMS[kind];
        if (form === undefined) return VOID;
        return lazy(
          { kind: 'named', form, name: form === 'typedef' ? this.#name(id) : undefined },
          { target: () => this.#type(this.#word(id, 2)) },
        );
      }
    }
  }

  /** A function or variable that is of the type of a function or variable is damage, and could go on for ever. */
  #type(id: number): CType {
    const kind = this.#types.kindOf(id);
    return kind === Kind.function || kind === Kind.variable ? VOID : this.#types.typeOf(id);
  }

  #integer(id: number): CType {
    const name = this.#types.nameOf(id);
    const bytes = this.#word(id, 2);
    const size = ([1, 2, 4, 8, 16] as const).find((one) => one === bytes) ?? 4;
    const encoding = (this.#word(id, 3) >>> 24) & 0xf;
    const role = (encoding & INT_BOOL) !== 0 ? 'bool' : /^(?:signed |unsigned )?char$/.test(name) ? 'char' : 'number';
    return { kind: 'integer', name, size, signed: (encoding & INT_SIGNED) !== 0, role };
  }

  /** A declaration: the definition of that name where there is one. */
  #forward(id: number): CType {
    const form = (this.#types.info(id) & KIND_FLAG) === 0 ? 'struct' : 'union';
    const name = this.#name(id);
    const defined = name === undefined ? undefined : this.#types.findType(name, form);
    return defined ?? { kind: 'record', form, name, size: 0, declaration: true, members: [] };
  }

  #record(id: number, form: RecordType['form']): RecordType {
    return lazy(
      { kind: 'record', form, name: this.#name(id), size: this.#word(id, 2), declaration: false },
      { members: () => this.#members(id) },
    );
  }

  #members(id: number): Member[] {
    const { at, view } = this.#types.place(id)!;
    const info = this.#types.info(id);
    const hasBits = (info & KIND_FLAG) !== 0;
    return Array.from({ length: info & 0xffff }, (_, index) => {
      const pos = at + 12 + index * 12;
      const name = this.#types.stringAt(view.getUint32(pos, true));
      const type = this.#type(view.getUint32(pos + 4, true));
      const word = view.getUint32(pos + 8, true);
      const place = placeBits(hasBits ? word & 0xff_ffff : word, hasBits ? word >>> 24 : 0, sizeOf(type) ?? 1);
      return { name: name === '' ? undefined : name, type, ...place, base: false };
    });
  }

  #enum(id: number, wide: boolean): EnumType {
    const bytes = this.#word(id, 2);
    const signed = (this.#types.info(id) & KIND_FLAG) !== 0;
    const size = ([1, 2, 4, 8] as const).find((one) => one === bytes) ?? 4;
    return lazy({ kind: 'enum', name: this.#name(id), size, signed }, { enumerators: () => this.#enumerators(id, wide, signed) });
  }

  #enumerators(id: number, wide: boolean, signed: boolean): Enumerator[] {
    const { at, view } = this.#types.place(id)!;
    const step = wide ? 12 : 8;
    return Array.from({ length: this.#types.info(id) & 0xffff }, (_, index) => {
      const pos = at + 12 + index * step;
      const bits = wide ? view.getBigUint64(pos + 4, true) : BigInt(view.getUint32(pos + 4, true));
      return { name: this.#types.stringAt(view.getUint32(pos, true)), value: signed ? BigInt.asIntN(wide ? 64 : 32, bits) : bits };
    });
  }

  #prototype(id: number): FunctionType {
    const { at, view } = this.#types.place(id)!;
    const read = (index: number): { name: string | undefined; id: number } => {
      const name = this.#types.stringAt(view.getUint32(at + 12 + index * 8, true));
      return { name: name === '' ? undefined : name, id: view.getUint32(at + 16 + index * 8, true) };
    };
    const all = Array.from({ length: this.#types.info(id) & 0xffff }, (_, index) => read(index));
    // A last parameter of no name and no type stands for `...`.
    const last = all.at(-1);
    const variadic = last !== undefined && last.id === 0 && last.name === undefined;
    if (variadic) all.pop();
    return lazy(
      { kind: 'function', variadic },
      {
        result: () => this.#type(this.#word(id, 2)),
        parameters: () => all.map((parameter) => ({ name: parameter.name, type: this.#type(parameter.id) })),
      },
    );
  }
}

/** A member's place: bytes, and for a bit-field its bits in the unit of its type's size that it lies in. */
function placeBits(bit: number, size: number, unit: number): Pick<Member, 'offset' | 'bits'> {
  if (size === 0) return { offset: bit / 8, bits: undefined };
  const offset = Math.floor(bit / (unit * 8)) * unit;
  return { offset, bits: { offset: bit - offset * 8, size } };
}

function floatSize(bytes: number): 4 | 8 | 10 | 12 | 16 {
  return ([4, 8, 10, 12, 16] as const).find((one) => one === bytes) ?? 8;
}
