/** A span with its resource and scope as OTLP/JSON, one exact form for display and export, and back. */
import { err, ok, type Result } from '../base/index.ts';
import { toBase64 } from './base64.ts';
import { decodeTracesObject } from './decode-json.ts';
import {
  ValueKind,
  type OtlpAttributes,
  type OtlpError,
  type OtlpEvent,
  type OtlpLink,
  type OtlpSpan,
  type OtlpValue,
  type OtlpValues,
} from './model.ts';

/** A JSON object. */
export type JsonObject = Record<string, unknown>;

/**
 * The span as one OTLP/JSON ResourceSpans with one scope and one span: `{"resourceSpans":[…]}` around any number of them is a
 * valid request. Members at their default are left out. `spanFromJson` gives the same span back, to the last bit.
 */
export function spanToJson(span: OtlpSpan): JsonObject {
  const { resource, scope } = span;
  return {
    resource: {
      ...attributesMember(resource.attributes),
      ...dropped('droppedAttributesCount', resource.droppedAttributesCount),
    },
    scopeSpans: [
      {
        scope: {
          ...textMember('name', scope.name),
          ...textMember('version', scope.version),
          ...attributesMember(scope.attributes),
          ...dropped('droppedAttributesCount', scope.droppedAttributesCount),
        },
        spans: [spanMembers(span)],
        ...textMember('schemaUrl', scope.schemaUrl),
      },
    ],
    ...textMember('schemaUrl', resource.schemaUrl),
  };
}

/** Reads what `spanToJson` made. Anything else that is not exactly one sound span is an error. */
export function spanFromJson(json: unknown): Result<OtlpSpan, OtlpError> {
  const batch = decodeTracesObject({ resourceSpans: [json] });
  if (!batch.ok) return batch;
  const [span] = batch.value.spans;
  if (span !== undefined && batch.value.spans.length === 1 && batch.value.rejected === 0) return ok(span);
  const message = batch.value.rejects[0]?.message ?? `Expected one span, found ${batch.value.spans.length}`;
  return err({ code: 'bad-shape', message });
}

/** Attributes as OTLP/JSON: a list of `{key, value}`. */
export function attributesToJson(attributes: OtlpAttributes): JsonObject[] {
  return attributes.keys.map((key, index) => ({ key, value: valueAt(attributes, index) }));
}

function spanMembers(span: OtlpSpan): JsonObject {
  const status = { ...dropped('code', span.statusCode), ...textMember('message', span.statusMessage) };
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...textMember('parentSpanId', span.parentSpanId),
    ...textMember('traceState', span.traceState),
    ...dropped('flags', span.flags),
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: nanosText(span.startSeconds, span.startNanos),
    endTimeUnixNano: nanosText(span.endSeconds, span.endNanos),
    ...attributesMember(span.attributes),
    ...dropped('droppedAttributesCount', span.droppedAttributesCount),
    ...listMember('events', span.events.map(eventToJson)),
    ...dropped('droppedEventsCount', span.droppedEventsCount),
    ...listMember('links', span.links.map(linkToJson)),
    ...dropped('droppedLinksCount', span.droppedLinksCount),
    status,
  };
}

function eventToJson(event: OtlpEvent): JsonObject {
  return {
    timeUnixNano: nanosText(event.seconds, event.nanos),
    name: event.name,
    ...attributesMember(event.attributes),
    ...dropped('droppedAttributesCount', event.droppedAttributesCount),
  };
}

function linkToJson(link: OtlpLink): JsonObject {
  return {
    traceId: link.traceId,
    spanId: link.spanId,
    ...textMember('traceState', link.traceState),
    ...attributesMember(link.attributes),
    ...dropped('droppedAttributesCount', link.droppedAttributesCount),
    ...dropped('flags', link.flags),
  };
}

function valueAt(list: OtlpValues, index: number): JsonObject {
  const value = list.values[index];
  switch (list.kinds[index]) {
    case ValueKind.string:
      return { stringValue: value };
    case ValueKind.bool:
      return { boolValue: value };
    case ValueKind.int:
      return { intValue: String(value) };
    case ValueKind.double:
      return { doubleValue: doubleToJson(value as number) };
    case ValueKind.bytes:
      return { bytesValue: toBase64(value as Uint8Array) };
    case ValueKind.array:
      return { arrayValue: { values: listToJson(value as OtlpValues) } };
    case ValueKind.kvlist:
      return { kvlistValue: { values: attributesToJson(value as OtlpAttributes) } };
    default:
      return {};
  }
}

function listToJson(list: OtlpValues): JsonObject[] {
  return list.values.map((_: OtlpValue, index) => valueAt(list, index));
}

/** JSON has no NaN or infinities, and loses the sign of zero. */
function doubleToJson(value: number): number | string {
  if (Object.is(value, -0)) return '-0';
  return Number.isFinite(value) ? value : String(value);
}

function nanosText(seconds: number, nanos: number): string {
  return seconds === 0 ? String(nanos) : `${seconds}${String(nanos).padStart(9, '0')}`;
}

function textMember(name: string, value: string): JsonObject {
  return value === '' ? {} : { [name]: value };
}

function dropped(name: string, value: number): JsonObject {
  return value === 0 ? {} : { [name]: value };
}

function listMember(name: string, list: readonly JsonObject[]): JsonObject {
  return list.length === 0 ? {} : { [name]: list };
}

function attributesMember(attributes: OtlpAttributes): JsonObject {
  return listMember('attributes', attributesToJson(attributes));
}
