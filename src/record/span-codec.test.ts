import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ValueKind, type OtlpSpan } from '../otlp/index.ts';
import { anySpan, attributesOf, spanOf } from '../../test/support/otlp-spans.ts';
import { RowsOfSpans, spanOfRow } from './span-codec.ts';
import type { SpanRow } from './span-row.ts';

/** What the store keeps of a row: the attributes of a row in any order. */
function stored(row: SpanRow): SpanRow {
  return { ...row, attributeKeys: row.attributeKeys.toReversed(), attributeValues: row.attributeValues.toReversed() };
}

function roundTrip(spans: readonly OtlpSpan[]): OtlpSpan[] {
  const rows: SpanRow[] = [];
  const writer = new RowsOfSpans();
  for (const span of spans) writer.append(span, rows);
  return rows.map((row) => spanOfRow(stored(row)));
}

/** What the intake lets through: at most 92 days long. */
const storableSpan = anySpan.filter((span) => span.endSeconds - span.startSeconds <= 8e6);
const shortSpan = anySpan.map((span) => ({ ...span, endSeconds: span.startSeconds + 1 }));

describe('a span that is laid into a row and read again', () => {
  test('is the same to the last bit, whatever is in it', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(storableSpan, shortSpan), { maxLength: 3 }), (spans) => {
        expect(roundTrip(spans)).toEqual(spans);
      }),
      { numRuns: 500 },
    );
  });

  test('keeps the order of attributes, of whatever type and however often a key comes', () => {
    const attributes = {
      keys: ['a', 'list', 'a', 'b', 'map', 'b', 'a'],
      kinds: [ValueKind.string, ValueKind.array, ValueKind.int, ValueKind.double, ValueKind.kvlist, ValueKind.bool, ValueKind.string],
      values: ['1', { kinds: [ValueKind.int], values: [2] }, 3, 4.5, attributesOf({ c: 'd' }), true, '7'],
    };
    expect(roundTrip([spanOf({ attributes })])).toEqual([spanOf({ attributes })]);
  });

  test.each([
    ['keys that need quotes', { attributes: attributesOf({ 'a b': 1, 'x:y,z;': 'v', '"': 2.5, '': true, '\u001f': 'x', __proto__x: 1 }) }],
    ['the separator in texts', { statusMessage: 'a\u001fb', traceState: '"\u001f', name: '\u001f' }],
    ['texts that look like JSON', { statusMessage: '"', traceState: '"a"' }],
    [
      'numbers that JSON lacks',
      { attributes: { keys: ['n', 'i', 'z'], kinds: [4, 4, 4] as ValueKind[], values: [Number.NaN, -Infinity, -0] } },
    ],
    ['integers beyond doubles', { attributes: { keys: ['i'], kinds: [ValueKind.int], values: ['-9223372036854775808'] } }],
    ['the longest duration', { startNanos: 999_999_999, endSeconds: 1_708_000_000, endNanos: 1 }],
    ['counts of what was dropped', { droppedAttributesCount: 1, droppedLinksCount: 4_294_967_295 }],
  ])('%s', (_, members) => {
    expect(roundTrip([spanOf(members)])).toEqual([spanOf(members)]);
  });

  test('10,000 attributes take no quadratic time', () => {
    const attributes = attributesOf(Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key.${index}`, index])));
    const startedMs = performance.now();
    expect(roundTrip([spanOf({ attributes })])[0]!.attributes).toEqual(attributes);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});
