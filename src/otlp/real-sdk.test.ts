/** What the OpenTelemetry SDK for JavaScript really writes, in both encodings. */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Span } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { describe, expect, test } from 'vitest';
import { decodeTraces } from './decode.ts';
import { decodeTracesJson } from './decode-json.ts';
import { ValueKind, type OtlpSpan } from './model.ts';

const REMOTE = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1, isRemote: true };

function record(): ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  const resource = resourceFromAttributes({ 'service.name': 'shop', 'process.pid': 4711, 'process.command_args': ['node', 'a.js'] });
  const provider = new BasicTracerProvider({ resource, spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer('test-tracer', '1.2.3');
  const fromRemote = trace.setSpanContext(ROOT_CONTEXT, REMOTE);
  const server = tracer.startSpan(
    'GET /cart',
    { kind: SpanKind.SERVER, startTime: [1_700_000_000, 123_456_789], links: [{ context: REMOTE }] },
    fromRemote,
  );
  server.setAttributes({ text: 'é\u{1f600}', int: -5, double: 1.5, bool: true, list: ['a', 'b'], numbers: [1, 2.5], big: 2 ** 53 });
  recordChild(
    tracer.startSpan('query', { kind: SpanKind.CLIENT, startTime: [1_700_000_000, 200_000_000] }, trace.setSpan(fromRemote, server)),
  );
  server.setStatus({ code: SpanStatusCode.ERROR, message: 'out of stock' });
  server.end([1_700_000_001, 5]);
  return exporter.getFinishedSpans();
}

function recordChild(span: Span): void {
  span.addEvent('retry', { attempt: 2 }, [1_700_000_000, 300_000_000]);
  span.recordException(new TypeError('no connection'), [1_700_000_000, 400_000_000]);
  span.end([1_700_000_000, 500_000_000]);
}

function decodeBoth(spans: ReadableSpan[]): { protobuf: readonly OtlpSpan[]; json: readonly OtlpSpan[] } {
  const protobuf = decodeTraces(ProtobufTraceSerializer.serializeRequest(spans)!);
  const json = decodeTracesJson(JsonTraceSerializer.serializeRequest(spans)!);
  if (!protobuf.ok || !json.ok) throw new Error('not decoded');
  expect([protobuf.value.rejects, json.value.rejects]).toEqual([[], []]);
  return { protobuf: protobuf.value.spans, json: json.value.spans };
}

describe('spans of the OpenTelemetry SDK', () => {
  test('are the same from protobuf and JSON', () => {
    const { protobuf, json } = decodeBoth(record());
    expect(protobuf).toHaveLength(2);
    expect(json).toEqual(protobuf);
  });

  test('are read as they were recorded', () => {
    const sent = record();
    const { protobuf } = decodeBoth(sent);
    const [child, server] = protobuf;
    const serverId = sent[1]!.spanContext().spanId;
    expect(server).toMatchObject({
      traceId: REMOTE.traceId,
      spanId: serverId,
      parentSpanId: REMOTE.spanId,
      name: 'GET /cart',
      kind: 2,
      startSeconds: 1_700_000_000,
      startNanos: 123_456_789,
      endSeconds: 1_700_000_001,
      endNanos: 5,
      statusCode: 2,
      statusMessage: 'out of stock',
      links: [{ traceId: REMOTE.traceId, spanId: REMOTE.spanId }],
      scope: { name: 'test-tracer', version: '1.2.3' },
    });
    // The SDK says that the server's parent is remote and the child's is not.
    expect([server!.flags & 0x300, child!.flags & 0x300]).toEqual([0x300, 0x100]);
    expect(child).toMatchObject({ parentSpanId: serverId, kind: 3, resource: server!.resource });
    expect(child!.events.map(({ name }) => name)).toEqual(['retry', 'exception']);
    expect(server!.attributes.keys).toEqual(['text', 'int', 'double', 'bool', 'list', 'numbers', 'big']);
    expect(server!.attributes.values.slice(0, 5)).toEqual(['é\u{1f600}', -5, 1.5, true, { kinds: [1, 1], values: ['a', 'b'] }]);
    expect(server!.attributes.kinds.slice(0, 6)).toEqual([
      ValueKind.string,
      ValueKind.int,
      ValueKind.double,
      ValueKind.bool,
      ValueKind.array,
      ValueKind.array,
    ]);
    expect(server!.resource.attributes.keys).toEqual(expect.arrayContaining(['service.name', 'process.pid', 'process.command_args']));
  });
});
