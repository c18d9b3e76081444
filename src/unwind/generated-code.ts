// Machine code that a library wrote while the program runs, without call-frame information. Most of it has frame pointers and needs nothing from us.
// sljit, PCRE's compiler of regular expressions, uses the frame pointer for something else; but each of its functions begins alike, moves the stack
// pointer once, and ends at the next function. Source: pcre2 10.42, src/sljit/sljitNativeX86_64.c, `sljit_emit_enter`.
import { createHash } from 'node:crypto';
import type { FrameArchitecture, FrameRule, RegisterRule } from '../dwarf/index.ts';
import type { Target } from '../target/index.ts';
import { encodeRule } from './compact-rule.ts';
import type { CompactTable } from './compact-table.ts';

/** push %r15; push %r14: among the registers that a function saves, in this order. */
const ANCHOR = Uint8Array.of(0x41, 0x57, 0x41, 0x56);
const MAX_PUSHES = 7;
const MAX_MOVES = 4;
/** Registers whose values in the caller matter, by DWARF number: rbx, rbp, r12–r15. */
const REGISTERS = [3, 6, 12, 13, 14, 15] as const;
const FRAME_POINTER_RULE = 0;
/** sljit takes memory in pieces of 64 KiB; pieces side by side are one mapping. */
const MAX_CODE_BYTES = 4 << 20;

/** The beginning of a function. */
interface Prologue {
  readonly start: number;
  /** DWARF numbers of the pushed registers, and where the push ends. */
  readonly pushes: readonly { readonly register: number; readonly end: number }[];
  /** Where the stack pointer has been lowered, and by how much. */
  readonly end: number;
  readonly lowered: number;
}

/** Rows of an anonymous mapping's code; addresses are relative to its start. */
export interface GeneratedCode {
  /** The same for the same rows. */
  readonly key: string;
  readonly table: CompactTable;
}

/**
 * Looks for such code in the target's anonymous executable memory, by the mappings' starts. Reads that memory each time, but only of processes that
 * have mapped PCRE or PHP (which has a PCRE of its own).
 */
export function findGeneratedCode(target: Target): ReadonlyMap<bigint, GeneratedCode> {
  const found = new Map<bigint, GeneratedCode>();
  if (!target.modules.some(({ name }) => /pcre|php/.test(name))) return found;
  for (const { start, end, executable, path } of target.map) {
    const length = Number(end - start);
    if (!executable || path !== '' || length > MAX_CODE_BYTES) continue;
    const bytes = target.memory.read(start, length);
    const table = bytes && compileGeneratedCode(bytes, target.architecture);
    if (table !== undefined) found.set(start, { key: toKey(table), table });
  }
  return found;
}

function toKey({ pc, rule, rules }: CompactTable): string {
  const hash = createHash('sha256').update(pc).update(rule);
  for (const bytes of rules) hash.update(bytes);
  return `generated ${hash.digest('hex')}`;
}

/** Rows of generated code at `bytes`; undefined when no function in it is recognised. Code before the first has frame pointers, as far as we know. */
export function compileGeneratedCode(bytes: Uint8Array, architecture: FrameArchitecture): CompactTable | undefined {
  if (architecture !== 'x86-64') return undefined;
  const prologues = findPrologues(bytes);
  if (prologues.length === 0) return undefined;
  const pc = [0];
  const rule = [FRAME_POINTER_RULE];
  const rules = [encodeRule(undefined, REGISTERS, architecture)];
  const numbers = new Map<string, number>();
  const push = (address: number, prologue: Prologue, pushed: number, lowered: number): void => {
    const saved = prologue.pushes.slice(0, pushed).map(({ register }) => register);
    const key = `${saved.join(' ')} + ${lowered}`;
    const number = numbers.get(key) ?? rules.length;
    if (number === rules.length) {
      rules.push(encodeRule(toRule(saved, lowered), REGISTERS, architecture));
      numbers.set(key, number);
    }
    pc.push(address);
    rule.push(number);
  };
  for (const prologue of prologues) {
    push(prologue.start, prologue, 0, 0);
    for (const [index, { end }] of prologue.pushes.entries()) push(end, prologue, index + 1, 0);
    push(prologue.end, prologue, prologue.pushes.length, prologue.lowered);
  }
  const drop = pc[1] === 0 ? 1 : 0;
  const counts = { functions: prologues.length, rows: pc.length - drop, damaged: 0, unsupportedRows: 0 };
  return { architecture, base: 0, pc: Uint32Array.from(pc.slice(drop)), rule: Uint32Array.from(rule.slice(drop)), rules, counts };
}

function toRule(saved: readonly number[], lowered: number): FrameRule {
  const registers = REGISTERS.map((dwarf): RegisterRule => {
    const at = saved.indexOf(dwarf);
    return at < 0 ? { kind: 'same' } : { kind: 'offset', offset: -16 - 8 * at };
  });
  return {
    cfa: { kind: 'register', register: 7, offset: 8 + 8 * saved.length + lowered },
    registers,
    returnAddress: { kind: 'offset', offset: -8 },
    signalFrame: false,
    signedReturnAddress: false,
  };
}

function findPrologues(bytes: Uint8Array): Prologue[] {
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Prologue[] = [];
  for (let at = haystack.indexOf(ANCHOR); at >= 0; at = haystack.indexOf(ANCHOR, at + 1)) {
    // rbx or rbp may be pushed before.
    const start = at > 0 && (bytes[at - 1] === 0x53 || bytes[at - 1] === 0x55) ? at - 1 : at;
    const prologue = readPrologue(bytes, start);
    if (prologue !== undefined) found.push(prologue);
  }
  return found;
}

/** Pushes, moves of arguments, one subtraction from the stack pointer. */
function readPrologue(bytes: Uint8Array, start: number): Prologue | undefined {
  const pushes: { register: number; end: number }[] = [];
  let at = start;
  while (pushes.length < MAX_PUSHES) {
    const extended = bytes[at] === 0x41;
    const code = bytes[at + (extended ? 1 : 0)] ?? 0;
    const register = pushedRegister(extended, code);
    if (register === undefined) break;
    at += extended ? 2 : 1;
    pushes.push({ register, end: at });
  }
  for (let moves = 0; moves < MAX_MOVES && (bytes[at] === 0x48 || bytes[at] === 0x49) && bytes[at + 1] === 0x89; moves++) at += 3;
  if (bytes[at] !== 0x48 || bytes[at + 2] !== 0xec) return undefined;
  if (bytes[at + 1] === 0x83) return { start, pushes, end: at + 4, lowered: bytes[at + 3] ?? 0 };
  if (bytes[at + 1] !== 0x81 || at + 7 > bytes.length) return undefined;
  return { start, pushes, end: at + 7, lowered: new DataView(bytes.buffer, bytes.byteOffset + at + 3, 4).getUint32(0, true) };
}

/** push %rbx, %rbp; with the prefix push %r12 to %r15. */
function pushedRegister(isExtended: boolean, code: number): number | undefined {
  if (isExtended) return code >= 0x54 && code <= 0x57 ? code - 0x54 + 12 : undefined;
  return code === 0x53 ? 3 : code === 0x55 ? 6 : undefined;
}
