/** What the built-ins share: making their expressions, taking their arguments. */
import type { CallExpression } from '../syntax/index.ts';
import { decay, showType } from './convert.ts';
import { type CheckState, checkExpression, mistake, place, snippet } from './state.ts';
import type { Expression } from './typed.ts';
import type { YType } from './ytype.ts';

export type Kind<T> = T extends Expression ? Omit<T, 'at' | 'type'> : never;

export function make(node: CallExpression, type: YType, kind: Kind<Expression>): Expression {
  return { ...kind, type, at: place(node.span) } as Expression;
}

/** Argument `index`, checked and decayed; undefined after a mistake. */
export function given(c: CheckState, node: CallExpression, index = 0): Expression | undefined {
  const value = decay(checkExpression(c, node.arguments[index]!));
  return value.type.kind === 'error' ? undefined : value;
}

export function wrongArgument(c: CheckState, node: CallExpression, index: number, wanted: string, type: YType, hint?: string): Expression {
  const { span } = node.arguments[index]!;
  return mistake(c, 'argument-type', span, `\`${snippet(c, node.callee.span)}\` takes ${wanted}, not \`${showType(type)}\``, hint);
}
