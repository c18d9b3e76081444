/** `=`, `+=`, `++`: what can be one atomic instruction is. */
import type { Expression, YType } from '../../check/index.ts';
import type { Operand, SourcePlace } from '../program.ts';
import { ZERO, constantOf } from './builder.ts';
import { computeFloat, computeInteger, extend } from './compute.ts';
import { type Context, lowerEffect, lowerFloat, lowerNumber } from './context.ts';
import { type Pinned, copyRecord, loadFloat, loadNumber, pin, storeFloat, storeNumber, storedAs } from './places.ts';

type Assign = Extract<Expression, { kind: 'assign' }>;
type Compound = Extract<Expression, { kind: 'compound' }>;

/** Gives the value assigned; nothing of use for a record. */
export function lowerAssign(x: Context, e: Assign): Operand {
  if (e.type.kind === 'struct') {
    assignRecord(x, e.place, e.value, e.type.type.size, e.at);
    return ZERO;
  }
  const place = pin(x, e.place);
  if (e.type.kind === 'float') {
    const register = lowerFloat(x, e.value);
    storeFloat(x, place, e.type, register, e.at);
    return { register };
  }
  const value = lowerNumber(x, e.value);
  storeNumber(x, place, e.type, value, e.at);
  return value;
}

/** `a = b` of records; `b` is a place, or a comma that ends in one. */
export function assignRecord(x: Context, to: Assign['place'], value: Expression, size: number, at: SourcePlace): void {
  let from = value;
  while (from.kind === 'comma') {
    lowerEffect(x, from.left);
    from = from.right;
  }
  if (from.kind === 'assign') {
    lowerEffect(x, from);
    from = { kind: 'load', place: from.place, type: from.type, at: from.at };
  }
  if (from.kind === 'load') copyRecord(x, pin(x, to), pin(x, from.place), size, at);
}

/** Whether the place is one number that an atomic addition can change. */
function isAtomic(x: Context, place: Pinned, type: YType): boolean {
  if (place.kind !== 'global' && place.kind !== 'element') return false;
  if (place.bits !== undefined || storedAs(type).size < 4 || (type.kind === 'integer' && type.bool)) return false;
  // The kernel's atomic instructions take whole words alone.
  if (place.offset % storedAs(type).size !== 0) return false;
  if (place.kind === 'global') return x.program.globals[place.global]!.sharing !== 'thread';
  const { kind } = x.program.arrays[place.array]!.value;
  return kind === 'integer' || kind === 'struct';
}

export function lowerCompound(x: Context, e: Compound, used: boolean): Operand {
  const place = pin(x, e.place);
  if (e.compute.kind === 'float' || e.type.kind === 'float') return compoundFloat(x, e, place);
  const operand = lowerNumber(x, e.operand);
  const additive = e.operator === 'add' || e.operator === 'sub';
  if (additive && isAtomic(x, place, e.type)) return addAtomically(x, e, place, operand, used);
  const loaded = loadNumber(x, place, e.type, e.at);
  const before = e.gives === 'before' && used ? keep(x, loaded, e.at) : loaded;
  const wide = sameWidth(e.type, e.compute) ? loaded : extend(x, loaded, e.compute, e.at);
  const result = computeInteger(x, e.operator, wide, operand, e.compute, e.at);
  const after = truncate(x, result, e, e.at);
  storeNumber(x, place, e.type, after, e.at);
  return e.gives === 'before' ? before : after;
}

function sameWidth(from: YType, compute: YType): boolean {
  if (from.kind !== 'integer' || compute.kind !== 'integer') return true;
  return compute.size === 8 || from.signed === compute.signed || (!from.signed && from.size < compute.size);
}

function truncate(x: Context, value: Operand, { type, compute }: Compound, at: SourcePlace): Operand {
  if (type.kind === 'integer' && type.bool) {
    const to = x.b.integer();
    x.b.emit({ op: 'binary', to, operator: 'ne', left: value, right: ZERO }, at);
    return { register: to };
  }
  const same = type.kind === 'integer' && compute.kind === 'integer' && type.size === compute.size && type.signed === compute.signed;
  return same ? value : extend(x, value, type, at);
}

function keep(x: Context, from: Operand, at: SourcePlace): Operand {
  const to = x.b.integer();
  x.b.emit({ op: 'move', to, from }, at);
  return { register: to };
}

function addAtomically(x: Context, e: Compound, place: Pinned, operand: Operand, used: boolean): Operand {
  const value = e.operator === 'add' ? operand : negated(x, operand, e.at);
  const to = used ? x.b.integer() : undefined;
  const size = storedAs(e.type).size === 4 ? 4 : 8;
  if (place.kind === 'global') {
    x.b.emit({ op: 'add-global', to, global: place.global, offset: place.offset, size, value }, e.at);
  } else if (place.kind === 'element') {
    const field = x.program.arrays[place.array]!.value.kind === 'struct' ? { field: { offset: place.offset, size } as const } : {};
    x.b.emit({ op: 'array-add', to, array: place.array, keys: place.keys, value, ...field }, e.at);
  }
  if (to === undefined) return ZERO;
  const before = extend(x, { register: to }, e.type, e.at);
  return e.gives === 'before' ? before : computeInteger(x, 'add', before, value, e.type, e.at);
}

function negated(x: Context, operand: Operand, at: SourcePlace): Operand {
  if ('constant' in operand) return constantOf(-operand.constant);
  const to = x.b.integer();
  x.b.emit({ op: 'binary', to, operator: 'sub', left: ZERO, right: operand }, at);
  return { register: to };
}

/** A double, or an integer that is computed with as a double. */
function compoundFloat(x: Context, e: Compound, place: Pinned): Operand {
  const { at } = e;
  const operand = lowerFloat(x, e.operand);
  if (e.type.kind === 'float') {
    const loaded = loadFloat(x, place, e.type, at);
    const before = x.b.float();
    x.b.emit({ op: 'move', to: before, from: { register: loaded } }, at);
    const after = computeFloat(x, e.operator, before, operand, at);
    storeFloat(x, place, e.type, after, at);
    return { register: e.gives === 'before' ? before : after };
  }
  const loaded = loadNumber(x, place, e.type, at);
  const wide = x.b.float();
  x.b.emit({ op: 'convert', to: wide, from: loaded, form: e.type.kind === 'integer' && e.type.signed ? 'signed' : 'unsigned' }, at);
  const result = computeFloat(x, e.operator, wide, operand, at);
  const whole = x.b.integer();
  x.b.emit({ op: 'convert', to: whole, from: { register: result }, form: 'truncate' }, at);
  const after = extend(x, { register: whole }, e.type, at);
  storeNumber(x, place, e.type, after, at);
  return after;
}
