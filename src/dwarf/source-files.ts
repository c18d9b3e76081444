/** File names that entries give by number: DW_AT_decl_file and DW_AT_call_file count in their unit's line program. */
import { At } from './constants.ts';
import type { Die, Unit } from './die.ts';
import { orUndefined } from './format-error.ts';
import { readLineHeader } from './line-program.ts';

const KEPT_UNITS = 64;

export class SourceFiles {
  readonly #files = new Map<Unit, readonly string[]>();

  /** The files of a unit; of a split one, those of its skeleton. Empty when they cannot be read. */
  #of(unit: Unit): readonly string[] {
    const kept = this.#files.get(unit);
    if (kept !== undefined) return kept;
    const owner = unit.signature === undefined ? (unit.file.skeleton ?? unit) : unit;
    const files = orUndefined(() => {
      const root = owner.file.root(owner);
      const offset = root?.unsigned(At.stmtList);
      return offset === undefined ? [] : readLineHeader(owner.file, offset, root?.text(At.compDir) ?? '', owner).files;
    });
    if (this.#files.size >= KEPT_UNITS) this.#files.delete(this.#files.keys().next().value!);
    this.#files.set(unit, files ?? []);
    return files ?? [];
  }

  /** Where an entry, or what it is a copy of, was declared. */
  declaration(chain: readonly Die[]): { readonly file: string; readonly line: number } {
    const fileDie = chain.find((die) => die.has(At.declFile));
    const lineDie = chain.find((die) => die.has(At.declLine));
    const file = fileDie === undefined ? '' : (this.#of(fileDie.unit)[fileDie.unsigned(At.declFile) ?? -1] ?? '');
    return { file, line: lineDie?.unsigned(At.declLine) ?? 0 };
  }

  /** Where an inlined copy was called. */
  callPlace(die: Die): { readonly file: string; readonly line: number } {
    return { file: this.#of(die.unit)[die.unsigned(At.callFile) ?? -1] ?? '', line: die.unsigned(At.callLine) ?? 0 };
  }
}
