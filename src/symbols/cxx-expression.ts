/** Expressions within template arguments and `decltype`. Source: Itanium C++ ABI, 5.1.6; spelling as libiberty's. */
import { resolved, text, type CxxExpressions, type CxxNode } from './cxx-nodes.ts';
import { NotMangled } from './not-mangled.ts';
import { LITERAL_SUFFIXES, OPERATORS } from './cxx-tables.ts';

const operand = (node: CxxNode): CxxNode => ({ kind: 'operand', node });
const parts = (...items: readonly (string | CxxNode)[]): CxxNode => ({ kind: 'parts', parts: items });
const list = (items: readonly CxxNode[]): CxxNode => ({ kind: 'list', items });

/** Reads one expression. */
export function parseExpression(parser: CxxExpressions): CxxNode {
  return parser.deeper(() => expression(parser));
}

function expression(parser: CxxExpressions): CxxNode {
  const { reader } = parser;
  const first = reader.peek();
  if (first === 'L') return parseLiteral(parser);
  if (first === 'T') return parser.templateParameter();
  if (reader.take('sp')) return { kind: 'expansion', pattern: parseExpression(parser) };
  if (reader.peek() === 'f' && /^[pL]$/.test(reader.peek(1))) return functionParameter(parser);
  if (/^\d$/.test(first) || reader.take('on')) return unresolvedName(parser);
  if (reader.take('sr')) return scopedName(parser);
  if (/^f[lrLR]/.test(first + reader.peek(1))) return fold(parser);
  if (reader.take('il')) return parts('{', list(expressionsUntilEnd(parser)), '}');
  if (reader.take('tl')) {
    const type = parser.type();
    return parts(type, '{', list(expressionsUntilEnd(parser)), '}');
  }
  const isGlobal = reader.take('gs');
  const code = reader.peek() + reader.peek(1);
  if (code === 'cv') return conversion(parser);
  const operator = OPERATORS[code];
  if (!operator) throw new NotMangled(`expression ${code} is not known`);
  reader.at += 2;
  const found = operation(parser, code, operator);
  return isGlobal ? parts('::', found) : found;
}

/** `L type value E`, or `L_Z name E`. */
export function parseLiteral(parser: CxxExpressions): CxxNode {
  const { reader } = parser;
  reader.expect('L');
  if (reader.take('_Z') || reader.take('Z')) {
    const name = parser.separateEncoding();
    reader.expect('E');
    return name;
  }
  const code = reader.peek();
  const type = parser.type();
  const end = reader.text.indexOf('E', reader.at);
  if (end < 0) throw new NotMangled('a literal has no end');
  const value = reader.text.slice(reader.at, end).replace(/^n/, '-');
  reader.at = end + 1;
  if (code === 'b' && (value === '0' || value === '1')) return text(value === '1' ? 'true' : 'false');
  const suffix = LITERAL_SUFFIXES[code];
  if (suffix !== undefined) return text(value + suffix);
  // Floating-point values are the bytes in hexadecimal, which nobody reads as a number.
  return parts('(', type, ')', /^[fde]$/.test(code) ? `[${value}]` : value);
}

function expressionsUntilEnd(parser: CxxExpressions): CxxNode[] {
  const found: CxxNode[] = [];
  while (!parser.reader.take('E')) found.push(parseExpression(parser));
  return found;
}

/** `fp_`, `fp0_`, `fL0p_`; `fpT` is `this`. */
function functionParameter(parser: CxxExpressions): CxxNode {
  const { reader } = parser;
  reader.next();
  if (reader.take('pT')) return text('this', true);
  if (reader.take('L')) reader.number();
  reader.expect('p');
  while (/^[rVK]$/.test(reader.peek())) reader.next();
  return text(`{parm#${reader.discriminatedIndex() + 1}}`, true);
}

function unresolvedName(parser: CxxExpressions): CxxNode {
  const name = parser.unqualifiedName(undefined);
  return parser.reader.peek() === 'I' ? { kind: 'template', name, args: parser.templateArgs(false) } : name;
}

/** `sr type name`, or the newer `srN type parts E name`. */
function scopedName(parser: CxxExpressions): CxxNode {
  const { reader } = parser;
  const hasParts = reader.take('N');
  let scope = parser.type();
  if (hasParts) while (!reader.take('E')) scope = { kind: 'nested', scope, name: unresolvedName(parser) };
  reader.take('on');
  return { kind: 'nested', scope, name: unresolvedName(parser) };
}

function fold(parser: CxxExpressions): CxxNode {
  const { reader } = parser;
  reader.next();
  const form = reader.next();
  const operator = OPERATORS[reader.next() + reader.next()]?.[0];
  if (operator === undefined) throw new NotMangled('a fold has no operator');
  const first = parseExpression(parser);
  if (form === 'l') return parts('(...', operator, operand(first), ')');
  if (form === 'r') return parts('(', operand(first), operator, '...)');
  return parts('(', operand(first), operator, '...', operator, operand(parseExpression(parser)), ')');
}

function conversion(parser: CxxExpressions): CxxNode {
  const { reader } = parser;
  reader.at += 2;
  const type = parser.type();
  if (!reader.take('_')) return parts('(', type, ')', operand(parseExpression(parser)));
  return parts('(', type, ')(', list(expressionsUntilEnd(parser)), ')');
}

function operation(parser: CxxExpressions, code: string, [spelled, operands]: readonly [string, number]): CxxNode {
  const { reader } = parser;
  if (code === 'st' || code === 'at' || code === 'ti') return parts(spelled, '(', parser.type(), ')');
  if (code === 'sZ') {
    const pack = resolved(parseExpression(parser));
    return pack.kind === 'pack' ? text(String(pack.items.length)) : parts('sizeof...(', pack, ')');
  }
  if (code === 'sP') return parts('sizeof...(', list(expressionsUntilEnd(parser)), ')');
  if (code === 'cl') {
    const callee = parseExpression(parser);
    const name = callee.kind === 'encoding' ? callee.name : callee;
    return parts(name.kind === 'template' ? name : operand(name), '(', list(expressionsUntilEnd(parser)), ')');
  }
  if (code === 'nw' || code === 'na') return creation(parser, spelled);
  if (/^[crsd]c$/.test(code)) {
    const type = parser.type();
    return parts(`${spelled}<`, type, '>(', parseExpression(parser), ')');
  }
  if (code === 'dt' || code === 'pt') {
    const object = parseExpression(parser);
    return parts(operand(object), spelled, parseExpression(parser));
  }
  if (operands === 0) return text(spelled);
  if (operands === 1) {
    if (code === 'pp' || code === 'mm')
      return reader.take('_') ? parts(spelled, operand(parseExpression(parser))) : parts(operand(parseExpression(parser)), spelled);
    const only = parseExpression(parser);
    // The address of a member needs no parameters to be told.
    if (code === 'ad' && only.kind === 'encoding') return parts('&', only.name.kind === 'nested' ? only.name : operand(only));
    return parts(spelled, operand(only));
  }
  const first = parseExpression(parser);
  const second = parseExpression(parser);
  if (code === 'ix') return parts(operand(first), '[', second, ']');
  if (operands === 3) return parts(operand(first), '?', operand(second), ' : ', operand(parseExpression(parser)));
  const both = parts(operand(first), spelled, operand(second));
  return code === 'gt' ? parts('(', both, ')') : both;
}

function creation(parser: CxxExpressions, spelled: string): CxxNode {
  const { reader } = parser;
  const placement: CxxNode[] = [];
  while (!reader.take('_')) placement.push(parseExpression(parser));
  const type = parser.type();
  const head = placement.length > 0 ? parts(spelled, ' (', list(placement), ') ', type) : parts(spelled, ' ', type);
  if (reader.take('E')) return head;
  reader.expect('pi');
  return parts(head, '(', list(expressionsUntilEnd(parser)), ')');
}
