import { describe, expect, test } from 'vitest';
import { filterOf } from '../../../test/support/filter-trees.ts';
import { MAX_GROUP_DEPTH } from './groups.ts';
import { checkGroups } from './index.ts';

const check = (text: string, groups: Readonly<Record<string, string>>): string | undefined => {
  const fault = checkGroups(filterOf(text), (name) => {
    const own = groups[name];
    return own === undefined ? undefined : filterOf(own);
  });
  return fault && `${fault.position}+${fault.length} ${fault.message}`;
};

const row = (length: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length }, (_, index) => [`g${index}`, index === 0 ? 'ok' : `group.name = "g${index - 1}"`]));

describe('checkGroups()', () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ['fault', {}, undefined],
    ['group.name = "a" OR !(ok group.arn = "b")', { a: 'group.name = "b"', b: 'ok' }, undefined],
    ['ok group.name = "a"', {}, '3+16 There is no group "a".'],
    ['group.name = "a"', { a: 'ok OR group.name = "b"' }, '0+16 There is no group "b".'],
    ['group.name = "a"', { a: '!group.name = "a"' }, '0+16 The group refers to itself: a → a.'],
    ['group.name = "b" group.name = "a"', { a: 'group.name = "b"', b: 'group.name = "a"' }, '0+16 The group refers to itself: b → a → b.'],
    [`group.name = "g${MAX_GROUP_DEPTH - 1}"`, row(MAX_GROUP_DEPTH), undefined],
  ])('%s with %j', (text, groups, expected) => {
    expect(check(text, groups)).toBe(expected);
  });

  test('refuses more groups in a row than are followed, whichever is asked first', () => {
    const groups = row(MAX_GROUP_DEPTH + 1);
    const deepest = `group.name = "g${MAX_GROUP_DEPTH}"`;
    expect(check(deepest, groups)).toContain(`0+18 More than ${MAX_GROUP_DEPTH} groups`);
    expect(check(`group.name = "g5" ${deepest}`, groups)).toContain(`18+18 More than ${MAX_GROUP_DEPTH} groups`);
  });
});
