import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findRule, matchesRule, matchesWildcard } from './match.ts';
import { DEFAULT_RULE, type SamplingRule, sortRules } from './rule.ts';

const rule = (members: Partial<SamplingRule>): SamplingRule => ({ ...DEFAULT_RULE, name: 'r', priority: 1, ...members });

describe('matchesWildcard()', () => {
  test.each([
    ['*', '', true],
    ['*', 'anything', true],
    ['', '', true],
    ['', 'a', false],
    ['?', '', false],
    ['?', 'a', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a*c', 'ac', true],
    ['a*c', 'abbbc', true],
    ['a*c', 'abcd', false],
    ['*.example.com', 'shop.example.com', true],
    ['/api/*/items?', '/api/v1/items7', true],
    ['GET', 'get', true],
    ['a.c', 'abc', false],
    ['**a**', 'xxaxx', true],
  ])('%j with %j: %j', (pattern, text, expected) => {
    expect(matchesWildcard(pattern, text)).toBe(expected);
  });

  test('looks at case when told to', () => {
    expect(matchesWildcard('GET', 'get', { caseSensitive: true })).toBe(false);
  });

  test('is done soon with any pattern', () => {
    expect(matchesWildcard('*a'.repeat(60), 'a'.repeat(5_000))).toBe(true);
    expect(matchesWildcard(`${'*a'.repeat(60)}b`, 'a'.repeat(5_000))).toBe(false);
  });

  test('says what a regular expression says', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(texts, texts, (pattern, text) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '[^]*').replaceAll('?', '[^]')}$`, 'i').test(text);
        expect(matchesWildcard(pattern, text)).toBe(expected);
      }),
    );
  });
});

describe('matchesRule()', () => {
  test.each<[Partial<SamplingRule>, Parameters<typeof matchesRule>[1], boolean]>([
    [{}, {}, true],
    [{ host: 'a.*', httpMethod: 'P*' }, { host: 'a.b', httpMethod: 'POST' }, true],
    [{ host: 'a.*' }, { host: 'b.a' }, false],
    [{ host: 'a.*' }, {}, true],
    [{ urlPath: '/x' }, { urlPath: '/y' }, false],
    [{ serviceName: 'cart' }, { serviceName: 'CART' }, true],
    [{ serviceType: 'AWS::ECS::*' }, { serviceType: 'AWS::EC2::Instance' }, false],
    [{ resourceArn: 'arn:x' }, { resourceArn: 'arn:y' }, false],
    [{ attributes: { tier: 'g*' } }, { attributes: { tier: 'gold' } }, true],
    [{ attributes: { tier: 'g*' } }, { attributes: { tier: 'iron' } }, false],
    [{ attributes: { tier: '*' } }, {}, false],
    [{ name: 'Default', host: 'never' }, { host: 'x' }, true],
  ])('%j with %j: %j', (members, request, expected) => {
    expect(matchesRule(rule(members), request)).toBe(expected);
  });
});

test('findRule() takes the first by priority, then by name', () => {
  const rules = [
    DEFAULT_RULE,
    rule({ name: 'z', priority: 5 }),
    rule({ name: 'b', priority: 9, host: 'h' }),
    rule({ name: 'a', priority: 5, host: 'h' }),
  ];
  expect(sortRules(rules).map(({ name }) => name)).toEqual(['a', 'z', 'b', 'Default']);
  expect(findRule(rules, { host: 'h' })?.name).toBe('a');
  expect(findRule(rules, { host: 'x' })?.name).toBe('z');
  expect(findRule([DEFAULT_RULE], { host: 'x' })?.name).toBe('Default');
});
