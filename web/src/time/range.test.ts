import { describe, expect, test } from 'vitest';
import { absoluteRange, parseRange, rangeOrDefault, resolveRange, widerRange } from './range.ts';

describe('parseRange() reads what stands in URLs', () => {
  test.each([
    ['5m', 300],
    ['90m', 5400],
    ['7d', 604_800],
    ['PT15M', 900],
    ['PT1H', 3600],
  ])('%s is the last %d s', (text, seconds) => expect(parseRange(text)).toMatchObject({ kind: 'relative', seconds }));

  test.each([
    ['2026-08-03T10:00:00Z~2026-08-03T11:00:00Z', 1_785_751_200, 1_785_754_800],
    ['1785751200~1785754800', 1_785_751_200, 1_785_754_800],
  ])('%s is absolute', (text, from, to) => expect(parseRange(text)).toMatchObject({ kind: 'absolute', from, to }));

  test.each(['', '0m', '5', 'm5', '1785754800~1785751200', 'a~b', '1~2~3', '999999m'])('%j is none', (text) =>
    expect(parseRange(text)).toBeUndefined(),
  );
});

test('an absolute range survives the URL', () => {
  const range = absoluteRange(1_785_751_200.25, 1_785_754_800);
  expect(parseRange(range.text)).toEqual(range);
});

test('resolveRange() ends a relative range now', () => {
  expect(resolveRange(rangeOrDefault(undefined), 10_000)).toEqual({ from: 6400, to: 10_000 });
});

test('widerRange() offers the next choice and nothing above the widest', () => {
  expect(widerRange(rangeOrDefault('5m'))).toBe('15m');
  expect(widerRange(rangeOrDefault('7d'))).toBeUndefined();
});
