/** Doubles: each expression of a floating type to the register that holds it. */
import type { Expression } from '../../check/index.ts';
import type { Operand } from '../program.ts';
import { lowerAssign, lowerCompound } from './assignments.ts';
import { lowerCall } from './calls.ts';
import { computeFloat, fresh, isFloat, isSigned, registerOf } from './compute.ts';
import { asChoice, branches, lowerCondition } from './conditions.ts';
import { type Context, lowerEffect, lowerFloat, lowerNumber } from './context.ts';
import { loadFloat, lowerAggregate, pin } from './places.ts';

/** A double's register. */
export function floatRule(x: Context, e: Expression): number {
  switch (e.kind) {
    case 'float': {
      const to = x.b.float();
      x.b.emit({ op: 'float', to, value: e.value }, e.at);
      return to;
    }
    case 'load':
      return loadFloat(x, pin(x, e.place), e.type, e.at);
    case 'convert': {
      if (isFloat(e.operand.type)) return lowerFloat(x, e.operand);
      const from = lowerNumber(x, e.operand);
      const to = x.b.float();
      x.b.emit({ op: 'convert', to, from, form: isSigned(e.operand.type) ? 'signed' : 'unsigned' }, e.at);
      return to;
    }
    case 'binary':
      return computeFloat(x, e.operator, lowerFloat(x, e.left), lowerFloat(x, e.right), e.at);
    case 'negate': {
      const minus = x.b.float();
      x.b.emit({ op: 'float', to: minus, value: -1 }, e.at);
      return computeFloat(x, 'mul', lowerFloat(x, e.operand), minus, e.at);
    }
    case 'conditional':
    case 'absolute':
    case 'least':
    case 'greatest':
      return chooseFloat(x, e);
    case 'comma':
      lowerEffect(x, e.left);
      return lowerFloat(x, e.right);
    case 'assign':
      return registerOf(lowerAssign(x, e));
    case 'compound':
      return registerOf(lowerCompound(x, e, true));
    case 'call':
      return registerOf(lowerCall(x, e, undefined) as Operand);
    case 'aggregate-read': {
      const from = lowerAggregate(x, e.place);
      const to = x.b.float();
      x.b.emit({ op: 'aggregate-read', to, from, reader: e.reader, argument: e.argument }, e.at);
      return to;
    }
    default:
      throw new Error(`Bug: ${e.kind} is no double`);
  }
}

function chooseFloat(x: Context, e: Extract<Expression, { kind: 'conditional' | 'absolute' | 'least' | 'greatest' }>): number {
  const to = x.b.float();
  const set = (register: number): void => x.b.emit({ op: 'move', to, from: { register } }, e.at);
  if (e.kind === 'conditional') {
    branches(
      x,
      (then, otherwise) => lowerCondition(x, e.condition, then, otherwise),
      () => set(lowerFloat(x, e.yes)),
      () => set(lowerFloat(x, e.no)),
    );
    return to;
  }
  const choice = asChoice(e);
  const [left, right] = [lowerFloat(x, choice.left), lowerFloat(x, choice.right)];
  const condition = fresh(x, (out) => x.b.emit({ op: 'float-binary', to: out, operator: choice.operator, left, right }, e.at));
  const other = (): void => {
    if (!choice.negated) return set(right);
    const zero = x.b.float();
    x.b.emit({ op: 'float', to: zero, value: 0 }, e.at);
    set(computeFloat(x, 'sub', zero, left, e.at));
  };
  branches(
    x,
    (then, otherwise) => x.b.branch(condition, then, otherwise),
    () => set(left),
    other,
  );
  return to;
}
