/** Calls of the script's functions. */
import type { Expression } from '../../check/index.ts';
import type { KeyArgument, Operand, TextPlace } from '../program.ts';
import { ZERO } from './builder.ts';
import { isFloat } from './compute.ts';
import { type Context, lowerFloat, lowerNumber, lowerText, parameterOrder } from './context.ts';

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
  const onFail = x.b.onFail === undefined ? {} : { onFail: x.b.onFail };
  x.b.emit({ op: 'call', to, function: e.function, arguments: order.map((index) => values[index]!), ...onFail }, e.at);
  return into ?? (typeof to === 'number' ? { register: to } : ZERO);
}

export function emptyText(x: Context): TextPlace {
  return { literal: x.tables.literal(new Uint8Array()) };
}
