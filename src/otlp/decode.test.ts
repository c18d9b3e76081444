import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeSpan, encodeTraces, MessageWriter } from '../../test/support/encode-otlp.ts';
import { anySpan, attributesOf, spanOf } from '../../test/support/otlp-spans.ts';
import { decodeTraces } from './decode.ts';
import { ValueKind, type OtlpBatch, type OtlpError, type OtlpSpan } from './model.ts';

function batchOf(bytes: Uint8Array): OtlpBatch {
  const result = decodeTraces(bytes);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function errorOf(bytes: Uint8Array): OtlpError {
  const result = decodeTraces(bytes);
  if (result.ok) throw new Error('decoded');
  return result.error;
}

/** A request with one span message, whatever is in it. */
function requestOf(span: MessageWriter): Uint8Array {
  const scopeSpans = new MessageWriter().message(2, span);
  return Uint8Array.from(new MessageWriter().message(1, new MessageWriter().message(2, scopeSpans)).bytes);
}

/** A sound span's message with more fields after it; of a field that occurs twice, the last counts. */
function spanWith(change: (writer: MessageWriter) => void): Uint8Array {
  const writer = encodeSpan(spanOf());
  change(writer);
  return requestOf(writer);
}

function withValue(value: MessageWriter): Uint8Array {
  return spanWith((span) => span.message(9, new MessageWriter().text(1, 'k').message(2, value)));
}

function firstValue(bytes: Uint8Array): { kind: unknown; value: unknown } {
  const { kinds, values } = batchOf(bytes).spans[0]!.attributes;
  return { kind: kinds[0], value: values[0] };
}

describe('decodeTraces()', () => {
  test('gives back any span exactly', () => {
    fc.assert(
      fc.property(fc.array(anySpan, { maxLength: 4 }), (spans) => {
        expect(batchOf(encodeTraces(spans))).toEqual({ spans, rejected: 0, rejects: [] });
      }),
    );
  });

  test('shares the resource and the scope between spans', () => {
    const first = spanOf();
    const { spans } = batchOf(encodeTraces([first, { ...first, spanId: '1111111111111111' }]));
    expect(spans[1]!.resource).toBe(spans[0]!.resource);
    expect(spans[1]!.scope).toBe(spans[0]!.scope);
  });

  test('reads a resource and a scope that stand after the spans', () => {
    const span = encodeSpan(spanOf());
    const scope = new MessageWriter().text(1, 'late');
    const resource = new MessageWriter().message(1, new MessageWriter().text(1, 'k').message(2, new MessageWriter().raw(1, [])));
    const scopeSpans = new MessageWriter().message(2, span).message(1, scope);
    const bytes = new MessageWriter().message(1, new MessageWriter().message(2, scopeSpans).message(1, resource)).bytes;
    const [decoded] = batchOf(Uint8Array.from(bytes)).spans;
    expect(decoded!.scope.name).toBe('late');
    expect(decoded!.resource.attributes.keys).toEqual(['k']);
  });

  test('takes an empty request', () => {
    expect(batchOf(new Uint8Array(0))).toEqual({ spans: [], rejected: 0, rejects: [] });
  });

  test('reads from the middle of a larger buffer', () => {
    const bytes = encodeTraces([spanOf({ startNanos: 123_456_789 })]);
    const larger = new Uint8Array(bytes.length + 20).fill(0xff);
    larger.set(bytes, 7);
    expect(batchOf(larger.subarray(7, 7 + bytes.length))).toEqual(batchOf(bytes));
  });

  test.each<[string, number, number, bigint]>([
    ['1 ns', 0, 1, 1n],
    ['today', 1_785_000_000, 999_999_999, 1_785_000_000_999_999_999n],
    ['2^53', 9_007_199, 254_740_993, 9_007_199_254_740_993n],
    ['the largest', 18_446_744_073, 709_551_615, 18_446_744_073_709_551_615n],
  ])('splits the time %s exactly', (_name, seconds, nanos, value) => {
    const bytes = spanWith((span) => span.fixed64(7, value).fixed64(8, value));
    expect(batchOf(bytes).spans[0]).toMatchObject({ startSeconds: seconds, startNanos: nanos, endSeconds: seconds, endNanos: nanos });
  });

  test.each<[bigint, number | string]>([
    [0n, 0],
    [-1n, -1],
    [127n, 127],
    [128n, 128],
    [-128n, -128],
    [2n ** 53n - 1n, 2 ** 53 - 1],
    [-(2n ** 53n - 1n), -(2 ** 53 - 1)],
    [2n ** 53n, '9007199254740992'],
    [-(2n ** 53n), '-9007199254740992'],
    [2n ** 56n, '72057594037927936'],
    [2n ** 63n - 1n, '9223372036854775807'],
    [-(2n ** 63n), '-9223372036854775808'],
  ])('reads the int %s exactly', (int, value) => {
    expect(firstValue(withValue(new MessageWriter().present(3, int)))).toEqual({ kind: ValueKind.int, value });
  });

  test('tells a double from an int of the same value', () => {
    expect(firstValue(withValue(new MessageWriter().double(4, 5)))).toEqual({ kind: ValueKind.double, value: 5 });
    expect(firstValue(withValue(new MessageWriter().double(4, -0)))).toEqual({ kind: ValueKind.double, value: -0 });
  });

  test('keeps numbers that enums do not define as 0', () => {
    const bytes = spanWith((span) => span.present(6, 9).present(6, -1).message(15, new MessageWriter().present(3, 7)));
    expect(batchOf(bytes).spans[0]).toMatchObject({ kind: 0, statusCode: 0 });
  });

  test('passes over unknown fields of every wire type', () => {
    const bytes = spanWith((span) => {
      span.present(900, -1).fixed64(901, 7n).text(902, 'new').fixed32(903, 1);
      // A group: start (field 20, type 3), a varint, an inner group, end (type 4).
      span.bytes.push(163, 1, 8, 1, 171, 1, 172, 1, 164, 1);
    });
    expect(batchOf(bytes).spans).toHaveLength(1);
  });

  test('takes a parent id of zeros, or empty, as none', () => {
    expect(batchOf(spanWith((span) => span.raw(4, new Uint8Array(8)))).spans[0]!.parentSpanId).toBe('');
    expect(batchOf(spanWith((span) => span.raw(4, []))).spans[0]!.parentSpanId).toBe('');
  });
});

describe('decodeTraces() refuses a span alone', () => {
  test.each<[string, (span: MessageWriter) => void]>([
    ['bad-trace-id', (span) => span.raw(1, [])],
    ['bad-trace-id', (span) => span.raw(1, new Uint8Array(16))],
    ['bad-trace-id', (span) => span.raw(1, new Uint8Array(15).fill(1))],
    ['bad-span-id', (span) => span.raw(2, new Uint8Array(8))],
    ['bad-span-id', (span) => span.raw(2, new Uint8Array(9).fill(1))],
    ['bad-parent-id', (span) => span.raw(4, new Uint8Array(7).fill(1))],
    ['bad-link-id', (span) => span.message(13, new MessageWriter().raw(1, new Uint8Array(16).fill(1)))],
    ['bad-utf8', (span) => span.raw(5, [0x61, 0xff])],
    ['bad-utf8', (span) => span.message(9, new MessageWriter().raw(1, [0xc0, 0x80]))],
    ['bad-utf8', (span) => span.message(11, new MessageWriter().raw(2, [0xed, 0xa0, 0x80]))],
    ['no-start-time', (span) => span.fixed64(7, 0n)],
    ['end-before-start', (span) => span.fixed64(8, 1_699_999_999_999_999_999n)],
    ['end-before-start', (span) => span.fixed64(8, 0n)],
  ])('%s', (reason, change) => {
    const batch = batchOf(spanWith(change));
    expect(batch.spans).toEqual([]);
    expect(batch.rejected).toBe(1);
    expect(batch.rejects).toMatchObject([{ reason, count: 1 }]);
  });

  test('and keeps the others, counting by reason', () => {
    const good = spanOf();
    const bad = { ...good, spanId: '2222222222222222', endSeconds: 5 };
    const batch = batchOf(encodeTraces([bad, good, { ...bad, spanId: '3333333333333333' }]));
    expect(batch.spans).toEqual([good]);
    expect(batch.rejects).toMatchObject([{ reason: 'end-before-start', count: 2, spanId: '2222222222222222' }]);
    expect(batch.rejected).toBe(2);
  });

  test('for text that is not UTF-8 in its resource or scope', () => {
    const resource = new MessageWriter().message(1, new MessageWriter().raw(1, [0xff]));
    const scopeSpans = new MessageWriter().message(2, encodeSpan(spanOf()));
    const ofResource = new MessageWriter().message(1, resource).message(2, scopeSpans);
    const ofScope = new MessageWriter().message(2, scopeSpans.message(1, new MessageWriter().raw(1, [0xff])));
    for (const part of [ofResource, ofScope]) {
      const batch = batchOf(Uint8Array.from(new MessageWriter().message(1, part).bytes));
      expect(batch.rejects).toMatchObject([{ reason: 'bad-utf8', count: 1 }]);
    }
  });
});

/** A value inside so many lists. */
function nestedValue(depth: number): MessageWriter {
  let value = new MessageWriter().present(3, 1);
  for (let level = 0; level < depth; level++) value = new MessageWriter().message(5, new MessageWriter().message(1, value));
  return value;
}

describe('decodeTraces() refuses a request', () => {
  test.each<[string, OtlpError['code'], Uint8Array]>([
    ['with a field number of 0', 'bad-tag', Uint8Array.of(0x02, 0x00)],
    ['with an endless number', 'bad-varint', new Uint8Array(12).fill(0xff)],
    ['with a length beyond its end', 'truncated', Uint8Array.of(0x0a, 0x05, 0x00)],
    ['with a length of 2^31', 'truncated', Uint8Array.of(0x0a, 0x80, 0x80, 0x80, 0x80, 0x08)],
    ['with a length of 2^32 + 1', 'truncated', Uint8Array.of(0x0a, 0x81, 0x80, 0x80, 0x80, 0x10, 0x00)],
    ['with a wire type that does not exist', 'bad-wire-type', Uint8Array.of(0x0f, 0x00)],
    ['with an end of no group', 'bad-wire-type', Uint8Array.of(0x7c, 0x00)],
    ['with a field of the wrong wire type', 'bad-wire-type', spanWith((span) => span.present(5, 1))],
    ['with groups nested too deep', 'too-deep', new Uint8Array(200).fill(0x7b)],
    ['with values nested too deep', 'too-deep', withValue(nestedValue(65))],
    ['that would take far more memory than its size', 'too-large', spanWith((span) => repeat(200_000, () => span.raw(11, [])))],
    ['with too many attributes', 'too-many-attributes', spanWith((span) => repeat(10_001, () => span.raw(9, [])))],
  ])('%s', (_name, code, bytes) => {
    expect(errorOf(bytes).code).toBe(code);
  });

  test('but takes values nested 64 deep and 10,000 attributes', () => {
    expect(batchOf(withValue(nestedValue(64))).spans).toHaveLength(1);
    expect(batchOf(spanWith((span) => repeat(10_000, () => span.raw(9, [])))).spans[0]!.attributes.keys).toHaveLength(10_000);
  });

  test('cut short anywhere, or reads less of it', () => {
    const bytes = encodeTraces([spanOf({ attributes: attributesOf({ a: 'x', b: [1, 2.5], c: { d: true } }) })]);
    for (let length = 0; length < bytes.length; length++) {
      const result = decodeTraces(bytes.subarray(0, length));
      if (length === 0) expect(result).toMatchObject({ ok: true, value: { spans: [] } });
      else expect(result).toMatchObject({ ok: false, error: { code: 'truncated' } });
    }
  });
});

function repeat(count: number, action: () => void): void {
  for (let index = 0; index < count; index++) action();
}

describe('decodeTraces() never throws', () => {
  test('for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        decodeTraces(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  test('for a request with bytes changed', () => {
    const change = fc.record({ at: fc.nat(), to: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(fc.array(anySpan, { minLength: 1, maxLength: 2 }), fc.array(change, { minLength: 1, maxLength: 5 }), (spans, changes) => {
        const bytes = encodeTraces(spans);
        for (const { at, to } of changes) bytes[at % bytes.length] = to;
        const result = decodeTraces(bytes);
        if (result.ok) for (const span of result.value.spans) expectSound(span);
      }),
      { numRuns: 500 },
    );
  });
});

function expectSound(span: OtlpSpan): void {
  expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
  expect(span.attributes.keys).toHaveLength(span.attributes.values.length);
}
