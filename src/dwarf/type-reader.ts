/**
 * Type entries to `CType`. A type is made when it is asked for and its members or target when those are looked at, so cyclic types
 * are no matter. C and C++ map whole; of other languages what is made of structs, pointers, arrays and numbers: a Rust enum
 * is a struct with the members of all variants (which overlap) and `__discriminant`.
 */
import {
  lazy,
  sizeOf,
  strip,
  type CType,
  type EnumType,
  type Enumerator,
  type FunctionType,
  type IntegerType,
  type Member,
  type RecordType,
} from '../ctypes/index.ts';
import { At, Encoding, Tag } from './constants.ts';
import type { Die, UnitFile } from './die.ts';
import { orUndefined } from './format-error.ts';

const VOID: CType = { kind: 'void' };
/** DW_OP_plus_uconst: how DWARF 2 writes where a member is. */
const OP_PLUS_UCONST = 0x23;

/** What the reader asks of the whole program. */
export interface TypeContext {
  /** Qualified name of a type's entry. */
  qualifiedName(die: Die): string | undefined;
  /** The definition, anywhere in the program, of a type that is only declared here. */
  findDefinition(name: string, tag: number): Die | undefined;
}

export class TypeReader {
  readonly #context: TypeContext;
  readonly #types = new Map<UnitFile, Map<number, CType>>();

  constructor(context: TypeContext) {
    this.#context = context;
  }

  /** The type of an entry; void for none. The same object each time. */
  read(die: Die | undefined): CType {
    if (die === undefined) return VOID;
    let types = this.#types.get(die.unit.file);
    if (types === undefined) this.#types.set(die.unit.file, (types = new Map()));
    let type = types.get(die.number);
    if (type === undefined) {
      type = orUndefined(() => this.#make(die)) ?? VOID;
      types.set(die.number, type);
    }
    return type;
  }

  /** The type that an entry has (DW_AT_type). */
  typeOf(die: Die): CType {
    return orUndefined(() => this.read(die.type())) ?? VOID;
  }

  #make(die: Die): CType {
    switch (die.tag) {
      case Tag.baseType:
        return this.#base(die);
      case Tag.structureType:
      case Tag.classType:
      case Tag.interfaceType:
      case Tag.unionType:
        return this.#record(die);
      case Tag.enumerationType:
        return this.#enum(die);
      case Tag.arrayType:
        return this.#array(die);
      case Tag.subroutineType:
      case Tag.subprogram:
        return this.#function(die);
      case Tag.pointerToMember:
        return this.#memberPointer(die);
      case Tag.stringType:
        return { kind: 'array', element: CHAR, length: die.unsigned(At.byteSize) };
      case Tag.subrange:
        return this.typeOf(die);
      default:
        return this.#reference(die) ?? VOID;
    }
  }

  /** Pointers, references, typedefs and qualifiers: types around one other. */
  #reference(die: Die): CType | undefined {
    const target = (): CType => this.typeOf(die);
    const size = (die.unsigned(At.byteSize) ?? die.unit.addressSize) === 4 ? 4 : 8;
    const pointer = (form: 'pointer' | 'reference' | 'rvalue-reference'): CType => lazy({ kind: 'pointer', form, size }, { target });
    const named = (form: 'const' | 'volatile' | 'restrict' | 'atomic'): CType => lazy({ kind: 'named', form, name: undefined }, { target });
    switch (die.tag) {
      case Tag.pointerType:
        return pointer('pointer');
      case Tag.referenceType:
        return pointer('reference');
      case Tag.rvalueReferenceType:
        return pointer('rvalue-reference');
      case Tag.typedef:
        return lazy({ kind: 'named', form: 'typedef', name: this.#context.qualifiedName(die) }, { target });
      case Tag.constType:
      case Tag.immutableType:
        return named('const');
      case Tag.volatileType:
        return named('volatile');
      case Tag.restrictType:
        return named('restrict');
      case Tag.atomicType:
        return named('atomic');
      default:
        return undefined;
    }
  }

  #base(die: Die): CType {
    const name = die.name() ?? '';
    const bytes = die.unsigned(At.byteSize) ?? 0;
    const encoding = die.unsigned(At.encoding);
    if (encoding === Encoding.float || encoding === Encoding.complexFloat) {
      const size = ([4, 8, 10, 12, 16] as const).find((one) => one === bytes);
      // Complex numbers and half floats have no type of their own in the model: bytes.
      if (size !== undefined && encoding === Encoding.float) return { kind: 'float', name, size };
      return bytesOf(bytes);
    }
    const size = ([1, 2, 4, 8, 16] as const).find((one) => one === bytes);
    if (size === undefined) return bytes === 0 ? VOID : bytesOf(bytes);
    const signed = encoding === Encoding.signed || encoding === Encoding.signedChar;
    const isChar = encoding === Encoding.signedChar || encoding === Encoding.unsignedChar || encoding === Encoding.utf;
    // Rust's u8 and i8, and Go's, are numbers that compilers mark as characters.
    const role = encoding === Encoding.boolean ? 'bool' : isChar && !/^[ui](?:nt)?8$/.test(name) ? 'char' : 'number';
    return { kind: 'integer', name, size, signed, role };
  }

  #record(die: Die): CType {
    const form = die.tag === Tag.unionType ? 'union' : die.tag === Tag.structureType ? 'struct' : 'class';
    const name = isNamed(die) ? this.#context.qualifiedName(die) : undefined;
    const defined = this.#definition(die, name);
    if (defined !== undefined) return this.read(defined);
    if (die.flag(At.declaration) || die.has(At.signature)) return { kind: 'record', form, name, size: 0, declaration: true, members: [] };
    const size = die.unsigned(At.byteSize) ?? 0;
    return lazy({ kind: 'record', form, name, size, declaration: false }, { members: () => orUndefined(() => this.#members(die)) ?? [] });
  }

  /** What a declaration, or a stub that only has a type unit's signature, stands for. Never another such, which would have no end. */
  #definition(die: Die, name: string | undefined): Die | undefined {
    const declared = die.flag(At.declaration);
    if (!declared && !die.has(At.signature)) return undefined;
    const signed = die.reference(At.signature);
    const found = signed ?? (declared && name !== undefined ? this.#context.findDefinition(name, die.tag) : undefined);
    return found === undefined || found.flag(At.declaration) || found.has(At.signature) ? undefined : found;
  }

  #members(die: Die): Member[] {
    const members: Member[] = [];
    for (const child of die.children()) {
      if (child.tag === Tag.member) this.#addMember(child, members);
      else if (child.tag === Tag.inheritance) this.#addMember(child, members, true);
      else if (child.tag === Tag.variantPart) this.#addVariants(child, members);
    }
    return members;
  }

  /** Static members have no place in the object; of virtual bases it is only known at run time. */
  #addMember(child: Die, members: Member[], base = false): void {
    if (child.flag(At.declaration) || child.flag(At.external)) return;
    const type = this.typeOf(child);
    const place = placeOf(child, type);
    if (place === undefined) return;
    members.push({ name: base ? undefined : child.name(), type, ...place, base });
  }

  #addVariants(part: Die, members: Member[]): void {
    for (const child of part.children()) {
      if (child.tag === Tag.member) {
        const place = placeOf(child, VOID);
        if (place !== undefined) members.push({ name: child.name() ?? '__discriminant', type: this.typeOf(child), ...place, base: false });
      } else if (child.tag === Tag.variant) {
        for (const one of child.children()) if (one.tag === Tag.member) this.#addMember(one, members);
      }
    }
  }

  #enum(die: Die): CType {
    const name = isNamed(die) ? this.#context.qualifiedName(die) : undefined;
    const defined = this.#definition(die, name);
    if (defined !== undefined) return this.read(defined);
    const underlying = die.has(At.type) ? strip(this.typeOf(die)) : undefined;
    const size = ([1, 2, 4, 8] as const).find((one) => one === die.unsigned(At.byteSize)) ?? 4;
    const signed = isSigned(die, underlying);
    const enumerators = (): Enumerator[] => orUndefined(() => readEnumerators(die, signed)) ?? [];
    return lazy({ kind: 'enum', name, size, signed } as const, { enumerators }) satisfies EnumType;
  }

  /** One array type of the model for each dimension, the first one outermost. */
  #array(die: Die): CType {
    const bounds = die.children().filter((child) => child.tag === Tag.subrange || child.tag === Tag.enumerationType);
    const lengths = bounds.length === 0 ? [undefined] : bounds.map(lengthOf);
    let element = (): CType => this.typeOf(die);
    for (const length of lengths.reverse()) {
      const inner = element;
      const type: CType = lazy({ kind: 'array', length }, { element: inner });
      element = () => type;
    }
    return element();
  }

  #function(die: Die): FunctionType {
    const children = die.children();
    const parameters = children.filter((child) => child.tag === Tag.formalParameter);
    return lazy(
      { kind: 'function', variadic: children.some((child) => child.tag === Tag.unspecifiedParameters) },
      {
        result: () => this.typeOf(die),
        parameters: () => parameters.map((parameter) => ({ name: parameter.name(), type: this.typeOf(parameter) })),
      },
    );
  }

  /** Itanium C++ ABI, 2.3: a pointer to data is an offset; one to a function, a pair. */
  #memberPointer(die: Die): CType {
    const offset: IntegerType = { kind: 'integer', name: 'ptrdiff_t', size: 8, signed: true, role: 'number' };
    return strip(this.typeOf(die)).kind === 'function' ? { kind: 'array', element: offset, length: 2 } : offset;
  }
}

const CHAR: IntegerType = { kind: 'integer', name: 'char', size: 1, signed: true, role: 'char' };
const BYTE: IntegerType = { kind: 'integer', name: 'unsigned char', size: 1, signed: false, role: 'number' };

function bytesOf(length: number): CType {
  return { kind: 'array', element: BYTE, length };
}

/** In type units the name may stand only at the declaration that the definition refers to. */
function isNamed(die: Die): boolean {
  return die.chain().some((one) => one.has(At.name));
}

function isSigned(die: Die, underlying: CType | undefined): boolean {
  if (underlying?.kind === 'integer') return underlying.signed;
  const encoding = die.unsigned(At.encoding);
  if (encoding !== undefined) return encoding === Encoding.signed || encoding === Encoding.signedChar;
  return die.children().some((child) => (child.big(At.constValue, false) ?? 0n) < 0n);
}

function readEnumerators(die: Die, signed: boolean): Enumerator[] {
  return die
    .children()
    .filter((child) => child.tag === Tag.enumerator)
    .map((child) => ({ name: child.name() ?? '', value: child.big(At.constValue, signed) ?? 0n }));
}

/** Length of one dimension; undefined when it is open or only known at run time. */
function lengthOf(bound: Die): number | undefined {
  const count = bound.unsigned(At.count);
  if (count !== undefined) return count;
  const upper = bound.unsigned(At.upperBound);
  if (upper === undefined) return undefined;
  // -1 of whatever width is how C's `[0]` is written.
  return upper < 0 || upper === 0xffff_ffff || upper >= 2 ** 64 - 1 ? 0 : upper + 1;
}

/** Where a member is; undefined when only the running program knows. */
function placeOf(child: Die, type: CType): Pick<Member, 'offset' | 'bits'> | undefined {
  const offset = memberOffset(child);
  const size = child.unsigned(At.bitSize);
  if (size === undefined) return offset === undefined ? undefined : { offset, bits: undefined };
  const unit = sizeOf(type) ?? child.unsigned(At.byteSize) ?? 1;
  const bit = child.unsigned(At.dataBitOffset);
  const fromStart = bit ?? oldBitOffset(child, offset ?? 0, size, unit);
  const start = Math.floor(fromStart / (unit * 8)) * unit;
  if (fromStart - start * 8 + size <= unit * 8) return { offset: start, bits: { offset: fromStart - start * 8, size } };
  // A packed field across two units: from the byte it begins in.
  return { offset: Math.floor(fromStart / 8), bits: { offset: fromStart % 8, size } };
}

/** DWARF 2 and 3 count bits of the storage unit from its most significant one. */
function oldBitOffset(child: Die, offset: number, size: number, typeSize: number): number {
  const storage = child.unsigned(At.byteSize) ?? typeSize;
  const fromTop = child.unsigned(At.bitOffset);
  return offset * 8 + (fromTop === undefined ? 0 : storage * 8 - fromTop - size);
}

function memberOffset(child: Die): number | undefined {
  const constant = child.unsigned(At.dataMemberLocation);
  if (constant !== undefined) return constant;
  const block = child.block(At.dataMemberLocation);
  // A union's members have none.
  if (block === undefined) return 0;
  if (block[0] !== OP_PLUS_UCONST) return undefined;
  let value = 0;
  let scale = 1;
  for (let index = 1; index < block.length; index++) {
    value += (block[index]! & 0x7f) * scale;
    scale *= 128;
  }
  return value;
}

/** The model's form of a record's tag; used to match declarations to definitions. */
export function recordForm(tag: number): RecordType['form'] | 'enum' {
  if (tag === Tag.unionType) return 'union';
  return tag === Tag.enumerationType ? 'enum' : 'struct';
}
