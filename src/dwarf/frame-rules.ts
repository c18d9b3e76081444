/**
 * What a row of call-frame information says, and a table that keeps each different one once: a program of 370,000 rows
 * has a few thousand of them. Source: DWARF 5, section 6.4.1.
 */
import { Cursor } from './cursor.ts';

export type FrameArchitecture = 'x86-64' | 'aarch64';

/** How to find a register's value in the calling function. CFA is the frame's canonical address. */
export type RegisterRule =
  /** Not changed by the callee. For the stack pointer: the CFA itself. */
  | { readonly kind: 'same' }
  /** Lost. Of the return address: this is the outermost frame. */
  | { readonly kind: 'undefined' }
  /** Saved in memory at CFA + `offset` bytes. */
  | { readonly kind: 'offset'; readonly offset: number }
  /** Its value is CFA + `offset`. */
  | { readonly kind: 'value-offset'; readonly offset: number }
  /** Held in another register, by DWARF number. */
  | { readonly kind: 'register'; readonly register: number }
  /** Saved at the address that a DWARF expression computes; the CFA is on its stack at the start. */
  | { readonly kind: 'expression'; readonly bytes: Uint8Array }
  /** Its value is what a DWARF expression computes. */
  | { readonly kind: 'value-expression'; readonly bytes: Uint8Array };

export type CfaRule =
  | { readonly kind: 'register'; readonly register: number; readonly offset: number }
  | { readonly kind: 'expression'; readonly bytes: Uint8Array };

/** One way to unwind, shared by all rows that say the same. */
export interface FrameRule {
  readonly cfa: CfaRule;
  /** In the order of `FrameTable.registers`. */
  readonly registers: readonly RegisterRule[];
  readonly returnAddress: RegisterRule;
  /** The frame was interrupted, not called from: its return address is the next instruction itself, not one past a call. */
  readonly signalFrame: boolean;
  /** AArch64: the saved return address is signed (pointer authentication) and its upper bits must be stripped. */
  readonly signedReturnAddress: boolean;
}

/** Places in a state. After them two numbers, kind and value, a register; the return address comes last. */
export const State = { cfaKind: 0, cfaRegister: 1, cfaOffset: 2, flags: 3, registers: 4 } as const;
export const CfaKind = { none: 0, register: 1, expression: 2 } as const;
export const RuleKind = { same: 0, undefined: 1, offset: 2, valueOffset: 3, register: 4, expression: 5, valueExpression: 6 } as const;
export const Flag = { signal: 1, signed: 2, debugFrame: 4 } as const;

/** States, each different one once. Number 0 stands for "nothing is known". */
export class RuleTable {
  readonly #width: number;
  #states: Int32Array;
  #count = 1;
  /** Open addressing: number of a state, or 0 for a free place. Always at most half full. */
  #slots = new Uint32Array(1024);

  /** @param width numbers a state */
  constructor(width: number) {
    this.#width = width;
    this.#states = new Int32Array(width * 256);
  }

  get count(): number {
    return this.#count;
  }

  /** The number of a state that is equal to `state`, which is copied when it is new. */
  intern(state: Int32Array): number {
    const mask = this.#slots.length - 1;
    let slot = hash(state, 0, this.#width) & mask;
    for (let found = this.#slots[slot]!; found !== 0; found = this.#slots[slot]!) {
      if (this.#equals(found, state)) return found;
      slot = (slot + 1) & mask;
    }
    return this.#add(state, slot);
  }

  state(number: number): Int32Array {
    return this.#states.subarray(number * this.#width, (number + 1) * this.#width);
  }

  #equals(number: number, state: Int32Array): boolean {
    const base = number * this.#width;
    for (let index = 0; index < this.#width; index++) if (this.#states[base + index] !== state[index]) return false;
    return true;
  }

  #add(state: Int32Array, slot: number): number {
    const number = this.#count++;
    const base = number * this.#width;
    if (base + this.#width > this.#states.length) {
      const larger = new Int32Array(this.#states.length * 2);
      larger.set(this.#states);
      this.#states = larger;
    }
    this.#states.set(state, base);
    this.#slots[slot] = number;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return number;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let number = 1; number < this.#count; number++) {
      let slot = hash(this.#states, number * this.#width, this.#width) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = number;
    }
    this.#slots = slots;
  }
}

/** FNV-1a over whole numbers, with a last mix: the low bits choose the place. */
function hash(numbers: Int32Array, start: number, length: number): number {
  let value = 0x811c_9dc5;
  for (let index = start; index < start + length; index++) value = Math.imul(value ^ numbers[index]!, 0x0100_0193);
  return (value ^ (value >>> 15)) >>> 0;
}

/** Bytes of the expression whose length is at `position`; both were checked when the program was read. */
type Expressions = (position: number, inDebugFrame: boolean) => Uint8Array;

/** Makes an `Expressions` for the two sections that expressions can lie in. */
export function expressionReader(ehFrame: Uint8Array, debugFrame: Uint8Array): Expressions {
  return (position, inDebugFrame) => {
    const cursor = new Cursor(inDebugFrame ? debugFrame : ehFrame, 'frames', true);
    cursor.seek(position);
    const length = cursor.uleb();
    return cursor.bytes.subarray(cursor.pos, cursor.pos + length);
  };
}

/** A state as people and unwinders read it; undefined when its CFA is not known. */
export function toFrameRule(state: Int32Array, expressions: Expressions): FrameRule | undefined {
  const flags = state[State.flags]!;
  const inDebugFrame = (flags & Flag.debugFrame) !== 0;
  const cfaKind = state[State.cfaKind];
  if (cfaKind === CfaKind.none) return undefined;
  const cfa: CfaRule =
    cfaKind === CfaKind.register
      ? { kind: 'register', register: state[State.cfaRegister]!, offset: state[State.cfaOffset]! }
      : { kind: 'expression', bytes: expressions(state[State.cfaOffset]!, inDebugFrame) };
  const registers: RegisterRule[] = [];
  for (let place: number = State.registers; place < state.length; place += 2) {
    registers.push(toRegisterRule(state[place]!, state[place + 1]!, (position) => expressions(position, inDebugFrame)));
  }
  const returnAddress = registers.pop()!;
  return { cfa, registers, returnAddress, signalFrame: (flags & Flag.signal) !== 0, signedReturnAddress: (flags & Flag.signed) !== 0 };
}

function toRegisterRule(kind: number, value: number, expression: (position: number) => Uint8Array): RegisterRule {
  switch (kind) {
    case RuleKind.offset:
      return { kind: 'offset', offset: value };
    case RuleKind.valueOffset:
      return { kind: 'value-offset', offset: value };
    case RuleKind.register:
      return { kind: 'register', register: value };
    case RuleKind.expression:
      return { kind: 'expression', bytes: expression(value) };
    case RuleKind.valueExpression:
      return { kind: 'value-expression', bytes: expression(value) };
    case RuleKind.undefined:
      return { kind: 'undefined' };
    default:
      return { kind: 'same' };
  }
}
