/**
 * Lays OTLP spans into rows and reads them back, to the last bit.
 *
 * Attributes that are plain values stand in the row's attribute lists; `shape` names them with their types
 * (`o<kind>;<status>;<flags>;key:type,...`); `rest` holds what few spans have (see `Slot`).
 * Types: s string, b bool, i int, d double, o any other, or a key that came before: the next one of those in `rest`.
 */
import { assert } from '../base/index.ts';
import {
  attributesToJson,
  NO_ATTRIBUTES,
  type OtlpAttributes,
  type OtlpResource,
  type OtlpScope,
  type OtlpSpan,
  spanFacts,
  spanFromJson,
  spanToJson,
  ValueKind,
} from '../otlp/index.ts';
import { emptyRow, ofAttributeValue, SpanFlag, type SpanRow, toAttributeValue } from './span-row.ts';

const SEPARATOR = '\u001f';

/** What is joined in `rest`, in this order; empty ones at the end are left out. */
const SLOTS = ['traceState', 'statusMessage', 'events', 'links', 'attributes', 'dropped'] as const;
type Slot = (typeof SLOTS)[number];

const TYPE_OF_KIND: Readonly<Record<number, string>> = {
  [ValueKind.string]: 's',
  [ValueKind.bool]: 'b',
  [ValueKind.int]: 'i',
  [ValueKind.double]: 'd',
};

const VALUE_MEMBER: Readonly<Record<string, string>> = {
  s: 'stringValue',
  b: 'boolValue',
  i: 'intValue',
  d: 'doubleValue',
};

type Json = Record<string, unknown>;

/** Turns spans into rows. Not shared between threads. */
export class RowsOfSpans {
  #resource: OtlpResource | undefined;
  #scope: OtlpScope | undefined;
  #resourceText = '';

  /** hot: once per received span. */
  append(span: OtlpSpan, rows: SpanRow[]): void {
    const facts = spanFacts(span);
    const row = emptyRow(span.traceId, span.spanId, span.parentSpanId);
    row.startSeconds = span.startSeconds;
    row.startNanos = span.startNanos;
    row.durationNanos = (span.endSeconds - span.startSeconds) * 1e9 + span.endNanos - span.startNanos;
    row.name = span.name;
    row.service = facts.service;
    row.type = facts.type;
    row.peer = facts.peerName;
    row.peerType = facts.peerType;
    row.url = facts.url;
    row.method = facts.method;
    row.status = facts.status;
    row.userAgent = facts.userAgent;
    row.clientIp = facts.clientIp;
    row.user = facts.user;
    row.flags =
      SpanFlag.otlp |
      (facts.isSegment ? SpanFlag.segment : 0) |
      (facts.error ? SpanFlag.error : 0) |
      (facts.throttle ? SpanFlag.throttle : 0) |
      (facts.fault ? SpanFlag.fault : 0);
    row.resource = this.#resourceOf(span);
    const others = layAttributes(span, row);
    row.rest = restOf(span, others);
    rows.push(row);
  }

  /** Spans of one request share their resource and scope objects: the text is made once. */
  #resourceOf(span: OtlpSpan): string {
    if (span.resource === this.#resource && span.scope === this.#scope) return this.#resourceText;
    const bare: OtlpSpan = { ...span, attributes: NO_ATTRIBUTES, events: [], links: [] };
    const json = spanToJson(bare);
    const scopeSpans = json['scopeSpans'] as Json[];
    delete scopeSpans[0]!['spans'];
    this.#resourceText = JSON.stringify(json);
    this.#resource = span.resource;
    this.#scope = span.scope;
    return this.#resourceText;
  }
}

/** Names the attributes in the row's shape, in their order, and writes plain ones into its lists; returns the others. */
function layAttributes(span: OtlpSpan, row: SpanRow): OtlpAttributes | undefined {
  const { keys, kinds, values } = span.attributes;
  let shape = `o${span.kind};${span.statusCode};${span.flags};`;
  const others = { keys: [] as string[], kinds: [] as ValueKind[], values: [] as (typeof values)[number][] };
  const seen = new Set<string>();
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const kind = kinds[i]!;
    const type = TYPE_OF_KIND[kind];
    const other = type === undefined || seen.has(key);
    if (i > 0) shape += ',';
    shape += `${spellKey(key)}:${other ? 'o' : type}`;
    if (other) {
      others.keys.push(key);
      others.kinds.push(kind);
      others.values.push(values[i]);
      continue;
    }
    seen.add(key);
    row.attributeKeys.push(key);
    row.attributeValues.push(toAttributeValue(Object.is(values[i], -0) ? '-0' : String(values[i])));
  }
  row.shape = shape;
  return others.keys.length > 0 ? others : undefined;
}

function spellKey(key: string): string {
  return /^[\w.-]+$/.test(key) ? key : JSON.stringify(key);
}

function restOf(span: OtlpSpan, others: OtlpAttributes | undefined): string {
  const dropped = [span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount];
  const slots: Record<Slot, string> = {
    traceState: guarded(span.traceState),
    statusMessage: guarded(span.statusMessage),
    events: '',
    links: '',
    attributes: others ? JSON.stringify(attributesToJson(others)) : '',
    dropped: dropped.some((count) => count > 0) ? dropped.join(',') : '',
  };
  if (span.events.length > 0 || span.links.length > 0) {
    const json = spanMember(spanToJson({ ...span, attributes: NO_ATTRIBUTES }));
    if (json['events']) slots.events = JSON.stringify(json['events']);
    if (json['links']) slots.links = JSON.stringify(json['links']);
  }
  let last = SLOTS.length;
  while (last > 0 && slots[SLOTS[last - 1]!] === '') last--;
  return SLOTS.slice(0, last)
    .map((slot) => slots[slot])
    .join(SEPARATOR);
}

/** Free text must not contain the separator, nor look as if it were guarded. */
function guarded(text: string): string {
  return text.includes(SEPARATOR) || text.startsWith('"') ? JSON.stringify(text) : text;
}

function unguarded(text: string): string {
  return text.startsWith('"') ? (JSON.parse(text) as string) : text;
}

function spanMember(resourceSpans: Json): Json {
  return ((resourceSpans['scopeSpans'] as Json[])[0]!['spans'] as Json[])[0]!;
}

/** Reads a row that `RowsOfSpans` made. */
export function spanOfRow(row: SpanRow): OtlpSpan {
  const values = row.rest.split(SEPARATOR);
  const slot = (name: Slot): string => values[SLOTS.indexOf(name)] ?? '';
  const [, kind, status, flags, attributes] = /^o(\d+);(\d+);(\d+);(.*)$/s.exec(row.shape) ?? [];
  assert(attributes !== undefined, `the stored shape ${row.shape.slice(0, 40)} is not a span's`);
  const [attributesDropped, eventsDropped, linksDropped] = slot('dropped').split(',').map(Number);
  const others = slot('attributes') === '' ? [] : (JSON.parse(slot('attributes')) as Json[]);
  const json = JSON.parse(row.resource) as Json;
  (json['scopeSpans'] as Json[])[0]!['spans'] = [
    {
      traceId: row.traceId,
      spanId: row.spanId,
      parentSpanId: row.parentId,
      name: row.name,
      kind: Number(kind),
      flags: Number(flags),
      status: { code: Number(status), message: unguarded(slot('statusMessage')) },
      traceState: unguarded(slot('traceState')),
      startTimeUnixNano: nanosText(row.startSeconds, row.startNanos, 0),
      endTimeUnixNano: nanosText(row.startSeconds, row.startNanos, row.durationNanos),
      attributes: readAttributes(attributes, row, others),
      events: slot('events') === '' ? [] : JSON.parse(slot('events')),
      links: slot('links') === '' ? [] : JSON.parse(slot('links')),
      droppedAttributesCount: attributesDropped || 0,
      droppedEventsCount: eventsDropped ?? 0,
      droppedLinksCount: linksDropped ?? 0,
    },
  ];
  const span = spanFromJson(json);
  assert(span.ok, `stored span ${row.spanId} cannot be read: ${span.ok ? '' : span.error.message}`);
  return span.value;
}

function readAttributes(shape: string, row: SpanRow, others: readonly Json[]): Json[] {
  const attributes: Json[] = [];
  const texts = new Map(row.attributeKeys.map((key, index) => [key, ofAttributeValue(row.attributeValues[index]!)]));
  let nextOther = 0;
  for (let at = 0; at < shape.length;) {
    const keyEnd = shape[at] === '"' ? endOfQuoted(shape, at) : shape.indexOf(':', at);
    const spelled = shape.slice(at, keyEnd);
    const key = spelled.startsWith('"') ? (JSON.parse(spelled) as string) : spelled;
    const type = shape[keyEnd + 1]!;
    if (type === 'o') attributes.push(others[nextOther++]!);
    else attributes.push({ key, value: { [VALUE_MEMBER[type]!]: typedValue(type, texts.get(key) ?? '') } });
    at = keyEnd + 3; // ':', the type, ','
  }
  return attributes;
}

function endOfQuoted(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

function typedValue(type: string, text: string): unknown {
  if (type === 'b') return text === 'true';
  if (type !== 'd') return text; // ints as text, as OTLP/JSON writes them
  const number = Number(text);
  return Number.isFinite(number) && text !== '-0' ? number : text;
}

function nanosText(seconds: number, nanos: number, durationNanos: number): string {
  const wholeSeconds = Math.floor(durationNanos / 1e9);
  const total = nanos + (durationNanos - wholeSeconds * 1e9);
  const carried = total >= 1e9 ? 1 : 0;
  return `${seconds + wholeSeconds + carried}${String(total - carried * 1e9).padStart(9, '0')}`;
}
