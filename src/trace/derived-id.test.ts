import { expect, test } from 'vitest';
import { id, TRACE } from '../../test/support/trace-documents.ts';
import { deriveSpanId, readSpanId } from './derived-id.ts';
import type { TraceId } from './ids.ts';

test('deriveSpanId() gives 100,000 neighbouring texts as many ids, all well formed', () => {
  const ids = Array.from({ length: 100_000 }, (_, n) => deriveSpanId(TRACE, n.toString(16).padStart(16, '0')));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((each) => /^[0-9a-f]{16}$/.test(each))).toBe(true);
  for (const half of [(each: string) => each.slice(0, 8), (each: string) => each.slice(8)]) {
    // 100,000 draws from 2^32 repeat about once.
    expect(new Set(ids.map(half)).size).toBeGreaterThan(ids.length - 20);
  }
});

test('deriveSpanId() does not change between releases: stored links name these ids', () => {
  expect(deriveSpanId(TRACE, id('a'))).toBe(deriveSpanId(TRACE, id('a')));
  expect([deriveSpanId(TRACE, id('a')), deriveSpanId(TRACE, ''), deriveSpanId('0'.repeat(32) as TraceId, id('a'))]).toMatchInlineSnapshot(`
    [
      "6eb8aeab46700e35",
      "1a11ff9fda8486ba",
      "22d6036477d784cd",
    ]
  `);
});

test.each<[unknown, string | RegExp | undefined]>([
  ['53995c3f42cd8ad8', '53995c3f42cd8ad8'],
  ['53995C3F42CD8AD8', '53995c3f42cd8ad8'],
  ['main', /^[0-9a-f]{16}$/],
  ['', undefined],
  ['0000000000000000', undefined],
  [7, undefined],
  [null, undefined],
])('readSpanId() of %j', (value, expected) => {
  const read = readSpanId(TRACE, value);
  if (expected instanceof RegExp) expect(read).toMatch(expected);
  else expect(read).toBe(expected);
});
