/**
 * A span as an X-Ray segment document, by the rules of OpenTelemetry's X-Ray exporter, so that a service looks the same whichever
 * way its spans arrive. Pure, and runs in the browser. Where we leave the exporter's way, see README.md.
 */
import { toXRayTraceId, type AnnotationScalar, type HttpBlock, type SegmentDocument, type SpanLink, type TraceId } from '../trace/index.ts';
import { callOf, localName, type Call } from './call.ts';
import { causeOf } from './cause.ts';
import { siblingId } from './derived-id.ts';
import { isError, isFault, isSegmentSpan, isThrottle, ownerName } from './facts.ts';
import { httpFacts } from './http.ts';
import { findKnown, Slot, textAt, textOf, wholeNumberAt, type KnownAttributes } from './known-attributes.ts';
import { SpanKind, ValueKind, type OtlpAttributes, type OtlpLink, type OtlpSpan } from './model.ts';
import { resourceFacts, type ResourceFacts } from './names.ts';
import { plainObject, plainValue, putMember } from './plain-value.ts';
import { awsResourceBlock, serviceBlock } from './resource-blocks.ts';

/**
 * The document of a span: a segment, or an independent subsegment. A call that has no parent in its process (a script's
 * request, a producer at the start of a trace) is both: a segment of the service with an id derived from the span's, and in it
 * the call as a subsegment with the span's own id, which is what the callee's segment names as its parent.
 */
export function spanToSegment(span: OtlpSpan): SegmentDocument {
  const known = findKnown(span.attributes);
  const resource = resourceFacts(span.resource);
  const call = callOf(span, known);
  if (!isSegmentSpan(span, known)) return { ...subsegment(span, known, resource, call), type: 'subsegment' };
  const segment = commonMembers(span, known, resource);
  segment.name = ownerName(known, resource);
  if (resource.origin !== undefined) segment.origin = resource.origin;
  const aws = awsResourceBlock(span.resource, resource.origin);
  if (aws !== undefined) segment.aws = aws;
  if (call === undefined) {
    addOwnMembers(segment, span, known);
    return segment;
  }
  segment.id = siblingId(span.spanId, 0);
  const { trace_id: _, service: __, parent_id: ___, ...called } = subsegment(span, known, resource, call);
  segment.subsegments = [called];
  return segment;
}

/** Identity, time, outcome and owner: what a span's document always has. */
function commonMembers(span: OtlpSpan, known: KnownAttributes, resource: ResourceFacts): SegmentDocument {
  const status = httpFacts(known, span.kind === SpanKind.server)?.status ?? 0;
  const document: SegmentDocument = {
    name: localName(span),
    id: span.spanId,
    trace_id: toXRayTraceId(span.traceId as TraceId),
    start_time: toSeconds(span.startSeconds, span.startNanos),
    end_time: toSeconds(span.endSeconds, span.endNanos),
    fault: isFault(span, status),
    error: isError(status),
    throttle: isThrottle(status),
    service: serviceBlock(span.resource, ownerName(known, resource)),
  };
  if (span.parentSpanId !== '') document.parent_id = span.parentSpanId;
  const user = textAt(known, Slot.enduserId);
  if (user !== undefined) document.user = user;
  return document;
}

function subsegment(span: OtlpSpan, known: KnownAttributes, resource: ResourceFacts, call: Call | undefined): SegmentDocument {
  const document = commonMembers(span, known, resource);
  if (call !== undefined) {
    document.name = call.name;
    document.namespace = call.namespace;
    if (call.aws !== undefined) document.aws = call.aws as Record<string, unknown>;
    if (call.sql) document.sql = sqlBlock(known);
  }
  addOwnMembers(document, span, known);
  return document;
}

/** What happened in the span itself. */
function addOwnMembers(document: SegmentDocument, span: OtlpSpan, known: KnownAttributes): void {
  const http = httpBlock(known, span.kind === SpanKind.server);
  if (http !== undefined) document.http = http;
  const cause = causeOf(span);
  if (cause !== undefined) document.cause = cause;
  const { annotations, metadata } = splitAttributes(span.attributes);
  if (Object.keys(annotations).length > 0) document.annotations = annotations;
  const resource = plainObject(span.resource.attributes);
  if (Object.keys(resource).length > 0) putMember(metadata, 'otel.resource', resource);
  if (Object.keys(metadata).length > 0) document.metadata = metadata;
  if (span.links.length > 0) document.links = span.links.map(toLink);
}

function httpBlock(known: KnownAttributes, incoming: boolean): HttpBlock | undefined {
  const facts = httpFacts(known, incoming);
  if (facts === undefined) return undefined;
  const request: NonNullable<HttpBlock['request']> = {};
  if (facts.method !== undefined) request.method = facts.method;
  if (facts.url !== undefined) request.url = facts.url;
  if (facts.userAgent !== undefined) request.user_agent = facts.userAgent;
  if (facts.clientIp !== undefined) request.client_ip = facts.clientIp;
  // The old convention defined this attribute as taken from a forwarding header.
  if (facts.clientIp !== undefined && facts.clientIp === textAt(known, Slot.httpClientIp)) request.x_forwarded_for = true;
  const response: NonNullable<HttpBlock['response']> = {};
  if (facts.status !== undefined) response.status = facts.status;
  const length = wholeNumberAt(known, Slot.httpResponseBodySize) ?? wholeNumberAt(known, Slot.httpResponseContentLength);
  if (length !== undefined) response.content_length = length;
  return { request, response };
}

function sqlBlock(known: KnownAttributes): Record<string, unknown> {
  const block: Record<string, unknown> = {};
  const put = (name: string, value: string | undefined): void => {
    if (value !== undefined) block[name] = value;
  };
  put('database_type', textOf(known, Slot.dbSystemName, Slot.dbSystem));
  put('sanitized_query', textOf(known, Slot.dbQueryText, Slot.dbStatement));
  put('user', textAt(known, Slot.dbUser));
  put('connection_string', textAt(known, Slot.dbConnectionString));
  return block;
}

const METADATA_PREFIX = 'aws.xray.metadata.';

interface SplitAttributes {
  readonly annotations: Record<string, AnnotationScalar>;
  readonly metadata: Record<string, unknown>;
}

/** Scalars are annotations under their own key; lists, maps and bytes, which X-Ray cannot index, are metadata. */
function splitAttributes(attributes: OtlpAttributes): SplitAttributes {
  const annotations: Record<string, AnnotationScalar> = {};
  const metadata: Record<string, unknown> = {};
  for (let index = 0; index < attributes.keys.length; index++) {
    const key = attributes.keys[index]!;
    const kind = attributes.kinds[index];
    const value = plainValue(kind, attributes.values[index]);
    if (value === undefined) continue;
    const declared = key.startsWith(METADATA_PREFIX) ? parseObject(value) : undefined;
    if (declared !== undefined) Object.assign(metadataOf(metadata, key.slice(METADATA_PREFIX.length)), declared);
    else if (isScalar(value) && kind !== ValueKind.bytes) putMember(annotations, key, value);
    else putMember(metadataOf(metadata, 'default'), key, value);
  }
  return { annotations, metadata };
}

/** The members of a namespace, to be added to. */
function metadataOf(metadata: Record<string, unknown>, namespace: string): Record<string, unknown> {
  if (!Object.hasOwn(metadata, namespace)) putMember(metadata, namespace, {});
  return metadata[namespace] as Record<string, unknown>;
}

/** The JSON object in a text; undefined when it is none. */
function parseObject(value: unknown): Record<string, unknown> | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    const parsed: unknown = JSON.parse(value);
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isScalar(value: unknown): value is AnnotationScalar {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function toLink(link: OtlpLink): SpanLink {
  const target = { trace_id: toXRayTraceId(link.traceId as TraceId), id: link.spanId };
  return link.attributes.keys.length === 0 ? target : { ...target, attributes: plainObject(link.attributes) };
}

function toSeconds(seconds: number, nanos: number): number {
  return seconds + nanos / 1e9;
}
