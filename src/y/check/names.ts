/** A name that stands for a value: of the script, of the language, of the target. */
import type { CType } from '../../ctypes/index.ts';
import { nearest, type NameExpression, type Span, type StringLiteral } from '../syntax/index.ts';
import { BUILTIN_NAMES } from './builtin-names.ts';
import { constant, toY } from './convert.ts';
import { remote, whole } from './places.ts';
import { type CheckState, type Name, broken, findName, mistake, need, place, visibleNames } from './state.ts';
import type { Expression } from './typed.ts';
import { INT, VOID_TYPE, type YType } from './ytype.ts';

export function checkName(c: CheckState, node: NameExpression): Expression {
  const { text, quoted } = node.name;
  const own = node.scope === undefined && !quoted ? findName(c, text) : undefined;
  if (own !== undefined) return ownName(c, own, node);
  if (node.scope === undefined && !quoted) {
    const builtin = builtinName(c, node);
    if (builtin !== undefined) return builtin;
  }
  return targetName(c, node);
}

function ownName(c: CheckState, name: Name, node: NameExpression): Expression {
  const { span } = node;
  switch (name.kind) {
    case 'local': {
      if (name.local < c.fn!.foreign) {
        return mistake(
          c,
          'foreign-local',
          span,
          `\`${node.name.text}\` cannot be used in a sort expression`,
          'use the keys, the array and globals',
        );
      }
      return { kind: 'load', place: { kind: 'local', local: name.local, offset: 0, bits: undefined }, type: name.type, at: place(span) };
    }
    case 'global':
      if (name.thread)
        need(
          c,
          'hit',
          `\`_thread\` variable \`${node.name.text}\``,
          span,
          'only a probe that runs in a thread of the target has one; use a shared global',
        );
      return { kind: 'load', place: { kind: 'global', global: name.global, offset: 0, bits: undefined }, type: name.type, at: place(span) };
    case 'enumerator':
      return { kind: 'integer', value: name.value, type: toY(name.type, 'user'), at: place(span) };
    case 'place':
      return { kind: 'load', place: name.place, type: name.type, at: place(span) };
    case 'extern':
      return variable(c, node, name.type);
    case 'array':
      return mistake(
        c,
        'array-without-key',
        span,
        `\`${node.name.text}\` is an array: a key in brackets is missing`,
        `write \`${node.name.text}[…]\``,
      );
    case 'function':
      return mistake(c, 'function-value', span, `\`${node.name.text}\` is a function of the script: it can only be called`);
    case 'unusable':
      return mistake(c, 'unusable', span, name.message, name.hint);
    case 'broken':
      return broken(span);
  }
}

function builtinName(c: CheckState, { name, span }: NameExpression): Expression | undefined {
  if (name.text === 'NULL' || name.text === 'nullptr') {
    return { kind: 'integer', value: 0n, type: { kind: 'pointer', space: 'any', target: VOID_TYPE }, at: place(span) };
  }
  if (name.text === 'true' || name.text === 'false') return constant(name.text === 'true' ? 1n : 0n, INT, { at: place(span) });
  if (name.text === '_args')
    return mistake(c, 'args', span, '`_args` is the record of a tracepoint: a field is missing', 'write `_args->field`');
  if (BUILTIN_NAMES.has(name.text))
    return mistake(c, 'builtin-value', span, `\`${name.text}\` is a built-in: it must be called`, `write \`${name.text}()\``);
  return undefined;
}

function targetName(c: CheckState, node: NameExpression): Expression {
  const found = c.knowledge.findVariables(node.name.text, node.scope?.text);
  if (found.length > 0) return variable(c, node, undefined);
  const enumerator = node.scope === undefined ? c.knowledge.findEnumerator(node.name.text) : undefined;
  if (enumerator !== undefined)
    return { kind: 'integer', value: enumerator.value, type: toY(enumerator.type, 'user'), at: place(node.span) };
  const [fn] = c.knowledge.findFunctions(node.name.text, node.scope?.text);
  if (fn !== undefined && !/[*?]/.test(node.name.text)) {
    return {
      kind: 'integer',
      value: 0n,
      type: { kind: 'function', type: fn.type ?? { kind: 'function', result: VOID_TYPE, parameters: [], variadic: true } },
      at: place(node.span),
    };
  }
  return unknownName(c, node.name.text, node.scope, node.span);
}

function unknownName(c: CheckState, name: string, scope: StringLiteral | undefined, span: Span): Expression {
  const key = `${scope?.text ?? ''}::${name}`;
  if (c.unknown.has(key)) return broken(span);
  if (name.startsWith('_')) {
    const guess = nearest(name, [...BUILTIN_NAMES, '_args', ...visibleNames(c)]);
    if (guess !== undefined) return mistake(c, 'unknown-name', span, `there is no \`${name}\`; did you mean \`${guess}\`?`);
  }
  const guess = nearest(name, visibleNames(c)) ?? c.knowledge.similar(name, 'variable')[0];
  const where = scope === undefined ? 'in the script or the target' : `in \`${scope.text}\``;
  const tail = guess === undefined ? '' : `; did you mean \`${guess}\`?`;
  const message = guess === undefined ? `there is no \`${name}\` ${where}` : `there is no \`${name}\`${tail}`;
  c.unknown.add(key);
  return mistake(c, 'unknown-name', span, message);
}

function variable(c: CheckState, node: NameExpression, overlay: CType | undefined): Expression {
  const sites = c.knowledge.findVariables(node.name.text, node.scope?.text);
  const [site] = sites;
  const shown = node.name.text;
  if (site === undefined) return unknownName(c, shown, node.scope, node.span);
  if (sites.length > 1) {
    const modules = [...new Set(sites.map((one) => one.module))];
    const hint = `say which one: \`"${modules[0]!.split('/').at(-1)}"::${shown}\``;
    return mistake(
      c,
      'ambiguous-name',
      node.span,
      `there are ${sites.length} variables \`${shown}\` in the target (${modules.join(', ')})`,
      hint,
    );
  }
  const type = overlay ?? site.type;
  if (type === undefined) {
    return mistake(
      c,
      'no-type',
      node.span,
      `\`${shown}\` of ${site.module} has no debug information: its type is not known`,
      `declare it: \`extern long ${shown};\``,
    );
  }
  const pointer: YType = { kind: 'pointer', space: 'user', target: type };
  if (site.threadOffset !== undefined) {
    need(c, 'thread', `the thread-local variable \`${shown}\``, node.span, 'read it in a probe that runs in a thread of the target');
    const base: Expression = { kind: 'number-builtin', name: 'thread-pointer', type: pointer, at: place(node.span) };
    return remote(c, { ...whole(base, 'user'), offset: Number(site.threadOffset) }, type, node.span);
  }
  const base: Expression = {
    kind: 'target-variable',
    site,
    address: site.address ?? 0n,
    type: pointer,
    at: place(node.span),
  };
  return remote(c, whole(base, 'user'), type, node.span);
}
