/** A section's contents, unpacked where it is compressed. */
import { inflateSync } from 'node:zlib';
import * as zlib from 'node:zlib';
import { decompress as decompressZstd } from 'fzstd';
import { err, ok, type Result } from '../base/index.ts';
import { SECTION, SECTION_FLAG, type ElfFile, type Section } from './elf-file.ts';
import { FormatFault, parseAtBorder, type FormatError } from './format-error.ts';

const ELFCOMPRESS_ZLIB = 1;
const ELFCOMPRESS_ZSTD = 2;
/** Deflate cannot pack better than 1:1032; real debug information packs 1:3 to 1:20. */
const MAX_RATIO = 1032;
/** Beyond this no section that we know of goes; it bounds the memory that a small hostile file can ask for. */
const MAX_UNPACKED = 4 * 2 ** 30 - 1;
const FREE_UNPACKED = 64 * 2 ** 20;
const BUSY_RATIO = 64;

/** A view of the section's bytes as they are in the file; fails where the file ends before. */
export function readRawSection(elf: ElfFile, section: Section): Result<Uint8Array, FormatError> {
  if (section.type === SECTION.noBits) return ok(new Uint8Array(0));
  if (section.fileOffset + section.size > elf.bytes.length) {
    return err({ kind: 'truncated', message: `section ${section.name} ends beyond the file's ${elf.bytes.length} bytes` });
  }
  return ok(elf.bytes.subarray(section.fileOffset, section.fileOffset + section.size));
}

/**
 * The section's bytes, unpacked when it is compressed (SHF_COMPRESSED with zlib or zstd, or the older `.zdebug_…`). A view of
 * the file when it is not, else a new array. Memory is bounded: 64 MiB, or 64 times the file's size where that is more.
 */
export function readSection(elf: ElfFile, section: Section): Result<Uint8Array, FormatError> {
  const raw = readRawSection(elf, section);
  if (!raw.ok) return raw;
  return parseAtBorder(() => {
    if ((section.flags & SECTION_FLAG.compressed) !== 0) return unpackSection(elf, section, raw.value);
    if (section.name.startsWith('.zdebug')) return unpackZdebug(elf, raw.value);
    return raw.value;
  });
}

/** Finds a section by name, `.debug_x` also as `.zdebug_x`, and reads it; undefined when there is none. */
export function findSectionBytes(elf: ElfFile, name: string): Result<Uint8Array | undefined, FormatError> {
  const older = name.startsWith('.debug_') ? `.z${name.slice(1)}` : undefined;
  const section = elf.sections.find((s) => s.name === name || s.name === older);
  return section ? readSection(elf, section) : ok(undefined);
}

function unpackSection(elf: ElfFile, section: Section, raw: Uint8Array): Uint8Array {
  const headerSize = elf.is64 ? 24 : 12;
  const at = section.fileOffset;
  if (raw.length < headerSize) throw new FormatFault('truncated', `compressed section ${section.name} has no header`);
  const algorithm = elf.reader.u32(at);
  const size = elf.is64 ? elf.reader.u64(at + 8) : elf.reader.u32(at + 4);
  const packed = raw.subarray(headerSize);
  if (algorithm === ELFCOMPRESS_ZLIB) return inflate(elf, packed, size);
  if (algorithm === ELFCOMPRESS_ZSTD) return unzstd(elf, packed, size);
  throw new FormatFault('unsupported', `section ${section.name} is compressed by method ${algorithm}; 1 (zlib) and 2 (zstd) are known`);
}

/** `ZLIB`, the size as eight big-endian bytes, then a zlib stream (binutils, before SHF_COMPRESSED). */
function unpackZdebug(elf: ElfFile, raw: Uint8Array): Uint8Array {
  if (raw.length < 12 || Buffer.from(raw.subarray(0, 4)).toString('latin1') !== 'ZLIB') {
    throw new FormatFault('damaged', 'a .zdebug section does not begin with "ZLIB"');
  }
  const size = Number(new DataView(raw.buffer, raw.byteOffset, 12).getBigUint64(4));
  return inflate(elf, raw.subarray(12), size);
}

function checkUnpackedSize(elf: ElfFile, size: number): void {
  const bound = Math.min(MAX_UNPACKED, Math.max(FREE_UNPACKED, elf.bytes.length * BUSY_RATIO));
  if (size > bound) throw new FormatFault('too-large', `a section of ${size} bytes, unpacked, is beyond the bound of ${bound}`);
}

function inflate(elf: ElfFile, packed: Uint8Array, size: number): Uint8Array {
  checkUnpackedSize(elf, size);
  if (size > packed.length * MAX_RATIO + 64) throw new FormatFault('damaged', `${packed.length} bytes cannot unpack to ${size}`);
  try {
    return checkSize(inflateSync(packed, { maxOutputLength: Math.max(size, 1) }), size);
  } catch (error) {
    if (error instanceof FormatFault) throw error;
    throw new FormatFault('damaged', `a zlib stream cannot be unpacked: ${String(error)}`);
  }
}

function unzstd(elf: ElfFile, packed: Uint8Array, size: number): Uint8Array {
  checkUnpackedSize(elf, size);
  const native = (zlib as { zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array })
    .zstdDecompressSync;
  try {
    const unpacked = native ? native(packed, { maxOutputLength: Math.max(size, 1) }) : decompressZstd(packed, new Uint8Array(size));
    return checkSize(unpacked, size);
  } catch (error) {
    if (error instanceof FormatFault) throw error;
    throw new FormatFault('damaged', `a zstd stream cannot be unpacked: ${String(error)}`);
  }
}

function checkSize(unpacked: Uint8Array, size: number): Uint8Array {
  if (unpacked.length === size) return unpacked;
  throw new FormatFault('damaged', `${unpacked.length} bytes were unpacked where ${size} were promised`);
}
