/** Where the parts of Go's function table (.gopclntab) lie, by release. Source: Go runtime/symtab.go and debug/gosym. */
import { ByteReader } from './byte-reader.ts';
import { findSection, SEGMENT, type ElfFile } from './elf-file.ts';
import { FormatFault } from './format-error.ts';

export type GoTableVersion = '1.2' | '1.16' | '1.18' | '1.20';

/** Releases by the table's first four bytes: each says the first one that writes it. */
const MAGIC: Readonly<Record<number, GoTableVersion>> = {
  0xfffffffb: '1.2',
  0xfffffffa: '1.16',
  0xfffffff0: '1.18',
  0xfffffff1: '1.20',
};

/** Offsets are from the table's start. */
export interface GoLayout {
  readonly version: GoTableVersion;
  readonly reader: ByteReader;
  /** Linked address of the table. */
  readonly address: number;
  /** Bytes of the smallest instruction: what differences of addresses are multiplied with. */
  readonly quantum: number;
  readonly pointerSize: 4 | 8;
  readonly functionCount: number;
  /** As the header says; 0 in newer releases and in position-independent files. */
  readonly textStart: number;
  readonly names: number;
  readonly units: number;
  readonly files: number;
  readonly programs: number;
  /** The list of functions, and what their record offsets count from. */
  readonly functions: number;
  readonly records: number;
  /** Bytes of each of the two fields of the list. */
  readonly fieldSize: 4 | 8;
}

/** One of these is in every file that Go linked, also where the table has no section of its own (external linkers). */
const GO_SECTIONS = new Set(['.go.buildinfo', '.note.go.buildid']);

/** Finds the table by its section's name, or by its first bytes where sections are missing; undefined in files that Go did not link. */
export function findGoLayout(elf: ElfFile): GoLayout | undefined {
  for (const name of ['.gopclntab', '.data.rel.ro.gopclntab']) {
    const section = findSection(elf, name);
    if (section && section.fileOffset + section.size <= elf.bytes.length)
      return readLayout(elf, section.fileOffset, section.size, section.address);
  }
  if (elf.sections.length > 0 && !elf.sections.some(({ name }) => GO_SECTIONS.has(name))) return undefined;
  let left = elf.bytes.length;
  for (const segment of elf.segments) {
    if (segment.type !== SEGMENT.load || segment.fileOffset + segment.fileSize > elf.bytes.length) continue;
    if ((left -= segment.fileSize) < 0) break;
    const at = searchHeader(elf, segment.fileOffset, segment.fileSize);
    const end = segment.fileOffset + segment.fileSize;
    if (at !== undefined) return readLayout(elf, at, end - at, segment.address + at - segment.fileOffset);
  }
  return undefined;
}

/** A header is a magic number, two zeros, an instruction size and a pointer size, at a multiple of the latter; the table then holds a name that every Go program has. */
function searchHeader(elf: ElfFile, start: number, size: number): number | undefined {
  const bytes = elf.bytes;
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset + start, size);
  const tail = elf.littleEndian ? 3 : 0;
  for (let at = haystack.indexOf('ffffff', 0, 'hex'); at >= 0; at = haystack.indexOf('ffffff', at + 1, 'hex')) {
    const header = at - (elf.littleEndian ? 1 : 0);
    if (header < 0 || header % 4 !== 0 || header + 8 > size || haystack[header + tail] !== 0xff) continue;
    const magic = elf.reader.u32(start + header);
    const [zero, zero2, quantum, pointer] = haystack.subarray(header + 4, header + 8);
    if (MAGIC[magic] === undefined || zero !== 0 || zero2 !== 0) continue;
    if ((quantum === 1 || quantum === 2 || quantum === 4) && pointer === (elf.is64 ? 8 : 4)) return start + header;
  }
  return undefined;
}

function readLayout(elf: ElfFile, offset: number, size: number, address: number): GoLayout | undefined {
  const reader = new ByteReader(elf.bytes.subarray(offset, offset + size), elf.littleEndian);
  if (size < 16) return undefined;
  const version = MAGIC[reader.u32(0)];
  const pointerSize = reader.u8(7);
  if (version === undefined || (pointerSize !== 4 && pointerSize !== 8)) return undefined;
  const word = (index: number): number => (pointerSize === 8 ? reader.u64(8 + index * 8) : reader.u32(8 + index * 4));
  const common = { version, reader, address, quantum: reader.u8(6), pointerSize, functionCount: word(0) } as const;
  const layout: GoLayout =
    version === '1.2' ? layout12(common, reader) : version === '1.16' ? layout116(common, word) : layout118(common, word);
  reader.check(layout.functions, layout.functionCount * layout.fieldSize * 2 + layout.fieldSize);
  return layout;
}

type Common = Pick<GoLayout, 'version' | 'reader' | 'address' | 'quantum' | 'pointerSize' | 'functionCount'>;

/** The list follows the header; after its end address a 32-bit offset of the files. Everything counts from the table's start. */
function layout12(common: Common, reader: ByteReader): GoLayout {
  const functions = 8 + common.pointerSize;
  const end = functions + common.functionCount * common.pointerSize * 2 + common.pointerSize;
  if (end + 4 > reader.length) throw new FormatFault('truncated', `a Go table of ${common.functionCount} functions ends before its list`);
  const files = reader.u32(end);
  return { ...common, textStart: 0, names: 0, units: 0, files, programs: 0, functions, records: 0, fieldSize: common.pointerSize };
}

function layout116(common: Common, word: (index: number) => number): GoLayout {
  const functions = word(6);
  const parts = { names: word(2), units: word(3), files: word(4), programs: word(5), functions, records: functions };
  return { ...common, ...parts, textStart: 0, fieldSize: common.pointerSize };
}

function layout118(common: Common, word: (index: number) => number): GoLayout {
  const functions = word(7);
  const parts = { names: word(3), units: word(4), files: word(5), programs: word(6), functions, records: functions };
  return { ...common, ...parts, textStart: word(2), fieldSize: 4 };
}
