/** Numbers: integers, pointers and doubles, conditions, and what is done for its effect. */
import type { Expression, YType } from '../../check/index.ts';
import type { Operand, SourcePlace, TextPlace } from '../program.ts';
import { lowerAssign, lowerCompound } from './assignments.ts';
import { ZERO, constantOf } from './builder.ts';
import { lowerCall } from './calls.ts';
import { comparison, computeInteger, extend, fresh, isFloat } from './compute.ts';
import { type Choice, asChoice, branches, lowerCondition, truth } from './conditions.ts';
import { type Context, lowerEffect, lowerFloat, lowerNumber, lowerText } from './context.ts';
import { addressValue, loadNumber, lowerAddress, lowerAggregate, lowerKeys, pin, variableTarget } from './places.ts';

/** An integer, a pointer, a truth value or a backtrace's id. */
export function numberRule(x: Context, e: Expression): Operand {
  switch (e.kind) {
    case 'integer':
      return constantOf(e.value);
    case 'load':
      return loadNumber(x, pin(x, e.place), e.type, e.at);
    case 'address': {
      return addressValue(x, lowerAddress(x, e.place), e.at);
    }
    case 'target-variable':
      return fresh(x, (to) => x.b.emit({ op: 'move', to, from: constantOf(e.address) }, e.at, variableTarget(e.site)));
    case 'target-literal':
      return fresh(x, (to) => x.b.emit({ op: 'move', to, from: constantOf(e.address) }, e.at, { kind: 'literal', bytes: e.bytes }));
    case 'convert':
      return lowerConversion(x, e.operand, e.type, e.at);
    case 'binary':
      return computeInteger(x, e.operator, lowerNumber(x, e.left), lowerNumber(x, e.right), e.type, e.at);
    case 'negate':
      return computeInteger(x, 'sub', ZERO, lowerNumber(x, e.operand), e.type, e.at);
    case 'complement': {
      const left = lowerNumber(x, e.operand);
      return extend(
        x,
        fresh(x, (to) => x.b.emit({ op: 'binary', to, operator: 'xor', left, right: constantOf(-1n) }, e.at)),
        e.type,
        e.at,
      );
    }
    case 'compare':
      return lowerCompare(x, e);
    case 'not':
      return lowerNot(x, e);
    case 'logical':
      return viaBlocks(x, e);
    case 'conditional':
      return chooseNumber(x, e);
    case 'comma':
      lowerEffect(x, e.left);
      return lowerNumber(x, e.right);
    case 'assign':
      return lowerAssign(x, e);
    case 'compound':
      return lowerCompound(x, e, true);
    case 'call':
      return lowerCall(x, e, undefined) as Operand;
    default:
      return lowerBuiltin(x, e);
  }
}

function lowerBuiltin(x: Context, e: Expression): Operand {
  switch (e.kind) {
    case 'contains': {
      const keys = lowerKeys(x, e.array, e.keys);
      return fresh(x, (to) => x.b.emit({ op: 'array-has', to, array: e.array, keys }, e.at));
    }
    case 'match':
      return lowerMatch(x, e);
    case 'number-builtin':
      return fresh(x, (to) => x.b.emit({ op: 'builtin', to, name: e.name }, e.at));
    case 'argument':
      return fresh(x, (to) => x.b.emit({ op: 'argument', to, index: e.index }, e.at));
    case 'return-value':
      return fresh(x, (to) => x.b.emit({ op: 'return-value', to }, e.at));
    case 'register':
      return fresh(x, (to) => x.b.emit({ op: 'register', to, name: e.name }, e.at));
    case 'stack':
      return fresh(x, (to) => x.b.emit({ op: 'stack', to, form: e.form }, e.at));
    case 'valid': {
      const [address, size] = [lowerNumber(x, e.address), lowerNumber(x, e.size)];
      return fresh(x, (to) => x.b.emit({ op: 'valid', to, space: e.space, address, size }, e.at));
    }
    case 'log2': {
      const from = lowerNumber(x, e.operand);
      return fresh(x, (to) => x.b.emit({ op: 'log2', to, from }, e.at));
    }
    case 'text-length': {
      const from = lowerText(x, e.text);
      return fresh(x, (to) => x.b.emit({ op: 'text-length', to, from }, e.at));
    }
    case 'text-at': {
      const from = lowerText(x, e.text);
      const index = lowerNumber(x, e.index);
      return fresh(x, (to) => x.b.emit({ op: 'text-at', to, from, index }, e.at));
    }
    case 'absolute':
    case 'least':
    case 'greatest':
      return chooseNumber(x, asChoice(e));
    case 'aggregate-read': {
      const from = lowerAggregate(x, e.place);
      return fresh(x, (to) => x.b.emit({ op: 'aggregate-read', to, from, reader: e.reader, argument: e.argument }, e.at));
    }
    case 'array-count':
      return fresh(x, (to) => x.b.emit({ op: 'array-count', to, array: e.array }, e.at));
    default:
      throw new Error(`Bug: ${e.kind} is no number`);
  }
}

function chooseNumber(x: Context, e: Choice | Extract<Expression, { kind: 'conditional' }>): Operand {
  const to = x.b.integer();
  const set = (from: Operand): void => x.b.emit({ op: 'move', to, from }, e.at);
  if ('operator' in e) {
    const [left, right] = [lowerNumber(x, e.left), lowerNumber(x, e.right)];
    const condition = fresh(x, (out) => x.b.emit({ op: 'binary', to: out, operator: comparison(e.operator, e.type), left, right }, e.at));
    branches(
      x,
      (then, otherwise) => x.b.branch(condition, then, otherwise),
      () => set(left),
      () => set(e.negated ? computeInteger(x, 'sub', ZERO, left, e.type, e.at) : right),
    );
  } else {
    branches(
      x,
      (then, otherwise) => lowerCondition(x, e.condition, then, otherwise),
      () => set(lowerNumber(x, e.yes)),
      () => set(lowerNumber(x, e.no)),
    );
  }
  return { register: to };
}

function lowerCompare(x: Context, e: Extract<Expression, { kind: 'compare' }>): Operand {
  const { left, right, operator, at } = e;
  if (left.type.kind === 'text') {
    const [a, b] = [lowerText(x, left), lowerText(x, right)];
    const order = fresh(x, (to) => x.b.emit({ op: 'compare-text', to, left: a, right: b }, at));
    const signed = operator === 'eq' || operator === 'ne' ? operator : (`s${operator}` as const);
    return fresh(x, (to) => x.b.emit({ op: 'binary', to, operator: signed, left: order, right: ZERO }, at));
  }
  if (isFloat(left.type)) {
    const [a, b] = [lowerFloat(x, left), lowerFloat(x, right)];
    return fresh(x, (to) => x.b.emit({ op: 'float-binary', to, operator, left: a, right: b }, at));
  }
  const [a, b] = [lowerNumber(x, left), lowerNumber(x, right)];
  return fresh(x, (to) => x.b.emit({ op: 'binary', to, operator: comparison(operator, left.type), left: a, right: b }, at));
}

function lowerNot(x: Context, e: Extract<Expression, { kind: 'not' }>): Operand {
  return truth(x, e.operand, 'eq', e.at);
}

function lowerConversion(x: Context, operand: Expression, type: YType, at: SourcePlace): Operand {
  if (type.kind === 'integer' && type.bool) {
    return operand.type.kind === 'integer' && operand.type.bool ? lowerNumber(x, operand) : truth(x, operand, 'ne', at);
  }
  if (isFloat(operand.type)) {
    const register = lowerFloat(x, operand);
    const whole = fresh(x, (to) => x.b.emit({ op: 'convert', to, from: { register }, form: 'truncate' }, at));
    return extend(x, whole, type, at);
  }
  const from = lowerNumber(x, operand);
  return fits(operand.type, type) ? from : extend(x, from, type, at);
}

/** A logical value through its branches. */
function viaBlocks(x: Context, e: Expression): Operand {
  const to = x.b.integer();
  branches(
    x,
    (then, otherwise) => lowerCondition(x, e, then, otherwise),
    () => x.b.emit({ op: 'move', to, from: { constant: 1n } }, e.at),
    () => x.b.emit({ op: 'move', to, from: ZERO }, e.at),
  );
  return { register: to };
}

function lowerMatch(x: Context, e: Extract<Expression, { kind: 'match' }>): Operand {
  const subject = lowerText(x, e.subject);
  const { captures } = x.program.regexes[e.regex]!;
  const groups = Array.from({ length: captures }, (_, group): TextPlace | undefined => {
    const local = e.captures.locals.get(group);
    const home = local === undefined ? undefined : x.homes[local]!;
    return home?.kind === 'text' ? { local: home.text } : undefined;
  });
  const found = fresh(x, (to) => x.b.emit({ op: 'match', to, regex: e.regex, subject, groups }, e.at));
  if (!e.negated) return found;
  return fresh(x, (to) => x.b.emit({ op: 'binary', to, operator: 'eq', left: found, right: ZERO }, e.at));
}

/** Whether every value of `from` is one of `to`. */
function fits(from: YType, to: YType): boolean {
  if (to.kind !== 'integer' || to.size === 8) return true;
  if (from.kind !== 'integer') return false;
  if (from.signed === to.signed) return from.size <= to.size;
  return !from.signed && from.size < to.size;
}
