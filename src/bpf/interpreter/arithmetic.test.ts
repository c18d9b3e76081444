import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { alu32, alu64, compare, createRegisters, getRegister, reorder, setRegister } from './arithmetic.ts';

const u64 = (value: bigint) => BigInt.asUintN(64, value);
const s64 = (value: bigint) => BigInt.asIntN(64, value);
const u32 = (value: bigint) => BigInt.asUintN(32, value);
const s32 = (value: bigint) => BigInt.asIntN(32, value);

/** Values at which carries and signs change, and any other. */
const word = fc.oneof(
  fc.constantFrom(
    0n,
    1n,
    0x7fff_ffffn,
    0x8000_0000n,
    0xffff_ffffn,
    0x1_0000_0000n,
    0x7fff_ffff_ffff_ffffn,
    0x8000_0000_0000_0000n,
    0xffff_ffff_ffff_ffffn,
  ),
  fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
);

type Operation = (a: bigint, b: bigint, bits: bigint) => bigint;
const operations: Readonly<Record<string, readonly [number, boolean, Operation]>> = {
  add: [0x00, false, (a, b) => a + b],
  sub: [0x10, false, (a, b) => a - b],
  mul: [0x20, false, (a, b) => a * b],
  div: [0x30, false, (a, b) => (b === 0n ? 0n : a / b)],
  mod: [0x90, false, (a, b) => (b === 0n ? a : a % b)],
  sdiv: [0x30, true, (a, b, bits) => (b === 0n ? 0n : BigInt.asIntN(Number(bits), a) / BigInt.asIntN(Number(bits), b))],
  smod: [0x90, true, (a, b, bits) => (b === 0n ? a : BigInt.asIntN(Number(bits), a) % BigInt.asIntN(Number(bits), b))],
  or: [0x40, false, (a, b) => a | b],
  and: [0x50, false, (a, b) => a & b],
  xor: [0xa0, false, (a, b) => a ^ b],
  lsh: [0x60, false, (a, b, bits) => a << (b & (bits - 1n))],
  rsh: [0x70, false, (a, b, bits) => a >> (b & (bits - 1n))],
  arsh: [0xc0, false, (a, b, bits) => BigInt.asIntN(Number(bits), a) >> (b & (bits - 1n))],
  neg: [0x80, false, (a) => -a],
  mov: [0xb0, false, (_, b) => b],
};

test.each(Object.entries(operations))('%s agrees with bigint, on 64 and on 32 bits', (_, [code, signed, expected]) => {
  fc.assert(
    fc.property(word, word, (a, b) => {
      const file = createRegisters();
      setRegister(file, 1, a);
      expect(alu64(file, 1, code, Number(s32(b)), Number(s32(b >> 32n)), signed)).toBe(true);
      expect(getRegister(file, 1)).toBe(u64(expected(a, b, 64n)));
      setRegister(file, 1, a);
      expect(alu32(file, 1, code, Number(s32(b)), signed)).toBe(true);
      expect(getRegister(file, 1)).toBe(u32(expected(u32(a), u32(b), 32n)));
    }),
  );
});

test('compare() agrees with bigint', () => {
  const conditions: Readonly<Record<number, (a: bigint, b: bigint, sa: bigint, sb: bigint) => boolean>> = {
    0x10: (a, b) => a === b,
    0x20: (a, b) => a > b,
    0x30: (a, b) => a >= b,
    0x40: (a, b) => (a & b) !== 0n,
    0x50: (a, b) => a !== b,
    0x60: (_a, _b, sa, sb) => sa > sb,
    0x70: (_a, _b, sa, sb) => sa >= sb,
    0xa0: (a, b) => a < b,
    0xb0: (a, b) => a <= b,
    0xc0: (_a, _b, sa, sb) => sa < sb,
    0xd0: (_a, _b, sa, sb) => sa <= sb,
  };
  const halves = (value: bigint) => [Number(s32(value)), Number(s32(value >> 32n))] as const;
  fc.assert(
    fc.property(word, fc.oneof(word, fc.constant(undefined)), (a, other) => {
      const b = other ?? a;
      for (const [code, expected] of Object.entries(conditions)) {
        expect(compare(Number(code), true, ...halves(a), ...halves(b))).toBe(expected(a, b, s64(a), s64(b)));
        expect(compare(Number(code), false, ...halves(a), ...halves(b))).toBe(expected(u32(a), u32(b), s32(a), s32(b)));
      }
    }),
  );
});

test('reorder() cuts and swaps', () => {
  const file = createRegisters();
  const after = (bits: number, swap: boolean) => {
    setRegister(file, 2, 0x0102030405060708n);
    reorder(file, 2, bits, swap);
    return getRegister(file, 2).toString(16);
  };
  expect([16, 32, 64].map((bits) => after(bits, false))).toEqual(['708', '5060708', '102030405060708']);
  expect([16, 32, 64].map((bits) => after(bits, true))).toEqual(['807', '8070605', '807060504030201']);
});
