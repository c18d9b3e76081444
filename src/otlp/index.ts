export { decodeTraces } from './decode.ts';
export { decodeTracesJson } from './decode-json.ts';
export { encodeResponse, encodeResponseJson, encodeStatus, encodeStatusJson, RpcCode, type PartialSuccess } from './encode-response.ts';
export { spanFacts, type SpanFacts } from './facts.ts';
export { traceService, type BytesMethod } from './grpc-service.ts';
export {
  NO_ATTRIBUTES,
  SpanKind,
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
  type SpanRejectReason,
  type SpanRejects,
} from './model.ts';
export { resourceFacts, type ResourceFacts } from './names.ts';
export { attributesToJson, spanFromJson, spanToJson, type JsonObject } from './to-json.ts';
export { spanToSegment } from './to-segment.ts';
