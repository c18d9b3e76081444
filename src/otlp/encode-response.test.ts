import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { describe, expect, test } from 'vitest';
import { MessageWriter } from '../../test/support/encode-otlp.ts';
import { encodeResponse, encodeResponseJson, encodeStatus, encodeStatusJson, RpcCode } from './encode-response.ts';

describe('encodeResponse()', () => {
  test('is empty when everything was taken', () => {
    expect(encodeResponse(undefined)).toHaveLength(0);
    expect(encodeResponseJson(undefined)).toBe('{}');
  });

  test.each([
    { rejectedSpans: 3, errorMessage: 'three spans end before they start: é' },
    { rejectedSpans: 2 ** 40 + 5, errorMessage: 'x'.repeat(300) },
    { rejectedSpans: 0, errorMessage: 'only a warning' },
    { rejectedSpans: 1, errorMessage: '' },
  ])('of %j is what protobuf says', (partial) => {
    const inner = new MessageWriter().varint(1, partial.rejectedSpans).text(2, partial.errorMessage);
    expect([...encodeResponse(partial)]).toEqual(new MessageWriter().message(1, inner).bytes);
  });

  test('is read by the SDK', () => {
    const partial = { rejectedSpans: 3, errorMessage: 'é' };
    expect(ProtobufTraceSerializer.deserializeResponse(encodeResponse(partial))?.partialSuccess?.errorMessage).toBe('é');
    const json = new TextEncoder().encode(encodeResponseJson(partial));
    expect(JsonTraceSerializer.deserializeResponse(json)).toEqual({ partialSuccess: { rejectedSpans: '3', errorMessage: 'é' } });
  });
});

test('encodeStatus() writes google.rpc.Status', () => {
  const status = new MessageWriter().varint(1, 3).text(2, 'bad');
  expect([...encodeStatus(RpcCode.invalidArgument, 'bad')]).toEqual(status.bytes);
  expect([...encodeStatus(RpcCode.unavailable, '')]).toEqual([8, 14]);
  expect(encodeStatusJson(RpcCode.invalidArgument, 'bad')).toBe('{"code":3,"message":"bad"}');
});
