import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseElf, type ElfFile } from '../elf/index.ts';
import { DebugFiles } from './debug-files.ts';

const SOURCE = 'struct pair { int first; long second; }; struct pair both = {1, 2}; int main(void) { return both.first; }\n';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fluoro-debug-files-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function gcc(name: string, ...flags: readonly string[]): string {
  const place = join(folder, name);
  mkdirSync(place);
  writeFileSync(join(place, 'pair.c'), SOURCE);
  execFileSync('gcc', ['-g', ...flags, 'pair.c', '-o', 'pair'], { cwd: place });
  return join(place, 'pair');
}

function open(path: string): ElfFile {
  const elf = parseElf(readFileSync(path));
  if (!elf.ok) throw new Error(elf.error.message);
  return elf.value;
}

/** Size of `struct pair`, as the program's debug information has it. */
function pairSize(files: DebugFiles, path: string, root = ''): number | undefined {
  const type = files.open(open(path), root === '' ? path : path.slice(root.length), root)?.findType('pair', 'struct');
  return type?.kind === 'record' ? type.size : undefined;
}

test('open() gives the same debug information each time, and none for a file without', () => {
  const path = gcc('plain');
  const files = new DebugFiles([]);
  const elf = open(path);
  expect(files.open(elf, path, '')).toBe(files.open(elf, path, ''));
  execFileSync('strip', [path]);
  expect(files.open(open(path), path, '')).toBeUndefined();
});

test('open() reads split units where the compiler put them, and beside the program', () => {
  const path = gcc('split', '-gsplit-dwarf');
  expect(pairSize(new DebugFiles([]), path)).toBe(16);
  const moved = join(folder, 'moved');
  renameSync(join(folder, 'split'), moved);
  renameSync(join(moved, 'pair.dwo'), join(moved, 'other.dwo'));
  expect(pairSize(new DebugFiles([]), join(moved, 'pair')), 'no file of that name').toBeUndefined();
  renameSync(join(moved, 'other.dwo'), join(moved, 'pair.dwo'));
  expect(pairSize(new DebugFiles([]), join(moved, 'pair'))).toBe(16);
});

test('open() reads the package of split units', () => {
  const path = gcc('package', '-gsplit-dwarf');
  execFileSync('llvm-dwp', ['-e', path, '-o', `${path}.dwp`]);
  rmSync(join(folder, 'package', 'pair.dwo'));
  expect(pairSize(new DebugFiles([]), path)).toBe(16);
});

test.each(['absolute', 'relative', 'by folder', 'by build id', 'under a root'])('open() finds the supplementary file of dwz: %s', (how) => {
  const name = `dwz-${how.replaceAll(' ', '-')}`;
  const path = gcc(name);
  const place = join(folder, name);
  const common = join(place, 'common.debug');
  // dwz shares what several files have.
  execFileSync('cp', [path, join(place, 'other')]);
  const root = how === 'under a root' ? place : '';
  const written = {
    absolute: common,
    relative: 'common.debug',
    'by folder': '../.dwz/common.debug',
    'by build id': '/no/such.debug',
    'under a root': '/common.debug',
  }[how]!;
  execFileSync('dwz', ['-m', common, '-M', written, path, join(place, 'other')]);
  const buildId = /Build ID: (\w+)/.exec(execFileSync('readelf', ['-n', common], { encoding: 'utf8' }))![1]!;
  const directory = join(place, 'debug');
  if (how === 'by folder') move(common, join(directory, '.dwz'), 'common.debug');
  if (how === 'by build id') move(common, join(directory, '.build-id', buildId.slice(0, 2)), `${buildId.slice(2)}.debug`);
  expect(pairSize(new DebugFiles([directory]), path, root)).toBe(16);
});

function move(file: string, to: string, name: string): void {
  mkdirSync(to, { recursive: true });
  renameSync(file, join(to, name));
}
