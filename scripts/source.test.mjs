import { describe, expect, test } from 'vitest';
import { parseSource } from './source.mjs';

describe('parseSource()', () => {
  test.each([
    ["import { a } from './a.ts';", './a.ts', false],
    ["import './a.ts';", './a.ts', false],
    ["import type { A } from './a.ts';", './a.ts', true],
    ["import { type A, type B } from './a.ts';", './a.ts', true],
    ["import { type A, b } from './a.ts';", './a.ts', false],
    ["import\n  * as a\n  from\n  './a.ts';", './a.ts', false],
    ["export * from './a.ts';", './a.ts', false],
    ["export * as a from './a.ts';", './a.ts', false],
    ["export { a } from './a.ts';", './a.ts', false],
    ["export type { A } from './a.ts';", './a.ts', true],
    ["const a = await import('./a.ts');", './a.ts', false],
    ['const a = await import(`./a.ts`);', './a.ts', false],
    ["type A = import('./a.ts').A;", './a.ts', true],
    ["const a = require('./a.ts');", './a.ts', false],
    ["const a = require.resolve('./a.ts');", './a.ts', false],
    ["import a = require('./a.ts');", './a.ts', false],
    ["new Worker(new URL('./a.ts', import.meta.url));", './a.ts', false],
    ['/// <reference types="node" />', 'node', true],
    ['const a = await import(name);', undefined, false],
  ])('reads the import of %j', (text, target, typeOnly) => {
    expect(parseSource('x.ts', text).imports).toEqual([{ target, typeOnly, line: 1 }]);
  });

  test.each([
    '// import { a } from "./a.ts";',
    '/* import "./a.ts" */',
    'const text = \'import "./a.ts"\';',
    'const text = `export * from "./a.ts"`;',
    'export { a };\nconst a = 1;',
    "new URL('http://127.0.0.1', import.meta.url);",
    "new URL('./a.ts', base);",
    'const pattern = /import "a"/;',
  ])('sees no import in %j', (text) => {
    expect(parseSource('x.ts', text).imports).toEqual([]);
  });

  test('tells the line of an import', () => {
    expect(parseSource('x.ts', "// one\n\nimport './a.ts';\n").imports).toEqual([{ target: './a.ts', typeOnly: false, line: 3 }]);
  });

  test('reads JSX', () => {
    const file = parseSource('x.tsx', "import A from './a.tsx';\nexport const B = () => <A b={1}>import './c.ts'</A>;\n");
    expect(file.errors).toEqual([]);
    expect(file.imports.map((found) => found.target)).toEqual(['./a.tsx']);
  });

  test('measures functions and names them', () => {
    const text = [
      'function one() {',
      '  return 1;',
      '}',
      'const two = () => {',
      '  return 2;',
      '};',
      'class A {',
      '  three() {}',
      '}',
      'const four = { five: () => 5 };',
      'declare function six(): void;',
    ].join('\n');
    expect(parseSource('x.ts', text).functions).toEqual([
      { name: 'one', line: 1, lines: 3 },
      { name: 'two', line: 4, lines: 3 },
      { name: 'three', line: 8, lines: 1 },
      { name: 'five', line: 10, lines: 1 },
    ]);
  });

  test.each([
    ['', 1],
    ['a;', 1],
    ['a;\n', 1],
    ['a;\nb;\n', 2],
  ])('counts the lines of %j as %i', (text, lines) => {
    expect(parseSource('x.ts', text).lines).toBe(lines);
  });

  test('reports what cannot be parsed', () => {
    expect(parseSource('x.ts', 'import { from').errors).not.toEqual([]);
  });
});
