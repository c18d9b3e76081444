/**
 * eBPF instructions: 8-byte slots, little-endian (RFC 9669, sections 3 to 5). An instruction with a 64-bit immediate takes two slots; the
 * second has opcode 0 and carries the upper half. All indexes into a program count slots, as the kernel does.
 */
import { assert } from '../base/index.ts';

export const SLOT_BYTES = 8;

/** One slot. */
export interface Instruction {
  /** 0–255. */
  readonly opcode: number;
  /** Register, 0–10 (0–15 can be encoded). */
  readonly dst: number;
  /** Register, or a pseudo source (see `Pseudo`). */
  readonly src: number;
  /** Signed 16 bits. */
  readonly offset: number;
  /** Signed 32 bits. */
  readonly imm: number;
}

/** Low three bits of the opcode. */
export const Class = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, JMP32: 6, ALU64: 7 } as const;

/** Bit 3 of arithmetic and jumps: the second operand is a register. */
export const SOURCE_REGISTER = 0x08;

/** Upper four bits of arithmetic. */
export const Alu = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  neg: 0x80,
  mod: 0x90,
  xor: 0xa0,
  mov: 0xb0,
  arsh: 0xc0,
  end: 0xd0,
} as const;

/** Upper four bits of jumps. */
export const Jump = {
  ja: 0x00,
  eq: 0x10,
  gt: 0x20,
  ge: 0x30,
  set: 0x40,
  ne: 0x50,
  sgt: 0x60,
  sge: 0x70,
  call: 0x80,
  exit: 0x90,
  lt: 0xa0,
  le: 0xb0,
  slt: 0xc0,
  sle: 0xd0,
} as const;

/** Bits 3 and 4 of loads and stores, by size in bytes. */
export const SIZE_BITS = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 } as const;

/** Upper three bits of loads and stores. */
export const Mode = { IMM: 0x00, ABS: 0x20, IND: 0x40, MEM: 0x60, MEMSX: 0x80, ATOMIC: 0xc0 } as const;

/** `imm` of an atomic instruction. `fetch` is a bit; `xchg` and `cmpxchg` always fetch. */
export const Atomic = { add: 0x00, or: 0x40, and: 0x50, xor: 0xa0, fetch: 0x01, xchg: 0xe1, cmpxchg: 0xf1 } as const;

/** `src` of a 64-bit immediate load, and of a call. */
export const Pseudo = { mapFd: 1, mapValue: 2, btfId: 3, func: 4, call: 1, kernelCall: 2 } as const;

/** The opcode that loads a 64-bit immediate (two slots). */
export const LOAD_IMM64 = 0x18;

/** Bytes of a list of slots; the array is new. Fields out of range are our own bug. */
export function encodeInstructions(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * SLOT_BYTES);
  const data = new DataView(bytes.buffer);
  for (const [index, { opcode, dst, src, offset, imm }] of instructions.entries()) {
    const at = index * SLOT_BYTES;
    assert(opcode >= 0 && opcode <= 0xff && dst >= 0 && dst <= 15 && src >= 0 && src <= 15, `fields of slot ${index}`);
    assert(offset >= -0x8000 && offset <= 0x7fff, `offset ${offset} of slot ${index}`);
    assert(Number.isInteger(imm) && imm >= -(2 ** 31) && imm < 2 ** 31, `immediate ${imm} of slot ${index}`);
    data.setUint8(at, opcode);
    data.setUint8(at + 1, dst | (src << 4));
    data.setInt16(at + 2, offset, true);
    data.setInt32(at + 4, imm, true);
  }
  return bytes;
}

/** Slots of a program's bytes. Bytes after the last whole slot are our own bug. */
export function decodeInstructions(code: Uint8Array): Instruction[] {
  assert(code.length % SLOT_BYTES === 0, `${code.length} bytes are no whole number of slots`);
  const data = new DataView(code.buffer, code.byteOffset, code.byteLength);
  return Array.from({ length: code.length / SLOT_BYTES }, (_, index) => {
    const at = index * SLOT_BYTES;
    const registers = data.getUint8(at + 1);
    return {
      opcode: data.getUint8(at),
      dst: registers & 0xf,
      src: registers >> 4,
      offset: data.getInt16(at + 2, true),
      imm: data.getInt32(at + 4, true),
    };
  });
}

/** The 64-bit immediate of the two slots at `index`, as a number of 64 bits without sign. */
export function immediate64(slots: readonly Instruction[], index: number): bigint {
  return (BigInt(slots[index + 1]!.imm >>> 0) << 32n) | BigInt(slots[index]!.imm >>> 0);
}
