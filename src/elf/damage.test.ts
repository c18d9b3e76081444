// Damaged files: every reader gives a value or a FormatError, never an exception, and takes time in proportion to the file.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  findBuildId,
  findDebugAltLink,
  findDebugLink,
  parseCoreNotes,
  parseElf,
  parseGoTable,
  readFrameStarts,
  readMiniDebugInfo,
  readNotes,
  readPltSymbols,
  readRelativeValues,
  readSection,
  readSymbols,
  readUsdtProbes,
  unpackXz,
} from './index.ts';

/** Small real files with all that we read; the first lines of larger ones would lack their tables. */
const SEEDS = ['/usr/bin/true', '/usr/lib/x86_64-linux-gnu/libdl.so.2', '/usr/aarch64-linux-gnu/lib/libdl.so.2', '/bin/sh']
  .filter((path) => existsSync(path))
  .map((path) => readFileSync(path));

function readAll(bytes: Uint8Array): void {
  const elf = parseElf(bytes);
  if (!elf.ok) return;
  const file = elf.value;
  readNotes(file);
  findBuildId(file);
  parseCoreNotes(file);
  for (const what of ['functions', 'variables'] as const) {
    for (const from of ['symtab', 'dynsym'] as const) {
      const table = readSymbols(file, from, what);
      if (!table.ok || !table.value) continue;
      for (let i = 0; i < table.value.count; i += 7) void (table.value.name(i) + table.value.version(i));
    }
  }
  readPltSymbols(file);
  readRelativeValues(file, 0, Infinity);
  readUsdtProbes(file);
  findDebugLink(file);
  findDebugAltLink(file);
  readFrameStarts(file);
  readMiniDebugInfo(file);
  const go = parseGoTable(file);
  if (go.ok && go.value)
    for (let i = 0; i < Math.min(go.value.functionCount, 50); i++) go.value.frames(go.value.base + go.value.starts[i]!);
  for (const section of file.sections.slice(0, 64)) readSection(file, section);
}

const seed = fc.constantFrom(...SEEDS);

test('readers survive files that are cut off anywhere', () => {
  expect(SEEDS.length).toBeGreaterThan(0);
  fc.assert(
    fc.property(seed, fc.double({ min: 0, max: 1, noNaN: true }), (bytes, part) =>
      readAll(bytes.subarray(0, Math.floor(bytes.length * part))),
    ),
    { numRuns: 60 },
  );
});

test('readers survive changed bytes', () => {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    value: fc.integer({ min: 0, max: 255 }),
    nearStart: fc.boolean(),
  });
  fc.assert(
    fc.property(seed, fc.array(change, { minLength: 1, maxLength: 30 }), (bytes, changes) => {
      const copy = Uint8Array.from(bytes);
      for (const { at, value, nearStart } of changes) copy[Math.floor(at * ((nearStart ? 1024 : copy.length) - 1))] = value;
      readAll(copy);
    }),
    { numRuns: 80 },
  );
});

test('readers survive hostile sizes and offsets in section headers', () => {
  const extreme = fc.constantFrom(0n, 1n, 0xffff_ffffn, 0x7fff_ffff_ffff_ffffn, 0xffff_ffff_ffff_ffffn, 0x10_0000n, 24n);
  const change = fc.record({ section: fc.nat(40), field: fc.constantFrom(4, 8, 16, 24, 32, 40, 48, 56), value: extreme });
  fc.assert(
    fc.property(seed, fc.array(change, { minLength: 1, maxLength: 12 }), (bytes, changes) => {
      const copy = Buffer.from(bytes);
      const start = Number(copy.readBigUInt64LE(40));
      for (const { section, field, value } of changes) {
        const at = start + section * 64 + field;
        if (at + 8 <= copy.length) copy.writeBigUInt64LE(value, at);
      }
      readAll(copy);
    }),
    { numRuns: 80 },
  );
});

test('unpackXz() survives changed bytes and stays within its bound', (context) => {
  if (!existsSync('/usr/bin/xz')) return context.skip('xz is missing: apt-get install xz-utils');
  const packed = execFileSync('xz', ['-c'], { input: SEEDS[0]!, maxBuffer: 1 << 26 });
  fc.assert(
    fc.property(fc.nat(packed.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(packed.length), (at, value, length) => {
      const copy = Uint8Array.from(packed);
      copy[at] = value;
      const result = unpackXz(copy.subarray(0, length), 1 << 20);
      expect(result.ok ? result.value.length : 0).toBeLessThanOrEqual(1 << 20);
    }),
    { numRuns: 100 },
  );
});
