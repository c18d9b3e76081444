/** Globals, associative arrays, options, functions and types of the whole script. */
import { type CType, strip } from '../../ctypes/index.ts';
import type { GlobalSpec, KeySpec, ValueSpec } from '../ir/program.ts';
import type { Item, Expression as Node, TypeNode, VariableDeclaration } from '../syntax/index.ts';
import { initialise } from './assign.ts';

import { assignTo, showType } from './convert.ts';

import { type Resolved, arrayCapacity, findNamedType, openRecord, resolveType, variableType } from './resolve-type.ts';
import { type CheckState, checkExpression, declareName, findName, place, report, snippet } from './state.ts';
import { declareType } from './statements.ts';
import type { Expression, Place } from './typed.ts';
import type { YType } from './ytype.ts';

const DEFAULT_CAPACITY = 10_240;

/** Types and functions first, so that the order of the source does not matter for calls. */
export function declareItems(c: CheckState, items: readonly Item[]): void {
  for (const item of items) if (item.kind === 'typedef' || item.kind === 'type-declaration') openRecords(c, item.type);
  for (const item of items) {
    if (item.kind === 'typedef' || item.kind === 'type-declaration') declareType(c, item);
    if (item.kind === 'variable') declareGlobal(c, item);
    if (item.kind === 'function') declareFunction(c, item);
  }
}

/** Records may point to ones further down, as a list's head to its nodes. */
function openRecords(c: CheckState, type: TypeNode): void {
  if (type.kind === 'pointer') openRecords(c, type.to);
  if (type.kind === 'record' && type.name !== undefined && !c.scope.tags.has(type.name.text)) openRecord(c, type);
}

function declareFunction(c: CheckState, item: Extract<Item, { kind: 'function' }>): void {
  const before = c.top.names.get(item.name.text);
  if (before?.kind === 'function' && (before.declaration.body === undefined || item.body === undefined)) {
    if (item.body !== undefined) c.top.names.set(item.name.text, { kind: 'function', declaration: item });
    return;
  }
  if (item.type.variadic)
    report(c, 'variadic', item.name.span, `\`${item.name.text}\`: functions of the script have a fixed number of parameters`);
  declareName(c, item.name.text, item.name.span, { kind: 'function', declaration: item });
}

function declareGlobal(c: CheckState, node: VariableDeclaration): void {
  const { storage, name } = node;
  const lone = node.keys?.length === 1 ? enumeratorKey(c, node.keys[0]!) : false;
  if (storage.extern) return declareExtern(c, node);
  if (lone) {
    report(c, 'c-array', node.span, 'a variable cannot be a C array', `give it a key type: \`long ${name.text}[int];\``);
    return declareName(c, name.text, name.span, { kind: 'broken' });
  }
  if (node.keys !== undefined) return declareArray(c, node, node.keys);
  if (storage.lru) report(c, 'bad-storage', name.span, '`_lru` is for associative arrays');
  const type = variableType(c, resolveType(c, node.type), 'user', node.span);
  const spec = type.kind === 'error' ? undefined : globalSpec(c, node, type);
  if (spec === undefined) {
    if (node.initializer !== undefined && node.initializer.kind !== 'initializer-list') checkExpression(c, node.initializer);
    return declareName(c, name.text, name.span, { kind: 'broken' });
  }
  const global = c.globals.push(spec) - 1;
  if (storage.option) {
    if (type.kind !== 'integer' && type.kind !== 'float' && type.kind !== 'text')
      report(c, 'bad-option', node.span, `an option is a number or a \`_str\`, not \`${showType(type)}\``);
    c.options.push({ name: name.text, global, help: node.help });
  }
  declareName(c, name.text, name.span, { kind: 'global', global, type, option: storage.option, thread: storage.thread });
}

/** `int a[MAX]` with an enumerator of the target: a C array. */
function enumeratorKey(c: CheckState, key: TypeNode): boolean {
  if (key.kind !== 'named' || findNamedType(c, key.name.text, 'user') !== undefined) return false;
  return findName(c, key.name.text)?.kind === 'enumerator' || c.knowledge.findEnumerator(key.name.text) !== undefined;
}

function declareExtern(c: CheckState, node: VariableDeclaration): void {
  const resolved = resolveType(c, node.type);
  let type: CType | undefined = resolved.kind === 'c' ? resolved.type : undefined;
  if (type !== undefined && node.keys !== undefined) type = { kind: 'array', element: type, length: undefined };
  if (type === undefined && resolved.kind !== 'error')
    report(c, 'bad-type', node.type.span, `a variable of the target cannot be of type \`${snippet(c, node.type.span)}\``);
  if (node.initializer !== undefined)
    report(c, 'bad-initializer', node.initializer.span, 'a variable of the target cannot be given a value');
  declareName(c, node.name.text, node.name.span, type === undefined ? { kind: 'broken' } : { kind: 'extern', type, space: 'user' });
}

type Shape = Pick<GlobalSpec, 'kind' | 'size' | 'signed'>;

function shapeOf(type: YType): Shape | undefined {
  switch (type.kind) {
    case 'integer':
      return { kind: 'integer', size: type.size, signed: type.signed };
    case 'pointer':
    case 'stack':
      return { kind: 'integer', size: 8, signed: false };
    case 'float':
      return { kind: 'float', size: 8, signed: true };
    case 'text':
      return { kind: 'text', size: type.capacity, signed: false };
    case 'struct':
      return { kind: 'struct', size: type.type.size, signed: false };
    case 'aggregate':
      return { kind: 'aggregate', size: 0, signed: false };
    default:
      return undefined;
  }
}

function globalSpec(c: CheckState, node: VariableDeclaration, type: YType): GlobalSpec | undefined {
  const shape = shapeOf(type);
  if (shape === undefined) return undefined;
  const { thread, percpu } = node.storage;
  if (thread && percpu) report(c, 'bad-storage', node.name.span, '`_thread` and `_percpu` exclude each other');
  if (type.kind === 'aggregate' && (thread || percpu)) {
    report(c, 'bad-storage', node.name.span, 'an `_agg` has a copy for each CPU already', 'leave the prefix away');
  }
  if (percpu && type.kind !== 'integer' && type.kind !== 'aggregate') {
    report(c, 'bad-storage', node.name.span, `\`_percpu\` copies are summed, and \`${showType(type)}\` has no sum`, 'make it an integer');
  }
  const initial = node.initializer === undefined ? undefined : initialBytes(c, node, type, node.initializer, shape.size);
  return {
    name: node.name.text,
    ...shape,
    sharing: thread ? 'thread' : percpu ? 'percpu' : 'shared',
    initial,
    place: place(node.name.span),
  };
}

function initialBytes(c: CheckState, node: VariableDeclaration, type: YType, initializer: Node, size: number): Uint8Array | undefined {
  const bytes = new Uint8Array(size);
  if (initializer.kind === 'initializer-list') {
    if (type.kind !== 'struct') {
      report(c, 'bad-initializer', initializer.span, `braces make a record, not \`${showType(type)}\``);
      return undefined;
    }
    for (const field of initialise(c, { kind: 'global', global: c.globals.length, offset: 0, bits: undefined }, type, initializer)) {
      if (field.kind !== 'assign' || field.place.kind !== 'global' || !putField(bytes, field.place, field.value)) {
        report(c, 'not-constant', initializer.span, `the initial value of \`${node.name.text}\` must be constant`, 'set it in `_begin`');
      }
    }
    return bytes;
  }
  const given = checkExpression(c, initializer);
  const value = assignTo(c, given, type, { name: `\`${node.name.text}\``, span: initializer.span });
  if (value.type.kind === 'error') return undefined;
  if (value.kind === 'literal') return cutText(c, node, initializer, value.bytes, size);
  if (put(bytes, 0, value, undefined)) return bytes;
  report(c, 'not-constant', initializer.span, `the initial value of \`${node.name.text}\` must be constant`, 'set it in `_begin`');
  return undefined;
}

function putField(bytes: Uint8Array, { offset, bits }: Extract<Place, { kind: 'global' }>, value: Expression): boolean {
  if (value.kind !== 'float' || value.type.kind !== 'float' || value.type.size === 8) return put(bytes, offset, value, bits);
  new DataView(bytes.buffer).setFloat32(offset, value.value, true);
  return true;
}

function cutText(c: CheckState, node: VariableDeclaration, initializer: Node, text: Uint8Array, size: number): Uint8Array {
  if (text.length > size)
    report(
      c,
      'too-long',
      initializer.span,
      `${text.length} bytes do not fit \`${node.name.text}\`, which holds ${size}`,
      `declare it as \`_str<${text.length}>\``,
    );
  return text.subarray(0, size);
}

/** Writes a constant little-endian; false when it is none. A double takes eight bytes, as a field of a record the bytes of its type. */
function put(
  bytes: Uint8Array,
  offset: number,
  value: Expression,
  bits: { readonly offset: number; readonly size: number } | undefined,
): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { type } = value;
  if (value.kind === 'float') {
    view.setFloat64(offset, value.value, true);
    return true;
  }
  if (value.kind !== 'integer') return false;
  const size = type.kind === 'integer' ? type.size : 8;
  let number = BigInt.asUintN(size * 8, value.value);
  if (bits !== undefined) {
    let before = 0n;
    for (let index = size - 1; index >= 0; index--) before = (before << 8n) | BigInt(bytes[offset + index]!);
    number = before | (BigInt.asUintN(bits.size, value.value) << BigInt(bits.offset));
  }
  for (let index = 0; index < size; index++) bytes[offset + index] = Number((number >> BigInt(index * 8)) & 0xffn);
  return true;
}

// ---------------------------------------------------------------- arrays

function declareArray(c: CheckState, node: VariableDeclaration, keyNodes: readonly TypeNode[]): void {
  const { storage, name } = node;
  if (storage.thread || storage.option)
    report(c, 'bad-storage', name.span, 'an array cannot be `_thread` or `_option`', 'add `int` as a key and use `_tid()`');
  if (storage.percpu && storage.lru) report(c, 'bad-storage', name.span, '`_percpu` and `_lru` exclude each other');
  if (node.initializer !== undefined) report(c, 'bad-initializer', node.initializer.span, 'an array begins empty', 'fill it in `_begin`');
  const keys = keyNodes.map((key) => keyType(c, key));
  const value = variableType(c, resolveType(c, node.type), 'user', node.span);
  const valueSpec = toValueSpec(value);
  if (valueSpec === undefined && value.kind !== 'error')
    report(c, 'bad-type', node.type.span, `an array cannot hold \`${showType(value)}\``);
  const capacity = (node.capacity && arrayCapacity(c, node.capacity)) ?? DEFAULT_CAPACITY;
  const specs = keys.map(toKeySpec);
  if (valueSpec === undefined || specs.some((key) => key === undefined)) return declareName(c, name.text, name.span, { kind: 'broken' });
  const array = c.arrays.length;
  c.arrays.push({
    name: name.text,
    keys: specs.map((key) => key!),
    value: valueSpec,
    capacity,
    storage: storage.percpu ? 'percpu' : storage.lru ? 'lru' : 'shared',
    place: place(name.span),
  });
  c.arrayTypes.push({ keys, value });
  declareName(c, name.text, name.span, { kind: 'array', array });
}

function keyType(c: CheckState, node: TypeNode): YType {
  const resolved: Resolved = resolveType(c, node);
  const type = variableType(c, resolved, 'user', node.span);
  if (type.kind === 'struct' || type.kind === 'aggregate' || type.kind === 'float') {
    report(
      c,
      'bad-key',
      node.span,
      `\`${showType(type)}\` cannot be a key`,
      'keys are integers, `_str` and `_bt`; several stand side by side: `[int, _str]`',
    );
    return { kind: 'error' };
  }
  return type;
}

/** Enumerations, truth values and characters keep their type, which says how to print them. */
function printed(type: CType): CType | undefined {
  const bare = strip(type);
  return bare.kind === 'enum' || (bare.kind === 'integer' && bare.role !== 'number') ? bare : undefined;
}

function toKeySpec(type: YType): KeySpec | undefined {
  if (type.kind === 'integer') return { kind: 'integer', size: type.size, signed: type.signed, type: printed(type.type) };
  if (type.kind === 'pointer') return { kind: 'integer', size: 8, signed: false, type: undefined };
  if (type.kind === 'text') return { kind: 'text', capacity: type.capacity };
  return type.kind === 'stack' ? { kind: 'stack' } : undefined;
}

function toValueSpec(type: YType): ValueSpec | undefined {
  if (type.kind === 'integer') return { kind: 'integer', size: type.size, signed: type.signed, type: printed(type.type) };
  if (type.kind === 'pointer' || type.kind === 'stack') return { kind: 'integer', size: 8, signed: false, type: undefined };
  if (type.kind === 'float') return { kind: 'float' };
  if (type.kind === 'text') return { kind: 'text', capacity: type.capacity };
  if (type.kind === 'aggregate') return { kind: 'aggregate' };
  return type.kind === 'struct' ? { kind: 'struct', size: type.type.size } : undefined;
}
