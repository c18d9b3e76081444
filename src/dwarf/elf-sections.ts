/** Debug sections and load addresses of a parsed ELF file. */
import { err, ok, type Result } from '../base/index.ts';
import { findSection, findSectionBytes, MACHINE, readSection, type ElfFile } from '../elf/index.ts';
import type { LoadAddresses } from './call-frames.ts';
import type { FormatError } from './format-error.ts';
import type { DebugSections } from './sections.ts';

/** Sections of `elf`, inflated on first use and kept. One that is damaged or too large to inflate counts as absent. */
export function elfDebugSections(elf: ElfFile): DebugSections {
  const read = new Map<string, Uint8Array | undefined>();
  return {
    littleEndian: elf.littleEndian,
    addressSize: elf.is64 ? 8 : 4,
    section(name) {
      if (!read.has(name)) {
        read.set(name, name.endsWith('.dwo') ? joined(elf, name) : only(elf, name));
      }
      return read.get(name);
    },
  };
}

function only(elf: ElfFile, name: string): Uint8Array | undefined {
  const found = findSectionBytes(elf, name);
  return found.ok ? found.value : undefined;
}

/** A `.dwo` file has one section of the same name for each type unit: they are read as one. */
function joined(elf: ElfFile, name: string): Uint8Array | undefined {
  const parts = elf.sections
    .filter((section) => section.name === name)
    .flatMap((section) => {
      const part = readSection(elf, section);
      return part.ok ? [part.value] : [];
    });
  if (parts.length <= 1) return parts[0];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** What `readCallFrames` must know of `elf`; an error when its processor is not one whose frames are understood. */
export function elfLoadAddresses(elf: ElfFile): Result<LoadAddresses, FormatError> {
  const architecture = elf.machine === MACHINE.x86_64 ? 'x86-64' : elf.machine === MACHINE.aarch64 ? 'aarch64' : undefined;
  if (architecture === undefined) {
    return err({ kind: 'damaged', section: 'ELF header', offset: 18, message: `frames of machine ${elf.machine} are not understood` });
  }
  const ehFrame = findSection(elf, '.eh_frame')?.address ?? 0;
  return ok({ architecture, ehFrame, text: findSection(elf, '.text')?.address, data: findSection(elf, '.got')?.address });
}
