/**
 * What an OTLP sender gets back, in both encodings: ExportTraceServiceResponse (with partial_success when spans were refused)
 * and, with an HTTP error status, google.rpc.Status (OTLP specification, "Partial Success" and "Failures").
 */

/** What was refused of a request that was otherwise taken. */
export interface PartialSuccess {
  readonly rejectedSpans: number;
  /** For people; may also stand alone, with no span rejected, as a warning. */
  readonly errorMessage: string;
}

/** Codes of google.rpc.Code that we answer with; also gRPC's own. */
export const RpcCode = {
  invalidArgument: 3,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;
export type RpcCode = (typeof RpcCode)[keyof typeof RpcCode];

/** ExportTraceServiceResponse in protobuf; no bytes at all when everything was taken. */
export function encodeResponse(partial: PartialSuccess | undefined): Uint8Array {
  if (partial === undefined) return new Uint8Array(0);
  const inner: number[] = [];
  if (partial.rejectedSpans > 0) pushVarintField(inner, 1, partial.rejectedSpans);
  const message = new TextEncoder().encode(partial.errorMessage);
  if (message.length > 0) pushBytesHead(inner, 2, message.length);
  const head: number[] = [];
  pushBytesHead(head, 1, inner.length + message.length);
  return joinBytes([Uint8Array.from(head), Uint8Array.from(inner), message]);
}

/** ExportTraceServiceResponse in JSON. */
export function encodeResponseJson(partial: PartialSuccess | undefined): string {
  if (partial === undefined) return '{}';
  const { rejectedSpans, errorMessage } = partial;
  return JSON.stringify({ partialSuccess: { rejectedSpans: String(rejectedSpans), errorMessage } });
}

/** google.rpc.Status in protobuf, the body of an HTTP error. */
export function encodeStatus(code: RpcCode, message: string): Uint8Array {
  const head: number[] = [];
  pushVarintField(head, 1, code);
  const text = new TextEncoder().encode(message);
  if (text.length > 0) pushBytesHead(head, 2, text.length);
  return joinBytes([Uint8Array.from(head), text]);
}

/** google.rpc.Status in JSON. */
export function encodeStatusJson(code: RpcCode, message: string): string {
  return JSON.stringify({ code, message });
}

function pushVarintField(bytes: number[], field: number, value: number): void {
  bytes.push(field << 3);
  pushVarint(bytes, value);
}

function pushBytesHead(bytes: number[], field: number, length: number): void {
  bytes.push((field << 3) | 2);
  pushVarint(bytes, length);
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
