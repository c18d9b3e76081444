/** Texts: bounded byte strings. */
import type { Instruction } from '../../ir/program.ts';
import { compareBytes } from './entry-order.ts';
import { getClamped } from './frame.ts';
import { NEXT, type Step } from './step.ts';
import { compileTextSink, compileTextSource, registerOf, type Unit } from './unit.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;

export function compileCopyText(unit: Unit, { to, from }: Of<'copy-text'>): Step {
  const text = compileTextSource(unit, from);
  const write = compileTextSink(unit, to);
  return (frame) => {
    write(frame, text(frame));
    return NEXT;
  };
}

export function compileConcatenate(unit: Unit, { to, left, right }: Of<'concatenate'>): Step {
  const first = compileTextSource(unit, left);
  const second = compileTextSource(unit, right);
  const write = compileTextSink(unit, to);
  return (frame) => {
    const a = first(frame);
    const b = second(frame);
    const joined = new Uint8Array(a.length + b.length);
    joined.set(a);
    joined.set(b, a.length);
    write(frame, joined);
    return NEXT;
  };
}

/** `length` bytes from `start`, both cut to what there is. */
export function compileSubstring(unit: Unit, instruction: Of<'substring'>): Step {
  const text = compileTextSource(unit, instruction.from);
  const start = registerOf(unit, instruction.start);
  const length = registerOf(unit, instruction.length);
  const write = compileTextSink(unit, instruction.to);
  return (frame) => {
    const whole = text(frame);
    const from = getClamped(frame, start, 0, whole.length);
    write(frame, whole.subarray(from, from + getClamped(frame, length, 0, whole.length - from)));
    return NEXT;
  };
}

export function compileCompareText(unit: Unit, { to, left, right }: Of<'compare-text'>): Step {
  const first = compileTextSource(unit, left);
  const second = compileTextSource(unit, right);
  return (frame) => {
    frame.num[to] = compareBytes(first(frame), second(frame));
    return NEXT;
  };
}

export function compileTextLength(unit: Unit, { to, from }: Of<'text-length'>): Step {
  const text = compileTextSource(unit, from);
  return (frame) => {
    frame.num[to] = text(frame).length;
    return NEXT;
  };
}

export function compileTextAt(unit: Unit, { to, from, index }: Of<'text-at'>): Step {
  const text = compileTextSource(unit, from);
  const at = registerOf(unit, index);
  return (frame) => {
    frame.num[to] = text(frame)[getClamped(frame, at, -1, Number.MAX_SAFE_INTEGER)] ?? 0;
    return NEXT;
  };
}
