import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatInstruction } from './disassembler.ts';
import { decodeInstructions, encodeInstructions, immediate64, type Instruction } from './instruction.ts';

const instruction: fc.Arbitrary<Instruction> = fc.record({
  opcode: fc.integer({ min: 0, max: 255 }),
  dst: fc.integer({ min: 0, max: 15 }),
  src: fc.integer({ min: 0, max: 15 }),
  offset: fc.integer({ min: -0x8000, max: 0x7fff }),
  imm: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
});

test('decodeInstructions() gives back what encodeInstructions() wrote', () => {
  fc.assert(
    fc.property(fc.array(instruction), (slots) => {
      expect(decodeInstructions(encodeInstructions(slots))).toEqual(slots);
    }),
  );
});

test('encodeInstructions() gives back the bytes that decodeInstructions() read, and any slot has a text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 160 }), (bytes) => {
      const code = bytes.subarray(0, bytes.length & ~7);
      const slots = decodeInstructions(code);
      expect(encodeInstructions(slots)).toEqual(Uint8Array.from(code));
      for (let index = 0; index + 1 < slots.length; index++) expect(formatInstruction(slots, index)).toMatch(/^\([0-9a-f]{2}\) \S/);
    }),
  );
});

test('a field that does not fit is refused', () => {
  const slot = { opcode: 0x05, dst: 0, src: 0, offset: 0, imm: 0 };
  expect(() => encodeInstructions([{ ...slot, offset: 0x8000 }])).toThrow('offset 32768');
  expect(() => encodeInstructions([{ ...slot, imm: 2 ** 31 }])).toThrow('immediate');
  expect(() => encodeInstructions([{ ...slot, dst: 16 }])).toThrow('fields');
});

test('immediate64() joins both halves', () => {
  const half = (imm: number) => ({ opcode: 0x18, dst: 0, src: 0, offset: 0, imm });
  expect(immediate64([half(-1), half(0x7fff_ffff)], 0)).toBe(0x7fff_ffff_ffff_ffffn);
});
