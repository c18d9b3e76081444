// The same unwinding as in the kernel, by the same rows, of threads that stand still: frozen processes and core dumps.
import type { FrameArchitecture } from '../dwarf/index.ts';
import { findMapping, type Registers, type Target, type TargetModule } from '../target/index.ts';
import { compileModule, findCompactRow, type CompactTable } from './compact-table.ts';
import { SIGNAL_FRAMES } from './emit-frame-step.ts';
import { findGeneratedCode, type GeneratedCode } from './generated-code.ts';
import {
  MAX_FRAMES,
  MAX_WINDOW_WORDS,
  REGISTER_SLOTS,
  RETURN_IN_REGISTER,
  RULE,
  RULE_FLAG,
  RULE_KIND,
  UNCHANGED,
  type RegisterSlots,
} from './layout.ts';
import type { UnwindStatus } from './status.ts';

/** A thread's stack. */
export interface ThreadStack {
  /** Innermost first; the first is where the thread was, the others are return addresses, unless `exact` says otherwise. */
  readonly frames: readonly bigint[];
  /** Indexes of frames whose address is the next instruction itself; 0 is always one. */
  readonly exact: readonly number[];
  /** For each frame the stack pointer's value there. */
  readonly stackPointers: readonly bigint[];
  readonly status: UnwindStatus;
}

/** Compact tables of modules, each compiled when it is first needed and kept. */
export class ModuleTables {
  readonly #tables = new Map<string, CompactTable | undefined>();

  /** Rows of a module; undefined when it has none that can be read. */
  find(module: TargetModule): CompactTable | undefined {
    const key = module.buildId ?? `${module.hostPath ?? ''} ${module.path} ${module.start}`;
    if (!this.#tables.has(key)) {
      const bytes = module.bytes();
      const compiled = bytes.ok ? compileModule(bytes.value) : undefined;
      this.#tables.set(key, compiled?.ok === true ? compiled.value : undefined);
    }
    return this.#tables.get(key);
  }
}

export interface UnwindThreadOptions {
  /** Default 4,096: unlike in the kernel, there is time. */
  readonly maxFrames?: number;
  /** Called for each frame, innermost first. */
  readonly onFrame?: (frame: ThreadFrame) => void;
}

/** A frame while it is visited. */
export interface ThreadFrame {
  readonly index: number;
  readonly address: bigint;
  /** A register's value in this frame, by DWARF number; undefined when it is not known there. Valid during the call alone. */
  register(dwarf: number): bigint | undefined;
}

/** Unwinds a thread that stands still. Never fails: a stack that cannot be followed to its end says why. */
export function unwindThread(target: Target, registers: Registers, tables: ModuleTables, options: UnwindThreadOptions = {}): ThreadStack {
  const walk = new StackWalk(target, registers, tables);
  const maxFrames = options.maxFrames ?? MAX_FRAMES * 16;
  let status: UnwindStatus | undefined;
  while (status === undefined) {
    if (walk.frames.length <= maxFrames) options.onFrame?.(walk.visit());
    status = walk.frames.length > maxFrames ? 'maxFrames' : walk.step();
  }
  return { frames: walk.frames.slice(0, maxFrames), exact: walk.exact, stackPointers: walk.stackPointers.slice(0, maxFrames), status };
}

const AARCH64_ADDRESS_MASK = 0x0000_ffff_ffff_ffffn;

class StackWalk {
  readonly frames: bigint[];
  readonly exact = [0];
  readonly stackPointers: bigint[];
  readonly #target: Target;
  readonly #tables: ModuleTables;
  /** By the start of each of their mappings: what lies between a module's mappings may be another's. */
  readonly #modules = new Map<bigint, TargetModule>();
  readonly #architecture: FrameArchitecture;
  readonly #slots: RegisterSlots;
  /** By slot; undefined when not known. */
  readonly #registers: (bigint | undefined)[];
  #pc: bigint;
  #generated: ReadonlyMap<bigint, GeneratedCode> | undefined;
  /** The frame was interrupted: its address is exact, and all registers are known. */
  #isInterrupted = true;

  constructor(target: Target, registers: Registers, tables: ModuleTables) {
    this.#target = target;
    this.#tables = tables;
    for (const module of target.modules) for (const { start } of module.mappings) this.#modules.set(start, module);
    this.#architecture = target.architecture;
    this.#slots = REGISTER_SLOTS[target.architecture];
    this.#registers = this.#slots.dwarf.map((dwarf) => registers.byDwarf[dwarf]);
    this.#pc = registers.ip;
    this.frames = [registers.ip];
    this.stackPointers = [registers.sp];
  }

  /** The frame that was reached last. */
  visit(): ThreadFrame {
    const register = (dwarf: number): bigint | undefined => {
      const slot = this.#slots.dwarf.indexOf(dwarf);
      return slot >= this.#slots.preserved && !this.#isInterrupted ? undefined : this.#registers[slot];
    };
    return { index: this.frames.length - 1, address: this.#pc, register };
  }

  /** Goes to the caller; says why it cannot. */
  step(): UnwindStatus | undefined {
    const key = this.#isInterrupted ? this.#pc : this.#pc - 1n;
    const mapping = findMapping(this.#target.map, key);
    if (mapping === undefined || !mapping.executable) return 'unmapped';
    if (mapping.path === '[uprobes]') return 'returnProbe';
    const module = this.#modules.get(mapping.start);
    const table = module === undefined ? this.#findGenerated(mapping.start) : this.#tables.find(module);
    if (table === undefined) return module?.bytes().ok === false ? 'noTable' : this.#byFramePointer();
    const relative = Number(key - (module?.bias ?? mapping.start)) - table.base;
    const row = relative < 0 ? -1 : findCompactRow(table, relative);
    const rule = row < 0 ? undefined : table.rules[table.rule[row]!];
    return rule === undefined ? this.#byFramePointer() : this.#apply(rule);
  }

  #findGenerated(start: bigint): CompactTable | undefined {
    this.#generated ??= findGeneratedCode(this.#target);
    return this.#generated.get(start)?.table;
  }

  #apply(rule: Uint8Array): UnwindStatus | undefined {
    switch (rule[RULE.kind]) {
      case RULE_KIND.none:
        return this.#byFramePointer();
      case RULE_KIND.end:
        return 'complete';
      case RULE_KIND.signal:
        return this.#bySignalFrame();
      case RULE_KIND.unsupported:
        return 'unsupported';
      case RULE_KIND.frame:
        return this.#byFramePointer(true);
      default:
        return this.#byRule(rule);
    }
  }

  #byRule(rule: Uint8Array): UnwindStatus | undefined {
    const view = new DataView(rule.buffer, rule.byteOffset, rule.byteLength);
    const flags = rule[RULE.flags]!;
    if ((flags & RULE_FLAG.callerSaved) !== 0 && !this.#isInterrupted) return 'lostRegister';
    const cfa = this.#findCfa(rule, view);
    if (typeof cfa === 'string') return cfa;
    const sp = this.#registers[0]!;
    if (cfa < sp) return 'noProgress';
    const words = this.#readWindows(rule, view, cfa);
    if (words === undefined) return 'fault';
    const returnWord = rule[RULE.returnWord]!;
    const inRegister = returnWord >= RETURN_IN_REGISTER;
    const returnAddress = inRegister ? this.#registers[returnWord & 15] : words[returnWord];
    for (let slot = 1; slot < this.#slots.preserved; slot++) {
      const word = rule[RULE.slots + slot]!;
      if (word !== UNCHANGED) this.#registers[slot] = words[word];
    }
    this.#registers[0] = cfa;
    return this.#push(returnAddress, (flags & RULE_FLAG.interrupted) !== 0);
  }

  /** Words of both windows, each at its number; undefined when one of them cannot be read. */
  #readWindows(rule: Uint8Array, view: DataView, cfa: bigint): readonly bigint[] | undefined {
    const words: bigint[] = [];
    const read = (base: bigint, length: number, first: number): boolean => {
      const bytes = length === 0 ? new Uint8Array(0) : this.#target.memory.read(base, length);
      if (bytes === undefined) return false;
      const window = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at < length; at += 8) words[first + at / 8] = window.getBigUint64(at, true);
      return true;
    };
    const first = read(cfa + BigInt(view.getInt32(RULE.windowOffset, true)), rule[RULE.windowBytes]!, 0);
    const framePointer = this.#registers[1] ?? 0n;
    const second = read(framePointer + BigInt(view.getInt16(RULE.frameOffset, true)), rule[RULE.frameBytes]!, MAX_WINDOW_WORDS);
    return first && second ? words : undefined;
  }

  #findCfa(rule: Uint8Array, view: DataView): bigint | UnwindStatus {
    const value = this.#registers[rule[RULE.cfaSlot]!];
    if (value === undefined) return 'lostRegister';
    const sum = value + BigInt(view.getInt32(RULE.cfaOffset, true));
    const extra = view.getInt32(RULE.extra, true);
    if (rule[RULE.kind] === RULE_KIND.plt) return (this.#pc & 15n) >= BigInt(extra) ? sum + 8n : sum;
    if (rule[RULE.kind] === RULE_KIND.register) return sum;
    const word = this.#target.memory.readU64(sum);
    return word === undefined ? 'fault' : word + BigInt(extra);
  }

  #bySignalFrame(): UnwindStatus | undefined {
    const frame = SIGNAL_FRAMES[this.#architecture];
    const bytes = this.#target.memory.read(this.#registers[0]! + BigInt(frame.offset), frame.words * 8);
    if (bytes === undefined) return 'fault';
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const [slot, word] of frame.slotWords.entries()) this.#registers[slot] = words.getBigUint64(word * 8, true);
    return this.#push(words.getBigUint64(frame.pcWord * 8, true), true);
  }

  #byFramePointer(isAnyStack = false): UnwindStatus | undefined {
    const pointer = this.#registers[1];
    if (pointer === undefined) return 'lostRegister';
    if (pointer === 0n) return 'complete';
    if (!isAnyStack && pointer < this.#registers[0]!) return 'noRow';
    const returnAddress = this.#target.memory.readU64(pointer + 8n);
    if (returnAddress === undefined) return 'fault';
    this.#registers[0] = pointer + 16n;
    this.#registers[1] = this.#target.memory.readU64(pointer);
    return this.#push(returnAddress, false);
  }

  #push(address: bigint | undefined, isInterrupted: boolean): UnwindStatus | undefined {
    const pc = address !== undefined && this.#architecture === 'aarch64' ? address & AARCH64_ADDRESS_MASK : address;
    if (pc === undefined) return 'lostRegister';
    if (pc === 0n) return 'complete';
    this.#isInterrupted = isInterrupted;
    this.#pc = pc;
    if (isInterrupted) this.exact.push(this.frames.length);
    this.frames.push(pc);
    this.stackPointers.push(this.#registers[0]!);
    return undefined;
  }
}
