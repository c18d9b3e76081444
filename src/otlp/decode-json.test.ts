import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeTracesJson } from './decode-json.ts';
import { ValueKind, type OtlpBatch } from './model.ts';

const SPAN = {
  traceId: '5759e988bd862e3fe1be46a994272793',
  spanId: '53995c3f42cd8ad8',
  name: 'GET',
  startTimeUnixNano: '1700000000000000001',
  endTimeUnixNano: '1700000001000000000',
};

function requestOf(...spans: unknown[]): string {
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
}

function batchOf(input: string | Uint8Array): OtlpBatch {
  const result = decodeTracesJson(input);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function valueOf(value: unknown): { kind: unknown; value: unknown } | string {
  const { spans, rejects } = batchOf(requestOf({ ...SPAN, attributes: [{ key: 'k', value }] }));
  const attributes = spans[0]?.attributes;
  return attributes === undefined ? rejects[0]!.message : { kind: attributes.kinds[0], value: attributes.values[0] };
}

describe('decodeTracesJson()', () => {
  test('takes snake_case, enum names, numbers for times and upper-case ids', () => {
    const lenient = {
      trace_id: SPAN.traceId.toUpperCase(),
      span_id: SPAN.spanId.toUpperCase(),
      parent_span_id: '0000000000000000',
      trace_state: 'a=b',
      name: 'GET',
      kind: 'SPAN_KIND_CLIENT',
      start_time_unix_nano: 1_700_000_000_000_000_000,
      end_time_unix_nano: '1700000001000000000',
      dropped_attributes_count: '3',
      status: { code: 'STATUS_CODE_ERROR', message: 'm' },
      attributes: [{ key: 'k', value: { int_value: '7' } }],
      events: null,
      flags: 257,
      future: { field: 1 },
    };
    const text = JSON.stringify({ resource_spans: [{ scope_spans: [{ spans: [lenient] }], schema_url: 'u' }] });
    const [span] = batchOf(new TextEncoder().encode(text)).spans;
    expect(span).toMatchObject({
      traceId: SPAN.traceId,
      spanId: SPAN.spanId,
      parentSpanId: '',
      traceState: 'a=b',
      kind: 3,
      startSeconds: 1_700_000_000,
      startNanos: 0,
      droppedAttributesCount: 3,
      statusCode: 2,
      flags: 257,
      attributes: { keys: ['k'], kinds: [ValueKind.int], values: [7] },
      resource: { schemaUrl: 'u' },
    });
  });

  test.each<[unknown, unknown]>([
    [{ stringValue: '' }, { kind: ValueKind.string, value: '' }],
    [{ boolValue: false }, { kind: ValueKind.bool, value: false }],
    [{ intValue: '9007199254740993' }, { kind: ValueKind.int, value: '9007199254740993' }],
    [{ intValue: '-007' }, { kind: ValueKind.int, value: -7 }],
    [{ intValue: -0 }, { kind: ValueKind.int, value: 0 }],
    [{ doubleValue: 5 }, { kind: ValueKind.double, value: 5 }],
    [{ doubleValue: 'NaN' }, { kind: ValueKind.double, value: Number.NaN }],
    [{ doubleValue: '1e400' }, { kind: ValueKind.double, value: Number.POSITIVE_INFINITY }],
    [{ bytesValue: 'AP8' }, { kind: ValueKind.bytes, value: Uint8Array.of(0, 255) }],
    [{ arrayValue: {} }, { kind: ValueKind.array, value: { kinds: [], values: [] } }],
    [{ arrayValue: { values: [null, {}] } }, { kind: ValueKind.array, value: { kinds: [0, 0], values: [undefined, undefined] } }],
    [{}, { kind: ValueKind.empty, value: undefined }],
    [undefined, { kind: ValueKind.empty, value: undefined }],
    [{ intValue: 1.5 }, 'intValue must be a whole number'],
    [{ intValue: '9223372036854775808' }, 'intValue is beyond 64 bits'],
    [{ boolValue: 'true' }, 'boolValue must be true or false'],
    [{ bytesValue: 'a' }, 'bytesValue must be base64'],
    [{ stringValue: 1 }, 'stringValue must be a string'],
  ])('reads the value %j', (value, expected) => {
    expect(valueOf(value)).toEqual(expected);
  });

  test.each<[string, Record<string, unknown>]>([
    ['bad-trace-id', { traceId: 'V1npiL2GLj/hvkapjCcnkw==' }],
    ['bad-trace-id', { traceId: '0'.repeat(32) }],
    ['bad-span-id', { spanId: undefined }],
    ['bad-parent-id', { parentSpanId: 'abc' }],
    ['bad-link-id', { links: [{ traceId: SPAN.traceId }] }],
    ['bad-utf8', { name: '\ud800' }],
    ['no-start-time', { startTimeUnixNano: undefined }],
    ['end-before-start', { endTimeUnixNano: 5 }],
    ['bad-field', { startTimeUnixNano: '1.5e9' }],
    ['bad-field', { startTimeUnixNano: '99999999999999999999' }],
    ['bad-field', { kind: 'SPAN_KIND_OTHER' }],
    ['bad-field', { flags: -1 }],
    ['bad-field', { attributes: { a: 1 } }],
    ['bad-field', { events: [7] }],
  ])('refuses a span alone: %s', (reason, members) => {
    const batch = batchOf(requestOf({ ...SPAN, ...members }, SPAN));
    expect(batch.spans).toHaveLength(1);
    expect(batch.rejects).toMatchObject([{ reason, count: 1 }]);
  });

  test('refuses the spans of a resource that cannot be read', () => {
    const resource = { attributes: [{ key: 1 }] };
    const text = JSON.stringify({
      resourceSpans: [{ resource, scopeSpans: [{ spans: [SPAN, SPAN] }] }, { scopeSpans: [{ spans: [SPAN] }] }],
    });
    expect(batchOf(text)).toMatchObject({ spans: [{ name: 'GET' }], rejected: 2, rejects: [{ reason: 'bad-field' }] });
  });

  test.each<[string, string, string | Uint8Array]>([
    ['no JSON', 'bad-json', '{'],
    ['no UTF-8', 'bad-utf8', Uint8Array.of(0x22, 0xff, 0x22)],
    ['no object', 'bad-shape', '[]'],
    ['null', 'bad-shape', 'null'],
    ['no list', 'bad-shape', '{"resourceSpans":{}}'],
    ['no object in it', 'bad-shape', '{"resourceSpans":[1]}'],
    ['values nested too deep', 'too-deep', requestOf({ ...SPAN, attributes: [{ key: 'k', value: nested(65) }] })],
    [
      'too many attributes',
      'too-many-attributes',
      requestOf({ ...SPAN, attributes: Array.from({ length: 10_001 }, () => ({ key: 'k' })) }),
    ],
  ])('refuses a request: %s', (_name, code, input) => {
    expect(decodeTracesJson(input)).toMatchObject({ ok: false, error: { code } });
  });

  test('takes values nested 64 deep', () => {
    expect(batchOf(requestOf({ ...SPAN, attributes: [{ key: 'k', value: nested(64) }] })).spans).toHaveLength(1);
  });

  test('never throws for any JSON in any place', () => {
    const names = Object.keys(SPAN).concat('attributes', 'events', 'links', 'status', 'kind', 'flags', 'parentSpanId');
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, value) => {
        decodeTracesJson(requestOf({ ...SPAN, [name]: value }));
        decodeTracesJson(JSON.stringify({ resourceSpans: value }));
      }),
    );
  });
});

function nested(depth: number): unknown {
  return depth === 0 ? { intValue: 1 } : { arrayValue: { values: [nested(depth - 1)] } };
}
