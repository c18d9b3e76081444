/** Statements: scopes, loops, and the locals that they declare. */
import type {
  Block,
  Declaration,
  ForeachStatement,
  Identifier,
  Statement as Node,
  SwitchStatement,
  VariableDeclaration,
} from '../syntax/index.ts';
import { initialise } from './assign.ts';

import { assignTo, decay, promote, showType, toCondition } from './convert.ts';
import { getArray } from './operands.ts';
import { checkKeys } from './places.ts';
import { constantInteger, declareEnum, declareRecord, resolveType, variableType } from './resolve-type.ts';
import {
  type CheckState,
  broken,
  checkBlock,
  checkExpression,
  declareName,
  inScope,
  mistake,
  need,
  newFunctionState,
  newLocal,
  place,
  report,
  snippet,
  warn,
} from './state.ts';
import type { Expression, Place, Statement, StatementKind, SwitchLabel } from './typed.ts';
import { LONG, type YType } from './ytype.ts';

export function blockRule(c: CheckState, block: Block): Statement[] {
  return inScope(c, () => checkStatements(c, block.statements));
}

function checkStatements(c: CheckState, nodes: readonly Node[]): Statement[] {
  return nodes.flatMap((node) => checkStatement(c, node));
}

function one(node: Node, kind: StatementKind): Statement[] {
  return [{ ...kind, at: place(node.span) }];
}

/** A statement in a scope of its own: the body of a loop or a branch. */
function body(c: CheckState, node: Node): Statement[] {
  return inScope(c, () => checkStatement(c, node));
}

export function checkStatement(c: CheckState, node: Node): Statement[] {
  switch (node.kind) {
    case 'block':
      return one(node, { kind: 'block', body: checkBlock(c, node) });
    case 'declaration':
      return node.declarations.flatMap((declaration) => checkLocal(c, declaration));
    case 'expression':
      return checkExpressionStatement(c, node);
    case 'empty':
      return [];
    case 'if':
      return inScope(c, () => {
        const condition = toCondition(c, checkExpression(c, node.condition), node.condition.span);
        const then = body(c, node.then);
        return one(node, { kind: 'if', condition, yes: then, no: node.else === undefined ? [] : body(c, node.else) });
      });
    case 'for':
      return inScope(c, () => {
        const initial = node.initial === undefined ? [] : checkStatement(c, node.initial);
        const condition = node.condition && toCondition(c, checkExpression(c, node.condition), node.condition.span);
        const step = node.step && checkExpression(c, node.step);
        return [...initial, ...one(node, { kind: 'loop', condition, step, body: loopBody(c, node.body), bodyFirst: false })];
      });
    case 'while':
    case 'do-while':
      return inScope(c, () => {
        const condition = toCondition(c, checkExpression(c, node.condition), node.condition.span);
        return one(node, { kind: 'loop', condition, step: undefined, body: loopBody(c, node.body), bodyFirst: node.kind === 'do-while' });
      });
    case 'switch':
      return checkSwitch(c, node);
    case 'break':
    case 'continue':
      return checkJump(c, node);
    case 'return':
      return checkReturn(c, node);
    case 'foreach':
      return inScope(c, () => checkForeach(c, node));
    case 'try':
      return one(node, { kind: 'try', body: checkBlock(c, node.body), handler: checkBlock(c, node.handler) });
    case 'delete':
      return checkDelete(c, node);
    case 'clear': {
      const array = getArray(c, node.array);
      if (array === undefined) return [];
      return one(node, { kind: 'expression', expression: { kind: 'clear', array, type: { kind: 'void' }, at: place(node.span) } });
    }
  }
}

function loopBody(c: CheckState, node: Node): Statement[] {
  const fn = c.fn!;
  fn.loops++;
  try {
    return body(c, node);
  } finally {
    fn.loops--;
  }
}

const EFFECTS = new Set([
  'assign',
  'compound',
  'sample',
  'call',
  'print',
  'chart',
  'exit',
  'delete',
  'clear',
  'comma',
  'match',
  'conditional',
  'logical',
  'zero',
]);

function checkExpressionStatement(c: CheckState, node: Extract<Node, { kind: 'expression' }>): Statement[] {
  const value = checkExpression(c, node.expression);
  if (value.type.kind === 'error') return [];
  if (value.kind === 'histogram') return one(node, { kind: 'expression', expression: printHistogram(value) });
  if (!EFFECTS.has(value.kind) && value.type.kind !== 'void') {
    warn(c, 'no-effect', node.span, `\`${snippet(c, node.expression.span)}\` has no effect`, 'use its value, or take it away');
  }
  return one(node, { kind: 'expression', expression: value });
}

/** `_hist_log(x);` alone draws the histogram. */
function printHistogram(value: Expression): Expression {
  const plain = { minus: false, plus: false, space: false, zero: false, alternate: false, width: undefined, precision: undefined };
  const format = { pieces: [{ ...plain, verb: 's', size: 8 } as const] };
  return { kind: 'print', stream: 'out', format, values: [value], type: { kind: 'void' }, at: value.at };
}

function checkJump(c: CheckState, node: Extract<Node, { kind: 'break' | 'continue' }>): Statement[] {
  const { loops, switches } = c.fn!;
  if (loops > 0 || (node.kind === 'break' && switches > 0)) return one(node, { kind: node.kind });
  report(
    c,
    'stray-jump',
    node.span,
    node.kind === 'break' ? '`break` stands outside of a loop and of a `switch`' : '`continue` stands outside of a loop',
  );
  return [];
}

function checkReturn(c: CheckState, node: Extract<Node, { kind: 'return' }>): Statement[] {
  const { result, name } = c.fn!;
  const value = node.value === undefined ? undefined : checkExpression(c, node.value);
  if (value?.type.kind === 'error') return [];
  if (result.kind === 'void') {
    if (value !== undefined && value.type.kind !== 'void')
      report(
        c,
        'return-value',
        node.value!.span,
        name === '' ? 'a probe returns nothing' : `\`${name}\` returns nothing`,
        'write `return;`',
      );
    return one(node, { kind: 'return', value: undefined });
  }
  if (value === undefined) {
    report(c, 'return-value', node.span, `\`${name}\` must return \`${showType(result)}\``);
    return [];
  }
  const converted = assignTo(c, value, result, { name: `the result of \`${name}\``, span: node.value!.span });
  return one(node, { kind: 'return', value: converted });
}

function checkSwitch(c: CheckState, node: SwitchStatement): Statement[] {
  const subject = promote(decay(checkExpression(c, node.subject)));
  const good = subject.type.kind === 'integer';
  if (!good && subject.type.kind !== 'error') {
    report(
      c,
      'bad-switch',
      node.subject.span,
      `\`switch\` takes a number, not \`${showType(subject.type)}\``,
      'write `if (s == "…") … else …`',
    );
  }
  const labels: SwitchLabel[] = [];
  let [otherwise, next]: [number | undefined, number] = [undefined, 0];
  const statements: Statement[] = [];
  const fn = c.fn!;
  fn.switches++;
  inScope(c, () => {
    for (const section of node.sections) {
      for (const label of section.labels) {
        statements.push({ kind: 'label', label: next, at: place(label.span) });
        if (label.kind === 'default') {
          if (otherwise !== undefined) report(c, 'repeated-case', label.span, 'there is a `default` already');
          otherwise ??= next;
        } else addCase(c, label, labels, next);
        next++;
      }
      statements.push(...checkStatements(c, section.statements));
    }
  });
  fn.switches--;
  return good ? one(node, { kind: 'switch', subject, labels, otherwise, body: statements }) : [];
}

function addCase(
  c: CheckState,
  label: Extract<SwitchStatement['sections'][number]['labels'][number], { kind: 'case' }>,
  labels: SwitchLabel[],
  index: number,
): void {
  const low = constantInteger(c, label.value, 'a case');
  const high = label.to === undefined ? low : constantInteger(c, label.to, 'a case');
  if (low === undefined || high === undefined) return;
  if (labels.some((other) => low <= other.high && other.low <= high)) {
    report(c, 'repeated-case', label.span, `${low} has a case already`);
    return;
  }
  labels.push({ low, high, label: index });
}

function checkDelete(c: CheckState, node: Extract<Node, { kind: 'delete' }>): Statement[] {
  const { target } = node;
  if (target.kind !== 'index') {
    report(c, 'bad-delete', target.span, '`_delete` takes an element of an array', 'write `_delete arr[key];`, or `_clear(arr);` for all');
    return [];
  }
  const array = getArray(c, target.object);
  const keys = array === undefined ? undefined : checkKeys(c, array, target.indices, target.span);
  if (array === undefined || keys === undefined) return [];
  return one(node, { kind: 'expression', expression: { kind: 'delete', array, keys, type: { kind: 'void' }, at: place(node.span) } });
}

// ---------------------------------------------------------------- locals

function checkLocal(c: CheckState, node: Declaration): Statement[] {
  if (node.kind === 'variable') return checkVariable(c, node);
  declareType(c, node);
  return [];
}

/** `typedef` and `struct s { … };`, of the whole script or of a block. */
export function declareType(c: CheckState, node: Exclude<Declaration, VariableDeclaration>): void {
  if (node.kind === 'typedef') {
    const resolved = resolveType(c, node.type);
    if (resolved.kind === 'c') {
      const type = { kind: 'named', form: 'typedef', name: node.name.text, target: resolved.type } as const;
      c.scope.typedefs.set(node.name.text, { type, space: resolved.space });
    } else if (resolved.kind !== 'error')
      report(c, 'bad-type', node.type.span, `\`${snippet(c, node.type.span)}\` cannot be given another name`);
    return;
  }
  const { type } = node;
  if (type.kind === 'record') declareRecord(c, type);
  else if (type.kind === 'enum') declareEnum(c, type);
  else if (type.tag !== 'enum' && !c.scope.tags.has(type.name.text)) {
    c.scope.tags.set(type.name.text, { kind: 'record', form: type.tag, name: type.name.text, size: 0, declaration: true, members: [] });
  }
}

function checkVariable(c: CheckState, node: VariableDeclaration): Statement[] {
  const { storage, name } = node;
  const misplaced = storage.thread
    ? '_thread'
    : storage.percpu
      ? '_percpu'
      : storage.lru
        ? '_lru'
        : storage.option
          ? '_option'
          : storage.extern
            ? 'extern'
            : undefined;
  const wrong = misplaced !== undefined || storage.static || node.keys !== undefined;
  if (wrong) {
    const what = node.keys === undefined ? `\`${misplaced ?? 'static'}\`` : 'an associative array';
    report(c, 'not-global', node.span, `${what} must be declared outside of functions and probes`, 'move it to the top of the file');
    declareName(c, name.text, name.span, { kind: 'broken' });
    return [];
  }
  const list = node.initializer?.kind === 'initializer-list' ? node.initializer : undefined;
  const initial = node.initializer === undefined || list !== undefined ? undefined : checkExpression(c, node.initializer);
  const type = localType(c, node, initial);
  if (type.kind === 'aggregate')
    report(c, 'not-global', node.span, 'an `_agg` must be declared outside of functions and probes', 'move it to the top of the file');
  if (type.kind === 'error' || type.kind === 'aggregate') {
    declareName(c, name.text, name.span, { kind: 'broken' });
    return [];
  }
  const local = newLocal(c, name.text, type);
  const value = initial && assignTo(c, initial, type, { name: `\`${name.text}\``, span: node.initializer!.span });
  declareName(c, name.text, name.span, { kind: 'local', local, type });
  const at = place(node.span);
  const begin: Statement = { kind: 'declare', local, initial: value?.type.kind === 'error' ? undefined : value, at };
  if (list === undefined) return [begin];
  if (type.kind !== 'struct') {
    report(c, 'bad-initializer', list.span, `braces make a record, not \`${showType(type)}\``);
    return [begin];
  }
  const into: Place = { kind: 'local', local, offset: 0, bits: undefined };
  return [begin, ...initialise(c, into, type, list).map((expression): Statement => ({ kind: 'expression', expression, at }))];
}

/** A pointer declared without a space takes that of its first value. */
function localType(c: CheckState, node: VariableDeclaration, initial: Expression | undefined): YType {
  const value = initial && decay(initial);
  const prefer =
    value?.type.kind === 'pointer' && value.type.space === 'kernel' ? 'kernel' : value?.type.kind === 'remote' ? value.type.space : 'user';
  return variableType(c, resolveType(c, node.type, prefer), prefer, node.span);
}

// ---------------------------------------------------------------- _foreach

function checkForeach(c: CheckState, node: ForeachStatement): Statement[] {
  need(c, 'host', '`_foreach`', node.span, 'write it in `_end`, `_oneshot` or a timer');
  const array = getArray(c, node.array);
  const limit = node.limit && assignTo(c, checkExpression(c, node.limit), LONG, { name: 'the limit', span: node.limit.span });
  const types = array === undefined ? undefined : c.arrayTypes[array]!;
  const count = types?.keys.length ?? node.keys.length;
  if (types !== undefined && node.keys.length !== count && node.keys.length !== count + 1) {
    const shown = types.keys.map(showType).join(', ');
    report(
      c,
      'key-count',
      node.span,
      `\`${c.arrays[array!]!.name}\` has ${count} ${count === 1 ? 'key' : 'keys'} (${shown}), and ${node.keys.length} names are given`,
      'one name for each key, and one more for the value if wanted',
    );
  }
  const keys = declareKeys(c, node.keys, array);
  const iterator = c.fn!.iterators++;
  const order = array === undefined ? undefined : sortOrder(c, node, array, iterator);
  const statements = loopBody(c, node.body);
  if (array === undefined || types === undefined || limit?.type.kind === 'error') return [];
  return one(node, { kind: 'foreach', iterator, array, keys, order, limit, body: statements });
}

/** Makes the keys locals, and the name after them the value of the entry. */
function declareKeys(c: CheckState, names: readonly Identifier[], array: number | undefined): number[] {
  const types = array === undefined ? undefined : c.arrayTypes[array]!;
  const locals = (types?.keys ?? []).map((type, index) => newLocal(c, names[index]?.text ?? '', type));
  names.forEach((name, index) => {
    if (types === undefined || index > locals.length) declareName(c, name.text, name.span, { kind: 'broken' });
    else if (index < locals.length)
      declareName(c, name.text, name.span, { kind: 'local', local: locals[index]!, type: types.keys[index]! });
    else {
      const keys = locals.map((local, position): Expression => load(local, types.keys[position]!, name));
      declareName(c, name.text, name.span, {
        kind: 'place',
        place: { kind: 'element', array: array!, keys, offset: 0, bits: undefined },
        type: types.value,
      });
    }
  });
  return locals;
}

function load(local: number, type: YType, name: Identifier): Expression {
  return { kind: 'load', place: { kind: 'local', local, offset: 0, bits: undefined }, type, at: place(name.span) };
}

type Order = Extract<StatementKind, { kind: 'foreach' }>['order'];

function sortOrder(c: CheckState, node: ForeachStatement, array: number, iterator: number): Order {
  if (node.sort === undefined) return { descending: false, by: 'key' };
  const { descending, by } = node.sort;
  if (by === undefined) {
    const { kind } = c.arrayTypes[array]!.value;
    if (kind === 'struct') report(c, 'bad-sort', node.sort.span, 'records have no order', 'say by what: `sort by arr[k].field`');
    return { descending, by: 'value' };
  }
  return { descending, by: { function: sortFunction(c, node, array, iterator, by) } };
}

/** The sort expression as a function of its own, which reads the keys from the iterator. */
function sortFunction(
  c: CheckState,
  node: ForeachStatement,
  array: number,
  iterator: number,
  by: NonNullable<NonNullable<ForeachStatement['sort']>['by']>,
): number {
  const outer = c.fn!;
  const { locals: foreign } = outer;
  const index = c.functions.push(undefined) - 1;
  c.needs.push({ needs: [], calls: new Set() });
  outer.calls.add(index);
  // Locals of the surrounding function keep their numbers, so that their use is noticed.
  const fn = newFunctionState('', { foreign: foreign.length, hit: outer.hit, tracepoint: outer.tracepoint, iterators: outer.iterators });
  fn.locals.push(...foreign);
  c.fn = fn;
  const { keys, value } = inScope(c, () => {
    const locals = declareKeys(c, node.keys, array);
    return { keys: locals, value: decay(checkExpression(c, by)) };
  });
  c.fn = outer;
  const { kind } = value.type;
  const good = kind === 'integer' || kind === 'float' || kind === 'pointer';
  const result =
    good || kind === 'error'
      ? value
      : mistake(
          c,
          'bad-sort',
          by.span,
          `\`${snippet(c, by.span)}\` of type \`${showType(value.type)}\` cannot be sorted by: only numbers can`,
          'sort by the keys by leaving `sort` out',
        );
  const at = place(by.span);
  const final = result.type.kind === 'error' ? broken(by.span) : result;
  const shift = foreign.length;
  c.needs[index] = { needs: fn.needs, calls: fn.calls };
  c.functions[index] = {
    name: `sort of ${snippet(c, node.array.span)}`,
    result: final.type,
    locals: fn.locals.map((local, position) => (position < shift ? { name: '', type: LONG } : local)),
    parameters: 0,
    iterators: fn.iterators,
    body: [
      { kind: 'keys', iterator, keys, at },
      { kind: 'return', value: final, at },
    ],
    place: at,
  };
  return index;
}
