/** Conditions and choices: where control goes. */
import type { ComparisonOperator, Expression, YType } from '../../check/index.ts';
import type { Operand, SourcePlace } from '../program.ts';
import { ZERO } from './builder.ts';
import { fresh, isFloat } from './compute.ts';
import { type Context, lowerEffect, lowerFloat, lowerNumber } from './context.ts';

/** A scalar as 0 or 1. */
export function truth(x: Context, e: Expression, operator: 'eq' | 'ne', at: SourcePlace): Operand {
  if (isFloat(e.type)) {
    const left = lowerFloat(x, e);
    const right = x.b.float();
    x.b.emit({ op: 'float', to: right, value: 0 }, at);
    return fresh(x, (to) => x.b.emit({ op: 'float-binary', to, operator, left, right }, at));
  }
  const left = lowerNumber(x, e);
  return fresh(x, (to) => x.b.emit({ op: 'binary', to, operator, left, right: ZERO }, at));
}

export function branches(x: Context, decide: (then: number, otherwise: number) => void, then: () => void, otherwise: () => void): void {
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

/** `_abs`, `_min2`, `_max2` as a comparison and a choice. The operands are computed once, into locals of the function. */
export function asChoice(e: Extract<Expression, { kind: 'absolute' | 'least' | 'greatest' }>): Choice {
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
export interface Choice {
  readonly operator: ComparisonOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly negated: boolean;
  readonly type: YType;
  readonly at: SourcePlace;
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
