import { describe, expect, test } from 'vitest';
import { parseFilter, type Outcome } from '../core.ts';
import { edgeClause, joinAnd, narrow, outcomeClause, responseTimeClause, serviceClause } from './clauses.ts';

const node = { name: 'say "hi" \\', type: 'AWS::ECS::Container' };
const client = { name: 'shop', type: 'client' };
const ALL: readonly Outcome[] = ['ok', 'error', 'throttle', 'fault'];

describe('what is made by clicking is a filter expression', () => {
  const inner = joinAnd(outcomeClause(new Set(['error', 'fault'])), responseTimeClause(0.0000123, 12.5));
  test.each([
    serviceClause(node, ''),
    serviceClause(node, inner),
    serviceClause(node, inner, true),
    edgeClause(node, { name: 'b', type: 'remote' }, inner),
    edgeClause(client, node, inner),
    narrow('fault OR error', serviceClause(node, inner)),
    ...Array.from({ length: 15 }, (_, bits) => outcomeClause(new Set(ALL.filter((_outcome, index) => bits & (1 << index))))),
  ])('%s', (text) => expect(parseFilter(text)).toMatchObject({ ok: true }));
});

test('outcomeClause() says nothing of all four and keeps throttles out of errors', () => {
  expect(outcomeClause(new Set(ALL))).toBe('');
  expect(outcomeClause(new Set(['error']))).toBe('(error AND !throttle)');
  expect(outcomeClause(new Set(['error', 'throttle']))).toBe('error');
  expect(outcomeClause(new Set(['throttle', 'fault']))).toBe('(throttle OR fault)');
});

test('responseTimeClause() writes plain decimals', () => {
  expect(responseTimeClause(0.0000123456, undefined)).toBe('responsetime >= 0.00001235');
  expect(responseTimeClause(0, 100)).toBe('responsetime <= 100');
  expect(responseTimeClause(0.5, 1.23456)).toBe('responsetime >= 0.5 AND responsetime <= 1.235');
});

test('narrow() puts an OR into parentheses', () => {
  expect(narrow('', 'fault')).toBe('fault');
  expect(narrow('ok', 'fault')).toBe('ok AND fault');
  expect(narrow('ok OR error', 'fault')).toBe('(ok OR error) AND fault');
});
