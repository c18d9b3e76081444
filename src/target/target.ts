/** What can be looked at: a live process, a frozen one, or a core dump, behind one face. */
import type { Result } from '../base/index.ts';

export type Architecture = 'x86-64' | 'aarch64';

/** A process, paused or not, or what is left of one. All addresses are the target's own virtual addresses. */
export interface Target {
  readonly kind: 'live' | 'frozen' | 'core';
  readonly architecture: Architecture;
  /** The process id as the host sees it; of a core dump, as the dump says. */
  readonly pid: number;
  /** Memory map as it was read last, sorted by start. `refresh` reads it again (a core dump's never changes). */
  readonly map: readonly Mapping[];
  refresh(): Result<void, TargetError>;
  /** Mapped files and the vDSO, each once, in order of address. */
  readonly modules: readonly TargetModule[];
  readonly memory: Memory;
  threads(): Result<readonly TargetThread[], TargetError>;
  /** The auxiliary vector (`AT_ENTRY` = 9, …); empty when it cannot be read. */
  readonly auxv: ReadonlyMap<number, bigint>;
  readonly identity: Identity;
  /** What is missing or damaged, one sentence each; empty when nothing is. */
  readonly problems: readonly string[];
  /** Lets the target go on where it was frozen, closes files. May be called twice. */
  close(): void;
}

export interface Identity {
  /** Path of the executable as the target sees it. */
  readonly exe: string;
  /** Thread name of the main thread, at most 15 bytes. */
  readonly comm: string;
  readonly commandLine: readonly string[];
  /** Process id in the innermost pid namespace; the same as `pid` where there is none. */
  readonly namespacePid: number;
  readonly parentPid: number;
  readonly processGroup: number;
  readonly uid: number;
  readonly gid: number;
  /** 12 or 64 hexadecimal digits, from the control group's path; undefined outside of containers. */
  readonly container: string | undefined;
}

export interface Mapping {
  readonly start: bigint;
  readonly end: bigint;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  readonly shared: boolean;
  /** Offset in the mapped file, bytes. */
  readonly fileOffset: number;
  /** Number of the file system's device as the kernel prints it (`fe:00`); `00:00` of anonymous memory. */
  readonly device: string;
  readonly inode: number;
  /** As the kernel prints it, without ` (deleted)`; empty for anonymous memory; `[heap]`, `[stack]`, `[vdso]`. */
  readonly path: string;
  readonly deleted: boolean;
}

/** A file that is mapped into the target (or the vDSO), and where. */
export interface TargetModule {
  /** As the target sees it; `[vdso]` for the vDSO. */
  readonly path: string;
  /** Last part of the path. */
  readonly name: string;
  /** Lower case hexadecimal; undefined when the file has none or cannot be read. */
  readonly buildId: string | undefined;
  /** What must be added to an address of the file (as in its program headers) to get the target's address. */
  readonly bias: bigint;
  /** Lowest and one past the highest mapped address. */
  readonly start: bigint;
  readonly end: bigint;
  readonly mappings: readonly Mapping[];
  /** Why the file on disk under `path` is not the mapped one (deleted, replaced), or why nothing can be read; undefined when all is well. */
  readonly note: string | undefined;
  /** A path on this host under which the very file can be read even if it was deleted, replaced, or lives in another mount namespace; undefined when it cannot. */
  readonly hostPath: string | undefined;
  /** The file's bytes, or the memory image when there is no file (vDSO). A file is read when nobody holds its bytes yet, and let go of with them. */
  bytes(): Result<Uint8Array, TargetError>;
}

/** Reads of the target's memory. Nothing is ever written. Backed by a cache of pages, so that a walk sees each page once; `drop` forgets it. */
export interface Memory {
  /** Reads exactly `length` bytes; undefined when any of them cannot be read. The array is the caller's. */
  read(address: bigint, length: number): Uint8Array | undefined;
  /** Little-endian unsigned integers; undefined when unreadable. */
  readU8(address: bigint): number | undefined;
  readU16(address: bigint): number | undefined;
  readU32(address: bigint): number | undefined;
  readU64(address: bigint): bigint | undefined;
  /** Bytes up to a NUL (not included) or `limit`, whichever comes first; undefined when unreadable before that. */
  readText(address: bigint, limit: number): Uint8Array | undefined;
  /** Reads many ranges at once (fewer system calls); undefined for each that cannot be read. */
  readMany(ranges: readonly { readonly address: bigint; readonly length: number }[]): (Uint8Array | undefined)[];
  /** Forgets cached pages: the next read sees the target as it is then. */
  drop(): void;
}

export interface TargetThread {
  readonly tid: number;
  readonly name: string;
  /** Of a frozen process or a core dump; undefined of a live one (it runs). */
  readonly registers: Registers | undefined;
}

/** General-purpose registers by DWARF number (x86-64: 0 rax … 7 rsp, 16 return address/rip; AArch64: 0–30, 31 sp, 32 pc) and the thread pointer. */
export interface Registers {
  readonly byDwarf: readonly (bigint | undefined)[];
  readonly ip: bigint;
  readonly sp: bigint;
  /** fs base on x86-64, tpidr_el0 on AArch64. */
  readonly threadPointer: bigint | undefined;
}

export type TargetError =
  | { readonly kind: 'gone'; readonly message: string }
  | { readonly kind: 'forbidden'; readonly message: string }
  | { readonly kind: 'unreadable'; readonly message: string }
  | { readonly kind: 'damaged'; readonly message: string };
