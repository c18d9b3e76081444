/** A trace as X-Ray hands it out: one document per segment, everything that belongs to it embedded. */
import type { SegmentDocument } from './document.ts';
import { toXRayTraceId, type SpanId } from './ids.ts';
import type { Entity, Trace } from './model.ts';

export interface CompiledSegment {
  readonly id: SpanId;
  readonly document: SegmentDocument;
}

/**
 * Subsegments below this depth become documents of their own, with `type` and `parent_id`: whoever reads the JSON recurses on
 * its nesting (Python's parser gives up at 1,000 levels, and each subsegment is two).
 */
const MAX_DEPTH = 256;

/** Members of X-Ray's schema that are copied as sent; ids, times and flags are written from the entity. */
const COPIED_ON_SEGMENTS = [
  'origin',
  'http',
  'aws',
  'cause',
  'annotations',
  'metadata',
  'user',
  'service',
  'resource_arn',
  'links',
  'sql',
] as const;
const COPIED_ON_SUBSEGMENTS = [
  'namespace',
  'http',
  'aws',
  'cause',
  'annotations',
  'metadata',
  'user',
  'sql',
  'links',
  'precursor_ids',
  'traced',
  'group_id',
] as const;

interface Pending {
  readonly entity: Entity;
  /** Where it goes; undefined when it becomes a document of its own. */
  readonly holder: SegmentDocument | undefined;
  readonly depth: number;
}

/**
 * One document per segment, inferred ones too, in start order, with all its subsegments embedded however they were sent. Members
 * that are not in X-Ray's schema are left out. Subsegments whose parent was not received come as documents of `type`
 * `subsegment` (placeholders are not handed out). The documents share parts with the trace: do not change them.
 */
export function compileSegments(trace: Trace): readonly CompiledSegment[] {
  const compiled: CompiledSegment[] = [];
  const pending: Pending[] = [];
  for (const segment of trace.segments) {
    if (segment.placeholder) pushChildren(pending, segment, undefined, 0);
    else pending.push({ entity: segment, holder: undefined, depth: 0 });
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const document = toDocument(trace, next);
      if (next.holder === undefined) compiled.push({ id: next.entity.id, document });
      else (next.holder.subsegments ??= []).push(document);
      pushChildren(pending, next.entity, document, next.depth + 1);
    }
  }
  return compiled;
}

/** Last first, so that the first is taken first. */
function pushChildren(pending: Pending[], entity: Entity, document: SegmentDocument | undefined, depth: number): void {
  const holder = depth % MAX_DEPTH === 0 ? undefined : document;
  for (let index = entity.children.length - 1; index >= 0; index -= 1) {
    const child = entity.children[index];
    if (child !== undefined) pending.push({ entity: child, holder, depth });
  }
}

function toDocument(trace: Trace, { entity, holder }: Pending): SegmentDocument {
  const document: SegmentDocument = { id: entity.id, name: entity.name, start_time: entity.startSeconds };
  if (entity.endSeconds === undefined) document.in_progress = true;
  else document.end_time = entity.endSeconds;
  if (holder === undefined) {
    if (entity.parentId !== undefined) document.parent_id = entity.parentId;
    document.trace_id = toXRayTraceId(trace.id);
    if (entity.kind === 'subsegment') document.type = 'subsegment';
  }
  if (entity.inferred) document.inferred = true;
  for (const flag of ['error', 'throttle', 'fault'] as const) {
    if (entity[flag] || entity.document[flag] === false) document[flag] = entity[flag];
  }
  const members: Record<string, unknown> = document;
  const copied = entity.kind === 'segment' ? COPIED_ON_SEGMENTS : COPIED_ON_SUBSEGMENTS;
  for (const member of copied) {
    const value = entity.document[member];
    if (value !== undefined && value !== null) members[member] = value;
  }
  return document;
}
