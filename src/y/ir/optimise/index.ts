/** The passes over the intermediate form. Each is a pure function from one function to an equal, better one. */
import type { IrFunction, Program } from '../program.ts';
import { simplifyBlocks } from './blocks.ts';
import { coalesceMoves } from './coalesce.ts';
import { shareCommonValues } from './common.ts';
import { compact } from './compact.ts';
import { dropDeadCode } from './dead-code.ts';
import { foldConstants } from './fold.ts';
import { mergeProbes } from './merge-probes.ts';
import { mergeReads } from './merge-reads.ts';

export interface Pass {
  readonly name: string;
  readonly run: (fn: IrFunction) => IrFunction;
}

const ROUND: readonly Pass[] = [
  { name: 'coalesce', run: coalesceMoves },
  { name: 'fold', run: foldConstants },
  { name: 'common', run: shareCommonValues },
  { name: 'blocks', run: simplifyBlocks },
  { name: 'dead-code', run: dropDeadCode },
];

/** In the order in which they run. What one round makes simpler lets the next find more; three find what programs have. */
export const PASSES: readonly Pass[] = [
  ...ROUND,
  ...ROUND,
  { name: 'merge-reads', run: mergeReads },
  ...ROUND,
  { name: 'compact', run: compact },
];

/** Runs every pass over every function, then joins probes whose bodies came out alike. */
export function optimise(program: Program): Program {
  return mergeProbes({ ...program, functions: program.functions.map((fn) => PASSES.reduce((current, pass) => pass.run(current), fn)) });
}
