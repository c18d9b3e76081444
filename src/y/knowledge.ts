/**
 * What the compiler may ask about the target and the kernel. It asks only here: debug information, symbol tables,
 * kernel BTF and tracefs stand behind it, and so a program can be compiled for a process, a core dump or a type library.
 */
import type { CType, FunctionType } from '../ctypes/index.ts';

export interface Knowledge {
  readonly architecture: 'x86-64' | 'aarch64';
  /** A type by name as C or C++ spells it; `tag` for `struct x`, `union x`, `enum x`. Looked for in the target's modules, or in the kernel. */
  findType(name: string, tag: 'struct' | 'union' | 'enum' | 'any', space: 'user' | 'kernel'): CType | undefined;
  /** Globals; more than one when modules or source files each have their own. `scope` is a module glob or a source file's last part. */
  findVariables(name: string, scope: string | undefined): readonly VariableSite[];
  findEnumerator(name: string): { readonly value: bigint; readonly type: CType } | undefined;
  /** Functions by exact name or glob. */
  findFunctions(pattern: string, scope: string | undefined): readonly FunctionSite[];
  /** Instructions of a source line: the first statement at `line`, or at the next line that has one (`line` of the answer says which). */
  findLine(file: string, line: number): readonly LineSite[];
  /** The instruction at an address as the target's memory or the file counts it, for `_addr(…)`; left out where nobody can say. */
  findAddress?(address: bigint): readonly LineSite[];
  findUsdt(provider: string, name: string): readonly UsdtSite[];
  hasModule(glob: string): boolean;
  /** The files that are mapped into the targets, each once: where a compiled program finds its places again. Left out where there are none. */
  modules?(): readonly MappedFile[];
  findKernelFunction(name: string): { readonly name: string; readonly type: FunctionType } | undefined;
  /** `_tracepoint.CATEGORY.NAME`: the fields of its record, as in tracefs' format file. */
  findTracepoint(category: string, name: string): Tracepoint | undefined;
  /** System calls of the target's architecture. */
  findSyscalls(pattern: string): readonly { readonly name: string; readonly number: number; readonly type: FunctionType }[];
  /** Address in the target of a literal with these bytes and a NUL in read-only data; undefined when there is none. */
  findLiteral(text: Uint8Array): bigint | undefined;
  /** Names like `name` for hints ("did you mean"). At most five. */
  similar(name: string, what: 'type' | 'function' | 'variable' | 'tracepoint' | 'syscall'): readonly string[];
}

/** A file that is mapped into a target. */
export interface MappedFile {
  /** As the target sees it. */
  readonly path: string;
  readonly buildId: string | undefined;
  /** What to add to an address of the file to get one of the target's memory; undefined when the target whose variables are read does not map it. */
  readonly bias: bigint | undefined;
}

/** A place in a mapped file. Several processes may map it at different addresses. */
export interface Site {
  /** Path of the file as the target sees it. */
  readonly module: string;
  /** Hexadecimal; undefined for a file without one. With the name it finds the place again in another process. */
  readonly buildId?: string | undefined;
  /** Address as the file's program headers count. */
  readonly address: bigint;
  /** Offset in the file: where a probe is put. */
  readonly fileOffset: number;
}

export interface FunctionSite extends Site {
  /** As the symbol table or the debug information spells it, demangled. */
  readonly name: string;
  /** Undefined without debug information. */
  readonly type: FunctionType | undefined;
  readonly size: number;
  /** First bytes of its code: `endbr64` decides where the probe goes. At most 16. */
  readonly code: Uint8Array;
}

export interface VariableSite {
  readonly name: string;
  readonly module: string;
  readonly buildId?: string | undefined;
  /** Address as the file's program headers count; undefined for a thread-local variable. */
  readonly fileAddress?: bigint | undefined;
  /** Undefined without debug information: only its address is known. */
  readonly type: CType | undefined;
  /** In the target's memory; undefined when the module is not mapped (a program compiled for later). */
  readonly address: bigint | undefined;
  /** A thread-local variable: bytes from the thread pointer (negative on x86-64), when static. */
  readonly threadOffset: bigint | undefined;
}

export interface LineSite extends Site {
  readonly line: number;
  readonly function: string;
}

export interface UsdtSite extends Site {
  /** File offset of the semaphore; undefined when there is none. */
  readonly semaphore: number | undefined;
  readonly operands: readonly UsdtOperand[];
}

/** Where an argument of a static probe is when the instruction is reached. `size` in bytes. */
export type UsdtOperand =
  | { readonly kind: 'register'; readonly size: 1 | 2 | 4 | 8; readonly signed: boolean; readonly register: string }
  | { readonly kind: 'constant'; readonly size: 1 | 2 | 4 | 8; readonly signed: boolean; readonly value: bigint }
  | {
      readonly kind: 'memory';
      readonly size: 1 | 2 | 4 | 8;
      readonly signed: boolean;
      readonly base: string;
      readonly index: string | undefined;
      readonly scale: 1 | 2 | 4 | 8;
      readonly displacement: bigint;
    };

export interface Tracepoint {
  readonly category: string;
  readonly name: string;
  /** As tracefs numbers it; 0 where tracefs cannot be read: the fields are not known then, and there are none here. */
  readonly id: number;
  readonly fields: readonly TracepointField[];
}

export interface TracepointField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly signed: boolean;
  /** An array inside of the record (`char comm[16]`), or one that a 32-bit word at `offset` points to (`__data_loc`). */
  readonly shape: 'scalar' | 'array' | 'data-loc';
  /** As C spells it; of an array with its length (`__u8[4]`), when that is a number. */
  readonly type: string;
}
