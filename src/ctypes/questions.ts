/** Questions about types. None of them walks further than `MAX_DEPTH`, so types that contain themselves (damaged input) end. */
import type { CType, Member, NamedType, RecordType, VoidType } from './ctype.ts';

/** Real programs nest typedefs, arrays and anonymous members a dozen deep. */
const MAX_DEPTH = 64;
const VOID: VoidType = { kind: 'void' };

/** The type behind typedefs and qualifiers; `void` for a chain of names that never ends. */
export function strip(type: CType): Exclude<CType, NamedType> {
  let inner: CType = type;
  for (let depth = 0; inner.kind === 'named'; depth++) {
    if (depth === MAX_DEPTH) return VOID;
    inner = inner.target;
  }
  return inner;
}

/** Size in bytes; undefined for void, functions, arrays of unknown bound and records that are only declared. */
export function sizeOf(type: CType): number | undefined {
  let count = 1;
  let inner = strip(type);
  for (let depth = 0; inner.kind === 'array'; depth++) {
    if (inner.length === undefined || depth === MAX_DEPTH) return undefined;
    count *= inner.length;
    inner = strip(inner.element);
  }
  if (inner.kind === 'void' || inner.kind === 'function') return undefined;
  if (inner.kind === 'record' && inner.declaration) return undefined;
  return inner.size * count;
}

/** A member as seen from the record that was asked. */
export interface FoundMember {
  readonly member: Member;
  /** Bytes from the start of the record that was asked. */
  readonly offset: number;
}

/**
 * Finds a member by name: the record's own first, then those of anonymous members and base classes, nearest first.
 * Undefined when there is none.
 */
export function findMember(record: RecordType, name: string): FoundMember | undefined {
  const seen = new Set<RecordType>([record]);
  let level: { readonly record: RecordType; readonly offset: number }[] = [{ record, offset: 0 }];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { record: holder, offset } of level) {
      for (const member of holder.members) {
        if (member.name === name && !member.base) return { member, offset: offset + member.offset };
        const inner = member.name === undefined || member.base ? strip(member.type) : undefined;
        if (inner?.kind !== 'record' || seen.has(inner)) continue;
        seen.add(inner);
        if (seen.size > 10_000) return undefined;
        next.push({ record: inner, offset: offset + member.offset });
      }
    }
    level = next;
  }
  return undefined;
}
