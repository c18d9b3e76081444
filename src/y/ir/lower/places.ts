/** Loads and stores: locals, globals, elements, fields of the target. */
import { assertNever } from '../../../base/index.ts';
import type { Expression, Place, RemotePlace, YType } from '../../check/index.ts';
import type { VariableSite } from '../../knowledge.ts';
import type { AggregatePlace, KeyArgument, Operand, RelocationTarget, SourcePlace, TextPlace } from '../program.ts';
import { ZERO, constantOf } from './builder.ts';
import { type Context, lowerNumber, lowerText } from './context.ts';

type Size = 1 | 2 | 4 | 8;

/** A place whose keys and addresses are computed, so that it can be read and written without doing it twice. */
export type Pinned =
  | { readonly kind: 'local'; readonly local: number; readonly offset: number; readonly bits: Bits }
  | { readonly kind: 'global'; readonly global: number; readonly offset: number; readonly bits: Bits }
  | {
      readonly kind: 'element';
      readonly array: number;
      readonly keys: readonly KeyArgument[];
      readonly offset: number;
      readonly bits: Bits;
    }
  | ({ readonly kind: 'remote'; readonly bits: Bits } & Address)
  | { readonly kind: 'context'; readonly offset: number; readonly size: number; readonly dataLoc: boolean };

type Bits = { readonly offset: number; readonly size: number } | undefined;

export interface Address {
  readonly base: Operand;
  readonly offset: number;
  readonly space: 'user' | 'kernel';
  readonly relocate: RelocationTarget | undefined;
}

export function pin(x: Context, place: Place): Pinned {
  switch (place.kind) {
    case 'element':
      return { ...place, keys: lowerKeys(x, place.array, place.keys) };
    case 'remote':
      return { kind: 'remote', bits: place.bits, ...lowerAddress(x, place) };
    default:
      return place;
  }
}

export function lowerKeys(x: Context, array: number, keys: readonly Expression[]): KeyArgument[] {
  return keys.map((key, index) => {
    if (key.type.kind !== 'text') return lowerNumber(x, key);
    const spec = x.program.arrays[array]!.keys[index]!;
    return { text: lowerText(x, key, { capacity: spec.kind === 'text' ? spec.capacity : undefined }) };
  });
}

/** Address and offset of a place in the target: steps by constants are summed. */
export function lowerAddress(x: Context, place: RemotePlace): Address {
  let [expression, offset] = [place.address, place.offset];
  let { origin } = place;
  for (;;) {
    if (expression.kind === 'address' && expression.place.bits === undefined) {
      const outer: RemotePlace = expression.place;
      // One number is found again by one path: a second one is added by an instruction of its own.
      if (origin !== undefined && outer.origin !== undefined) break;
      origin ??= outer.origin;
      offset += outer.offset;
      expression = outer.address;
      continue;
    }
    const step = constantStep(expression);
    if (step === undefined || Math.abs(offset + step) >= 0x7000_0000) break;
    offset += step;
    expression = (expression as Extract<Expression, { kind: 'binary' }>).left;
  }
  const relocate = origin && ({ kind: 'kernel-field', type: origin.type, path: origin.path, addend: offset - origin.offset } as const);
  return { base: lowerNumber(x, expression), offset, space: place.space, relocate };
}

/** Base and offset in one register. An offset of 0 that is another one elsewhere is added too. */
export function addressValue(x: Context, { base, offset, relocate }: Address, at: SourcePlace): Operand {
  if (offset === 0 && relocate === undefined) return base;
  const to = x.b.integer();
  x.b.emit({ op: 'binary', to, operator: 'add', left: base, right: constantOf(BigInt(offset)) }, at, relocate);
  return { register: to };
}

export function variableTarget({ module, buildId, name, fileAddress }: VariableSite): RelocationTarget {
  return { kind: 'variable', module, buildId, name, fileAddress };
}

function constantStep(expression: Expression): number | undefined {
  if (expression.kind !== 'binary' || expression.type.kind !== 'pointer') return undefined;
  const { operator, right } = expression;
  if (right.kind !== 'integer' || (operator !== 'add' && operator !== 'sub')) return undefined;
  const value = Number(right.value);
  return Math.abs(value) < 0x4000_0000 ? (operator === 'add' ? value : -value) : undefined;
}

/** Size and sign with which a number of this type lies in memory. */
export function storedAs(type: YType): { readonly size: Size; readonly signed: boolean } {
  if (type.kind === 'integer') return { size: type.size, signed: type.signed };
  if (type.kind === 'float') return { size: type.size, signed: false };
  return { size: 8, signed: false };
}

/** Loads an integer, a pointer or a backtrace's id. */
export function loadNumber(x: Context, place: Pinned, type: YType, at: SourcePlace): Operand {
  const { size, signed } = storedAs(type);
  const bits = place.kind === 'context' ? undefined : place.bits;
  if (bits === undefined) return loadPart(x, place, place.kind === 'context' ? 0 : place.offset, size, signed, at);
  const raw = loadPart(x, place, place.kind === 'context' ? 0 : place.offset, size, false, at);
  const to = x.b.integer();
  x.b.emit({ op: 'extract', to, from: raw, shift: bits.offset, bits: bits.size, signed }, at);
  return { register: to };
}

/** `size` bytes at `offset` of the value that the place is in. */
export function loadPart(x: Context, place: Pinned, offset: number, size: Size, signed: boolean, at: SourcePlace): Operand {
  if (place.kind === 'local') {
    const home = x.homes[place.local]!;
    if (home.kind === 'integer') return { register: home.register };
    const to = x.b.integer();
    if (home.kind === 'object') x.b.emit({ op: 'load-object', to, object: home.object, offset, size, signed }, at);
    return { register: to };
  }
  const to = x.b.integer();
  loadInto(x, place, offset, size, signed, to, at);
  return { register: to };
}

function loadInto(
  x: Context,
  place: Exclude<Pinned, { kind: 'local' }>,
  offset: number,
  size: Size,
  signed: boolean,
  to: number,
  at: SourcePlace,
): void {
  const { onFail } = x.b;
  switch (place.kind) {
    case 'global':
      return x.b.emit({ op: 'load-global', to, global: place.global, offset, size, signed }, at);
    case 'element':
      return x.b.emit({ op: 'array-load', to, array: place.array, keys: place.keys, offset, size, signed }, at);
    case 'remote':
      return x.b.emit({ op: 'read', to, space: place.space, address: place.base, offset, size, signed, onFail }, at, place.relocate);
    case 'context':
      return x.b.emit({ op: 'context', to, offset: place.offset, size, signed }, at);
    default:
      return assertNever(place);
  }
}

/** Loads a double; single-precision ones are widened. */
export function loadFloat(x: Context, place: Pinned, type: YType, at: SourcePlace): number {
  const single = type.kind === 'float' && type.size === 4;
  const home = place.kind === 'local' ? x.homes[place.local]! : undefined;
  if (home?.kind === 'float') return home.register;
  const to = x.b.float();
  if (place.kind !== 'local' && isWholeFloat(x, place)) {
    loadInto(x, place, place.offset, 8, false, to, at);
    return to;
  }
  const from = loadPart(x, place, place.kind === 'context' ? 0 : place.offset, single ? 4 : 8, false, at);
  x.b.emit({ op: 'convert', to, from, form: single ? 'float32-bits' : 'float64-bits' }, at);
  return to;
}

export function storeNumber(x: Context, place: Pinned, type: YType, value: Operand, at: SourcePlace): void {
  const { size } = storedAs(type);
  if (place.kind === 'context' || place.kind === 'remote') return;
  if (place.bits === undefined) return storePart(x, place, place.offset, size, value, at);
  const { offset, size: width } = place.bits;
  const mask = (1n << BigInt(width)) - 1n;
  const old = loadPart(x, place, place.offset, size, false, at);
  const kept = binary(x, 'and', old, constantOf(~(mask << BigInt(offset))), at);
  const low = binary(x, 'and', value, constantOf(mask), at);
  const moved = binary(x, 'shl', low, constantOf(BigInt(offset)), at);
  storePart(x, place, place.offset, size, binary(x, 'or', kept, moved, at), at);
}

function binary(x: Context, operator: 'and' | 'or' | 'shl', left: Operand, right: Operand, at: SourcePlace): Operand {
  const to = x.b.integer();
  x.b.emit({ op: 'binary', to, operator, left, right }, at);
  return { register: to };
}

export function storePart(x: Context, place: Pinned, offset: number, size: Size, value: Operand, at: SourcePlace): void {
  switch (place.kind) {
    case 'local': {
      const home = x.homes[place.local]!;
      if (home.kind === 'object') x.b.emit({ op: 'store-object', object: home.object, offset, size, value }, at);
      else if (home.kind === 'integer' || home.kind === 'float') x.b.emit({ op: 'move', to: home.register, from: value }, at);
      return;
    }
    case 'global':
      return x.b.emit({ op: 'store-global', global: place.global, offset, size, value }, at);
    case 'element':
      return x.b.emit({ op: 'array-store', array: place.array, keys: place.keys, offset, size, value }, at);
    case 'remote':
    case 'context':
      return;
    default:
      return assertNever(place);
  }
}

/** A variable or an element of its own is a double in eight bytes, whatever its type; a field of a record is as C has it. */
function isWholeFloat(x: Context, place: Pinned): boolean {
  if (place.kind === 'local') return x.homes[place.local]!.kind === 'float';
  if (place.kind === 'global') return x.program.globals[place.global]!.kind === 'float';
  return place.kind === 'element' && x.program.arrays[place.array]!.value.kind === 'float';
}

export function storeFloat(x: Context, place: Pinned, type: YType, register: number, at: SourcePlace): void {
  if (place.kind === 'context' || place.kind === 'remote') return;
  if (isWholeFloat(x, place) || type.kind !== 'float' || type.size === 8) return storePart(x, place, place.offset, 8, { register }, at);
  const to = x.b.integer();
  x.b.emit({ op: 'convert', to, from: { register }, form: 'to-float32' }, at);
  storePart(x, place, place.offset, 4, { register: to }, at);
}

// ---------------------------------------------------------------- records

/** Splits a record into pieces of 8, 4, 2 and 1 bytes. */
function* chunks(size: number): Generator<{ readonly offset: number; readonly size: Size }> {
  let offset = 0;
  for (const part of [8, 4, 2, 1] as const) {
    for (; size - offset >= part; offset += part) yield { offset, size: part };
  }
}

/** Copies a record of `size` bytes into a place of the program. */
export function copyRecord(x: Context, to: Pinned, from: Pinned, size: number, at: SourcePlace): void {
  if (to.kind === 'remote' || to.kind === 'context') return;
  const home = to.kind === 'local' ? x.homes[to.local]! : undefined;
  if (from.kind === 'remote') {
    const address = addressValue(x, from, at);
    const object = home?.kind === 'object' ? home.object : x.b.object(size);
    const offset = home?.kind === 'object' && to.kind === 'local' ? to.offset : 0;
    x.b.emit({ op: 'read-object', object, offset, space: from.space, address, size, onFail: x.b.onFail }, at);
    if (home?.kind === 'object') return;
    for (const chunk of chunks(size)) {
      const register = x.b.integer();
      x.b.emit({ op: 'load-object', to: register, object, offset: chunk.offset, size: chunk.size, signed: false }, at);
      storePart(x, to, to.offset + chunk.offset, chunk.size, { register }, at);
    }
    return;
  }
  if (from.kind === 'context') return;
  // All is loaded before anything is stored: the two may overlap in one array.
  const values = [...chunks(size)].map((chunk) => ({ chunk, value: loadPart(x, from, from.offset + chunk.offset, chunk.size, false, at) }));
  for (const { chunk, value } of values) storePart(x, to, to.offset + chunk.offset, chunk.size, value, at);
}

export function zeroRecord(x: Context, to: Pinned, size: number, at: SourcePlace): void {
  if (to.kind === 'remote' || to.kind === 'context') return;
  for (const chunk of chunks(size)) storePart(x, to, to.offset + chunk.offset, chunk.size, ZERO, at);
}

// ---------------------------------------------------------------- texts and aggregates

/** Where the text of a place is, if it is in a place of the IR itself. */
export function textHome(x: Context, place: Place): TextPlace | undefined {
  if (place.kind === 'global') return { global: place.global };
  if (place.kind !== 'local') return undefined;
  const home = x.homes[place.local]!;
  return home.kind === 'text' ? { local: home.text } : undefined;
}

export function lowerAggregate(x: Context, place: Place): AggregatePlace {
  if (place.kind === 'element') return { array: place.array, keys: lowerKeys(x, place.array, place.keys) };
  return { global: place.kind === 'global' ? place.global : 0 };
}
