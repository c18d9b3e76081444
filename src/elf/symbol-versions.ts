/**
 * Versions of dynamic symbols, as `nm -D` writes them: `memcpy@@GLIBC_2.14` for the default of those that the file defines, `memcpy@GLIBC_2.2.5` for others.
 * Source: Linux Standard Base 5.0, "Symbol Versioning".
 */
import { SECTION, type ElfFile, type Section } from './elf-file.ts';
import { parseAtBorder } from './format-error.ts';

const HIDDEN = 0x8000;
const BASE_FLAG = 1;

/** A symbol that was copied into a program stands in it, but its version is one that the program needs, not one that it defines. */
interface VersionName {
  readonly name: string;
  readonly defined: boolean;
}

/** What follows the name of dynamic symbol `index`; empty for symbols without a version. */
export type VersionSuffix = (index: number, defined: boolean) => string;

/** Reads .gnu.version, .gnu.version_d and .gnu.version_r; damaged ones give no suffixes. */
export function readVersions(elf: ElfFile): VersionSuffix {
  const table = elf.sections.find((section) => section.type === SECTION.versions);
  if (!table) return () => '';
  const names = new Map<number, VersionName>();
  for (const section of elf.sections) {
    if (section.type === SECTION.versionsDefined) parseAtBorder(() => readDefined(elf, section, names));
    if (section.type === SECTION.versionsNeeded) parseAtBorder(() => readNeeded(elf, section, names));
  }
  return (index, defined) => {
    const at = table.fileOffset + index * 2;
    if (index * 2 + 2 > table.size || at + 2 > elf.bytes.length) return '';
    const version = elf.reader.u16(at);
    const found = names.get(version & ~HIDDEN);
    if (found === undefined) return '';
    return `${defined && found.defined && (version & HIDDEN) === 0 ? '@@' : '@'}${found.name}`;
  };
}

function versionName(elf: ElfFile, section: Section, offset: number): string {
  const strings = elf.sections[section.link];
  return strings && offset < strings.size ? elf.reader.text(strings.fileOffset + offset, 256) : '';
}

/** Elf64_Verdef: version, flags, index, count, hash, auxiliary, next; its name is the first Verdaux's. The class does not change it. */
function readDefined(elf: ElfFile, section: Section, names: Map<number, VersionName>): void {
  let at = section.fileOffset;
  for (let i = 0; i * 20 < section.size; i++) {
    const flags = elf.reader.u16(at + 2);
    const auxiliary = at + elf.reader.u32(at + 12);
    if ((flags & BASE_FLAG) === 0)
      names.set(elf.reader.u16(at + 4) & ~HIDDEN, { name: versionName(elf, section, elf.reader.u32(auxiliary)), defined: true });
    const next = elf.reader.u32(at + 16);
    if (next === 0) return;
    at += next;
  }
}

/** Elf64_Verneed: version, count, file, auxiliary, next; each Vernaux: hash, flags, index, name, next. */
function readNeeded(elf: ElfFile, section: Section, names: Map<number, VersionName>): void {
  let budget = section.size / 16;
  let at = section.fileOffset;
  for (;;) {
    let auxiliary = at + elf.reader.u32(at + 8);
    for (let i = elf.reader.u16(at + 2); i > 0 && budget-- > 0; i--) {
      const name = versionName(elf, section, elf.reader.u32(auxiliary + 8));
      names.set(elf.reader.u16(auxiliary + 6) & ~HIDDEN, { name, defined: false });
      auxiliary += elf.reader.u32(auxiliary + 12);
    }
    const next = elf.reader.u32(at + 12);
    if (next === 0 || budget-- <= 0) return;
    at += next;
  }
}
