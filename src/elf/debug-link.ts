/** Pointers from a stripped file to the one with its debug information. Source: GDB manual, "Debugging Information in Separate Files". */
import * as zlib from 'node:zlib';
import { textOf } from './byte-reader.ts';
import { findSection, type ElfFile } from './elf-file.ts';
import { readRawSection } from './section-bytes.ts';

/** .gnu_debuglink: a file name without folder, and the CRC-32 of that whole file. */
export interface DebugLink {
  readonly name: string;
  readonly crc32: number;
}

/** .gnu_debugaltlink: the file that holds what several debug files share (dwz), and its build-id. */
export interface DebugAltLink {
  readonly path: string;
  readonly buildId: string;
}

/** Reads .gnu_debuglink; undefined when there is none, it is cut short, or its name is not that of a plain file. */
export function findDebugLink(elf: ElfFile): DebugLink | undefined {
  const section = findSection(elf, '.gnu_debuglink');
  const bytes = section && readRawSection(elf, section);
  if (!section || !bytes?.ok) return undefined;
  const end = bytes.value.indexOf(0);
  const crcAt = Math.ceil((end + 1) / 4) * 4;
  if (end <= 0 || end > 255 || crcAt + 4 > bytes.value.length) return undefined;
  const name = textOf(bytes.value);
  if (name.includes('/') || name === '.' || name === '..') return undefined;
  return { name, crc32: elf.reader.u32(section.fileOffset + crcAt) };
}

/** Reads .gnu_debugaltlink; undefined when there is none or it is cut short. */
export function findDebugAltLink(elf: ElfFile): DebugAltLink | undefined {
  const section = findSection(elf, '.gnu_debugaltlink');
  const bytes = section && readRawSection(elf, section);
  if (!bytes?.ok) return undefined;
  const end = bytes.value.indexOf(0);
  if (end <= 0 || end + 1 >= bytes.value.length) return undefined;
  return { path: textOf(bytes.value), buildId: Buffer.from(bytes.value.subarray(end + 1, end + 65)).toString('hex') };
}

/** True when `bytes` are the very file that the link was made for. */
export function matchesDebugLink(link: DebugLink, bytes: Uint8Array): boolean {
  return zlib.crc32(bytes) === link.crc32;
}
