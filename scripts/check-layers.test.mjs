import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { checkLayers, findCycles } from './check-layers.mjs';

const LAYERS = {
  rooms: {
    base: { mayImport: [], browserSafe: true, packages: [] },
    trace: { mayImport: ['base'], browserSafe: true, packages: [] },
    store: { mayImport: ['base', 'trace'] },
    cli: { mayImport: ['base', 'trace', 'store'] },
  },
  page: { folder: 'web/src', mayImport: ['base', 'trace'] },
  packagesOnlyIn: { zod: ['store'] },
};

/** A small repository without a fault. */
const GOOD = {
  'layers.json': JSON.stringify(LAYERS),
  'package.json': JSON.stringify({ dependencies: { zod: '1.0.0', pino: '1.0.0' }, devDependencies: { vitest: '1.0.0' } }),
  'tsconfig.browser-safe.json': '{ "include": ["src/base", "src/trace"] }',
  'src/base/README.md': '',
  'src/base/index.ts': "export * from './result.ts';",
  'src/base/result.ts': 'export const ok = 1;',
  'src/trace/README.md': '',
  'src/trace/index.ts': "import { ok } from '../base/index.ts';\nexport { ok };",
  'src/trace/index.test.ts': "import 'node:fs';\nimport 'vitest';\nimport './index.ts';",
  'src/store/README.md': '',
  'src/store/index.ts': "import 'node:fs';\nimport 'zod/mini';\nexport * from '../trace/index.ts';",
  'web/src/main.tsx': "import './main.css';\nimport 'react';\nimport '../../src/trace/index.ts';",
  'web/src/main.css': '',
};

const roots = [];

/** The problems of GOOD with some files replaced, added, or (undefined) removed. */
function check(changes = {}) {
  const root = mkdtempSync(join(tmpdir(), 'fluoro-layers-'));
  roots.push(root);
  for (const [path, text] of Object.entries({ ...GOOD, ...changes })) {
    if (text === undefined) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return checkLayers(root);
}

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

describe('checkLayers()', () => {
  test('passes a good tree and counts what it saw', () => {
    expect(check()).toEqual({ problems: [], files: 6, imports: 11 });
  });

  test.each([
    ['a breach', { 'src/base/x.ts': "import '../trace/index.ts';" }, /src\/base\/x\.ts:1: base may not import trace/],
    ['a breach by a type', { 'src/base/x.ts': "import type { A } from '../trace/index.ts';" }, /base may not import trace/],
    ['a breach by import()', { 'src/base/x.ts': "type A = import('../trace/index.ts').A;" }, /base may not import trace/],
    ['a breach by export', { 'src/base/x.ts': "export * from '../store/index.ts';" }, /base may not import store/],
    ['a breach by a test', { 'src/base/x.test.ts': "import '../store/index.ts';" }, /base may not import store/],
    ['a breach by the page', { 'web/src/x.ts': "import '../../src/store/index.ts';" }, /the page may not import store/],
    ['a private file', { 'src/trace/x.ts': "import '../base/result.ts';" }, /result\.ts is a private file of base/],
    ['a private file from the page', { 'web/src/x.ts': "import '../../src/base/result.ts';" }, /private file of base/],
    ['a private data file', { 'src/base/a.json': '{}', 'src/trace/x.ts': "import '../base/a.json';" }, /private file of base/],
    ['a room that imports the page', { 'src/store/x.ts': "import '../../web/src/main.tsx';" }, /outside src/],
    ['Node in a browser-safe room', { 'src/trace/x.ts': "import 'node:fs';" }, /may not use node:fs/],
    ['Node without prefix there', { 'src/trace/x.ts': "import 'fs/promises';" }, /may not use fs\/promises/],
    ["Node's types there", { 'src/trace/x.ts': '/// <reference types="node" />' }, /may not use node/],
    ['Node in the page', { 'web/src/x.ts': "import 'node:fs';" }, /the page runs in the browser/],
    ['Node without prefix', { 'src/store/x.ts': "import 'fs';" }, /write node:fs/],
    ['a package where none is allowed', { 'src/base/x.ts': "import 'pino';" }, /base may not use the package pino/],
    ['a package of other rooms', { 'src/cli/x.ts': "import 'zod';" }, /zod is only for store/],
    ['a package for tests', { 'src/store/x.ts': "import 'vitest';" }, /vitest is not among the dependencies/],
    ['an unlisted room', { 'src/other/x.ts': '' }, /src\/other: this room is not in layers\.json/],
    ['a room without README.md', { 'src/base/README.md': undefined }, /src\/base: the room has no README\.md/],
    ['a room without index.ts', { 'src/cli/README.md': '', 'src/cli/x.ts': '' }, /src\/cli: the room has no index\.ts/],
    ['a file outside rooms', { 'src/x.ts': '' }, /src\/x\.ts: a file outside any room/],
    ['a computed import', { 'src/store/x.ts': 'await import(name);' }, /store\/x\.ts:1: an import of a computed name/],
    ['a missing file', { 'src/store/x.ts': "import './y.ts';" }, /\.\/y\.ts does not exist/],
    ['a damaged file', { 'src/store/x.ts': 'import {' }, /src\/store\/x\.ts: /],
    ['an uncompiled browser-safe room', { 'tsconfig.browser-safe.json': '{ "include": ["src/base"] }' }, /src\/trace is browser-safe but/],
  ])('fails on %s', (_, changes, problem) => {
    expect(check(changes).problems).toContainEqual(expect.stringMatching(problem));
  });

  test('tells a circle of files by its path', () => {
    const { problems } = check({ 'src/base/a.ts': "import './b.ts';", 'src/base/b.ts': "import type { A } from './a.ts';" });
    expect(problems).toEqual(['files import each other in a circle: src/base/a.ts -> src/base/b.ts -> src/base/a.ts']);
  });

  test('finds a circle of rooms even where each import alone is listed', () => {
    const rooms = { ...LAYERS.rooms, trace: { mayImport: ['base', 'store'] } };
    const { problems } = check({
      'layers.json': JSON.stringify({ ...LAYERS, rooms, page: undefined }),
      'src/trace/x.ts': "import '../store/index.ts';",
    });
    expect(problems).toContain('layers.json allows a circle: trace -> store -> trace');
    expect(problems).toContain('rooms import each other in a circle: store -> trace -> store');
  });

  test.each([
    [{ base: { mayImport: ['nothing'] } }, 'layers.json: base may import nothing, which is not a room'],
    [{ base: { mayImport: ['cli'], browserSafe: true } }, 'layers.json: base is browser-safe, cli is not, so it may not import it'],
  ])('checks the list itself: %j', (rooms, problem) => {
    expect(check({ 'layers.json': JSON.stringify({ ...LAYERS, rooms: { ...LAYERS.rooms, ...rooms } }) }).problems).toContain(problem);
  });

  test('refuses a page that may import a room of the server', () => {
    const page = { folder: 'web/src', mayImport: ['store'] };
    expect(check({ 'layers.json': JSON.stringify({ ...LAYERS, page }) }).problems).toContain(
      'layers.json: the page may import store, which is not browser-safe',
    );
  });

  test('fails when it saw no import', () => {
    const empty = Object.fromEntries(
      Object.keys(GOOD)
        .filter((path) => /\.tsx?$/.test(path))
        .map((path) => [path, '']),
    );
    expect(check(empty).problems).toEqual(['no imports were seen at all: the check looks at the wrong place']);
  });
});

describe('findCycles()', () => {
  test.each([
    [{}, []],
    [{ a: ['b'], b: ['c'] }, []],
    [{ a: ['b', 'c'], b: ['d'], c: ['d'] }, []],
    [{ a: ['a'] }, [['a', 'a']]],
    [{ a: ['b'], b: ['c'], c: ['b'] }, [['b', 'c', 'b']]],
  ])('of %j are %j', (edges, cycles) => {
    expect(findCycles(new Map(Object.entries(edges).map(([from, to]) => [from, new Set(to)])))).toEqual(cycles);
  });

  test('manages a chain of 100,000', () => {
    const graph = new Map(Array.from({ length: 100_000 }, (_, index) => [index, new Set([index + 1])]));
    expect(findCycles(graph)).toEqual([]);
  });
});
