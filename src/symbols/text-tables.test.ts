import { expect, test } from 'vitest';
import { matchGlob } from './glob.ts';
import { findKernelFunction, parseKernelSymbols } from './kernel-symbols.ts';
import { findJitFunction, parseJitDump, parsePerfMap } from './perf-map.ts';

test('parsePerfMap() keeps the newest of overlapping functions, and counts lines it cannot read', () => {
  const table = parsePerfMap('1000 100 old\n2000 80 LazyCompile:~f /x.js:1\n0x1080 40 new one\nnonsense\n1000 zz bad\n3000 10 cut');
  const at = (address: number): string | undefined => table.names[findJitFunction(table, address)];
  expect([at(0x1000), at(0x1090), at(0x10c0), at(0x2001), at(0x2080), at(0x300f)]).toEqual([
    undefined,
    'new one',
    undefined,
    'LazyCompile:~f /x.js:1',
    undefined,
    'cut',
  ]);
  expect(table.skipped).toBe(2);
});

function jitDump(): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt32LE(0x4a695444, 0);
  header.writeUInt32LE(1, 4);
  header.writeUInt32LE(40, 8);
  const load = Buffer.alloc(56 + 4 + 16);
  load.writeUInt32LE(load.length, 4);
  load.writeBigUInt64LE(0x7000n, 32);
  load.writeBigUInt64LE(16n, 40);
  load.writeBigUInt64LE(5n, 48);
  load.write('jit\0', 56);
  const move = Buffer.alloc(64);
  move.writeUInt32LE(1, 0);
  move.writeUInt32LE(64, 4);
  move.writeBigUInt64LE(0x7000n, 32);
  move.writeBigUInt64LE(0x9000n, 40);
  move.writeBigUInt64LE(16n, 48);
  move.writeBigUInt64LE(5n, 56);
  return Buffer.concat([header, load, move]);
}

test('parseJitDump() reads loads and moves, also of a file that is still written', () => {
  const whole = parseJitDump(jitDump())!;
  expect(whole.names[findJitFunction(whole, 0x9004)]).toBe('jit');
  const partial = parseJitDump(jitDump().subarray(0, -10))!;
  expect(partial.count).toBe(1);
  expect(parseJitDump(Buffer.from('no dump at all, but long enough to look at it'))).toBeUndefined();
});

const KALLSYMS = [
  'ffffffff81000000 T _text',
  'ffffffff81000100 t do_one',
  'ffffffffc0200000 t in_module\t[nfs]',
  'ffffffff82000000 D data',
  '0000000000000000 A percpu',
  '',
].join('\n');

test('parseKernelSymbols() finds functions and modules', () => {
  const state = parseKernelSymbols(KALLSYMS);
  if (state.kind !== 'ready') throw new Error(state.message);
  const at = (address: bigint): string | undefined => {
    const found = findKernelFunction(state.symbols, address);
    return found && `${state.symbols.module(found.index)} ${state.symbols.name(found.index)}+${found.offset}`;
  };
  expect(at(0xffffffff81000123n)).toBe('kernel do_one+35');
  expect(at(0xffffffffc0200001n)).toBe('nfs in_module+1');
  expect(at(0xffffffff80000000n)).toBeUndefined();
});

test('parseKernelSymbols() says so when the kernel shows zeros', () => {
  expect(parseKernelSymbols(KALLSYMS.replace(/^[0-9a-f]{16}/gm, '0'.repeat(16)))).toMatchObject({ kind: 'hidden' });
  expect(parseKernelSymbols('')).toMatchObject({ kind: 'unreadable' });
});

test.each([
  ['malloc', 'malloc', true],
  ['malloc', 'mallocx', false],
  ['mal*', 'malloc', true],
  ['*loc', 'malloc', true],
  ['m*l*c', 'malloc', true],
  ['m?lloc', 'malloc', true],
  ['a*a', 'a', false],
  ['*', '', true],
  ['*a*b*', 'xxbxxa', false],
  ['a.c', 'abc', false],
])('matchGlob(%j) on %j is %s', (pattern, text, expected) => expect(matchGlob(pattern)(text)).toBe(expected));
