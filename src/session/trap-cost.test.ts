import { expect, test } from 'vitest';
import { instructionCost } from './trap-cost.ts';

test.each<[string, number[], 'optimised' | 'emulated' | 'stepped']>([
  ['push %rbp', [0x55, 0x48, 0x89, 0xe5, 0x53], 'emulated'],
  ['push %r15', [0x41, 0x57, 0x41, 0x56, 0x55], 'emulated'],
  ['nop', [0x90, 0x48, 0x89, 0xe5, 0x53], 'emulated'],
  ['nopl 0(%rax,%rax,1)', [0x0f, 0x1f, 0x44, 0x00, 0x00], 'optimised'],
  ['jne, far', [0x0f, 0x85, 0x10, 0x00, 0x00], 'emulated'],
  ['call', [0xe8, 0x10, 0x00, 0x00, 0x00], 'emulated'],
  ['endbr64', [0xf3, 0x0f, 0x1e, 0xfa, 0x55], 'stepped'],
  ['sub $8, %rsp', [0x48, 0x83, 0xec, 0x08, 0x53], 'stepped'],
  ['bytes that cannot be read', [], 'stepped'],
])('instructionCost() of %s', (_name, bytes, kind) => {
  const expected = { optimised: 260, emulated: 550, stepped: 4000 };
  expect(instructionCost(Uint8Array.from(bytes))).toBe(expected[kind]);
});
