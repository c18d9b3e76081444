/** Expressions: one node of the syntax tree to one of the typed tree. Never throws; a mistake gives an expression of type `error`. */
import { assertNever } from '../../base/index.ts';
import { sizeOf, spell, strip } from '../../ctypes/index.ts';
import { compileRegex } from '../regex/index.ts';
import { nearest, type CallExpression, type NameExpression, type Expression as Node, type Span, type TypeNode } from '../syntax/index.ts';
import { checkAssign, checkSample, checkUpdate, compoundLiteral } from './assign.ts';
import { BUILTIN_NAMES } from './builtin-names.ts';
import { checkBuiltin } from './builtins.ts';
import { cast, constant, convert, decay, showType, toC } from './convert.ts';
import { callFunction } from './functions.ts';
import { checkName } from './names.ts';
import { asText, getArray } from './operands.ts';
import { checkBinary, checkConditional, checkLogical, checkUnary } from './operators.ts';
import { advance, checkIndex, checkKeys, checkMember, followPath, remote, whole } from './places.ts';
import { findNamedType, resolveType, variableType } from './resolve-type.ts';
import {
  type CheckState,
  type Scope,
  broken,
  checkExpression,
  findName,
  mistake,
  need,
  newLocal,
  place,
  snippet,
  visibleNames,
} from './state.ts';
import type { Expression } from './typed.ts';
import { BASIC, DEFAULT_TEXT, DOUBLE, INT, UNSIGNED_LONG, type TextY, type YType } from './ytype.ts';

export function expressionRule(c: CheckState, node: Node): Expression {
  switch (node.kind) {
    case 'integer':
      return constant(node.value, BASIC.get(node.type)!, { at: place(node.span) });
    case 'float':
      return { kind: 'float', value: node.value, type: DOUBLE, at: place(node.span) };
    case 'character':
      return constant(node.value, INT, { at: place(node.span) });
    case 'string':
      return { kind: 'literal', bytes: node.bytes, type: { kind: 'text', capacity: Math.max(node.bytes.length, 1) }, at: place(node.span) };
    case 'name':
      return checkName(c, node);
    case 'capture':
      return checkCapture(c, node.index, node.span);
    case 'unary':
      return checkUnary(c, node);
    case 'update':
      return checkUpdate(c, node);
    case 'binary':
      return checkBinary(c, node);
    case 'logical':
      return checkLogical(c, node);
    case 'assign':
      return checkAssign(c, node);
    case 'sample':
      return checkSample(c, node);
    case 'conditional':
      return checkConditional(c, node);
    case 'comma':
      return checkComma(c, node.items);
    case 'call':
      return checkCall(c, node);
    case 'ambiguous-call':
      return checkAmbiguous(c, node);
    case 'index':
      return checkIndex(c, node);
    case 'member':
      return checkMember(c, node);
    default:
      return checkRest(c, node);
  }
}

type Rest = Extract<
  Node,
  {
    kind: 'cast' | 'space-cast' | 'read' | 'sizeof' | 'offsetof' | 'container-of' | 'in' | 'match' | 'regex' | 'initializer-list' | 'error';
  }
>;

function checkRest(c: CheckState, node: Rest): Expression {
  switch (node.kind) {
    case 'cast':
      return checkCast(c, node);
    case 'space-cast':
      return checkSpaceCast(c, node);
    case 'read':
      return checkRead(c, node);
    case 'sizeof':
      return checkSizeof(c, node);
    case 'offsetof':
      return checkOffsetof(c, node);
    case 'container-of':
      return checkContainerOf(c, node);
    case 'in':
      return checkIn(c, node);
    case 'match':
      return checkMatch(c, node);
    case 'regex':
      return mistake(c, 'lone-regex', node.span, 'a pattern stands only after `~~` and `!~~`', 'write `text ~~ rx/…/`');
    case 'initializer-list':
      return mistake(c, 'bad-initializer', node.span, 'braces are for initial values', 'write `(struct T){ … }`');
    case 'error':
      return broken(node.span);
    default:
      return assertNever(node);
  }
}

function checkComma(c: CheckState, items: readonly Node[]): Expression {
  const values = items.map((item) => checkExpression(c, item));
  return values.reduce((left, right) => ({ kind: 'comma', left, right: decay(right), type: decay(right).type, at: left.at }));
}

/** The static type that a cast or a read names; says what is wrong with it. */
function castType(c: CheckState, node: TypeNode, prefer: 'user' | 'kernel'): YType {
  const resolved = resolveType(c, node, prefer);
  if (resolved.kind === 'c' && strip(resolved.type).kind === 'void') return { kind: 'void' };
  return variableType(c, resolved, prefer, node.span);
}

function preferred(value: Expression): 'user' | 'kernel' {
  const { type } = decay(value);
  return type.kind === 'pointer' && type.space === 'kernel' ? 'kernel' : 'user';
}

function checkCast(c: CheckState, node: Extract<Node, { kind: 'cast' }>): Expression {
  if (node.operand.kind === 'initializer-list') return compoundLiteral(c, castType(c, node.type, 'user'), node.operand, node.span);
  const value = checkExpression(c, node.operand);
  return cast(c, value, castType(c, node.type, preferred(value)), node.span);
}

function checkAmbiguous(c: CheckState, node: Extract<Node, { kind: 'ambiguous-call' }>): Expression {
  const name = node.name.name.text;
  const [only] = node.arguments;
  const known = findName(c, name) !== undefined || BUILTIN_NAMES.has(name);
  const type = known || node.name.scope !== undefined ? undefined : findNamedType(c, name, 'user');
  if (type === undefined) return checkCall(c, { kind: 'call', callee: node.name, arguments: node.arguments, span: node.span });
  if (only === undefined || node.arguments.length > 1) {
    return mistake(c, 'bad-cast', node.span, `\`${name}\` is a type: a cast takes one value`);
  }
  const y = variableType(c, { kind: 'c', ...type }, 'user', node.span);
  return cast(c, checkExpression(c, only), y, node.span);
}

function checkSpaceCast(c: CheckState, node: Extract<Node, { kind: 'space-cast' }>): Expression {
  const value = decay(checkExpression(c, node.operand));
  const type = castType(c, node.type, node.space);
  if (type.kind === 'error' || value.type.kind === 'error') return broken(node.span);
  if (type.kind !== 'pointer') {
    const hint = `write \`_${node.space}(${showType(type)} *, …)\``;
    return mistake(c, 'bad-cast', node.type.span, `\`_${node.space}\` makes a pointer, and \`${showType(type)}\` is none`, hint);
  }
  const pointer = cast(c, value, { ...type, space: node.space }, node.span);
  return pointer.type.kind === 'pointer' ? { ...pointer, type: { ...pointer.type, space: node.space } } : pointer;
}

function checkRead(c: CheckState, node: Extract<Node, { kind: 'read' }>): Expression {
  const address = decay(checkExpression(c, node.address));
  const space = preferred(address);
  const resolved = resolveType(c, node.type, space);
  if (address.type.kind === 'error' || resolved.kind === 'error') return broken(node.span);
  if (resolved.kind !== 'c') {
    return mistake(
      c,
      'bad-type',
      node.type.span,
      `\`${snippet(c, node.type.span)}\` is not in the target's memory`,
      '`_ustr(p)` reads a text',
    );
  }
  if (address.type.kind !== 'pointer' && address.type.kind !== 'integer') {
    return mistake(c, 'not-a-pointer', node.address.span, `\`_read\` takes an address, not \`${showType(address.type)}\``);
  }
  const from = address.type.kind === 'pointer' ? address : convert(address, UNSIGNED_LONG);
  if (space === 'kernel')
    need(c, 'hit', "the kernel's memory", node.span, 'read it in a probe that runs in the kernel, and keep it in a global');
  return remote(c, whole(from, space), resolved.type, node.span);
}

function checkSizeof(c: CheckState, node: Extract<Node, { kind: 'sizeof' }>): Expression {
  const at = { at: place(node.span) };
  const size = (bytes: number | undefined, shown: string) =>
    bytes === undefined
      ? mistake(c, 'incomplete-type', node.span, `\`${shown}\` has no known size`)
      : constant(BigInt(bytes), UNSIGNED_LONG, at);
  if (node.type !== undefined) {
    const resolved = resolveType(c, node.type);
    if (resolved.kind === 'error') return broken(node.span);
    return size(
      resolved.kind === 'c' ? sizeOf(resolved.type) : resolved.kind === 'text' ? resolved.capacity : undefined,
      snippet(c, node.type.span),
    );
  }
  const operand = node.operand!;
  if (operand.kind === 'name' && operand.scope === undefined && findName(c, operand.name.text) === undefined) {
    const type = findNamedType(c, operand.name.text, 'user');
    if (type !== undefined) return size(sizeOf(type.type), spell(type.type));
  }
  const value = checkExpression(c, operand);
  if (value.type.kind === 'error') return value;
  const type = toC(value.type);
  return size(value.type.kind === 'text' ? value.type.capacity : type && sizeOf(type), snippet(c, operand.span));
}

function checkOffsetof(c: CheckState, node: Extract<Node, { kind: 'offsetof' }>): Expression {
  const resolved = resolveType(c, node.type);
  if (resolved.kind !== 'c')
    return resolved.kind === 'error' ? broken(node.span) : mistake(c, 'bad-type', node.type.span, 'only a record has offsets');
  const end = followPath(c, resolved.type, node.path);
  return end === undefined ? broken(node.span) : constant(BigInt(end.offset), UNSIGNED_LONG, { at: place(node.span) });
}

function checkContainerOf(c: CheckState, node: Extract<Node, { kind: 'container-of' }>): Expression {
  const pointer = decay(checkExpression(c, node.pointer));
  const prefer = preferred(pointer);
  const resolved = resolveType(c, node.type, prefer);
  if (pointer.type.kind === 'error' || resolved.kind !== 'c') return broken(node.span);
  if (pointer.type.kind !== 'pointer') {
    return mistake(c, 'not-a-pointer', node.pointer.span, `\`_container_of\` takes a pointer, not \`${showType(pointer.type)}\``);
  }
  const end = followPath(c, resolved.type, node.path);
  if (end === undefined) return broken(node.span);
  const moved = advance(pointer, constant(BigInt(end.offset), UNSIGNED_LONG, pointer), 'sub', 1);
  return { ...moved, type: { ...pointer.type, target: resolved.type } };
}

function checkIn(c: CheckState, node: Extract<Node, { kind: 'in' }>): Expression {
  const array = getArray(c, node.array);
  if (array === undefined) return broken(node.span);
  const keys = checkKeys(c, array, node.keys, node.span);
  return keys === undefined ? broken(node.span) : { kind: 'contains', array, keys, type: INT, at: place(node.span) };
}

function checkMatch(c: CheckState, node: Extract<Node, { kind: 'match' }>): Expression {
  const value = checkExpression(c, node.subject);
  const { pattern } = node;
  if (value.type.kind === 'error' || pattern.kind === 'error') return broken(node.span);
  const subject = asText(value);
  if (subject === undefined) {
    return mistake(c, 'bad-operand', node.subject.span, `\`~~\` matches a \`_str\`, not \`${showType(value.type)}\``);
  }
  const compiled = compileRegex(pattern.pattern, pattern.flags, 0);
  if (!compiled.ok) {
    const { start, end, message, hint } = compiled.error;
    const { span, patternStart } = pattern;
    const column = span.column + (patternStart + start - span.start);
    return mistake(c, 'bad-regex', { ...span, start: patternStart + start, end: patternStart + end, column }, message, hint);
  }
  const regex = c.regexes.push(compiled.value) - 1;
  const locals = new Map<number, number>();
  c.scope.match = { regex, locals, capacity: subject.type.kind === 'text' ? subject.type.capacity : DEFAULT_TEXT };
  return { kind: 'match', regex, subject, negated: node.negated, captures: { locals }, type: INT, at: place(node.span) };
}

function checkCapture(c: CheckState, index: number, span: Span): Expression {
  let scope: Scope | undefined = c.scope;
  while (scope !== undefined && scope.match === undefined) scope = scope.parent;
  const match = scope?.match;
  if (match === undefined) {
    return mistake(
      c,
      'no-match',
      span,
      `\`$${index}\` has no match before it in this block`,
      'match first: `if (s ~~ rx/(a+)/) { … $1 … }`',
    );
  }
  const program = c.regexes[match.regex]!;
  if (index >= program.captures) {
    const capturing = compileRegex(program.source, program.flags, index + 1);
    if (!capturing.ok) return mistake(c, 'no-group', span, capturing.error.message, capturing.error.hint);
    c.regexes[match.regex] = capturing.value;
  }
  const type: TextY = { kind: 'text', capacity: match.capacity };
  const local = match.locals.get(index) ?? newLocal(c, `$${index}`, type);
  match.locals.set(index, local);
  return { kind: 'load', place: { kind: 'local', local, offset: 0, bits: undefined }, type, at: place(span) };
}

function checkCall(c: CheckState, node: CallExpression): Expression {
  const { callee } = node;
  if (callee.kind !== 'name') {
    checkExpression(c, callee);
    return mistake(
      c,
      'not-callable',
      node.span,
      `\`${snippet(c, callee.span)}\` cannot be called: only functions of the script and built-ins can`,
    );
  }
  const name = callee.scope === undefined ? findName(c, callee.name.text) : undefined;
  if (name?.kind === 'function') return callFunction(c, name.declaration, node);
  if (name?.kind === 'broken') return broken(node.span);
  if (name !== undefined) return mistake(c, 'not-callable', callee.span, `\`${callee.name.text}\` is a variable and cannot be called`);
  if (callee.scope === undefined && BUILTIN_NAMES.has(callee.name.text)) return checkBuiltin(c, callee.name.text, node);
  for (const argument of node.arguments) checkExpression(c, argument);
  return unknownFunction(c, callee);
}

function unknownFunction(c: CheckState, callee: NameExpression): Expression {
  const { text } = callee.name;
  if (c.knowledge.findFunctions(text, callee.scope?.text).length > 0) {
    return mistake(
      c,
      'target-function',
      callee.span,
      `\`${text}\` is a function of the target: it cannot be called`,
      `a probe sees its calls: \`_probe ${text}() { … }\``,
    );
  }
  const functions = visibleNames(c).filter((name) => findName(c, name)?.kind === 'function');
  const guess = nearest(text, [...functions, ...BUILTIN_NAMES]);
  return mistake(
    c,
    'unknown-function',
    callee.span,
    `there is no function \`${text}\`${guess === undefined ? '' : `; did you mean \`${guess}\`?`}`,
  );
}
