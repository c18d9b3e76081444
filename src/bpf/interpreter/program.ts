/** A program made ready to run: fields of its slots in arrays, maps filled in. */
import { decodeInstructions, Pseudo } from '../instruction.ts';
import type { ProgramSpec } from '../object.ts';
import type { InterpreterMap } from './maps.ts';

export interface ReadyProgram {
  readonly spec: ProgramSpec;
  readonly opcode: Uint8Array;
  readonly dst: Uint8Array;
  readonly src: Uint8Array;
  readonly offset: Int16Array;
  readonly imm: Int32Array;
}

/** Fills in the addresses of maps. A name that is no map's is the compiler's bug, and returned. */
export function prepare(
  spec: ProgramSpec,
  findMap: (name: string) => InterpreterMap | undefined,
): ReadyProgram | { readonly missing: string } {
  const slots = decodeInstructions(spec.code);
  const program = {
    spec,
    opcode: Uint8Array.from(slots, ({ opcode }) => opcode),
    dst: Uint8Array.from(slots, ({ dst }) => dst),
    src: Uint8Array.from(slots, ({ src }) => src),
    offset: Int16Array.from(slots, ({ offset }) => offset),
    imm: Int32Array.from(slots, ({ imm }) => imm),
  };
  for (const { slot, map: name, kind, offset } of spec.maps) {
    const map = findMap(name);
    if (map === undefined) return { missing: name };
    const address = kind === 'map' ? map.address : map.addressOf(new Uint8Array(map.shape.keyBytes), 0) + BigInt(offset);
    program.src[slot] = 0;
    program.imm[slot] = Number(BigInt.asIntN(32, address));
    program.imm[slot + 1] = Number(BigInt.asIntN(32, address >> 32n));
  }
  // A function's address is its slot: it can be given to helpers, and reads nothing.
  for (let slot = 0; slot < slots.length; slot++)
    if (program.opcode[slot] === 0x18 && program.src[slot] === Pseudo.func) program.imm[slot] = slot + program.imm[slot]! + 1;
  return program;
}
