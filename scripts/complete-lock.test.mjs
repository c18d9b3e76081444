import { describe, expect, test } from 'vitest';
import { findMissing, findPlatform } from './complete-lock.mjs';

describe('findPlatform()', () => {
  test.each([
    ['@chdb/lib-linux-arm64-gnu', { os: ['linux'], cpu: ['arm64'], libc: ['glibc'] }],
    ['@oxlint/binding-linux-x64-musl', { os: ['linux'], cpu: ['x64'], libc: ['musl'] }],
    ['@chdb/lib-darwin-x64', { os: ['darwin'], cpu: ['x64'] }],
    ['@esbuild/win32-ia32', { os: ['win32'], cpu: ['ia32'] }],
    ['fsevents', undefined],
    ['linux-tools', undefined],
  ])('of %s is %j', (name, platform) => {
    expect(findPlatform(name)).toEqual(platform);
  });
});

describe('findMissing()', () => {
  const entry = { optionalDependencies: { '@a/lib-linux-x64': '1.2.3' } };

  test('finds a platform package without entry', () => {
    expect(findMissing({ packages: { '': {}, 'node_modules/a': entry } })).toEqual({
      'node_modules/@a/lib-linux-x64': { version: '1.2.3', optional: true, os: ['linux'], cpu: ['x64'] },
    });
  });

  test('keeps what only development needs apart', () => {
    expect(findMissing({ packages: { 'node_modules/a': { ...entry, dev: true } } })).toEqual({
      'node_modules/@a/lib-linux-x64': { version: '1.2.3', dev: true, optional: true, os: ['linux'], cpu: ['x64'] },
    });
  });

  test.each([['node_modules/@a/lib-linux-x64'], ['node_modules/b/node_modules/@a/lib-linux-x64']])('sees the entry at %s', (path) => {
    expect(findMissing({ packages: { 'node_modules/b/node_modules/a': entry, [path]: {} } })).toEqual({});
  });

  test.each(['^1.2.3', '*', '>=1'])('leaves the range %s to npm', (range) => {
    expect(findMissing({ packages: { 'node_modules/a': { optionalDependencies: { 'lib-linux-x64': range } } } })).toEqual({});
  });
});
