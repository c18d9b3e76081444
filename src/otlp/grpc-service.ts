/**
 * OTLP's gRPC service as plain data, in the shape of a grpc-js `ServiceDefinition`. Messages pass through as bytes: the
 * listener gives them to `decodeTraces` and answers with `encodeResponse`.
 */

/** One unary method whose messages stay bytes. */
export interface BytesMethod {
  readonly path: string;
  readonly requestStream: false;
  readonly responseStream: false;
  readonly requestSerialize: (message: Uint8Array) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => Uint8Array;
  readonly responseSerialize: (message: Uint8Array) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Uint8Array;
}

/** `opentelemetry.proto.collector.trace.v1.TraceService` (trace_service.proto). */
export const traceService: { readonly Export: BytesMethod } = {
  Export: {
    path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: asBuffer,
    requestDeserialize: asIs,
    responseSerialize: asBuffer,
    responseDeserialize: asIs,
  },
};

/** The same memory as a `Buffer`, which is what grpc-js wants. */
function asBuffer(message: Uint8Array): Buffer {
  return Buffer.from(message.buffer, message.byteOffset, message.byteLength);
}

function asIs(bytes: Buffer): Uint8Array {
  return bytes;
}
