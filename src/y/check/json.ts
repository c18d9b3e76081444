/** `_json(v)`: one line with a value as JSON; a record as an object of its fields, an array as a list. */
import { type CType, type RecordType, sizeOf, strip } from '../../ctypes/index.ts';
import type { FormatPiece } from '../ir/program.ts';
import type { CallExpression, Span } from '../syntax/index.ts';
import { decay, showType, toY } from './convert.ts';
import { defaultPiece } from './format.ts';
import { asText } from './operands.ts';
import { remote } from './places.ts';
import { type CheckState, broken, checkExpression, mistake, place, snippet } from './state.ts';
import type { Expression, Place } from './typed.ts';

/** Nested records deeper than this are left out. */
const DEEPEST = 4;
/** Of a longer array the first so many elements are written. */
const MOST_ELEMENTS = 64;

export function json(c: CheckState, node: CallExpression): Expression {
  const [argument] = node.arguments;
  const value = checkExpression(c, argument!);
  if (value.type.kind === 'error') return broken(node.span);
  const pieces: FormatPiece[] = [];
  const values: Expression[] = [];
  const good = write(c, value, argument!.span, { pieces, values }, 0);
  if (!good)
    return mistake(
      c,
      'format-type',
      argument!.span,
      `\`${snippet(c, argument!.span)}\` of type \`${showType(value.type)}\` has no form in JSON`,
    );
  pieces.push({ text: '\n' });
  return { kind: 'print', stream: 'out', format: { pieces: joined(pieces) }, values, type: { kind: 'void' }, at: place(node.span) };
}

interface Out {
  readonly pieces: FormatPiece[];
  readonly values: Expression[];
}

function write(c: CheckState, value: Expression, span: Span, out: Out, depth: number): boolean {
  const { type } = value;
  const text = asText(value);
  if (text === undefined && value.kind === 'load' && (type.kind === 'struct' || type.kind === 'remote') && type.type.kind === 'record') {
    return depth < DEEPEST && writeRecord(c, value.place, type.type, span, out, depth);
  }
  if (text === undefined && value.kind === 'load' && type.kind === 'remote' && type.type.kind === 'array')
    return depth < DEEPEST && writeArray(c, value.place, type.type, span, out, depth);
  const plain = text ?? decay(value);
  const printed = defaultPiece(plain);
  if (printed === undefined || !('verb' in printed.piece)) return false;
  const { piece } = printed;
  if (piece.verb === 'p') out.pieces.push({ ...piece, verb: 'u' });
  else out.pieces.push(piece.verb === 's' || piece.verb === 'e' ? { ...piece, verb: 's', encoding: 'json' } : piece);
  out.values.push(printed.value);
  return true;
}

/** Bit-fields, scalars, texts, arrays and nested records; what has no form in JSON is left out. */
function writeRecord(c: CheckState, from: Place, record: RecordType, span: Span, out: Out, depth: number): boolean {
  let first = true;
  out.pieces.push({ text: '{' });
  for (const member of record.members) {
    if (member.name === undefined || strip(member.type).kind === 'function') continue;
    const value = part(c, from, member.offset, member.type, span, member.bits);
    const before = [out.pieces.length, out.values.length] as const;
    out.pieces.push({ text: `${first ? '' : ','}${JSON.stringify(member.name)}:` });
    if (value.type.kind !== 'error' && write(c, value, span, out, depth + 1)) first = false;
    else [out.pieces.length, out.values.length] = before;
  }
  out.pieces.push({ text: '}' });
  return true;
}

function writeArray(c: CheckState, from: Place, array: Extract<CType, { kind: 'array' }>, span: Span, out: Out, depth: number): boolean {
  const size = sizeOf(array.element);
  if (array.length === undefined || size === undefined) return false;
  out.pieces.push({ text: '[' });
  for (let index = 0; index < Math.min(array.length, MOST_ELEMENTS); index++) {
    if (index > 0) out.pieces.push({ text: ',' });
    const value = part(c, from, index * size, array.element, span, undefined);
    if (value.type.kind === 'error' || !write(c, value, span, out, depth + 1)) return false;
  }
  out.pieces.push({ text: ']' });
  return true;
}

/** What lies `offset` bytes behind the beginning of a place. */
function part(
  c: CheckState,
  from: Place,
  offset: number,
  type: CType,
  span: Span,
  bits: RecordType['members'][number]['bits'],
): Expression {
  const inner: Place = { ...from, offset: ('offset' in from ? from.offset : 0) + offset, bits } as Place;
  return inner.kind === 'remote' ? remote(c, inner, type, span) : { kind: 'load', place: inner, type: structField(type), at: place(span) };
}

function structField(type: RecordType['members'][number]['type']): Expression['type'] {
  const bare = strip(type);
  return bare.kind === 'record' ? { kind: 'struct', type: bare, space: 'user' } : toY(type, 'user');
}

function joined(pieces: readonly FormatPiece[]): FormatPiece[] {
  const result: FormatPiece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (last !== undefined && 'text' in last && 'text' in piece) result[result.length - 1] = { text: last.text + piece.text };
    else result.push(piece);
  }
  return result;
}
