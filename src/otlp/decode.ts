/**
 * OTLP's protobuf (opentelemetry/proto/collector/trace/v1, trace/v1, common/v1, resource/v1) straight to `OtlpSpan`, with no
 * generated classes in between. Two kinds of fault: bytes that are not such a message make the whole request unreadable;
 * a well-formed span that says something impossible is refused alone, counted, and the rest is kept.
 * Case labels are tags: field number × 8 + wire type.
 */
import { err, ok, type Result } from '../base/index.ts';
import { COST, FieldReader, type MutableAttributes } from './field-reader.ts';
import {
  NO_ATTRIBUTES,
  type OtlpAttributes,
  type OtlpBatch,
  type OtlpError,
  type OtlpEvent,
  type OtlpLink,
  type OtlpResource,
  type OtlpScope,
  type OtlpSpan,
} from './model.ts';
import { checkSpan, isLinkTarget, parentOrNone, rejectMessage, RejectLog } from './rejects.ts';
import { WireError, WireReader } from './wire.ts';

/**
 * Reads an ExportTraceServiceRequest. Byte values in the spans are views of `bytes`, which must not be changed
 * while they live. Never throws for bad input.
 */
export function decodeTraces(bytes: Uint8Array): Result<OtlpBatch, OtlpError> {
  try {
    return ok(new TraceDecoder(bytes).decode());
  } catch (error) {
    if (error instanceof WireError) return err(error.detail);
    throw error;
  }
}

type MutableSpan = { -readonly [Key in keyof OtlpSpan]: OtlpSpan[Key] };

/** A resource or scope together with whether its strings are sound. */
interface Owner<T> {
  readonly value: T;
  readonly badUtf8: boolean;
}

const NO_EVENTS: readonly OtlpEvent[] = Object.freeze([]);
const NO_LINKS: readonly OtlpLink[] = Object.freeze([]);

/** Fields that we know, as bits, for messages whose tags no case took. */
const SPAN_FIELDS = 0x1fffe;
const FIELDS_1_TO_4 = 0x1e;

class TraceDecoder {
  readonly #reader: WireReader;
  readonly #fields: FieldReader;
  readonly #spans: OtlpSpan[] = [];
  readonly #rejects = new RejectLog();
  /** Of the span being read. */
  #badParentId = false;
  #badLinkId = false;

  constructor(bytes: Uint8Array) {
    this.#reader = new WireReader(bytes);
    this.#fields = new FieldReader(this.#reader);
  }

  decode(): OtlpBatch {
    const reader = this.#reader;
    const end = reader.bytes.length;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      // resource_spans
      if (tag === 10) this.#resourceSpans(reader.lengthEnd(end));
      else reader.skipUnknown(tag, end, 0b10);
    }
    return { spans: this.#spans, rejected: this.#rejects.count, rejects: this.#rejects.list() };
  }

  #resourceSpans(end: number): void {
    const reader = this.#reader;
    const start = reader.pos;
    const resource = this.#resourceOf(end);
    reader.pos = start;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      // scope_spans
      if (tag === 18) this.#scopeSpans(reader.lengthEnd(end), resource);
      else reader.skip(tag, end);
    }
  }

  /** Reads the resource and its schema first, wherever they stand, since every span refers to it. */
  #resourceOf(end: number): Owner<OtlpResource> {
    const reader = this.#reader;
    this.#fields.badUtf8 = false;
    let resource: { attributes: OtlpAttributes; droppedAttributesCount: number } | undefined;
    let schemaUrl = '';
    while (reader.pos < end) {
      const tag = reader.tag(end);
      // resource, scope_spans, schema_url
      if (tag === 10) resource = this.#resource(reader.lengthEnd(end));
      else if (tag === 18) reader.pos = reader.lengthEnd(end);
      else if (tag === 26) schemaUrl = this.#fields.string(end);
      else reader.skipUnknown(tag, end, 0b1110);
    }
    const { attributes, droppedAttributesCount } = resource ?? { attributes: NO_ATTRIBUTES, droppedAttributesCount: 0 };
    return { value: { attributes, droppedAttributesCount, schemaUrl }, badUtf8: this.#fields.badUtf8 };
  }

  #resource(end: number): { attributes: OtlpAttributes; droppedAttributesCount: number } {
    const reader = this.#reader;
    this.#fields.spend(COST.container);
    let attributes: MutableAttributes | undefined;
    let droppedAttributesCount = 0;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      // attributes, dropped_attributes_count
      if (tag === 10) this.#fields.attribute((attributes ??= this.#fields.attributes()), reader.lengthEnd(end), 0);
      else if (tag === 16) droppedAttributesCount = reader.varint32(end);
      else reader.skipUnknown(tag, end, 0b110);
    }
    return { attributes: attributes ?? NO_ATTRIBUTES, droppedAttributesCount };
  }

  #scopeSpans(end: number, resource: Owner<OtlpResource>): void {
    const reader = this.#reader;
    const start = reader.pos;
    const scope = this.#scopeOf(end);
    const badUtf8 = resource.badUtf8 || scope.badUtf8;
    reader.pos = start;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      // spans
      if (tag === 18) this.#span(reader.lengthEnd(end), resource.value, scope.value, badUtf8);
      else reader.skip(tag, end);
    }
  }

  #scopeOf(end: number): Owner<OtlpScope> {
    const reader = this.#reader;
    this.#fields.spend(COST.container);
    this.#fields.badUtf8 = false;
    let scope: Omit<OtlpScope, 'schemaUrl'> | undefined;
    let schemaUrl = '';
    while (reader.pos < end) {
      const tag = reader.tag(end);
      // scope, spans, schema_url
      if (tag === 10) scope = this.#scope(reader.lengthEnd(end));
      else if (tag === 18) reader.pos = reader.lengthEnd(end);
      else if (tag === 26) schemaUrl = this.#fields.string(end);
      else reader.skipUnknown(tag, end, 0b1110);
    }
    const known = scope ?? { name: '', version: '', attributes: NO_ATTRIBUTES, droppedAttributesCount: 0 };
    return { value: { ...known, schemaUrl }, badUtf8: this.#fields.badUtf8 };
  }

  #scope(end: number): Omit<OtlpScope, 'schemaUrl'> {
    const reader = this.#reader;
    let name = '';
    let version = '';
    let attributes: MutableAttributes | undefined;
    let droppedAttributesCount = 0;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      // name, version, attributes, dropped_attributes_count
      if (tag === 10) name = this.#fields.string(end);
      else if (tag === 18) version = this.#fields.string(end);
      else if (tag === 26) this.#fields.attribute((attributes ??= this.#fields.attributes()), reader.lengthEnd(end), 0);
      else if (tag === 32) droppedAttributesCount = reader.varint32(end);
      else reader.skipUnknown(tag, end, FIELDS_1_TO_4);
    }
    return { name, version, attributes: attributes ?? NO_ATTRIBUTES, droppedAttributesCount };
  }

  /** One Span message; pushed to the batch or to the rejects. */
  #span(end: number, resource: OtlpResource, scope: OtlpScope, badUtf8: boolean): void {
    const reader = this.#reader;
    this.#fields.badUtf8 = badUtf8;
    this.#badParentId = false;
    this.#badLinkId = false;
    const span = newSpan(resource, scope);
    while (reader.pos < end) this.#spanField(span, reader.tag(end), end);
    const reason = checkSpan(span, this.#badParentId, this.#badLinkId, this.#fields.badUtf8);
    if (reason !== undefined) {
      this.#rejects.add(reason, rejectMessage(reason), span.traceId, span.spanId);
      return;
    }
    this.#fields.spend(COST.span);
    this.#spans.push(span);
  }

  // hot: a span of 10 attributes is read in 1.4 µs altogether (otlp-decode bench).
  #spanField(span: MutableSpan, tag: number, end: number): void {
    const reader = this.#reader;
    switch (tag) {
      case 10: // trace_id
        span.traceId = this.#fields.traceId(end);
        break;
      case 18: // span_id
        span.spanId = this.#fields.spanId(end);
        break;
      case 26: // trace_state
        span.traceState = this.#fields.string(end);
        break;
      case 34: // parent_span_id
        span.parentSpanId = this.#parentId(end);
        break;
      case 42: // name
        span.name = this.#fields.string(end);
        break;
      case 48: // kind
        span.kind = enumNumber(reader.varint32(end), 5);
        break;
      case 57: // start_time_unix_nano
        reader.time(end);
        span.startSeconds = reader.seconds;
        span.startNanos = reader.nanos;
        break;
      case 65: // end_time_unix_nano
        reader.time(end);
        span.endSeconds = reader.seconds;
        span.endNanos = reader.nanos;
        break;
      case 74: // attributes
        if (span.attributes === NO_ATTRIBUTES) span.attributes = this.#fields.attributes();
        this.#fields.attribute(span.attributes as MutableAttributes, reader.lengthEnd(end), 0);
        break;
      case 80: // dropped_attributes_count
        span.droppedAttributesCount = reader.varint32(end);
        break;
      case 90: // events
        if (span.events === NO_EVENTS) span.events = [];
        (span.events as OtlpEvent[]).push(this.#event(reader.lengthEnd(end)));
        break;
      case 96: // dropped_events_count
        span.droppedEventsCount = reader.varint32(end);
        break;
      case 106: // links
        if (span.links === NO_LINKS) span.links = [];
        (span.links as OtlpLink[]).push(this.#link(reader.lengthEnd(end)));
        break;
      case 112: // dropped_links_count
        span.droppedLinksCount = reader.varint32(end);
        break;
      case 122: // status
        this.#status(span, reader.lengthEnd(end));
        break;
      case 133: // flags
        span.flags = reader.fixed32(end);
        break;
      default:
        reader.skipUnknown(tag, end, SPAN_FIELDS);
    }
  }

  #status(span: MutableSpan, end: number): void {
    const reader = this.#reader;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      // message, code
      if (tag === 18) span.statusMessage = this.#fields.string(end);
      else if (tag === 24) span.statusCode = enumNumber(reader.varint32(end), 2);
      else reader.skipUnknown(tag, end, 0b1100);
    }
  }

  #event(end: number): OtlpEvent {
    const reader = this.#reader;
    this.#fields.spend(COST.event);
    let seconds = 0;
    let nanos = 0;
    let name = '';
    let attributes: MutableAttributes | undefined;
    let droppedAttributesCount = 0;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      // time_unix_nano, name, attributes, dropped_attributes_count
      if (tag === 9) {
        reader.time(end);
        seconds = reader.seconds;
        nanos = reader.nanos;
      } else if (tag === 18) name = this.#fields.string(end);
      else if (tag === 26) this.#fields.attribute((attributes ??= this.#fields.attributes()), reader.lengthEnd(end), 0);
      else if (tag === 32) droppedAttributesCount = reader.varint32(end);
      else reader.skipUnknown(tag, end, FIELDS_1_TO_4);
    }
    return { seconds, nanos, name, attributes: attributes ?? NO_ATTRIBUTES, droppedAttributesCount };
  }

  #link(end: number): OtlpLink {
    const reader = this.#reader;
    this.#fields.spend(COST.link);
    let traceId = '';
    let spanId = '';
    let traceState = '';
    let attributes: MutableAttributes | undefined;
    let droppedAttributesCount = 0;
    let flags = 0;
    while (reader.pos < end) {
      const tag = reader.tag(end);
      // trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags
      if (tag === 10) traceId = this.#fields.traceId(end);
      else if (tag === 18) spanId = this.#fields.spanId(end);
      else if (tag === 26) traceState = this.#fields.string(end);
      else if (tag === 34) this.#fields.attribute((attributes ??= this.#fields.attributes()), reader.lengthEnd(end), 0);
      else if (tag === 40) droppedAttributesCount = reader.varint32(end);
      else if (tag === 53) flags = reader.fixed32(end);
      else reader.skipUnknown(tag, end, 0x7e);
    }
    if (!isLinkTarget(traceId, spanId)) this.#badLinkId = true;
    return { traceId, spanId, traceState, attributes: attributes ?? NO_ATTRIBUTES, droppedAttributesCount, flags };
  }

  /** A parent's span id; empty, with `#badParentId` set, when it has another length than 8 or none. */
  #parentId(end: number): string {
    const reader = this.#reader;
    const start = reader.pos;
    const parentId = this.#fields.spanId(end);
    // An empty field is a length of 0 and nothing else.
    this.#badParentId = parentId === '' && reader.bytes[start] !== 0;
    return parentOrNone(parentId);
  }
}

function newSpan(resource: OtlpResource, scope: OtlpScope): MutableSpan {
  return {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    traceState: '',
    name: '',
    kind: 0,
    startSeconds: 0,
    startNanos: 0,
    endSeconds: 0,
    endNanos: 0,
    attributes: NO_ATTRIBUTES,
    droppedAttributesCount: 0,
    events: NO_EVENTS,
    droppedEventsCount: 0,
    links: NO_LINKS,
    droppedLinksCount: 0,
    statusCode: 0,
    statusMessage: '',
    flags: 0,
    resource,
    scope,
  };
}

/** Enums are open: a number that we do not know is the default. */
function enumNumber(value: number, largest: number): number {
  return value > largest ? 0 : value;
}
