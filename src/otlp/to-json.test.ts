import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeTraces } from '../../test/support/encode-otlp.ts';
import { anySpan, attributesOf, spanOf } from '../../test/support/otlp-spans.ts';
import { decodeTraces } from './decode.ts';
import { decodeTracesJson } from './decode-json.ts';
import { spanFromJson, spanToJson } from './to-json.ts';

describe('spanToJson()', () => {
  test('is undone by spanFromJson(), through text, for any span decoded from protobuf', () => {
    fc.assert(
      fc.property(anySpan, (made) => {
        const batch = decodeTraces(encodeTraces([made]));
        const span = batch.ok ? batch.value.spans[0]! : made;
        expect(spanFromJson(JSON.parse(JSON.stringify(spanToJson(span))))).toEqual({ ok: true, value: span });
      }),
    );
  });

  test('gives items of a valid request', () => {
    const spans = [spanOf(), spanOf({ spanId: '1111111111111111', attributes: attributesOf({ list: [1, 'a', 2.5, true] }) })];
    const request = JSON.stringify({ resourceSpans: spans.map(spanToJson) });
    expect(decodeTracesJson(request)).toEqual({ ok: true, value: { spans, rejected: 0, rejects: [] } });
  });

  test('writes the form that OTLP specifies', () => {
    const span = spanOf({ startNanos: 5, attributes: attributesOf({ n: 1, d: 1.5, b: Uint8Array.of(255) }), statusCode: 2, flags: 257 });
    expect(spanToJson(span)).toEqual({
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
      scopeSpans: [
        {
          scope: { name: 'made', version: '1' },
          spans: [
            {
              traceId: '5759e988bd862e3fe1be46a994272793',
              spanId: '53995c3f42cd8ad8',
              flags: 257,
              name: 'GET /cart',
              kind: 2,
              startTimeUnixNano: '1700000000000000005',
              endTimeUnixNano: '1700000001000000000',
              attributes: [
                { key: 'n', value: { intValue: '1' } },
                { key: 'd', value: { doubleValue: 1.5 } },
                { key: 'b', value: { bytesValue: '/w==' } },
              ],
              status: { code: 2 },
            },
          ],
        },
      ],
    });
  });
});

describe('spanFromJson()', () => {
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['no span', {}],
    ['two spans', { ...spanToJson(spanOf()), scopeSpans: [spanToJson(spanOf())['scopeSpans'], spanToJson(spanOf())['scopeSpans']].flat() }],
    ['a span that is refused', spanToJson(spanOf({ endSeconds: 1 }))],
  ])('refuses %s', (_name, json) => {
    expect(spanFromJson(json)).toMatchObject({ ok: false, error: { code: 'bad-shape' } });
  });
});
