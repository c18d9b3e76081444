/** Doubles, and between them and integers. */
import type { Instruction } from '../../ir/program.ts';
import { getInteger, getUnsigned, isSafeNumber, setInteger, type Frame } from './frame.ts';
import { NEXT, type Step } from './step.ts';
import { kindOf, registerOf, type Unit } from './unit.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;
type FloatOperator = Of<'float-binary'>['operator'];

const OPERATIONS: Readonly<Record<FloatOperator, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  gt: (a, b) => Number(a > b),
  ge: (a, b) => Number(a >= b),
};

export function compileFloat({ to, value }: Of<'float'>): Step {
  return (frame) => {
    frame.num[to] = value;
    return NEXT;
  };
}

export function compileFloatBinary({ to, operator, left, right }: Of<'float-binary'>): Step {
  const apply = OPERATIONS[operator];
  return (frame) => {
    frame.num[to] = apply(frame.num[left]!, frame.num[right]!);
    return NEXT;
  };
}

export function compileConvert(unit: Unit, { to, from, form }: Of<'convert'>): Step {
  const register = registerOf(unit, from);
  const isFloat = 'register' in from && kindOf(unit, from.register) === 'float';
  if (form === 'truncate') {
    return (frame) => {
      setTruncated(frame, to, frame.num[register]!);
      return NEXT;
    };
  }
  if (form === 'to-float32') {
    const view = new DataView(new ArrayBuffer(4));
    return (frame) => {
      view.setFloat32(0, frame.num[register]!);
      frame.num[to] = view.getUint32(0);
      return NEXT;
    };
  }
  // A read into a double's register has made a double of the bits already.
  const value = isFloat ? (frame: Frame) => frame.num[register]! : toDouble(form, register);
  return (frame) => {
    frame.num[to] = value(frame);
    return NEXT;
  };
}

function toDouble(form: 'float32-bits' | 'float64-bits' | 'signed' | 'unsigned', register: number): (frame: Frame) => number {
  const view = new DataView(new ArrayBuffer(8));
  switch (form) {
    case 'signed':
      return (frame) => Number(getInteger(frame, register));
    case 'unsigned':
      return (frame) => Number(getUnsigned(frame, register));
    case 'float32-bits':
      return (frame) => {
        view.setUint32(0, Number(BigInt.asUintN(32, getInteger(frame, register))));
        return view.getFloat32(0);
      };
    case 'float64-bits':
      return (frame) => {
        view.setBigInt64(0, getInteger(frame, register));
        return view.getFloat64(0);
      };
  }
}

/** Toward zero; what no 64-bit integer, signed or not, holds (and NaN) gives the least signed one, as x86-64 does. */
function setTruncated(frame: Frame, to: number, value: number): void {
  const whole = Math.trunc(value) + 0;
  if (isSafeNumber(whole)) frame.num[to] = whole;
  else if (whole >= -(2 ** 63) && whole < 2 ** 64) setInteger(frame, to, BigInt(whole));
  else setInteger(frame, to, -(2n ** 63n));
}
