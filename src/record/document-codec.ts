/**
 * Takes segment documents apart for storage and puts them together again, unchanged in meaning.
 *
 * A document becomes one row per (sub)segment. What the table has columns for goes there; the remaining
 * values are joined in `rest`, and `shape` says how it all fits together. Shapes repeat from document to document
 * and are stored once per block, so that a document costs about what its values cost.
 *
 * Shape grammar: an object is `{key:code,...}`; codes:
 *   c  the value is in its column            s  string in `rest`
 *   h  trace id in its column, W3C form      n  number in `rest` (JSON text)
 *   t f z  true, false, null                 j  any JSON in `rest`
 *   S N B  annotation in `attrs`: string, number, boolean
 */
import type { SegmentDocument } from '../trace/index.ts';
import { parseTraceId, toXRayTraceId, type TraceId } from '../trace/index.ts';
import { ofAttributeValue, SpanFlag, type SpanRow, toAttributeValue } from './span-row.ts';

/** Between values in `rest`; a string that contains it is stored as JSON, which escapes it. */
const SEPARATOR = '\u001f';
/** Objects nested deeper than this are stored as JSON text. */
const MAX_SHAPE_DEPTH = 8;
/** Objects with more members than this are stored as JSON text: they are data, not structure. */
const MAX_SHAPE_KEYS = 48;

/** Annotations that are searchable; a document with more of them keeps them as JSON. AWS indexes 50 of a trace. */
const MAX_INDEXED_ANNOTATIONS = 200;
/** Keys and shapes longer than this are not worth remembering: they do not come again. */
const MAX_REMEMBERED_KEY = 100;
const MAX_REMEMBERED_SHAPE = 8_192;

const PLAIN_KEY = /^[A-Za-z_][\w.-]*$/;

type Json = Record<string, unknown>;

/** Writes documents into rows. Not shared between threads; keeps a bounded cache of spelled keys. */
export class DocumentEncoder {
  readonly #spelledKeys = new Map<string, string>();
  #rest: string[] = [];

  /**
   * Sets `shape`, `rest`, the annotation lists and the HTTP, user and name columns of `row` from one (sub)segment's own members.
   * `row.traceId`, `spanId`, `parentId` and `flags` must be set; `ordinal` is its place among its parent's subsegments (-1 at the top).
   */
  encode(document: SegmentDocument, row: SpanRow, ordinal: number): void {
    this.#rest = ordinal < 0 ? [] : [String(ordinal)];
    row.shape = this.#segmentShape(document, row);
    row.rest = this.#rest.join(SEPARATOR);
  }

  #segmentShape(document: SegmentDocument, row: SpanRow): string {
    let shape = '{';
    for (const key in document) {
      const value = document[key];
      if (value === undefined) continue;
      if (shape.length > 1) shape += ',';
      shape += `${this.#spell(key)}:${this.#memberShape(key, value, row)}`;
    }
    return `${shape}}`;
  }

  #memberShape(key: string, value: unknown, row: SpanRow): string {
    switch (key) {
      case 'id':
      case 'start_time':
      case 'subsegments':
        return 'c';
      case 'end_time':
        return typeof value === 'number' && (row.flags & SpanFlag.inProgress) === 0 ? 'c' : this.#valueShape(value, 1);
      case 'trace_id':
        return this.#traceIdShape(value, row);
      case 'parent_id':
        return row.parentId !== '' && typeof value === 'string' && value.toLowerCase() === row.parentId ? 'c' : this.#valueShape(value, 1);
      case 'name':
        return this.#columnShape(value, row, 'name');
      case 'user':
        return this.#columnShape(value, row, 'user');
      case 'http':
        return isObject(value) ? this.#httpShape(value, row) : this.#valueShape(value, 1);
      case 'annotations':
        return isObject(value) ? this.#annotationsShape(value, row) : this.#valueShape(value, 1);
      default:
        return this.#valueShape(value, 1);
    }
  }

  #traceIdShape(value: unknown, row: SpanRow): string {
    const same = typeof value === 'string' && parseTraceId(value) === row.traceId;
    if (!same) return this.#valueShape(value, 1); // of an embedded subsegment: nobody checked it
    return value.length === 32 ? 'h' : 'c';
  }

  #columnShape(value: unknown, row: SpanRow, column: 'name' | 'user' | 'url' | 'method' | 'userAgent' | 'clientIp'): string {
    if (typeof value !== 'string') return this.#valueShape(value, 1);
    row[column] = value;
    return value.isWellFormed() ? 'c' : this.#valueShape(value, 1);
  }

  #httpShape(http: Json, row: SpanRow): string {
    return this.#objectShape(http, (key, value) => {
      if (!isObject(value)) return this.#valueShape(value, 2);
      if (key === 'request') return this.#requestShape(value, row);
      if (key === 'response') return this.#responseShape(value, row);
      return this.#valueShape(value, 2);
    });
  }

  #requestShape(request: Json, row: SpanRow): string {
    return this.#objectShape(request, (key, value) => {
      if (key === 'url') return this.#columnShape(value, row, 'url');
      if (key === 'method') return this.#columnShape(value, row, 'method');
      if (key === 'user_agent') return this.#columnShape(value, row, 'userAgent');
      if (key === 'client_ip') return this.#columnShape(value, row, 'clientIp');
      return this.#valueShape(value, 3);
    });
  }

  #responseShape(response: Json, row: SpanRow): string {
    return this.#objectShape(response, (key, value) => {
      if (key !== 'status') return this.#valueShape(value, 3);
      const status = typeof value === 'number' || typeof value === 'string' ? Number(value) : 0;
      const fits = Number.isInteger(status) && status > 0 && status < 65536;
      if (fits) row.status = status;
      return fits && typeof value === 'number' ? 'c' : this.#valueShape(value, 3);
    });
  }

  #annotationsShape(annotations: Json, row: SpanRow): string {
    const many = hasMoreKeys(annotations, MAX_INDEXED_ANNOTATIONS);
    const shape = many ? this.#push('j', JSON.stringify(annotations)) : '';
    const index = (key: string, value: unknown): string => {
      const code = row.attributeKeys.length < MAX_INDEXED_ANNOTATIONS ? annotationCode(key, value) : undefined;
      if (code === undefined) return many ? '' : this.#valueShape(value, 2);
      row.attributeKeys.push(key);
      row.attributeValues.push(toAttributeValue(String(value)));
      return code;
    };
    if (!many) return this.#objectShape(annotations, index);
    for (const key in annotations) index(key, annotations[key]);
    return shape;
  }

  #objectShape(object: Json, member: (key: string, value: unknown) => string): string {
    let shape = '{';
    for (const key in object) {
      const value = object[key];
      if (value === undefined) continue;
      if (shape.length > 1) shape += ',';
      shape += `${this.#spell(key)}:${member(key, value)}`;
    }
    return `${shape}}`;
  }

  #valueShape(value: unknown, depth: number): string {
    if (typeof value === 'string') return this.#textShape(value);
    if (typeof value === 'number') return this.#push('n', String(value));
    if (value === true) return 't';
    if (value === false) return 'f';
    if (value === null) return 'z';
    if (!isObject(value) || depth >= MAX_SHAPE_DEPTH || hasMoreKeys(value, MAX_SHAPE_KEYS)) {
      return this.#push('j', JSON.stringify(value));
    }
    return this.#objectShape(value, (_, member) => this.#valueShape(member, depth + 1));
  }

  #textShape(text: string): string {
    return text.includes(SEPARATOR) || !text.isWellFormed() ? this.#push('j', JSON.stringify(text)) : this.#push('s', text);
  }

  #push(code: string, text: string): string {
    this.#rest.push(text);
    return code;
  }

  #spell(key: string): string {
    let spelled = this.#spelledKeys.get(key);
    if (spelled === undefined) {
      spelled = PLAIN_KEY.test(key) ? key : JSON.stringify(key);
      if (key.length > MAX_REMEMBERED_KEY) return spelled;
      if (this.#spelledKeys.size > 10_000) this.#spelledKeys.clear();
      this.#spelledKeys.set(key, spelled);
    }
    return spelled;
  }
}

/** Undefined for what cannot stand among the searchable ones: no scalar, or text that UTF-8 cannot hold. */
function annotationCode(key: string, value: unknown): 'S' | 'N' | 'B' | undefined {
  if (!key.isWellFormed()) return undefined;
  if (typeof value === 'string') return value.isWellFormed() ? 'S' : undefined;
  if (typeof value === 'number') return 'N';
  return typeof value === 'boolean' ? 'B' : undefined;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasMoreKeys(object: Json, limit: number): boolean {
  let count = 0;
  for (const _ in object) if (++count > limit) return true;
  return false;
}

interface ShapeMember {
  readonly key: string;
  readonly code: string;
  readonly members: readonly ShapeMember[] | undefined;
}

/** Puts documents together again. Keeps parsed shapes: a store has few. */
export class DocumentDecoder {
  readonly #shapes = new Map<string, readonly ShapeMember[]>();

  /** The (sub)segment's own document, without its subsegments, and its place among its parent's (-1 at the top). */
  decode(row: SpanRow): { readonly document: SegmentDocument; readonly ordinal: number } {
    const values = row.rest.split(SEPARATOR);
    const embedded = (row.flags & SpanFlag.embedded) !== 0;
    const reader = new RowReader(row, values, embedded ? 1 : 0);
    const document = reader.object(this.#shape(row.shape), '') as SegmentDocument;
    return { document, ordinal: embedded ? Number(values[0]) : -1 };
  }

  #shape(text: string): readonly ShapeMember[] {
    let shape = this.#shapes.get(text);
    if (shape === undefined) {
      shape = new ShapeParser(text).parse();
      if (text.length > MAX_REMEMBERED_SHAPE) return shape;
      if (this.#shapes.size > 5_000) this.#shapes.clear();
      this.#shapes.set(text, shape);
    }
    return shape;
  }
}

/** Epoch seconds: the double that was sent, since what is stored is within half a nanosecond of it. */
function endTime(row: SpanRow): number {
  const nanos = row.startNanos + row.durationNanos;
  const whole = Math.floor(nanos / 1e9);
  return row.startSeconds + whole + (nanos - whole * 1e9) / 1e9;
}

/** Sets a member as JSON.parse would: a key `__proto__` is data, not a prototype. */
function setMember(target: Json, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    target[key] = value;
  }
}

class RowReader {
  readonly #row: SpanRow;
  readonly #values: readonly string[];
  #next: number;

  constructor(row: SpanRow, values: readonly string[], first: number) {
    this.#row = row;
    this.#values = values;
    this.#next = first;
  }

  object(members: readonly ShapeMember[], path: string): Json {
    const object: Json = {};
    for (const member of members) {
      const value = this.#value(member, path === '' ? member.key : `${path}.${member.key}`);
      if (value !== undefined) setMember(object, member.key, value);
    }
    return object;
  }

  #value(member: ShapeMember, path: string): unknown {
    if (member.members) return this.object(member.members, path);
    switch (member.code) {
      case 'c':
        return this.#column(path);
      case 'h':
        return this.#row.traceId;
      case 's':
        return this.#values[this.#next++];
      case 'n':
        return Number(this.#values[this.#next++]);
      case 'j':
        return JSON.parse(this.#values[this.#next++] ?? 'null');
      case 't':
        return true;
      case 'f':
        return false;
      case 'z':
        return null;
      default:
        return this.#annotation(member);
    }
  }

  #annotation(member: ShapeMember): string | number | boolean | undefined {
    const stored = this.#row.attributeValues[this.#row.attributeKeys.indexOf(member.key)];
    if (stored === undefined) return undefined;
    const text = ofAttributeValue(stored);
    if (member.code === 'S') return text;
    return member.code === 'N' ? Number(text) : text === 'true';
  }

  #column(path: string): unknown {
    const row = this.#row;
    switch (path) {
      case 'id':
        return row.spanId;
      case 'trace_id':
        return toXRayTraceId(row.traceId as TraceId);
      case 'parent_id':
        return row.parentId;
      case 'start_time':
        return row.startSeconds + row.startNanos / 1e9;
      case 'end_time':
        return endTime(row);
      case 'name':
        return row.name;
      case 'user':
        return row.user;
      case 'http.request.url':
        return row.url;
      case 'http.request.method':
        return row.method;
      case 'http.request.user_agent':
        return row.userAgent;
      case 'http.request.client_ip':
        return row.clientIp;
      case 'http.response.status':
        return row.status;
      default:
        return undefined; // `subsegments`: rows of their own
    }
  }
}

class ShapeParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): readonly ShapeMember[] {
    return this.#object();
  }

  #object(): readonly ShapeMember[] {
    const members: ShapeMember[] = [];
    this.#at++; // {
    while (this.#text[this.#at] !== '}' && this.#at < this.#text.length) {
      const key = this.#key();
      this.#at++; // :
      const nested = this.#text[this.#at] === '{';
      members.push({
        key,
        code: nested ? '{' : this.#text[this.#at++]!,
        members: nested ? this.#object() : undefined,
      });
      if (this.#text[this.#at] === ',') this.#at++;
    }
    this.#at++; // }
    return members;
  }

  #key(): string {
    const start = this.#at;
    if (this.#text[start] !== '"') {
      this.#at = this.#text.indexOf(':', start);
      return this.#text.slice(start, this.#at);
    }
    do this.#at++;
    while (this.#text[this.#at] !== '"' || this.#escaped(start));
    this.#at++;
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  /** Whether the quote at hand is escaped: an odd number of backslashes stands before it. */
  #escaped(start: number): boolean {
    let backslashes = 0;
    while (this.#at - 1 - backslashes > start && this.#text[this.#at - 1 - backslashes] === '\\') backslashes++;
    return backslashes % 2 === 1;
  }
}
