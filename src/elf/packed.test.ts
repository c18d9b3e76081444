import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import {
  findDebugLink,
  findSectionBytes,
  matchesDebugLink,
  parseElf,
  readMiniDebugInfo,
  readSymbols,
  unpackXz,
  type ElfFile,
} from './index.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fluoro-elf-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const hasTools = ['/usr/bin/objcopy', '/usr/bin/xz'].every((path) => existsSync(path));
const MISSING = 'objcopy or xz is missing: apt-get install binutils xz-utils';

function objcopy(...args: string[]): ElfFile {
  const target = join(folder, 'out');
  execFileSync('objcopy', [...args, '/usr/bin/objcopy', target], { stdio: 'ignore' });
  const elf = parseElf(readFileSync(target));
  if (!elf.ok) throw new Error(elf.error.message);
  return elf.value;
}

const TEXT = Buffer.from('the same words over and over\n'.repeat(5000));

test.each(['zlib-gabi', 'zlib-gnu', 'zstd'])('findSectionBytes() unpacks sections compressed as %s', (method, context) => {
  requireOrSkip(context as never, hasTools, MISSING);
  writeFileSync(join(folder, 'text'), TEXT);
  const plain = join(folder, 'plain');
  execFileSync('objcopy', ['--add-section', `.debug_words=${folder}/text`, '/usr/bin/objcopy', plain]);
  const target = join(folder, 'compressed');
  execFileSync('objcopy', [`--compress-debug-sections=${method}`, plain, target]);
  const elf = parseElf(readFileSync(target));
  const bytes = elf.ok ? findSectionBytes(elf.value, '.debug_words') : elf;
  expect(bytes.ok && Buffer.compare(bytes.value!, TEXT)).toBe(0);
  expect(elf.ok && elf.value.bytes.length).toBeLessThan(readFileSync(plain).length);
});

test.each([
  ['-6'],
  ['-0'],
  ['-9e'],
  ['--check=crc32'],
  ['--check=sha256'],
  ['--check=none'],
  ['--block-size=20000'],
  ['--lzma2=lc=0,lp=2,pb=0'],
])('unpackXz() reads what xz %s wrote', (option, context?: unknown) => {
  requireOrSkip((context ?? { skip: () => undefined }) as never, hasTools, MISSING);
  const input = Buffer.concat([readFileSync('/usr/bin/objcopy'), TEXT]);
  const packed = execFileSync('xz', ['-c', option], { input, maxBuffer: 1 << 28 });
  const unpacked = unpackXz(packed, input.length);
  expect(unpacked.ok && Buffer.compare(unpacked.value, input)).toBe(0);
  expect(unpackXz(packed, input.length - 1)).toMatchObject({ ok: false, error: { kind: 'too-large' } });
});

test('unpackXz() refuses other formats and broken checksums', (context) => {
  requireOrSkip(context, hasTools, MISSING);
  expect(unpackXz(TEXT, 10)).toMatchObject({ ok: false, error: { kind: 'not-this-format' } });
  const packed = execFileSync('xz', ['-c'], { input: TEXT });
  const broken = Uint8Array.from(packed);
  broken[packed.length - 45]! ^= 1;
  expect(unpackXz(broken, TEXT.length).ok).toBe(false);
  expect(unpackXz(packed.subarray(0, 60), TEXT.length)).toMatchObject({ ok: false });
});

test('readMiniDebugInfo() unpacks an ELF file with symbols', (context) => {
  requireOrSkip(context, hasTools, MISSING);
  const inner = '/usr/lib/debug/.build-id';
  const source = existsSync(inner) ? process.execPath : '/usr/bin/objcopy';
  // Any ELF file will do as the inner one: what counts is that it comes back.
  const small = join(folder, 'small');
  execFileSync('objcopy', ['--only-keep-debug', source === process.execPath ? '/usr/bin/objcopy' : source, small]);
  const packed = join(folder, 'mini.xz');
  writeFileSync(packed, execFileSync('xz', ['-c', small], { maxBuffer: 1 << 28 }));
  const outer = objcopy('--add-section', `.gnu_debugdata=${packed}`);
  const mini = readMiniDebugInfo(outer);
  expect(mini.ok && mini.value && Buffer.compare(mini.value.bytes, readFileSync(small))).toBe(0);
  expect(mini.ok && mini.value && readSymbols(mini.value, 'symtab', 'functions').ok).toBe(true);
});

test('findDebugLink() gives the name, and the checksum fits that file alone', (context) => {
  requireOrSkip(context, hasTools, MISSING);
  const debug = join(folder, 'objcopy.debug');
  copyFileSync('/usr/bin/objcopy', debug);
  const link = findDebugLink(objcopy(`--add-gnu-debuglink=${debug}`));
  expect(link?.name).toBe('objcopy.debug');
  expect(matchesDebugLink(link!, readFileSync(debug))).toBe(true);
  expect(matchesDebugLink(link!, TEXT)).toBe(false);
});
