import { expect, test } from 'vitest';
import { translateHash } from './deep-links.ts';
import { applyPatch, carried, parseQuery, stringifyQuery, validateView } from './view.ts';

test('a view survives its URL', () => {
  const view = {
    range: '2026-08-03T10:00:00Z~2026-08-03T11:00:00Z',
    filter: 'service("a b") { fault AND http.url CONTAINS "?x=1&y" }',
    row: '0011223344556677',
  };
  expect(validateView(parseQuery(stringifyQuery(view)))).toEqual(view);
});

test('unknown and empty values are dropped', () => {
  expect(validateView({ filter: '', node: 5, other: 'x', tab: 'raw' })).toEqual({ tab: 'raw' });
});

test('applyPatch() removes what is undefined and the default range', () => {
  expect(applyPatch({ filter: 'fault', row: 'a' }, { row: undefined, range: '1h' })).toEqual({ filter: 'fault' });
});

test('carried() keeps range and filter only', () => {
  expect(carried({ range: '5m', filter: 'ok', node: 'a@b', tab: 'raw' })).toEqual({ range: '5m', filter: 'ok' });
});

test.each([
  ['#/traces/1-68a1b2c3-00112233445566778899aabb', '/traces/1-68a1b2c3-00112233445566778899aabb'],
  ['#/traces?filter=fault&timeRange=PT1H', '/traces?filter=fault&timeRange=PT1H'],
  ['#xray:service-map/map?timeRange=PT15M', '/?timeRange=PT15M'],
  ['#section', undefined],
])('translateHash() of %s is %s', (hash, path) => expect(translateHash(hash)).toBe(path));
