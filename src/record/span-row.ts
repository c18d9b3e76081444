/**
 * A stored span: one row per segment, subsegment or OTLP span. What queries need stands in columns of its own;
 * the rest of the document is `shape` (its structure) and `rest` (its remaining values), see `document-codec.ts`.
 */
export interface SpanRow {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  /** 16 hexadecimal digits, or empty. */
  parentId: string;
  startSeconds: number;
  startNanos: number;
  /** Nanoseconds; 0 while in progress. */
  durationNanos: number;
  /** `SpanFlag` bits. */
  flags: number;
  /** The (sub)segment's own name. */
  name: string;
  /** Node that the row belongs to; empty when only its parents know (a streamed subsegment). */
  service: string;
  type: string;
  /** Node that the row calls and that may not report itself; empty for none. */
  peer: string;
  peerType: string;
  url: string;
  method: string;
  /** HTTP status; 0 for none. */
  status: number;
  userAgent: string;
  clientIp: string;
  user: string;
  /** Annotations (X-Ray) or attributes (OTLP): keys and values, pairwise. */
  attributeKeys: string[];
  attributeValues: string[];
  /** OTLP resource and scope as JSON; empty for X-Ray documents. */
  resource: string;
  shape: string;
  rest: string;
}

/** Bits of `SpanRow.flags`. Stored: never renumber. */
export const SpanFlag = {
  segment: 1,
  /** Came inside its parent's document. */
  embedded: 2,
  inProgress: 4,
  error: 8,
  throttle: 16,
  fault: 32,
  /** Says that its callee is instrumented, so no node is inferred for it. */
  traced: 64,
  otlp: 128,
} as const;

/**
 * Stands for an empty text among `attributeValues`: a map has an empty text for every key that it has not.
 * A text that is made of nothing but marks gets one more.
 */
const MARK = '\u001f';

function isOnlyMarks(text: string): boolean {
  return text === '' || (text.startsWith(MARK) && text.replaceAll(MARK, '') === '');
}

/** A text as it stands in `attributeValues`; never empty. */
export function toAttributeValue(text: string): string {
  return isOnlyMarks(text) ? MARK + text : text;
}

/** The text that `toAttributeValue` was given. */
export function ofAttributeValue(stored: string): string {
  return isOnlyMarks(stored) ? stored.slice(1) : stored;
}

/** A row with nothing in it but its ids. */
export function emptyRow(traceId: string, spanId: string, parentId: string): SpanRow {
  return {
    traceId,
    spanId,
    parentId,
    startSeconds: 0,
    startNanos: 0,
    durationNanos: 0,
    flags: 0,
    name: '',
    service: '',
    type: '',
    peer: '',
    peerType: '',
    url: '',
    method: '',
    status: 0,
    userAgent: '',
    clientIp: '',
    user: '',
    attributeKeys: [],
    attributeValues: [],
    resource: '',
    shape: '',
    rest: '',
  };
}
