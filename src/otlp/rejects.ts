import type { OtlpSpan, SpanRejectReason, SpanRejects } from './model.ts';

/** Counts the spans of one request that are refused one by one, with the first of each reason as an example. */
export class RejectLog {
  readonly #byReason = new Map<SpanRejectReason, { -readonly [Key in keyof SpanRejects]: SpanRejects[Key] }>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(reason: SpanRejectReason, message: string, traceId: string, spanId: string): void {
    this.#count++;
    const known = this.#byReason.get(reason);
    if (known) known.count++;
    else this.#byReason.set(reason, { reason, count: 1, message, traceId, spanId });
  }

  list(): readonly SpanRejects[] {
    return [...this.#byReason.values()];
  }
}

const NO_TRACE_ID = '0'.repeat(32);
const NO_SPAN_ID = '0'.repeat(16);

const MESSAGES: Readonly<Record<Exclude<SpanRejectReason, 'bad-field'>, string>> = {
  'bad-trace-id': 'trace_id must be 16 bytes, not all zero',
  'bad-span-id': 'span_id must be 8 bytes, not all zero',
  'bad-parent-id': 'parent_span_id must be empty or 8 bytes',
  'bad-link-id': "a link's trace_id must be 16 bytes and its span_id 8, not all zero",
  'bad-utf8': 'a string of the span, its resource or its scope is not UTF-8',
  'no-start-time': 'start_time_unix_nano is missing',
  'end-before-start': 'end_time_unix_nano is missing or before start_time_unix_nano',
};

/** Why a span must be refused, by what both decoders found in it; undefined when it is sound. Ids that could not be read are empty. */
export function checkSpan(
  span: OtlpSpan,
  badParentId: boolean,
  badLinkId: boolean,
  badUtf8: boolean,
): Exclude<SpanRejectReason, 'bad-field'> | undefined {
  if (span.traceId === '' || span.traceId === NO_TRACE_ID) return 'bad-trace-id';
  if (span.spanId === '' || span.spanId === NO_SPAN_ID) return 'bad-span-id';
  if (badParentId) return 'bad-parent-id';
  if (badLinkId) return 'bad-link-id';
  if (badUtf8) return 'bad-utf8';
  if (span.startSeconds === 0 && span.startNanos === 0) return 'no-start-time';
  if (span.endSeconds < span.startSeconds) return 'end-before-start';
  return span.endSeconds === span.startSeconds && span.endNanos < span.startNanos ? 'end-before-start' : undefined;
}

/** The reason in words for the sender. */
export function rejectMessage(reason: Exclude<SpanRejectReason, 'bad-field'>): string {
  return MESSAGES[reason];
}

/** Whether a link names a span: both ids readable and not all zero. */
export function isLinkTarget(traceId: string, spanId: string): boolean {
  return traceId !== '' && traceId !== NO_TRACE_ID && spanId !== '' && spanId !== NO_SPAN_ID;
}

/** A parent id of zeros means none, as some encoders write it. */
export function parentOrNone(spanId: string): string {
  return spanId === NO_SPAN_ID ? '' : spanId;
}
