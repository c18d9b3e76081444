/**
 * Segment documents as text, checked: what is wrong with one is said of that one.
 * Codes follow AWS where they are known (`UnprocessedTraceSegments`); the rest are ours.
 */
import { err, ok, type Result } from '../base/index.ts';
import { parseSpanId, parseTraceId, type SegmentDocument, type TraceId } from '../trace/index.ts';

/** Why a document was refused. `id` when it could be read. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly id?: string;
}

/** A document whose ids, names and times are good, in itself and in everything it embeds. */
export interface CheckedDocument {
  readonly traceId: TraceId;
  readonly document: SegmentDocument;
}

export interface DocumentLimits {
  /** Largest document, in UTF-16 units of its text. AWS: 65,536 bytes. */
  readonly maxSize: number;
  readonly maxDepth: number;
  readonly maxSubsegments: number;
  /** Documents that start earlier or later (epoch seconds) are refused: no clock is that wrong, and nothing keeps them. */
  readonly earliestSeconds: number;
  readonly latestSeconds: number;
}

const MAX_NAME = 200;
const NO_ID = '0'.repeat(16);

/** Reads one text: an object, or an array of them (older SDKs stream arrays). One result per document. */
export function readSegmentText(text: string, limits: DocumentLimits): Result<CheckedDocument, Refusal>[] {
  if (text.length > limits.maxSize) {
    return [err(refuse('DocumentTooLarge', `the document has ${text.length} characters; the limit is ${limits.maxSize}`, idIn(text)))];
  }
  const scan = scanJson(text);
  if (scan.depth > limits.maxDepth) {
    return [err(refuse('DocumentTooDeep', `the document is nested more than ${limits.maxDepth} deep`, idIn(text)))];
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return [err(refuse('ParseError', `not JSON: ${(cause as Error).message.slice(0, 120)}`))];
  }
  if (scan.members !== countMembers(value)) {
    return [err(refuse('DuplicateKey', 'a member is given twice in one object', idIn(text)))];
  }
  if (!Array.isArray(value)) return [checkDocument(value, limits)];
  if (value.length === 0) return [err(refuse('MissingId', 'an empty array holds no segment'))];
  return value.map((item) => checkDocument(item, limits));
}

function refuse(code: string, message: string, id?: unknown): Refusal {
  return typeof id === 'string' ? { code, message, id: id.slice(0, 64) } : { code, message };
}

/** The first id in a text that is not worth parsing, as AWS's daemon finds it for its log. */
function idIn(text: string): string | undefined {
  return /"id"\s*:\s*"([0-9a-fA-F]{16})"/.exec(text.slice(0, 4096))?.[1];
}

/** How deep a JSON text nests and how many members its objects have, whether or not it is well formed. hot: 1 ns a character. */
function scanJson(text: string): { readonly depth: number; readonly members: number } {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        i = endOfString(text, i);
        break;
      case 0x3a: // :
        members++;
        break;
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > deepest) deepest = depth;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
    }
  }
  return { depth: deepest, members };
}

function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x5c) i++;
    else if (code === 0x22) return i;
  }
  return text.length;
}

/** Bounded recursion: the depth was checked before. */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item);
    return count;
  }
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key];
    count += typeof member === 'object' ? 1 + countMembers(member) : 1;
  }
  return count;
}

function checkDocument(value: unknown, limits: DocumentLimits): Result<CheckedDocument, Refusal> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return err(refuse('ParseError', 'not a JSON object'));
  }
  const document = value as SegmentDocument;
  const fault = checkId(document, 'segment');
  if (fault) return err(fault);
  if (document.trace_id === undefined || document.trace_id === null)
    return err(refuse('MissingTraceId', 'trace_id is missing', document.id));
  const traceId = typeof document.trace_id === 'string' ? parseTraceId(document.trace_id) : undefined;
  if (traceId === undefined || traceId === '0'.repeat(32)) {
    return err(refuse('InvalidTraceId', `trace_id ${show(document.trace_id)} is neither 1-8-24 nor 32 hexadecimal digits`, document.id));
  }
  const other = checkNameAndTimes(document, limits, 'segment') ?? checkParent(document) ?? checkEmbedded(document, limits);
  return other ? err(other) : ok({ traceId, document });
}

function checkParent(document: SegmentDocument): Refusal | undefined {
  if (document.type !== 'subsegment') return undefined;
  if (typeof document.parent_id === 'string' && parseSpanId(document.parent_id) !== undefined) return undefined;
  return refuse('MissingParentId', 'a subsegment sent by itself needs parent_id', document.id);
}

function checkEmbedded(top: SegmentDocument, limits: DocumentLimits): Refusal | undefined {
  const pending: SegmentDocument[] = [top];
  for (let at = 0; at < pending.length; at++) {
    const list: unknown = pending[at]!.subsegments;
    if (list === undefined || list === null) continue;
    if (!Array.isArray(list)) return refuse('InvalidSegment', 'subsegments is not an array', top.id);
    if (pending.length + list.length > limits.maxSubsegments) {
      return refuse('TooManySubsegments', `more than ${limits.maxSubsegments} subsegments in one document: stream them`, top.id);
    }
    for (const item of list as unknown[]) {
      if (typeof item !== 'object' || item === null || Array.isArray(item))
        return refuse('InvalidSegment', 'a subsegment is not an object', top.id);
      const embedded = item as SegmentDocument;
      const fault = checkId(embedded, 'subsegment') ?? checkNameAndTimes(embedded, limits, 'subsegment');
      if (fault) return { ...fault, id: top.id };
      pending.push(embedded);
    }
  }
  return undefined;
}

function checkId(document: SegmentDocument, what: string): Refusal | undefined {
  const { id } = document as Record<string, unknown>;
  if (id === undefined || id === null || id === '') return refuse('MissingId', `a ${what} has no id`);
  if (typeof id !== 'string' || parseSpanId(id) === undefined || id === NO_ID) {
    return refuse('InvalidId', `${what} id ${show(id)} is not 16 hexadecimal digits, not all zero`, id);
  }
  return undefined;
}

function checkNameAndTimes(document: SegmentDocument, limits: DocumentLimits, what: string): Refusal | undefined {
  const { id, name, start_time: start, end_time: end } = document as Record<string, unknown>;
  if (name === undefined || name === null) return refuse('MissingName', `the ${what} has no name`, id);
  if (typeof name !== 'string') return refuse('InvalidName', `${what} name ${show(name)} is not text`, id);
  if (name.trim() === '') return refuse('MissingName', `the ${what}'s name is blank`, id);
  if (name.length > MAX_NAME) document.name = name.slice(0, MAX_NAME); // AWS refuses; losing the trace helps nobody
  if (start === undefined || start === null) return refuse('MissingStartTime', `the ${what} has no start_time`, id);
  if (!isTime(start)) return refuse('InvalidStartTime', `${what} start_time ${show(start)} is not a number of seconds`, id);
  if (start < limits.earliestSeconds || start > limits.latestSeconds) {
    return refuse(
      'InvalidStartTime',
      `${what} start_time ${dateText(start)} is outside what is kept (${dateText(limits.earliestSeconds)} to ${dateText(limits.latestSeconds)})`,
      id,
    );
  }
  if (end === undefined || end === null) {
    if (end === null) delete document.end_time;
    return undefined;
  }
  if (!isTime(end)) return refuse('InvalidEndTime', `${what} end_time ${show(end)} is not a number of seconds`, id);
  if (end < start) return refuse('InvalidEndTime', `${what} ends before it starts`, id);
  if (end - start > 8e6) return refuse('InvalidEndTime', `${what} lasts ${Math.round((end - start) / 86400)} days`, id);
  return undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value < 4e9;
}

function dateText(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 80);
}
