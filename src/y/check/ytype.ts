/**
 * The static type of an expression: a C type, and the memory it lives in.
 *
 * Scalars (integers, doubles, pointers into the target, backtrace ids) are values of the program itself wherever they were read.
 * A `remote` is a record or an array that lies in the target's memory: it has an address and is never a value.
 */
import type { ArrayType, CType, IntegerType, RecordType } from '../../ctypes/index.ts';
import type { Space } from '../ir/program.ts';

export type YType =
  | IntegerY
  | FloatY
  | PointerY
  | TextY
  | StructY
  | RemoteY
  | { readonly kind: 'stack' }
  | { readonly kind: 'aggregate' }
  | { readonly kind: 'void' }
  | FunctionY
  /** Of an expression that had a mistake: everything is allowed with it, so that one mistake gives one diagnostic. */
  | { readonly kind: 'error' };

export interface IntegerY {
  readonly kind: 'integer';
  readonly size: 1 | 2 | 4 | 8;
  readonly signed: boolean;
  readonly bool: boolean;
  /** As spelled: a typedef, an enumeration, `char`. */
  readonly type: CType;
}

/** Computed as a double; `size` is that of the place it is read from. */
export interface FloatY {
  readonly kind: 'float';
  readonly size: 4 | 8;
  readonly type: CType;
}

/** A pointer into the target. `any` is the space of `NULL` alone. */
export interface PointerY {
  readonly kind: 'pointer';
  readonly space: Space | 'any';
  /** What it points to, as spelled. */
  readonly target: CType;
}

export interface TextY {
  readonly kind: 'text';
  /** Bytes. */
  readonly capacity: number;
}

/** A record that the program holds itself. Pointers inside it are of `space`. */
export interface StructY {
  readonly kind: 'struct';
  readonly type: RecordType;
  readonly space: Space;
}

export interface RemoteY {
  readonly kind: 'remote';
  readonly type: RecordType | ArrayType;
  readonly space: Space;
}

/** A function of the target, by its name; only its address can be used. */
export interface FunctionY {
  readonly kind: 'function';
  readonly type: CType;
}

const integer = (name: string, size: 1 | 2 | 4 | 8, signed: boolean, role: IntegerType['role'] = 'number'): IntegerY => {
  const type: IntegerType = { kind: 'integer', name, size, signed, role };
  return { kind: 'integer', size, signed, bool: role === 'bool', type };
};

export const INT = integer('int', 4, true);
export const UNSIGNED_INT = integer('unsigned int', 4, false);
export const LONG = integer('long', 8, true);
export const UNSIGNED_LONG = integer('unsigned long', 8, false);
export const BOOL = integer('bool', 1, false, 'bool');
export const CHAR = integer('char', 1, true, 'char');
export const DOUBLE: FloatY = { kind: 'float', size: 8, type: { kind: 'float', name: 'double', size: 8 } };
export const VOID: YType = { kind: 'void' };
export const ERROR: YType = { kind: 'error' };
export const STACK: YType = { kind: 'stack' };
export const AGGREGATE: YType = { kind: 'aggregate' };
export const VOID_TYPE: CType = { kind: 'void' };
/** Bytes of a `_str` without a stated capacity. */
export const DEFAULT_TEXT = 128;
export const TEXT: TextY = { kind: 'text', capacity: DEFAULT_TEXT };

/** Integers that need no declaration, by every spelling of section 2 and C. */
export const PREDEFINED: ReadonlyMap<string, IntegerY> = new Map([
  ['int8_t', integer('int8_t', 1, true)],
  ['int16_t', integer('int16_t', 2, true)],
  ['int32_t', integer('int32_t', 4, true)],
  ['int64_t', integer('int64_t', 8, true)],
  ['uint8_t', integer('uint8_t', 1, false)],
  ['uint16_t', integer('uint16_t', 2, false)],
  ['uint32_t', integer('uint32_t', 4, false)],
  ['uint64_t', integer('uint64_t', 8, false)],
  ['size_t', integer('size_t', 8, false)],
  ['ssize_t', integer('ssize_t', 8, true)],
  ['uintptr_t', integer('uintptr_t', 8, false)],
  ['intptr_t', integer('intptr_t', 8, true)],
  ['ptrdiff_t', integer('ptrdiff_t', 8, true)],
  ['bool', BOOL],
  ['_Bool', BOOL],
]);

/** A C basic type by its canonical words (`unsigned long`), on the LP64 machines that we know. */
export const BASIC: ReadonlyMap<string, IntegerY> = new Map([
  ['char', CHAR],
  ['signed char', integer('signed char', 1, true)],
  ['unsigned char', integer('unsigned char', 1, false)],
  ['short', integer('short', 2, true)],
  ['unsigned short', integer('unsigned short', 2, false)],
  ['int', INT],
  ['unsigned int', UNSIGNED_INT],
  ['long', LONG],
  ['unsigned long', UNSIGNED_LONG],
  ['long long', integer('long long', 8, true)],
  ['unsigned long long', integer('unsigned long long', 8, false)],
]);
