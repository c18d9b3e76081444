/** What the emitters of one program know of it, and of the object that it belongs to. `unit.ts` makes it. */
import type { Assembler, MapSpec, ProgramSpec, ProgramType } from '../../../bpf/index.ts';
import type { UsdtOperand } from '../../knowledge.ts';
import type { Program, SourcePlace } from '../../ir/program.ts';
import type { EbpfDiagnostic, PrintLayout } from './ebpf-program.ts';
import type { FunctionPlan } from './function-plan.ts';
import type { EbpfOptions } from './options.ts';
import type { StoragePlan } from './storage-plan.ts';

/** What all programs of an object have in common, and add to. */
export interface ObjectState {
  readonly program: Program;
  readonly options: EbpfOptions;
  readonly storage: StoragePlan;
  readonly diagnostics: EbpfDiagnostic[];
  /** Index 0 is undefined. */
  readonly prints: (PrintLayout | undefined)[];
  /** By name: maps that some program needs beside the storage. */
  readonly maps: Map<string, MapSpec>;
  /** Names of functions, as texts one behind another. */
  names: Uint8Array;
  frameBytes: number;
  takesStacks: boolean;
}

/** How a body gets its arguments. */
export type ArgumentSource =
  | { readonly kind: 'function' }
  | { readonly kind: 'return'; readonly offset: number }
  | { readonly kind: 'syscall' }
  /** Operands of each variant of the sites. */
  | { readonly kind: 'usdt'; readonly variants: readonly (readonly UsdtOperand[])[] }
  /** Offsets in the context. */
  | { readonly kind: 'context'; readonly offsets: readonly number[] }
  /** Of a kernel function that is hooked: helpers give its arguments, and its result, as plain numbers. */
  | { readonly kind: 'hook' }
  | { readonly kind: 'hook-return' }
  /** The first one is the thread id of the task that the context points to at its start. */
  | { readonly kind: 'new-thread' };

export interface UnitBody {
  /** Index in the program's probes. */
  readonly probe: number;
  readonly function: number;
  readonly global: boolean;
  readonly argumentSource: ArgumentSource | undefined;
  /** Emits a jump to the label for hits that are not this probe's. */
  readonly guard: ((assembler: Assembler, skip: string) => void) | undefined;
  /** By variant: the function that the site is in. */
  readonly functionNames: readonly string[];
}

export interface UnitRequest {
  readonly name: string;
  readonly type: ProgramType;
  readonly attach?: ProgramSpec['attach'];
  /** The kernel function that a `tracing` program hooks. */
  readonly attachTo?: string;
  /** Offset in the context of a pointer to the task that a hit is about; undefined: the current one. */
  readonly task: number | undefined;
  readonly bodies: readonly UnitBody[];
  /** The context begins with the registers; it is a tracepoint's record; the probed code is the kernel's. */
  readonly hasRegisters: boolean;
  readonly hasRecord: boolean;
  readonly kernelCode: boolean;
  /** Kinds of sites that the cookie tells apart. */
  readonly variants: number;
}

/** A text in the frame, for the moment. */
export interface ScratchText {
  readonly place: { readonly kind: 'register'; readonly register: 9; readonly offset: number };
  readonly capacity: number;
}

export interface ProgramContext {
  readonly assembler: Assembler;
  readonly program: Program;
  readonly options: EbpfOptions;
  readonly storage: StoragePlan;
  readonly request: UnitRequest;
  /** r6 is the context. */
  readonly usesContext: boolean;
  /** Bytes of the longest text of any kind. */
  readonly longestText: number;
  /** Offsets in the frame: of a match, and of a key that is put together. */
  readonly matchOffset: number;
  readonly keyOffset: number;
  readonly namesMap: string;
  takesStacks: boolean;
  takesUserStacks: boolean;
  diagnose(code: string, message: string, place: SourcePlace | undefined, hint: string | undefined): void;
  planOf(index: number): FunctionPlan;
  functionLabel(index: number): string;
  /** Its id. */
  addPrint(print: PrintLayout): number;
  addMap(map: MapSpec): void;
  /** A text in the map of names. */
  addConstantText(text: string): { readonly offset: number; readonly length: number };
  /** Areas 0 and 1 hold any text of the program, area 2 two of them. */
  scratchText(capacity: number, area?: 0 | 1 | 2): ScratchText;
  /** Offset in the frame of `bytes` bytes for the moment. */
  scratchRecord(bytes: number): number;
  /** A function of (index, context): r9 and r6 are set, and falling off its end goes on; `stop` ends the loop. Its label. */
  addCallback(name: string, emit: (stop: string) => void): string;
  addFunction(name: string, parameters: readonly string[], emit: () => void): string;
  /** A function for bpf_for_each_map_elem that deletes what it is shown. */
  clearCallback(): string;
  /** Calls a function of (index, context) up to `count` times. r0–r5 are lost. */
  emitLoop(count: number, callback: string): void;
  /** Jumps to the label of the site's variant, by its cookie. */
  emitVariantSwitch(labels: readonly string[]): void;
}
