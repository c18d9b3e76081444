/** Texts: each expression of type `_str` to the place that holds it. */
import type { Expression } from '../../check/index.ts';
import type { InstructionKind, SourcePlace, TextPlace } from '../program.ts';
import { lowerCall } from './calls.ts';
import { lowerCondition } from './conditions.ts';
import { type Context, type Wanted, lowerEffect, lowerNumber, lowerText } from './context.ts';
import { addressValue, lowerAddress, pin, textHome } from './places.ts';

/** Gives the place of a text: its own, `into` when wanted, or a temporary one. */
export function textRule(x: Context, e: Expression, wanted: Wanted): TextPlace {
  const own = ownPlace(x, e);
  if (own === undefined) return makeText(x, e, wanted);
  if (wanted.into === undefined) return own;
  x.b.emit({ op: 'copy-text', to: wanted.into, from: own }, e.at);
  return wanted.into;
}

function ownPlace(x: Context, e: Expression): TextPlace | undefined {
  if (e.kind === 'literal') return { literal: x.tables.literal(e.bytes) };
  return e.kind === 'load' ? textHome(x, e.place) : undefined;
}

function capacityOf(e: Expression, wanted: Wanted): number {
  const own = e.type.kind === 'text' ? e.type.capacity : 128;
  // Only what reads has no natural length: it takes as much as the reader can use.
  return e.kind === 'read-text' && wanted.capacity !== undefined ? Math.max(own, wanted.capacity) : own;
}

function makeText(x: Context, e: Expression, wanted: Wanted): TextPlace {
  const target = (): TextPlace => wanted.into ?? x.b.temporaryText(capacityOf(e, wanted));
  const done = (to: TextPlace, instruction: InstructionKind): TextPlace => {
    x.b.emit(instruction, e.at);
    return to;
  };
  switch (e.kind) {
    case 'load':
      return loadText(x, e, target());
    case 'read-text': {
      const length = e.length && lowerNumber(x, e.length);
      const place = { kind: 'remote', address: e.address, offset: 0, bits: undefined, space: e.space, origin: undefined } as const;
      const address = addressValue(x, lowerAddress(x, place), e.at);
      const to = target();
      return done(to, { op: 'read-text', to, space: e.space, address, length, onFail: x.b.onFail });
    }
    case 'text-builtin': {
      const to = target();
      return done(to, { op: 'builtin-text', to, name: e.name });
    }
    case 'concatenate': {
      const [left, right] = [lowerText(x, e.left), lowerText(x, e.right)];
      const to = target();
      return done(to, { op: 'concatenate', to, left, right });
    }
    case 'substring': {
      const from = lowerText(x, e.text);
      const [start, length] = [lowerNumber(x, e.start), lowerNumber(x, e.length)];
      const to = target();
      return done(to, { op: 'substring', to, from, start, length });
    }
    case 'describe': {
      const from = lowerNumber(x, e.operand);
      const to = target();
      return done(to, { op: 'describe', to, from, as: e.as });
    }
    case 'call':
      return lowerCall(x, e, target()) as TextPlace;
    case 'conditional':
      return chooseText(x, e, target());
    case 'comma':
      lowerEffect(x, e.left);
      return lowerText(x, e.right, wanted);
    case 'assign':
    case 'compound':
      return assignText(x, e);
    case 'hex':
      return lowerText(x, e.text, wanted);
    default:
      throw new Error(`Bug: ${e.kind} is no text`);
  }
}

function loadText(x: Context, e: Extract<Expression, { kind: 'load' }>, to: TextPlace): TextPlace {
  const place = pin(x, e.place);
  if (place.kind === 'element') x.b.emit({ op: 'array-load-text', to, array: place.array, keys: place.keys }, e.at);
  if (place.kind === 'context') x.b.emit({ op: 'context-text', to, offset: place.offset, size: place.size, dataLoc: place.dataLoc }, e.at);
  return to;
}

function chooseText(x: Context, e: Extract<Expression, { kind: 'conditional' }>, to: TextPlace): TextPlace {
  const [then, otherwise, done] = [x.b.block(), x.b.block(), x.b.block()];
  lowerCondition(x, e.condition, then, otherwise);
  for (const [block, side] of [
    [then, e.yes],
    [otherwise, e.no],
  ] as const) {
    x.b.enter(block);
    lowerText(x, side, { into: to });
    x.b.end({ op: 'jump', to: done });
  }
  x.b.enter(done);
  return to;
}

/** `s = t` and `s += t`; the text of the place is the value. */
export function assignText(x: Context, e: Extract<Expression, { kind: 'assign' | 'compound' }>): TextPlace {
  const home = textHome(x, e.place);
  const value: Expression =
    e.kind === 'assign'
      ? e.value
      : { kind: 'concatenate', left: { kind: 'load', place: e.place, type: e.type, at: e.at }, right: e.operand, type: e.type, at: e.at };
  if (home !== undefined) {
    const direct = value.kind === 'read-text' || value.kind === 'text-builtin' || value.kind === 'call' || value.kind === 'describe';
    if (direct) return lowerText(x, value, { into: home });
    return copy(x, home, lowerText(x, value), e.at);
  }
  const place = pin(x, e.place);
  const text = lowerText(x, value, { capacity: e.type.kind === 'text' ? e.type.capacity : undefined });
  if (place.kind === 'element') x.b.emit({ op: 'array-store-text', array: place.array, keys: place.keys, value: text }, e.at);
  return text;
}

function copy(x: Context, to: TextPlace, from: TextPlace, at: SourcePlace): TextPlace {
  x.b.emit({ op: 'copy-text', to, from }, at);
  return to;
}
