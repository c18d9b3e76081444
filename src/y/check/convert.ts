/** Conversions between types: what C does by itself, what it does on request, and what is refused. */
import { type CType, spell, strip } from '../../ctypes/index.ts';
import type { Space } from '../ir/program.ts';
import type { Span } from '../syntax/index.ts';
import { isChar, pointerTo, sameType } from './ctype-tools.ts';

import { type CheckState, mistake, place, report, snippet, warn } from './state.ts';
import type { Expression, RemotePlace } from './typed.ts';
import {
  BOOL,
  DOUBLE,
  ERROR,
  INT,
  type IntegerY,
  LONG,
  type PointerY,
  UNSIGNED_INT,
  UNSIGNED_LONG,
  VOID,
  VOID_TYPE,
  type YType,
} from './ytype.ts';

/** The static type of a value of C type `type` found in `space`. */
export function toY(type: CType, space: Space): YType {
  const bare = strip(type);
  switch (bare.kind) {
    case 'void':
      return VOID;
    case 'integer':
      if (bare.size === 16) return ERROR;
      return { kind: 'integer', size: bare.size, signed: bare.signed, bool: bare.role === 'bool', type };
    case 'enum':
      return { kind: 'integer', size: bare.size, signed: bare.signed, bool: false, type };
    case 'float':
      return bare.size === 4 || bare.size === 8 ? { kind: 'float', size: bare.size, type } : ERROR;
    case 'pointer':
      return { kind: 'pointer', space, target: bare.target };
    case 'array':
    case 'record':
      return { kind: 'remote', type: bare, space };
    case 'function':
      return { kind: 'function', type: bare };
  }
}

/** The C type that an expression's type stands for; undefined for what C has not. */
export function toC(type: YType): CType | undefined {
  switch (type.kind) {
    case 'integer':
    case 'float':
    case 'struct':
    case 'remote':
    case 'function':
      return type.type;
    case 'pointer':
      return pointerTo(type.target);
    case 'void':
      return VOID_TYPE;
    default:
      return undefined;
  }
}

/** As a user reads it: `struct conn *`, `_str`. */
export function showType(type: YType): string {
  if (type.kind === 'text') return '_str';
  if (type.kind === 'stack') return '_bt';
  if (type.kind === 'aggregate') return '_agg';
  const c = toC(type);
  return c === undefined ? 'unknown' : spell(c);
}

export function showSpace(space: Space | 'any'): string {
  return space === 'kernel' ? "the kernel's memory" : "the target's memory";
}

/** Arrays become pointers and functions their addresses, as C has it for every value that is used. */
export function decay(e: Expression): Expression {
  if (e.kind !== 'load' || e.type.kind !== 'remote' || e.type.type.kind !== 'array') return e;
  const { space, type } = e.type;
  return addressOf(e.place as RemotePlace, { kind: 'pointer', space, target: type.element }, e);
}

export function addressOf(remote: RemotePlace, type: PointerY, at: Pick<Expression, 'at'>): Expression {
  return { kind: 'address', place: remote, type, at: at.at };
}

export function constant(value: bigint, type: YType, at: Pick<Expression, 'at'>): Expression {
  return { kind: 'integer', value: wrap(value, type), type, at: at.at };
}

/** The value that an integer of this type keeps of `value`. */
export function wrap(value: bigint, type: YType): bigint {
  if (type.kind === 'integer') {
    if (type.bool) return value === 0n ? 0n : 1n;
    return type.signed ? BigInt.asIntN(type.size * 8, value) : BigInt.asUintN(type.size * 8, value);
  }
  return type.kind === 'pointer' ? BigInt.asUintN(64, value) : value;
}

/** Writes the conversion out; constants are converted at once. Both types must be scalars that C converts. */
export function convert(e: Expression, type: YType): Expression {
  if (sameScalar(e.type, type)) return { ...e, type };
  if (e.kind === 'integer' && (type.kind === 'integer' || type.kind === 'pointer')) return constant(e.value, type, e);
  if (e.kind === 'integer' && type.kind === 'float') return { kind: 'float', value: Number(e.value), type, at: e.at };
  if (e.kind === 'float' && type.kind === 'float') return { ...e, type };
  if (e.kind === 'float' && type.kind === 'integer' && Number.isFinite(e.value)) {
    // To `bool` any number but zero is true, 0.5 too.
    return constant(type.bool ? (e.value === 0 ? 0n : 1n) : BigInt(Math.trunc(e.value)), type, e);
  }
  return { kind: 'convert', operand: e, type, at: e.at };
}

function sameScalar(a: YType, b: YType): boolean {
  if (a.kind === 'integer' && b.kind === 'integer') return a.size === b.size && a.signed === b.signed && a.bool === b.bool;
  if (a.kind === 'pointer') return b.kind === 'pointer' || (b.kind === 'integer' && b.size === 8 && !b.bool && !b.signed);
  // A load is of the size of its type: a `float` must not become a `double` by its name alone.
  if (a.kind === 'float' && b.kind === 'float') return a.size === b.size;
  return a.kind === b.kind && a.kind !== 'integer';
}

/** C11 6.3.1.1: what is smaller than `int` becomes `int`. */
export function promote(e: Expression): Expression {
  if (e.type.kind !== 'integer') return e;
  if (e.type.size < 4) return convert(e, INT);
  if (strip(e.type.type).kind !== 'enum') return e;
  return { ...e, type: bySize(e.type.size, e.type.signed) };
}

function bySize(size: number, signed: boolean): IntegerY {
  if (size === 8) return signed ? LONG : UNSIGNED_LONG;
  return signed ? INT : UNSIGNED_INT;
}

/** C11 6.3.1.8: the type in which two numbers are computed. */
export function commonType(left: YType, right: YType): YType {
  if (left.kind === 'float' || right.kind === 'float') return DOUBLE;
  if (left.kind !== 'integer' || right.kind !== 'integer') return ERROR;
  const size = Math.max(left.size, right.size, 4);
  const unsigned = (side: IntegerY) => !side.signed && side.size === size;
  if (left.size === right.size && left.signed === right.signed && left.size >= 4) return left;
  return bySize(size, !(unsigned(left) || unsigned(right)));
}

export function isScalar(type: YType): boolean {
  return type.kind === 'integer' || type.kind === 'float' || type.kind === 'pointer';
}

/** A value as a condition: anything that can be compared with zero; a `_str` is true unless empty. */
export function toCondition(c: CheckState, e: Expression, span: Span): Expression {
  const value = decay(e);
  if (value.type.kind === 'text') {
    return convert({ kind: 'text-length', text: value, type: UNSIGNED_LONG, at: value.at }, BOOL);
  }
  if (isScalar(value.type) || value.type.kind === 'error') return value;
  return mistake(
    c,
    'not-a-condition',
    span,
    `\`${snippet(c, span)}\` is of type \`${showType(value.type)}\`, which is neither true nor false`,
  );
}

export interface Purpose {
  /** What the value becomes, for messages: "`n`", "key 2 of `calls`". */
  readonly name: string;
  readonly span: Span;
}

/** Converts as an assignment does; says what is wrong when C would not, or when memory spaces are mixed. */
export function assignTo(c: CheckState, e: Expression, type: YType, purpose: Purpose): Expression {
  const value = decay(e);
  const from = value.type;
  if (from.kind === 'error' || type.kind === 'error') return { ...value, type: ERROR };
  if (type.kind === 'pointer') return toPointer(c, value, type, purpose);
  if (type.kind === 'integer' && from.kind === 'pointer' && !type.bool && type.size !== 8) {
    const hint = `cast it: \`(${showType(type)})${snippet(c, purpose.span)}\``;
    return mistake(c, 'type-mismatch', purpose.span, `a pointer does not fit ${purpose.name} of type \`${showType(type)}\``, hint);
  }
  if ((type.kind === 'integer' || type.kind === 'float') && isScalar(from) && !(type.kind === 'float' && from.kind === 'pointer')) {
    return convert(value, type);
  }
  if (type.kind === 'text' && from.kind === 'text') return value;
  if (type.kind === 'stack' && from.kind === 'stack') return value;
  if (type.kind === 'struct') {
    const record = from.kind === 'struct' || from.kind === 'remote' ? from.type : undefined;
    if (record !== undefined && sameType(record, type.type)) return value;
  }
  return mismatch(c, value, type, purpose);
}

function mismatch(c: CheckState, e: Expression, type: YType, purpose: Purpose): Expression {
  const chars = e.type.kind === 'pointer' && isChar(e.type.target);
  let hint: string | undefined;
  if (type.kind === 'text' && chars) hint = `\`_ustr(${snippet(c, purpose.span)})\` reads the text it points to`;
  const message = `${purpose.name} takes \`${showType(type)}\`, not \`${showType(e.type)}\``;
  return mistake(c, 'type-mismatch', purpose.span, message, hint);
}

function toPointer(c: CheckState, e: Expression, type: PointerY, purpose: Purpose): Expression {
  const from = e.type;
  if (from.kind === 'pointer') {
    if (from.space !== type.space && from.space !== 'any' && type.space !== 'any') {
      const message = `\`${snippet(c, purpose.span)}\` points into ${showSpace(from.space)}, but ${purpose.name} points into ${showSpace(type.space)}`;
      const way = type.space === 'kernel' ? '_kernel' : '_user';
      return mistake(c, 'space-mix', purpose.span, message, `\`${way}(${showType(type)}, …)\` states the memory that an address is in`);
    }
    const loose = strip(from.target).kind === 'void' || strip(type.target).kind === 'void';
    if (!loose && !sameType(from.target, type.target)) {
      warn(
        c,
        'pointer-types',
        purpose.span,
        `${purpose.name} takes \`${showType(type)}\`, and this is \`${showType(from)}\``,
        `cast it: \`(${showType(type)})…\``,
      );
    }
    return { ...e, type };
  }
  if (e.kind === 'integer' && e.value === 0n) return constant(0n, type, e);
  if (e.kind === 'literal' && isChar(type.target)) return literalAddress(c, e.bytes, type, purpose.span);
  if (from.kind !== 'integer') return mismatch(c, e, type, purpose);
  const hint = `cast it: \`(${showType(type)})${snippet(c, purpose.span)}\``;
  return mistake(
    c,
    'type-mismatch',
    purpose.span,
    `${purpose.name} takes \`${showType(type)}\`, not the number \`${snippet(c, purpose.span)}\``,
    hint,
  );
}

/** The first equal literal in the target's read-only data. */
function literalAddress(c: CheckState, bytes: Uint8Array, type: PointerY, span: Span): Expression {
  const at = { at: place(span) };
  const address = type.space === 'kernel' ? undefined : c.knowledge.findLiteral(bytes);
  if (address !== undefined) return { kind: 'target-literal', bytes, address, type, at: at.at };
  const shown = JSON.stringify(new TextDecoder().decode(bytes));
  report(
    c,
    'no-literal',
    span,
    `the target's read-only data has no text ${shown}`,
    `compare what the pointer points to: \`_ustr(p) == ${shown}\``,
  );
  return { ...constant(0n, type, at), type: ERROR };
}

/** An explicit cast. A pointer keeps its space; a number becomes a pointer into `space`. */
export function cast(c: CheckState, e: Expression, type: YType, span: Span): Expression {
  const value = decay(e);
  const from = value.type;
  if (from.kind === 'error' || type.kind === 'error') return { ...value, type: ERROR };
  if (type.kind === 'void') return { kind: 'comma', left: value, right: constant(0n, INT, value), type: VOID, at: value.at };
  if (type.kind === 'pointer' && from.kind === 'pointer')
    return { ...value, type: { ...type, space: from.space === 'any' ? type.space : from.space } };
  if (type.kind === 'pointer' && value.kind === 'literal') return literalAddress(c, value.bytes, type, span);
  if (type.kind === 'pointer' && from.kind === 'integer') return convert(convert(value, UNSIGNED_LONG), type);
  if ((type.kind === 'integer' || type.kind === 'float') && isScalar(from) && !(type.kind === 'float' && from.kind === 'pointer')) {
    return convert(value, type);
  }
  if ((type.kind === 'integer' && from.kind === 'stack') || (type.kind === 'text' && from.kind === 'text')) return { ...value, type };
  return mistake(c, 'bad-cast', span, `\`${showType(from)}\` cannot be cast to \`${showType(type)}\``);
}
