import { expect, test } from 'vitest';
import { didYouMean, findSimilar } from './similar.ts';

test.each([
  ['lenght', ['length', 'width', 'len'], ['length']],
  ['conection', ['connection', 'connections', 'collection'], ['connection', 'collection', 'connections']],
  ['ab', ['ba', 'abc', 'xyz'], ['abc', 'ba']],
  ['READ', ['read'], ['read']],
  ['x', ['y', 'zz'], ['y']],
  ['same', ['same'], []],
  ['', ['a'], []],
  ['a'.repeat(100), ['a'.repeat(99)], []],
])('findSimilar() of %j among %j gives %j', (name, candidates, expected) => {
  expect(findSimilar(name, candidates)).toEqual(expected);
});

test('didYouMean() asks', () => {
  expect(didYouMean('lenght', ['length'])).toBe('did you mean "length"?');
  expect(didYouMean('lenght', ['width'])).toBeUndefined();
});
