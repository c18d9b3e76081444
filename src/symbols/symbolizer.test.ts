// Real processes: this one, and a server on loopback for debug files.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import { openTarget, type Target } from '../target/index.ts';
import { Symbolizer, type SymbolizerOptions } from './index.ts';

let folder = '';
let child: ChildProcess | undefined;
let target: Target | undefined;
let server: Server | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fluoro-symbols-'));
});
afterEach(() => {
  target?.close();
  child?.kill('SIGKILL');
  server?.close();
  child = undefined;
  target = undefined;
  server = undefined;
  rmSync(folder, { recursive: true });
});

async function start(program: string, ...args: string[]): Promise<Target> {
  child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const opened = openTarget({ pid: child.pid! });
  if (!opened.ok) throw new Error(opened.error.message);
  target = opened.value;
  return target;
}

const libcOf = (of: Target) => of.modules.find((module) => module.name.startsWith('libc.so'))!;
const plain: SymbolizerOptions = { debugDirectories: [] };

test('findFunction() and resolve() agree on a function of the C library', async () => {
  const symbolizer = Symbolizer.forTarget(await start('/bin/cat'), plain);
  const [malloc] = symbolizer.findFunction('malloc', 'libc.so*');
  const module = libcOf(target!);
  expect(malloc).toMatchObject({ name: 'malloc', module: { name: module.name } });
  expect(malloc!.fileOffset).toBeGreaterThan(0);
  const frames = symbolizer.resolve(BigInt(malloc!.address) + module.bias + 4n);
  expect(frames).toMatchObject([{ name: 'malloc', offset: 4, kind: 'native', inlined: false, module: module.name }]);
  expect(symbolizer.findVariable('environ', 'libc.so*')).toMatchObject([{ name: 'environ', size: 8 }]);
  expect(symbolizer.resolve(0x10n)).toMatchObject([{ name: '0x10', kind: 'unknown' }]);
});

test('symbolizers that share files read each once', async () => {
  const shared = { ...plain, sharedFiles: new Map() };
  const [first, second] = [Symbolizer.forTarget(await start('/bin/cat'), shared), Symbolizer.forTarget(target!, shared)];
  const module = libcOf(target!);
  const read = first.symbolsOf(module);
  expect(read?.source).toBe('exports');
  // Compared here: the test runner would look into them.
  expect([second.symbolsOf(module) === read, Symbolizer.forTarget(target!, plain).symbolsOf(module) === read]).toEqual([true, false]);
});

test('samples of one stripped function fold together under the bounds of its unwind information', async () => {
  const symbolizer = Symbolizer.forTarget(await start('/bin/cat'), plain);
  const exe = target!.modules.find((module) => module.name === 'cat')!;
  const { table } = symbolizer.symbolsOf(exe)!;
  const bare = [...table.starts.keys()].find((i) => table.nameOffsets[i] === 0 && table.ends[i]! - table.starts[i]! > 32)!;
  const address = BigInt(table.base + table.starts[bare]!) + exe.bias;
  const names = [0n, 8n, 31n].map((offset) => symbolizer.resolve(address + offset)[0]!);
  expect(new Set(names.map((frame) => frame.name))).toEqual(new Set([`cat+0x${(table.base + table.starts[bare]!).toString(16)}`]));
  expect(names.map((frame) => frame.offset)).toEqual([0, 8, 31]);
});

test('a debug file is found by build-id and names local functions', async (context) => {
  requireOrSkip(context, existsSync('/usr/lib/debug/.build-id'), 'no debug files: apt-get install libc6-dbg');
  const symbolizer = Symbolizer.forTarget(await start('/bin/cat'));
  const symbols = symbolizer.symbolsOf(libcOf(target!))!;
  requireOrSkip(context, symbols.source === 'debug-file', 'no debug file of this C library: apt-get install libc6-dbg');
  const [local] = symbolizer.findFunction('_int_malloc', 'libc.so*');
  expect(symbolizer.resolve(BigInt(local!.address) + libcOf(target!).bias + 10n)[0]).toMatchObject({ name: '_int_malloc', offset: 10 });
  // The exported names alone do not have it.
  expect(Symbolizer.forTarget(target!, plain).findFunction('_int_malloc', 'libc.so*')).toEqual([]);
});

test('fetchMissing() takes symbols from a server, keeps them in the cache, and asks nobody unless told', async (context) => {
  await start('/bin/cat');
  const libc = libcOf(target!);
  const path = `/usr/lib/debug/.build-id/${libc.buildId!.slice(0, 2)}/${libc.buildId!.slice(2)}.debug`;
  requireOrSkip(context, existsSync(path), 'no debug file of this C library: apt-get install libc6-dbg');
  const asked: string[] = [];
  server = createServer((request, response) => {
    asked.push(request.url!);
    if (request.url === `/buildid/${libc.buildId}/debuginfo`) response.end(readFileSync(path));
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server!.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const silent = Symbolizer.forTarget(target!, plain);
  silent.findFunction('_int_malloc');
  expect(await silent.fetchMissing()).toEqual({ fetched: [], notFound: [], failed: [] });
  expect(asked).toEqual([]);
  const options = { ...plain, debuginfodUrls: [url], cacheDirectory: folder };
  const symbolizer = Symbolizer.forTarget(target!, options);
  expect(symbolizer.findFunction('_int_malloc', 'libc.so*')).toEqual([]);
  expect((await symbolizer.fetchMissing()).fetched).toEqual([libc.name]);
  expect(symbolizer.findFunction('_int_malloc', 'libc.so*')).toHaveLength(1);
  const again = Symbolizer.forTarget(target!, { ...plain, cacheDirectory: folder });
  expect(again.findFunction('_int_malloc', 'libc.so*')).toHaveLength(1);
  expect(again.symbolsOf(libc)!.source).toBe('cache');
});

test('fetchMissing() reports a slow or lying server and goes on', async () => {
  await start('/bin/cat');
  const libc = libcOf(target!);
  let answer = (_end: (body: Buffer) => void): void => undefined;
  server = createServer((_request, response) => answer((body) => response.end(body))).listen(0, '127.0.0.1');
  await new Promise((resolve) => server!.once('listening', resolve));
  const debuginfodUrls = [`http://127.0.0.1:${(server.address() as AddressInfo).port}`];
  const symbolizer = Symbolizer.forTarget(target!, { ...plain, debuginfodUrls, debuginfodTimeoutMs: 200 });
  symbolizer.findFunction('malloc', libc.name);
  const before = performance.now();
  expect((await symbolizer.fetchMissing()).failed).toHaveLength(1);
  expect(performance.now() - before).toBeLessThan(1500);
  answer = (end) => end(readFileSync('/bin/cat'));
  expect((await symbolizer.fetchMissing()).failed[0]).toContain('another build-id');
  server.closeAllConnections();
});

test('resolve() names generated code of node by its perf map', async () => {
  const script = join(folder, 'busy.js');
  writeFileSync(
    script,
    'function busyWork(n) { let s = 0; for (let i = 0; i < n; i++) s += Math.sqrt(i); return s; }\nsetInterval(() => busyWork(1e5), 1);\n',
  );
  await start(process.execPath, '--perf-basic-prof', '--interpreted-frames-native-stack', script);
  const map = `/tmp/perf-${child!.pid}.map`;
  try {
    await expect.poll(() => existsSync(map) && /busyWork/.test(readFileSync(map, 'utf8')), { timeout: 10_000 }).toBe(true);
    const line = readFileSync(map, 'utf8')
      .split('\n')
      .findLast((one) => one.includes('busyWork'))!;
    target!.refresh();
    const frames = Symbolizer.forTarget(target!, plain).resolve(BigInt(`0x${line.split(' ')[0]}`) + 2n);
    expect(frames[0]).toMatchObject({ kind: 'jit', module: '[jit]', offset: 2 });
    expect(frames[0]!.name).toContain('busyWork');
  } finally {
    rmSync(map, { force: true });
  }
});

test('a Go program is named with files, lines and inlined calls, also when stripped', async (context) => {
  if (spawnSync('go', ['version']).status !== 0) return context.skip('no Go here');
  const source =
    'package main\nimport ("os"; "time")\n//go:noinline\nfunc outer(n int) int { return inner(n) + 1 }\nfunc inner(n int) int {\n  if n > 5 { panic("large") }\n  return n * len(os.Args)\n}\nfunc main() { for { outer(1); time.Sleep(time.Second) } }\n';
  writeFileSync(join(folder, 'main.go'), source);
  writeFileSync(join(folder, 'go.mod'), 'module example.com/t\ngo 1.20\n');
  const program = join(folder, 'program');
  const built = spawnSync('go', ['build', '-buildmode=pie', '-ldflags=-s -w', '-o', program, '.'], {
    cwd: folder,
    env: { ...process.env, GOTOOLCHAIN: 'local' },
  });
  if (built.status !== 0) return context.skip('go build failed here');
  const symbolizer = Symbolizer.forTarget(await start(program), plain);
  const [outer] = symbolizer.findFunction('main.outer');
  const seen = Array.from({ length: outer!.size }, (_, i) => symbolizer.resolve(BigInt(outer!.address + i) + outer!.module.bias));
  expect(seen.every((frames) => frames.at(-1)!.name === 'main.outer' && !frames.at(-1)!.inlined)).toBe(true);
  const inlined = seen.find((frames) => frames.length === 2)!;
  expect(inlined).toMatchObject([
    { name: 'main.inner', inlined: true },
    { name: 'main.outer', line: 4 },
  ]);
  expect([6, 7]).toContain(inlined[0]!.line);
  expect(inlined[0]!.file).toMatch(/main\.go$/);
}, 120_000);
