/** Numbers: integers, pointers and doubles, conditions, and what is done for its effect. */
import type { ArithmeticOperator, ComparisonOperator, Expression, YType } from '../../check/index.ts';
import type { BinaryOperator, KeyArgument, Operand, SourcePlace, TextPlace } from '../program.ts';
import { lowerAssign, lowerCompound } from './assignments.ts';
import { constantOf, ZERO } from './builder.ts';
import { parameterOrder, type Context } from './context.ts';
import { lowerChart, lowerPrint } from './output.ts';
import { loadFloat, loadNumber, lowerAddress, lowerAggregate, lowerKeys, pin, zeroRecord } from './places.ts';
import { assignText, emptyText, lowerText } from './texts.ts';

function isSigned(type: YType): boolean {
  return type.kind === 'integer' && type.signed;
}

/** The low bytes of `from` as `type` keeps them; nothing to do for 64 bits. */
export function extend(x: Context, from: Operand, type: YType, at: SourcePlace): Operand {
  if (type.kind !== 'integer' || type.size === 8) return from;
  const to = x.b.integer();
  x.b.emit({ op: 'extend', to, from, bits: (type.size * 8) as 8 | 16 | 32, signed: type.signed }, at);
  return { register: to };
}

function fresh(x: Context, make: (to: number) => void): Operand {
  const to = x.b.integer();
  make(to);
  return { register: to };
}

const SIGNED: Readonly<Record<ArithmeticOperator, BinaryOperator>> = {
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
const UNSIGNED: Readonly<Record<ArithmeticOperator, BinaryOperator>> = { ...SIGNED, div: 'udiv', mod: 'umod', shr: 'lshr' };
/** Results of these can leave the range of a type smaller than 64 bits. */
const LEAVING = new Set<BinaryOperator>(['add', 'sub', 'mul', 'sdiv', 'shl']);

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

const FLOAT_OPERATORS = { add: 'add', sub: 'sub', mul: 'mul', div: 'div' } as const;

export function computeFloat(x: Context, operator: ArithmeticOperator, left: number, right: number, at: SourcePlace): number {
  const to = x.b.float();
  x.b.emit({ op: 'float-binary', to, operator: FLOAT_OPERATORS[operator as 'add'], left, right }, at);
  return to;
}

function isFloat(type: YType): boolean {
  return type.kind === 'float';
}

/** An integer, a pointer, a truth value or a backtrace's id. */
export function lowerNumber(x: Context, e: Expression): Operand {
  switch (e.kind) {
    case 'integer':
      return constantOf(e.value);
    case 'load':
      return loadNumber(x, pin(x, e.place), e.type, e.at);
    case 'address': {
      const { base, offset, relocate } = lowerAddress(x, e.place);
      if (offset === 0) return base;
      return fresh(x, (to) =>
        x.b.emit({ op: 'binary', to, operator: 'add', left: base, right: constantOf(BigInt(offset)) }, e.at, relocate),
      );
    }
    case 'target-variable':
      return fresh(x, (to) =>
        x.b.emit({ op: 'move', to, from: constantOf(e.address) }, e.at, { kind: 'variable', module: e.module, name: e.name }),
      );
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

/** `_abs`, `_min2`, `_max2` as a comparison and a choice. The operands are computed once, into locals of the function. */
function asChoice(e: Extract<Expression, { kind: 'absolute' | 'least' | 'greatest' }>): Choice {
  if (e.kind === 'absolute') {
    const zero: Expression =
      e.type.kind === 'float'
        ? { kind: 'float', value: 0, type: e.type, at: e.at }
        : { kind: 'integer', value: 0n, type: e.type, at: e.at };
    return { operator: 'ge', left: e.operand, right: zero, negated: true, type: e.type, at: e.at };
  }
  return { operator: e.kind === 'least' ? 'le' : 'ge', left: e.left, right: e.right, negated: false, type: e.type, at: e.at };
}

/** `left operator right ? left : right`, or `: -left` when negated. */
interface Choice {
  readonly operator: ComparisonOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly negated: boolean;
  readonly type: YType;
  readonly at: SourcePlace;
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

function branches(x: Context, decide: (then: number, otherwise: number) => void, then: () => void, otherwise: () => void): void {
  const [yes, no, done] = [x.b.block(), x.b.block(), x.b.block()];
  decide(yes, no);
  x.b.enter(yes);
  then();
  x.b.end({ op: 'jump', to: done });
  x.b.enter(no);
  otherwise();
  x.b.end({ op: 'jump', to: done });
  x.b.enter(done);
}

function comparison(operator: ComparisonOperator, type: YType): BinaryOperator {
  if (operator === 'eq' || operator === 'ne') return operator;
  return `${isSigned(type) ? 's' : 'u'}${operator}`;
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

/** A scalar as 0 or 1. */
function truth(x: Context, e: Expression, operator: 'eq' | 'ne', at: SourcePlace): Operand {
  if (isFloat(e.type)) {
    const left = lowerFloat(x, e);
    const right = x.b.float();
    x.b.emit({ op: 'float', to: right, value: 0 }, at);
    return fresh(x, (to) => x.b.emit({ op: 'float-binary', to, operator, left, right }, at));
  }
  const left = lowerNumber(x, e);
  return fresh(x, (to) => x.b.emit({ op: 'binary', to, operator, left, right: ZERO }, at));
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

/** Whether every value of `from` is one of `to`. */
function fits(from: YType, to: YType): boolean {
  if (to.kind !== 'integer' || to.size === 8) return true;
  if (from.kind !== 'integer') return false;
  if (from.signed === to.signed) return from.size <= to.size;
  return !from.signed && from.size < to.size;
}

/** A double's register. */
export function lowerFloat(x: Context, e: Expression): number {
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

export function registerOf(operand: Operand): number {
  if ('register' in operand) return operand.register;
  throw new Error('Bug: a double is a constant');
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

/** Goes on at `then` or at `otherwise`; the right side of `&&` and `||` is computed only when it decides. */
export function lowerCondition(x: Context, e: Expression, then: number, otherwise: number): void {
  if (e.kind === 'not') return lowerCondition(x, e.operand, otherwise, then);
  if (e.kind === 'logical') {
    const middle = x.b.block();
    if (e.operator === 'and') lowerCondition(x, e.left, middle, otherwise);
    else lowerCondition(x, e.left, then, middle);
    x.b.enter(middle);
    return lowerCondition(x, e.right, then, otherwise);
  }
  if (e.kind === 'comma') {
    lowerEffect(x, e.left);
    return lowerCondition(x, e.right, then, otherwise);
  }
  const condition = isFloat(e.type) ? truth(x, e, 'ne', e.at) : lowerNumber(x, e);
  x.b.branch(condition, then, otherwise);
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

/** A call; the result is a register's operand, `into`, or nothing. */
export function lowerCall(
  x: Context,
  e: Extract<Expression, { kind: 'call' }>,
  into: TextPlace | undefined,
  unused = false,
): Operand | TextPlace {
  const order = parameterOrder(x.program.functions[e.function]!);
  const values = e.arguments.map((argument): KeyArgument => {
    if (argument.type.kind === 'text') return { text: lowerText(x, argument) };
    return isFloat(argument.type) ? { register: lowerFloat(x, argument) } : lowerNumber(x, argument);
  });
  const { kind } = e.type;
  const to = into ?? (unused || kind === 'void' ? undefined : kind === 'float' ? x.b.float() : x.b.integer());
  x.b.emit({ op: 'call', to, function: e.function, arguments: order.map((index) => values[index]!) }, e.at);
  return into ?? (typeof to === 'number' ? { register: to } : ZERO);
}

/** An expression for what it does. */
export function lowerEffect(x: Context, e: Expression): void {
  switch (e.kind) {
    case 'comma':
      lowerEffect(x, e.left);
      return lowerEffect(x, e.right);
    case 'assign':
      if (e.type.kind === 'text') assignText(x, e);
      else lowerAssign(x, e);
      return;
    case 'compound':
      if (e.type.kind === 'text') assignText(x, e);
      else lowerCompound(x, e, false);
      return;
    case 'zero':
      if (e.place.kind === 'local') zeroRecord(x, pin(x, e.place), x.b.objects[objectOf(x, e.place.local)] ?? 0, e.at);
      return;
    case 'sample': {
      const into = lowerAggregate(x, e.place);
      return x.b.emit({ op: 'aggregate', into, value: lowerNumber(x, e.value) }, e.at);
    }
    case 'call':
      lowerCall(x, e, e.type.kind === 'text' ? lowerTextTarget(x, e) : undefined, true);
      return;
    case 'print':
      return lowerPrint(x, e);
    case 'chart':
      return lowerChart(x, e);
    case 'exit':
      return lowerExit(x, e.at);
    case 'delete':
      return x.b.emit({ op: 'array-delete', array: e.array, keys: lowerKeys(x, e.array, e.keys) }, e.at);
    case 'clear':
      return x.b.emit({ op: 'array-clear', array: e.array }, e.at);
    case 'conditional':
      return branches(
        x,
        (then, otherwise) => lowerCondition(x, e.condition, then, otherwise),
        () => lowerEffect(x, e.yes),
        () => lowerEffect(x, e.no),
      );
    default:
      return lowerForNothing(x, e);
  }
}

function lowerTextTarget(x: Context, e: Expression): TextPlace {
  return x.b.temporaryText(e.type.kind === 'text' ? e.type.capacity : 1);
}

function objectOf(x: Context, local: number): number {
  const home = x.homes[local]!;
  return home.kind === 'object' ? home.object : -1;
}

/** A value that nobody uses: computed, because it may fail or match. */
function lowerForNothing(x: Context, e: Expression): void {
  const { kind } = e.type;
  if (kind === 'text') lowerText(x, e);
  else if (kind === 'float') lowerFloat(x, e);
  else if (kind === 'integer' || kind === 'pointer' || kind === 'stack') lowerNumber(x, e);
}

/** The session ends, and so does this function. */
function lowerExit(x: Context, at: SourcePlace): void {
  x.b.emit({ op: 'exit' }, at);
  x.b.end({ op: 'return', value: emptyResult(x) });
  x.b.enter(x.b.block());
}

/** What a function gives that ends without a `return`. */
export function emptyResult(x: Context): KeyArgument | undefined {
  const { kind } = x.fn.result;
  if (kind === 'void' || kind === 'error') return undefined;
  if (kind === 'text') return { text: emptyText(x) };
  if (kind !== 'float') return ZERO;
  const to = x.b.float();
  x.b.emit({ op: 'float', to, value: 0 }, undefined);
  return { register: to };
}
