/** Questions about C types that only the checker asks. */
import { type CType, type PointerType, type RecordType, strip } from '../../ctypes/index.ts';

/** Bytes that an object's address is a multiple of, as the System V and AArch64 ABIs have it. */
export function alignOf(type: CType): number {
  const bare = strip(type);
  if (bare.kind === 'array') return alignOf(bare.element);
  if (bare.kind === 'record') return bare.members.reduce((largest, member) => Math.max(largest, alignOf(member.type)), 1);
  if (bare.kind === 'float') return bare.size === 12 ? 4 : bare.size === 10 ? 16 : bare.size;
  return bare.kind === 'void' || bare.kind === 'function' ? 1 : bare.size;
}

/** All names that `findMember` would find. */
export function memberNames(record: RecordType, depth = 0): string[] {
  return record.members.flatMap((member) => {
    if (member.name !== undefined && !member.base) return [member.name];
    const inner = strip(member.type);
    return inner.kind === 'record' && depth < 16 ? memberNames(inner, depth + 1) : [];
  });
}

/** Whether two types mean the same, typedefs and promises aside. Records and enums by name. */
export function sameType(a: CType, b: CType): boolean {
  const [left, right] = [strip(a), strip(b)];
  if (left === right) return true;
  if (left.kind === 'pointer' && right.kind === 'pointer') return sameType(left.target, right.target);
  if (left.kind === 'array' && right.kind === 'array') return sameType(left.element, right.element);
  if (left.kind === 'record' && right.kind === 'record') return left.name !== undefined && left.name === right.name;
  if (left.kind === 'enum' && right.kind === 'enum') return left.name !== undefined && left.name === right.name;
  if (left.kind === 'integer' && right.kind === 'integer') return left.size === right.size && left.signed === right.signed;
  if (left.kind === 'float' && right.kind === 'float') return left.size === right.size;
  return left.kind === right.kind && (left.kind === 'void' || left.kind === 'function');
}

export function pointerTo(target: CType): PointerType {
  return { kind: 'pointer', form: 'pointer', size: 8, target };
}

/** `char`, signed or not, behind typedefs and promises. */
export function isChar(type: CType): boolean {
  const bare = strip(type);
  return bare.kind === 'integer' && bare.size === 1 && bare.role !== 'bool';
}
