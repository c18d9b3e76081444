import { expect, test } from 'vitest';
import type { SegmentDocument } from './document.ts';
import { httpStatus, requestText } from './http.ts';

function document(members: Record<string, unknown>): SegmentDocument {
  return { name: 'n', id: '53995c3f42cd8ad8', start_time: 1, end_time: 2, ...members };
}

const status = (value: unknown): Record<string, unknown> => ({ http: { response: { status: value } } });

test.each<[unknown, number | undefined]>([
  [200, 200],
  ['404', 404],
  ['', undefined],
  ['abc', undefined],
  [null, undefined],
  [undefined, undefined],
])('httpStatus() reads %j as %s', (value, expected) => {
  expect(httpStatus(document(status(value)))).toBe(expected);
});

test('httpStatus() survives a missing or damaged http block', () => {
  expect(httpStatus(document({}))).toBeUndefined();
  expect(httpStatus(document({ http: null }))).toBeUndefined();
  expect(httpStatus(document({ http: { response: null } }))).toBeUndefined();
});

test.each<[Record<string, unknown>, string | undefined]>([
  [{}, undefined],
  [{ http: null }, undefined],
  [{ http: { request: null } }, undefined],
  [{ http: { request: { user_agent: '' } } }, undefined],
  [{ http: { request: { user_agent: 7 } } }, undefined],
  [{ http: { request: { user_agent: 'curl/8' } } }, 'curl/8'],
])('requestText() of %j is %s', (members, expected) => {
  expect(requestText(document(members), 'user_agent')).toBe(expected);
});
