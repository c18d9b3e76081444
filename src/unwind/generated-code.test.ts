import { describe, expect, test } from 'vitest';
import { compileGeneratedCode } from './generated-code.ts';
import { findCompactRow } from './compact-table.ts';
import { RULE, RULE_KIND } from './layout.ts';

const CODE = Buffer.from(
  [
    '90909090', // nop, four times
    // What PCRE 10.42 generated for /[a-f]+/: push rbx, r15, r14, r13, rbp; rbx = rdi; rsp -= 0x50
    '53415741564155554889fb4883ec50',
    '90',
    // push rbp, r15, r14, r13, r12; rbx = rdi; rsp -= 0x100
    '5541574156415541544889fb4881ec00010000',
    '90',
  ].join(''),
  'hex',
);

function ruleAt(bytes: Uint8Array, at: number): { readonly kind: number; readonly cfa: number; readonly rbp: number } {
  const table = compileGeneratedCode(bytes, 'x86-64')!;
  const rule = table.rules[table.rule[findCompactRow(table, at)]!]!;
  const view = new DataView(rule.buffer, rule.byteOffset);
  return {
    kind: rule[RULE.kind]!,
    cfa: view.getInt32(RULE.cfaOffset, true),
    rbp: view.getInt32(RULE.windowOffset, true) + 8 * rule[RULE.slots + 1]!,
  };
}

describe('compileGeneratedCode()', () => {
  test.each([
    ['at the first instruction', 4, { cfa: 8 }],
    ['after the first push', 5, { cfa: 16 }],
    ['after all pushes', 12, { cfa: 48, rbp: -48 }],
    ['before the subtraction', 15, { cfa: 48, rbp: -48 }],
    ['in the body', 19, { cfa: 128, rbp: -48 }],
    ['in the body of the second function', 39, { cfa: 304, rbp: -16 }],
  ])('finds the caller %s', (_name, at, expected) => {
    expect(ruleAt(CODE, at)).toMatchObject({ kind: RULE_KIND.register, ...expected });
  });

  test('goes by the frame pointer before the first function', () => {
    expect(ruleAt(CODE, 0).kind).toBe(RULE_KIND.none);
  });

  test.each([
    ['code of another kind', Buffer.from('554889e54157415641554154534883ec18', 'hex').subarray(0, 12)],
    ['a beginning that is cut short', CODE.subarray(0, 16)],
    ['nothing', new Uint8Array(0)],
  ])('leaves %s alone', (_name, bytes) => {
    expect(compileGeneratedCode(bytes, 'x86-64')).toBeUndefined();
  });
});
