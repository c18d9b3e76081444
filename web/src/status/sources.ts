import type { IntakeCount } from '../core.ts';

export const SOURCE_LABELS: Readonly<Record<IntakeCount['source'], string>> = {
  udp: 'X-Ray daemon (UDP)',
  segments: 'X-Ray API (PutTraceSegments)',
  'otlp-http': 'OTLP over HTTP',
  'otlp-grpc': 'OTLP over gRPC',
};
