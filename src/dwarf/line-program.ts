/** Line programs, DWARF 2 to 5 (DWARF 5, 6.2): which source line each address comes from. */
import { Form } from './constants.ts';
import type { Unit, UnitFile } from './die.ts';
import type { Cursor } from './cursor.ts';
import { skipForm, type UnitShape } from './forms.ts';

/** DW_LNS_*, DW_LNE_*, DW_LNCT_* (tables 7.25 to 7.27). */
const Standard = {
  copy: 1,
  advancePc: 2,
  advanceLine: 3,
  setFile: 4,
  setColumn: 5,
  negateStmt: 6,
  constAddPc: 8,
  fixedAdvancePc: 9,
} as const;
const Extended = { endSequence: 1, setAddress: 2 } as const;
const Content = { path: 1, directory: 2 } as const;

export interface LineHeader {
  readonly cursor: Cursor;
  readonly version: number;
  readonly addressSize: 4 | 8;
  /** Path of each file as the program's numbers name them, with its directory; an empty text where a number names none. */
  readonly files: readonly string[];
  readonly instructionLength: number;
  readonly defaultIsStatement: boolean;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  readonly operands: readonly number[];
  readonly program: number;
  readonly end: number;
}

/** Rows of one program, sorted by address; struct of arrays. */
export interface LineTable {
  readonly header: LineHeader;
  readonly address: Float64Array;
  /** Index in `header.files`. */
  readonly file: Uint32Array;
  /** From 1; 0 for code that belongs to no line. */
  readonly line: Uint32Array;
  /** Bit 0: a recommended place for a breakpoint. Bit 1: one past the end of a sequence. */
  readonly flags: Uint8Array;
}

export const LineFlag = { isStatement: 1, end: 2 } as const;

/**
 * Reads the header of the program at `offset` of `.debug_line`.
 *
 * @param directory the unit's compilation directory, for programs before DWARF 5
 * @throws FormatFault when it cannot be read
 */
export function readLineHeader(file: UnitFile, offset: number, directory: string, unit: Unit | undefined): LineHeader {
  const cursor = file.cursor('.debug_line');
  cursor.seek(offset);
  const { end, offsetSize } = cursor.unitEnd();
  cursor.end = end;
  const version = cursor.u16();
  if (version < 2 || version > 5) cursor.fail(`a line program of version ${version}`);
  let addressSize: 4 | 8 = file.sections.addressSize;
  if (version >= 5) {
    addressSize = cursor.u8() === 4 ? 4 : 8;
    cursor.u8();
  }
  const headerLength = cursor.unsigned(offsetSize);
  const program = cursor.pos + headerLength;
  if (program > end) cursor.fail(`a header of ${headerLength} bytes in a line program that ends before`);
  const instructionLength = cursor.u8();
  if (version >= 4) cursor.u8();
  const defaultIsStatement = cursor.u8() !== 0;
  const lineBase = cursor.i8();
  const lineRange = cursor.u8();
  const opcodeBase = cursor.u8();
  const operands = [0];
  for (let opcode = 1; opcode < opcodeBase; opcode++) operands.push(cursor.u8());
  cursor.end = program;
  const shape = { version, addressSize, offsetSize };
  const files = version >= 5 ? readTables(file, cursor, shape, unit) : readOldTables(cursor, directory);
  return {
    cursor,
    version,
    addressSize,
    files,
    instructionLength,
    defaultIsStatement,
    lineBase,
    lineRange,
    opcodeBase,
    operands,
    program,
    end,
  };
}

/** Tables before DWARF 5: texts, each list ended by an empty one. File and directory numbers count from 1; directory 0 is the unit's. */
function readOldTables(cursor: Cursor, directory: string): string[] {
  const directories = [directory];
  for (let text = cursor.text(); text !== ''; text = cursor.text()) directories.push(joinPath(directory, text));
  const files = [''];
  for (let text = cursor.text(); text !== ''; text = cursor.text()) {
    files.push(joinPath(directories[cursor.uleb()] ?? '', text));
    cursor.skipLeb();
    cursor.skipLeb();
  }
  return files;
}

/** Tables of DWARF 5, which say themselves what they hold. Numbers count from 0. */
function readTables(file: UnitFile, cursor: Cursor, shape: UnitShape, unit: Unit | undefined): string[] {
  const directories = readEntries(file, cursor, shape, unit).map((entry) => entry.path);
  const root = directories[0] ?? '';
  return readEntries(file, cursor, shape, unit).map((entry) => joinPath(joinPath(root, directories[entry.directory] ?? ''), entry.path));
}

function readEntries(file: UnitFile, cursor: Cursor, shape: UnitShape, unit: Unit | undefined): { path: string; directory: number }[] {
  const formats = Array.from({ length: cursor.u8() }, () => ({ content: cursor.uleb(), form: cursor.uleb() }));
  const count = cursor.uleb();
  // Each entry takes at least a byte, or the count of a damaged table would be work without end.
  if (count > cursor.end - cursor.pos) cursor.fail(`a table of ${count} entries in ${cursor.end - cursor.pos} bytes`);
  const entries: { path: string; directory: number }[] = [];
  for (let index = 0; index < count; index++) {
    const entry = { path: '', directory: 0 };
    for (const { content, form } of formats) {
      if (content === Content.path) entry.path = readPath(file, cursor, form, shape, unit);
      else if (content === Content.directory && form !== Form.data16) entry.directory = readNumber(cursor, form, shape);
      else skipForm(cursor, form, shape);
    }
    entries.push(entry);
  }
  return entries;
}

function readNumber(cursor: Cursor, form: number, shape: UnitShape): number {
  if (form === Form.udata) return cursor.uleb();
  if (form === Form.data1) return cursor.u8();
  if (form === Form.data2) return cursor.u16();
  if (form === Form.data4) return cursor.u32();
  skipForm(cursor, form, shape);
  return 0;
}

const MAX_PATH = 4096;

function readPath(file: UnitFile, cursor: Cursor, form: number, shape: UnitShape, unit: Unit | undefined): string {
  const at = cursor.pos;
  const { end } = cursor;
  skipForm(cursor, form, shape);
  const after = cursor.pos;
  cursor.pos = at;
  const isIndexed = form === Form.strx || (form >= Form.strx1 && form <= Form.strx4);
  // The program has its own offset size, which may be another than its unit's; only indexed texts need the unit.
  const place = isIndexed ? unit && file.locateText(unit, form, cursor) : file.locateText({ ...shape } as Unit, form, cursor);
  cursor.seek(after, end);
  if (place === undefined) return '';
  const stop = place.bytes.indexOf(0, place.start);
  const length = (stop < 0 ? place.bytes.length : stop) - place.start;
  return length > MAX_PATH ? '' : new TextDecoder().decode(place.bytes.subarray(place.start, place.start + length));
}

/** `name` in `directory`, unless it is a path from the root. */
export function joinPath(directory: string, name: string): string {
  if (name.startsWith('/') || directory === '') return name;
  return name === '' ? directory : `${directory}/${name}`;
}

/** Runs the program. @throws FormatFault where it is cut short; rows before that are lost */
export function runLineProgram(header: LineHeader): LineTable {
  const rows = new Rows();
  const { cursor } = header;
  cursor.seek(header.program, header.end);
  let state = { address: 0, file: 1, line: 1, isStatement: header.defaultIsStatement };
  const advance = (operations: number): void => {
    state.address += operations * header.instructionLength;
  };
  while (cursor.pos < header.end) {
    const opcode = cursor.u8();
    if (opcode >= header.opcodeBase) {
      const adjusted = opcode - header.opcodeBase;
      advance(header.lineRange === 0 ? 0 : Math.floor(adjusted / header.lineRange));
      state.line += header.lineBase + (header.lineRange === 0 ? 0 : adjusted % header.lineRange);
      rows.add(state.address, state.file, state.line, state.isStatement ? LineFlag.isStatement : 0);
      continue;
    }
    if (opcode === 0) {
      const next = cursor.uleb();
      const end = cursor.pos + next;
      if (next === 0) continue;
      const extended = cursor.u8();
      if (extended === Extended.endSequence) {
        rows.add(state.address, state.file, state.line, LineFlag.end);
        state = { address: 0, file: 1, line: 1, isStatement: header.defaultIsStatement };
      } else if (extended === Extended.setAddress) state.address = cursor.unsigned(next - 1 === 4 ? 4 : 8);
      cursor.seek(end, header.end);
      continue;
    }
    standard(opcode, header, state, advance, rows);
  }
  return { header, ...rows.sorted() };
}

function standard(
  opcode: number,
  header: LineHeader,
  state: { address: number; file: number; line: number; isStatement: boolean },
  advance: (operations: number) => void,
  rows: Rows,
): void {
  const { cursor } = header;
  switch (opcode) {
    case Standard.copy:
      return rows.add(state.address, state.file, state.line, state.isStatement ? LineFlag.isStatement : 0);
    case Standard.advancePc:
      return advance(cursor.uleb());
    case Standard.advanceLine:
      state.line += cursor.sleb();
      return;
    case Standard.setFile:
      state.file = cursor.uleb();
      return;
    case Standard.negateStmt:
      state.isStatement = !state.isStatement;
      return;
    case Standard.constAddPc:
      return advance(header.lineRange === 0 ? 0 : Math.floor((255 - header.opcodeBase) / header.lineRange));
    case Standard.fixedAdvancePc:
      state.address += cursor.u16();
      return;
    default:
      for (let operand = 0; operand < (header.operands[opcode] ?? 0); operand++) cursor.skipLeb();
  }
}

/** Rows in the order of the program: sequences, each ascending, in any order. */
class Rows {
  #address = new Float64Array(256);
  #file = new Uint32Array(256);
  #line = new Uint32Array(256);
  #flags = new Uint8Array(256);
  #count = 0;
  #begin = 0;
  readonly #sequences: { readonly begin: number; readonly end: number; readonly address: number }[] = [];

  add(address: number, file: number, line: number, flags: number): void {
    if (this.#count === this.#address.length) this.#grow();
    this.#address[this.#count] = address;
    this.#file[this.#count] = file;
    this.#line[this.#count] = line;
    this.#flags[this.#count++] = flags;
    if (flags !== LineFlag.end) return;
    const start = this.#address[this.#begin]!;
    // A sequence at address 0 is of code that the linker dropped.
    if (start > 0 && address > start) this.#sequences.push({ begin: this.#begin, end: this.#count, address: start });
    else this.#count = this.#begin;
    this.#begin = this.#count;
  }

  #grow(): void {
    const length = this.#address.length * 2;
    const [address, file, line, flags] = [
      new Float64Array(length),
      new Uint32Array(length),
      new Uint32Array(length),
      new Uint8Array(length),
    ];
    address.set(this.#address);
    file.set(this.#file);
    line.set(this.#line);
    flags.set(this.#flags);
    [this.#address, this.#file, this.#line, this.#flags] = [address, file, line, flags];
  }

  sorted(): Pick<LineTable, 'address' | 'file' | 'line' | 'flags'> {
    const count = this.#begin;
    const [address, file, line, flags] = [new Float64Array(count), new Uint32Array(count), new Uint32Array(count), new Uint8Array(count)];
    let at = 0;
    for (const { begin, end } of this.#sequences.sort((left, right) => left.address - right.address)) {
      address.set(this.#address.subarray(begin, end), at);
      file.set(this.#file.subarray(begin, end), at);
      line.set(this.#line.subarray(begin, end), at);
      flags.set(this.#flags.subarray(begin, end), at);
      at += end - begin;
    }
    return { address, file, line, flags };
  }
}

/** The row that holds at `address`, the last one at or before it; -1 between and outside of sequences. */
export function findLineRow(table: LineTable, address: number): number {
  let low = 0;
  let high = table.address.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (table.address[middle]! <= address) low = middle + 1;
    else high = middle;
  }
  const row = low - 1;
  return row < 0 || (table.flags[row]! & LineFlag.end) !== 0 ? -1 : row;
}
