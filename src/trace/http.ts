/** The `http` block of a document as SDKs really fill it in. */
import type { HttpBlock, SegmentDocument } from './document.ts';

/** `http.response.status` as a number; SDKs also send it as text. Undefined when absent or not a number. */
export function httpStatus(document: SegmentDocument): number | undefined {
  const status: unknown = document.http?.response?.status;
  if (typeof status === 'number') return status;
  if (typeof status !== 'string' || status === '') return undefined;
  const number = Number(status);
  return Number.isFinite(number) ? number : undefined;
}

/** A text member of `http.request`; undefined when absent, empty (`user_agent: ""`) or of another type. */
export function requestText(document: SegmentDocument, member: keyof NonNullable<HttpBlock['request']>): string | undefined {
  const value: unknown = document.http?.request?.[member];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
