/**
 * Debug information of the files that targets map, each opened once for names, types and lines alike, with what lies beside it: the
 * supplementary file of `dwz`, `.dwo` files and a `.dwp` package.
 */
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DebugInfo, elfDebugSections, type DebugProviders, type DebugSections } from '../dwarf/index.ts';
import { findBuildId, parseElf, type ElfFile } from '../elf/index.ts';

/** Larger ones are left alone: a file is read as a whole. */
const LARGEST = 2 ** 31 - 1;

export class DebugFiles {
  readonly #directories: readonly string[];
  readonly #opened = new Map<ElfFile, DebugInfo | undefined>();

  /** @param directories as `/usr/lib/debug` */
  constructor(directories: readonly string[]) {
    this.#directories = directories;
  }

  /**
   * @param file the mapped file or its debug file; the same object each time
   * @param path of the mapped file as the target sees it
   * @param root put before paths to find the target's files from here; empty for this host's own
   * @returns undefined when it has none
   */
  open(file: ElfFile, path: string, root: string): DebugInfo | undefined {
    if (!this.#opened.has(file)) this.#opened.set(file, this.#open(file, path, root));
    return this.#opened.get(file);
  }

  #open(file: ElfFile, path: string, root: string): DebugInfo | undefined {
    if (!hasDebugInfo(file)) return undefined;
    const opened = DebugInfo.open(elfDebugSections(file), this.#providers(path, root));
    return opened.ok ? opened.value : undefined;
  }

  #providers(path: string, root: string): DebugProviders {
    const folder = dirname(path);
    const here = (places: readonly string[]): readonly string[] =>
      root === '' ? places : [...places.map((place) => join(root, place)), ...places];
    return {
      // The compiler's folder may be another machine's: then they lie beside the program.
      split: (name, directory) => firstOf(here([name.startsWith('/') ? name : join(directory, name), join(folder, basename(name))])),
      package: () => firstOf(here([`${path}.dwp`, ...this.#directories.map((directory) => `${join(directory, path)}.dwp`)])),
      supplementary: (name, buildId) => {
        // As GDB does: by the path, which is relative to the debug file's folder, or by the build id.
        const named = name.startsWith('/')
          ? [name]
          : [join(folder, name), ...this.#directories.map((one) => join(one, '.dwz', basename(name)))];
        const byId = this.#directories.map((one) => join(one, '.build-id', buildId.slice(0, 2), `${buildId.slice(2)}.debug`));
        return firstOf(here([...named, ...byId]), buildId);
      },
    };
  }
}

export function hasDebugInfo(elf: ElfFile): boolean {
  return elf.sections.some(({ name }) => name === '.debug_info' || name === '.zdebug_info');
}

/** The first of the files that is there, is an ELF file, and has the build id where one is wanted. */
function firstOf(paths: readonly string[], buildId?: string): DebugSections | undefined {
  for (const path of paths) {
    const elf = load(path);
    if (elf !== undefined && (buildId === undefined || findBuildId(elf) === buildId)) return elfDebugSections(elf);
  }
  return undefined;
}

function load(path: string): ElfFile | undefined {
  try {
    if (statSync(path).size > LARGEST) return undefined;
    const elf = parseElf(readFileSync(path));
    return elf.ok ? elf.value : undefined;
  } catch {
    return undefined;
  }
}
