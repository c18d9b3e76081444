/** Types back to C text. */
import type { CType, EnumType, FunctionType, Member, RecordType } from './ctype.ts';
import { sizeOf, strip } from './questions.ts';

const MAX_DEPTH = 64;

/**
 * A type as C writes it, around a name if one is given: `spell(type, 'f')` is `int (*f)(char *)`.
 * Records and enums are named, not written out; anonymous ones are `struct {…}`.
 */
export function spell(type: CType, name = ''): string {
  return declare(type, name, 0);
}

/** Wraps `declarator`, what is written so far, in what `type` adds around it; C declares from the inside out. */
function declare(type: CType, declarator: string, depth: number): string {
  if (depth > MAX_DEPTH) return join('…', declarator);
  switch (type.kind) {
    case 'void':
      return join('void', declarator);
    case 'integer':
    case 'float':
      return join(type.name, declarator);
    case 'enum':
      return join(`enum ${type.name ?? '{…}'}`, declarator);
    case 'record':
      return join(`${type.form} ${type.name ?? '{…}'}`, declarator);
    case 'pointer':
      return declarePointer(type, declarator, depth);
    case 'array':
      return declare(type.element, `${declarator}[${type.length ?? ''}]`, depth + 1);
    case 'function':
      return declare(type.result, `${declarator}(${parameters(type, depth)})`, depth + 1);
    case 'named':
      return declareNamed(type, declarator, depth);
  }
}

function declarePointer(type: Extract<CType, { kind: 'pointer' }>, declarator: string, depth: number): string {
  const sign = type.form === 'pointer' ? '*' : type.form === 'reference' ? '&' : '&&';
  const inner = `${sign}${declarator}`;
  const { target } = type;
  // Postfix parts bind tighter than the star.
  return declare(target, target.kind === 'array' || target.kind === 'function' ? `(${inner})` : inner, depth + 1);
}

function declareNamed(type: Extract<CType, { kind: 'named' }>, declarator: string, depth: number): string {
  if (type.form === 'typedef') return join(type.name ?? '…', declarator);
  const word = type.form === 'atomic' ? '_Atomic' : type.form;
  // A qualified array has qualified elements, which compilers often say too. A qualifier of a pointer stands right of the star; of anything else we write it first.
  const { target } = type;
  if (target.kind === 'array' && target.element.kind === 'named' && target.element.form === type.form)
    return declare(target, declarator, depth + 1);
  if (target.kind === 'pointer') return declare(target, join(word, declarator), depth + 1);
  return `${word} ${declare(target, declarator, depth + 1)}`;
}

function parameters(type: FunctionType, depth: number): string {
  const texts = type.parameters.map((parameter) => declare(parameter.type, '', depth + 1));
  if (type.variadic) texts.push('...');
  return texts.length === 0 ? 'void' : texts.join(', ');
}

function join(base: string, declarator: string): string {
  return declarator === '' ? base : `${base} ${declarator}`;
}

/**
 * A record or enum written out with offsets and sizes, one member a line, in the order of declaration:
 *
 *     struct point { // 8 bytes
 *       int x; // 0, 4
 *       int y; // 4, 4
 *     };
 *
 * Anonymous members are written out in place. A bit-field's comment is `offset:bit, bits`.
 */
export function spellDefinition(type: RecordType | EnumType): string {
  if (type.kind === 'enum') {
    const lines = type.enumerators.map((one) => `  ${one.name} = ${one.value},`);
    return [`${join('enum', type.name ?? '')} { // ${type.size} bytes`, ...lines, '};'].join('\n');
  }
  if (type.declaration) return `${spell(type)};`;
  return `${join(type.form, type.name ?? '')} { // ${type.size} bytes\n${memberLines(type, '  ', 0).join('\n')}\n};`;
}

function memberLines(record: RecordType, indent: string, base: number): string[] {
  return record.members.flatMap((member) => memberText(member, indent, base));
}

function memberText(member: Member, indent: string, base: number): string[] {
  const offset = base + member.offset;
  const inner = strip(member.type);
  if (member.name === undefined && !member.base && inner.kind === 'record' && inner.name === undefined && indent.length < MAX_DEPTH) {
    return [`${indent}${inner.form} { // ${offset}, ${inner.size}`, ...memberLines(inner, `${indent}  `, offset), `${indent}};`];
  }
  if (member.base) return [`${indent}// base ${spell(member.type)}: ${offset}, ${sizeOf(member.type) ?? 0}`];
  if (member.bits !== undefined) {
    const { offset: bit, size } = member.bits;
    return [`${indent}${spell(member.type, member.name ?? '')}:${size}; // ${offset}:${bit}, ${size} bits`];
  }
  return [`${indent}${spell(member.type, member.name ?? '')}; // ${offset}, ${sizeOf(member.type) ?? 0}`];
}
