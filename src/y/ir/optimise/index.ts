/** The passes over the intermediate form. Each is a pure function from one function to an equal, better one. */
import type { Program } from '../program.ts';

export function optimise(program: Program): Program {
  return program;
}
