// What binutils says of real files of this machine is the truth here.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import {
  findBuildId,
  findSection,
  parseElf,
  readFrameStarts,
  readPltSymbols,
  readRawSymbols,
  readSymbols,
  readUsdtProbes,
  type ElfFile,
} from './index.ts';

const LIBRARIES = '/usr/lib/x86_64-linux-gnu';
const AARCH64 = '/usr/aarch64-linux-gnu/lib/libc.so.6';
const FILES = ['/usr/bin/python3', `${LIBRARIES}/libc.so.6`, `${LIBRARIES}/libstdc++.so.6`, '/usr/bin/readelf', process.execPath, AARCH64];
const hasBinutils = existsSync('/usr/bin/readelf') && existsSync('/usr/bin/objdump');

function run(program: string, ...args: string[]): string[] {
  // readelf ends with 1 for any warning; what it prints is compared all the same.
  return spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['ignore', 'pipe', 'ignore'] }).stdout.split('\n');
}

function open(path: string): ElfFile {
  const elf = parseElf(readFileSync(path));
  if (!elf.ok) throw new Error(elf.error.message);
  return elf.value;
}

const present = FILES.filter((path) => existsSync(path));

test('enough real files are here to compare', (context) => {
  requireOrSkip(context, hasBinutils && present.length >= 3, 'binutils or python3 are missing: apt-get install binutils python3');
  expect(present.length).toBeGreaterThanOrEqual(3);
});

test.each(present)('parseElf() lists the sections and segments of %s as readelf does', (path) => {
  if (!hasBinutils) return;
  const elf = open(path);
  const wanted = run('readelf', '-SW', path).map((line) =>
    /^ {2}\[ *(\d+)\] (\S*) +\S+ +([0-9a-f]{16}) ([0-9a-f]+) ([0-9a-f]+)/.exec(line),
  );
  const rows = wanted.filter((row) => row !== null).map((row) => row.slice(1));
  expect(rows.length).toBeGreaterThan(20);
  const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0');
  const ours = elf.sections.map((s) => [String(s.index), s.name, hex(s.address, 16), hex(s.fileOffset, 6), hex(s.size, 6)]);
  expect(ours).toEqual(rows);
  const segments = run('readelf', '-lW', path).map((line) => /^ {2}\S+ +0x(\S+) 0x(\S+) 0x\S+ 0x(\S+) 0x(\S+)/.exec(line));
  const wantedSegments = segments.filter((row) => row !== null).map((row) => row.slice(1).map((one) => Number.parseInt(one, 16)));
  expect(elf.segments.map((s) => [s.fileOffset, s.address, s.fileSize, s.memorySize])).toEqual(wantedSegments);
  const buildId = run('readelf', '-nW', path)
    .join('\n')
    .match(/Build ID: ([0-9a-f]+)/)?.[1];
  expect(findBuildId(elf)).toBe(buildId);
});

test.each(present)('readRawSymbols() lists the dynamic symbols of %s with versions as readelf does', (path) => {
  if (!hasBinutils) return;
  const raw = readRawSymbols(open(path), 'dynsym');
  if (!raw.ok || !raw.value) throw new Error('no .dynsym');
  const symbols = raw.value;
  const rows = run('readelf', '-W', '--dyn-syms', path).map((line) =>
    /^ +(\d+): ([0-9a-f]{16}) +(\S+) \S+ +\S+ +\S+ +\S+ ?(.*)$/.exec(line),
  );
  const wanted = rows.filter((row) => row !== null).map(([, , value, size, name]) => [value, Number(size), name!.replace(/ .*/, '')]);
  // Symbols of sections have no name of their own; readelf lends them the section's.
  const ours = Array.from({ length: symbols.count }, (_, i) => [
    symbols.value(i).toString(16).padStart(16, '0'),
    symbols.size(i),
    // The versions themselves are symbols, too, which readelf writes once.
    symbols.type(i) === 3
      ? wanted[i]![2]
      : symbols.version(i) === `@@${symbols.name(i)}`
        ? symbols.name(i)
        : symbols.name(i) + symbols.version(i),
  ]);
  expect(ours).toEqual(wanted);
});

test.each(present)('readSymbols() has the defined functions of %s that nm lists, sorted', (path) => {
  if (!hasBinutils) return;
  const table = readSymbols(open(path), 'dynsym', 'functions');
  if (!table.ok || !table.value) throw new Error('no .dynsym');
  const { count, starts, base } = table.value;
  expect(starts.every((start, i) => i === 0 || starts[i - 1]! <= start)).toBe(true);
  const wanted = run('nm', '-D', '--defined-only', path).map((line) => /^([0-9a-f]+) [TtWi] (\S+)$/.exec(line));
  const names = new Set(
    Array.from({ length: count }, (_, i) => `${(base + starts[i]!).toString(16)} ${table.value!.name(i)}${table.value!.version(i)}`),
  );
  const missing = wanted
    .filter((row) => row !== null)
    .map((row) => `${row[1]!.replace(/^0+/, '')} ${row[2]}`)
    .filter((one) => !names.has(one));
  // nm writes W for weak variables and labels of data, too.
  const objects = new Set(
    run('readelf', '-W', '--dyn-syms', path)
      .filter((line) => / OBJECT | NOTYPE /.test(line))
      .map((line) => line.trim().split(/\s+/)[1]!.replace(/^0+/, '')),
  );
  expect(missing.filter((one) => !objects.has(one.split(' ')[0]!))).toEqual([]);
});

test.each(present.filter((path) => path !== process.execPath))('readPltSymbols() names the stubs of %s as objdump does', (path) => {
  if (!hasBinutils) return;
  const table = readPltSymbols(open(path));
  const ours = Array.from({ length: table.count }, (_, i) => `${(table.base + table.starts[i]!).toString(16)} ${table.name(i)}`);
  const lines = run(
    path === AARCH64 ? 'aarch64-linux-gnu-objdump' : 'objdump',
    '-d',
    '--no-show-raw-insn',
    '-j',
    '.plt',
    '-j',
    '.plt.sec',
    '-j',
    '.plt.got',
    path,
  );
  const wanted = lines.map((line) => /^0*([0-9a-f]+) <(.+@plt)>:$/.exec(line)).filter((row) => row !== null);
  // objdump writes versions of some stubs, and calls the first entry, which is no function, by the next one's name with an offset.
  const plain = wanted
    .map((row) => `${row[1]} ${row[2]!.replace(/@[A-Z][\w.]*@plt$/, '@plt')}`)
    .filter((one) => !/-0x|\+0x10@plt$/.test(one));
  const known = new Set(ours);
  expect(plain.filter((one) => !known.has(one) && !one.includes('*ABS*'))).toEqual([]);
  expect(ours.length).toBeGreaterThanOrEqual(plain.length);
});

test('readUsdtProbes() reads the probes of python3 as readelf prints them', (context) => {
  const lines = hasBinutils && existsSync('/usr/bin/python3') ? run('readelf', '-nW', '/usr/bin/python3') : [];
  const text = lines.join('\n');
  const wanted = [
    ...text.matchAll(
      /Provider: (\S+)\n\s+Name: (\S+)\n\s+Location: 0x0*([0-9a-f]+), Base: \S+, Semaphore: 0x0*([0-9a-f]*)\n\s+Arguments: (.*)/g,
    ),
  ];
  requireOrSkip(context, wanted.length > 0, 'this python3 was built without probes');
  const probes = readUsdtProbes(open('/usr/bin/python3'));
  const ours = probes.map((p) => [
    p.provider,
    p.name,
    p.location.toString(16),
    (p.semaphore ?? 0).toString(16).replace(/^0$/, ''),
    p.argumentText,
  ]);
  expect(ours).toEqual(wanted.map((match) => match.slice(1).map((one) => one.trim())));
  expect(probes.flatMap((probe) => probe.arguments).every((argument) => argument.operand.kind !== 'unknown')).toBe(true);
  expect(probes.every((probe) => probe.fileOffset !== undefined)).toBe(true);
});

test('readFrameStarts() has the starts that .eh_frame describes', (context) => {
  requireOrSkip(context, hasBinutils, 'binutils is missing: apt-get install binutils');
  const path = `${LIBRARIES}/libc.so.6`;
  if (!existsSync(path)) return context.skip('no libc at the place of x86-64 Debian');
  const elf = open(path);
  const bounds = readFrameStarts(elf);
  if (!bounds.ok || !bounds.value) throw new Error('no .eh_frame_hdr');
  const { base, starts } = bounds.value;
  const wanted = run('readelf', '--debug-dump=frames', path)
    .map((line) => / FDE .* pc=0*([0-9a-f]+)\.\./.exec(line)?.[1])
    .filter((one) => one !== undefined);
  const ours = Array.from(starts, (start) => (start + base).toString(16));
  expect(ours.length).toBeGreaterThan(1000);
  expect(ours).toEqual([...wanted].sort((a, b) => Number.parseInt(a, 16) - Number.parseInt(b, 16)));
  expect(findSection(elf, '.eh_frame_hdr')).toBeDefined();
});
