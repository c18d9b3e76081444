/**
 * Exceptions of a (sub)segment. SDKs write an exception in full where they first see it and refer to it further up the call
 * tree: by the exception's id (`"cause": "3b59…"`) or, in the Node SDK, by the subsegment's (`"cause": {"id": "f4ac…"}`).
 */
import type { ExceptionBlock, SegmentDocument } from './document.ts';
import type { Entity } from './model.ts';
import { findEntity } from './walk.ts';

/** References that are followed before giving up: real SDKs point straight at the recorded exception. */
const MAX_REFERENCES = 8;

/**
 * The exceptions that an entity failed with, references resolved within its segment; an inferred segment has its caller's.
 * Empty when it recorded none, or refers to one that was not received. Linear in the segment's size when a reference is followed.
 */
export function exceptionsOf(entity: Entity): readonly ExceptionBlock[] {
  let current = entity.inferred ? (entity.parent ?? entity) : entity;
  for (let followed = 0; followed < MAX_REFERENCES; followed += 1) {
    const own = recordedExceptions(current.document);
    if (own.length > 0) return own;
    const reference = referenceOf(current.document);
    if (reference === undefined) return [];
    const holder = findEntity(current.segment, (candidate) => isNamed(candidate, reference));
    if (holder === undefined) return [];
    const named = recordedExceptions(holder.document).filter((exception) => isSameId(exception.id, reference));
    if (named.length > 0) return named;
    current = holder;
  }
  return [];
}

/** Exceptions written out in the document itself. */
function recordedExceptions({ cause }: SegmentDocument): readonly ExceptionBlock[] {
  if (typeof cause !== 'object' || cause === null || !Array.isArray(cause.exceptions)) return [];
  const exceptions: readonly unknown[] = cause.exceptions;
  return exceptions.filter((item): item is ExceptionBlock => typeof item === 'object' && item !== null);
}

function referenceOf({ cause }: SegmentDocument): string | undefined {
  const reference: unknown = typeof cause === 'object' && cause !== null ? cause.id : cause;
  return typeof reference === 'string' && reference !== '' ? reference.toLowerCase() : undefined;
}

function isNamed(candidate: Entity, reference: string): boolean {
  if (candidate.id === reference) return true;
  return recordedExceptions(candidate.document).some((exception) => isSameId(exception.id, reference));
}

function isSameId(id: unknown, reference: string): boolean {
  return typeof id === 'string' && id.toLowerCase() === reference;
}
