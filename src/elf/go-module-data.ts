/**
 * Go's `runtime.firstmoduledata`: where text and function data begin, which the function table counts from.
 * It is found without symbols: its first word points to the table. Source: Go runtime/symtab.go, releases 1.16 to 1.26.
 */
import { findBytesAt, SEGMENT, type ElfFile } from './elf-file.ts';
import { ByteReader } from './byte-reader.ts';
import { parseAtBorder } from './format-error.ts';
import { readRelativeValues } from './relocations.ts';

/** Index of the word `text`, the same in all of these releases. */
const TEXT_WORD = 22;

export interface GoModuleData {
  readonly text: number;
  /** Address of `go:func.*`; undefined where this release has none or it does not lie in the file. */
  readonly functionData: number | undefined;
}

/** Reads pointer-sized words of the file as they are after loading at address 0: relative relocations are applied. */
export class LoadedWords {
  readonly #elf: ElfFile;
  readonly #size: number;
  #relative: Map<number, number> | undefined;

  constructor(elf: ElfFile, pointerSize: number) {
    this.#elf = elf;
    this.#size = pointerSize;
  }

  /** Value at a linked address; undefined where the file holds none. */
  at(address: number): number | undefined {
    const relocated = this.relative().get(address);
    if (relocated !== undefined && relocated !== 0) return relocated;
    const bytes = findBytesAt(this.#elf, address, this.#size);
    if (!bytes) return undefined;
    const reader = new ByteReader(bytes, this.#elf.littleEndian);
    return this.#size === 8 ? reader.u64(0) : reader.u32(0);
  }

  relative(): Map<number, number> {
    this.#relative ??= readRelativeValues(this.#elf, 0, Infinity);
    return this.#relative;
  }
}

/**
 * Finds the module data of the table at `tableAddress`. `functionDataWord` is the index of the word `gofunc`;
 * `accept` decides whether a candidate that points to the table is one (the word after it must fit, too).
 */
export function findModuleData(
  elf: ElfFile,
  words: LoadedWords,
  pointerSize: number,
  tableAddress: number,
  secondWord: number,
  functionDataWord: number | undefined,
): GoModuleData | undefined {
  for (const address of findPointersTo(elf, words, pointerSize, tableAddress)) {
    if (words.at(address + pointerSize) !== secondWord) continue;
    const text = words.at(address + TEXT_WORD * pointerSize);
    const functionData = functionDataWord === undefined ? undefined : words.at(address + functionDataWord * pointerSize);
    if (text === undefined) continue;
    const isMapped = functionData !== undefined && findBytesAt(elf, functionData, 1) !== undefined;
    return { text, functionData: isMapped ? functionData : undefined };
  }
  return undefined;
}

function* findPointersTo(elf: ElfFile, words: LoadedWords, pointerSize: number, wanted: number): Generator<number> {
  for (const [address, value] of words.relative()) if (value === wanted) yield address;
  let left = elf.bytes.length;
  for (const segment of elf.segments) {
    if (segment.type !== SEGMENT.load || !segment.writable) continue;
    const bytes = findBytesAt(elf, segment.address, segment.fileSize);
    // Hostile headers may name the same bytes many times: no more is searched than the file has.
    if (!bytes || (left -= bytes.length) < 0) continue;
    const pattern = Buffer.alloc(pointerSize);
    const written = parseAtBorder(() => writeWord(pattern, wanted, elf.littleEndian));
    if (!written.ok) return;
    const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = haystack.indexOf(pattern); at >= 0; at = haystack.indexOf(pattern, at + 1)) yield segment.address + at;
  }
}

function writeWord(into: Buffer, value: number, littleEndian: boolean): void {
  if (into.length === 8) into[littleEndian ? 'writeBigUInt64LE' : 'writeBigUInt64BE'](BigInt(value));
  else into[littleEndian ? 'writeUInt32LE' : 'writeUInt32BE'](value >>> 0);
}
