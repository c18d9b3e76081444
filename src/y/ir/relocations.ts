/** The list of numbers that must be found again where a program is loaded. */
import type { Program, Relocation } from './program.ts';

/** Collects what the instructions say of themselves, after the last pass that moves them. */
export function recordRelocations(program: Program): Program {
  const relocations: Relocation[] = [];
  program.functions.forEach((fn, index) => {
    fn.blocks.forEach((block, at) => {
      block.instructions.forEach(({ relocate }, instruction) => {
        if (relocate !== undefined) relocations.push({ function: index, block: at, instruction, target: relocate });
      });
    });
  });
  return { ...program, relocations };
}
