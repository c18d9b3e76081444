import { expect, test } from 'vitest';
import { MACHINE } from './elf-file.ts';
import { parseUsdtArguments } from './usdt-operand.ts';

const register = (name: string, dwarf: number, sizeBytes: number, high = false) => ({ name, dwarf, sizeBytes, high });
const memory = (fields: object) => ({
  kind: 'memory',
  base: undefined,
  index: undefined,
  scale: 1,
  displacement: 0,
  symbol: undefined,
  ...fields,
});

test.each([
  ['-4@%eax', 4, true, { kind: 'register', register: register('eax', 0, 4) }],
  ['8@%r12', 8, false, { kind: 'register', register: register('r12', 12, 8) }],
  ['4@%r8d', 4, false, { kind: 'register', register: register('r8d', 8, 4) }],
  ['1@%sil', 1, false, { kind: 'register', register: register('sil', 4, 1) }],
  ['1@%ah', 1, false, { kind: 'register', register: register('ah', 0, 1, true) }],
  ['2@%bp', 2, false, { kind: 'register', register: register('bp', 6, 2) }],
  ['8@-1204(%rbp)', 8, false, memory({ base: register('rbp', 6, 8), displacement: -1204 })],
  ['8@(%rax,%rbx,8)', 8, false, memory({ base: register('rax', 0, 8), index: register('rbx', 3, 8), scale: 8 })],
  ['8@counter+16(%rip)', 8, false, memory({ base: register('rip', 16, 8), displacement: 16, symbol: 'counter' })],
  ['-4@$-5', 4, true, { kind: 'constant', value: -5n }],
  ['8@$0x10', 8, false, { kind: 'constant', value: 16n }],
  ['%rdi', 0, false, { kind: 'register', register: register('rdi', 5, 8) }],
  ['8@?!', 8, false, { kind: 'unknown' }],
])('parseUsdtArguments() reads %s of x86-64', (text, sizeBytes, signed, operand) => {
  expect(parseUsdtArguments(text, MACHINE.x86_64)).toEqual([{ sizeBytes, signed, float: false, operand, text }]);
});

test.each([
  ['8@x0', { kind: 'register', register: register('x0', 0, 8) }],
  ['-4@w19', { kind: 'register', register: register('w19', 19, 4) }],
  ['4@7', { kind: 'constant', value: 7n }],
  ['-4@[sp, 12]', memory({ base: register('sp', 31, 8), displacement: 12 })],
  ['8@[x29, -8]', memory({ base: register('x29', 29, 8), displacement: -8 })],
  ['8@[x1, x2, lsl 3]', memory({ base: register('x1', 1, 8), index: register('x2', 2, 8), scale: 8 })],
])('parseUsdtArguments() reads %s of AArch64', (text, operand) => {
  expect(parseUsdtArguments(text, MACHINE.aarch64)[0]!.operand).toEqual(operand);
});

test('parseUsdtArguments() divides arguments at blanks outside of brackets', () => {
  expect(parseUsdtArguments('8@x0 -4@[sp, 12] 4@7', MACHINE.aarch64).map((one) => one.text)).toEqual(['8@x0', '-4@[sp, 12]', '4@7']);
  expect(parseUsdtArguments('', MACHINE.x86_64)).toEqual([]);
});
