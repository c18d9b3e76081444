// One frame: from the state's registers to those of the caller. See `layout.ts` for what lies where.
//
// r9 is the state (a map's value) throughout; r6–r8 live over helper calls. Jumps to `done` end the stack, with the reason in the state.
import type { Assembler } from '../bpf/index.ts';
import type { FrameArchitecture } from '../dwarf/index.ts';
import {
  FRAME_MASK,
  MAPPING,
  MAPPING_FLAG,
  MAPPINGS_PER_SHARD,
  MAX_RULES,
  MAX_WINDOW_WORDS,
  NO_PIECE,
  REGISTER_SLOTS,
  RETURN_IN_REGISTER,
  ROW_BYTES,
  ROWS_PER_SHARD,
  RULE,
  RULE_CACHE,
  RULE_FLAG,
  RULE_KIND,
  STACK_PIECE,
  STATE,
  UNCHANGED,
  UNWIND_MAPS,
} from './layout.ts';
import { UNWIND_STATUS, type UnwindStatus } from './status.ts';

/** Odd and with evenly spread bits (2^64 / golden ratio). */
const HASH_FACTOR = 0x9e3779b97f4a7c15n;
/** User addresses of AArch64 have 48 bits here; above them lies a pointer's signature. */
const AARCH64_ADDRESS_MASK = 0x0000_ffff_ffff_ffffn;

const RULE_NUMBER_BITS = Math.log2(MAX_RULES);

/** Emits one step. Falls through when there may be another frame. */
export function emitFrameStep(a: Assembler, architecture: FrameArchitecture, maxFrames: number, done: string): void {
  const step = new FrameStep(a, architecture, maxFrames, done);
  step.findKnownRule();
  step.findMapping();
  step.findRow();
  step.applyRule();
}

class FrameStep {
  readonly #a: Assembler;
  readonly #architecture: FrameArchitecture;
  readonly #maxFrames: number;
  readonly #done: string;
  readonly #framePointer: string;
  readonly #anyStack: string;
  readonly #push: string;
  readonly #known: string;

  constructor(a: Assembler, architecture: FrameArchitecture, maxFrames: number, done: string) {
    this.#a = a;
    this.#architecture = architecture;
    this.#maxFrames = maxFrames;
    this.#done = done;
    this.#framePointer = a.newLabel('frame_pointer');
    this.#anyStack = a.newLabel('any_stack');
    this.#push = a.newLabel('push');
    this.#known = a.newLabel('known');
  }

  #end(status: UnwindStatus): void {
    this.#a.storeImm(8, 9, STATE.status, UNWIND_STATUS[status]).jump(this.#done);
  }

  #endIf(condition: 'eq' | 'ne', register: 0 | 1, value: number, status: UnwindStatus): void {
    const other = this.#a.newLabel('go_on');
    this.#a.jumpIfImm(condition === 'eq' ? 'ne' : 'eq', register, value, other);
    this.#end(status);
    this.#a.label(other);
  }

  /** r8 = the only value of inner map number r1 of `map`. */
  #openShard(map: string): void {
    this.#a.store(4, 10, -4, 1).loadMap(1, map).move(2, 10).aluImm('add', 2, -4).call('map_lookup_elem');
    this.#endIf('eq', 0, 0, 'noTable');
    this.#a.move(1, 0).storeImm(4, 10, -4, 0).move(2, 10).aluImm('add', 2, -4).call('map_lookup_elem');
    this.#endIf('eq', 0, 0, 'noTable');
    this.#a.move(8, 0);
  }

  /**
   * Binary search without branches: r6 = first index, r7 = how many, r0 = key, r8 = table. Leaves in r6 the index of the last entry that is not
   * greater than the key (or the first). Short tables skip the first half of the steps.
   */
  #search(steps: number, entryBytes: 8 | 32, keyBytes: 4 | 8): void {
    const a = this.#a;
    const short = a.newLabel('short');
    const shift = entryBytes === 8 ? 3 : 5;
    const mask = (ROWS_PER_SHARD * ROW_BYTES) / entryBytes - 1;
    const shortSteps = Math.floor(steps / 2);
    a.jumpIfImm('le', 7, 2 ** shortSteps, short);
    for (let left = steps; left > 0; left--) {
      if (left === shortSteps) a.label(short);
      a.move(1, 7).aluImm('rsh', 1, 1).move(2, 6).alu('add', 2, 1).aluImm('and', 2, mask).aluImm('lsh', 2, shift).alu('add', 2, 8);
      a.load(keyBytes, 3, 2, 0).move(4, 0).alu('sub', 4, 3).aluImm('arsh', 4, 63).aluImm('xor', 4, -1).alu('and', 4, 1);
      a.alu('add', 6, 4).alu('sub', 7, 1);
    }
    a.aluImm('and', 6, mask).aluImm('lsh', 6, shift).alu('add', 6, 8);
  }

  /** r2 = the address's place in the cache of rules, r0 = the address. Clobbers r1. */
  #findCachePlace(): void {
    const a = this.#a;
    a.load(8, 0, 9, STATE.pc).load(8, 1, 9, STATE.adjust).alu('sub', 0, 1);
    a.move(2, 0)
      .aluImm('rsh', 2, Math.log2(RULE_CACHE.entries))
      .alu('xor', 2, 0)
      .aluImm('and', 2, RULE_CACHE.entries - 1);
    a.aluImm('lsh', 2, Math.log2(RULE_CACHE.entryBytes)).alu('add', 2, 9);
  }

  /** With a rule in the cache goes on there, its number in r1. */
  findKnownRule(): void {
    const a = this.#a;
    const missing = a.newLabel('missing');
    this.#findCachePlace();
    a.load(4, 1, 2, STATE.bytes + RULE_CACHE.generation)
      .load(4, 3, 9, STATE.generation)
      .jumpIf('ne', 1, 3, missing);
    a.load(8, 1, 2, STATE.bytes + RULE_CACHE.rule)
      .move(3, 1)
      .aluImm('rsh', 3, RULE_NUMBER_BITS)
      .jumpIf('ne', 3, 0, missing);
    a.jump(this.#known).label(missing);
  }

  /** Leaves shard, first row, number of rows and the address in the module in the state; jumps to the frame-pointer rule for code without rows. */
  findMapping(): void {
    const a = this.#a;
    const inside = a.newLabel('inside');
    const outside = a.newLabel('outside');
    a.load(4, 1, 9, STATE.mappingShard);
    this.#openShard(UNWIND_MAPS.mappings);
    a.load(8, 0, 9, STATE.pc).load(8, 1, 9, STATE.adjust).alu('sub', 0, 1);
    a.load(4, 6, 9, STATE.mappingFirst).load(4, 7, 9, STATE.mappingCount);
    this.#search(Math.log2(MAPPINGS_PER_SHARD), MAPPING.bytes, 8);
    a.load(8, 1, 6, MAPPING.start).jumpIf('lt', 0, 1, outside);
    a.load(8, 1, 6, MAPPING.end).jumpIf('lt', 0, 1, inside);
    a.label(outside);
    this.#end('unmapped');
    a.label(inside).load(8, 1, 6, MAPPING.base).alu('sub', 0, 1).store(8, 9, STATE.moduleAddress, 0);
    a.load(2, 1, 6, MAPPING.flags).jumpIfImm('eq', 1, MAPPING_FLAG.framePointer, this.#framePointer);
    this.#endIf('eq', 1, MAPPING_FLAG.returnProbe, 'returnProbe');
    this.#endIf('eq', 1, MAPPING_FLAG.noTable, 'noTable');
    a.load(2, 1, 6, MAPPING.firstRow).store(8, 9, STATE.firstRow, 1);
    a.load(2, 2, 6, MAPPING.lastRow).alu('sub', 2, 1).aluImm('add', 2, 1).store(8, 9, STATE.rowCount, 2);
    a.load(2, 1, 6, MAPPING.shard);
  }

  /** r1 = shard of rows. Leaves the number of the rule in r1. */
  findRow(): void {
    this.#openShard(UNWIND_MAPS.rows);
    this.#a.load(8, 0, 9, STATE.moduleAddress).load(8, 6, 9, STATE.firstRow).load(8, 7, 9, STATE.rowCount);
    this.#search(Math.log2(ROWS_PER_SHARD), ROW_BYTES, 4);
    this.#a.load(4, 7, 6, 4);
    this.#findCachePlace();
    this.#a
      .aluImm('lsh', 0, RULE_NUMBER_BITS)
      .alu('or', 0, 7)
      .store(8, 2, STATE.bytes + RULE_CACHE.rule, 0);
    this.#a.load(4, 1, 9, STATE.generation).store(4, 2, STATE.bytes + RULE_CACHE.generation, 1);
    this.#a.move(1, 7).label(this.#known);
  }

  /** r1 = number of the rule. */
  applyRule(): void {
    const a = this.#a;
    const kinds = { register: a.newLabel('register'), dereference: a.newLabel('dereference'), signal: a.newLabel('signal') };
    const cfa = a.newLabel('cfa');
    a.aluImm('and', 1, MAX_RULES - 1)
      .aluImm('lsh', 1, Math.log2(RULE.bytes))
      .loadMapValue(6, UNWIND_MAPS.rules)
      .alu('add', 6, 1);
    a.load(1, 1, 6, RULE.kind);
    a.jumpIfImm('eq', 1, RULE_KIND.register, kinds.register).jumpIfImm('eq', 1, RULE_KIND.none, this.#framePointer);
    a.jumpIfImm('eq', 1, RULE_KIND.dereference, kinds.dereference).jumpIfImm('eq', 1, RULE_KIND.signal, kinds.signal);
    a.jumpIfImm('eq', 1, RULE_KIND.frame, this.#anyStack);
    this.#endIf('eq', 1, RULE_KIND.end, 'complete');
    this.#endIf('ne', 1, RULE_KIND.plt, 'unsupported');
    this.#emitPlt(cfa);
    a.label(kinds.dereference);
    this.#emitDereference(cfa);
    a.label(kinds.register);
    this.#emitRegisterSum();
    a.label(cfa);
    this.#emitWindow();
    this.#emitRestore();
    a.jump(this.#push);
    a.label(kinds.signal);
    this.#emitSignalFrame();
    a.label(this.#framePointer);
    this.#emitFramePointer();
    a.label(this.#push);
    this.#emitPush();
  }

  /** r7 = a register's value + the rule's offset. */
  #emitRegisterSum(): void {
    const a = this.#a;
    const known = a.newLabel('known');
    a.load(1, 1, 6, RULE.flags).aluImm('and', 1, RULE_FLAG.callerSaved).jumpIfImm('eq', 1, 0, known);
    a.load(8, 1, 9, STATE.interrupted);
    this.#endIf('eq', 1, 0, 'lostRegister');
    a.label(known).load(1, 2, 6, RULE.cfaSlot).aluImm('and', 2, 15).aluImm('lsh', 2, 3).alu('add', 2, 9);
    a.load(8, 7, 2, STATE.registers);
    this.#addSigned(7, RULE.cfaOffset);
  }

  /** `register` += a signed 32-bit field of the rule; clobbers r4. */
  #addSigned(register: 3 | 7, field: number): void {
    this.#a.load(4, 4, 6, field).aluImm('lsh', 4, 32).aluImm('arsh', 4, 32).alu('add', register, 4);
  }

  #emitDereference(cfa: string): void {
    this.#emitRegisterSum();
    this.#a.move(1, 9).aluImm('add', 1, STATE.cfa).moveImm(2, 8).move(3, 7).call('probe_read_user');
    this.#endIf('ne', 0, 0, 'fault');
    this.#a.load(8, 7, 9, STATE.cfa);
    this.#addSigned(7, RULE.extra);
    this.#a.jump(cfa);
  }

  /** An entry of the procedure linkage table pushes a word part of the way through its 16 bytes. */
  #emitPlt(cfa: string): void {
    const a = this.#a;
    a.load(8, 7, 9, STATE.registers);
    this.#addSigned(7, RULE.cfaOffset);
    a.load(8, 1, 9, STATE.pc).aluImm('and', 1, 15).load(4, 2, 6, RULE.extra).jumpIf('lt', 1, 2, cfa).aluImm('add', 7, 8).jump(cfa);
  }

  /** r8 = the saved registers, which it reads; r7 = CFA, which must not lie below the stack pointer (a leaf's may be the same). */
  #emitWindow(): void {
    const a = this.#a;
    const higher = a.newLabel('higher');
    const nothing = a.newLabel('nothing');
    a.load(8, 1, 9, STATE.registers).jumpIf('ge', 7, 1, higher);
    this.#end('noProgress');
    const [direct, have] = [a.newLabel('direct'), a.newLabel('have')];
    a.label(higher).load(1, 2, 6, RULE.windowBytes).jumpIfImm('eq', 2, 0, nothing).move(3, 7);
    this.#addSigned(3, RULE.windowOffset);
    a.load(1, 1, 6, RULE.frameBytes).jumpIfImm('ne', 1, 0, direct);
    this.#emitPiece(direct, have);
    a.label(direct).move(1, 9).aluImm('add', 1, STATE.window).call('probe_read_user');
    this.#endIf('ne', 0, 0, 'fault');
    a.label(nothing).move(8, 9).aluImm('add', 8, STATE.window);
    const single = a.newLabel('single');
    a.load(1, 2, 6, RULE.frameBytes).jumpIfImm('eq', 2, 0, single);
    a.load(2, 3, 6, RULE.frameOffset)
      .aluImm('lsh', 3, 48)
      .aluImm('arsh', 3, 48)
      .load(8, 1, 9, STATE.registers + 8)
      .alu('add', 3, 1);
    a.move(1, 9)
      .aluImm('add', 1, STATE.window + MAX_WINDOW_WORDS * 8)
      .call('probe_read_user');
    this.#endIf('ne', 0, 0, 'fault');
    a.label(single).label(have);
  }

  /** r3 = address of the window, r2 = its length, both kept where it jumps to `direct`; r8 = the window in the piece of the stack, at `have`. */
  #emitPiece(direct: string, have: string): void {
    const a = this.#a;
    const [outside, inside, failed] = [a.newLabel('outside'), a.newLabel('inside'), a.newLabel('failed')];
    a.load(8, 1, 9, STATE.piece).move(8, 3).alu('sub', 8, 1);
    a.jumpIfImm('gt', 8, STACK_PIECE.bytes - MAX_WINDOW_WORDS * 8, outside);
    a.label(inside)
      .aluImm('and', 8, STACK_PIECE.bytes - 1)
      .alu('add', 8, 9)
      .aluImm('add', 8, STACK_PIECE.offset)
      .jump(have);
    a.label(outside).jumpIfImm('eq', 1, NO_PIECE, direct).store(8, 9, STATE.piece, 3);
    a.move(1, 9).aluImm('add', 1, STACK_PIECE.offset).moveImm(2, STACK_PIECE.bytes).call('probe_read_user');
    a.jumpIfImm('ne', 0, 0, failed).moveImm(8, 0).jump(inside);
    a.label(failed).load(8, 3, 9, STATE.piece).storeImm(8, 9, STATE.piece, NO_PIECE).load(1, 2, 6, RULE.windowBytes);
  }

  /** Takes the return address and the saved registers from the window at r8; the CFA becomes the stack pointer. */
  #emitRestore(): void {
    const a = this.#a;
    const { preserved } = REGISTER_SLOTS[this.#architecture];
    const inRegister = a.newLabel('in_register');
    const haveReturn = a.newLabel('have_return');
    a.load(1, 2, 6, RULE.returnWord).move(1, 2).aluImm('and', 1, 15).aluImm('lsh', 1, 3);
    a.jumpIfImm('ge', 2, RETURN_IN_REGISTER, inRegister).alu('add', 1, 8).load(8, 2, 1, 0).jump(haveReturn);
    a.label(inRegister).alu('add', 1, 9).load(8, 2, 1, STATE.registers).label(haveReturn);
    if (this.#architecture === 'aarch64') a.loadImm64(3, AARCH64_ADDRESS_MASK).alu('and', 2, 3);
    a.store(8, 9, STATE.pc, 2);
    for (let slot = 1; slot < preserved; slot++) {
      const same = a.newLabel('same');
      a.load(1, 1, 6, RULE.slots + slot).jumpIfImm('eq', 1, UNCHANGED, same);
      a.aluImm('and', 1, 31)
        .aluImm('lsh', 1, 3)
        .alu('add', 1, 8)
        .load(8, 3, 1, 0)
        .store(8, 9, STATE.registers + slot * 8, 3);
      a.label(same);
    }
    a.store(8, 9, STATE.registers, 7).storeImm(8, 9, STATE.interrupted, 0).storeImm(8, 9, STATE.adjust, 1);
    const called = a.newLabel('called');
    a.load(1, 1, 6, RULE.flags).aluImm('and', 1, RULE_FLAG.interrupted).jumpIfImm('eq', 1, 0, called);
    this.#emitInterrupted();
    a.label(called);
  }

  /** The next frame was interrupted, not left by a call: its address is exact. Clobbers r1–r3. */
  #emitInterrupted(): void {
    const a = this.#a;
    a.storeImm(8, 9, STATE.adjust, 0).storeImm(8, 9, STATE.interrupted, 1);
    a.load(8, 1, 9, STATE.count).move(2, 1).aluImm('and', 2, 63).moveImm(3, 1).alu('lsh', 3, 2);
    a.aluImm('rsh', 1, 6).aluImm('and', 1, 3).aluImm('lsh', 1, 3).alu('add', 1, 9);
    a.load(8, 2, 1, STATE.exact).alu('or', 2, 3).store(8, 1, STATE.exact, 2);
  }

  /**
   * The kernel's signal frame: the interrupted registers lie in a sigcontext at a fixed distance from the stack pointer.
   * x86-64: ucontext at rsp, its mcontext 40 bytes on, r8 first (arch/x86/include/uapi/asm/sigcontext.h). AArch64: siginfo (128 bytes), ucontext
   * with mcontext 176 bytes on, regs from 8 on (arch/arm64/include/uapi/asm/{sigcontext,ucontext}.h, arch/arm64/kernel/signal.c).
   */
  #emitSignalFrame(): void {
    const a = this.#a;
    const frame = SIGNAL_FRAMES[this.#architecture];
    a.load(8, 3, 9, STATE.registers).aluImm('add', 3, frame.offset);
    a.move(1, 9)
      .aluImm('add', 1, STATE.window)
      .moveImm(2, frame.words * 8)
      .call('probe_read_user');
    this.#endIf('ne', 0, 0, 'fault');
    a.load(8, 1, 9, STATE.window + frame.pcWord * 8).store(8, 9, STATE.pc, 1);
    for (const [slot, word] of frame.slotWords.entries()) {
      a.load(8, 1, 9, STATE.window + word * 8).store(8, 9, STATE.registers + slot * 8, 1);
    }
    this.#emitInterrupted();
    a.jump(this.#push);
  }

  /**
   * Return address one word above where the frame pointer points; that it points at or above the stack pointer is all that can be checked, and
   * where a function went from one stack to another not even that.
   */
  #emitFramePointer(): void {
    const a = this.#a;
    const zero = a.newLabel('zero');
    const plausible = a.newLabel('plausible');
    const pointer = STATE.registers + 8;
    a.load(8, 3, 9, pointer).load(8, 1, 9, STATE.registers).jumpIf('ge', 3, 1, plausible).jumpIfImm('eq', 3, 0, zero);
    this.#end('noRow');
    a.label(this.#anyStack).load(8, 3, 9, pointer).jumpIfImm('ne', 3, 0, plausible).label(zero);
    this.#end('complete');
    a.label(plausible).move(1, 9).aluImm('add', 1, STATE.window).moveImm(2, 16).call('probe_read_user');
    this.#endIf('ne', 0, 0, 'fault');
    a.load(8, 1, 9, pointer).aluImm('add', 1, 16).store(8, 9, STATE.registers, 1);
    a.load(8, 1, 9, STATE.window).store(8, 9, pointer, 1);
    a.load(8, 1, 9, STATE.window + 8);
    if (this.#architecture === 'aarch64') a.loadImm64(3, AARCH64_ADDRESS_MASK).alu('and', 1, 3);
    a.store(8, 9, STATE.pc, 1).storeImm(8, 9, STATE.interrupted, 0).storeImm(8, 9, STATE.adjust, 1);
    a.load(8, 1, 9, STATE.framePointerFrames).aluImm('add', 1, 1).store(8, 9, STATE.framePointerFrames, 1);
  }

  #emitPush(): void {
    const a = this.#a;
    const { count, hash, frames, pc } = STATE;
    const room = a.newLabel('room');
    a.load(8, 1, 9, pc);
    this.#endIf('eq', 1, 0, 'complete');
    a.load(8, 2, 9, count).jumpIfImm('lt', 2, this.#maxFrames, room);
    this.#end('maxFrames');
    a.label(room).move(3, 2).aluImm('and', 3, FRAME_MASK).aluImm('lsh', 3, 3).alu('add', 3, 9).store(8, 3, frames, 1);
    a.aluImm('add', 2, 1).store(8, 9, count, 2);
    a.load(8, 4, 9, hash).alu('xor', 4, 1).loadImm64(5, HASH_FACTOR).alu('mul', 4, 5).move(5, 4).aluImm('rsh', 5, 29).alu('xor', 4, 5);
    a.store(8, 9, hash, 4);
  }
}

/** Where the kernel put the registers of an interrupted thread; `offset` from the stack pointer inside of the restorer. */
export interface SignalFrame {
  readonly offset: number;
  readonly words: number;
  readonly pcWord: number;
  /** Word of each register slot. */
  readonly slotWords: readonly number[];
}

/** x86-64's sigcontext: r8–r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip. Here from x19 on for AArch64: x19–x30, sp, pc. */
export const SIGNAL_FRAMES: Readonly<Record<FrameArchitecture, SignalFrame>> = {
  'x86-64': { offset: 40, words: 17, pcWord: 16, slotWords: [15, 10, 11, 4, 5, 6, 7, 2, 13, 12, 14, 9, 8, 0, 1, 3] },
  aarch64: { offset: 312 + 19 * 8, words: 14, pcWord: 13, slotWords: [12, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
};
