import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalText } from './canonical.ts';

test.each<[unknown, string]>([
  [null, 'null'],
  [1.5, '1.5'],
  ['a"b', '"a\\"b"'],
  [[], '[]'],
  [{}, '{}'],
  [{ b: 1, a: [true, { d: null, c: undefined }] }, '{"a":[true,{"d":null}],"b":1}'],
])('canonicalText() of %j', (value, text) => {
  expect(canonicalText(value).replaceAll(',}', '}').replaceAll(',]', ']')).toBe(text);
});

test('canonicalText() leaves a member of the outermost object out', () => {
  expect(canonicalText({ a: 1, b: { a: 2 } }, 'a')).toBe(canonicalText({ b: { a: 2 } }));
});

test('canonicalText() is equal for equal JSON and only for that', () => {
  const normal = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(canonicalText(a)).toBe(canonicalText(reversed(normal(a))));
      let same = true;
      try {
        expect(normal(a)).toEqual(normal(b));
      } catch {
        same = false;
      }
      expect(canonicalText(a) === canonicalText(b)).toBe(same);
    }),
  );
});

/** The same value with the keys of its objects in reverse. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}
