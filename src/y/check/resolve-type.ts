/**
 * Type names to types: the script's own first, then the predefined ones, then the target's or the kernel's.
 * A type found in one memory space alone says which space a pointer to it points into.
 */
import { type CType, type Enumerator, type FunctionType, type Member, sizeOf, spell, strip } from '../../ctypes/index.ts';
import type { Space } from '../ir/program.ts';
import {
  nearest,
  type BasicName,
  type EnumNode,
  type Expression as ExpressionNode,
  type FunctionNode,
  type Identifier,
  type MemberNode,
  type RecordNode,
  type Span,
  type TagNode,
  type TypeNode,
} from '../syntax/index.ts';

import { toC, toY } from './convert.ts';
import { alignOf, pointerTo } from './ctype-tools.ts';
import { type CheckState, type OpenRecord, type Scope, type ScriptType, checkExpression, declareName, report, snippet } from './state.ts';
import { AGGREGATE, BASIC, DEFAULT_TEXT, ERROR, PREDEFINED, STACK, VOID_TYPE, type YType } from './ytype.ts';

export type Resolved =
  /** `space` is set where the names are only known in one memory space. */
  | { readonly kind: 'c'; readonly type: CType; readonly space: Space | undefined }
  | { readonly kind: 'text'; readonly capacity: number }
  | { readonly kind: 'aggregate' }
  | { readonly kind: 'stack' }
  | { readonly kind: 'error' };

const BROKEN: Resolved = { kind: 'error' };
const LARGEST_TEXT = 65_536;

/** What a type as written means. `prefer`: where to look first. Says what is wrong with it. */
export function resolveType(c: CheckState, node: TypeNode, prefer: Space = 'user'): Resolved {
  const resolved = resolveBare(c, node, prefer);
  if (resolved.kind !== 'c' || !(node.constant || node.volatile)) return resolved;
  const form = node.constant ? 'const' : 'volatile';
  return { ...resolved, type: { kind: 'named', form, name: undefined, target: resolved.type } };
}

function resolveBare(c: CheckState, node: TypeNode, prefer: Space): Resolved {
  switch (node.kind) {
    case 'basic':
      return basic(c, node.name, node.span);
    case 'named':
      return named(c, node.name, prefer);
    case 'tag':
      return tagged(c, node, prefer);
    case 'record':
      return { kind: 'c', type: declareRecord(c, node, prefer), space: undefined };
    case 'enum':
      return { kind: 'c', type: declareEnum(c, node), space: undefined };
    case 'pointer':
    case 'reference':
      return derive(c, node.to, prefer, (target) =>
        node.kind === 'pointer' ? pointerTo(target) : { ...pointerTo(target), form: node.rvalue ? 'rvalue-reference' : 'reference' },
      );
    case 'array': {
      const length = node.size === undefined ? undefined : arrayLength(c, node.size);
      return derive(c, node.of, prefer, (element) => ({ kind: 'array', element, length }));
    }
    case 'function-type':
      return resolveFunction(c, node, prefer);
    case 'string-type':
      return { kind: 'text', capacity: node.capacity === undefined ? DEFAULT_TEXT : textCapacity(c, node.capacity) };
    case 'aggregate-type':
      return { kind: 'aggregate' };
    case 'backtrace-type':
      return { kind: 'stack' };
    case 'typeof':
      return typeOfOperand(c, node.operand);
    case 'error-type':
      return BROKEN;
  }
}

function basic(c: CheckState, name: BasicName, span: Span): Resolved {
  const known = BASIC.get(name) ?? PREDEFINED.get(name);
  if (known !== undefined) return { kind: 'c', type: known.type, space: undefined };
  if (name === 'void') return { kind: 'c', type: VOID_TYPE, space: undefined };
  if (name === 'float') return { kind: 'c', type: { kind: 'float', name, size: 4 }, space: undefined };
  if (name === 'double') return { kind: 'c', type: { kind: 'float', name, size: 8 }, space: undefined };
  if (name === 'long double') return { kind: 'c', type: { kind: 'float', name, size: 16 }, space: undefined };
  report(c, 'unsupported-type', span, `\`${name}\` cannot be computed with: numbers have at most 64 bits`, 'read its halves as `uint64_t`');
  return BROKEN;
}

function derive(c: CheckState, inner: TypeNode, prefer: Space, make: (type: CType) => CType): Resolved {
  const resolved = resolveType(c, inner, prefer);
  if (resolved.kind === 'c') return { ...resolved, type: make(resolved.type) };
  if (resolved.kind !== 'error') {
    report(c, 'bad-type', inner.span, `\`${snippet(c, inner.span)}\` has no place in memory: no pointer, array or field can be of it`);
  }
  return BROKEN;
}

function inScopes<T>(c: CheckState, pick: (scope: Scope) => T | undefined): T | undefined {
  for (let scope: Scope | undefined = c.scope; scope !== undefined; scope = scope.parent) {
    const found = pick(scope);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A type by its name alone; undefined when nobody knows it. Says nothing. */
export function findNamedType(c: CheckState, name: string, prefer: Space): ScriptType | undefined {
  const own = inScopes(c, (scope) => scope.typedefs.get(name));
  if (own !== undefined) return own;
  const predefined = PREDEFINED.get(name);
  if (predefined !== undefined) return { type: predefined.type, space: undefined };
  return fromKnowledge(c, name, 'any', prefer);
}

function fromKnowledge(c: CheckState, name: string, tag: 'struct' | 'union' | 'enum' | 'any', prefer: Space): ScriptType | undefined {
  for (const space of [prefer, prefer === 'user' ? 'kernel' : 'user'] as const) {
    const type = c.knowledge.findType(name, tag, space);
    if (type !== undefined) return { type, space: strip(type).kind === 'record' || strip(type).kind === 'enum' ? space : undefined };
  }
  return undefined;
}

function named(c: CheckState, name: Identifier, prefer: Space): Resolved {
  const found = findNamedType(c, name.text, prefer);
  if (found !== undefined) return { kind: 'c', ...found };
  const own = inScopes(c, (scope) => scope.tags.get(name.text)) ?? c.knowledge.findType(name.text, 'struct', prefer);
  if (own !== undefined) {
    report(c, 'unknown-type', name.span, `there is no type \`${name.text}\`; did you mean \`${spell(own)}\`?`);
    return BROKEN;
  }
  const typedefs = [...PREDEFINED.keys()];
  for (let scope: Scope | undefined = c.scope; scope !== undefined; scope = scope.parent) typedefs.push(...scope.typedefs.keys());
  unknownType(c, name, name.text, typedefs);
  return BROKEN;
}

function unknownType(c: CheckState, name: Identifier, shown: string, own: readonly string[]): void {
  const guess = nearest(name.text, own) ?? c.knowledge.similar(name.text, 'type')[0];
  const tail = guess === undefined ? '' : `; did you mean \`${guess}\`?`;
  const hint = guess === undefined ? 'declare it in the script, or choose a target that has debug information' : undefined;
  report(c, 'unknown-type', name.span, `there is no type \`${shown}\`${tail}`, hint);
}

function tagged(c: CheckState, node: TagNode, prefer: Space): Resolved {
  const own = inScopes(c, (scope) => scope.tags.get(node.name.text));
  const isLater = own?.kind === 'record' && own.declaration && !c.openRecords.has(own);
  if (own !== undefined && !isLater) return { kind: 'c', type: own, space: undefined };
  const found = fromKnowledge(c, node.name.text, node.tag, prefer);
  if (found !== undefined) return { kind: 'c', ...found };
  if (own !== undefined) return { kind: 'c', type: own, space: undefined };
  unknownType(c, node.name, `${node.tag} ${node.name.text}`, [...c.top.tags.keys()]);
  return BROKEN;
}

function typeOfOperand(c: CheckState, operand: ExpressionNode): Resolved {
  const { type } = checkExpression(c, operand);
  if (type.kind === 'text') return { kind: 'text', capacity: type.capacity };
  if (type.kind === 'aggregate' || type.kind === 'stack') return { kind: type.kind };
  const found = toC(type);
  const space = type.kind === 'pointer' && type.space !== 'any' ? type.space : type.kind === 'remote' ? type.space : undefined;
  return found === undefined ? BROKEN : { kind: 'c', type: found, space };
}

function resolveFunction(c: CheckState, node: FunctionNode, prefer: Space): Resolved {
  const result = resolveType(c, node.result, prefer);
  const parameters: FunctionType['parameters'][number][] = [];
  for (const parameter of node.parameters) {
    const type = parameter.type === undefined ? BROKEN : resolveType(c, parameter.type, prefer);
    if (type.kind === 'c') parameters.push({ name: parameter.name?.text, type: type.type });
  }
  if (result.kind !== 'c') return BROKEN;
  return { kind: 'c', type: { kind: 'function', result: result.type, parameters, variadic: node.variadic }, space: undefined };
}

/** The value of a constant integer expression; says so when it is none. */
export function constantInteger(c: CheckState, node: ExpressionNode, what: string): bigint | undefined {
  const value = checkExpression(c, node);
  if (value.kind === 'integer') return value.type.kind === 'error' ? undefined : value.value;
  if (value.type.kind !== 'error') {
    report(
      c,
      'not-constant',
      node.span,
      value.type.kind === 'integer'
        ? `${what} must be a constant, and \`${snippet(c, node.span)}\` is known only when the program runs`
        : `${what} must be a constant, and \`${snippet(c, node.span)}\` is no integer`,
    );
  }
  return undefined;
}

function bounded(c: CheckState, node: ExpressionNode, what: string, low: number, high: number): number | undefined {
  const value = constantInteger(c, node, what);
  if (value === undefined) return undefined;
  if (value >= BigInt(low) && value <= BigInt(high)) return Number(value);
  report(c, 'out-of-range', node.span, `${what} is ${value}; it must be from ${low} to ${high}`);
  return undefined;
}

function arrayLength(c: CheckState, node: ExpressionNode): number | undefined {
  return bounded(c, node, 'the length of an array', 0, 0x7fff_ffff);
}

function textCapacity(c: CheckState, node: ExpressionNode): number {
  return bounded(c, node, 'the capacity of a `_str`', 1, LARGEST_TEXT) ?? DEFAULT_TEXT;
}

/** Entries of an array: 1 to 16,777,216. */
export function arrayCapacity(c: CheckState, node: ExpressionNode): number | undefined {
  return bounded(c, node, 'the capacity of an array', 1, 1 << 24);
}

/** Makes a name for a record whose definition comes further down, or just now. */
export function openRecord(c: CheckState, node: RecordNode): OpenRecord & { kind: 'record' } {
  const open = { kind: 'record', form: node.tag, name: node.name?.text, size: 0, declaration: true, members: [] } as const;
  c.openRecords.add(open);
  if (node.name !== undefined) c.scope.tags.set(node.name.text, open);
  return open;
}

/** Lays a record out as the System V and AArch64 ABIs do. */
export function declareRecord(c: CheckState, node: RecordNode, prefer: Space = 'user'): CType {
  const before = node.name === undefined ? undefined : c.scope.tags.get(node.name.text);
  if (before !== undefined && !(before.kind === 'record' && before.declaration)) {
    const name = node.name!;
    report(c, 'redeclared', name.span, `\`${node.tag} ${name.text}\` is declared already`, 'give one of the two another name');
  }
  const isOpen = before?.kind === 'record' && before.declaration && c.openRecords.has(before);
  const open: OpenRecord & { kind: 'record' } = isOpen ? before : openRecord(c, node);
  const layout = new Layout(node.tag === 'union', node.packed);
  for (const member of node.members) layout.add(c, member, prefer);
  open.members = layout.members;
  open.size = layout.size();
  open.declaration = false;
  return open;
}

/** Fields one after the other, bit-fields packed into units of their type. */
class Layout {
  readonly members: Member[] = [];
  readonly union: boolean;
  readonly packed: boolean;
  bits = 0;
  largest = 0;
  align = 1;

  constructor(union: boolean, packed: boolean) {
    this.union = union;
    this.packed = packed;
  }

  add(c: CheckState, node: MemberNode, prefer: Space): void {
    const resolved = resolveType(c, node.type, prefer);
    if (resolved.kind !== 'c') {
      if (resolved.kind !== 'error') report(c, 'bad-type', node.type.span, `a field cannot be of type \`${snippet(c, node.type.span)}\``);
      return;
    }
    if (this.union) this.bits = 0;
    if (node.bits !== undefined) this.bitField(c, node, resolved.type, node.bits);
    else this.field(c, node, resolved.type);
    this.largest = Math.max(this.largest, this.bits);
  }

  field(c: CheckState, node: MemberNode, type: CType): void {
    const bare = strip(type);
    const size = sizeOf(type) ?? (bare.kind === 'array' && bare.length === undefined ? 0 : undefined);
    if (size === undefined) {
      report(
        c,
        'incomplete-type',
        node.type.span,
        `\`${snippet(c, node.type.span)}\` has no known size`,
        'declare its fields, or make it a pointer',
      );
      return;
    }
    const align = this.packed ? 1 : alignOf(type);
    const offset = Math.ceil(this.bits / 8 / align) * align;
    this.align = Math.max(this.align, align);
    this.bits = (offset + size) * 8;
    this.members.push({ name: node.name?.text, type, offset, bits: undefined, base: false });
  }

  bitField(c: CheckState, node: MemberNode, type: CType, width: ExpressionNode): void {
    const unit = sizeOf(type) ?? 4;
    const size = bounded(c, width, 'the width of a bit-field', 0, unit * 8);
    if (size === undefined) return;
    const fits = Math.floor(this.bits / (unit * 8)) === Math.floor((this.bits + size - 1) / (unit * 8));
    if (size === 0 || !(fits || this.packed)) this.bits = Math.ceil(this.bits / (unit * 8)) * unit * 8;
    if (size === 0) return;
    const offset = Math.floor(this.bits / (unit * 8)) * unit;
    if (!this.packed && node.name !== undefined) this.align = Math.max(this.align, alignOf(type));
    if (node.name !== undefined) {
      this.members.push({ name: node.name.text, type, offset, bits: { offset: this.bits - offset * 8, size }, base: false });
    }
    this.bits += size;
  }

  size(): number {
    return Math.ceil(this.largest / 8 / this.align) * this.align;
  }
}

/** Makes the enumerators names of the scope. */
export function declareEnum(c: CheckState, node: EnumNode): CType {
  const enumerators: Enumerator[] = [];
  let next = 0n;
  for (const { name, value, span } of node.enumerators) {
    if (value !== undefined) next = constantInteger(c, value, `the value of \`${name.text}\``) ?? next;
    enumerators.push({ name: name.text, value: next });
    void span;
    next++;
  }
  const values = enumerators.map((one) => one.value);
  const signed = values.some((value) => value < 0n);
  const wide = values.some((value) => value > 0xffff_ffffn || value < -0x8000_0000n || (signed && value > 0x7fff_ffffn));
  const type: CType = { kind: 'enum', name: node.name?.text, size: wide ? 8 : 4, signed, enumerators };
  node.enumerators.forEach((one, index) =>
    declareName(c, one.name.text, one.span, { kind: 'enumerator', value: enumerators[index]!.value, type }),
  );
  if (node.name !== undefined) c.scope.tags.set(node.name.text, type);
  return type;
}

/** The static type of a variable declared so. Records are held by the program itself; C arrays cannot be. */
export function variableType(c: CheckState, resolved: Resolved, prefer: Space, span: Span): YType {
  if (resolved.kind === 'text') return { kind: 'text', capacity: resolved.capacity };
  if (resolved.kind === 'stack') return STACK;
  if (resolved.kind === 'aggregate') return AGGREGATE;
  if (resolved.kind === 'error') return ERROR;
  const space = resolved.space ?? prefer;
  const bare = strip(resolved.type);
  if (bare.kind === 'record') {
    if (!bare.declaration) return { kind: 'struct', type: bare, space };
    report(
      c,
      'incomplete-type',
      span,
      `\`${spell(resolved.type)}\` is declared but its fields are not known`,
      'declare its fields in the script',
    );
    return ERROR;
  }
  if (bare.kind === 'array') {
    report(
      c,
      'c-array',
      span,
      'a variable cannot be a C array',
      'use an associative array, `long name[int];`, or a pointer into the target',
    );
    return ERROR;
  }
  if (bare.kind === 'void' || bare.kind === 'function') {
    report(c, 'bad-type', span, `a variable cannot be of type \`${spell(resolved.type)}\``);
    return ERROR;
  }
  if (bare.kind === 'pointer' && bare.form !== 'pointer') {
    return { kind: 'pointer', space, target: bare.target };
  }
  const type = toY(resolved.type, space);
  if (type.kind === 'error') report(c, 'unsupported-type', span, `\`${spell(resolved.type)}\` cannot be computed with`);
  return type;
}
