/** What is done for its effect. */
import type { Expression } from '../../check/index.ts';
import type { KeyArgument, SourcePlace, TextPlace } from '../program.ts';
import { lowerAssign, lowerCompound } from './assignments.ts';
import { ZERO } from './builder.ts';
import { emptyText, lowerCall } from './calls.ts';
import { branches, lowerCondition } from './conditions.ts';
import { type Context, lowerEffect, lowerFloat, lowerNumber, lowerText } from './context.ts';
import { lowerChart, lowerPrint } from './output.ts';
import { lowerAggregate, lowerKeys, pin, zeroRecord } from './places.ts';
import { assignText } from './texts.ts';

/** An expression for what it does. */
export function effectRule(x: Context, e: Expression): void {
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
