/**
 * Where the arguments and the result of a C function are when it is entered and when it returns.
 *
 * Sources: System V ABI, AMD64 supplement, 3.2.3; AAPCS64 6.8. C++ classes that are passed by address because of their copy
 * constructor are not told apart: debug information does not say it.
 */
import { type CType, sizeOf, strip } from '../../ctypes/index.ts';
import { alignOf } from './ctype-tools.ts';

export const FLOAT_HINT = 'floating-point registers cannot be read in the kernel; read the value where the function keeps it in memory';

/** A part of a record in the register or stack slot `index`; `offset` in the record, `size` up to 8 bytes. */
export interface Piece {
  readonly index: number;
  readonly offset: number;
  readonly size: number;
}

export type Passed =
  /** One register or stack slot. Numbers below the count of registers are registers, the others slots of 8 bytes on the stack. */
  | { readonly kind: 'word'; readonly index: number }
  | { readonly kind: 'pieces'; readonly pieces: readonly Piece[] }
  /** The register holds the address of a copy. */
  | { readonly kind: 'address'; readonly index: number }
  | { readonly kind: 'float' };

/** Records that are copied from the stack word by word: larger ones are refused. */
const LARGEST_ON_STACK = 128;

type Class = 'integer' | 'float';

/** Finds the place of each parameter. */
export function passParameters(architecture: 'x86-64' | 'aarch64', types: readonly CType[]): (Passed | undefined)[] {
  const registers = architecture === 'x86-64' ? 6 : 8;
  let [integers, floats, slots] = [0, 0, 0];
  const onStack = (size: number, align: number): Passed | undefined => {
    if (align > 8) slots += slots % 2;
    const first = registers + slots;
    slots += Math.max(1, Math.ceil(size / 8));
    if (size > LARGEST_ON_STACK) return undefined;
    return size <= 8 ? { kind: 'word', index: first } : { kind: 'pieces', pieces: pieces(size, first) };
  };
  return types.map((type): Passed | undefined => {
    const bare = strip(type);
    const size = sizeOf(type) ?? 8;
    if (bare.kind === 'float') {
      const inRegister = (architecture === 'aarch64' || size <= 8) && floats < 8;
      if (inRegister) floats++;
      else onStack(size, alignOf(type));
      return { kind: 'float' };
    }
    if (bare.kind !== 'record') {
      const words = Math.ceil(size / 8);
      if (integers + words > registers) return onStack(size, alignOf(type));
      integers += words;
      return words === 1 ? { kind: 'word', index: integers - 1 } : { kind: 'pieces', pieces: pieces(size, integers - words) };
    }
    if (architecture === 'aarch64' && size > 16 && !isFloatAggregate(type)) {
      if (integers < registers) return { kind: 'address', index: integers++ };
      return { kind: 'address', index: registers + slots++ };
    }
    const classes = architecture === 'x86-64' ? classify(type) : isFloatAggregate(type) ? (['float'] as Class[]) : integerWords(size);
    if (classes === undefined) return onStack(size, alignOf(type));
    const needed = classes.filter((one) => one === 'integer').length;
    const floating = classes.length - needed;
    if (integers + needed > registers || floats + floating > 8) {
      if (architecture === 'aarch64') integers = registers;
      const passed = onStack(size, alignOf(type));
      return passed?.kind === 'word' ? { kind: 'pieces', pieces: pieces(size, passed.index) } : passed;
    }
    const first = integers;
    integers += needed;
    floats += floating;
    return floating > 0 ? { kind: 'float' } : { kind: 'pieces', pieces: pieces(size, first) };
  });
}

function pieces(size: number, first: number): Piece[] {
  return Array.from({ length: Math.ceil(size / 8) }, (_, word) => ({
    index: first + word,
    offset: word * 8,
    size: Math.min(8, size - word * 8),
  }));
}

function integerWords(size: number): Class[] {
  return Array.from({ length: Math.ceil(size / 8) }, () => 'integer');
}

/** Class of each eight bytes of a record; undefined when it is passed in memory. */
function classify(type: CType): Class[] | undefined {
  const size = sizeOf(type) ?? 0;
  if (size > 16 || size === 0) return undefined;
  const classes: (Class | undefined)[] = integerWords(size).map(() => undefined);
  if (!mark(type, 0, classes, 0)) return undefined;
  return classes.map((one) => one ?? 'integer');
}

function mark(type: CType, offset: number, classes: (Class | undefined)[], depth: number): boolean {
  const bare = strip(type);
  if (depth > 16) return false;
  if (bare.kind === 'record') return bare.members.every((member) => mark(member.type, offset + member.offset, classes, depth + 1));
  if (bare.kind === 'array') {
    const size = sizeOf(bare.element) ?? 1;
    return Array.from({ length: Math.min(bare.length ?? 0, 16) }, (_, index) => index).every((index) =>
      mark(bare.element, offset + index * size, classes, depth + 1),
    );
  }
  if (offset % alignOf(type) !== 0 || (bare.kind === 'float' && bare.size > 8)) return false;
  const word = Math.floor(offset / 8);
  classes[word] = bare.kind === 'float' && classes[word] !== 'integer' ? 'float' : 'integer';
  return true;
}

/** AAPCS64's homogeneous floating-point aggregate: one to four members of one floating type. */
function isFloatAggregate(type: CType): boolean {
  const sizes: number[] = [];
  const walk = (inner: CType, depth: number): boolean => {
    const bare = strip(inner);
    if (depth > 16 || sizes.length > 4) return false;
    if (bare.kind === 'float') return sizes.push(bare.size) > 0;
    if (bare.kind === 'array') return Array.from({ length: Math.min(bare.length ?? 0, 5) }).every(() => walk(bare.element, depth + 1));
    return bare.kind === 'record' && bare.members.length > 0 && bare.members.every((member) => walk(member.type, depth + 1));
  };
  return walk(type, 0) && sizes.length > 0 && sizes.length <= 4 && new Set(sizes).size === 1;
}

export type Returned =
  | { readonly kind: 'word' }
  /** Two registers: the ordinary one and `second`. */
  | { readonly kind: 'pieces'; readonly size: number; readonly second: string }
  /** The register holds the record's address. */
  | { readonly kind: 'address' }
  | { readonly kind: 'float' | 'lost' };

/** Finds the result of a function at its return. */
export function passResult(architecture: 'x86-64' | 'aarch64', type: CType): Returned {
  const bare = strip(type);
  if (bare.kind === 'float') return { kind: 'float' };
  if (bare.kind !== 'record') return { kind: 'word' };
  const size = sizeOf(type) ?? 0;
  const x86 = architecture === 'x86-64';
  const classes = x86 ? classify(type) : size > 16 ? undefined : integerWords(size);
  if (x86 ? classes?.includes('float') : isFloatAggregate(type)) return { kind: 'float' };
  if (classes === undefined) return { kind: x86 ? 'address' : 'lost' };
  return { kind: 'pieces', size, second: x86 ? 'dx' : 'x1' };
}
