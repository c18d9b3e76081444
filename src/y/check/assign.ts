/** What changes a variable: `=`, `+=`, `++`, `<<<`, and initial values. */
import { type Member, findMember, spell, strip } from '../../ctypes/index.ts';
import type { InitializerList, Expression as Node, Span } from '../syntax/index.ts';

import { assignTo, commonType, constant, convert, decay, promote, showType, toY } from './convert.ts';
import { ARITHMETIC, combine, stride } from './operators.ts';

import { type CheckState, broken, checkExpression, findName, mistake, newLocal, place, report, snippet } from './state.ts';
import type { ArithmeticOperator, Expression, Place } from './typed.ts';
import { LONG, type StructY, type YType } from './ytype.ts';

/** The place that a node names, if the program may write there; says why not. */
function writable(c: CheckState, node: Node): { readonly place: Place; readonly type: YType } | undefined {
  const target = checkExpression(c, node);
  if (target.type.kind === 'error') return undefined;
  const refuse = (message: string, hint?: string) => {
    report(c, 'not-assignable', node.span, message, hint);
    return undefined;
  };
  if (target.kind !== 'load') return refuse(`\`${snippet(c, node.span)}\` is a value and cannot be assigned to`);
  if (target.place.kind === 'remote')
    return refuse(
      `\`${snippet(c, node.span)}\` is in the target's memory: nothing is ever written there`,
      'assign to a variable of the script',
    );
  if (target.place.kind === 'context') return refuse(`\`${snippet(c, node.span)}\` belongs to the tracepoint and cannot be assigned to`);
  if (target.type.kind === 'aggregate')
    return refuse(`\`${snippet(c, node.span)}\` is an aggregate: it takes samples`, `write \`${snippet(c, node.span)} <<< value\``);
  const name = node.kind === 'name' ? findName(c, node.name.text) : undefined;
  if (name?.kind === 'global' && name.option)
    return refuse(`\`${snippet(c, node.span)}\` is an option: only the command line sets it`, 'copy it into a variable of its own');
  return { place: target.place, type: target.type };
}

export function checkAssign(c: CheckState, node: Extract<Node, { kind: 'assign' }>): Expression {
  const target = writable(c, node.target);
  const given = node.value.kind === 'initializer-list' ? undefined : checkExpression(c, node.value);
  if (given === undefined)
    return mistake(c, 'bad-initializer', node.value.span, 'braces are for initial values', 'write `(struct T){ … }`');
  if (target === undefined || given.type.kind === 'error') return broken(node.span);
  const at = place(node.span);
  if (node.operator !== undefined) return compound(c, target.place, target.type, node.operator, given, node);
  const value = assignTo(c, given, target.type, { name: `\`${snippet(c, node.target.span)}\``, span: node.value.span });
  if (value.type.kind === 'error') return value;
  return { kind: 'assign', place: target.place, value, type: target.type, at };
}

function compound(
  c: CheckState,
  to: Place,
  type: YType,
  operator: string,
  given: Expression,
  node: Extract<Node, { kind: 'assign' }>,
): Expression {
  const at = place(node.span);
  const value = decay(given);
  const load: Expression = { kind: 'load', place: to, type, at };
  const spans = { span: node.span, left: node.target.span, right: node.value.span };
  // The same rules as `left operator right`, which says what is wrong.
  const whole = combine(c, operator as '+', load, value, spans);
  if (whole.type.kind === 'error') return whole;
  const arithmetic = ARITHMETIC[operator]!;
  if (type.kind === 'text')
    return { kind: 'compound', place: to, operator: 'add', operand: value, compute: type, gives: 'after', type, at };
  if (type.kind === 'pointer') {
    const scaled = whole.kind === 'binary' ? whole.right : value;
    return { kind: 'compound', place: to, operator: arithmetic, operand: convert(scaled, LONG), compute: type, gives: 'after', type, at };
  }
  const shift = arithmetic === 'shl' || arithmetic === 'shr';
  const compute = shift ? promote(load).type : commonType(type, value.type);
  const operand = shift ? promote(value) : convert(promote(value), compute);
  return { kind: 'compound', place: to, operator: arithmetic, operand, compute, gives: 'after', type, at };
}

export function checkUpdate(c: CheckState, node: Extract<Node, { kind: 'update' }>): Expression {
  const target = writable(c, node.operand);
  if (target === undefined) return broken(node.span);
  const at = place(node.span);
  const { type } = target;
  const operator: ArithmeticOperator = node.operator === '++' ? 'add' : 'sub';
  const gives = node.prefix ? 'after' : 'before';
  if (type.kind === 'pointer') {
    const size = stride(c, { kind: 'load', place: target.place, type, at }, node.span);
    if (size === undefined) return broken(node.span);
    return {
      kind: 'compound',
      place: target.place,
      operator,
      operand: constant(BigInt(size), LONG, { at }),
      compute: type,
      gives,
      type,
      at,
    };
  }
  if (type.kind === 'float') {
    return {
      kind: 'compound',
      place: target.place,
      operator,
      operand: { kind: 'float', value: 1, type, at },
      compute: type,
      gives,
      type,
      at,
    };
  }
  if (type.kind !== 'integer') {
    return mistake(c, 'bad-operand', node.span, `\`${node.operator}\` cannot be applied to \`${showType(type)}\``);
  }
  const compute = promote({ kind: 'load', place: target.place, type, at }).type;
  return { kind: 'compound', place: target.place, operator, operand: constant(1n, compute, { at }), compute, gives, type, at };
}

export function checkSample(c: CheckState, node: Extract<Node, { kind: 'sample' }>): Expression {
  const into = checkExpression(c, node.into);
  const value = decay(checkExpression(c, node.value));
  if (into.type.kind === 'error' || value.type.kind === 'error') return broken(node.span);
  if (into.kind !== 'load' || into.type.kind !== 'aggregate') {
    return mistake(
      c,
      'not-an-aggregate',
      node.into.span,
      `\`<<<\` adds a sample to an aggregate, and \`${snippet(c, node.into.span)}\` is of type \`${showType(into.type)}\``,
      'declare it as `_agg`',
    );
  }
  const sample = assignTo(c, value, LONG, { name: 'a sample', span: node.value.span });
  if (sample.type.kind === 'error') return sample;
  return { kind: 'sample', place: into.place, value: sample, type: { kind: 'void' }, at: place(node.span) };
}

/** The assignments that an initialiser list of a record makes; the record is zero before. */
export function initialise(c: CheckState, into: Place, type: StructY, list: InitializerList): Expression[] {
  const assignments: Expression[] = [];
  const members = type.type.members.filter((member) => member.name !== undefined || strip(member.type).kind === 'record');
  let next = 0;
  for (const item of list.items) {
    const [designator] = item.designators;
    if (item.designators.length > 1 || (designator !== undefined && designator.kind !== 'member-step')) {
      report(c, 'bad-initializer', item.value.span, 'only one field name can be given here', 'write `.field = value`');
      continue;
    }
    const name = designator?.name.text;
    const member = name === undefined ? members[next] : ownMember(type, name);
    if (name !== undefined) next = members.findIndex((one) => one.name === name);
    next++;
    if (member === undefined) {
      const shown =
        name === undefined
          ? `\`${spell(type.type)}\` has only ${members.length} ${members.length === 1 ? 'field' : 'fields'}`
          : `\`${name}\` is not a member of \`${spell(type.type)}\``;
      report(c, name === undefined ? 'bad-initializer' : 'unknown-member', item.value.span, shown);
      continue;
    }
    const offset = ('offset' in into ? into.offset : 0) + member.offset;
    assignments.push(...initialiseField(c, { ...into, offset, bits: member.bits } as Place, fieldType(member.type, type), item.value));
  }
  return assignments;
}

function ownMember(type: StructY, name: string): Pick<Member, 'type' | 'offset' | 'bits'> | undefined {
  const found = findMember(type.type, name);
  return found && { type: found.member.type, offset: found.offset, bits: found.member.bits };
}

function fieldType(type: Parameters<typeof toY>[0], holder: StructY): YType {
  const bare = strip(type);
  return bare.kind === 'record' ? { kind: 'struct', type: bare, space: holder.space } : toY(type, holder.space);
}

function initialiseField(c: CheckState, into: Place, type: YType, node: Node): Expression[] {
  if (node.kind === 'initializer-list' && type.kind === 'struct') return initialise(c, into, type, node);
  const value = assignTo(c, checkExpression(c, node), type, { name: 'the field', span: node.span });
  return value.type.kind === 'error' ? [] : [{ kind: 'assign', place: into, value, type, at: value.at }];
}

/** `(struct T){ … }`: a local without a name. */
export function compoundLiteral(c: CheckState, type: YType, list: InitializerList, span: Span): Expression {
  if (type.kind === 'error' || c.fn === undefined) return broken(span);
  if (type.kind !== 'struct') return mistake(c, 'bad-initializer', span, `braces make a record, not \`${showType(type)}\``);
  const at = place(span);
  const into: Place = { kind: 'local', local: newLocal(c, '', type), offset: 0, bits: undefined };
  let result: Expression = { kind: 'load', place: into, type, at };
  const zero: Expression = { kind: 'zero', place: into, type: { kind: 'void' }, at };
  for (const assignment of initialise(c, into, type, list).toReversed())
    result = { kind: 'comma', left: assignment, right: result, type, at };
  return { kind: 'comma', left: zero, right: result, type, at };
}
