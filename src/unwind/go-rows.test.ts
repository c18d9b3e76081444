import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import { findFrameRule, readCallFrames } from '../dwarf/index.ts';
import { findSectionBytes, parseElf, parseGoTable } from '../elf/index.ts';
import { compileGoRows, KEEP } from './go-rows.ts';
import { RULE, RULE_KIND } from './layout.ts';

const PROGRAM = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("hello") }\n';

function buildGo(architecture: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'fluoro-go-'));
  try {
    writeFileSync(join(folder, 'main.go'), PROGRAM);
    execFileSync('go', ['build', '-o', 'main', 'main.go'], {
      cwd: folder,
      env: { ...process.env, GOARCH: architecture, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' },
    });
    return readFileSync(join(folder, 'main'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function hasGo(): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'go')));
}

test.for([
  ['amd64', 'x86-64'],
  ['arm64', 'aarch64'],
] as const)('compileGoRows() says of %s what the linker wrote for debuggers', { timeout: 120_000 }, ([goName, architecture], context) => {
  requireOrSkip(context, hasGo(), 'no go; install it: apt-get install golang-go');
  const parsed = parseElf(buildGo(goName));
  const elf = parsed.ok ? parsed.value : undefined;
  const table = elf === undefined ? undefined : parseGoTable(elf);
  const rows = elf === undefined ? undefined : compileGoRows(elf, architecture);
  if (elf === undefined || rows === undefined || table?.ok !== true || table.value === undefined) throw new Error('no Go table');
  const section = (name: string): Uint8Array | undefined => {
    const bytes = findSectionBytes(elf, name);
    return bytes.ok ? bytes.value : undefined;
  };
  const frames = readCallFrames(
    { littleEndian: true, addressSize: 8, section },
    { architecture, ehFrame: 0, text: undefined, data: undefined, readPointer: () => undefined },
  );
  if (!frames.ok) throw new Error(frames.error.message);
  let compared = 0;
  const different: string[] = [];
  for (const [index, pc] of rows.pc.entries()) {
    const number = rows.rule[index]!;
    const rule = number === KEEP ? undefined : rows.rules[number]!;
    const expected = findFrameRule(frames.value, pc);
    if (rule === undefined || rule[RULE.kind] !== RULE_KIND.register || expected?.cfa.kind !== 'register') continue;
    compared++;
    const offset = new DataView(rule.buffer, rule.byteOffset).getInt32(RULE.cfaOffset, true);
    if (offset !== expected.cfa.offset)
      different.push(`${pc.toString(16)} ${table.value.name(table.value.find(pc))}: ${offset}, not ${expected.cfa.offset}`);
  }
  expect(compared).toBeGreaterThan(5_000);
  expect(different.slice(0, 5)).toEqual([]);
  // The ends of stacks, and the function that goes to another one.
  const kindAt = (name: string): number | undefined => {
    const index = Array.from({ length: table.value!.functionCount }, (_, i) => i).find((i) => table.value!.name(i) === name)!;
    const end = table.value!.base + table.value!.starts[index + 1]!;
    const row = rows.pc.findLastIndex((pc) => pc < end);
    return rows.rules[rows.rule[row]!]?.[RULE.kind];
  };
  expect(kindAt('runtime.goexit')).toBe(RULE_KIND.end);
  expect(kindAt('runtime.rt0_go')).toBe(RULE_KIND.end);
});
