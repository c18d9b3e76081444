/**
 * OTLP/JSON (protocol specification, "JSON Protobuf Encoding") to the same spans, with the same checks, as `decodeTraces`.
 * Member names may be lowerCamelCase, as specified, or snake_case; 64-bit numbers strings, as specified, or bare numbers (which
 * JSON itself has then rounded to 53 bits); enum values numbers, as specified, or names. Unknown members are passed over.
 */
import { err, ok, type Result } from '../base/index.ts';
import { parseBase64 } from './base64.ts';
import {
  MAX_ATTRIBUTES,
  MAX_DEPTH,
  NO_ATTRIBUTES,
  NO_VALUES,
  ValueKind,
  type OtlpAttributes,
  type OtlpBatch,
  type OtlpError,
  type OtlpEvent,
  type OtlpLink,
  type OtlpResource,
  type OtlpScope,
  type OtlpSpan,
  type OtlpValue,
  type OtlpValues,
} from './model.ts';
import { checkSpan, isLinkTarget, parentOrNone, rejectMessage, RejectLog } from './rejects.ts';

/** Reads an ExportTraceServiceRequest in JSON, as bytes or text. Never throws for bad input. */
export function decodeTracesJson(input: Uint8Array | string): Result<OtlpBatch, OtlpError> {
  let text: string;
  try {
    text = typeof input === 'string' ? input : new TextDecoder('utf-8', { fatal: true }).decode(input);
  } catch {
    return err({ code: 'bad-utf8', message: 'The request is not UTF-8' });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return err({ code: 'bad-json', message: `The request is not JSON: ${(error as Error).message}` });
  }
  return decodeTracesObject(json);
}

/** As `decodeTracesJson`, for a request that was parsed already. */
export function decodeTracesObject(json: unknown): Result<OtlpBatch, OtlpError> {
  const spans: OtlpSpan[] = [];
  const rejects = new RejectLog();
  try {
    for (const item of listOf(objectOf(json, 'the request'), 'resourceSpans', 'resource_spans')) {
      readResourceSpans(objectOf(item, 'resourceSpans'), spans, rejects);
    }
  } catch (error) {
    if (error instanceof RequestFault || error instanceof FieldFault) return err(error.detail);
    throw error;
  }
  return ok({ spans, rejected: rejects.count, rejects: rejects.list() });
}

type Json = Record<string, unknown>;

/** A member of the wrong type or range: refuses the span it is in, or the whole request when it is in none. */
class FieldFault extends Error {
  readonly detail: OtlpError;

  constructor(message: string) {
    super(message);
    this.detail = { code: 'bad-shape', message };
  }
}

/** A string with half of a surrogate pair, which has no UTF-8 form. */
class TextFault extends FieldFault {}

/** What makes a request unreadable wherever it stands. */
class RequestFault extends Error {
  readonly detail: OtlpError;

  constructor(code: OtlpError['code'], message: string) {
    super(message);
    this.detail = { code, message };
  }
}

function readResourceSpans(json: Json, spans: OtlpSpan[], rejects: RejectLog): void {
  const from = optionalObject(json, 'resource', 'resource');
  const resource = tryOwner((): OtlpResource => ({
    attributes: readAttributes(from, 0),
    droppedAttributesCount: uint32(from, 'droppedAttributesCount', 'dropped_attributes_count'),
    schemaUrl: text(json, 'schemaUrl', 'schema_url'),
  }));
  for (const item of listOf(json, 'scopeSpans', 'scope_spans')) {
    readScopeSpans(objectOf(item, 'scopeSpans'), resource, spans, rejects);
  }
}

function readScopeSpans(json: Json, resource: OtlpResource | FieldFault, spans: OtlpSpan[], rejects: RejectLog): void {
  const from = optionalObject(json, 'scope', 'scope');
  const scope = tryOwner((): OtlpScope => ({
    name: text(from, 'name', 'name'),
    version: text(from, 'version', 'version'),
    attributes: readAttributes(from, 0),
    droppedAttributesCount: uint32(from, 'droppedAttributesCount', 'dropped_attributes_count'),
    schemaUrl: text(json, 'schemaUrl', 'schema_url'),
  }));
  for (const item of listOf(json, 'spans', 'spans')) readSpanOrReject(item, resource, scope, spans, rejects);
}

/** A resource or scope with a bad field refuses the spans that refer to it, not the request. */
function tryOwner<T>(read: () => T): T | FieldFault {
  try {
    return read();
  } catch (error) {
    if (error instanceof FieldFault) return error;
    throw error;
  }
}

function readSpanOrReject(
  item: unknown,
  resource: OtlpResource | FieldFault,
  scope: OtlpScope | FieldFault,
  spans: OtlpSpan[],
  rejects: RejectLog,
): void {
  let traceId = '';
  let spanId = '';
  try {
    const json = objectOf(item, 'a span');
    traceId = hexId(json, 'traceId', 'trace_id', 32);
    spanId = hexId(json, 'spanId', 'span_id', 16);
    if (resource instanceof FieldFault) throw resource;
    if (scope instanceof FieldFault) throw scope;
    const { span, badLinkId, badParentId } = readSpan(json, traceId, spanId, resource, scope);
    const reason = checkSpan(span, badParentId, badLinkId, false);
    if (reason === undefined) spans.push(span);
    else rejects.add(reason, rejectMessage(reason), traceId, spanId);
  } catch (error) {
    if (error instanceof TextFault) rejects.add('bad-utf8', error.message, traceId, spanId);
    else if (error instanceof FieldFault) rejects.add('bad-field', error.message, traceId, spanId);
    else throw error;
  }
}

interface CheckedSpan {
  readonly span: OtlpSpan;
  readonly badLinkId: boolean;
  readonly badParentId: boolean;
}

function readSpan(json: Json, traceId: string, spanId: string, resource: OtlpResource, scope: OtlpScope): CheckedSpan {
  const parent = hexId(json, 'parentSpanId', 'parent_span_id', 16);
  const start = time(json, 'startTimeUnixNano', 'start_time_unix_nano');
  const end = time(json, 'endTimeUnixNano', 'end_time_unix_nano');
  const links = listOf(json, 'links', 'links').map((item) => readLink(objectOf(item, 'a link')));
  const status = optionalObject(json, 'status', 'status');
  const span: OtlpSpan = {
    traceId,
    spanId,
    parentSpanId: parentOrNone(parent),
    traceState: text(json, 'traceState', 'trace_state'),
    name: text(json, 'name', 'name'),
    kind: enumValue(json, 'kind', 'SPAN_KIND_', SPAN_KINDS),
    startSeconds: start.seconds,
    startNanos: start.nanos,
    endSeconds: end.seconds,
    endNanos: end.nanos,
    attributes: readAttributes(json, 0),
    droppedAttributesCount: uint32(json, 'droppedAttributesCount', 'dropped_attributes_count'),
    events: listOf(json, 'events', 'events').map((item) => readEvent(objectOf(item, 'an event'))),
    droppedEventsCount: uint32(json, 'droppedEventsCount', 'dropped_events_count'),
    links,
    droppedLinksCount: uint32(json, 'droppedLinksCount', 'dropped_links_count'),
    statusCode: enumValue(status, 'code', 'STATUS_CODE_', STATUS_CODES),
    statusMessage: text(status, 'message', 'message'),
    flags: uint32(json, 'flags', 'flags'),
    resource,
    scope,
  };
  return {
    span,
    badLinkId: links.some((link) => !isLinkTarget(link.traceId, link.spanId)),
    badParentId: parent === '' && text(json, 'parentSpanId', 'parent_span_id') !== '',
  };
}

function readEvent(json: Json): OtlpEvent {
  const { seconds, nanos } = time(json, 'timeUnixNano', 'time_unix_nano');
  return {
    seconds,
    nanos,
    name: text(json, 'name', 'name'),
    attributes: readAttributes(json, 0),
    droppedAttributesCount: uint32(json, 'droppedAttributesCount', 'dropped_attributes_count'),
  };
}

function readLink(json: Json): OtlpLink {
  return {
    traceId: hexId(json, 'traceId', 'trace_id', 32),
    spanId: hexId(json, 'spanId', 'span_id', 16),
    traceState: text(json, 'traceState', 'trace_state'),
    attributes: readAttributes(json, 0),
    droppedAttributesCount: uint32(json, 'droppedAttributesCount', 'dropped_attributes_count'),
    flags: uint32(json, 'flags', 'flags'),
  };
}

function readAttributes(json: Json, depth: number): OtlpAttributes {
  return readPairs(listOf(json, 'attributes', 'attributes'), depth);
}

function readPairs(items: readonly unknown[], depth: number): OtlpAttributes {
  if (items.length === 0) return NO_ATTRIBUTES;
  if (items.length > MAX_ATTRIBUTES) {
    throw new RequestFault('too-many-attributes', `More than ${MAX_ATTRIBUTES} attributes in one place`);
  }
  const list = { keys: [] as string[], kinds: [] as ValueKind[], values: [] as OtlpValue[] };
  for (const item of items) {
    const pair = objectOf(item, 'an attribute');
    const { kind, value } = readValue(optionalObject(pair, 'value', 'value'), depth);
    list.keys.push(text(pair, 'key', 'key'));
    list.kinds.push(kind);
    list.values.push(value);
  }
  return list;
}

interface Typed {
  readonly kind: ValueKind;
  readonly value: OtlpValue;
}

const EMPTY: Typed = { kind: ValueKind.empty, value: undefined };

function readValue(json: Json, depth: number): Typed {
  if (member(json, 'stringValue', 'string_value') !== undefined) {
    return { kind: ValueKind.string, value: text(json, 'stringValue', 'string_value') };
  }
  const bool = member(json, 'boolValue', 'bool_value');
  if (bool !== undefined) return { kind: ValueKind.bool, value: boolOf(bool) };
  const int = member(json, 'intValue', 'int_value');
  if (int !== undefined) return { kind: ValueKind.int, value: int64(int) };
  const double = member(json, 'doubleValue', 'double_value');
  if (double !== undefined) return { kind: ValueKind.double, value: doubleOf(double) };
  const bytes = member(json, 'bytesValue', 'bytes_value');
  if (bytes !== undefined) return { kind: ValueKind.bytes, value: bytesOf(bytes) };
  return readNested(json, depth + 1);
}

function readNested(json: Json, depth: number): Typed {
  const array = member(json, 'arrayValue', 'array_value');
  const map = array === undefined ? member(json, 'kvlistValue', 'kvlist_value') : undefined;
  if (array === undefined && map === undefined) return EMPTY;
  if (depth > MAX_DEPTH) throw new RequestFault('too-deep', `Values are nested deeper than ${MAX_DEPTH}`);
  if (array !== undefined) return { kind: ValueKind.array, value: readList(objectOf(array, 'arrayValue'), depth) };
  const pairs = listOf(objectOf(map, 'kvlistValue'), 'values', 'values');
  return { kind: ValueKind.kvlist, value: readPairs(pairs, depth) };
}

function readList(json: Json, depth: number): OtlpValues {
  const items = listOf(json, 'values', 'values');
  if (items.length === 0) return NO_VALUES;
  const kinds: ValueKind[] = [];
  const values: OtlpValue[] = [];
  for (const item of items) {
    const { kind, value } = readValue(item === null ? {} : objectOf(item, 'a value'), depth);
    kinds.push(kind);
    values.push(value);
  }
  return { kinds, values };
}

/** A member under either name; undefined when absent or null, which protobuf's JSON form treats alike. */
function member(json: Json, camel: string, snake: string): unknown {
  const value = Object.hasOwn(json, camel) ? json[camel] : Object.hasOwn(json, snake) ? json[snake] : undefined;
  return value === null ? undefined : value;
}

function objectOf(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new FieldFault(`${what} must be an object`);
}

function optionalObject(json: Json, camel: string, snake: string): Json {
  const value = member(json, camel, snake);
  return value === undefined ? {} : objectOf(value, camel);
}

function listOf(json: Json, camel: string, snake: string): readonly unknown[] {
  const value = member(json, camel, snake);
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw new FieldFault(`${camel} must be a list`);
}

const LONE_SURROGATE = /\p{Surrogate}/u;

function text(json: Json, camel: string, snake: string): string {
  const value = member(json, camel, snake);
  if (value === undefined) return '';
  if (typeof value !== 'string') throw new FieldFault(`${camel} must be a string`);
  if (LONE_SURROGATE.test(value)) throw new TextFault(`${camel} has half of a surrogate pair`);
  return value;
}

const HEX = /^[0-9a-fA-F]*$/;

/** Lower-case digits; empty when missing or not `length` digits. */
function hexId(json: Json, camel: string, snake: string, length: number): string {
  const value = text(json, camel, snake);
  return value.length === length && HEX.test(value) ? value.toLowerCase() : '';
}

const UINT64 = /^[0-9]{1,20}$/;
/** Whole seconds in the largest 64-bit count of nanoseconds. */
const MAX_SECONDS = 18_446_744_073;

function time(json: Json, camel: string, snake: string): { seconds: number; nanos: number } {
  const value = member(json, camel, snake);
  if (value === undefined) return { seconds: 0, nanos: 0 };
  const digits = typeof value === 'number' && Number.isInteger(value) && value >= 0 ? BigInt(value).toString() : value;
  if (typeof digits !== 'string' || !UINT64.test(digits)) {
    throw new FieldFault(`${camel} must be nanoseconds since 1970, as a string of digits`);
  }
  const seconds = Number(digits.slice(0, -9));
  if (seconds > MAX_SECONDS) throw new FieldFault(`${camel} is beyond 64 bits`);
  return { seconds, nanos: Number(digits.slice(-9)) };
}

function uint32(json: Json, camel: string, snake: string): number {
  const value = member(json, camel, snake);
  if (value === undefined) return 0;
  const number = typeof value === 'string' && UINT64.test(value) ? Number(value) : value;
  if (typeof number === 'number' && number >>> 0 === number) return number;
  throw new FieldFault(`${camel} must be a whole number of 32 bits`);
}

const SPAN_KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];
const STATUS_CODES = ['UNSET', 'OK', 'ERROR'];

/** The number of an enum value given by number or name; numbers that are not defined become 0. */
function enumValue(json: Json, name: string, prefix: string, names: readonly string[]): number {
  const value = member(json, name, name);
  if (value === undefined) return 0;
  if (typeof value === 'number' && Number.isInteger(value)) return value > 0 && value < names.length ? value : 0;
  const known = typeof value === 'string' ? value.toUpperCase().replace(prefix, '') : '';
  const index = names.indexOf(known);
  if (index < 0) throw new FieldFault(`${name} must be a number or one of ${names.map((n) => prefix + n).join(', ')}`);
  return index;
}

const INT64 = /^-?[0-9]{1,20}$/;
const INT64_LIMIT = 1n << 63n;

function int64(value: unknown): number | string {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  const isInteger = typeof value === 'string' ? INT64.test(value) : Number.isInteger(value);
  if (!isInteger) throw new FieldFault('intValue must be a whole number');
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number === 0 ? 0 : number;
  const exact = BigInt(value as string | number);
  if (exact >= INT64_LIMIT || exact < -INT64_LIMIT) throw new FieldFault('intValue is beyond 64 bits');
  return exact.toString();
}

const DOUBLE = /^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;

function doubleOf(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  if (typeof value === 'string' && DOUBLE.test(value)) return Number(value);
  throw new FieldFault('doubleValue must be a number');
}

function boolOf(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new FieldFault('boolValue must be true or false');
}

function bytesOf(value: unknown): Uint8Array {
  const bytes = typeof value === 'string' ? parseBase64(value) : undefined;
  if (bytes === undefined) throw new FieldFault('bytesValue must be base64');
  return bytes;
}
