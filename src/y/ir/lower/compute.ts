/** Operations on numbers in the width and sign of their C types. */
import type { ArithmeticOperator, ComparisonOperator, YType } from '../../check/index.ts';
import type { BinaryOperator, Operand, SourcePlace } from '../program.ts';
import type { Context } from './context.ts';

export function isSigned(type: YType): boolean {
  return type.kind === 'integer' && type.signed;
}

/** The low bytes of `from` as `type` keeps them; nothing to do for 64 bits. */
export function extend(x: Context, from: Operand, type: YType, at: SourcePlace): Operand {
  if (type.kind !== 'integer' || type.size === 8) return from;
  const to = x.b.integer();
  x.b.emit({ op: 'extend', to, from, bits: (type.size * 8) as 8 | 16 | 32, signed: type.signed }, at);
  return { register: to };
}

export function fresh(x: Context, make: (to: number) => void): Operand {
  const to = x.b.integer();
  make(to);
  return { register: to };
}

export const SIGNED: Readonly<Record<ArithmeticOperator, BinaryOperator>> = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  div: 'sdiv',
  mod: 'smod',
  and: 'and',
  or: 'or',
  xor: 'xor',
  shl: 'shl',
  shr: 'ashr',
};
export const UNSIGNED: Readonly<Record<ArithmeticOperator, BinaryOperator>> = { ...SIGNED, div: 'udiv', mod: 'umod', shr: 'lshr' };
/** Results of these can leave the range of a type smaller than 64 bits. */
export const LEAVING = new Set<BinaryOperator>(['add', 'sub', 'mul', 'sdiv', 'shl']);

/** `left operator right` in the width and sign of `type`. */
export function computeInteger(
  x: Context,
  operator: ArithmeticOperator,
  left: Operand,
  right: Operand,
  type: YType,
  at: SourcePlace,
): Operand {
  const chosen = (isSigned(type) ? SIGNED : UNSIGNED)[operator];
  const onFail = operator === 'div' || operator === 'mod' ? { onFail: x.b.onFail } : {};
  const result = fresh(x, (to) => x.b.emit({ op: 'binary', to, operator: chosen, left, right, ...onFail }, at));
  return LEAVING.has(chosen) ? extend(x, result, type, at) : result;
}

export const FLOAT_OPERATORS = { add: 'add', sub: 'sub', mul: 'mul', div: 'div' } as const;

export function computeFloat(x: Context, operator: ArithmeticOperator, left: number, right: number, at: SourcePlace): number {
  const to = x.b.float();
  x.b.emit({ op: 'float-binary', to, operator: FLOAT_OPERATORS[operator as 'add'], left, right }, at);
  return to;
}

export function isFloat(type: YType): boolean {
  return type.kind === 'float';
}

export function comparison(operator: ComparisonOperator, type: YType): BinaryOperator {
  if (operator === 'eq' || operator === 'ne') return operator;
  return `${isSigned(type) ? 's' : 'u'}${operator}`;
}

export function registerOf(operand: Operand): number {
  if ('register' in operand) return operand.register;
  throw new Error('Bug: a double is a constant');
}
