/** Operators: C's usual conversions, pointer arithmetic, texts, and constants computed at once. */
import { sizeOf } from '../../ctypes/index.ts';
import type {
  BinaryExpression,
  BinaryOperatorText,
  LogicalExpression,
  Expression as Node,
  Span,
  UnaryExpression,
} from '../syntax/index.ts';

import { assignTo, commonType, constant, convert, decay, isScalar, promote, showSpace, showType, toCondition, wrap } from './convert.ts';
import { isChar, sameType } from './ctype-tools.ts';
import { advance, checkAddress, dereference } from './places.ts';
import { type CheckState, broken, checkExpression, mistake, place, snippet, warn } from './state.ts';
import type { ArithmeticOperator, ComparisonOperator, Expression } from './typed.ts';
import { INT, LONG, UNSIGNED_LONG, type YType } from './ytype.ts';

export const ARITHMETIC: Readonly<Record<string, ArithmeticOperator>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
  '<<': 'shl',
  '>>': 'shr',
  '&': 'and',
  '|': 'or',
  '^': 'xor',
};
const COMPARISON: Readonly<Record<string, ComparisonOperator>> = { '==': 'eq', '!=': 'ne', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' };
/** The longest text that a concatenation makes by itself, in bytes. */
const LARGEST_JOINED = 1024;

export function checkUnary(c: CheckState, node: UnaryExpression): Expression {
  const operand = checkExpression(c, node.operand);
  const at = place(node.span);
  if (operand.type.kind === 'error') return broken(node.span);
  if (node.operator === '&') return checkAddress(c, operand, node.operand.span);
  const value = decay(operand);
  if (node.operator === '*') return dereference(c, value, node.span);
  if (node.operator === '!') {
    const condition = toCondition(c, value, node.operand.span);
    if (condition.type.kind === 'error') return condition;
    if (condition.kind === 'integer') return constant(condition.value === 0n ? 1n : 0n, INT, condition);
    return { kind: 'not', operand: condition, type: INT, at };
  }
  const number = promote(value);
  if (number.type.kind !== 'integer' && !(number.type.kind === 'float' && node.operator !== '~')) {
    return mistake(c, 'bad-operand', node.span, `\`${node.operator}\` cannot be applied to \`${showType(value.type)}\``);
  }
  if (node.operator === '+') return number;
  if (number.kind === 'integer') return constant(node.operator === '-' ? -number.value : ~number.value, number.type, number);
  if (number.kind === 'float') return { ...number, value: -number.value };
  return { kind: node.operator === '-' ? 'negate' : 'complement', operand: number, type: number.type, at };
}

export function checkLogical(c: CheckState, node: LogicalExpression): Expression {
  const left = toCondition(c, checkExpression(c, node.left), node.left.span);
  const right = toCondition(c, checkExpression(c, node.right), node.right.span);
  if (left.type.kind === 'error' || right.type.kind === 'error') return broken(node.span);
  const operator = node.operator === '&&' ? 'and' : 'or';
  if (left.kind === 'integer' && right.kind === 'integer') {
    const [a, b] = [left.value !== 0n, right.value !== 0n];
    return constant((operator === 'and' ? a && b : a || b) ? 1n : 0n, INT, left);
  }
  return { kind: 'logical', operator, left, right, type: INT, at: place(node.span) };
}

export function checkBinary(c: CheckState, node: BinaryExpression): Expression {
  const left = decay(checkExpression(c, node.left));
  const right = decay(checkExpression(c, node.right));
  if (left.type.kind === 'error' || right.type.kind === 'error') return broken(node.span);
  return combine(c, node.operator, left, right, { span: node.span, left: node.left.span, right: node.right.span });
}

export interface OperandSpans {
  readonly span: Span;
  readonly left: Span;
  readonly right: Span;
}

/** `left operator right` of values already checked and without mistakes. */
export function combine(c: CheckState, operator: BinaryOperatorText, left: Expression, right: Expression, spans: OperandSpans): Expression {
  const comparison = COMPARISON[operator];
  if (comparison !== undefined) return compare(c, comparison, operator, left, right, spans);
  const at = place(spans.span);
  const [a, b] = [left.type, right.type];
  if (a.kind === 'text' && b.kind === 'text' && operator === '+') return concatenate(left, right, at);
  if (a.kind === 'pointer' || b.kind === 'pointer') return pointerArithmetic(c, operator, left, right, spans);
  const numbers = (a.kind === 'integer' || a.kind === 'float') && (b.kind === 'integer' || b.kind === 'float');
  const integersOnly = !'+-*/'.includes(operator);
  if (!numbers || (integersOnly && (a.kind === 'float' || b.kind === 'float'))) return badOperands(c, operator, left, right, spans);
  return arithmetic(c, ARITHMETIC[operator]!, left, right, spans);
}

function concatenate(left: Expression, right: Expression, at: Expression['at']): Expression {
  const [a, b] = [capacity(left), capacity(right)];
  return { kind: 'concatenate', left, right, type: { kind: 'text', capacity: Math.min(a + b, Math.max(LARGEST_JOINED, a, b)) }, at };
}

function capacity(text: Expression): number {
  return text.type.kind === 'text' ? text.type.capacity : 0;
}

function badOperands(c: CheckState, operator: string, left: Expression, right: Expression, spans: OperandSpans): Expression {
  const chars = [left, right].findIndex((side) => side.type.kind === 'pointer' && isChar(side.type.target));
  const hint = chars < 0 ? undefined : `\`_ustr(${snippet(c, chars === 0 ? spans.left : spans.right)})\` reads the text it points to`;
  return mistake(
    c,
    'bad-operands',
    spans.span,
    `\`${operator}\` cannot join \`${showType(left.type)}\` and \`${showType(right.type)}\``,
    hint,
  );
}

function arithmetic(c: CheckState, operator: ArithmeticOperator, left: Expression, right: Expression, spans: OperandSpans): Expression {
  const shift = operator === 'shl' || operator === 'shr';
  const type = shift ? promote(left).type : commonType(left.type, right.type);
  const a = convert(promote(left), type);
  const b = shift ? promote(right) : convert(promote(right), type);
  const at = place(spans.span);
  if ((operator === 'div' || operator === 'mod') && b.kind === 'integer' && b.value === 0n) {
    return mistake(c, 'division-by-zero', spans.span, 'division by zero');
  }
  if (shift && b.kind === 'integer' && type.kind === 'integer' && (b.value < 0n || b.value >= BigInt(type.size * 8))) {
    warn(c, 'shift-width', spans.right, `\`${showType(type)}\` has ${type.size * 8} bits, and it is shifted by ${b.value}`);
  }
  if (a.kind === 'integer' && b.kind === 'integer') return constant(foldInteger(operator, a.value, b.value, type), type, { at });
  if (a.kind === 'float' && b.kind === 'float') return { kind: 'float', value: foldFloat(operator, a.value, b.value), type, at };
  return { kind: 'binary', operator, left: a, right: b, type, at };
}

function foldInteger(operator: ArithmeticOperator, left: bigint, right: bigint, type: YType): bigint {
  const amount = BigInt.asUintN(6, right);
  switch (operator) {
    case 'add':
      return left + right;
    case 'sub':
      return left - right;
    case 'mul':
      return left * right;
    case 'div':
      return left / right;
    case 'mod':
      return left % right;
    case 'and':
      return left & right;
    case 'or':
      return left | right;
    case 'xor':
      return left ^ right;
    case 'shl':
      return left << amount;
    case 'shr':
      return wrap(left, type) >> amount;
  }
}

function foldFloat(operator: ArithmeticOperator, left: number, right: number): number {
  if (operator === 'add') return left + right;
  if (operator === 'sub') return left - right;
  return operator === 'mul' ? left * right : left / right;
}

function pointerArithmetic(c: CheckState, operator: string, left: Expression, right: Expression, spans: OperandSpans): Expression {
  const [a, b] = [left.type, right.type];
  if (a.kind === 'pointer' && b.kind === 'pointer' && operator === '-') return distance(c, left, right, spans);
  const swapped = b.kind === 'pointer' && a.kind === 'integer' && operator === '+';
  const [pointer, index] = swapped ? [right, left] : [left, right];
  if (pointer.type.kind !== 'pointer' || index.type.kind !== 'integer' || (operator !== '+' && operator !== '-')) {
    const hint = a.kind === 'pointer' && b.kind === 'integer' ? `cast it to a number: \`(uintptr_t)${snippet(c, spans.left)}\`` : undefined;
    return mistake(c, 'bad-operands', spans.span, `\`${operator}\` cannot join \`${showType(a)}\` and \`${showType(b)}\``, hint);
  }
  const size = stride(c, pointer, spans.span);
  return size === undefined ? broken(spans.span) : advance(pointer, index, operator === '+' ? 'add' : 'sub', size);
}

/** Bytes from one thing to the next; `void *` counts bytes, as GCC has it. */
export function stride(c: CheckState, pointer: Expression, span: Span): number | undefined {
  if (pointer.type.kind !== 'pointer') return undefined;
  const { target } = pointer.type;
  const size = target.kind === 'void' ? 1 : sizeOf(target);
  if (size !== undefined) return size;
  if (showType(pointer.type).startsWith('void')) return 1;
  mistake(
    c,
    'incomplete-type',
    span,
    `what \`${showType(pointer.type)}\` points to has no known size`,
    'cast the pointer to a type that has one',
  );
  return undefined;
}

function distance(c: CheckState, left: Expression, right: Expression, spans: OperandSpans): Expression {
  const mixed = mixedSpaces(c, left, right, spans);
  if (mixed !== undefined) return mixed;
  if (left.type.kind !== 'pointer' || right.type.kind !== 'pointer') return broken(spans.span);
  if (!sameType(left.type.target, right.type.target)) {
    return mistake(c, 'bad-operands', spans.span, `\`-\` cannot join \`${showType(left.type)}\` and \`${showType(right.type)}\``);
  }
  const size = stride(c, left, spans.span);
  if (size === undefined) return broken(spans.span);
  const at = place(spans.span);
  const bytes: Expression = { kind: 'binary', operator: 'sub', left: convert(left, LONG), right: convert(right, LONG), type: LONG, at };
  if (size <= 1) return bytes;
  return { kind: 'binary', operator: 'div', left: bytes, right: constant(BigInt(size), LONG, { at }), type: LONG, at };
}

/** The diagnostic for two pointers of different memories; undefined when they can meet. */
export function mixedSpaces(c: CheckState, left: Expression, right: Expression, spans: OperandSpans): Expression | undefined {
  const [a, b] = [left.type, right.type];
  if (a.kind !== 'pointer' || b.kind !== 'pointer' || a.space === 'any' || b.space === 'any' || a.space === b.space) return undefined;
  const message = `\`${snippet(c, spans.left)}\` points into ${showSpace(a.space)}, but \`${snippet(c, spans.right)}\` points into ${showSpace(b.space)}`;
  return mistake(c, 'space-mix', spans.span, message, '`_user(T *, x)` or `_kernel(T *, x)` states the memory that an address is in');
}

function compare(
  c: CheckState,
  operator: ComparisonOperator,
  shown: string,
  left: Expression,
  right: Expression,
  spans: OperandSpans,
): Expression {
  const at = place(spans.span);
  const [a, b] = [left.type, right.type];
  const make = (l: Expression, r: Expression): Expression => ({ kind: 'compare', operator, left: l, right: r, type: INT, at });
  if (a.kind === 'text' && b.kind === 'text') return make(left, right);
  if (a.kind === 'stack' && b.kind === 'stack' && (operator === 'eq' || operator === 'ne')) return make(left, right);
  if (!isScalar(a) || !isScalar(b)) return badOperands(c, shown, left, right, spans);
  if (a.kind === 'pointer' || b.kind === 'pointer') {
    if (a.kind === 'float' || b.kind === 'float') return badOperands(c, shown, left, right, spans);
    return mixedSpaces(c, left, right, spans) ?? make(convert(left, UNSIGNED_LONG), convert(right, UNSIGNED_LONG));
  }
  const type = commonType(a, b);
  const [l, r] = [convert(promote(left), type), convert(promote(right), type)];
  const known = (l.kind === 'integer' && r.kind === 'integer') || (l.kind === 'float' && r.kind === 'float');
  return known ? constant(holds(operator, l.value, r.value) ? 1n : 0n, INT, { at }) : make(l, r);
}

export function holds(operator: ComparisonOperator, left: bigint | number, right: bigint | number): boolean {
  switch (operator) {
    case 'eq':
      return left === right;
    case 'ne':
      return left !== right;
    case 'lt':
      return left < right;
    case 'le':
      return left <= right;
    case 'gt':
      return left > right;
    case 'ge':
      return left >= right;
  }
}

export function checkConditional(c: CheckState, node: Extract<Node, { kind: 'conditional' }>): Expression {
  const condition = toCondition(c, checkExpression(c, node.condition), node.condition.span);
  const then = node.then === undefined ? condition : decay(checkExpression(c, node.then));
  const otherwise = decay(checkExpression(c, node.else));
  if ([condition, then, otherwise].some((one) => one.type.kind === 'error')) return broken(node.span);
  const spans = { span: node.span, left: (node.then ?? node.condition).span, right: node.else.span };
  const type = branchType(c, then, otherwise, spans);
  if (type === undefined) return broken(node.span);
  const purpose = { name: 'the other branch', span: node.else.span };
  const [a, b] = isScalar(type) ? [convert(then, type), convert(otherwise, type)] : [then, assignTo(c, otherwise, type, purpose)];
  if (condition.kind === 'integer' && a.kind === 'integer' && b.kind === 'integer') return condition.value === 0n ? b : a;
  return { kind: 'conditional', condition, yes: a, no: b, type, at: place(node.span) };
}

function branchType(c: CheckState, left: Expression, right: Expression, spans: OperandSpans): YType | undefined {
  const [a, b] = [left.type, right.type];
  if ((a.kind === 'integer' || a.kind === 'float') && (b.kind === 'integer' || b.kind === 'float')) return commonType(a, b);
  if (a.kind === 'text' && b.kind === 'text') return { kind: 'text', capacity: Math.max(a.capacity, b.capacity) };
  if (a.kind === 'pointer' && b.kind === 'pointer') {
    if (mixedSpaces(c, left, right, spans) !== undefined) return undefined;
    return a.space === 'any' ? b : a;
  }
  if (a.kind === 'pointer' && right.kind === 'integer' && right.value === 0n) return a;
  if (b.kind === 'pointer' && left.kind === 'integer' && left.value === 0n) return b;
  if (a.kind === b.kind && (a.kind === 'void' || a.kind === 'stack')) return a;
  mistake(c, 'bad-operands', spans.span, `the two branches are of different types: \`${showType(a)}\` and \`${showType(b)}\``);
  return undefined;
}
