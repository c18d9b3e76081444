/** Relocations that the dynamic linker applies. Sources: gABI "Relocation"; psABIs of x86-64, i386, AArch64 and ARM for the types. */
import { ByteReader } from './byte-reader.ts';
import { MACHINE, SECTION, SECTION_FLAG, type ElfFile, type Section } from './elf-file.ts';
import { parseAtBorder } from './format-error.ts';
import { readRawSection } from './section-bytes.ts';

/** What a relocation asks for, whatever the processor calls it. */
export type RelocationKind = 'jump-slot' | 'global-data' | 'relative' | 'indirect-relative' | 'other';

export interface Relocation {
  /** The address that is filled. */
  readonly address: number;
  readonly kind: RelocationKind;
  /** Index in .dynsym; 0 for none. */
  readonly symbol: number;
  /** 0 for relocations that keep it in the place itself (SHT_REL). */
  readonly addend: number;
}

const KINDS: Readonly<Record<number, Readonly<Record<number, RelocationKind>>>> = {
  [MACHINE.x86_64]: { 6: 'global-data', 7: 'jump-slot', 8: 'relative', 37: 'indirect-relative' },
  [MACHINE.x86]: { 6: 'global-data', 7: 'jump-slot', 8: 'relative', 42: 'indirect-relative' },
  [MACHINE.aarch64]: { 1025: 'global-data', 1026: 'jump-slot', 1027: 'relative', 1032: 'indirect-relative' },
  [MACHINE.arm]: { 21: 'global-data', 22: 'jump-slot', 23: 'relative', 160: 'indirect-relative' },
};

const isDynamic = (section: Section): boolean =>
  (section.type === SECTION.rela || section.type === SECTION.rel) && (section.flags & SECTION_FLAG.alloc) !== 0;

/** Calls `visit` for each dynamic relocation (.rela.dyn, .rela.plt, or their REL forms). Sections that lie outside of the file give none. */
export function visitRelocations(elf: ElfFile, visit: (relocation: Relocation) => void): void {
  let left = elf.bytes.length;
  for (const section of elf.sections.filter(isDynamic)) {
    const bytes = readRawSection(elf, section);
    // Hostile headers may name the same bytes many times: no more is read than the file has.
    if (!bytes.ok || (left -= section.size) < 0) continue;
    parseAtBorder(() => visitSection(elf, section, bytes.value, visit));
  }
}

function visitSection(elf: ElfFile, section: Section, bytes: Uint8Array, visit: (relocation: Relocation) => void): void {
  const reader = new ByteReader(bytes, elf.littleEndian);
  const hasAddend = section.type === SECTION.rela;
  const entry = (elf.is64 ? 16 : 8) + (hasAddend ? (elf.is64 ? 8 : 4) : 0);
  const kinds = KINDS[elf.machine] ?? {};
  const [typeAt, symbolAt] = elf.littleEndian ? [8, 12] : [12, 8];
  for (let at = 0; at + entry <= bytes.length; at += entry) {
    const info = elf.is64 ? 0 : reader.u32(at + 4);
    const type = elf.is64 ? reader.u32(at + typeAt) : info & 0xff;
    visit({
      address: elf.is64 ? reader.u64(at) : reader.u32(at),
      kind: kinds[type] ?? 'other',
      symbol: elf.is64 ? reader.u32(at + symbolAt) : info >>> 8,
      addend: hasAddend ? (elf.is64 ? reader.i64(at + 16) : reader.i32(at + 8)) : 0,
    });
  }
}

/**
 * What the dynamic linker would add the load address to: address → value as linked, of relative relocations with an addend.
 * In position-independent files these places hold zero until then. Only places in `[from, to)` are kept.
 */
export function readRelativeValues(elf: ElfFile, from: number, to: number): Map<number, number> {
  const values = new Map<number, number>();
  visitRelocations(elf, ({ address, kind, addend }) => {
    if (kind === 'relative' && address >= from && address < to) values.set(address, addend);
  });
  return values;
}
