/**
 * Names for the stubs that calls to other libraries go through: `malloc@plt`.
 *
 * A stub jumps through a slot of the global offset table; the relocation of that slot names the function. So each
 * stub's jump is decoded, which does not depend on the linker's layout (.plt, .plt.sec, .plt.got; GNU ld, gold, lld).
 */
import { ByteReader } from './byte-reader.ts';
import { MACHINE, SECTION_FLAG, type ElfFile, type Section } from './elf-file.ts';
import { parseAtBorder } from './format-error.ts';
import { visitRelocations } from './relocations.ts';
import { readRawSection } from './section-bytes.ts';
import { findImageBase, readRawSymbols, type SymbolTable } from './symbol-table.ts';

const PLT_SECTIONS = new Set(['.plt', '.plt.sec', '.plt.got', '.iplt']);
const DEFAULT_ENTRY = 16;

/** The file's stubs as a table like that of its functions; empty when it has none or its processor is not known. */
export function readPltSymbols(elf: ElfFile): SymbolTable {
  const base = findImageBase(elf);
  const stubs: { start: number; end: number; name: string }[] = [];
  const decode = elf.machine === MACHINE.x86_64 ? decodeX86_64 : elf.machine === MACHINE.aarch64 ? decodeAarch64 : undefined;
  const sections = elf.sections.filter((s) => PLT_SECTIONS.has(s.name) && (s.flags & SECTION_FLAG.executable) !== 0).slice(0, 8);
  if (decode && sections.length > 0) {
    const slots = readSlotNames(elf);
    for (const section of sections) {
      const bytes = readRawSection(elf, section);
      if (bytes.ok) parseAtBorder(() => stubs.push(...readStubs(section, bytes.value, slots, decode)));
    }
  }
  const inRange = stubs.filter(({ start, end }) => start >= base && end - base <= 0xffff_ffff).sort((a, b) => a.start - b.start);
  return {
    count: inRange.length,
    base,
    starts: Uint32Array.from(inRange, (stub) => stub.start - base),
    ends: Uint32Array.from(inRange, (stub) => stub.end - base),
    sized: new Uint8Array(inRange.length).fill(1),
    name: (index) => inRange[index]!.name,
    version: () => '',
    skipped: stubs.length - inRange.length,
  };
}

function readSlotNames(elf: ElfFile): Map<number, string> {
  const raw = readRawSymbols(elf, 'dynsym');
  const symbols = raw.ok ? raw.value : undefined;
  const slots = new Map<number, string>();
  visitRelocations(elf, ({ address, kind, symbol, addend }) => {
    if (kind === 'indirect-relative') slots.set(address, `*ABS*+0x${addend.toString(16)}@plt`);
    else if ((kind === 'jump-slot' || kind === 'global-data') && symbols && symbol < symbols.count) {
      slots.set(address, `${symbols.name(symbol)}@plt`);
    }
  });
  return slots;
}

/** Gives the address of the slot that the stub in `[at, at + size)` jumps through. */
type Decode = (reader: ByteReader, at: number, size: number, address: number) => number | undefined;

function readStubs(section: Section, bytes: Uint8Array, slots: ReadonlyMap<number, string>, decode: Decode) {
  const reader = new ByteReader(bytes, true);
  const step = section.entrySize >= 8 && section.entrySize <= 64 ? section.entrySize : DEFAULT_ENTRY;
  const stubs: { start: number; end: number; name: string }[] = [];
  // AArch64's first entry is twice as long as the others, and `sh_entsize` is then only a hint.
  for (let at = 0; at + 8 <= bytes.length; at += step) {
    const start = section.address + at;
    const slot = decode(reader, at, Math.min(step, bytes.length - at), start);
    const name = slot === undefined ? undefined : slots.get(slot);
    if (name !== undefined) stubs.push({ start, end: start + step, name });
  }
  return stubs;
}

/** `[endbr64] [bnd] jmp *displacement(%rip)`: ff 25 and four bytes. */
const decodeX86_64: Decode = (reader, at, size, address) => {
  for (let i = 0; i + 6 <= size && i <= 5; i++) {
    if (reader.u8(at + i) === 0xff && reader.u8(at + i + 1) === 0x25) return address + i + 6 + reader.i32(at + i + 2);
  }
  return undefined;
};

/** `[bti c] adrp x16, page; ldr x17, [x16, #offset]`. */
const decodeAarch64: Decode = (reader, at, size, address) => {
  for (let i = 0; i + 8 <= size && i <= 4; i += 4) {
    const adrp = reader.u32(at + i);
    const load = reader.u32(at + i + 4);
    if ((adrp & 0x9f00001f) >>> 0 !== 0x90000010 || (load & 0xffc003ff) >>> 0 !== 0xf9400211) continue;
    const pages = (((((adrp >>> 5) & 0x7ffff) << 2) | ((adrp >>> 29) & 3)) << 11) >> 11;
    return Math.floor((address + i) / 4096) * 4096 + pages * 4096 + ((load >>> 10) & 0xfff) * 8;
  }
  return undefined;
};
