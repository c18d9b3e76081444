/** Globals, local structs, arrays and aggregates. */
import { assert } from '../../../base/index.ts';
import type { Instruction } from '../../ir/program.ts';
import { readAggregate, type AggregateLayout } from '../aggregate-layout.ts';
import { compileLoad, storeRegister, viewOf, type Size } from './bytes.ts';
import { getInteger, setInteger, type Frame } from './frame.ts';
import { NEXT, type Step } from './step.ts';
import {
  compileAggregateTarget,
  compileKey,
  compileTextSink,
  compileTextSource,
  kindOf,
  kindOfOperand,
  registerOf,
  type Machine,
  type Unit,
} from './unit.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;

const NOTHING = new Uint8Array(0);

export function compileLoadGlobal(unit: Unit, { to, global, offset, size, signed }: Of<'load-global'>): Step {
  const { storage } = unit.machine;
  const load = compileLoad(to, kindOf(unit, to), size, signed);
  return (frame) => {
    load(frame, viewOf(storage.loadGlobal(global)), offset);
    return NEXT;
  };
}

export function compileStoreGlobal(unit: Unit, { global, offset, size, value }: Of<'store-global'>): Step {
  const { storage } = unit.machine;
  const toBytes = compileToBytes(unit, value, size);
  return (frame) => {
    storage.storeGlobal(global, offset, toBytes(frame));
    return NEXT;
  };
}

export function compileAddGlobal(unit: Unit, { to, global, offset, size, value }: Of<'add-global'>): Step {
  const { storage, program } = unit.machine;
  const from = registerOf(unit, value);
  const resize = program.globals[global]?.signed === true ? BigInt.asIntN : BigInt.asUintN;
  return (frame) => {
    const before = storage.addGlobal(global, offset, size, getInteger(frame, from));
    if (to !== undefined) setInteger(frame, to, resize(size * 8, before));
    return NEXT;
  };
}

export function compileLoadObject(unit: Unit, { to, object, offset, size, signed }: Of<'load-object'>): Step {
  const load = compileLoad(to, kindOf(unit, to), size, signed);
  return (frame) => {
    load(frame, frame.objects[object]!, offset);
    return NEXT;
  };
}

export function compileStoreObject(unit: Unit, { object, offset, size, value }: Of<'store-object'>): Step {
  const from = registerOf(unit, value);
  const kind = kindOfOperand(unit, value);
  return (frame) => {
    storeRegister(frame, from, kind, frame.objects[object]!, offset, size);
    return NEXT;
  };
}

/** The bytes of an operand. They are good until the next call. */
function compileToBytes(unit: Unit, value: Of<'store-global'>['value'], size: Size): (frame: Frame) => Uint8Array {
  const from = registerOf(unit, value);
  const kind = kindOfOperand(unit, value);
  const bytes = new Uint8Array(size);
  const view = viewOf(bytes);
  return (frame) => {
    storeRegister(frame, from, kind, view, 0, size);
    return bytes;
  };
}

export function compileArrayLoad(unit: Unit, instruction: Of<'array-load'>): Step {
  const { to, array, offset, size, signed } = instruction;
  const { storage } = unit.machine;
  const key = compileKey(unit, array, instruction.keys);
  const load = compileLoad(to, kindOf(unit, to), size, signed);
  return (frame) => {
    const value = storage.loadEntry(array, key(frame));
    if (value === undefined) frame.num[to] = 0;
    else load(frame, viewOf(value), offset);
    return NEXT;
  };
}

export function compileArrayStore(unit: Unit, instruction: Of<'array-store'>): Step {
  const { array, offset, size, value, at } = instruction;
  const { machine } = unit;
  const key = compileKey(unit, array, instruction.keys);
  const toBytes = compileToBytes(unit, value, size);
  return (frame) => {
    if (!machine.storage.storeEntry(array, key(frame), offset, toBytes(frame))) machine.countLoss('array-full', at);
    return NEXT;
  };
}

export function compileArrayAdd(unit: Unit, instruction: Of<'array-add'>): Step {
  const { to, array, value, at, field } = instruction;
  if (field !== undefined) return compileFieldAdd(unit, instruction, field);
  const { machine } = unit;
  const key = compileKey(unit, array, instruction.keys);
  const from = registerOf(unit, value);
  const spec = machine.program.arrays[array]!.value;
  assert(spec.kind === 'integer', `array ${array} holds no integers`);
  const resize = spec.signed ? BigInt.asIntN : BigInt.asUintN;
  return (frame) => {
    const before = machine.storage.addEntry(array, key(frame), getInteger(frame, from));
    if (before === undefined) machine.countLoss('array-full', at);
    if (to !== undefined) setInteger(frame, to, resize(spec.size * 8, before ?? 0n));
    return NEXT;
  };
}

function compileFieldAdd(unit: Unit, instruction: Of<'array-add'>, { offset, size }: NonNullable<Of<'array-add'>['field']>): Step {
  const { to, array, value, at } = instruction;
  const { machine } = unit;
  const key = compileKey(unit, array, instruction.keys);
  const from = registerOf(unit, value);
  const sum = new DataView(new ArrayBuffer(8));
  return (frame) => {
    const entry = key(frame);
    const record = machine.storage.loadEntry(array, entry);
    const before = record === undefined ? 0n : readField(viewOf(record), offset, size);
    sum.setBigUint64(0, BigInt.asUintN(64, before + getInteger(frame, from)), true);
    if (!machine.storage.storeEntry(array, entry, offset, new Uint8Array(sum.buffer, 0, size))) machine.countLoss('array-full', at);
    if (to !== undefined) setInteger(frame, to, before);
    return NEXT;
  };
}

function readField(record: DataView, offset: number, size: 4 | 8): bigint {
  return size === 8 ? record.getBigInt64(offset, true) : BigInt(record.getInt32(offset, true));
}

export function compileArrayLoadText(unit: Unit, { to, array, keys }: Of<'array-load-text'>): Step {
  const { storage } = unit.machine;
  const key = compileKey(unit, array, keys);
  const write = compileTextSink(unit, to);
  return (frame) => {
    write(frame, storage.loadEntry(array, key(frame)) ?? NOTHING);
    return NEXT;
  };
}

export function compileArrayStoreText(unit: Unit, { array, keys, value, at }: Of<'array-store-text'>): Step {
  const { machine } = unit;
  const key = compileKey(unit, array, keys);
  const text = compileTextSource(unit, value);
  return (frame) => {
    if (!machine.storage.storeEntry(array, key(frame), 0, text(frame))) machine.countLoss('array-full', at);
    return NEXT;
  };
}

export function compileArrayHas(unit: Unit, { to, array, keys }: Of<'array-has'>): Step {
  const { storage } = unit.machine;
  const key = compileKey(unit, array, keys);
  return (frame) => {
    frame.num[to] = storage.hasEntry(array, key(frame)) ? 1 : 0;
    return NEXT;
  };
}

export function compileArrayDelete(unit: Unit, { array, keys }: Of<'array-delete'>): Step {
  const { storage } = unit.machine;
  const key = compileKey(unit, array, keys);
  return (frame) => {
    storage.deleteEntry(array, key(frame));
    return NEXT;
  };
}

export function compileArrayClear(unit: Unit, { array }: Of<'array-clear'>): Step {
  const { storage } = unit.machine;
  return () => {
    storage.clearArray(array);
    return NEXT;
  };
}

export function compileArrayCount(unit: Unit, { to, array }: Of<'array-count'>): Step {
  const { storage } = unit.machine;
  return (frame) => {
    frame.num[to] = storage.countEntries(array);
    return NEXT;
  };
}

export function compileAggregate(unit: Unit, { into, value, at }: Of<'aggregate'>): Step {
  const { machine } = unit;
  const target = compileAggregateTarget(unit, into);
  const from = registerOf(unit, value);
  return (frame) => {
    if (!machine.storage.addSample(target(frame), getInteger(frame, from))) machine.countLoss('array-full', at);
    return NEXT;
  };
}

/** Readers of an aggregate without samples, and of a missing one, give 0. */
export function compileAggregateRead(unit: Unit, { to, from, reader, argument }: Of<'aggregate-read'>): Step {
  const { storage } = unit.machine;
  const target = compileAggregateTarget(unit, from);
  const layout = findLayout(unit.machine, from);
  const kind = kindOf(unit, to);
  return (frame) => {
    const value = storage.loadAggregate(target(frame));
    const result = value === undefined ? 0n : readAggregate(layout, value, reader, argument);
    if (kind === 'float') frame.num[to] = Number(result);
    else setInteger(frame, to, typeof result === 'bigint' ? result : BigInt(Math.trunc(result)));
    return NEXT;
  };
}

/** The layout of an aggregate's records; there is one for each that the program declares. */
export function findLayout(
  { layouts }: Pick<Machine, 'layouts'>,
  place: { readonly global: number } | { readonly array: number },
): AggregateLayout {
  const layout = 'global' in place ? layouts.globals.get(place.global) : layouts.arrays.get(place.array);
  assert(layout !== undefined, 'global' in place ? `global ${place.global} is no aggregate` : `array ${place.array} holds no aggregates`);
  return layout;
}
