import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import { parseElf } from '../elf/index.ts';
import { elfDebugSections, elfLoadAddresses } from './elf-sections.ts';
import {
  findFrameRow,
  findFrameRule,
  parseFrameHeader,
  readCallFrames,
  type FrameRule,
  type FrameTable,
  type RegisterRule,
} from './index.ts';

/** By DWARF number (System V ABI for x86-64, figure 3.36). */
const NAMES = ['rax', 'rdx', 'rcx', 'rbx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
const FOLLOWED = new Set(['CFA', 'ra', 'rbx', 'rbp', 'rsp', 'r12', 'r13', 'r14', 'r15']);

function readTable(path: string): FrameTable {
  const elf = parseElf(readFileSync(path));
  if (!elf.ok) throw new Error(elf.error.message);
  const addresses = elfLoadAddresses(elf.value);
  if (!addresses.ok) throw new Error(addresses.error.message);
  const table = readCallFrames(elfDebugSections(elf.value), addresses.value);
  if (!table.ok) throw new Error(table.error.message);
  return table.value;
}

function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`;
}

/** A rule as readelf writes it. */
function spell(rule: RegisterRule): string {
  switch (rule.kind) {
    case 'same':
    case 'undefined':
      return 'u';
    case 'offset':
      return `c${signed(rule.offset)}`;
    case 'value-offset':
      return `v${signed(rule.offset)}`;
    case 'register':
      return `r${rule.register}`;
    case 'expression':
      return 'exp';
    default:
      return 'vexp';
  }
}

function spellCfa(rule: FrameRule): string {
  if (rule.cfa.kind === 'expression') return 'exp';
  return `${NAMES[rule.cfa.register] ?? `r${rule.cfa.register}`}${signed(rule.cfa.offset)}`;
}

interface Comparison {
  agree: number;
  readonly differences: string[];
}

/** Compares every row that readelf prints with ours at the same address. */
function compareWithReadelf(path: string, table: FrameTable): Comparison {
  const { stdout } = spawnSync('readelf', ['--debug-dump=frames-interp', '-W', path], { encoding: 'utf8', maxBuffer: 1 << 30 });
  const result: Comparison = { agree: 0, differences: [] };
  let columns: string[] = [];
  let end = 0;
  const rows = new Map<number, { readonly words: string[]; readonly columns: string[] }>();
  for (const line of stdout.split('\n')) {
    const header = / pc=([0-9a-f]+)\.\.([0-9a-f]+)/.exec(line);
    if (header) end = Number.parseInt(header[2]!, 16);
    else if (/ CIE /.test(line)) end = 0;
    else if (line.startsWith('   LOC')) columns = line.trim().split(/\s+/);
    else if (/^[0-9a-f]{16} (?!ZERO)/.test(line)) {
      // `r9 (r9)` is register 9 under both of its names.
      const words = line
        .replaceAll(/ \(\w+\)/g, '')
        .trim()
        .split(/\s+/);
      const address = Number.parseInt(words[0]!, 16);
      if (address < end) rows.set(address, { words, columns });
    }
  }
  for (const [address, row] of rows) {
    const rule = findFrameRule(table, address);
    const followed = row.columns.slice(1).filter((column) => FOLLOWED.has(column));
    const ours = rule === undefined ? 'nothing' : followed.map((column) => ourWord(column, rule, table)).join(' ');
    const theirs = followed.map((column) => row.words[row.columns.indexOf(column)]!.replace(/^s$/, 'u')).join(' ');
    if (ours === theirs) result.agree++;
    else result.differences.push(`${address.toString(16)} [${row.columns.join(' ')}] ours ${ours} theirs ${theirs}`);
  }
  return result;
}

function ourWord(column: string, rule: FrameRule, table: FrameTable): string {
  if (column === 'CFA') return spellCfa(rule);
  if (column === 'ra') return spell(rule.returnAddress);
  return spell(rule.registers[table.registers.indexOf(NAMES.indexOf(column))]!);
}

const folder = mkdtempSync(join(tmpdir(), 'frames-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('readCallFrames() says what readelf says', () => {
  test.for([
    ['/lib/x86_64-linux-gnu/libc.so.6', 20_000],
    ['/usr/lib/x86_64-linux-gnu/libstdc++.so.6', 25_000],
    ['/usr/bin/python3.11', 50_000],
  ] as const)('%s', ([path, least], context) => {
    requireOrSkip(context, existsSync(path), `no ${path}`);
    const table = readTable(path);
    const comparison = compareWithReadelf(path, table);
    expect(comparison.differences).toEqual([]);
    expect(comparison.agree).toBeGreaterThan(least);
    expect(table.counts).toMatchObject({ damaged: 0, overlapping: 0 });
  });

  test('.debug_frame alone, of a program built without unwind tables', () => {
    const source = join(folder, 'p.c');
    const program = join(folder, 'p');
    writeFileSync(
      source,
      'int g(int *p){volatile int a[20]={0};a[3]=*p;return a[*p];}\nint main(int c,char**v){int x=c;return g(&x)+(int)(long)v[0];}\n',
    );
    const built = spawnSync('gcc', ['-g', '-O1', '-fno-asynchronous-unwind-tables', '-o', program, source], { encoding: 'utf8' });
    expect(built.status, built.stderr).toBe(0);
    const comparison = compareWithReadelf(program, readTable(program));
    expect(comparison.differences).toEqual([]);
    expect(comparison.agree).toBeGreaterThan(5);
  });
});

test('the restorer of signals in libc is marked, and gives back every register', () => {
  const table = readTable('/lib/x86_64-linux-gnu/libc.so.6');
  const signals = table.rules.filter((rule) => rule?.signalFrame);
  expect(signals).toHaveLength(1);
  expect(signals[0]!.returnAddress.kind).toBe('expression');
  expect(signals[0]!.registers.map((rule) => rule.kind)).toEqual(Array(7).fill('expression'));
});

/** A section of one common entry and functions, each `[start, length, instructions]`, with addresses as 8 absolute bytes. */
function assemble(
  augmentation: string,
  dataAlignment: number,
  returnRegister: number,
  initial: number[],
  functions: [number, number, number[]][],
): Uint8Array {
  const out: number[] = [];
  const entry = (body: number[]): void => {
    while ((body.length + 4) % 8 !== 0) body.push(0);
    out.push(body.length & 0xff, body.length >> 8, 0, 0, ...body);
  };
  const address = (value: number): number[] => [...new Uint8Array(new BigUint64Array([BigInt(value)]).buffer)];
  const letters = [...augmentation].map((letter) => letter.codePointAt(0)!);
  const data = augmentation.includes('R') ? [1, 0x00] : [0];
  entry([0, 0, 0, 0, 1, ...letters, 0, 1, dataAlignment & 0x7f, returnRegister, ...data, ...initial]);
  for (const [start, length, instructions] of functions) {
    const pointer = out.length + 4;
    entry([pointer & 0xff, pointer >> 8, 0, 0, ...address(start), ...address(length), 0, ...instructions]);
  }
  return Uint8Array.from(out);
}

function tableOf(ehFrame: Uint8Array, architecture: 'x86-64' | 'aarch64'): FrameTable {
  const sections = { section: (name: string) => (name === '.eh_frame' ? ehFrame : undefined), littleEndian: true, addressSize: 8 as const };
  const table = readCallFrames(sections, { architecture, ehFrame: 0x5000 });
  if (!table.ok) throw new Error(table.error.message);
  return table.value;
}

const picture = (table: FrameTable): string[] =>
  [...table.pc].map((pc, row) => {
    const rule = table.rules[table.rule[row]!];
    return rule === undefined
      ? `${pc} -`
      : `${pc} ${spellCfa(rule)} ${rule.registers.map(spell).join(' ')} ra=${spell(rule.returnAddress)}${rule.signedReturnAddress ? ' signed' : ''}`;
  });

test('AArch64: fp and lr saved as a pair, return address signed in between', () => {
  // sp+0; paciasp; stp x29, x30, [sp, -32]!; ...; ldp; autiasp
  const program = [0x44, 0x2d, 0x44, 0x0e, 32, 0x9d, 4, 0x9e, 3, 0x48, 0xdd, 0xde, 0x0e, 0, 0x44, 0x2d];
  const table = tableOf(assemble('zR', -8, 30, [0x0c, 31, 0], [[0x1000, 0x20, program]]), 'aarch64');
  const rest = Array(10).fill('u').join(' ');
  expect(picture(table)).toEqual([
    `4096 r31+0 ${rest} u u u ra=u`,
    `4100 r31+0 ${rest} u u u ra=u signed`,
    `4104 r31+32 ${rest} c-32 c-24 u ra=c-24 signed`,
    `4112 r31+0 ${rest} u u u ra=u signed`,
    `4116 r31+0 ${rest} u u u ra=u`,
    '4128 -',
  ]);
});

test('remember, restore, undefined return address, functions out of order, a gap, an overlap', () => {
  const start: number[] = [0x0c, 7, 8, 0x90, 1];
  const table = tableOf(
    assemble('zR', -8, 16, start, [
      [0x2000, 0x10, [0x41, 0x0e, 16, 0x86, 2, 0x0a, 0x42, 0x0c, 7, 8, 0x42, 0x0b]],
      [0x1000, 0x10, [0x07, 16]],
      [0x2008, 0x10, []],
    ]),
    'x86-64',
  );
  expect(picture(table)).toEqual([
    '4096 rsp+8 u u u u u u u ra=u',
    '4112 -',
    '8192 rsp+8 u u u u u u u ra=c-8',
    '8193 rsp+16 u c-16 u u u u u ra=c-8',
    '8195 rsp+8 u c-16 u u u u u ra=c-8',
    '8197 rsp+16 u c-16 u u u u u ra=c-8',
    '8200 rsp+8 u u u u u u u ra=c-8',
    '8216 -',
  ]);
  expect(table.counts).toMatchObject({ functions: 3, damaged: 0, overlapping: 1 });
  expect(table.rules[table.rule[0]!]!.returnAddress.kind).toBe('undefined');
  expect(findFrameRow(table, 4095)).toBe(-1);
  expect(findFrameRule(table, 4111)).toBeDefined();
  expect(findFrameRule(table, 4112)).toBeUndefined();
});

test('a function whose program is damaged is counted, and its neighbours stay', () => {
  const table = tableOf(
    assemble(
      'zR',
      -8,
      16,
      [0x0c, 7, 8, 0x90, 1],
      [
        [0x1000, 0x10, [0x3f]],
        [0x1010, 0x10, [0x44, 0x0e, 16]],
      ],
    ),
    'x86-64',
  );
  expect(table.counts).toMatchObject({ functions: 1, damaged: 1 });
  expect(table.counts.firstDamage?.message).toContain('0x3f');
  expect(findFrameRule(table, 0x1004)).toBeUndefined();
  expect(spellCfa(findFrameRule(table, 0x1014)!)).toBe('rsp+16');
});

test('parseFrameHeader() finds .eh_frame', () => {
  const elf = parseElf(readFileSync('/lib/x86_64-linux-gnu/libc.so.6'));
  if (!elf.ok) throw new Error(elf.error.message);
  const section = elf.value.sections.find((one) => one.name === '.eh_frame_hdr')!;
  const ehFrame = elf.value.sections.find((one) => one.name === '.eh_frame')!;
  const header = parseFrameHeader(elfDebugSections(elf.value).section('.eh_frame_hdr')!, section.address, true, 8);
  expect(header).toEqual({
    ok: true,
    value: { ehFrame: ehFrame.address, functions: readTable('/lib/x86_64-linux-gnu/libc.so.6').counts.functions },
  });
  expect(parseFrameHeader(new Uint8Array([2, 0, 0, 0]), 0, true, 8).ok).toBe(false);
});

test('readCallFrames() survives whatever bytes it is given', () => {
  const good = assemble(
    'zR',
    -8,
    16,
    [0x0c, 7, 8, 0x90, 1],
    [
      [0x1000, 0x10, [0x41, 0x0e, 16, 0x0f, 2, 0x77, 8, 0x16, 7, 2, 0x77, 8]],
      [0x2000, 0x10, [0x0a, 0x42, 0x0b, 0x2d, 0x2e, 8]],
    ],
  );
  const run = (bytes: Uint8Array, name: string): void => {
    const sections = { section: (wanted: string) => (wanted === name ? bytes : undefined), littleEndian: true, addressSize: 8 as const };
    const table = readCallFrames(sections, { architecture: 'x86-64', ehFrame: 0 });
    if (table.ok) expect(table.value.pc.length).toBeLessThanOrEqual(bytes.length * 2 + 2);
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('.eh_frame', '.debug_frame'), run), { numRuns: 500 });
  const flips = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(flips, fc.nat(good.length), (changes, length) => {
      const bytes = good.slice();
      for (const [at, value] of changes) bytes[at] = value;
      run(bytes.subarray(0, length), '.eh_frame');
      run(bytes, '.eh_frame');
    }),
    { numRuns: 1000 },
  );
});
