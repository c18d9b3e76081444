import type { Brand } from '../base/index.ts';

/** A trace's id: 32 lower-case hexadecimal digits (W3C form; X-Ray's `1-8-24` without the `1-` and the dashes). */
export type TraceId = Brand<string, 'TraceId'>;

/** A segment's, subsegment's or span's id: 16 lower-case hexadecimal digits. */
export type SpanId = Brand<string, 'SpanId'>;

const XRAY_TRACE_ID = /^1-([0-9a-fA-F]{8})-([0-9a-fA-F]{24})$/;
const W3C_TRACE_ID = /^[0-9a-fA-F]{32}$/;
const SPAN_ID = /^[0-9a-fA-F]{16}$/;

/** Reads a trace id in X-Ray (`1-58406520-a006649127e371903a2de979`) or W3C (32 digits) form; undefined when it is neither. */
export function parseTraceId(text: string): TraceId | undefined {
  const xray = XRAY_TRACE_ID.exec(text);
  if (xray) return `${xray[1]}${xray[2]}`.toLowerCase() as TraceId;
  return W3C_TRACE_ID.test(text) ? (text.toLowerCase() as TraceId) : undefined;
}

/** Reads a 64-bit id of 16 hexadecimal digits; undefined when it is not one. */
export function parseSpanId(text: string): SpanId | undefined {
  return SPAN_ID.test(text) ? (text.toLowerCase() as SpanId) : undefined;
}

/** The form that X-Ray's documents and API use: `1-` 8 digits `-` 24 digits. */
export function toXRayTraceId(id: TraceId): string {
  return `1-${id.slice(0, 8)}-${id.slice(8)}`;
}
