/**
 * Call-frame information as one table: for each address of the program, how to find the caller's frame.
 *
 * In: `.eh_frame` (with the addresses it was linked for) and `.debug_frame`, which fills in where the first says nothing.
 * Out: rows sorted by address; each holds up to the next one's address. Entries that cannot be read are counted and left
 * out. Memory: 12 bytes a row while the rules themselves, shared, are few.
 * Sources: DWARF 5, section 6.4; Linux Standard Base Core 5.0, chapter 10.6 (`.eh_frame`, pointer encodings).
 */
import { err, ok, type Result } from '../base/index.ts';
import { Cursor } from './cursor.ts';
import { FormatFault, type FormatError } from './format-error.ts';
import { encodedPointerReader, type PointerBases } from './frame-pointers.ts';
import { FrameMachine, type FrameProgramOptions } from './frame-program.ts';
import { expressionReader, Flag, RuleTable, State, toFrameRule, type FrameArchitecture, type FrameRule } from './frame-rules.ts';
import type { DebugSections } from './sections.ts';

/** Where sections were linked: addresses of the file, as in its program headers. */
export interface LoadAddresses {
  readonly architecture: FrameArchitecture;
  /** Address of `.eh_frame`. */
  readonly ehFrame: number;
  /** Address of `.text`, for encodings relative to it (not used on x86-64 and AArch64). */
  readonly text?: number | undefined;
  /** Address of `.got`, for encodings relative to data. */
  readonly data?: number | undefined;
  /** Reads a pointer of the loaded file, for indirect encodings; without it such entries count as damaged. */
  readonly readPointer?: ((address: number) => number | undefined) | undefined;
}

/** Rows of call-frame information, struct of arrays. All arrays may be kept; nothing refers to anything mutable. */
export interface FrameTable {
  readonly architecture: FrameArchitecture;
  /** DWARF numbers of the registers that `FrameRule.registers` tells about, in its order. */
  readonly registers: readonly number[];
  /** Address from which the row holds, up to the next row's; ascending, each once. Addresses of the file. */
  readonly pc: Float64Array;
  /** Index in `rules`, a row. */
  readonly rule: Uint32Array;
  /** Each different rule once; number 0, and any whose CFA is not known, is undefined: no information. */
  readonly rules: readonly (FrameRule | undefined)[];
  readonly counts: FrameCounts;
}

export interface FrameCounts {
  readonly functions: number;
  /** Entries left out because they could not be read. */
  readonly damaged: number;
  /** Entries that begin inside the one before, which then ends there. */
  readonly overlapping: number;
  /** What was wrong with the first damaged entry. */
  readonly firstDamage: FormatError | undefined;
}

/** x86-64: rbx, rbp, rsp, r12–r15 (System V ABI, figure 3.36). AArch64: x19–x28, fp, lr, sp (AADWARF64, 4.1). */
const REGISTERS: Readonly<Record<FrameArchitecture, readonly number[]>> = {
  'x86-64': [3, 6, 7, 12, 13, 14, 15],
  aarch64: [19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31],
};

const EMPTY = new Uint8Array(0);

/**
 * Reads all call-frame information of a file.
 *
 * @returns the table, empty when the file has none; an error only when there is some and not one entry can be read
 */
export function readCallFrames(sections: DebugSections, addresses: LoadAddresses): Result<FrameTable, FormatError> {
  const ehFrame = sections.section('.eh_frame') ?? EMPTY;
  const debugFrame = sections.section('.debug_frame') ?? EMPTY;
  const registers = REGISTERS[addresses.architecture];
  const machine = new FrameMachine(registers);
  const entries = new FrameEntries();
  readSection(ehFrame, '.eh_frame', sections, addresses, machine, entries);
  readSection(debugFrame, '.debug_frame', sections, addresses, machine, entries);
  const rows = new FrameRows(machine.state.length);
  const functions = runPrograms(entries, machine, rows);
  if (functions === 0 && entries.firstDamage !== undefined) return err(entries.firstDamage);
  const expressions = expressionReader(ehFrame, debugFrame);
  const rules: (FrameRule | undefined)[] = [undefined];
  for (let number = 1; number < rows.rules.count; number++) rules.push(toFrameRule(rows.rules.state(number), expressions));
  const counts = { functions, damaged: entries.damaged, overlapping: rows.overlapping, firstDamage: entries.firstDamage };
  return ok({ architecture: addresses.architecture, registers, ...rows.finish(), rules, counts });
}

/** Index of the row that holds at `pc`, or -1 before the first. The row may say that nothing is known (`rules[0]`). */
export function findFrameRow(table: FrameTable, pc: number): number {
  let low = 0;
  let high = table.pc.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (table.pc[middle]! <= pc) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** How to unwind from `pc` (for a return address: from the byte before it); undefined where nothing is known. */
export function findFrameRule(table: FrameTable, pc: number): FrameRule | undefined {
  const row = findFrameRow(table, pc);
  return row < 0 ? undefined : table.rules[table.rule[row]!];
}

/** A CIE: what the functions that refer to it share. */
interface CommonEntry extends FrameProgramOptions {
  readonly cursor: Cursor;
  readonly hasAugmentationData: boolean;
  /** Reads the number of bytes that a function has, in the same format as its address. */
  readonly readLength: (cursor: Cursor) => number;
}

/** FDEs of all sections, before their programs run. */
class FrameEntries {
  readonly commons: CommonEntry[] = [];
  readonly start: number[] = [];
  readonly length: number[] = [];
  /** Instructions: from, to, in the section of the common entry. */
  readonly from: number[] = [];
  readonly to: number[] = [];
  readonly common: number[] = [];
  damaged = 0;
  firstDamage: FormatError | undefined;

  /** Runs `read`, counting damage instead of throwing it. */
  guard(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof FormatFault)) throw error;
      this.damaged++;
      this.firstDamage ??= error.detail;
    }
  }
}

/** Adds a section's functions. Common entries first: a function may only refer to one that really is one, which bounds the work. */
function readSection(
  bytes: Uint8Array,
  name: '.eh_frame' | '.debug_frame',
  sections: DebugSections,
  addresses: LoadAddresses,
  machine: FrameMachine,
  entries: FrameEntries,
): void {
  if (bytes.length === 0) return;
  const cursor = new Cursor(bytes, name, sections.littleEndian);
  const bases: PointerBases = { ...addresses, section: addresses.ehFrame, addressSize: sections.addressSize };
  const reader = new EntryReader(cursor, name === '.debug_frame', bases, machine);
  const functions: number[] = [];
  const commonAt = new Map<number, number>();
  entries.guard(() => {
    for (let pos = 0; pos < bytes.length;) {
      const header = reader.header(pos);
      if (header.isCommon) {
        entries.guard(() => {
          commonAt.set(pos, entries.commons.length);
          entries.commons.push(reader.common(header));
        });
      } else if (header.next > pos + 4) functions.push(pos);
      pos = header.next;
    }
  });
  const covered = name === '.debug_frame' ? coveredBy(entries) : () => false;
  for (const pos of functions) {
    entries.guard(() => {
      const header = reader.header(pos);
      const index = commonAt.get(header.commonAt);
      const common = index === undefined ? undefined : entries.commons[index];
      if (common === undefined) return cursor.fail(`an entry refers to a common entry at ${header.commonAt}, and there is none`);
      reader.function(header, common, index!, entries, covered);
    });
  }
}

interface EntryHeader {
  readonly body: number;
  readonly next: number;
  readonly isCommon: boolean;
  /** Of a function: where its common entry starts. */
  readonly commonAt: number;
}

class EntryReader {
  readonly #cursor: Cursor;
  readonly #debug: boolean;
  readonly #bases: PointerBases;
  readonly #machine: FrameMachine;

  constructor(cursor: Cursor, debug: boolean, bases: PointerBases, machine: FrameMachine) {
    this.#cursor = cursor;
    this.#debug = debug;
    this.#bases = bases;
    this.#machine = machine;
  }

  /** An entry's length and kind. A length of zero ends a linker's input file: it is passed over. */
  header(pos: number): EntryHeader {
    const cursor = this.#cursor;
    cursor.seek(pos);
    const { end, offsetSize } = cursor.unitEnd();
    if (end === cursor.pos) return { body: end, next: end, isCommon: false, commonAt: -1 };
    cursor.end = end;
    const idAt = cursor.pos;
    // `.eh_frame` has 4 bytes here even in the 64-bit format, and counts back from them; `.debug_frame` counts from the start.
    if (!this.#debug) {
      const id = cursor.u32();
      return { body: cursor.pos, next: end, isCommon: id === 0, commonAt: idAt - id };
    }
    const id = cursor.unsigned(offsetSize);
    const isCommon = offsetSize === 4 ? id === 0xffff_ffff : id >= 2 ** 64 - 2 ** 12;
    return { body: cursor.pos, next: end, isCommon, commonAt: id };
  }

  common(header: EntryHeader): CommonEntry {
    const cursor = this.#cursor;
    cursor.seek(header.body, header.next);
    const version = cursor.u8();
    if (version !== 1 && version !== 3 && version !== 4) cursor.fail(`call-frame information of version ${version}`);
    const augmentation = cursor.text();
    let addressSize: number = this.#bases.addressSize;
    if (version >= 4) {
      addressSize = cursor.u8();
      if (addressSize !== 4 && addressSize !== 8) cursor.fail(`addresses of ${addressSize} bytes`);
      if (cursor.u8() !== 0) cursor.fail('segmented addresses');
    }
    if (augmentation === 'eh') cursor.skip(addressSize);
    const codeAlignment = cursor.uleb();
    const dataAlignment = cursor.sleb();
    const returnRegister = version === 1 ? cursor.u8() : cursor.uleb();
    const augmented = this.#augmentation(augmentation);
    const pointer = encodedPointerReader(augmented.encoding, { ...this.#bases, addressSize: addressSize as 4 | 8 });
    const length = encodedPointerReader(augmented.encoding & 0x0f, { ...this.#bases, addressSize: addressSize as 4 | 8 });
    const blank = new Int32Array(this.#machine.state.length);
    blank[State.flags] = (augmented.signal ? Flag.signal : 0) | (this.#debug ? Flag.debugFrame : 0);
    const options = { codeAlignment, dataAlignment, returnRegister, initial: blank, readAddress: pointer };
    this.#machine.run(cursor, 0, options, () => {});
    const initial = this.#machine.state.slice();
    return { ...options, initial, cursor, readLength: length, hasAugmentationData: augmented.hasData };
  }

  /** LSB 10.6.1.1.1: `z` size, `R` how addresses are written, `P` personality, `L` language data, `S` signal frame, `B` signed by key B. */
  #augmentation(text: string): { readonly encoding: number; readonly signal: boolean; readonly hasData: boolean } {
    const cursor = this.#cursor;
    let encoding = 0;
    let signal = false;
    const hasData = text.startsWith('z');
    if (!hasData) {
      // Without a size, letters that are not known cannot be passed over.
      if (text !== '' && text !== 'eh') cursor.fail(`augmentation "${text}"`);
      return { encoding, signal, hasData };
    }
    const size = cursor.uleb();
    const start = cursor.pos;
    cursor.skip(size);
    const after = cursor.pos;
    cursor.pos = start;
    for (const letter of text.slice(1)) {
      if (letter === 'R') encoding = cursor.u8();
      else if (letter === 'L') cursor.u8();
      else if (letter === 'S') signal = true;
      else if (letter === 'P') encodedPointerReader(cursor.u8() & 0x0f, this.#bases)(cursor);
      else if (letter !== 'B' && letter !== 'G') break;
    }
    cursor.pos = after;
    return { encoding, signal, hasData };
  }

  function(header: EntryHeader, common: CommonEntry, index: number, entries: FrameEntries, covered: (address: number) => boolean): void {
    const cursor = this.#cursor;
    cursor.seek(header.body, header.next);
    const start = common.readAddress(cursor);
    const length = common.readLength(cursor);
    if (common.hasAugmentationData) cursor.skip(cursor.uleb());
    if (!(length > 0) || !(start >= 0) || start + length > Number.MAX_SAFE_INTEGER || covered(start)) return;
    entries.start.push(start);
    entries.length.push(length);
    entries.from.push(cursor.pos);
    entries.to.push(cursor.end);
    entries.common.push(index);
  }
}

/** Answers whether an address lies in a function that is there already. */
function coveredBy(entries: FrameEntries): (address: number) => boolean {
  const starts = entries.start.length;
  const order = sortedOrder(entries.start);
  return (address) => {
    let low = 0;
    let high = starts;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (entries.start[order[middle]!]! <= address) low = middle + 1;
      else high = middle;
    }
    const found = order[low - 1];
    return found !== undefined && address < entries.start[found]! + entries.length[found]!;
  };
}

/** Indices of `values` by ascending value; equal ones in their own order. */
function sortedOrder(values: readonly number[]): Uint32Array {
  const order = Uint32Array.from(values.keys());
  let sorted = true;
  for (let index = 1; index < values.length && sorted; index++) sorted = values[index - 1]! <= values[index]!;
  return sorted ? order : order.sort((left, right) => values[left]! - values[right]! || left - right);
}

/** Runs all programs in the order of their functions. @returns how many could be run */
function runPrograms(entries: FrameEntries, machine: FrameMachine, rows: FrameRows): number {
  let functions = 0;
  for (const index of sortedOrder(entries.start)) {
    const common = entries.commons[entries.common[index]!]!;
    const start = entries.start[index]!;
    const end = start + entries.length[index]!;
    entries.guard(() => {
      rows.begin(start);
      common.cursor.seek(entries.from[index]!, entries.to[index]!);
      try {
        machine.run(common.cursor, start, common, (address) => rows.add(address, end, machine.state));
        functions++;
      } finally {
        rows.close(end);
      }
    });
  }
  return functions;
}

/** The rows of the table while it grows. */
class FrameRows {
  readonly rules: RuleTable;
  overlapping = 0;
  #pc = new Float64Array(1024);
  #rule = new Uint32Array(1024);
  #count = 0;
  #start = 0;

  constructor(width: number) {
    this.rules = new RuleTable(width);
  }

  /** A function begins at `start`: an earlier one that reaches over it ends here. */
  begin(start: number): void {
    this.#start = start;
    const before = this.#count;
    while (this.#count > 0 && this.#pc[this.#count - 1]! >= start) this.#count--;
    // The one row that may go is the mark where the function before ended, just here.
    if (before - this.#count > 1 || (before > this.#count && this.#pc[this.#count]! > start)) this.overlapping++;
  }

  add(address: number, end: number, state: Int32Array): void {
    // A program may step past its function's end or, damaged, before its start; neither may touch a neighbour.
    if (address >= end || address < this.#start) return;
    if (this.#count > 0 && address < this.#pc[this.#count - 1]!) return;
    this.#push(address, this.rules.intern(state));
  }

  close(end: number): void {
    this.#push(end, 0);
  }

  #push(address: number, rule: number): void {
    const last = this.#count - 1;
    if (last >= 0 && this.#pc[last] === address) {
      this.#rule[last] = rule;
      return;
    }
    if (last >= 0 && this.#rule[last] === rule) return;
    if (this.#count === this.#pc.length) this.#grow();
    this.#pc[this.#count] = address;
    this.#rule[this.#count++] = rule;
  }

  #grow(): void {
    const pc = new Float64Array(this.#pc.length * 2);
    const rule = new Uint32Array(this.#pc.length * 2);
    pc.set(this.#pc);
    rule.set(this.#rule);
    this.#pc = pc;
    this.#rule = rule;
  }

  finish(): { readonly pc: Float64Array; readonly rule: Uint32Array } {
    return { pc: this.#pc.slice(0, this.#count), rule: this.#rule.slice(0, this.#count) };
  }
}
