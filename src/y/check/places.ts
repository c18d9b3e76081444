/** Places: names, fields, elements, what pointers point to. */
import { spell, findMember, sizeOf, strip, type CType, type Member, type RecordType } from '../../ctypes/index.ts';
import type { Space } from '../ir/program.ts';
import type { IndexExpression, MemberExpression, NameExpression, PathStep, Span, StringLiteral } from '../syntax/index.ts';
import { addressOf, assignTo, constant, convert, decay, showType, toC, toY } from './convert.ts';
import { memberNames, pointerTo } from './ctype-tools.ts';
import { checkExpression } from './expressions.ts';
import { nearest } from './nearest.ts';
import { constantInteger } from './resolve-type.ts';
import { broken, mistake, need, place, report, snippet, visibleNames, findName, type CheckState, type Name } from './state.ts';
import type { Expression, Origin, Place, RemotePlace } from './typed.ts';
import { INT, LONG, VOID_TYPE, type YType } from './ytype.ts';
import { BUILTIN_NAMES } from './builtin-names.ts';

/** A place in the target, of a C type. References are followed. */
export function remote(c: CheckState, place: RemotePlace, type: CType, span: Span): Expression {
  const bare = strip(type);
  if (bare.kind === 'pointer' && bare.form !== 'pointer') {
    const address: Expression = { kind: 'load', place, type: { kind: 'pointer', space: place.space, target: bare.target }, at: at(span) };
    return remote(c, whole(address, place.space), bare.target, span);
  }
  const y = toY(type, place.space);
  if (y.kind === 'error')
    return mistake(c, 'unsupported-type', span, `\`${spell(type)}\` cannot be computed with`, 'read its parts with `_read`');
  return { kind: 'load', place, type: y, at: at(span) };
}

function at(span: Span): Expression['at'] {
  return place(span);
}

export function whole(address: Expression, space: Space): RemotePlace {
  return { kind: 'remote', address, offset: 0, bits: undefined, space, origin: undefined };
}

function spaceOf(type: YType): Space {
  return type.kind === 'pointer' && type.space === 'kernel' ? 'kernel' : 'user';
}

/** `*p`. */
export function dereference(c: CheckState, pointer: Expression, span: Span): Expression {
  if (pointer.type.kind === 'error') return broken(span);
  if (pointer.type.kind !== 'pointer') {
    const hint = pointer.type.kind === 'integer' ? `cast it first: \`*(long *)${snippet(c, span).replace(/^\*/, '')}\`` : undefined;
    return mistake(
      c,
      'not-a-pointer',
      span,
      `\`${snippet(c, span)}\`: only a pointer can be followed, and this is \`${showType(pointer.type)}\``,
      hint,
    );
  }
  const { target } = pointer.type;
  const space = spaceOf(pointer.type);
  if (strip(target).kind === 'void') {
    return mistake(c, 'void-pointer', span, 'what a `void *` points to has no type', 'cast it: `*(long *)p`');
  }
  if (space === 'kernel') needKernel(c, span);
  return remote(c, whole(pointer, space), target, span);
}

function needKernel(c: CheckState, span: Span): void {
  need(c, 'hit', "the kernel's memory", span, 'read it in a probe that runs in the kernel, and keep it in a global');
}

/** `&x`: only of what lies in the target. */
export function checkAddress(c: CheckState, operand: Expression, span: Span): Expression {
  if (operand.type.kind === 'error') return operand;
  if (operand.type.kind === 'function') {
    return mistake(
      c,
      'function-address',
      span,
      'where a function is gets known only when the target is chosen',
      'print `_sym(p)` of the pointer instead',
    );
  }
  if (operand.kind !== 'load' || operand.place.kind !== 'remote') {
    return mistake(
      c,
      'no-address',
      span,
      `\`${snippet(c, span)}\`: only what lies in the target's memory has an address`,
      'variables of the program have none: pass the value',
    );
  }
  if (operand.place.bits !== undefined)
    return mistake(c, 'no-address', span, 'a bit-field has no address', 'take the address of the field before it');
  const target = toC(operand.type) ?? VOID_TYPE;
  return addressOf(operand.place, { kind: 'pointer', space: operand.place.space, target }, operand);
}

/** `a.b` and `p->b`. */
export function checkMember(c: CheckState, node: MemberExpression): Expression {
  if (node.object.kind === 'name' && node.object.name.text === '_args' && node.arrow) return tracepointField(c, node);
  const object = checkExpression(c, node.object);
  if (object.type.kind === 'error') return broken(node.span);
  const base = node.arrow ? throughArrow(c, object, node) : object;
  if (base === undefined) return broken(node.span);
  if (base.kind !== 'load' || (base.type.kind !== 'remote' && base.type.kind !== 'struct') || base.type.type.kind !== 'record') {
    return notARecord(c, object, node);
  }
  return member(c, base.place, base.type.type, base.type.kind === 'struct' ? base.type.space : undefined, node);
}

function throughArrow(c: CheckState, object: Expression, node: MemberExpression): Expression | undefined {
  const pointer = decay(object);
  if (pointer.type.kind === 'pointer') {
    const bare = strip(pointer.type.target);
    if (bare.kind !== 'record') {
      report(
        c,
        'not-a-record',
        node.span,
        `\`${snippet(c, node.object.span)}\` is of type \`${showType(pointer.type)}\`, which has no field \`${node.name.text}\``,
      );
      return undefined;
    }
    const found = dereference(c, pointer, node.span);
    return found.type.kind === 'error' ? undefined : found;
  }
  if (object.type.kind === 'struct' || (object.type.kind === 'remote' && object.type.type.kind === 'record')) {
    report(c, 'dot-or-arrow', node.span, `\`${snippet(c, node.object.span)}\` is a record and not a pointer; write \`.${node.name.text}\``);
    return undefined;
  }
  notARecord(c, object, node);
  return undefined;
}

function notARecord(c: CheckState, object: Expression, node: MemberExpression): Expression {
  const { type } = object;
  if (!node.arrow && type.kind === 'pointer' && strip(type.target).kind === 'record') {
    return mistake(c, 'dot-or-arrow', node.span, `\`${snippet(c, node.object.span)}\` is a pointer; write \`->${node.name.text}\``);
  }
  const shown = snippet(c, node.object.span);
  return mistake(c, 'not-a-record', node.span, `\`${shown}\` is of type \`${showType(type)}\`, which has no field \`${node.name.text}\``);
}

function member(c: CheckState, base: Place, record: RecordType, structSpace: Space | undefined, node: MemberExpression): Expression {
  const found = lookUp(c, record, node.name.text, node.name.span);
  if (found === undefined) return broken(node.span);
  const field = { offset: ('offset' in base ? base.offset : 0) + found.offset, bits: found.bits };
  if (base.kind === 'remote')
    return remote(c, { ...base, ...field, origin: originOf(base, record, node.name.text) }, found.type, node.span);
  const bare = strip(found.type);
  const type: YType =
    bare.kind === 'record' ? { kind: 'struct', type: bare, space: structSpace ?? 'user' } : toY(found.type, structSpace ?? 'user');
  if (bare.kind === 'array' || type.kind === 'error') {
    return mistake(
      c,
      'c-array',
      node.span,
      `\`${node.name.text}\` of type \`${spell(found.type)}\` cannot be used in a record that the program holds`,
    );
  }
  return { kind: 'load', place: { ...base, ...field } as Place, type, at: at(node.span) };
}

function originOf(base: RemotePlace, record: RecordType, name: string): Origin | undefined {
  if (base.space !== 'kernel') return undefined;
  if (base.origin !== undefined) return { type: base.origin.type, path: `${base.origin.path}.${name}` };
  return base.offset === 0 && record.name !== undefined ? { type: spell(record), path: name } : undefined;
}

interface FoundField {
  readonly type: CType;
  readonly offset: number;
  readonly bits: Member['bits'];
}

function lookUp(c: CheckState, record: RecordType, name: string, span: Span): FoundField | undefined {
  const shown = spell(record);
  if (record.declaration) {
    report(c, 'incomplete-type', span, `\`${shown}\` is declared but its fields are not known`, 'declare its fields in the script');
    return undefined;
  }
  const found = findMember(record, name);
  if (found !== undefined) return { type: found.member.type, offset: found.offset, bits: found.member.bits };
  const names = memberNames(record);
  const guess = nearest(name, names);
  const tail = guess === undefined ? '' : `; did you mean \`${guess}\`?`;
  const hint = guess === undefined && names.length > 0 ? `it has ${listNames(names)}` : undefined;
  report(c, 'unknown-member', span, `\`${name}\` is not a member of \`${shown}\`${tail}`, hint);
  return undefined;
}

function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `\`${name}\``);
  return shown.join(', ') + (names.length > 8 ? ` and ${names.length - 8} more` : '');
}

/** Offset and type at the end of `a.b[2]`. */
export function followPath(
  c: CheckState,
  type: CType,
  path: readonly PathStep[],
): { readonly offset: number; readonly type: CType } | undefined {
  let [offset, current] = [0, type];
  for (const step of path) {
    const bare = strip(current);
    if (step.kind === 'member-step') {
      if (bare.kind !== 'record') {
        report(c, 'not-a-record', step.span, `\`${spell(current)}\` has no field \`${step.name.text}\``);
        return undefined;
      }
      const found = lookUp(c, bare, step.name.text, step.name.span);
      if (found === undefined) return undefined;
      if (found.bits !== undefined) {
        report(c, 'no-address', step.span, `\`${step.name.text}\` is a bit-field: it has no offset in bytes`);
        return undefined;
      }
      [offset, current] = [offset + found.offset, found.type];
      continue;
    }
    const index = constantInteger(c, step.index, 'the index in an offset');
    const size = bare.kind === 'array' ? sizeOf(bare.element) : undefined;
    if (bare.kind !== 'array' || size === undefined) {
      report(c, 'not-an-array', step.span, `\`${spell(current)}\` is not an array`);
      return undefined;
    }
    if (index === undefined) return undefined;
    [offset, current] = [offset + Number(index) * size, bare.element];
  }
  return { offset, type: current };
}

/** `a[i]`: an associative array's element, a byte of a text, or what lies behind a pointer. */
export function checkIndex(c: CheckState, node: IndexExpression): Expression {
  const array = arrayOf(c, node.object);
  if (array !== undefined) return element(c, array, node);
  const field = indexedContext(c, node);
  if (field !== undefined) return field;
  const object = decay(checkExpression(c, node.object));
  const [first, ...others] = node.indices;
  const index = decay(checkExpression(c, first!));
  if (object.type.kind === 'error' || index.type.kind === 'error') return broken(node.span);
  if (others.length > 0)
    return mistake(c, 'too-many-keys', node.span, `\`${snippet(c, node.object.span)}\` takes one index, not ${node.indices.length}`);
  if (index.type.kind !== 'integer') return mistake(c, 'bad-index', first!.span, `an index is a number, not \`${showType(index.type)}\``);
  if (object.type.kind === 'text') return { kind: 'text-at', text: object, index: convert(index, LONG), type: INT, at: object.at };
  if (object.type.kind !== 'pointer') {
    return mistake(
      c,
      'not-an-array',
      node.span,
      `\`${snippet(c, node.object.span)}\` of type \`${showType(object.type)}\` has no elements`,
    );
  }
  return pointerElement(c, object, index, node.span);
}

function pointerElement(c: CheckState, pointer: Expression, index: Expression, span: Span): Expression {
  if (pointer.type.kind !== 'pointer') return broken(span);
  const size = sizeOf(pointer.type.target);
  if (size === undefined) {
    return mistake(
      c,
      'incomplete-type',
      span,
      `what \`${showType(pointer.type)}\` points to has no known size`,
      'cast the pointer to a type that has one',
    );
  }
  const space = spaceOf(pointer.type);
  if (space === 'kernel') needKernel(c, span);
  if (index.kind === 'integer' && Math.abs(Number(index.value) * size) < 0x4000_0000) {
    const offset = Number(index.value) * size;
    const inner = pointer.kind === 'address' ? pointer.place : undefined;
    const from: RemotePlace = inner === undefined ? { ...whole(pointer, space), offset } : { ...inner, offset: inner.offset + offset };
    return remote(c, from, pointer.type.target, span);
  }
  return remote(c, whole(advance(pointer, index, 'add', size), space), pointer.type.target, span);
}

/** `p + i` in units of `size` bytes. */
export function advance(pointer: Expression, index: Expression, operator: 'add' | 'sub', size: number): Expression {
  const wide = convert(index, LONG);
  const scaled: Expression =
    size === 1
      ? wide
      : wide.kind === 'integer'
        ? constant(wide.value * BigInt(size), LONG, wide)
        : { kind: 'binary', operator: 'mul', left: wide, right: constant(BigInt(size), LONG, wide), type: LONG, at: wide.at };
  return { kind: 'binary', operator, left: pointer, right: scaled, type: pointer.type, at: pointer.at };
}

/** Index of the associative array that a node names; undefined when it names none. */
export function arrayOf(c: CheckState, node: { readonly kind: string }): number | undefined {
  if (node.kind !== 'name') return undefined;
  const { name, scope } = node as NameExpression;
  if (scope !== undefined) return undefined;
  const found = findName(c, name.text);
  return found?.kind === 'array' ? found.array : undefined;
}

function element(c: CheckState, array: number, node: IndexExpression): Expression {
  const keys = checkKeys(c, array, node.indices, node.span);
  if (keys === undefined) return broken(node.span);
  const { value } = c.arrayTypes[array]!;
  return { kind: 'load', place: { kind: 'element', array, keys, offset: 0, bits: undefined }, type: value, at: at(node.span) };
}

/** The keys of an element, converted to what the array was declared with. */
export function checkKeys(c: CheckState, array: number, nodes: IndexExpression['indices'], span: Span): Expression[] | undefined {
  const { keys } = c.arrayTypes[array]!;
  const { name } = c.arrays[array]!;
  const values = nodes.map((node) => ({ node, value: checkExpression(c, node) }));
  if (nodes.length !== keys.length) {
    const shown = keys.map(showType).join(', ');
    report(
      c,
      'key-count',
      span,
      `\`${name}\` has ${keys.length} ${keys.length === 1 ? 'key' : 'keys'} (${shown}), and ${nodes.length} ${nodes.length === 1 ? 'is' : 'are'} given`,
    );
    return undefined;
  }
  const converted = values.map(({ node, value }, index) => {
    const which = keys.length === 1 ? `the key of \`${name}\`` : `key ${index + 1} of \`${name}\``;
    return assignTo(c, value, keys[index]!, { name: which, span: node.span });
  });
  return converted.some((value) => value.type.kind === 'error') ? undefined : converted;
}

// ---------------------------------------------------------------- names

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
      return { kind: 'load', place: { kind: 'local', local: name.local, offset: 0, bits: undefined }, type: name.type, at: at(span) };
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
      return { kind: 'load', place: { kind: 'global', global: name.global, offset: 0, bits: undefined }, type: name.type, at: at(span) };
    case 'enumerator':
      return { kind: 'integer', value: name.value, type: toY(name.type, 'user'), at: at(span) };
    case 'place':
      return { kind: 'load', place: name.place, type: name.type, at: at(span) };
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
    return { kind: 'integer', value: 0n, type: { kind: 'pointer', space: 'any', target: VOID_TYPE }, at: at(span) };
  }
  if (name.text === 'true' || name.text === 'false') return constant(name.text === 'true' ? 1n : 0n, INT, { at: at(span) });
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
  if (enumerator !== undefined) return { kind: 'integer', value: enumerator.value, type: toY(enumerator.type, 'user'), at: at(node.span) };
  const [fn] = c.knowledge.findFunctions(node.name.text, node.scope?.text);
  if (fn !== undefined && !/[*?]/.test(node.name.text)) {
    return {
      kind: 'integer',
      value: 0n,
      type: { kind: 'function', type: fn.type ?? { kind: 'function', result: VOID_TYPE, parameters: [], variadic: true } },
      at: at(node.span),
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
    const base: Expression = { kind: 'number-builtin', name: 'thread-pointer', type: pointer, at: at(node.span) };
    return remote(c, { ...whole(base, 'user'), offset: Number(site.threadOffset) }, type, node.span);
  }
  const base: Expression = {
    kind: 'target-variable',
    module: site.module,
    name: site.name,
    address: site.address ?? 0n,
    type: pointer,
    at: at(node.span),
  };
  return remote(c, whole(base, 'user'), type, node.span);
}

// ---------------------------------------------------------------- tracepoints

function tracepointField(c: CheckState, node: MemberExpression): Expression {
  const tracepoint = c.fn?.tracepoint;
  if (tracepoint === undefined)
    return mistake(c, 'args', node.span, '`_args` is only there in a `_tracepoint` probe', 'name the parameters of the probe instead');
  const field = tracepoint.fields.find((one) => one.name === node.name.text);
  if (field === undefined) {
    const names = tracepoint.fields.map((one) => one.name);
    const guess = nearest(node.name.text, names);
    const tail = guess === undefined ? '' : `; did you mean \`${guess}\`?`;
    const message = `\`${node.name.text}\` is not a field of the tracepoint \`${tracepoint.category}:${tracepoint.name}\`${tail}`;
    return mistake(c, 'unknown-member', node.name.span, message, guess === undefined ? `it has ${listNames(names)}` : undefined);
  }
  const dataLoc = field.shape === 'data-loc';
  const from: Place = { kind: 'context', offset: field.offset, size: field.size, dataLoc };
  if (dataLoc || (field.shape === 'array' && /\bchar\b/.test(field.type))) {
    return { kind: 'load', place: from, type: { kind: 'text', capacity: dataLoc ? 128 : Math.max(field.size, 1) }, at: at(node.span) };
  }
  if (field.shape === 'array') {
    return mistake(
      c,
      'tracepoint-array',
      node.span,
      `\`${field.name}\` is an array: an index is missing`,
      `write \`_args->${field.name}[0]\``,
    );
  }
  return { kind: 'load', place: from, type: contextType(c, field.type, field.size, field.signed), at: at(node.span) };
}

function contextType(c: CheckState, text: string, size: number, signed: boolean): YType {
  const user = c.fn?.tracepoint?.category === 'syscalls' || text.includes('__user');
  const space: Space = user ? 'user' : 'kernel';
  const plain = text.replaceAll(/\b(const|volatile|__user)\b/g, '').trim();
  const pointer = /^(.*?)\s*(\*+)$/.exec(plain);
  const base = (pointer?.[1] ?? plain).trim();
  let type: CType =
    byName(c, base, space) ?? (pointer ? VOID_TYPE : { kind: 'integer', name: base, size: size as 8, signed, role: 'number' });
  for (let depth = 0; depth < (pointer?.[2]?.length ?? 0); depth++) type = pointerTo(type);
  const y = toY(type, space);
  if (y.kind === 'pointer') return y;
  return y.kind === 'integer' && y.size === size
    ? y
    : {
        kind: 'integer',
        size: size as 8,
        signed,
        bool: false,
        type: { kind: 'integer', name: base, size: size as 8, signed, role: 'number' },
      };
}

function byName(c: CheckState, text: string, space: Space): CType | undefined {
  if (text === 'char') return { kind: 'integer', name: 'char', size: 1, signed: true, role: 'char' };
  const tag = /^(struct|union|enum) (\w+)$/.exec(text);
  return tag ? c.knowledge.findType(tag[2]!, tag[1] as 'struct', 'kernel') : c.knowledge.findType(text, 'any', space);
}

/** `_args->args[2]`. */
function indexedContext(c: CheckState, node: IndexExpression): Expression | undefined {
  const { object } = node;
  if (object.kind !== 'member' || object.object.kind !== 'name' || object.object.name.text !== '_args') return undefined;
  const field = c.fn?.tracepoint?.fields.find((one) => one.name === object.name.text);
  if (field?.shape !== 'array' || /\bchar\b/.test(field.type)) return undefined;
  const match = /^(.*)\[(\d+)\]$/.exec(field.type);
  const count = Number(match?.[2] ?? 0);
  const index = constantInteger(c, node.indices[0]!, "the index of a tracepoint's array");
  if (index === undefined) return broken(node.span);
  if (index < 0n || index >= BigInt(count))
    return mistake(c, 'out-of-range', node.span, `\`${field.name}\` has ${count} elements, and this is number ${index}`);
  const size = field.size / count;
  const from: Place = { kind: 'context', offset: field.offset + Number(index) * size, size, dataLoc: false };
  return { kind: 'load', place: from, type: contextType(c, match![1]!, size, field.signed), at: at(node.span) };
}
