/** What intake needs to know about a span, without building its segment document. `spanToSegment` reads the same functions. */
import { calleeNode, UNKNOWN_NODE_TYPE, type SegmentDocument } from '../trace/index.ts';
import { callOf, localName, type Call } from './call.ts';
import { httpFacts } from './http.ts';
import { findKnown, Slot, textAt, type KnownAttributes } from './known-attributes.ts';
import { SpanFlags, SpanKind, StatusCode, type OtlpSpan } from './model.ts';
import { cleanName, resourceFacts, type ResourceFacts } from './names.ts';

/** Texts are empty, and `status` is 0, where the span says nothing. */
export interface SpanFacts {
  /** The span becomes a segment of its own; otherwise an independent subsegment. */
  readonly isSegment: boolean;
  /** Name of the document: the node's for a segment, the callee's for a call, otherwise the span's own. */
  readonly name: string;
  /** The node that the span belongs to. */
  readonly service: string;
  readonly type: string;
  /** The node that the span calls; empty when it calls none. A segment calls one too when it is a call without a parent. */
  readonly peerName: string;
  readonly peerType: string;
  readonly error: boolean;
  /** Implies `error`. */
  readonly throttle: boolean;
  readonly fault: boolean;
  readonly url: string;
  readonly method: string;
  readonly status: number;
  readonly userAgent: string;
  readonly clientIp: string;
  readonly user: string;
  /** The span calls something outside its process. */
  readonly remoteCall: boolean;
}

/**
 * The facts of a span. Spans share resources: give `resource` (from `resourceFacts`) when it is at hand.
 */
export function spanFacts(span: OtlpSpan, resource: ResourceFacts = resourceFacts(span.resource)): SpanFacts {
  // hot: 0.6 µs, 0.8 µs with the resource to read (otlp-decode bench).
  const known = findKnown(span.attributes);
  const isSegment = isSegmentSpan(span, known);
  const service = ownerName(known, resource);
  const call = callOf(span, known);
  const peer = call === undefined ? undefined : calleeNode(lightDocument(call));
  const http = httpFacts(known, span.kind === SpanKind.server);
  const status = http?.status ?? 0;
  return {
    isSegment,
    name: isSegment ? service : (call?.name ?? localName(span)),
    service,
    type: resource.origin ?? UNKNOWN_NODE_TYPE,
    peerName: peer?.name ?? '',
    peerType: peer?.type ?? '',
    error: isError(status),
    throttle: isThrottle(status),
    fault: isFault(span, status),
    url: http?.url ?? '',
    method: http?.method ?? '',
    status,
    userAgent: http?.userAgent ?? '',
    clientIp: http?.clientIp ?? '',
    user: textAt(known, Slot.enduserId) ?? '',
    remoteCall: call !== undefined,
  };
}

/**
 * Whether the span enters its service: it serves a request, begins a trace, or its parent is known to be in another process.
 * A consumer's parent is taken to be the producer, elsewhere, unless the sender says that it is not.
 */
export function isSegmentSpan(span: OtlpSpan, known: KnownAttributes): boolean {
  if (span.kind === SpanKind.server || span.parentSpanId === '') return true;
  const knowsParent = (span.flags & SpanFlags.hasIsRemote) !== 0;
  if (knowsParent && (span.flags & SpanFlags.isRemote) !== 0) return true;
  if (span.kind === SpanKind.consumer && !knowsParent) return true;
  return known[Slot.awsSpanKind] === 'LOCAL_ROOT';
}

/** Name of the node that the span belongs to. */
export function ownerName(known: KnownAttributes, resource: ResourceFacts): string {
  const local = textAt(known, Slot.awsLocalService);
  return local === undefined ? resource.service : cleanName(local, resource.service);
}

/** 4xx. */
export function isError(status: number): boolean {
  return status >= 400 && status < 500;
}

export function isThrottle(status: number): boolean {
  return status === 429;
}

/** 5xx, or marked as failed without a 4xx status to say whose fault it was. */
export function isFault(span: OtlpSpan, status: number): boolean {
  if (status >= 500 && status < 600) return true;
  return span.statusCode === StatusCode.error && !isError(status);
}

/** As much of the subsegment's document as tells the callee. */
function lightDocument(call: Call): SegmentDocument {
  const document: SegmentDocument = { name: call.name, id: '', start_time: 0, namespace: call.namespace };
  if (call.aws !== undefined) document.aws = call.aws as Record<string, unknown>;
  if (call.sql) document.sql = NO_MEMBERS;
  return document;
}

const NO_MEMBERS: Record<string, unknown> = Object.freeze({});
