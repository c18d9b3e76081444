/**
 * OTLP spans in our own flat form: what `decodeTraces` and `decodeTracesJson` produce and everything else here reads.
 * Times are split into whole seconds and nanoseconds, since a double cannot hold today's nanoseconds since 1970.
 */

/** What a value is; the numbers are those of the members of OTLP's `AnyValue` (common.proto), 0 when none is set. */
export const ValueKind = {
  empty: 0,
  string: 1,
  bool: 2,
  int: 3,
  double: 4,
  array: 5,
  kvlist: 6,
  bytes: 7,
} as const;
export type ValueKind = (typeof ValueKind)[keyof typeof ValueKind];

/**
 * The value itself, by kind: `empty` undefined, `int` a number or (beyond ±2^53) its decimal digits as a string,
 * `array` an `OtlpValues`, `kvlist` an `OtlpAttributes`. The kind tells an int from a double and from a string.
 */
export type OtlpValue = string | boolean | number | Uint8Array | OtlpValues | undefined;

/** A list of values: `kinds[i]` says what `values[i]` is. */
export interface OtlpValues {
  readonly kinds: readonly ValueKind[];
  readonly values: readonly OtlpValue[];
}

/** Keys with their values, in the order sent; a key may occur twice. */
export interface OtlpAttributes extends OtlpValues {
  readonly keys: readonly string[];
}

/** What sent the spans. One object is shared by all its spans. */
export interface OtlpResource {
  readonly attributes: OtlpAttributes;
  readonly droppedAttributesCount: number;
  readonly schemaUrl: string;
}

/** The instrumentation library. One object is shared by all its spans. */
export interface OtlpScope {
  readonly name: string;
  readonly version: string;
  readonly attributes: OtlpAttributes;
  readonly droppedAttributesCount: number;
  readonly schemaUrl: string;
}

export interface OtlpEvent {
  readonly seconds: number;
  readonly nanos: number;
  readonly name: string;
  readonly attributes: OtlpAttributes;
  readonly droppedAttributesCount: number;
}

export interface OtlpLink {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits. */
  readonly spanId: string;
  readonly traceState: string;
  readonly attributes: OtlpAttributes;
  readonly droppedAttributesCount: number;
  readonly flags: number;
}

export interface OtlpSpan {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits, not all zero. */
  readonly spanId: string;
  /** 16 lower-case hexadecimal digits; empty when the span has no parent. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  /** `SpanKind`; numbers that OTLP does not define become 0. */
  readonly kind: number;
  readonly startSeconds: number;
  readonly startNanos: number;
  readonly endSeconds: number;
  readonly endNanos: number;
  readonly attributes: OtlpAttributes;
  readonly droppedAttributesCount: number;
  readonly events: readonly OtlpEvent[];
  readonly droppedEventsCount: number;
  readonly links: readonly OtlpLink[];
  readonly droppedLinksCount: number;
  /** `StatusCode`; numbers that OTLP does not define become 0. */
  readonly statusCode: number;
  readonly statusMessage: string;
  /** Low 8 bits: W3C trace flags; `SpanFlags.hasIsRemote`, `SpanFlags.isRemote`. */
  readonly flags: number;
  readonly resource: OtlpResource;
  readonly scope: OtlpScope;
}

/** `Span.SpanKind` of trace.proto. */
export const SpanKind = { unspecified: 0, internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;

/** `Status.StatusCode` of trace.proto. */
export const StatusCode = { unset: 0, ok: 1, error: 2 } as const;

/** `SpanFlags` of trace.proto: whether the parent is known to be, and is, in another process. */
export const SpanFlags = { hasIsRemote: 0x100, isRemote: 0x200 } as const;

/** Why a single span was refused. */
export type SpanRejectReason =
  | 'bad-trace-id'
  | 'bad-span-id'
  | 'bad-parent-id'
  | 'bad-link-id'
  | 'bad-utf8'
  | 'no-start-time'
  | 'end-before-start'
  | 'bad-field';

/** All spans of a request that were refused for one reason. */
export interface SpanRejects {
  readonly reason: SpanRejectReason;
  readonly count: number;
  /** Of the first such span, in words for the sender. */
  readonly message: string;
  /** Of the first such span; empty when it was not readable. */
  readonly traceId: string;
  readonly spanId: string;
}

export interface OtlpBatch {
  readonly spans: readonly OtlpSpan[];
  /** Spans refused one by one; the sum of `rejects`. */
  readonly rejected: number;
  /** One entry per reason. */
  readonly rejects: readonly SpanRejects[];
}

/** The request as a whole cannot be read. */
export interface OtlpError {
  readonly code:
    | 'truncated'
    | 'bad-varint'
    | 'bad-tag'
    | 'bad-wire-type'
    | 'bad-utf8'
    | 'bad-json'
    | 'bad-shape'
    | 'too-deep'
    | 'too-many-attributes'
    | 'too-large';
  readonly message: string;
  /** Byte of the protobuf request at which reading stopped. */
  readonly offset?: number;
}

/** Values nested deeper than this (lists in lists) make a request unreadable. */
export const MAX_DEPTH = 64;

/** Most attributes that one span, event, link, resource, scope or map may carry. */
export const MAX_ATTRIBUTES = 10_000;

/** Shared by all empty lists of values. */
export const NO_VALUES: OtlpValues = Object.freeze({
  kinds: Object.freeze([]) as readonly ValueKind[],
  values: Object.freeze([]) as readonly OtlpValue[],
});

/** Shared by everything that has no attributes. */
export const NO_ATTRIBUTES: OtlpAttributes = Object.freeze({
  keys: Object.freeze([]) as readonly string[],
  kinds: Object.freeze([]) as readonly ValueKind[],
  values: Object.freeze([]) as readonly OtlpValue[],
});
