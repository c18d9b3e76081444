import { describe, expect, test } from 'vitest';
import { isInstalled } from './installed.mjs';

describe('isInstalled()', () => {
  const a = { 'node_modules/a': { version: '1.0.0' } };
  const optional = { 'node_modules/b': { version: '1.0.0', optional: true } };

  test.each([
    [a, a, true],
    [a, {}, false],
    [a, { 'node_modules/a': { version: '1.0.1' } }, false],
    [{ ...a, ...optional }, a, true],
    [{ ...a, ...optional }, { ...a, 'node_modules/b': { version: '2.0.0' } }, false],
    [a, { ...a, 'node_modules/left-over': { version: '1.0.0' } }, false],
    [{ '': { version: '9.0.0' }, web: { version: '9.0.0' }, ...a }, { web: { version: '1.0.0' }, ...a }, true],
  ])('of wanted %j and installed %j is %j', (wanted, installed, answer) => {
    expect(isInstalled({ ...wanted, web: {} }, installed)).toBe(answer);
  });
});
