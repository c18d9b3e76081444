/**
 * ELF files: header, program headers, section headers. Source: System V ABI, chapters 4 and 5 (gABI 4.3).
 *
 * Addresses, offsets and sizes are numbers (see `ByteReader.u64`). A file may be damaged in one place and useful in
 * another, so a section or segment that points outside of the bytes is listed all the same; reading it is what fails.
 */
import type { Result } from '../base/index.ts';
import { ByteReader } from './byte-reader.ts';
import { FormatFault, parseAtBorder, type FormatError } from './format-error.ts';

/** `e_machine` of the processors whose code we look into. */
export const MACHINE = { x86: 3, arm: 40, x86_64: 62, aarch64: 183 } as const;
/** `p_type` (gABI, "Segment types"; GNU_EH_FRAME is the Linux Standard Base's). */
export const SEGMENT = { load: 1, dynamic: 2, interpreter: 3, note: 4, tls: 7, gnuEhFrame: 0x6474e550 } as const;
/** `sh_type` (gABI, "Section types"; versions are GNU's). */
export const SECTION = {
  symbols: 2,
  strings: 3,
  rela: 4,
  dynamic: 6,
  note: 7,
  noBits: 8,
  rel: 9,
  dynamicSymbols: 11,
  versionsDefined: 0x6ffffffd,
  versionsNeeded: 0x6ffffffe,
  versions: 0x6fffffff,
} as const;
/** `sh_flags`. */
export const SECTION_FLAG = { write: 1, alloc: 2, executable: 4, compressed: 0x800 } as const;

const PN_XNUM = 0xffff;
const SHN_XINDEX = 0xffff;

/** One program header. */
export interface Segment {
  /** See `SEGMENT`. */
  readonly type: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  /** Bytes from the file's start. */
  readonly fileOffset: number;
  /** Virtual address as the file was linked. */
  readonly address: number;
  /** Bytes in the file, and in memory (the rest is zero). */
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

/** One section header. */
export interface Section {
  readonly index: number;
  readonly name: string;
  /** See `SECTION`. */
  readonly type: number;
  /** See `SECTION_FLAG`; only the low 32 bits. */
  readonly flags: number;
  /** 0 when it is not loaded. */
  readonly address: number;
  readonly fileOffset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  readonly entrySize: number;
}

/** A parsed file. Owns nothing: `bytes` are the caller's and must not change. */
export interface ElfFile {
  readonly bytes: Uint8Array;
  readonly reader: ByteReader;
  readonly is64: boolean;
  readonly littleEndian: boolean;
  readonly type: 'relocatable' | 'executable' | 'shared' | 'core' | 'other';
  /** `e_machine`; see `MACHINE`. */
  readonly machine: number;
  /** Address of the entry point, 0 when there is none. */
  readonly entry: number;
  readonly segments: readonly Segment[];
  /** By index; section 0 is the empty one. Empty when the file has none or they lie beyond its end. */
  readonly sections: readonly Section[];
  /** Headers that were promised and could not be read. */
  readonly skipped: number;
}

/**
 * Parses the headers of an ELF file, of either class and byte order. `bytes` may be only the beginning of a file (a core dump's
 * headers): sections beyond it are counted in `skipped`. Fails when there is no ELF header or its program headers are cut off.
 */
export function parseElf(bytes: Uint8Array): Result<ElfFile, FormatError> {
  return parseAtBorder(() => readElf(bytes));
}

/** True when the bytes begin as an ELF file does. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 16 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

function readElf(bytes: Uint8Array): ElfFile {
  if (!isElf(bytes)) throw new FormatFault('not-this-format', 'no ELF header');
  const elfClass = bytes[4];
  const data = bytes[5];
  if ((elfClass !== 1 && elfClass !== 2) || (data !== 1 && data !== 2)) {
    throw new FormatFault('damaged', `ELF class ${elfClass} or byte order ${data} does not exist`);
  }
  const is64 = elfClass === 2;
  const reader = new ByteReader(bytes, data === 1);
  reader.check(0, is64 ? 64 : 52);
  const word = (offset32: number, offset64: number): number => (is64 ? reader.u64(offset64) : reader.u32(offset32));
  const half = (offset32: number, offset64: number): number => reader.u16(is64 ? offset64 : offset32);
  const sections = readSections(reader, is64, word(32, 40), half(46, 58), half(48, 60), half(50, 62));
  const segments = readSegments(reader, is64, word(28, 32), half(42, 54), half(44, 56), sections.first?.info);
  return {
    bytes,
    reader,
    is64,
    littleEndian: data === 1,
    type: (['other', 'relocatable', 'executable', 'shared', 'core'] as const)[reader.u16(16)] ?? 'other',
    machine: reader.u16(18),
    entry: word(24, 24),
    segments,
    sections: sections.list,
    skipped: sections.skipped,
  };
}

/** `extended` is section 0's `sh_info`, which holds the number of program headers when it does not fit in 16 bits. */
function readSegments(
  reader: ByteReader,
  is64: boolean,
  start: number,
  entrySize: number,
  count: number,
  extended: number | undefined,
): Segment[] {
  if (count === 0) return [];
  const smallest = is64 ? 56 : 32;
  if (entrySize < smallest) throw new FormatFault('damaged', `a program header of ${entrySize} bytes is shorter than ${smallest}`);
  if (count === PN_XNUM && extended === undefined) {
    throw new FormatFault('truncated', 'the number of program headers stands in a section header beyond the end of the bytes');
  }
  const real = count === PN_XNUM ? extended! : count;
  reader.check(start, real * entrySize);
  return Array.from({ length: real }, (_, i) => readSegment(reader, is64, start + i * entrySize));
}

function readSegment(reader: ByteReader, is64: boolean, at: number): Segment {
  const flags = reader.u32(at + (is64 ? 4 : 24));
  return {
    type: reader.u32(at),
    readable: (flags & 4) !== 0,
    writable: (flags & 2) !== 0,
    executable: (flags & 1) !== 0,
    fileOffset: is64 ? reader.u64(at + 8) : reader.u32(at + 4),
    address: is64 ? reader.u64(at + 16) : reader.u32(at + 8),
    fileSize: is64 ? reader.u64(at + 32) : reader.u32(at + 16),
    memorySize: is64 ? reader.u64(at + 40) : reader.u32(at + 20),
    align: is64 ? reader.u64(at + 48) : reader.u32(at + 28),
  };
}

interface SectionList {
  readonly list: readonly Section[];
  readonly first: Section | undefined;
  readonly skipped: number;
}

function readSections(reader: ByteReader, is64: boolean, start: number, entrySize: number, count: number, namesIndex: number): SectionList {
  const smallest = is64 ? 64 : 40;
  if (start === 0) return { list: [], first: undefined, skipped: 0 };
  if (entrySize < smallest || start + entrySize > reader.length) return { list: [], first: undefined, skipped: Math.max(count, 1) };
  const first = readSection(reader, is64, start, 0);
  const promised = count === 0 ? first.size : count;
  const present = Math.min(promised, Math.floor((reader.length - start) / entrySize));
  const unnamed = Array.from({ length: present }, (_, i) => readSection(reader, is64, start + i * entrySize, i));
  const names = unnamed[namesIndex === SHN_XINDEX ? first.link : namesIndex];
  const list = unnamed.map(({ nameOffset, ...section }) => ({ ...section, name: names ? nameAt(reader, names, nameOffset) : '' }));
  return { list, first, skipped: promised - present };
}

function nameAt(reader: ByteReader, names: { fileOffset: number; size: number }, offset: number): string {
  const at = names.fileOffset + offset;
  return offset < names.size && at < reader.length ? reader.text(at, Math.min(256, names.size - offset)) : '';
}

function readSection(reader: ByteReader, is64: boolean, at: number, index: number): Section & { nameOffset: number } {
  const word = (offset32: number, offset64: number): number => (is64 ? reader.u64(at + offset64) : reader.u32(at + offset32));
  return {
    index,
    name: '',
    nameOffset: reader.u32(at),
    type: reader.u32(at + 4),
    flags: word(8, 8) % 2 ** 32,
    address: word(12, 16),
    fileOffset: word(16, 24),
    size: word(20, 32),
    link: reader.u32(at + (is64 ? 40 : 24)),
    info: reader.u32(at + (is64 ? 44 : 28)),
    align: word(32, 48),
    entrySize: word(36, 56),
  };
}

/** The section of that name; of several, the first. */
export function findSection(elf: ElfFile, name: string): Section | undefined {
  return elf.sections.find((section) => section.name === name);
}

/** File offset of a linked address, by the loaded segments; undefined where no segment has bytes of it in the file. */
export function findFileOffset(elf: ElfFile, address: number): number | undefined {
  const segment = elf.segments.find((s) => s.type === SEGMENT.load && address >= s.address && address < s.address + s.fileSize);
  return segment && address - segment.address + segment.fileOffset;
}

/** A view of `size` bytes at a linked address; undefined where the file does not hold them all. */
export function findBytesAt(elf: ElfFile, address: number, size: number): Uint8Array | undefined {
  const segment = elf.segments.find((s) => s.type === SEGMENT.load && address >= s.address && address + size <= s.address + s.fileSize);
  if (!segment) return undefined;
  const at = address - segment.address + segment.fileOffset;
  return at + size <= elf.bytes.length ? elf.bytes.subarray(at, at + size) : undefined;
}
