/** .gnu_debugdata: an xz-packed ELF file with the function symbols that stripping took ("MiniDebugInfo" in the GDB manual). */
import { ok, type Result } from '../base/index.ts';
import { findSection, parseElf, type ElfFile } from './elf-file.ts';
import type { FormatError } from './format-error.ts';
import { readRawSection } from './section-bytes.ts';
import { unpackXz } from './xz.ts';

/** Real ones unpack to a tenth of the file and less. */
const FREE_BYTES = 16 * 2 ** 20;

/** Unpacks the file inside; undefined when there is none. Memory: at most 16 MiB or twice the outer file's size, whichever is more. */
export function readMiniDebugInfo(elf: ElfFile): Result<ElfFile | undefined, FormatError> {
  const section = findSection(elf, '.gnu_debugdata');
  if (!section) return ok(undefined);
  const packed = readRawSection(elf, section);
  if (!packed.ok) return packed;
  const unpacked = unpackXz(packed.value, Math.max(FREE_BYTES, elf.bytes.length * 2));
  return unpacked.ok ? parseElf(unpacked.value) : unpacked;
}
