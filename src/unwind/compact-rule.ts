// A frame rule of call-frame information as the 32 bytes of `RULE`: what the in-kernel unwinder can follow, and a reason where it cannot.
import type { CfaRule, FrameArchitecture, FrameRule, RegisterRule } from '../dwarf/index.ts';
import {
  MAX_FRAME_WINDOW_WORDS,
  MAX_WINDOW_WORDS,
  REGISTER_SLOTS,
  RETURN_IN_REGISTER,
  RULE,
  RULE_FLAG,
  RULE_KIND,
  UNCHANGED,
  type RegisterSlots,
} from './layout.ts';

const DW_OP = { deref: 0x06, plusConst: 0x23, breg0: 0x70 } as const;
const STACK_POINTER: Readonly<Record<FrameArchitecture, number>> = { 'x86-64': 7, aarch64: 31 };

/** Packs a rule; `undefined` (nothing known) packs to kind `none`. The array is new, `RULE.bytes` long. */
export function encodeRule(rule: FrameRule | undefined, registers: readonly number[], architecture: FrameArchitecture): Uint8Array {
  const slots = REGISTER_SLOTS[architecture];
  if (rule === undefined) return kindOnly('none');
  if (rule.returnAddress.kind === 'undefined') return kindOnly('end');
  // Only the kernel's signal frame has a CFA that lies in a saved context; others that are marked are entered by the kernel in some other way.
  if (rule.signalFrame && rule.cfa.kind === 'expression' && architecture === 'x86-64') return kindOnly('signal');
  const encoded = kindOnly('register');
  const view = new DataView(encoded.buffer);
  if (!encodeCfa(rule.cfa, architecture, slots, view)) return kindOnly('unsupported');
  if (rule.signalFrame) encoded[RULE.flags]! |= RULE_FLAG.interrupted;
  return encodeSaved(rule, registers, architecture, slots, view) ? encoded : kindOnly('unsupported');
}

/** A rule without fields. */
export function encodeKind(kind: 'signal' | 'end' | 'frame'): Uint8Array {
  return kindOnly(kind);
}

/**
 * A frame of Go: the return address `depth` bytes above the stack pointer (x86-64), where below it the caller's frame pointer lies; or the return
 * address at the stack pointer, in the link register if `depth` is 0, and the caller's frame pointer below it (AArch64).
 *
 * @param isInjected the caller did not call, but was interrupted
 */
export function encodeGoFrame(depth: number, isInjected: boolean, architecture: FrameArchitecture): Uint8Array {
  const slots = REGISTER_SLOTS[architecture];
  const isArm = architecture === 'aarch64';
  const returnOffset = isArm ? -depth : -8;
  const rule: FrameRule = {
    cfa: { kind: 'register', register: STACK_POINTER[architecture], offset: isArm ? depth : depth + 8 },
    registers: [depth >= 8 ? { kind: 'offset', offset: returnOffset - 8 } : { kind: 'same' }],
    returnAddress: isArm && depth === 0 ? { kind: 'same' } : { kind: 'offset', offset: returnOffset },
    signalFrame: false,
    signedReturnAddress: false,
  };
  const encoded = encodeRule(rule, [slots.dwarf[1]!], architecture);
  if (isInjected) encoded[RULE.flags]! |= RULE_FLAG.interrupted;
  return encoded;
}

function kindOnly(kind: keyof typeof RULE_KIND): Uint8Array {
  const bytes = new Uint8Array(RULE.bytes);
  bytes.fill(UNCHANGED, RULE.slots + 1, RULE.frameBytes);
  bytes[RULE.kind] = RULE_KIND[kind];
  return bytes;
}

function encodeCfa(cfa: CfaRule, architecture: FrameArchitecture, slots: RegisterSlots, view: DataView): boolean {
  if (cfa.kind === 'register') return encodeCfaRegister(cfa.register, cfa.offset, slots, view);
  const plt = architecture === 'x86-64' ? parsePltExpression(cfa.bytes) : undefined;
  if (plt !== undefined) {
    view.setUint8(RULE.kind, RULE_KIND.plt);
    view.setInt32(RULE.cfaOffset, plt.offset, true);
    view.setInt32(RULE.extra, plt.pushedFrom, true);
    return true;
  }
  const indirect = parseIndirectExpression(cfa.bytes);
  if (indirect === undefined || !encodeCfaRegister(indirect.register, indirect.offset, slots, view)) return false;
  if (indirect.isDereferenced) {
    view.setUint8(RULE.kind, RULE_KIND.dereference);
    view.setInt32(RULE.extra, indirect.add, true);
  }
  return true;
}

function encodeCfaRegister(register: number, offset: number, slots: RegisterSlots, view: DataView): boolean {
  const slot = slots.dwarf.indexOf(register);
  if (slot < 0) return false;
  view.setUint8(RULE.cfaSlot, slot);
  view.setInt32(RULE.cfaOffset, offset, true);
  if (slot >= slots.preserved) view.setUint8(RULE.flags, RULE_FLAG.callerSaved);
  return true;
}

/** A word of the stack that holds what the rule's byte `at` tells of. */
interface SavedWord {
  readonly at: number;
  /** Bytes from the CFA, or from the frame pointer. */
  readonly offset: number;
}

/** Puts the saved registers into windows of memory; false when they do not fit in them or are found in another way. */
function encodeSaved(
  rule: FrameRule,
  registers: readonly number[],
  architecture: FrameArchitecture,
  slots: RegisterSlots,
  view: DataView,
): boolean {
  const fromCfa: SavedWord[] = [];
  const fromFrame: SavedWord[] = [];
  const place = (at: number, saved: RegisterRule): boolean => {
    if (saved.kind === 'same' || saved.kind === 'undefined') return true;
    if (saved.kind === 'offset') fromCfa.push({ at, offset: saved.offset });
    else if (saved.kind === 'expression') {
      const place = parseIndirectExpression(saved.bytes);
      if (place === undefined || place.isDereferenced || place.register !== slots.dwarf[1]) return false;
      fromFrame.push({ at, offset: place.offset });
    } else return false;
    return true;
  };
  const returnSlot = findReturnSlot(rule.returnAddress, slots);
  if (returnSlot !== undefined) {
    view.setUint8(RULE.returnWord, RETURN_IN_REGISTER | returnSlot);
    if (returnSlot >= slots.preserved) view.setUint8(RULE.flags, view.getUint8(RULE.flags) | RULE_FLAG.callerSaved);
  } else if (rule.returnAddress.kind !== 'offset' || !place(RULE.returnWord, rule.returnAddress)) return false;
  for (const [index, dwarf] of registers.entries()) {
    const saved = rule.registers[index]!;
    if (dwarf === STACK_POINTER[architecture]) {
      if (!isCfa(saved)) return false;
      continue;
    }
    const slot = slots.dwarf.indexOf(dwarf);
    // A register that the rules follow and we do not can be lost without harm to the stack itself.
    if (slot > 0 && slot < slots.preserved && !place(RULE.slots + slot, saved)) return false;
  }
  const first = encodeWindow(fromCfa, 0, MAX_WINDOW_WORDS, view);
  const second = encodeWindow(fromFrame, MAX_WINDOW_WORDS, MAX_FRAME_WINDOW_WORDS, view);
  if (first === undefined || second === undefined || Math.abs(second.offset) >= 2 ** 15) return false;
  view.setUint8(RULE.windowBytes, first.bytes);
  view.setInt32(RULE.windowOffset, first.offset, true);
  view.setUint8(RULE.frameBytes, second.bytes);
  view.setInt16(RULE.frameOffset, second.offset, true);
  return true;
}

/** Numbers the words of one window from `firstWord` on; undefined when they lie too far apart or are not aligned to each other. */
function encodeWindow(
  words: readonly SavedWord[],
  firstWord: number,
  maxWords: number,
  view: DataView,
): { readonly offset: number; readonly bytes: number } | undefined {
  if (words.length === 0) return { offset: 0, bytes: 0 };
  const offset = Math.min(...words.map((word) => word.offset));
  const bytes = Math.max(...words.map((word) => word.offset)) - offset + 8;
  if (bytes > maxWords * 8 || words.some((word) => (word.offset - offset) % 8 !== 0)) return undefined;
  for (const word of words) view.setUint8(word.at, firstWord + (word.offset - offset) / 8);
  return { offset, bytes };
}

/** The register that holds the return address: the link register, or where hand-written code put it (glibc's vfork). */
function findReturnSlot(saved: RegisterRule, slots: RegisterSlots): number | undefined {
  if (saved.kind === 'same') return slots.linkSlot;
  const slot = saved.kind === 'register' ? slots.dwarf.indexOf(saved.register) : -1;
  return slot > 0 ? slot : undefined;
}

/** The stack pointer's value in the caller is the CFA, unless a rule says otherwise. */
function isCfa(saved: RegisterRule): boolean {
  return saved.kind === 'same' || (saved.kind === 'value-offset' && saved.offset === 0);
}

/**
 * The expression that linkers write for a procedure linkage table (binutils bfd/elfxx-x86.c, `elf_x86_64_eh_frame_plt`):
 * rsp + 8 + ((rip & 15) >= N) * 8.
 */
function parsePltExpression(bytes: Uint8Array): { readonly offset: number; readonly pushedFrom: number } | undefined {
  const [breg7, offset, breg16, zero, lit15, and, literal = 0, ge, lit3, shl, plus] = bytes;
  const fits =
    bytes.length === 11 &&
    breg7 === 0x77 &&
    breg16 === 0x80 &&
    zero === 0 &&
    lit15 === 0x3f &&
    and === 0x1a &&
    literal >= 0x30 &&
    literal <= 0x3f;
  if (!fits || ge !== 0x2a || lit3 !== 0x33 || shl !== 0x24 || plus !== 0x22 || offset === undefined || offset >= 0x40) return undefined;
  return { offset, pushedFrom: literal - 0x30 };
}

interface IndirectExpression {
  readonly register: number;
  readonly offset: number;
  readonly isDereferenced: boolean;
  readonly add: number;
}

/** `register + offset`, perhaps read from memory there, perhaps with a constant added: what compilers write for realigned stacks. */
function parseIndirectExpression(bytes: Uint8Array): IndirectExpression | undefined {
  const first = bytes[0];
  if (first === undefined || first < DW_OP.breg0 || first > DW_OP.breg0 + 31) return undefined;
  const offset = readSleb(bytes, 1);
  if (offset === undefined) return undefined;
  const parsed = { register: first - DW_OP.breg0, offset: offset.value, isDereferenced: false, add: 0 };
  if (offset.next === bytes.length) return parsed;
  if (bytes[offset.next] !== DW_OP.deref) return undefined;
  if (offset.next + 1 === bytes.length) return { ...parsed, isDereferenced: true };
  if (bytes[offset.next + 1] !== DW_OP.plusConst) return undefined;
  const add = readUleb(bytes, offset.next + 2);
  return add?.next === bytes.length ? { ...parsed, isDereferenced: true, add: add.value } : undefined;
}

interface Leb {
  readonly value: number;
  readonly next: number;
}

/** At most four bytes: no frame is larger. */
function readUleb(bytes: Uint8Array, at: number): Leb | undefined {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return { value, next: at + i + 1 };
  }
  return undefined;
}

function readSleb(bytes: Uint8Array, at: number): Leb | undefined {
  const leb = readUleb(bytes, at);
  if (leb === undefined) return undefined;
  const bits = 7 * (leb.next - at);
  return { value: (leb.value << (32 - bits)) >> (32 - bits), next: leb.next };
}
