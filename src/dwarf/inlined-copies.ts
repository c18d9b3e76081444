/** Where functions were inlined. */
import type { CodeMap } from './code-map.ts';
import { At } from './constants.ts';
import { readDie, type Die, type Unit } from './die.ts';
import { orUndefined } from './format-error.ts';
import type { SourceFiles } from './source-files.ts';

/** One copy of a function inside another. */
export interface InlinedCopy {
  /** Where the copy is entered, as far as the compiler says; else its lowest address. */
  readonly address: number;
  /** Where it was called. */
  readonly file: string;
  readonly line: number;
}

/** Copies, in `units`, of the functions that `isWanted` says; ascending by address. */
export function findInlinedCopies(
  units: readonly Unit[],
  code: CodeMap,
  sources: SourceFiles,
  isWanted: (abstract: Die) => boolean,
): InlinedCopy[] {
  const copies = new Map<string, InlinedCopy>();
  for (const unit of units) {
    orUndefined(() => {
      const blocks = code.blocks(unit);
      const layouts = unit.file.layouts(unit);
      for (let index = 0; index < blocks.die.length; index++) {
        if (blocks.depth[index] === 0) continue;
        const die = readDie(unit, blocks.die[index]!, layouts);
        const key = `${unit.file.skeleton?.index ?? ''} ${die?.number}`;
        const abstract = die?.reference(At.abstractOrigin);
        if (die === undefined || abstract === undefined || !isWanted(abstract)) continue;
        const lowest = Math.min(blocks.start[index]!, copies.get(key)?.address ?? Number.POSITIVE_INFINITY);
        copies.set(key, { address: die.address(At.entryPc) ?? lowest, ...sources.callPlace(die) });
      }
    });
  }
  return [...copies.values()].sort((left, right) => left.address - right.address);
}
