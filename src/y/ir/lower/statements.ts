/** Statements to blocks. */
import { assertNever } from '../../../base/index.ts';
import type { Statement } from '../../check/index.ts';
import type { BinaryOperator, KeyArgument, Operand, SourcePlace } from '../program.ts';
import { assignRecord } from './assignments.ts';
import { ZERO, constantOf } from './builder.ts';
import { emptyText } from './calls.ts';
import { lowerCondition } from './conditions.ts';
import { type Context, lowerEffect, lowerFloat, lowerNumber, lowerText } from './context.ts';
import { zeroRecord } from './places.ts';

export function lowerStatements(x: Context, statements: readonly Statement[]): void {
  for (const statement of statements) lowerStatement(x, statement);
}

function lowerStatement(x: Context, s: Statement): void {
  const { b } = x;
  const mark = b.mark();
  switch (s.kind) {
    case 'block':
      return lowerStatements(x, s.body);
    case 'expression':
      lowerEffect(x, s.expression);
      return b.release(mark);
    case 'declare':
      lowerDeclaration(x, s);
      return b.release(mark);
    case 'words':
      return lowerWords(x, s);
    case 'if':
      return lowerIf(x, s);
    case 'loop':
      return lowerLoop(x, s);
    case 'switch':
      return lowerSwitch(x, s);
    case 'label': {
      const block = x.labels.get(s.label)!;
      b.end({ op: 'jump', to: block });
      return b.enter(block);
    }
    case 'break':
    case 'continue':
      return lowerJump(x, s.kind);
    case 'return':
      lowerReturn(x, s);
      return b.release(mark);
    case 'foreach':
      return lowerForeach(x, s);
    case 'keys':
      return takeKeys(x, s.iterator, s.keys, s.at);
    case 'try':
      return lowerTry(x, s);
    default:
      return assertNever(s);
  }
}

type Of<K extends Statement['kind']> = Extract<Statement, { kind: K }>;

function lowerDeclaration(x: Context, { local, initial, at }: Of<'declare'>): void {
  const home = x.homes[local]!;
  const place = { kind: 'local', local, offset: 0, bits: undefined } as const;
  switch (home.kind) {
    case 'integer':
      return x.b.emit({ op: 'move', to: home.register, from: initial === undefined ? ZERO : lowerNumber(x, initial) }, at);
    case 'float':
      if (initial === undefined) return x.b.emit({ op: 'float', to: home.register, value: 0 }, at);
      return x.b.emit({ op: 'move', to: home.register, from: { register: lowerFloat(x, initial) } }, at);
    case 'text':
      if (initial === undefined) return x.b.emit({ op: 'copy-text', to: { local: home.text }, from: emptyText(x) }, at);
      lowerText(x, initial, { into: { local: home.text } });
      return;
    case 'object': {
      const size = x.b.objects[home.object]!;
      if (initial === undefined) return zeroRecord(x, place, size, at);
      return assignRecord(x, place, initial, size, at);
    }
  }
}

function lowerWords(x: Context, { local, words, at }: Of<'words'>): void {
  const home = x.homes[local]!;
  if (home.kind !== 'object') return;
  for (const word of words) {
    let value = lowerNumber(x, word.from);
    if (word.shift > 0) {
      const to = x.b.integer();
      x.b.emit({ op: 'binary', to, operator: 'lshr', left: value, right: constantOf(BigInt(word.shift * 8)) }, at);
      value = { register: to };
    }
    x.b.emit({ op: 'store-object', object: home.object, offset: word.offset, size: word.size, value }, at);
  }
}

function lowerIf(x: Context, s: Of<'if'>): void {
  const { b } = x;
  const [then, done] = [b.block(), b.block()];
  const otherwise = s.no.length === 0 ? done : b.block();
  const mark = b.mark();
  lowerCondition(x, s.condition, then, otherwise);
  b.release(mark);
  b.enter(then);
  lowerStatements(x, s.yes);
  b.end({ op: 'jump', to: done });
  if (otherwise !== done) {
    b.enter(otherwise);
    lowerStatements(x, s.no);
    b.end({ op: 'jump', to: done });
  }
  b.enter(done);
}

function lowerLoop(x: Context, s: Of<'loop'>): void {
  const { b } = x;
  const [head, body, next, done] = [b.block(), b.block(), b.block(), b.block()];
  b.end({ op: 'jump', to: s.bodyFirst ? body : head });
  b.enter(head);
  const mark = b.mark();
  if (s.condition === undefined) b.end({ op: 'jump', to: body });
  else lowerCondition(x, s.condition, body, done);
  b.release(mark);
  b.enter(body);
  x.loops.push({ done, next });
  lowerStatements(x, s.body);
  x.loops.pop();
  b.end({ op: 'jump', to: next });
  b.enter(next);
  if (s.step !== undefined) lowerEffect(x, s.step);
  b.release(mark);
  b.end({ op: 'jump', to: head });
  b.enter(done);
}

function lowerJump(x: Context, kind: 'break' | 'continue'): void {
  const loop = kind === 'break' ? x.loops.at(-1) : x.loops.findLast(({ next }) => next !== undefined);
  const to = kind === 'break' ? loop!.done : loop!.next!;
  x.b.end({ op: 'jump', to });
  x.b.enter(x.b.block());
}

function lowerSwitch(x: Context, s: Of<'switch'>): void {
  const { b } = x;
  const subject = b.integer();
  const signed = s.subject.type.kind === 'integer' && s.subject.type.signed;
  b.emit({ op: 'move', to: subject, from: lowerNumber(x, s.subject) }, s.at);
  const done = b.block();
  const blocks = new Map<number, number>();
  for (const statement of s.body) if (statement.kind === 'label') blocks.set(statement.label, b.block());
  const test = (operator: BinaryOperator, value: bigint): Operand => {
    const to = b.integer();
    b.emit({ op: 'binary', to, operator, left: { register: subject }, right: constantOf(value) }, s.at);
    return { register: to };
  };
  for (const { low, high, label } of s.labels) {
    const next = b.block();
    if (low !== high) {
      const middle = b.block();
      b.branch(test(signed ? 'sge' : 'uge', low), middle, next);
      b.enter(middle);
    }
    const condition = low === high ? test('eq', low) : test(signed ? 'sle' : 'ule', high);
    b.branch(condition, blocks.get(label)!, next);
    b.enter(next);
  }
  b.end({ op: 'jump', to: s.otherwise === undefined ? done : blocks.get(s.otherwise)! });
  const outer = x.labels;
  x.labels = blocks;
  x.loops.push({ done, next: undefined });
  b.enter(b.block());
  lowerStatements(x, s.body);
  x.loops.pop();
  x.labels = outer;
  b.end({ op: 'jump', to: done });
  b.enter(done);
}

function lowerReturn(x: Context, s: Of<'return'>): void {
  let value: KeyArgument | undefined;
  if (s.value !== undefined) {
    const { kind } = s.value.type;
    if (kind === 'text') value = { text: lowerText(x, s.value) };
    else value = kind === 'float' ? { register: lowerFloat(x, s.value) } : lowerNumber(x, s.value);
  }
  x.b.end({ op: 'return', value });
  x.b.enter(x.b.block());
}

function takeKeys(x: Context, iterator: number, keys: readonly number[], at: SourcePlace): void {
  keys.forEach((local, index) => {
    const home = x.homes[local]!;
    if (home.kind === 'text') x.b.emit({ op: 'iterator-key', to: { local: home.text }, iterator, index }, at);
    else if (home.kind === 'integer') x.b.emit({ op: 'iterator-key', to: home.register, iterator, index }, at);
  });
}

function lowerForeach(x: Context, s: Of<'foreach'>): void {
  const { b } = x;
  const limit = s.limit && lowerNumber(x, s.limit);
  b.emit({ op: 'iterate', iterator: s.iterator, array: s.array, order: s.order, limit }, s.at);
  const [head, body, done] = [b.block(), b.block(), b.block()];
  b.end({ op: 'jump', to: head });
  b.enter(head);
  b.end({ op: 'next', iterator: s.iterator, body, done });
  b.enter(body);
  takeKeys(x, s.iterator, s.keys, s.at);
  x.loops.push({ done, next: head });
  lowerStatements(x, s.body);
  x.loops.pop();
  b.end({ op: 'jump', to: head });
  b.enter(done);
}

/** A failed read in the body goes on in the handler. */
function lowerTry(x: Context, s: Of<'try'>): void {
  const { b } = x;
  const [handler, done] = [b.block(), b.block()];
  const outer = b.onFail;
  b.onFail = handler;
  lowerStatements(x, s.body);
  b.onFail = outer;
  b.end({ op: 'jump', to: done });
  b.enter(handler);
  lowerStatements(x, s.handler);
  b.end({ op: 'jump', to: done });
  b.enter(done);
}
