/**
 * What the kernel writes into a core dump's notes: threads with their registers, the process, mapped files, the auxiliary vector.
 * Sources: Linux 6.1 fs/binfmt_elf.c, include/linux/elfcore.h (elf_prstatus, elf_prpsinfo), arch/{x86,arm64}/include/asm/elf.h.
 */
import type { Result } from '../base/index.ts';
import { ByteReader, textOf } from './byte-reader.ts';
import { MACHINE, type ElfFile } from './elf-file.ts';
import { FormatFault, parseAtBorder, type FormatError } from './format-error.ts';
import { readNotes, type Note } from './notes.ts';

const NT = { prstatus: 1, prpsinfo: 3, auxv: 6, armTls: 0x401, siginfo: 0x53494749, file: 0x46494c45 } as const;

/** A thread as NT_PRSTATUS tells it. */
export interface CoreThread {
  readonly tid: number;
  readonly parentPid: number;
  readonly processGroup: number;
  /** The signal that this thread was to get; 0 for none. */
  readonly signal: number;
  /** By DWARF number: x86-64 0 rax … 15 r15, 16 rip; AArch64 0–30, 31 sp, 32 pc. */
  readonly registers: readonly bigint[];
  readonly ip: bigint;
  readonly sp: bigint;
  /** fs base, or tpidr_el0; undefined when the dump of an AArch64 process lacks NT_ARM_TLS. */
  readonly threadPointer: bigint | undefined;
}

/** NT_PRPSINFO. */
export interface CoreProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly processGroup: number;
  readonly session: number;
  readonly uid: number;
  readonly gid: number;
  /** At most 15 bytes. */
  readonly comm: string;
  /** The command line, joined by blanks, at most 79 bytes. */
  readonly commandLine: string;
}

/** A file mapping of NT_FILE. */
export interface CoreMappedFile {
  readonly start: bigint;
  readonly end: bigint;
  /** Bytes. */
  readonly fileOffset: number;
  readonly path: string;
}

/** The signal that ended the process (NT_SIGINFO). */
export interface CoreSignal {
  readonly signal: number;
  readonly code: number;
  /** `si_addr`: meaningful for SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP. */
  readonly address: bigint;
}

export interface CoreNotes {
  /** In the dump's order: the thread that crashed comes first. */
  readonly threads: readonly CoreThread[];
  readonly process: CoreProcess | undefined;
  /** In order of address. */
  readonly files: readonly CoreMappedFile[];
  readonly auxv: ReadonlyMap<number, bigint>;
  readonly signal: CoreSignal | undefined;
  /** Notes that were cut short. */
  readonly skipped: number;
}

/** Reads the notes of a 64-bit x86 or AArch64 core dump. Notes that are cut short are counted, not fatal. */
export function parseCoreNotes(elf: ElfFile): Result<CoreNotes, FormatError> {
  return parseAtBorder(() => {
    if (elf.type !== 'core') throw new FormatFault('not-this-format', `an ELF file of type ${elf.type} is no core dump`);
    if (!elf.is64 || (elf.machine !== MACHINE.x86_64 && elf.machine !== MACHINE.aarch64)) {
      throw new FormatFault('unsupported', `core dumps are read of 64-bit x86 and AArch64, not of machine ${elf.machine}`);
    }
    return readCoreNotes(elf);
  });
}

function readCoreNotes(elf: ElfFile): CoreNotes {
  const threads: CoreThread[] = [];
  let process: CoreProcess | undefined;
  let files: readonly CoreMappedFile[] = [];
  let auxv: ReadonlyMap<number, bigint> = new Map();
  let signal: CoreSignal | undefined;
  let skipped = 0;
  const readOne = (note: Note, reader: ByteReader): void => {
    if (note.type === NT.prstatus) threads.push(readThread(reader, elf.machine));
    else if (note.type === NT.prpsinfo) process = readProcess(reader);
    else if (note.type === NT.file) files = readFiles(reader);
    else if (note.type === NT.auxv) auxv = readAuxv(reader);
    else if (note.type === NT.siginfo) signal = { signal: reader.i32(0), code: reader.i32(8), address: reader.big64(16) };
    else if (note.type === NT.armTls && threads.length > 0) threads.push({ ...threads.pop()!, threadPointer: reader.big64(0) });
  };
  for (const note of readNotes(elf)) {
    if (note.owner !== 'CORE' && note.owner !== 'LINUX') continue;
    const read = parseAtBorder(() => readOne(note, new ByteReader(note.description, elf.littleEndian)));
    if (!read.ok) skipped++;
  }
  return { threads, process, files, auxv, signal, skipped };
}

/** Slots of x86-64's user_regs_struct by DWARF number: rax rdx rcx rbx rsi rdi rbp rsp r8–r15 rip. */
const X86_64_SLOTS = [10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16];
const X86_64_FS_BASE_SLOT = 21;
const REGISTERS_AT = 112;

function readThread(reader: ByteReader, machine: number): CoreThread {
  const isX86 = machine === MACHINE.x86_64;
  const slot = (index: number): bigint => reader.big64(REGISTERS_AT + index * 8);
  const slots = isX86 ? X86_64_SLOTS : Array.from({ length: 33 }, (_, i) => i);
  const registers = slots.map(slot);
  return {
    tid: reader.i32(32),
    parentPid: reader.i32(36),
    processGroup: reader.i32(40),
    signal: reader.u16(12),
    registers,
    ip: registers[isX86 ? 16 : 32]!,
    sp: registers[isX86 ? 7 : 31]!,
    threadPointer: isX86 ? slot(X86_64_FS_BASE_SLOT) : undefined,
  };
}

function readProcess(reader: ByteReader): CoreProcess {
  return {
    uid: reader.u32(16),
    gid: reader.u32(20),
    pid: reader.i32(24),
    parentPid: reader.i32(28),
    processGroup: reader.i32(32),
    session: reader.i32(36),
    comm: textOf(reader.range(40, 16)),
    commandLine: textOf(reader.range(56, 80)).trimEnd(),
  };
}

function readFiles(reader: ByteReader): CoreMappedFile[] {
  const count = reader.u64(0);
  const pageSize = reader.u64(8);
  reader.check(16, count * 24);
  const files: CoreMappedFile[] = [];
  let name = 16 + count * 24;
  for (let i = 0; i < count; i++) {
    const at = 16 + i * 24;
    const end = reader.endOfText(name);
    files.push({
      start: reader.big64(at),
      end: reader.big64(at + 8),
      fileOffset: reader.u64(at + 16) * pageSize,
      path: textOf(reader.bytes.subarray(name, end)),
    });
    name = Math.min(end + 1, reader.length);
  }
  return files;
}

function readAuxv(reader: ByteReader): Map<number, bigint> {
  const auxv = new Map<number, bigint>();
  for (let at = 0; at + 16 <= reader.length; at += 16) {
    const key = reader.u64(at);
    if (key === 0) break;
    auxv.set(key, reader.big64(at + 8));
  }
  return auxv;
}
