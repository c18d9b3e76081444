/** Reads of the target's and the kernel's memory. */
import type { Instruction } from '../../ir/program.ts';
import { compileLoad, viewOf } from './bytes.ts';
import { getClamped, getUnsigned, type Frame } from './frame.ts';
import { NEXT, type Step } from './step.ts';
import { capacityOf, compileFailure, compileTextSink, kindOf, registerOf, type Unit } from './unit.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;

// hot: three of these a node in the walk of `npm run bench -- snapshot-walk`, 0.2 to 0.4 µs a node in all.
export function compileRead(unit: Unit, instruction: Of<'read'>): Step {
  const { to, space, offset, size, signed, onFail, at } = instruction;
  const reader = unit.machine.reader(space);
  const address = registerOf(unit, instruction.address);
  const load = compileLoad(to, kindOf(unit, to), size, signed);
  const fail = compileFailure(onFail, 'failed-read', at, `${size} bytes of ${space} memory cannot be read`);
  return (frame) => {
    const page = reader.find(frame.num[address]! + offset, size);
    if (page !== undefined) {
      load(frame, page, reader.offset);
      return NEXT;
    }
    const bytes = reader.read(addressOf(frame, address, offset), size);
    if (bytes === undefined) return fail(frame);
    load(frame, viewOf(bytes), 0);
    return NEXT;
  };
}

export function compileReadObject(unit: Unit, instruction: Of<'read-object'>): Step {
  const { object, offset, space, size, onFail, at } = instruction;
  const reader = unit.machine.reader(space);
  const address = registerOf(unit, instruction.address);
  const fail = compileFailure(onFail, 'failed-read', at, `${size} bytes of ${space} memory cannot be read`);
  return (frame) => {
    const bytes = reader.read(addressOf(frame, address, 0), size);
    if (bytes === undefined) return fail(frame);
    new Uint8Array(frame.objects[object]!.buffer).set(bytes, offset);
    return NEXT;
  };
}

/** A length below zero counts as zero. */
export function compileReadText(unit: Unit, instruction: Of<'read-text'>): Step {
  const { space, length, onFail, at } = instruction;
  const reader = unit.machine.reader(space);
  const address = registerOf(unit, instruction.address);
  const capacity = capacityOf(unit, instruction.to);
  const write = compileTextSink(unit, instruction.to);
  const fail = compileFailure(onFail, 'failed-read', at, `text in ${space} memory cannot be read`);
  const counted = length === undefined ? undefined : registerOf(unit, length);
  return (frame) => {
    const from = addressOf(frame, address, 0);
    const text = counted === undefined ? reader.readText(from, capacity) : reader.read(from, getClamped(frame, counted, 0, capacity));
    if (text === undefined) return fail(frame);
    write(frame, text);
    return NEXT;
  };
}

export function compileValid(unit: Unit, instruction: Of<'valid'>): Step {
  const { to, space } = instruction;
  const reader = unit.machine.reader(space);
  const address = registerOf(unit, instruction.address);
  const size = registerOf(unit, instruction.size);
  return (frame) => {
    const bytes = BigInt(getClamped(frame, size, 0, Number.MAX_SAFE_INTEGER));
    frame.num[to] = reader.isReadable(getUnsigned(frame, address), bytes) ? 1 : 0;
    return NEXT;
  };
}

function addressOf(frame: Frame, register: number, offset: number): bigint {
  return BigInt.asUintN(64, getUnsigned(frame, register) + BigInt(offset));
}
