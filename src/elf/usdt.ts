/**
 * USDT probes: notes that <sys/sdt.h> leaves for each probe site.
 * Source: systemtap wiki, "UserSpaceProbeImplementation" (.note.stapsdt, .stapsdt.base, semaphores).
 */
import { ByteReader, textOf } from './byte-reader.ts';
import { findFileOffset, findSection, type ElfFile } from './elf-file.ts';
import { parseAtBorder } from './format-error.ts';
import { readNotes } from './notes.ts';
import { parseUsdtArguments, type UsdtArgument } from './usdt-operand.ts';

const NT_STAPSDT = 3;

/** One place where a probe fires; a probe may have several. */
export interface UsdtProbe {
  readonly provider: string;
  readonly name: string;
  /** Linked address of the one-byte instruction, corrected for prelinking. */
  readonly location: number;
  /** The same as a file offset, for attaching; undefined when no segment holds it. */
  readonly fileOffset: number | undefined;
  /** Linked address of the 16-bit counter that must be above 0 for the probe to be prepared; undefined when it has none. */
  readonly semaphore: number | undefined;
  readonly semaphoreFileOffset: number | undefined;
  readonly arguments: readonly UsdtArgument[];
  /** The arguments as the file spells them. */
  readonly argumentText: string;
}

/** Reads all probe sites, in the file's order; damaged notes are left out. */
export function readUsdtProbes(elf: ElfFile): UsdtProbe[] {
  const base = findSection(elf, '.stapsdt.base')?.address;
  const probes: UsdtProbe[] = [];
  for (const note of readNotes(elf)) {
    if (note.owner !== 'stapsdt' || note.type !== NT_STAPSDT) continue;
    const probe = parseAtBorder(() => readProbe(elf, new ByteReader(note.description, elf.littleEndian), base));
    if (probe.ok) probes.push(probe.value);
  }
  return probes;
}

function readProbe(elf: ElfFile, reader: ByteReader, base: number | undefined): UsdtProbe {
  const size = elf.is64 ? 8 : 4;
  const word = (index: number): number => (elf.is64 ? reader.u64(index * 8) : reader.u32(index * 4));
  // The note keeps where .stapsdt.base was when it was linked; prelink may have moved the file since.
  const shift = base !== undefined && word(1) !== 0 ? base - word(1) : 0;
  const providerEnd = reader.endOfText(size * 3);
  const nameEnd = reader.endOfText(Math.min(providerEnd + 1, reader.length));
  const textAt = (from: number): string => textOf(reader.bytes.subarray(from));
  const argumentText = textAt(nameEnd + 1);
  const location = word(0) + shift;
  const semaphore = word(2) === 0 ? undefined : word(2) + shift;
  return {
    provider: textAt(size * 3),
    name: textAt(providerEnd + 1),
    location,
    fileOffset: findFileOffset(elf, location),
    semaphore,
    semaphoreFileOffset: semaphore === undefined ? undefined : findFileOffset(elf, semaphore),
    arguments: parseUsdtArguments(argumentText, elf.machine),
    argumentText,
  };
}
