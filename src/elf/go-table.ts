/**
 * Go's function table (.gopclntab): names, files, lines, inlined calls and stack depths of all Go code. It is there in stripped
 * files too, since the runtime itself needs it. Source: Go runtime/symtab.go, symtabinl.go, runtime2.go (`_func`), 1.2 to 1.26.
 *
 * Each function has a record; the record points to programs of (value difference, address difference) pairs, one
 * program each for file, line, stack depth and inlining. A lookup runs a program up to the address.
 */
import type { Result } from '../base/index.ts';
import { findLastNotAbove } from './binary-search.ts';
import { ByteReader } from './byte-reader.ts';
import { findBytesAt, findSection, type ElfFile } from './elf-file.ts';
import { FormatFault, parseAtBorder, type FormatError } from './format-error.ts';
import { findGoLayout, type GoLayout, type GoTableVersion } from './go-layout.ts';
import { findModuleData, LoadedWords, type GoModuleData } from './go-module-data.ts';

/** One function at an address: inlined ones have their own. */
export interface GoFrame {
  readonly function: string;
  readonly file: string | undefined;
  /** From 1; 0 where the table has none. */
  readonly line: number;
  readonly inlined: boolean;
}

/** Where the stack pointer stands in one function: `starts` are linked addresses, each up to the next one, the last up to `end`. */
export interface GoStackRows {
  readonly starts: readonly number[];
  readonly end: number;
  /** Bytes between the stack pointer and the return address. */
  readonly depths: readonly number[];
}

/** Bits of a function's record (internal/abi/symtab.go, `FuncFlag`), from 1.17 on. */
const FUNCTION_FLAG = { topFrame: 1, writesStackPointer: 2 } as const;

const PCDATA_INLINE_INDEX = 2;
const FUNCDATA_INLINE_TREE = 3;
/** Steps of one program, and inlined calls at one address: beyond what compilers write, so that damage cannot hold us. */
const MAX_STEPS = 1 << 20;
const MAX_INLINED = 64;

/** Parses the table; undefined in files that Go did not link. */
export function parseGoTable(elf: ElfFile): Result<GoTable | undefined, FormatError> {
  return parseAtBorder(() => {
    const layout = findGoLayout(elf);
    return layout && openTable(elf, layout);
  });
}

function openTable(elf: ElfFile, layout: GoLayout): GoTable {
  const words = new LoadedWords(elf, layout.pointerSize);
  const functionDataWord = layout.version === '1.18' ? 38 : layout.version === '1.20' ? 40 : undefined;
  const module =
    layout.version === '1.2'
      ? undefined
      : findModuleData(elf, words, layout.pointerSize, layout.address, layout.address + layout.names, functionDataWord);
  const text = module?.text ?? (layout.textStart !== 0 ? layout.textStart : (findSection(elf, '.text')?.address ?? elf.entry));
  const { base, starts } = readStarts(layout, words, text);
  return new GoTable(elf, layout, words, module, base, starts);
}

/** `functionCount` starts and the end of the last, relative to `base`. */
function readStarts(layout: GoLayout, words: LoadedWords, text: number): { base: number; starts: Uint32Array } {
  const { reader, functions, functionCount, fieldSize } = layout;
  const starts = new Uint32Array(functionCount + 1);
  const isOffset = layout.version === '1.18' || layout.version === '1.20';
  const valueAt = (index: number): number => {
    const at = functions + index * fieldSize * 2;
    return isOffset ? reader.u32(at) : (words.at(layout.address + at) ?? 0);
  };
  const base = isOffset || functionCount === 0 ? text : valueAt(0);
  for (let i = 0; i <= functionCount; i++) {
    const offset = isOffset ? valueAt(i) : valueAt(i) - base;
    if (offset < (starts[i - 1] ?? 0) || offset > 0xffff_ffff) throw new FormatFault('damaged', `Go function ${i} is out of order`);
    starts[i] = offset;
  }
  return { base, starts };
}

/** An open table. Indices are those of functions, in order of address. */
export class GoTable {
  /** The first release that writes this form. */
  readonly version: GoTableVersion;
  readonly functionCount: number;
  /** Linked address that `starts` count from. */
  readonly base: number;
  /** Ascending; one more than there are functions: the last is the end of the last function. */
  readonly starts: Uint32Array;
  readonly #elf: ElfFile;
  readonly #layout: GoLayout;
  readonly #words: LoadedWords;
  readonly #module: GoModuleData | undefined;

  constructor(elf: ElfFile, layout: GoLayout, words: LoadedWords, module: GoModuleData | undefined, base: number, starts: Uint32Array) {
    this.version = layout.version;
    this.functionCount = layout.functionCount;
    this.base = base;
    this.starts = starts;
    this.#elf = elf;
    this.#layout = layout;
    this.#words = words;
    this.#module = module;
  }

  /** Index of the function that covers a linked address; -1 when none does. */
  find(address: number): number {
    const offset = address - this.base;
    if (offset < 0 || offset >= this.starts[this.functionCount]!) return -1;
    return findLastNotAbove(this.starts, offset, this.functionCount);
  }

  /** Name with package path, as `main.(*server).serve`; empty when the table is damaged there. */
  name(index: number): string {
    return this.#orElse('', () => this.#nameAt(this.#layout.reader.i32(this.#record(index) + this.#entrySize())));
  }

  /** Functions at an address, the innermost inlined one first, the function itself last; empty when no function covers it. */
  frames(address: number): GoFrame[] {
    const index = this.find(address);
    if (index < 0) return [];
    const frames: GoFrame[] = [];
    const tree = this.#orElse(undefined, () => this.#inlineTree(index));
    let at = address;
    for (let depth = 0; depth < MAX_INLINED; depth++) {
      const call = tree && this.#orElse(undefined, () => this.#inlinedCall(index, tree, at));
      if (!call) break;
      frames.push({ function: call.name, ...this.#place(index, at), inlined: true });
      at = this.base + this.starts[index]! + call.parentOffset;
    }
    frames.push({ function: this.name(index), ...this.#place(index, at), inlined: false });
    return frames;
  }

  /** Bytes between the stack pointer and the return address at an address; undefined where the table does not say. */
  stackDepth(address: number): number | undefined {
    const index = this.find(address);
    return index < 0 ? undefined : this.#orElse(undefined, () => this.#run(index, this.#field(index, 'stack'), address));
  }

  /** All stack depths of a function; undefined where the table does not say (functions that Go did not compile). */
  stackRows(index: number): GoStackRows | undefined {
    const starts: number[] = [];
    const depths: number[] = [];
    const end = this.#orElse(undefined, () =>
      this.#walk(index, this.#field(index, 'stack'), (value, start) => {
        starts.push(start);
        depths.push(value);
        return false;
      }),
    );
    return end === undefined || starts.length === 0 ? undefined : { starts, end, depths };
  }

  /** Nothing called this function: the stack ends there. False before 1.17. */
  isTopFrame(index: number): boolean {
    return (this.#flags(index) & FUNCTION_FLAG.topFrame) !== 0;
  }

  /** The function goes to another stack, so that depths do not lead to its caller. False before 1.17. */
  writesStackPointer(index: number): boolean {
    return (this.#flags(index) & FUNCTION_FLAG.writesStackPointer) !== 0;
  }

  /** The byte after the function's number. */
  #flags(index: number): number {
    if (this.#layout.version === '1.2') return 0;
    return this.#orElse(0, () => this.#layout.reader.u8(this.#record(index) + this.#fixedBytes() + 1));
  }

  /** Bytes of a record before the function's number, flags and count of `funcdata`. */
  #fixedBytes(): number {
    return this.#entrySize() + 8 * 4 + (this.#layout.version === '1.20' ? 4 : 0);
  }

  #orElse<T>(otherwise: T, read: () => T): T {
    const result = parseAtBorder(read);
    return result.ok ? result.value : otherwise;
  }

  #entrySize(): number {
    return this.#layout.version === '1.18' || this.#layout.version === '1.20' ? 4 : this.#layout.pointerSize;
  }

  /** Offset of a function's record in the table. */
  #record(index: number): number {
    const { reader, functions, fieldSize, records } = this.#layout;
    const at = functions + (index * 2 + 1) * fieldSize;
    return records + (fieldSize === 8 ? reader.u64(at) : reader.u32(at));
  }

  #nameAt(offset: number): string {
    const { reader, names } = this.#layout;
    if (offset < 0) throw new FormatFault('damaged', 'a Go function name lies before the names');
    return reader.text(names + offset, 4096);
  }

  /** After entry: name, args, deferreturn, then the programs, how many `pcdata` there are, and the unit. */
  #field(index: number, field: 'stack' | 'file' | 'line' | 'dataCount' | 'unit'): number {
    const slot = { stack: 3, file: 4, line: 5, dataCount: 6, unit: 7 }[field];
    return this.#layout.reader.u32(this.#record(index) + this.#entrySize() + slot * 4);
  }

  #place(index: number, address: number): { file: string | undefined; line: number } {
    return {
      file: this.#orElse(undefined, () => this.#fileName(index, this.#run(index, this.#field(index, 'file'), address))),
      line: this.#orElse(0, () => Math.max(0, this.#run(index, this.#field(index, 'line'), address) ?? 0)),
    };
  }

  #fileName(index: number, number: number | undefined): string | undefined {
    const { reader, version, files, units } = this.#layout;
    if (number === undefined || number < 0) return undefined;
    if (version === '1.2') return number === 0 ? undefined : reader.text(reader.u32(files + number * 4), 4096);
    const offset = reader.u32(units + (this.#field(index, 'unit') + number) * 4);
    return offset === 0xffff_ffff ? undefined : reader.text(files + offset, 4096);
  }

  /** Runs a program up to `address`: its value there. */
  #run(index: number, program: number, address: number): number | undefined {
    let found: number | undefined;
    this.#walk(index, program, (value, _start, end) => {
      if (address >= end) return false;
      found = value;
      return true;
    });
    return found;
  }

  /**
   * Runs a program, giving each value with the addresses that it holds for, until `visit` says that it is enough; the end of the last.
   * Source: runtime/symtab.go, `pcvalue` and `step`.
   */
  #walk(index: number, program: number, visit: (value: number, start: number, end: number) => boolean): number | undefined {
    if (program === 0) return undefined;
    const { reader, programs, quantum } = this.#layout;
    const position = { at: programs + program };
    let value = -1;
    let covered = this.base + this.starts[index]!;
    for (let step = 0; step < MAX_STEPS; step++) {
      const difference = readVarint(reader, position);
      if (difference === 0 && step > 0) return covered;
      value += (difference & 1) !== 0 ? -Math.floor(difference / 2) - 1 : Math.floor(difference / 2);
      const start = covered;
      covered += readVarint(reader, position) * quantum;
      if (visit(value, start, covered)) return covered;
    }
    return undefined;
  }

  /** The tree's bytes, to their segment's end. Releases before 1.16 lay it out otherwise and are not read. */
  #inlineTree(index: number): ByteReader | undefined {
    const { reader, version, pointerSize } = this.#layout;
    if (version === '1.2') return undefined;
    const record = this.#record(index);
    const fixed = this.#fixedBytes();
    if (reader.u8(record + fixed + 3) <= FUNCDATA_INLINE_TREE) return undefined;
    const data = record + fixed + 4 + this.#field(index, 'dataCount') * 4;
    const address = version === '1.16' ? this.#treePointer(data, pointerSize) : this.#treeOffset(data);
    if (address === undefined) return undefined;
    const segment = this.#elf.segments.find((s) => address >= s.address && address < s.address + s.fileSize);
    const bytes = segment && findBytesAt(this.#elf, address, segment.address + segment.fileSize - address);
    return bytes && new ByteReader(bytes, this.#elf.littleEndian);
  }

  /** 1.16, 1.17: a pointer, aligned. */
  #treePointer(data: number, pointerSize: number): number | undefined {
    const aligned = Math.ceil((this.#layout.address + data) / pointerSize) * pointerSize;
    const pointer = this.#words.at(aligned + FUNCDATA_INLINE_TREE * pointerSize);
    return pointer === 0 ? undefined : pointer;
  }

  #treeOffset(data: number): number | undefined {
    const offset = this.#layout.reader.u32(data + FUNCDATA_INLINE_TREE * 4);
    const start = this.#module?.functionData;
    return offset === 0xffff_ffff || start === undefined ? undefined : start + offset;
  }

  #inlinedCall(index: number, tree: ByteReader, address: number): { name: string; parentOffset: number } | undefined {
    const { reader, version } = this.#layout;
    if (this.#field(index, 'dataCount') <= PCDATA_INLINE_INDEX) return undefined;
    const data = this.#record(index) + this.#fixedBytes() + 4;
    const call = this.#run(index, reader.u32(data + PCDATA_INLINE_INDEX * 4), address);
    if (call === undefined || call < 0) return undefined;
    // 1.20: id, name, parent, start line. Before: parent index and id, file, line, name, parent.
    const [size, nameAt, parentAt] = version === '1.20' ? [16, 4, 8] : [20, 12, 16];
    return { name: this.#nameAt(tree.i32(call * size + nameAt)), parentOffset: tree.i32(call * size + parentAt) };
  }
}

function readVarint(reader: ByteReader, position: { at: number }): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = reader.u8(position.at++);
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw new FormatFault('damaged', 'a number in a Go table is beyond 35 bits');
}
