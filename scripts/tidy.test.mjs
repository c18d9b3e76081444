import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkDependencyRows, checkLengths, checkLock, findLong } from './tidy.mjs';

describe('findLong()', () => {
  test('finds long files and functions, and leaves tests alone', () => {
    const root = mkdtempSync(join(tmpdir(), 'fluoro-tidy-'));
    const long = `function f() {\n${'  a();\n'.repeat(69)}}\n`;
    mkdirSync(join(root, 'src/base'), { recursive: true });
    writeFileSync(join(root, 'src/base/file.ts'), 'a;\n'.repeat(501));
    writeFileSync(join(root, 'src/base/function.ts'), long);
    writeFileSync(join(root, 'src/base/fine.ts'), 'a;\n'.repeat(500));
    writeFileSync(join(root, 'src/base/function.test.ts'), long);
    expect(findLong(root)).toEqual({ 'src/base/file.ts': 501, 'src/base/function.ts: f': 71 });
    rmSync(root, { recursive: true });
  });
});

describe('checkLengths()', () => {
  test.each([
    [{}, {}, []],
    [{ 'a.ts': 600 }, { 'a.ts': 600 }, []],
    [{ 'a.ts': 600 }, {}, [/a\.ts has 600 lines; split it/]],
    [{ 'a.ts': 601 }, { 'a.ts': 600 }, [/a\.ts grew from 600 to 601/]],
    [{}, { 'a.ts': 600 }, [/a\.ts is no longer too long/]],
  ])('of %j with %j known', (long, known, problems) => {
    expect(checkLengths(long, known)).toEqual(problems.map((problem) => expect.stringMatching(problem)));
  });
});

describe('checkDependencyRows()', () => {
  const document = '| package | why |\n|---|---|\n| `zod` | schemas |\n| `@a/b` | b |\n';

  test.each([
    [['zod', '@a/b'], []],
    [['zod', '@a/b', 'zod'], []],
    [['zod'], ['docs/dependencies.md has a row for @a/b, which is not a dependency']],
    [['zod', '@a/b', 'pino'], ['docs/dependencies.md has no row for pino']],
  ])('with dependencies %j', (dependencies, problems) => {
    expect(checkDependencyRows(document, dependencies)).toEqual(problems);
  });

  test('refuses a second row', () => {
    expect(checkDependencyRows('| `a` | x |\n| `a` | y |\n', ['a'])).toEqual(['docs/dependencies.md has 2 rows for a']);
  });
});

describe('checkLock()', () => {
  test.each([
    [{ a: { version: '1.0.0' }, 'node_modules/web': { resolved: 'web', link: true } }, []],
    [{ a: { resolved: 'https://registry.example/a.tgz' } }, [/names a registry for a/]],
    [{ a: { optionalDependencies: { 'b-linux-x64': '1.0.0' } } }, [/lacks node_modules\/b-linux-x64/]],
  ])('of %j', (packages, problems) => {
    expect(checkLock({ packages })).toEqual(problems.map((problem) => expect.stringMatching(problem)));
  });
});
