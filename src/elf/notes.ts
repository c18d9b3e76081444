/** Notes: small named records in PT_NOTE segments and SHT_NOTE sections. Source: gABI, "Note section". */
import type { ElfFile } from './elf-file.ts';
import { SECTION, SEGMENT } from './elf-file.ts';
import { ByteReader, textOf } from './byte-reader.ts';

/** One note; `description` is a view of the file's bytes. */
export interface Note {
  /** Who defines `type`: `GNU`, `CORE`, `LINUX`, `stapsdt`, `Go`, … */
  readonly owner: string;
  readonly type: number;
  readonly description: Uint8Array;
}

const NT_GNU_BUILD_ID = 3;

/** Notes of one range; ends quietly where it is cut off. `align` is that of the segment or section: 8 pads to 8 bytes, all else to 4. */
export function parseNotes(bytes: Uint8Array, littleEndian: boolean, align = 4): Note[] {
  const reader = new ByteReader(bytes, littleEndian);
  const step = align === 8 ? 8 : 4;
  const up = (value: number): number => Math.ceil(value / step) * step;
  const notes: Note[] = [];
  let at = 0;
  while (at + 12 <= reader.length) {
    const nameSize = reader.u32(at);
    const size = reader.u32(at + 4);
    const description = up(at + 12 + nameSize);
    if (description + size > reader.length) break;
    notes.push({
      owner: textOf(bytes.subarray(at + 12, at + 12 + nameSize)),
      type: reader.u32(at + 8),
      description: bytes.subarray(description, description + size),
    });
    at = up(description + size);
  }
  return notes;
}

/** All notes of a file: of its sections, or of its segments where it has no sections. Ranges outside of the file give none. */
export function readNotes(elf: ElfFile): Note[] {
  const inSections = elf.sections.filter((section) => section.type === SECTION.note && section.size > 0);
  const ranges: readonly { fileOffset: number; size: number; align: number }[] =
    inSections.length > 0
      ? inSections
      : elf.segments.filter((s) => s.type === SEGMENT.note).map((s) => ({ fileOffset: s.fileOffset, size: s.fileSize, align: s.align }));
  // Hostile headers may name the same range many times over: no more bytes are read than the file has.
  let left = elf.bytes.length;
  return ranges.flatMap(({ fileOffset, size, align }) => {
    left -= size;
    if (left < 0 || fileOffset + size > elf.bytes.length) return [];
    return parseNotes(elf.bytes.subarray(fileOffset, fileOffset + size), elf.littleEndian, align);
  });
}

/** The GNU build-id as lower case hexadecimal (usually 40 digits); undefined when the linker wrote none. */
export function findBuildId(elf: ElfFile): string | undefined {
  const note = readNotes(elf).find((n) => n.owner === 'GNU' && n.type === NT_GNU_BUILD_ID && n.description.length > 0);
  return note && Buffer.from(note.description.subarray(0, 64)).toString('hex');
}
