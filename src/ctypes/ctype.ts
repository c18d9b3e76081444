/**
 * C and C++ types as one model: what DWARF, BTF and declarations in a script all become.
 *
 * Types may be cyclic (a list node points to itself), and a record of a large program is read only when somebody looks
 * into it: `members` and `target` may therefore be getters that read on first use. A type is immutable once read.
 * Sizes are bytes unless the name says bits. Names are as the source spells them, C++ ones qualified (`std::vector<int>`).
 */
export type CType = VoidType | IntegerType | FloatType | EnumType | PointerType | ArrayType | RecordType | FunctionType | NamedType;

export interface VoidType {
  readonly kind: 'void';
}

export interface IntegerType {
  readonly kind: 'integer';
  readonly name: string;
  readonly size: 1 | 2 | 4 | 8 | 16;
  readonly signed: boolean;
  /** `char` prints as text, `bool` as true or false. */
  readonly role: 'number' | 'char' | 'bool';
}

export interface FloatType {
  readonly kind: 'float';
  readonly name: string;
  readonly size: 4 | 8 | 10 | 12 | 16;
}

export interface EnumType {
  readonly kind: 'enum';
  /** Undefined for an anonymous one. */
  readonly name: string | undefined;
  readonly size: 1 | 2 | 4 | 8;
  readonly signed: boolean;
  readonly enumerators: readonly Enumerator[];
}

export interface Enumerator {
  readonly name: string;
  readonly value: bigint;
}

export interface PointerType {
  readonly kind: 'pointer';
  /** How the source means it; all three are an address in memory. */
  readonly form: 'pointer' | 'reference' | 'rvalue-reference';
  readonly size: 4 | 8;
  readonly target: CType;
}

export interface ArrayType {
  readonly kind: 'array';
  readonly element: CType;
  /** Undefined for a flexible array or one of unknown bound. */
  readonly length: number | undefined;
}

export interface RecordType {
  readonly kind: 'record';
  readonly form: 'struct' | 'union' | 'class';
  /** Undefined for an anonymous one. */
  readonly name: string | undefined;
  /** 0 for a declaration whose definition was not found; `declaration` is true then. */
  readonly size: number;
  readonly declaration: boolean;
  readonly members: readonly Member[];
}

export interface Member {
  /** Undefined for an anonymous struct or union, whose members count as the holder's own, and for base classes. */
  readonly name: string | undefined;
  readonly type: CType;
  /** Bytes from the record's start; for a bit-field, of the storage unit that `bits` counts in. */
  readonly offset: number;
  /** A bit-field: `offset` counts from the least significant bit of a little-endian unit of `type`'s size. */
  readonly bits: { readonly offset: number; readonly size: number } | undefined;
  /** A C++ base class, whose members are found under the derived one's name. */
  readonly base: boolean;
}

export interface FunctionType {
  readonly kind: 'function';
  readonly result: CType;
  readonly parameters: readonly { readonly name: string | undefined; readonly type: CType }[];
  readonly variadic: boolean;
}

/** typedef, const, volatile, restrict and atomic: another type under a name or with a promise. */
export interface NamedType {
  readonly kind: 'named';
  readonly form: 'typedef' | 'const' | 'volatile' | 'restrict' | 'atomic';
  /** Only of a typedef. */
  readonly name: string | undefined;
  readonly target: CType;
}
