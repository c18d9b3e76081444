/** `printf` formats: pieces, and the values that the conversions take. */
import { strip } from '../../ctypes/index.ts';
import type { Format, FormatPiece } from '../ir/program.ts';
import type { Expression as Node, Span, StringLiteral } from '../syntax/index.ts';

import { convert, decay, promote, showType } from './convert.ts';
import { asText } from './operands.ts';

import { type CheckState, checkExpression, pardon, report, snippet, warn } from './state.ts';
import type { Expression } from './typed.ts';
import { DOUBLE, type YType } from './ytype.ts';

type Conversion = Exclude<FormatPiece, { readonly text: string }>;

const CONVERSION = /%(?:%|([-+ 0#]*)(\d+)?(?:\.(\d*))?(hh|h|ll|l|z|j|t)?([a-zA-Z*]))?/g;
const SIZES: Readonly<Record<string, 1 | 2 | 4 | 8>> = { hh: 1, h: 2, l: 8, ll: 8, z: 8, j: 8, t: 8 };
const VERBS = 'duxXocspefgi';
/** Wider fields than this are cut: a line of output is for reading. */
const WIDEST = 4096;

/** Splits a format. `\0` stands for nothing special. */
export function parseFormat(c: CheckState, literal: StringLiteral): FormatPiece[] | undefined {
  const pieces: FormatPiece[] = [];
  const { text } = literal;
  let [end, plain, good] = [0, '', true];
  for (const match of text.matchAll(CONVERSION)) {
    plain += text.slice(end, match.index);
    end = match.index + match[0].length;
    if (match[0] === '%%') {
      plain += '%';
      continue;
    }
    const piece = conversion(c, match, literal.span);
    if (piece === undefined) {
      good = false;
      continue;
    }
    if (plain !== '') pieces.push({ text: plain });
    plain = '';
    pieces.push(piece);
  }
  plain += text.slice(end);
  if (plain !== '') pieces.push({ text: plain });
  return good ? pieces : undefined;
}

function conversion(c: CheckState, match: RegExpMatchArray, span: Span): Conversion | undefined {
  const [whole, flags = '', width, precision, length, letter] = match;
  if (letter === undefined || !VERBS.includes(letter)) {
    const hint =
      letter === undefined
        ? 'write `%%` for a percent sign'
        : '`%d %u %x %o %c %s %p %e %f %g` are known; `%e` prints an enumerator by name';
    report(c, 'bad-format', span, letter === '*' ? 'a width cannot be an argument' : `\`${whole}\` is not a conversion`, hint);
    return undefined;
  }
  const verb = (letter === 'i' ? 'd' : letter) as Conversion['verb'];
  const size = verb === 'c' ? 1 : verb === 'p' ? 8 : length === undefined ? 4 : SIZES[length]!;
  return {
    verb,
    size: 'fg'.includes(verb) ? 8 : size,
    minus: flags.includes('-'),
    plus: flags.includes('+'),
    space: flags.includes(' '),
    zero: flags.includes('0'),
    alternate: flags.includes('#'),
    width: width === undefined ? undefined : Math.min(Number(width), WIDEST),
    precision: precision === undefined ? undefined : Math.min(Number(precision), WIDEST),
  };
}

export interface Formatted {
  readonly format: Format;
  readonly values: readonly Expression[];
}

/** A format and its arguments: each conversion takes one. */
export function checkFormat(c: CheckState, nodes: readonly Node[], span: Span, name: string): Formatted | undefined {
  const [first, ...rest] = nodes;
  if (first === undefined || first.kind !== 'string') {
    for (const node of nodes) checkExpression(c, node);
    report(
      c,
      'bad-format',
      first?.span ?? span,
      `\`${name}\` begins with a format in quotes`,
      first === undefined ? undefined : `write \`${name}("%s", …)\``,
    );
    return undefined;
  }
  const pieces = parseFormat(c, first);
  const given = rest.map((node) => ({ node, value: checkExpression(c, node) }));
  for (const { node, value } of given) if (value.kind === 'describe') pardon(c, node.span);
  if (pieces === undefined || given.some(({ value }) => value.type.kind === 'error')) return undefined;
  const conversions = pieces.filter((piece): piece is Conversion => 'verb' in piece);
  if (conversions.length !== given.length) {
    const message = `the format has ${count(conversions.length, 'conversion')}, and ${count(given.length, 'value')} ${given.length === 1 ? 'is' : 'are'} given`;
    report(c, 'format-count', span, message);
    return undefined;
  }
  const fitted = conversions.map((piece, index) => fit(c, piece, given[index]!.value, given[index]!.node.span));
  if (fitted.some((one) => one === undefined)) return undefined;
  let next = 0;
  const format = { pieces: pieces.map((piece) => ('verb' in piece ? fitted[next++]!.piece : piece)) };
  return { format, values: fitted.map((one) => one!.value) };
}

function count(number: number, what: string): string {
  return `${number === 0 ? 'no' : number} ${what}${number === 1 ? '' : 's'}`;
}

interface Fitted {
  readonly piece: Conversion;
  readonly value: Expression;
}

function fit(c: CheckState, piece: Conversion, value: Expression, span: Span): Fitted | undefined {
  if (piece.verb === 's') return fitText(c, piece, value, span);
  const plain = decay(value);
  const { type } = plain;
  if (piece.verb === 'e') return fitEnumerator(c, piece, plain, span);
  if (piece.verb === 'f' || piece.verb === 'g') {
    if (type.kind === 'float' || type.kind === 'integer') return { piece, value: convert(plain, DOUBLE) };
    return refuse(c, piece, type, span);
  }
  if (type.kind === 'pointer' || type.kind === 'stack') return { piece, value: plain };
  if (type.kind === 'float' && piece.verb === 'd') return refuse(c, piece, type, span, 'use `%f` or `%g`');
  if (type.kind === 'text') return refuse(c, piece, type, span, 'use `%s`');
  if (type.kind !== 'integer') return refuse(c, piece, type, span);
  if (type.size > piece.size && !fitsAnyway(plain, piece.size) && piece.verb !== 'c') {
    warn(
      c,
      'format-cut',
      span,
      `\`%${piece.verb}\` prints ${piece.size} of the 8 bytes of \`${snippet(c, span)}\``,
      `use \`%l${piece.verb}\``,
    );
  }
  return { piece, value: promote(plain) };
}

function fitsAnyway(value: Expression, size: number): boolean {
  return value.kind === 'integer' && BigInt.asIntN(size * 8, value.value) === value.value;
}

function fitEnumerator(c: CheckState, piece: Conversion, value: Expression, span: Span): Fitted | undefined {
  if (value.type.kind === 'float') return { piece, value };
  const type = value.type.kind === 'integer' ? strip(value.type.type) : undefined;
  if (type?.kind !== 'enum') return refuse(c, piece, value.type, span, '`%e` prints an enumerator by name or a double; use `%d`');
  return {
    piece,
    value: { kind: 'describe', operand: value, as: { kind: 'enum', type }, type: { kind: 'text', capacity: 128 }, at: value.at },
  };
}

function fitText(c: CheckState, piece: Conversion, value: Expression, span: Span): Fitted | undefined {
  if (value.type.kind === 'stack') {
    return {
      piece,
      value: { kind: 'describe', operand: value, as: { kind: 'stack' }, type: { kind: 'text', capacity: 128 }, at: value.at },
    };
  }
  if (value.kind === 'hex') return { piece: { ...piece, encoding: 'hex' }, value: value.text };
  const text = asText(value, piece.precision === undefined || piece.precision === 0 ? undefined : Math.max(piece.precision, 1));
  return text === undefined ? refuse(c, piece, value.type, span) : { piece, value: text };
}

function refuse(c: CheckState, piece: Conversion, type: YType, span: Span, hint?: string): undefined {
  const way = hint ?? (type.kind === 'integer' ? 'use `%d`' : type.kind === 'pointer' ? 'use `%p`' : undefined);
  report(c, 'format-type', span, `\`%${piece.verb}\` cannot print \`${snippet(c, span)}\` of type \`${showType(type)}\``, way);
  return undefined;
}

const PLAIN = { minus: false, plus: false, space: false, zero: false, alternate: false, width: undefined, precision: undefined };

/** How a value is printed without a format. Undefined when it cannot be. */
export function defaultPiece(value: Expression): { readonly piece: FormatPiece; readonly value: Expression } | undefined {
  const text = asText(value);
  if (value.kind === 'hex') return { piece: { ...PLAIN, verb: 's', size: 8, encoding: 'hex' }, value: value.text };
  if (text !== undefined) return { piece: { ...PLAIN, verb: 's', size: 8 }, value: text };
  const plain = decay(value);
  const { type } = plain;
  if (type.kind === 'stack') {
    return {
      piece: { ...PLAIN, verb: 's', size: 8 },
      value: { kind: 'describe', operand: plain, as: { kind: 'stack' }, type: { kind: 'text', capacity: 128 }, at: plain.at },
    };
  }
  if (type.kind === 'pointer') return { piece: { ...PLAIN, verb: 'p', size: 8 }, value: plain };
  if (type.kind === 'float') return { piece: { ...PLAIN, verb: 'g', size: 8 }, value: plain };
  if (type.kind !== 'integer') return undefined;
  const enumType = strip(type.type);
  if (enumType.kind === 'enum') {
    return {
      piece: { ...PLAIN, verb: 'e', size: 8 },
      value: {
        kind: 'describe',
        operand: plain,
        as: { kind: 'enum', type: enumType },
        type: { kind: 'text', capacity: 128 },
        at: plain.at,
      },
    };
  }
  return { piece: { ...PLAIN, verb: type.signed ? 'd' : 'u', size: 8 }, value: plain };
}
