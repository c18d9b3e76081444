// The launcher on a small made-up tree, with stand-ins for npm and the two compilers that note each call in calls.txt.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';

const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);
const trees = [];

const FILES = {
  'package.json': '{ "type": "module" }',
  'package-lock.json': '{ "packages": { "": {}, "node_modules/a": { "version": "1.0.0" } } }',
  'tsconfig.base.json': '{}',
  'tsconfig.build.json': '{}',
  'src/cli/main.ts': 'console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd() }));',
  'src/base/index.ts': '',
  'web/index.html': 'page',
};

const NPM = `#!/bin/sh
echo npm >> "$TREE/calls.txt"
[ ! -e "$TREE/npm-fails" ] || { echo "npm error: no network"; exit 1; }
mkdir -p "$TREE/node_modules/.bin"
cp "$TREE/package-lock.json" "$TREE/node_modules/.package-lock.json"
cp "$TREE/stand-ins/tsc" "$TREE/stand-ins/vite" "$TREE/node_modules/.bin/"
`;
const TSC = `#!/bin/sh
echo tsc >> "$TREE/calls.txt"
[ ! -e "$TREE/tsc-fails" ] || { echo "main.ts(1,1): error"; exit 2; }
sleep "\${SLOW:-0}"
mkdir -p "$4/cli"
cp "$TREE/src/cli/main.ts" "$4/cli/main.js"
`;
const VITE = `#!/bin/sh
echo vite >> "$TREE/calls.txt"
mkdir -p "$3"
cp index.html "$3/"
`;

/** A tree with a space in its path, everything in it an hour old. */
function makeTree() {
  const top = mkdtempSync(join(tmpdir(), 'fluoro-launcher-'));
  trees.push(top);
  const tree = join(top, 'a tree');
  const write = (path, text, mode) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
    if (mode) chmodSync(join(tree, path), mode);
  };
  for (const [path, text] of Object.entries(FILES)) write(path, text);
  write('stand-ins/npm', NPM, 0o755);
  write('stand-ins/tsc', TSC, 0o755);
  write('stand-ins/vite', VITE, 0o755);
  mkdirSync(join(tree, 'scripts'));
  copyFileSync(join(REPOSITORY, 'scripts/installed.mjs'), join(tree, 'scripts/installed.mjs'));
  copyFileSync(join(REPOSITORY, 'fluoro'), join(tree, 'fluoro'));
  execFileSync('find', [tree, '-exec', 'touch', '-d', '1 hour ago', '{}', '+']);
  return tree;
}

function options(tree, more = {}) {
  return { cwd: more.cwd ?? tree, env: { ...process.env, PATH: `${tree}/stand-ins:${process.env.PATH}`, TREE: tree, ...more.env } };
}

/** Runs the launcher; `calls` are the tools that it called this time. */
async function launch(tree, args = [], more = {}) {
  rmSync(join(tree, 'calls.txt'), { force: true });
  const result = await run(more.path ?? join(tree, 'fluoro'), args, options(tree, more)).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error) => ({ code: error.code, stdout: error.stdout, stderr: error.stderr }),
  );
  return { ...result, calls: readCalls(tree) };
}

function readCalls(tree) {
  try {
    return readFileSync(join(tree, 'calls.txt'), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

/** Changes a file so that its time is later than any stamp. */
function change(tree, path, text = FILES[path] ?? '') {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

afterEach(() => {
  for (const top of trees.splice(0)) {
    execFileSync('chmod', ['-R', 'u+w', top]);
    rmSync(top, { recursive: true });
  }
});

describe('./fluoro', () => {
  test('installs and builds once, then only runs', async () => {
    const tree = makeTree();
    const first = await launch(tree, ['up', '--name', 'a b', '']);
    expect(first).toMatchObject({ code: 0, calls: ['npm', 'tsc', 'vite'] });
    expect(JSON.parse(first.stdout)).toEqual({ args: ['up', '--name', 'a b', ''], cwd: tree });
    const second = await launch(tree, ['up']);
    expect(second).toMatchObject({ code: 0, calls: [], stderr: '' });
  });

  test.each([
    ['a source file', 'src/base/index.ts', ['tsc', 'vite']],
    ["a source file of the program's alone", 'src/cli/main.ts', ['tsc']],
    ['a new source file', 'src/base/new.ts', ['tsc', 'vite']],
    ['a source file of the page', 'web/src/main.tsx', ['vite']],
    ["the page's made-up server", 'web/dev/server.ts', []],
    ['a test', 'src/base/index.test.ts', []],
    ['the compiler options', 'tsconfig.base.json', ['tsc', 'vite']],
    ['the lock file', 'package-lock.json', ['npm', 'tsc', 'vite']],
  ])('after a change of %s builds what is stale', async (_, path, calls) => {
    const tree = makeTree();
    change(tree, 'src/base/index.test.ts', '');
    change(tree, 'web/dev/server.ts', '');
    change(tree, 'web/src/main.tsx', '');
    await launch(tree);
    change(tree, path, path === 'package-lock.json' ? '{ "packages": { "node_modules/a": { "version": "2.0.0" } } }' : undefined);
    expect(await launch(tree)).toMatchObject({ code: 0, calls });
    expect(await launch(tree)).toMatchObject({ code: 0, calls: [] });
  });

  test('builds again when a source file is gone', async () => {
    const tree = makeTree();
    await launch(tree);
    rmSync(join(tree, 'src/base/index.ts'));
    expect((await launch(tree)).calls).toEqual(['tsc', 'vite']);
  });

  test('does not install what is installed already', async () => {
    const tree = makeTree();
    execFileSync(join(tree, 'stand-ins/npm'), options(tree));
    expect((await launch(tree)).calls).toEqual(['tsc', 'vite']);
  });

  test('works through a symbolic link, from another folder', async () => {
    const tree = makeTree();
    const elsewhere = dirname(tree);
    symlinkSync('a tree/fluoro', join(elsewhere, 'one'));
    symlinkSync(join(elsewhere, 'one'), join(elsewhere, 'two'));
    const result = await launch(tree, ['x'], { path: join(elsewhere, 'two'), cwd: elsewhere });
    expect(JSON.parse(result.stdout)).toEqual({ args: ['x'], cwd: elsewhere });
  });

  test('passes on the exit status', async () => {
    const tree = makeTree();
    change(tree, 'src/cli/main.ts', 'process.exit(7);');
    expect((await launch(tree)).code).toBe(7);
  });

  test.each([
    ['npm-fails', /no network[^]*npm could not install/],
    ['tsc-fails', /main\.ts\(1,1\): error[^]*does not compile/],
  ])('%s: says why, and starts once it is mended', async (file, message) => {
    const tree = makeTree();
    change(tree, file, '');
    const failed = await launch(tree);
    expect(failed.code).toBe(69);
    expect(failed.stderr).toMatch(message);
    rmSync(join(tree, file));
    expect((await launch(tree)).code).toBe(0);
  });

  test('keeps the old build when the new one fails', async () => {
    const tree = makeTree();
    await launch(tree);
    const before = readFileSync(join(tree, 'dist/cli/main.js'), 'utf8');
    change(tree, 'src/cli/main.ts', 'broken');
    change(tree, 'tsc-fails', '');
    await launch(tree);
    expect(readFileSync(join(tree, 'dist/cli/main.js'), 'utf8')).toBe(before);
  });

  test('two starts at once build once', async () => {
    const tree = makeTree();
    const slow = { env: { SLOW: '0.5' } };
    const starts = await Promise.all([1, 2, 3].map(() => run(join(tree, 'fluoro'), ['x'], options(tree, slow))));
    expect(starts.map(({ stdout }) => JSON.parse(stdout).args)).toEqual([['x'], ['x'], ['x']]);
    expect(readCalls(tree)).toEqual(['npm', 'tsc', 'vite']);
  });

  test('a start that was killed does not hold up the next', async () => {
    const tree = makeTree();
    const killed = spawn(join(tree, 'fluoro'), [], { ...options(tree, { env: { SLOW: '1' } }), stdio: 'ignore' });
    const gone = new Promise((resolve) => killed.on('exit', resolve));
    while (!readCalls(tree).includes('tsc')) await new Promise((resolve) => setTimeout(resolve, 10));
    killed.kill('SIGKILL');
    await gone;
    expect((await launch(tree)).code).toBe(0);
  });

  test('a lock without an owner is broken after a minute', async () => {
    const tree = makeTree();
    mkdirSync(join(tree, '.fluoro-lock'));
    const before = Date.now() / 1000 - 180;
    utimesSync(join(tree, '.fluoro-lock'), before, before);
    expect((await launch(tree)).code).toBe(0);
  });

  test('runs from a built tree that may not be written', async () => {
    const tree = makeTree();
    await launch(tree);
    execFileSync('chmod', ['-R', 'a-w', tree]);
    const result = await run(join(tree, 'fluoro'), ['x'], options(tree));
    expect(JSON.parse(result.stdout).args).toEqual(['x']);
  });

  test.each([
    ['v18.20.0', 69],
    ['v20.18.3', 69],
    ['v20.19.0', 0],
    ['v21.7.0', 69],
    ['v22.11.0', 69],
    ['v22.12.0', 0],
    ['v24.1.0', 0],
  ])('Node %s leads to exit status %i', async (version, code) => {
    const tree = makeTree();
    await launch(tree);
    const node = `#!/bin/sh\nif [ "$1" = --version ]; then echo ${version}; else exec "${process.execPath}" "$@"; fi\n`;
    writeFileSync(join(tree, 'stand-ins/node'), node, { mode: 0o755 });
    const result = await launch(tree);
    expect(result.code).toBe(code);
    if (code !== 0) expect(result.stderr).toMatch(`${version} at ${tree}/stand-ins/node is too old`);
  });

  test('says so when there is no Node', async () => {
    const tree = makeTree();
    const bin = join(dirname(tree), 'bin');
    mkdirSync(bin);
    for (const tool of ['sh', 'readlink']) symlinkSync(`/bin/${tool}`, join(bin, tool));
    const result = await run(join(tree, 'fluoro'), [], { env: { PATH: bin } }).catch((error) => error);
    expect(result.stderr).toMatch('Node.js is not installed');
  });
});

describe('the rooms that the launcher watches for the page', () => {
  test('are those of layers.json', () => {
    const { page } = JSON.parse(readFileSync(join(REPOSITORY, 'layers.json'), 'utf8'));
    const line = /newer_than "\$root\/dist\/\.page\.stamp" (.*) \\/.exec(readFileSync(join(REPOSITORY, 'fluoro'), 'utf8'));
    const rooms = line[1].split(' ').filter((word) => word.startsWith('src/'));
    expect(rooms.map((room) => room.slice('src/'.length)).sort()).toEqual([...page.mayImport].sort());
  });
});
