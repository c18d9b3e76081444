/** Places: names, fields, elements, what pointers point to. */
import { type CType, type Member, type RecordType, findMember, sizeOf, spell, strip } from '../../ctypes/index.ts';
import type { Space } from '../ir/program.ts';
import { nearest, type IndexExpression, type MemberExpression, type NameExpression, type PathStep, type Span } from '../syntax/index.ts';

import { indexedContext, listNames, tracepointField } from './context-fields.ts';
import { addressOf, assignTo, constant, convert, decay, showType, toC, toY } from './convert.ts';
import { memberNames } from './ctype-tools.ts';

import { constantInteger } from './resolve-type.ts';
import { type CheckState, broken, checkExpression, findName, mistake, need, place, report, snippet } from './state.ts';
import type { Expression, Origin, Place, RemotePlace } from './typed.ts';
import { INT, LONG, VOID_TYPE, type YType } from './ytype.ts';

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
  if (base.kind === 'remote') return remote(c, fieldOf(base, record, node.name.text, found, node.span), found.type, node.span);
  const field = { offset: ('offset' in base ? base.offset : 0) + found.offset, bits: found.bits };
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

/** Of the kernel, what a path of fields leads to has its origin; behind an element of an array a new path begins. */
function fieldOf(base: RemotePlace, record: RecordType, name: string, { offset, bits }: FoundField, span: Span): RemotePlace {
  if (base.space !== 'kernel') return { ...base, offset: base.offset + offset, bits };
  if (base.offset !== (base.origin?.offset ?? 0)) {
    const pointer: YType = { kind: 'pointer', space: 'kernel', target: record };
    return fieldOf(whole({ kind: 'address', place: base, type: pointer, at: at(span) }, 'kernel'), record, name, { offset, bits }, span);
  }
  return { ...base, offset: base.offset + offset, bits, origin: originOf(base, record, name, base.offset + offset) };
}

function originOf({ origin }: RemotePlace, record: RecordType, name: string, offset: number): Origin | undefined {
  if (origin !== undefined) return { type: origin.type, path: `${origin.path}.${name}`, offset };
  return record.name === undefined ? undefined : { type: spell(record), path: name, offset };
}

interface FoundField {
  readonly offset: number;
  readonly bits: Member['bits'];
}

function lookUp(c: CheckState, record: RecordType, name: string, span: Span): (FoundField & { readonly type: CType }) | undefined {
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
