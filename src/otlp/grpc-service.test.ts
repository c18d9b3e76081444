import { Server, type ServiceDefinition } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { traceService } from './grpc-service.ts';

test('traceService is a definition that grpc-js takes', () => {
  const definition: ServiceDefinition = traceService;
  new Server().addService(definition, { Export: () => undefined });
  expect(traceService.Export.path).toBe('/opentelemetry.proto.collector.trace.v1.TraceService/Export');
});

test('traceService passes bytes through without copying', () => {
  const bytes = Uint8Array.of(1, 2, 3).subarray(1);
  const sent = traceService.Export.responseSerialize(bytes);
  expect([...sent]).toEqual([2, 3]);
  expect(sent.buffer).toBe(bytes.buffer);
  expect(traceService.Export.requestDeserialize(sent)).toBe(sent);
});
