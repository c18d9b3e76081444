import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { buildFunctionTable, findFunctionAt, functionName, type FunctionTable } from './function-table.ts';
import { decodeTable, encodeTable, TableCache } from './table-cache.ts';

const ID = 'ab'.repeat(20);
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fluoro-cache-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function symbols(rows: readonly (readonly [start: number, end: number, name: string])[], base = 0x1000) {
  return {
    count: rows.length,
    base,
    starts: Uint32Array.from(rows, (row) => row[0]),
    ends: Uint32Array.from(rows, (row) => row[1]),
    sized: new Uint8Array(rows.length).fill(1),
    name: (index: number) => rows[index]![2],
    version: () => '',
    skipped: 0,
  };
}

const TABLE: FunctionTable = buildFunctionTable({
  base: 0x1000,
  symbols: [
    symbols([
      [0, 16, 'alias'],
      [0, 16, 'main'],
      [32, 48, 'größe'],
    ]),
    symbols([
      [32, 48, 'exported'],
      [64, 80, 'other'],
    ]),
  ],
  bounds: { base: 0x1000, starts: Uint32Array.of(0, 40, 50, 70, 90) },
});

const nameAt = (table: FunctionTable, offset: number): string | undefined => {
  const index = findFunctionAt(table, offset);
  return index < 0 ? undefined : functionName(table, index);
};

test.each([
  [0, 'main'],
  [15, 'main'],
  [16, undefined],
  [33, 'größe'],
  [49, undefined],
  [50, ''],
  [63, ''],
  [64, 'other'],
  [85, undefined],
  [90, ''],
])('findFunctionAt() finds at %i what the sources say', (offset, name) => expect(nameAt(TABLE, offset)).toBe(name));

test('a table comes back from the cache as it was', () => {
  const cache = new TableCache(join(folder, 'made', 'when needed'));
  expect(cache.load(ID)).toBeUndefined();
  expect(cache.save(ID, TABLE)).toBe(true);
  const loaded = cache.load(ID)!;
  expect(loaded).toMatchObject({ base: TABLE.base, count: TABLE.count, starts: TABLE.starts, ends: TABLE.ends });
  expect(nameAt(loaded, 33)).toBe('größe');
});

test('any changed or missing byte of a cached table makes it absent', () => {
  const bytes = encodeTable(TABLE);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const copy = Uint8Array.from(bytes);
      copy[at]! ^= change;
      // The four reserved bytes are covered by the checksum, too.
      expect(decodeTable(copy)).toBeUndefined();
      expect(decodeTable(bytes.subarray(0, at))).toBeUndefined();
    }),
  );
});

test('the cache leaves no temporary files, takes no odd names, and overwrites damage', () => {
  const cache = new TableCache(folder);
  expect(cache.save('../escape', TABLE)).toBe(false);
  cache.save(ID, TABLE);
  const [file] = readdirSync(folder);
  expect(readdirSync(folder)).toHaveLength(1);
  writeFileSync(join(folder, file!), readFileSync(join(folder, file!)).subarray(0, 40));
  expect(cache.load(ID)).toBeUndefined();
  for (let i = 0; i < 3; i++) new TableCache(folder).save(ID, TABLE);
  expect(cache.load(ID)?.count).toBe(TABLE.count);
  expect(readdirSync(folder)).toHaveLength(1);
  expect(new TableCache('/dev/null/nowhere').save(ID, TABLE)).toBe(false);
});
