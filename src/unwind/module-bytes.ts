// A large file's bytes as far as unwinding needs them. What is not read stays zero, and costs no memory: fresh pages are given when they are touched.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Result } from '../base/index.ts';
import { findSection, parseElf, SEGMENT, type ElfFile } from '../elf/index.ts';
import type { TargetError, TargetModule } from '../target/index.ts';

/** Smaller files are read whole. */
const LARGE_BYTES = 8 << 20;
const HEADER_BYTES = 64 * 1024;
/** ELF-64 header (gABI, "ELF Header"): where section headers lie, how long one is, how many there are. */
const SECTIONS = { offset: 40, entryBytes: 58, count: 60 } as const;
const WANTED = /^(\.shstrtab|\.eh_frame|\.eh_frame_hdr|\.z?debug_frame|\.got(\.plt)?|\.note.*)$/;

/** The file, or the image in memory; of large files only what `compileModule` looks at. */
export function readModuleBytes(module: TargetModule): Result<Uint8Array, TargetError> {
  const parts = module.hostPath === undefined ? undefined : readParts(module.hostPath);
  return parts === undefined ? module.bytes() : { ok: true, value: parts };
}

/** Undefined when the file should be read whole, or cannot be read so. */
function readParts(path: string): Uint8Array | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const { size } = fstatSync(fd);
    return size < LARGE_BYTES ? undefined : fillParts(fd, new Uint8Array(size));
  } catch {
    return undefined; // reading it whole says why
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function fillParts(fd: number, bytes: Uint8Array): Uint8Array | undefined {
  const fill = (offset: number, length: number): void => {
    const end = Math.min(bytes.length, offset + length);
    for (let at = offset; at < end;) {
      const count = readSync(fd, bytes, at, end - at, at);
      if (count === 0) return;
      at += count;
    }
  };
  fill(0, HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  fill(Number(view.getBigUint64(SECTIONS.offset, true)), view.getUint16(SECTIONS.entryBytes, true) * view.getUint16(SECTIONS.count, true));
  fillNames(bytes, fill);
  const elf = parseElf(bytes);
  if (!elf.ok || !elf.value.is64 || !isEnough(elf.value)) return undefined;
  for (const section of elf.value.sections) if (WANTED.test(section.name)) fill(section.fileOffset, section.size);
  return bytes;
}

/** Names of sections have no names yet: their section is found by its number, which the header's last field says. */
function fillNames(bytes: Uint8Array, fill: (offset: number, length: number) => void): void {
  const view = new DataView(bytes.buffer);
  const at = Number(view.getBigUint64(SECTIONS.offset, true)) + view.getUint16(62, true) * view.getUint16(SECTIONS.entryBytes, true);
  // sh_offset and sh_size of an ELF-64 section header
  if (at + 40 <= bytes.length) fill(Number(view.getBigUint64(at + 24, true)), Number(view.getBigUint64(at + 32, true)));
}

/** Whether the sections are all there is: Go's table is spread over the file, and a program that nothing is loaded for has its own C library. */
function isEnough(elf: ElfFile): boolean {
  const isGo = elf.sections.some(({ name }) => /^\.(go\.buildinfo|note\.go\.buildid|(data\.rel\.ro)?\.?gopclntab)$/.test(name));
  const isStatic = !elf.segments.some(({ type }) => type === SEGMENT.dynamic);
  return findSection(elf, '.eh_frame') !== undefined && !isGo && !isStatic;
}
