/** Split DWARF: the units that a program's skeletons stand for, from `.dwo` files or a package (`.dwp`). DWARF 5, 7.3.2 and 7.3.5. */
import { At } from './constants.ts';
import { Cursor } from './cursor.ts';
import { DebugFile } from './debug-file.ts';
import type { Die, Unit } from './die.ts';
import { orUndefined } from './format-error.ts';
import type { DebugSections } from './sections.ts';

/** How other files of debug information are come by. Each is asked at most once for each file; undefined means that it is not there. */
export interface DebugProviders {
  /** A `.dwo` file: its name and directory as the compiler wrote them, and the id that its unit has. */
  readonly split?: ((name: string, directory: string, id: bigint) => DebugSections | undefined) | undefined;
  /** The program's package of split units. */
  readonly package?: (() => DebugSections | undefined) | undefined;
  /** The supplementary file of `dwz`: its path as written, and its build id in lower case hexadecimal. */
  readonly supplementary?: ((path: string, buildId: string) => DebugSections | undefined) | undefined;
}

export class SplitUnits {
  readonly #providers: DebugProviders;
  readonly #files = new Map<Unit, DebugFile | undefined>();
  readonly #typeFiles = new Map<bigint, DebugFile | undefined>();
  #package: { readonly compile: PackageIndex; readonly type: PackageIndex } | undefined;
  #packageAsked = false;
  /** Skeletons whose units could not be had. */
  missing = 0;

  constructor(providers: DebugProviders) {
    this.#providers = providers;
  }

  /** The file of the unit that `skeleton` stands for; undefined when it is an ordinary unit, or the file is not to be had. */
  fileOf(skeleton: Unit): DebugFile | undefined {
    if (!this.#files.has(skeleton))
      this.#files.set(
        skeleton,
        orUndefined(() => this.#open(skeleton)),
      );
    return this.#files.get(skeleton);
  }

  /** The unit that `skeleton` stands for. */
  unitOf(skeleton: Unit): Unit | undefined {
    return this.fileOf(skeleton)?.units.find((unit) => unit.signature === undefined);
  }

  #open(skeleton: Unit): DebugFile | undefined {
    const { file } = skeleton;
    const root = file.root(skeleton);
    if (root === undefined || !file.isSkeleton(skeleton, root)) return undefined;
    const id = skeleton.dwoId ?? root.big(At.gnuDwoId, false) ?? 0n;
    const name = root.text(At.dwoName) ?? root.text(At.gnuDwoName) ?? '';
    const sections = this.#packages()?.compile.sections(id) ?? this.#providers.split?.(name, root.text(At.compDir) ?? '', id);
    if (sections === undefined) {
      this.missing++;
      return undefined;
    }
    const split = new DebugFile(sections, { split: { skeleton } });
    split.findSignature = (signature) => this.#type(signature, skeleton);
    return split;
  }

  #packages(): { readonly compile: PackageIndex; readonly type: PackageIndex } | undefined {
    if (this.#packageAsked) return this.#package;
    this.#packageAsked = true;
    const sections = this.#providers.package?.();
    if (sections === undefined) return undefined;
    this.#package = { compile: new PackageIndex(sections, '.debug_cu_index'), type: new PackageIndex(sections, '.debug_tu_index') };
    return this.#package;
  }

  /** The files of all type units of the package; `skeleton` is any. */
  typeFiles(skeleton: Unit): DebugFile[] {
    const signatures = this.#packages()?.type.ids() ?? [];
    return [...signatures].flatMap((signature) => this.#typeFile(signature, skeleton) ?? []);
  }

  /** A type unit of the package. */
  #type(signature: bigint, skeleton: Unit): Die | undefined {
    return this.#typeFile(signature, skeleton)?.ownTypeBySignature(signature);
  }

  #typeFile(signature: bigint, skeleton: Unit): DebugFile | undefined {
    if (!this.#typeFiles.has(signature)) {
      const sections = this.#packages()?.type.sections(signature);
      const file = sections && new DebugFile(sections, { split: { skeleton } });
      if (file !== undefined) file.findSignature = (other) => this.#type(other, skeleton);
      this.#typeFiles.set(signature, file);
    }
    return this.#typeFiles.get(signature);
  }
}

/** DW_SECT_* (DWARF 5, table 7.1; number 2 and 5 as GNU's version 2 has them). */
const SECTIONS: Readonly<Record<number, string>> = {
  1: '.debug_info.dwo',
  2: '.debug_types.dwo',
  3: '.debug_abbrev.dwo',
  4: '.debug_line.dwo',
  6: '.debug_str_offsets.dwo',
  8: '.debug_rnglists.dwo',
};

/** The hash table of a package's units by id: each row says which part of each section is a unit's. */
class PackageIndex {
  readonly #sections: DebugSections;
  readonly #rows = new Map<bigint, ReadonlyMap<string, Uint8Array>>();

  constructor(sections: DebugSections, name: string) {
    this.#sections = sections;
    const bytes = sections.section(name);
    if (bytes !== undefined) orUndefined(() => this.#read(new Cursor(bytes, name, sections.littleEndian)));
  }

  #read(cursor: Cursor): void {
    const version = cursor.u32() & 0xffff;
    if (version !== 2 && version !== 5) cursor.fail(`a package's index of version ${version}`);
    const columns = cursor.u32();
    const units = cursor.u32();
    const slots = cursor.u32();
    const tables = cursor.pos + slots * 12;
    if (tables + columns * 4 + units * columns * 8 > cursor.end) cursor.fail(`an index of ${units} units and ${slots} slots is cut short`);
    for (let slot = 0; slot < slots; slot++) {
      cursor.seek(16 + slots * 8 + slot * 4);
      const row = cursor.u32();
      if (row === 0 || row > units) continue;
      cursor.seek(16 + slot * 8);
      this.#rows.set(cursor.bigU64(), this.#parts(cursor, tables, columns, units, row, version));
    }
  }

  #parts(cursor: Cursor, tables: number, columns: number, units: number, row: number, version: number): Map<string, Uint8Array> {
    const parts = new Map<string, Uint8Array>();
    const word = (at: number): number => {
      cursor.seek(at);
      return cursor.u32();
    };
    for (let column = 0; column < Math.min(columns, 16); column++) {
      const id = word(tables + column * 4);
      const name = id === 8 && version === 2 ? undefined : SECTIONS[id];
      if (name === undefined) continue;
      const offset = word(tables + (row * columns + column) * 4);
      const size = word(tables + ((units + row) * columns + column) * 4);
      parts.set(name, (this.#sections.section(name) ?? new Uint8Array(0)).subarray(offset, offset + size));
    }
    return parts;
  }

  ids(): Iterable<bigint> {
    return this.#rows.keys();
  }

  /** Sections of one unit: its parts of those that are divided, the others whole. */
  sections(id: bigint): DebugSections | undefined {
    const parts = this.#rows.get(id);
    if (parts === undefined) return undefined;
    const all = this.#sections;
    const divided = new Set(Object.values(SECTIONS));
    const section = (name: string): Uint8Array | undefined => (divided.has(name) ? parts.get(name) : all.section(name));
    return { section, littleEndian: all.littleEndian, addressSize: all.addressSize };
  }
}

/** What `.gnu_debugaltlink` says: the supplementary file's path and build id. */
export function readAltLink(sections: DebugSections): { readonly path: string; readonly buildId: string } | undefined {
  const bytes = sections.section('.gnu_debugaltlink');
  if (bytes === undefined) return undefined;
  const nul = bytes.indexOf(0);
  if (nul < 0) return undefined;
  const buildId = [...bytes.subarray(nul + 1)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return { path: new TextDecoder().decode(bytes.subarray(0, nul)), buildId };
}
