/** `t = …; r = t` becomes `r = …` where `t` serves nothing else. */
import type { Block, Instruction, IrFunction } from '../program.ts';
import { findUses } from '../uses.ts';

export function coalesceMoves(fn: IrFunction): IrFunction {
  const counts = countUses(fn);
  const parameters = fn.parameters.filter((kind) => kind !== 'text').length;
  const single = (register: number): boolean => register >= parameters && counts.reads[register] === 1 && counts.writes[register] === 1;
  return { ...fn, blocks: fn.blocks.map((block) => coalesceBlock(fn, block, single)) };
}

function countUses(fn: IrFunction): { readonly reads: readonly number[]; readonly writes: readonly number[] } {
  const reads = fn.registers.map(() => 0);
  const writes = fn.registers.map(() => 0);
  for (const { instructions, end } of fn.blocks) {
    for (const one of [...instructions, end]) {
      const uses = findUses(one);
      for (const register of uses.reads) reads[register]!++;
      for (const register of uses.writes) writes[register]!++;
    }
  }
  return { reads, writes };
}

function coalesceBlock(fn: IrFunction, block: Block, single: (register: number) => boolean): Block {
  const instructions: Instruction[] = [];
  for (const one of block.instructions) {
    const before = instructions.at(-1);
    const direct = one.op === 'move' && 'register' in one.from && before !== undefined && 'to' in before && before.to === one.from.register;
    if (direct && single(one.from.register) && fn.registers[one.to] === fn.registers[one.from.register]) {
      instructions[instructions.length - 1] = { ...before, to: one.to } as Instruction;
    } else instructions.push(one);
  }
  return { instructions, end: block.end };
}
