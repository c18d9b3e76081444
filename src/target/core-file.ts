// The bytes of a core dump, which may be larger than memory: headers and notes are read, the rest by windows when it is asked for.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { err, ok, type Result } from '../base/index.ts';
import { parseCoreNotes, parseElf, SEGMENT, type CoreNotes, type ElfFile } from '../elf/index.ts';
import type { TargetError } from './target.ts';

const HEADER_BYTES = 64;
const SECTION_HEADER_BYTES = 64;
const PN_XNUM = 0xffff;
/** Notes of 100,000 threads; more is damage. */
const LARGEST_HEAD = 512 * 2 ** 20;

/** Reads parts of a file. */
export class CoreFile {
  readonly path: string;
  readonly sizeBytes: number;
  #fd: number | undefined;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
    this.sizeBytes = fstatSync(fd).size;
  }

  /** As many of `length` bytes at `offset` as the file has; the array is new. */
  readUpTo(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.sizeBytes - offset)));
    let done = 0;
    while (this.#fd !== undefined && done < bytes.length) {
      const got = readSync(this.#fd, bytes, done, bytes.length - done, offset + done);
      if (got === 0) break;
      done += got;
    }
    return bytes.subarray(0, done);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

export interface CoreHead {
  readonly elf: ElfFile;
  readonly notes: CoreNotes;
  /** What was wrong with the head, one sentence each. */
  readonly problems: readonly string[];
}

/** Opens a core dump. The caller closes it. */
export function openCoreFile(path: string): Result<CoreFile, TargetError> {
  try {
    return ok(new CoreFile(path, openSync(path, 'r')));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const kind = code === 'ENOENT' ? 'gone' : code === 'EACCES' || code === 'EPERM' ? 'forbidden' : 'unreadable';
    return err({ kind, message: `${path}: ${String(error)}` });
  }
}

/** Reads the program headers and the notes. */
export function readCoreHead(file: CoreFile): Result<CoreHead, TargetError> {
  const damaged = (message: string): Result<CoreHead, TargetError> => err({ kind: 'damaged', message: `${file.path}: ${message}` });
  const headers = readProgramHeaders(file);
  if (!headers.ok) return damaged(headers.error);
  const parsed = parseElf(headers.value);
  if (!parsed.ok) return damaged(parsed.error.message);
  const withNotes = appendNotes(file, parsed.value);
  if (!withNotes.ok) return damaged(withNotes.error);
  const { elf, isCut } = withNotes.value;
  const notes = parseCoreNotes(elf);
  if (!notes.ok) return damaged(notes.error.message);
  const problems: string[] = [];
  if (isCut) problems.push('the notes are cut off: threads, files or both are missing');
  if (notes.value.skipped > 0) problems.push(`${notes.value.skipped} notes are damaged`);
  return ok({ elf, notes: notes.value, problems });
}

/** The ELF header and all program headers. Where there are 65,535 or more, their number stands in section header 0, at the file's end: it is moved behind them. */
function readProgramHeaders(file: CoreFile): Result<Uint8Array, string> {
  const head = file.readUpTo(0, HEADER_BYTES);
  if (head.length < HEADER_BYTES) return err(`${file.sizeBytes} bytes hold no ELF header`);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const start = Number(view.getBigUint64(32, true));
  const entryBytes = view.getUint16(54, true);
  let count: number = view.getUint16(56, true);
  let section: Uint8Array | undefined;
  if (count === PN_XNUM) {
    section = file.readUpTo(Number(view.getBigUint64(40, true)), SECTION_HEADER_BYTES);
    if (section.length < SECTION_HEADER_BYTES) return err('the number of program headers lies beyond the end of the file');
    count = new DataView(section.buffer, section.byteOffset, section.byteLength).getUint32(44, true);
  }
  const end = start + count * entryBytes;
  if (end > LARGEST_HEAD) return err(`${count} program headers are beyond any bound`);
  const present = file.readUpTo(0, end);
  if (section === undefined) return ok(present);
  const joined = new Uint8Array(present.length + section.length);
  joined.set(present);
  joined.set(section, present.length);
  new DataView(joined.buffer).setBigUint64(40, BigInt(present.length), true);
  return ok(joined);
}

/** Appends the notes to the headers, wherever they lie in the file. */
function appendNotes(file: CoreFile, elf: ElfFile): Result<{ readonly elf: ElfFile; readonly isCut: boolean }, string> {
  const noteSegments = elf.segments.filter((s) => s.type === SEGMENT.note);
  const total = noteSegments.reduce((sum, s) => sum + s.fileSize, 0);
  if (total > LARGEST_HEAD) return err(`${total} bytes of notes are beyond any bound`);
  const bytes = new Uint8Array(elf.bytes.length + total);
  bytes.set(elf.bytes);
  let at = elf.bytes.length;
  let isCut = false;
  const view = new DataView(bytes.buffer);
  for (const [index, segment] of elf.segments.entries()) {
    if (segment.type !== SEGMENT.note) continue;
    const notes = file.readUpTo(segment.fileOffset, segment.fileSize);
    isCut ||= notes.length < segment.fileSize;
    bytes.set(notes, at);
    // p_offset and p_filesz of this program header now say where the notes are in our bytes.
    const header = Number(view.getBigUint64(32, true)) + index * view.getUint16(54, true);
    view.setBigUint64(header + 8, BigInt(at), true);
    view.setBigUint64(header + 32, BigInt(notes.length), true);
    at += segment.fileSize;
  }
  const parsed = parseElf(bytes);
  return parsed.ok ? ok({ elf: parsed.value, isCut }) : err(parsed.error.message);
}
