/** The segment that a callee would have sent, made from its caller's subsegment. */
import { deriveSpanId } from './derived-id.ts';
import type { SegmentDocument } from './document.ts';
import { toXRayTraceId, type SpanId, type TraceId } from './ids.ts';
import type { NodeKey } from './model.ts';

const COPIED = ['http', 'aws', 'error', 'throttle', 'fault', 'cause', 'sql'] as const;

/** What of the calling subsegment an inferred segment is made from. */
interface Caller {
  readonly id: SpanId;
  readonly name: string;
  readonly startSeconds: number;
  readonly endSeconds: number | undefined;
  readonly document: SegmentDocument;
}

/**
 * The document of an inferred segment: the subsegment's name, times, http, aws, sql, flags and cause; `origin` is the node's type.
 * Its id follows from the trace and the subsegment, so it is the same on every assembly. No annotations, no metadata.
 */
export function inferredDocument(traceId: TraceId, caller: Caller, node: NodeKey): SegmentDocument {
  const document: SegmentDocument = {
    id: deriveSpanId(traceId, caller.id),
    name: caller.name,
    start_time: caller.startSeconds,
    parent_id: caller.id,
    trace_id: toXRayTraceId(traceId),
    origin: node.type,
    inferred: true,
  };
  if (caller.endSeconds === undefined) document.in_progress = true;
  else document.end_time = caller.endSeconds;
  const members: Record<string, unknown> = document;
  for (const member of COPIED) {
    const value = caller.document[member];
    if (value !== undefined) members[member] = value;
  }
  return document;
}
