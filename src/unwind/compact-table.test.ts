import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import type { FrameRule, RegisterRule } from '../dwarf/index.ts';
import { encodeRule } from './compact-rule.ts';
import { compileModule, findCompactRow, type CompactTable } from './compact-table.ts';
import { MAX_WINDOW_WORDS, REGISTER_SLOTS, RETURN_IN_REGISTER, RULE, RULE_FLAG, RULE_KIND, UNCHANGED } from './layout.ts';

const X86 = [3, 6, 7, 12, 13, 14, 15];

function ruleAt(table: CompactTable, address: number): Uint8Array {
  return table.rules[table.rule[findCompactRow(table, address - table.base)]!]!;
}

/** A compact rule in readelf's words: CFA, frame pointer, return address. */
function describeRule(table: CompactTable, rule: Uint8Array): string {
  const view = new DataView(rule.buffer, rule.byteOffset, rule.byteLength);
  const names = table.architecture === 'x86-64' ? X86_NAMES : AARCH64_NAMES;
  const kind = rule[RULE.kind];
  if (kind === RULE_KIND.end) return 'end';
  if (kind !== RULE_KIND.register) return 'exp';
  const place = (word: number): string => `c${signed(view.getInt32(RULE.windowOffset, true) + word * 8)}`;
  const cfa = `${names[rule[RULE.cfaSlot]!]}${signed(view.getInt32(RULE.cfaOffset, true))}`;
  const frame = rule[RULE.slots + 1]!;
  const back = rule[RULE.returnWord]!;
  // On AArch64 readelf says of the link register that it is unchanged.
  const returned = table.architecture === 'x86-64' ? `=${names[back & 15]}` : 'u';
  return `${cfa} ${frame === UNCHANGED ? 'u' : place(frame)} ${back >= RETURN_IN_REGISTER ? returned : place(back)}`;
}

const X86_NAMES = ['rsp', 'rbp', 'rbx', 'r12', 'r13', 'r14', 'r15', 'r10', 'rax', 'rdx', 'rcx', 'rsi', 'rdi', 'r8', 'r9', 'r11'];
const AARCH64_NAMES = ['sp', 'x29', 'x30', ...Array.from({ length: 10 }, (_, i) => `x${19 + i}`)];

function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`;
}

interface ReadelfRow {
  readonly address: number;
  readonly text: string;
}

/** Rows that readelf prints, in the words of `describeRule`; a column that is missing means unchanged. */
function readelfRows(path: string, frameColumn: string): ReadelfRow[] {
  // It ends with 1 when it warns of anything.
  const { stdout: output } = spawnSync('readelf', ['--debug-dump=frames-interp', '-W', path], { encoding: 'utf8', maxBuffer: 1 << 30 });
  const rows: ReadelfRow[] = [];
  let columns: string[] = [];
  let isFunction = false;
  for (const line of output.split('\n')) {
    if (/ (FDE|CIE) /.test(line)) isFunction = line.includes(' FDE ');
    if (/^\s+LOC\s/.test(line)) columns = line.trim().split(/\s+/);
    if (!isFunction || !/^[0-9a-f]{16} /.test(line) || / (FDE|CIE) /.test(line)) continue;
    const cells = line
      .trim()
      .replaceAll(/\b[rx]\d+ \((\w+)\)/g, '=$1')
      .split(/\s+/);
    const cell = (name: string): string => (columns.includes(name) ? (cells[columns.indexOf(name)] ?? 'u') : 'u');
    rows.push({ address: Number.parseInt(cells[0]!, 16), text: `${cells[1]} ${cell(frameColumn)} ${cell('ra')}` });
  }
  return rows;
}

const FILES: readonly { readonly path: string; readonly package: string; readonly frame: string; readonly leastRows: number }[] = [
  { path: '/usr/aarch64-linux-gnu/lib/libc.so.6', package: 'libc6-arm64-cross', frame: 'x29', leastRows: 10_000 },
  { path: '/usr/aarch64-linux-gnu/lib/libstdc++.so.6', package: 'libstdc++6-arm64-cross', frame: 'x29', leastRows: 10_000 },
  { path: '/lib/x86_64-linux-gnu/libc.so.6', package: 'libc6', frame: 'rbp', leastRows: 10_000 },
  { path: '/usr/bin/bash', package: 'bash', frame: 'rbp', leastRows: 10_000 },
];

describe('compileModule()', () => {
  test.for(FILES)('says what readelf says of $path', { timeout: 60_000 }, ({ path, package: name, frame, leastRows }, context) => {
    requireOrSkip(context, existsSync(path), `no ${path}; install it: apt-get install ${name}`);
    const compiled = compileModule(readFileSync(path));
    if (!compiled.ok) throw new Error(compiled.error.message);
    const table = compiled.value;
    expect(table.counts.damaged).toBe(0);
    expect(table.counts.unsupportedRows / table.counts.rows).toBeLessThan(0.002);
    const rows = readelfRows(path, frame);
    expect(rows.length).toBeGreaterThan(leastRows);
    const different: string[] = [];
    let expressions = 0;
    for (const { address, text } of rows) {
      const ours = describeRule(table, ruleAt(table, address));
      if (ours === 'exp') expressions++;
      else if (ours !== text && ours !== 'end') different.push(`${address.toString(16)}: ${text}, we say ${ours}`);
    }
    // readelf prints an entry that a later one overlaps; ours ends there.
    expect(different.slice(0, 5)).toEqual([]);
    expect(expressions / rows.length).toBeLessThan(0.01);
  });

  test.each([
    ['nothing', new Uint8Array(0)],
    ['text', Buffer.from('#!/bin/sh\n')],
    ['half a header', readFileSync('/bin/true').subarray(0, 40)],
  ])('refuses %s', (_name, bytes) => {
    expect(compileModule(bytes)).toMatchObject({ ok: false, error: { kind: 'not-elf' } });
  });

  test('puts the rule of a signal frame over the restorer of the C library, from one byte before it', () => {
    const path = '/lib/x86_64-linux-gnu/libc.so.6';
    const bytes = readFileSync(path);
    const compiled = compileModule(bytes);
    if (!compiled.ok) throw new Error(compiled.error.message);
    const at = bytes.indexOf(Buffer.from('48c7c00f0000000f05', 'hex'));
    expect(at).toBeGreaterThan(0);
    // In the C library's code segment offsets and addresses are the same.
    expect(ruleAt(compiled.value, at)[RULE.kind]).toBe(RULE_KIND.signal);
    expect(ruleAt(compiled.value, at - 1)[RULE.kind]).toBe(RULE_KIND.signal);
    expect(ruleAt(compiled.value, at + 64)[RULE.kind]).not.toBe(RULE_KIND.signal);
  });
});

describe('encodeRule()', () => {
  const same: RegisterRule = { kind: 'same' };
  const rule = (changes: Partial<FrameRule>): FrameRule => ({
    cfa: { kind: 'register', register: 7, offset: 16 },
    registers: X86.map(() => same),
    returnAddress: { kind: 'offset', offset: -8 },
    signalFrame: false,
    signedReturnAddress: false,
    ...changes,
  });
  const saved = (register: number, how: RegisterRule): RegisterRule[] => X86.map((dwarf) => (dwarf === register ? how : same));
  const encode = (changes: Partial<FrameRule>): Uint8Array => encodeRule(rule(changes), X86, 'x86-64');

  test.each([
    ['nothing known', encodeRule(undefined, X86, 'x86-64'), RULE_KIND.none],
    ['the end of the stack', encode({ returnAddress: { kind: 'undefined' } }), RULE_KIND.end],
    [
      'a PLT entry',
      encode({ cfa: { kind: 'expression', bytes: Uint8Array.from([0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22]) } }),
      RULE_KIND.plt,
    ],
    ['a realigned stack', encode({ cfa: { kind: 'expression', bytes: Uint8Array.of(0x76, 0x78, 0x06) } }), RULE_KIND.dereference],
    [
      'a signal frame',
      encode({ signalFrame: true, cfa: { kind: 'expression', bytes: Uint8Array.of(0x77, 0xa0, 0x01, 0x06) } }),
      RULE_KIND.signal,
    ],
    ['another expression', encode({ cfa: { kind: 'expression', bytes: Uint8Array.of(0x77, 0, 0x06, 0x06) } }), RULE_KIND.unsupported],
    ['a stack pointer from memory', encode({ registers: saved(7, { kind: 'offset', offset: -24 }) }), RULE_KIND.unsupported],
    [
      'a return address by expression',
      encode({ returnAddress: { kind: 'expression', bytes: Uint8Array.of(0x77, 0) } }),
      RULE_KIND.unsupported,
    ],
    [
      'registers far from each other',
      encode({ registers: saved(3, { kind: 'offset', offset: -8 - 8 * MAX_WINDOW_WORDS }) }),
      RULE_KIND.unsupported,
    ],
    ['registers near each other', encode({ registers: saved(3, { kind: 'offset', offset: -8 * MAX_WINDOW_WORDS }) }), RULE_KIND.register],
  ])('gives %s its kind', (_name, encoded, kind) => {
    expect(encoded[RULE.kind]).toBe(kind);
  });

  test('marks a frame that hangs on a register which calls do not preserve', () => {
    const encoded = encode({ cfa: { kind: 'register', register: 10, offset: 0 } });
    expect(encoded[RULE.flags]! & RULE_FLAG.callerSaved).toBe(RULE_FLAG.callerSaved);
    expect(REGISTER_SLOTS['x86-64'].dwarf[encoded[RULE.cfaSlot]!]).toBe(10);
  });
});
