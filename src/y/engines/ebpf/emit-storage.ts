/** Globals, objects and arrays. */
import type { AccessSize, Register } from '../../../bpf/index.ts';
import { assert } from '../../../base/index.ts';
import type { Instruction, KeyArgument, Operand } from '../../ir/program.ts';
import type { ArrayLayout, GlobalLayout } from './ebpf-program.ts';
import { textEnd, type Emitter, type Place, type TextAt } from './emitter.ts';
import { emitCopy, emitZero } from './emit-text.ts';
import { STACK } from './function-plan.ts';
import { MAPS } from './storage-plan.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;

const EEXIST = -17;
const BPF_NOEXIST = 1;

function globalOf(e: Emitter, global: number): Exclude<GlobalLayout, { kind: 'aggregate' }> {
  const layout = e.unit.storage.globals[global];
  assert(layout !== undefined && layout.kind !== 'aggregate', `global ${global} has no place`);
  return layout;
}

function shift(place: Place, offset: number): Place {
  return { ...place, offset: place.offset + offset };
}

export function emitLoadGlobal(e: Emitter, { to, global, offset, size, signed }: Of<'load-global'>): void {
  const place = e.findGlobal(globalOf(e, global), false);
  emitLoad(e, to, shift(place, offset), size, signed);
}

function emitLoad(e: Emitter, to: number, place: Place, size: AccessSize, signed: boolean): void {
  const base = e.base(place, size, 1);
  const register = e.target(to, 0);
  e.a.load(size, register, base.register, base.offset);
  e.extend(register, size, signed);
  e.store(to, register);
}

export function emitStoreGlobal(e: Emitter, { global, offset, size, value }: Of<'store-global'>): void {
  const place = e.findGlobal(globalOf(e, global), true);
  emitStore(e, shift(place, offset), size, value);
}

function emitStore(e: Emitter, place: Place, size: AccessSize, value: Operand): void {
  const base = e.base(place, size, 1);
  e.a.store(size, base.register, base.offset, e.inRegister(value, 2));
}

export function emitAddGlobal(e: Emitter, { to, global, offset, size, value }: Of<'add-global'>): void {
  const place = e.findGlobal(globalOf(e, global), true);
  const base = e.base(shift(place, offset), size, 1);
  emitAdd(e, base.register, base.offset, size, value, to, e.program.globals[global]!.signed, size);
}

/** Atomic; r0 is lost, and r2. */
function emitAdd(
  e: Emitter,
  base: Register,
  offset: number,
  size: 4 | 8,
  value: Operand,
  to: number | undefined,
  signed: boolean,
  resultSize: AccessSize,
): void {
  if (to === undefined) {
    e.a.atomic('add', size, base, offset, e.inRegister(value, 2));
    return;
  }
  e.load(2, value);
  e.a.atomic('fetchAdd', size, base, offset, 2);
  emitNarrow(e, 2, resultSize, signed);
  e.store(to, 2);
}

function emitNarrow(e: Emitter, register: Register, size: AccessSize, signed: boolean): void {
  if (size === 8) return;
  e.a.aluImm('lsh', register, 64 - 8 * size).aluImm(signed ? 'arsh' : 'rsh', register, 64 - 8 * size);
}

export function emitLoadObject(e: Emitter, { to, object, offset, size, signed }: Of<'load-object'>): void {
  emitLoad(e, to, { kind: 'register', register: 9, offset: e.plan.objects[object]! + offset }, size, signed);
}

export function emitStoreObject(e: Emitter, { object, offset, size, value }: Of<'store-object'>): void {
  emitStore(e, { kind: 'register', register: 9, offset: e.plan.objects[object]! + offset }, size, value);
}

export function arrayOf(e: Emitter, array: number): ArrayLayout {
  const layout = e.unit.storage.arrays[array];
  assert(layout !== undefined, `array ${array} has no place`);
  return layout;
}

/** Where keys are put together. */
export function keyPlace(e: Emitter): Place {
  const { stackKey } = e.plan;
  return stackKey === undefined
    ? { kind: 'register', register: 9, offset: e.unit.keyOffset }
    : { kind: 'register', register: 10, offset: stackKey };
}

/** Lays out the parts one after another, with zeros between. r0–r5 are lost. */
export function emitKey(e: Emitter, layout: ArrayLayout, keys: readonly KeyArgument[]): void {
  const { a } = e;
  const place = keyPlace(e);
  let end = 0;
  for (const [index, part] of layout.keys.entries()) {
    emitGap(e, place, end, part.offset);
    const key = keys[index];
    assert(key !== undefined && 'text' in key === (part.kind === 'text'), `key ${index} of ${layout.map}`);
    if (part.kind === 'text' && 'text' in key) {
      emitCopy(e, { place: shift(place, part.offset), capacity: part.capacity }, e.text(key.text));
      end = part.offset + textEnd(part.capacity);
    } else if (part.kind !== 'text' && !('text' in key)) {
      const size = part.kind === 'stack' ? 8 : part.size;
      const base = e.base(place, layout.keyBytes, 1);
      a.store(size, base.register, base.offset + part.offset, e.inRegister(key, 0));
      end = part.offset + size;
    }
  }
  emitGap(e, place, end, layout.keyBytes);
}

function emitGap(e: Emitter, place: Place, from: number, to: number): void {
  const base = e.base(place, to, 1);
  for (let at = from; at < to;) {
    const size = ([4, 2, 1] as const).find((bytes) => at % bytes === 0 && at + bytes <= to)!;
    e.a.storeImm(size, base.register, base.offset + at, 0);
    at += size;
  }
}

/** r0 = the value under the key that was put together, or 0. */
export function emitLookup(e: Emitter, map: string): void {
  e.address(2, keyPlace(e));
  e.a.loadMap(1, map).call('map_lookup_elem');
}

/** Inserts under the key; `value`: where 8 bytes or the whole value lie. r0 = 0, or an error number. */
function emitUpdate(e: Emitter, map: string, value: Place, flags: number): void {
  e.address(2, keyPlace(e));
  e.address(3, value);
  e.a.loadMap(1, map).moveImm(4, flags).call('map_update_elem');
}

const STACK_A: Place = { kind: 'register', register: 10, offset: STACK.a };

/** r0 = the value under the key, which is made with zeros if it is missing. Jumps to `full` when there is no room. */
export function emitLookupOrMake(e: Emitter, map: string, full: string): void {
  const { a } = e;
  const found = a.newLabel('found');
  const missing = a.newLabel('missing');
  emitLookup(e, map);
  a.jumpIfImm('eq', 0, 0, missing).label(found);
  e.defer(() => {
    a.label(missing);
    emitUpdate(e, map, { kind: 'map', map: MAPS.constants, offset: e.unit.storage.zeros }, BPF_NOEXIST);
    emitLookup(e, map);
    a.jumpIfImm('ne', 0, 0, found).jump(full);
  });
}

export function emitArrayLoad(e: Emitter, { to, array, keys, offset, size, signed }: Of<'array-load'>): void {
  const layout = arrayOf(e, array);
  const missing = e.a.newLabel('missing');
  emitKey(e, layout, keys);
  emitLookup(e, layout.map);
  // A missing entry's address is its value: 0.
  e.a.jumpIfImm('eq', 0, 0, missing).load(size, 0, 0, offset);
  e.extend(0, size, signed);
  e.a.label(missing);
  e.store(to, 0);
}

export function emitArrayStore(e: Emitter, { array, keys, offset, size, value }: Of<'array-store'>): void {
  const { a } = e;
  const layout = arrayOf(e, array);
  const done = a.newLabel('done');
  const full = e.lossThen('array-full', done);
  emitKey(e, layout, keys);
  if (layout.valueBytes > 8) {
    emitLookupOrMake(e, layout.map, full);
    a.store(size, 0, offset, e.inRegister(value, 1)).label(done);
    return;
  }
  const missing = a.newLabel('missing');
  emitLookup(e, layout.map);
  a.jumpIfImm('eq', 0, 0, missing).store(size, 0, offset, e.inRegister(value, 1)).label(done);
  e.defer(() => {
    a.label(missing);
    if (size < 8) a.storeImm(8, 10, STACK.a, 0);
    a.store(size, 10, STACK.a + offset, e.inRegister(value, 1));
    emitUpdate(e, layout.map, STACK_A, 0);
    a.jumpIfImm('eq', 0, 0, done).jump(full);
  });
}

export function emitArrayAdd(e: Emitter, { to, array, keys, value, field }: Of<'array-add'>): void {
  const { a } = e;
  const layout = arrayOf(e, array);
  if (field !== undefined) {
    const done = a.newLabel('done');
    emitKey(e, layout, keys);
    emitLookupOrMake(e, layout.map, e.lossThen('array-full', done));
    emitAdd(e, 0, field.offset, field.size, value, to, true, field.size);
    a.label(done);
    return;
  }
  const { value: spec } = layout;
  const size = spec.kind === 'integer' ? spec.size : 8;
  const signed = spec.kind === 'integer' && spec.signed;
  const [found, missing, done] = [a.newLabel('found'), a.newLabel('missing'), a.newLabel('done')];
  emitKey(e, layout, keys);
  emitLookup(e, layout.map);
  a.jumpIfImm('eq', 0, 0, missing).label(found);
  emitAdd(e, 0, 0, 8, value, to, signed, size);
  a.label(done);
  const full = e.lossThen('array-full', done);
  e.defer(() => {
    a.label(missing).store(8, 10, STACK.a, e.inRegister(value, 1));
    emitUpdate(e, layout.map, STACK_A, BPF_NOEXIST);
    // Only `to` needs it to be 0: what was there before.
    if (to !== undefined) {
      a.moveImm(1, 0);
      emitUndisturbed(e, to);
    }
    a.jumpIfImm('eq', 0, 0, done).jumpIfImm('ne', 0, EEXIST, full);
    emitLookup(e, layout.map);
    a.jumpIfImm('ne', 0, 0, found).jump(full);
  });
}

/** `to` = r1, and r0 stays. */
function emitUndisturbed(e: Emitter, to: number): void {
  e.store(to, 1);
}

export function emitArrayLoadText(e: Emitter, { to, array, keys }: Of<'array-load-text'>): void {
  const { a } = e;
  const layout = arrayOf(e, array);
  assert(layout.value.kind === 'text', `${layout.map} holds no texts`);
  const [missing, done] = [a.newLabel('missing'), a.newLabel('done')];
  emitKey(e, layout, keys);
  emitLookup(e, layout.map);
  a.jumpIfImm('eq', 0, 0, missing);
  const between = e.isDistant(to) ? e.unit.scratchText(layout.value.capacity) : e.writableText(to);
  copyFromR0(e, between, layout.value.capacity);
  a.jump(done).label(missing);
  emitZero(e, between.place, 0, textEnd(between.capacity));
  a.label(done);
  if (e.isDistant(to)) emitCopy(e, e.writableText(to), between);
}

/** From the text behind r0. */
function copyFromR0(e: Emitter, to: TextAt, capacity: number): void {
  e.a.store(8, 10, STACK.b, 0);
  emitCopy(e, to, { place: { kind: 'pointer', slot: STACK.b, offset: 0 }, capacity });
}

export function emitArrayStoreText(e: Emitter, { array, keys, value }: Of<'array-store-text'>): void {
  const { a } = e;
  const layout = arrayOf(e, array);
  assert(layout.value.kind === 'text', `${layout.map} holds no texts`);
  const done = a.newLabel('done');
  emitKey(e, layout, keys);
  emitLookupOrMake(e, layout.map, e.lossThen('array-full', done));
  a.store(8, 10, STACK.b, 0);
  emitCopy(e, { place: { kind: 'pointer', slot: STACK.b, offset: 0 }, capacity: layout.value.capacity }, e.text(value));
  a.label(done);
}

export function emitArrayHas(e: Emitter, { to, array, keys }: Of<'array-has'>): void {
  const { a } = e;
  const layout = arrayOf(e, array);
  const missing = a.newLabel('missing');
  emitKey(e, layout, keys);
  emitLookup(e, layout.map);
  a.jumpIfImm('eq', 0, 0, missing).moveImm(0, 1).label(missing);
  e.store(to, 0);
}

export function emitArrayDelete(e: Emitter, { array, keys, at }: Of<'array-delete'>): void {
  const layout = arrayOf(e, array);
  if (layout.value.kind === 'aggregate' && layout.value.buckets !== undefined)
    e.diagnose(
      'kernel-delete',
      'an entry with a histogram cannot be deleted in a probe that runs in the kernel',
      at,
      'delete it in a timer',
    );
  emitKey(e, layout, keys);
  e.address(2, keyPlace(e));
  e.a.loadMap(1, layout.map).call('map_delete_elem');
}

/** Deletes every entry by a callback. */
export function emitArrayClear(e: Emitter, { array, at }: Of<'array-clear'>): void {
  const { a } = e;
  const layout = arrayOf(e, array);
  if (!e.unit.options.features.forEachElement)
    e.diagnose(
      'kernel-clear',
      'this kernel cannot clear an array in a probe (bpf_for_each_map_elem, Linux 5.13)',
      at,
      'clear it in a timer',
    );
  const maps = [layout.map];
  if (layout.value.kind === 'aggregate' && layout.value.buckets !== undefined) maps.push(layout.value.buckets.map);
  for (const map of maps) {
    a.loadMap(1, map).loadFunction(2, e.unit.clearCallback()).moveImm(3, 0).moveImm(4, 0).call('for_each_map_elem');
  }
}

export function emitReadObject(e: Emitter, { object, offset, space, address, size, onFail }: Of<'read-object'>): void {
  const { a } = e;
  e.load(3, address);
  e.address(1, { kind: 'register', register: 9, offset: e.plan.objects[object]! + offset });
  a.moveImm(2, size).call(space === 'user' ? 'probe_read_user' : 'probe_read_kernel');
  a.jumpIfImm('ne', 0, 0, e.failureOf(onFail, 'failed-read'));
}
