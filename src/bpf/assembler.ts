/**
 * Assembles a program: instructions, labels, maps by name, functions, places of the source. A jump that 16 bits cannot reach becomes a
 * `gotol` of 32 bits (Linux 6.6). A label that is missing or doubled is our own bug, and throws.
 */
import { assert } from '../base/index.ts';
import { HELPER_IDS, type HelperName } from './helpers.ts';
import { Alu, Atomic, Class, Jump, LOAD_IMM64, Mode, Pseudo, SIZE_BITS, SOURCE_REGISTER, encodeInstructions } from './instruction.ts';
import { layOut, type Item } from './layout.ts';
import { keepReachable } from './reachable.ts';
import type { FunctionInfo, LineInfo, MapRelocation, ProgramSpec } from './object.ts';

export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;
export type AccessSize = 1 | 2 | 4 | 8;
export type AluOperation = 'add' | 'sub' | 'mul' | 'div' | 'mod' | 'sdiv' | 'smod' | 'or' | 'and' | 'xor' | 'lsh' | 'rsh' | 'arsh' | 'mov';
export type Condition = 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le' | 'sgt' | 'sge' | 'slt' | 'sle' | 'set';
export type AtomicOperation = 'add' | 'or' | 'and' | 'xor' | 'fetchAdd' | 'fetchOr' | 'fetchAnd' | 'fetchXor' | 'xchg' | 'cmpxchg';

/** The part of a `ProgramSpec` that comes from assembling. */
export type AssembledCode = Pick<ProgramSpec, 'code' | 'maps' | 'functions' | 'lines'>;

const ATOMIC_IMM: Readonly<Record<AtomicOperation, number>> = {
  add: Atomic.add,
  or: Atomic.or,
  and: Atomic.and,
  xor: Atomic.xor,
  fetchAdd: Atomic.add | Atomic.fetch,
  fetchOr: Atomic.or | Atomic.fetch,
  fetchAnd: Atomic.and | Atomic.fetch,
  fetchXor: Atomic.xor | Atomic.fetch,
  xchg: Atomic.xchg,
  cmpxchg: Atomic.cmpxchg,
};

/** Collects a program; every method returns the assembler, so calls chain. Registers are numbers: r0 is 0, the frame pointer r10 is 10. */
export class Assembler {
  readonly #items: Item[] = [];
  readonly #labels = new Map<string, number>();
  readonly #maps: { item: number; map: string; kind: 'map' | 'value'; offset: number }[] = [];
  readonly #functions: { item: number; info: Omit<FunctionInfo, 'slot'> }[] = [];
  readonly #lines: { item: number; info: Omit<LineInfo, 'slot'> }[] = [];
  #nextLabel = 0;

  /** Instructions so far (a 64-bit load counts once). */
  get length(): number {
    return this.#items.length;
  }

  /** A label's name that was not given before. */
  newLabel(hint = 'label'): string {
    return `${hint}#${this.#nextLabel++}`;
  }

  /** Names the place of the next instruction. */
  label(name: string): this {
    assert(!this.#labels.has(name), `the label ${name} stands twice`);
    this.#labels.set(name, this.#items.length);
    return this;
  }

  /** Begins a function here, with a label of its name. The main function comes first, and needs this only if there are others or lines. */
  function(name: string, parameters: FunctionInfo['parameters'] = []): this {
    this.#functions.push({ item: this.#items.length, info: { name, parameters } });
    return this.label(name);
  }

  /** What follows comes from this place of the source. Several at one place: the last counts. */
  line(info: Omit<LineInfo, 'slot'>): this {
    if (this.#lines.at(-1)?.item === this.#items.length) this.#lines.pop();
    this.#lines.push({ item: this.#items.length, info });
    return this;
  }

  /** `dst = src`, 64 bits. */
  move(dst: Register, src: Register): this {
    return this.alu('mov', dst, src);
  }

  /** `dst = imm`, sign-extended from 32 bits. */
  moveImm(dst: Register, imm: number): this {
    return this.aluImm('mov', dst, imm);
  }

  /** `dst = dst operation src`, 64 bits. */
  alu(operation: AluOperation, dst: Register, src: Register): this {
    return this.#alu(Class.ALU64 | SOURCE_REGISTER, operation, dst, src, 0);
  }

  /** `dst = dst operation imm`, 64 bits, the immediate sign-extended. */
  aluImm(operation: AluOperation, dst: Register, imm: number): this {
    return this.#alu(Class.ALU64, operation, dst, 0, imm);
  }

  /** As `alu` on the lower halves; the upper half becomes 0. */
  alu32(operation: AluOperation, dst: Register, src: Register): this {
    return this.#alu(Class.ALU | SOURCE_REGISTER, operation, dst, src, 0);
  }

  /** As `aluImm` on the lower half; the upper half becomes 0. */
  alu32Imm(operation: AluOperation, dst: Register, imm: number): this {
    return this.#alu(Class.ALU, operation, dst, 0, imm);
  }

  /** `dst` = the lower `bits` of `src`, sign-extended (Linux 6.6). */
  moveSigned(bits: 8 | 16 | 32, dst: Register, src: Register): this {
    return this.#emit(Class.ALU64 | SOURCE_REGISTER | Alu.mov, dst, src, bits, 0);
  }

  /** `dst = -dst`. */
  negate(dst: Register): this {
    return this.#emit(Class.ALU64 | Alu.neg, dst, 0, 0, 0);
  }

  /** `dst = -dst` on the lower half; the upper half becomes 0. */
  negate32(dst: Register): this {
    return this.#emit(Class.ALU | Alu.neg, dst, 0, 0, 0);
  }

  /** Keeps the lower `bits` of `dst`, in the byte order named (`be` swaps, `le` only cuts). */
  toByteOrder(order: 'le' | 'be', bits: 16 | 32 | 64, dst: Register): this {
    return this.#emit(Class.ALU | Alu.end | (order === 'be' ? SOURCE_REGISTER : 0), dst, 0, 0, bits);
  }

  /** Swaps the bytes of the lower `bits`, whatever the machine (Linux 6.6). */
  swapBytes(bits: 16 | 32 | 64, dst: Register): this {
    return this.#emit(Class.ALU64 | Alu.end, dst, 0, 0, bits);
  }

  /** `dst = value`, any 64 bits; two slots. */
  loadImm64(dst: Register, value: bigint): this {
    return this.#wide(dst, 0, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }

  /** `dst` = the map, for helpers. */
  loadMap(dst: Register, map: string): this {
    this.#maps.push({ item: this.#items.length, map, kind: 'map', offset: 0 });
    return this.#wide(dst, Pseudo.mapFd, 0, 0);
  }

  /** `dst` = address of byte `offset` of the only entry of an array map. */
  loadMapValue(dst: Register, map: string, offset = 0): this {
    this.#maps.push({ item: this.#items.length, map, kind: 'value', offset });
    return this.#wide(dst, Pseudo.mapValue, 0, offset);
  }

  /** `dst` = a function of this program, for helpers that call back (`loop`). */
  loadFunction(dst: Register, label: string): this {
    const last = { opcode: LOAD_IMM64, dst, src: Pseudo.func, offset: 0, imm: 0 };
    this.#items.push({ instruction: last, second: 0, target: { label, kind: 'function' } });
    return this;
  }

  /** `dst = *(size *)(src + offset)`, zero-extended. */
  load(size: AccessSize, dst: Register, src: Register, offset = 0): this {
    return this.#emit(Class.LDX | Mode.MEM | SIZE_BITS[size], dst, src, offset, 0);
  }

  /** As `load`, sign-extended (Linux 6.6). */
  loadSigned(size: 1 | 2 | 4, dst: Register, src: Register, offset = 0): this {
    return this.#emit(Class.LDX | Mode.MEMSX | SIZE_BITS[size], dst, src, offset, 0);
  }

  /** `*(size *)(dst + offset) = src`. */
  store(size: AccessSize, dst: Register, offset: number, src: Register): this {
    return this.#emit(Class.STX | Mode.MEM | SIZE_BITS[size], dst, src, offset, 0);
  }

  /** `*(size *)(dst + offset) = imm`, sign-extended. */
  storeImm(size: AccessSize, dst: Register, offset: number, imm: number): this {
    return this.#emit(Class.ST | Mode.MEM | SIZE_BITS[size], dst, 0, offset, imm);
  }

  /** Atomic on `*(size *)(dst + offset)`. Those that fetch put the old value into `src`; `cmpxchg` compares with r0 and puts it there. */
  atomic(operation: AtomicOperation, size: 4 | 8, dst: Register, offset: number, src: Register): this {
    return this.#emit(Class.STX | Mode.ATOMIC | SIZE_BITS[size], dst, src, offset, ATOMIC_IMM[operation]);
  }

  jump(label: string): this {
    return this.#jump(Class.JMP | Jump.ja, 0, 0, 0, label);
  }

  /** Jumps when `dst condition src`, 64 bits (`set`: a common bit). */
  jumpIf(condition: Condition, dst: Register, src: Register, label: string): this {
    return this.#jump(Class.JMP | SOURCE_REGISTER | Jump[condition], dst, src, 0, label);
  }

  /** As `jumpIf` with an immediate, sign-extended. */
  jumpIfImm(condition: Condition, dst: Register, imm: number, label: string): this {
    return this.#jump(Class.JMP | Jump[condition], dst, 0, imm, label);
  }

  /** As `jumpIf` on the lower halves. */
  jumpIf32(condition: Condition, dst: Register, src: Register, label: string): this {
    return this.#jump(Class.JMP32 | SOURCE_REGISTER | Jump[condition], dst, src, 0, label);
  }

  /** As `jumpIfImm` on the lower half. */
  jumpIf32Imm(condition: Condition, dst: Register, imm: number, label: string): this {
    return this.#jump(Class.JMP32 | Jump[condition], dst, 0, imm, label);
  }

  /** Calls a helper of the kernel, by name or number. */
  call(helper: HelperName | number): this {
    return this.#emit(Class.JMP | Jump.call, 0, 0, 0, typeof helper === 'number' ? helper : HELPER_IDS[helper]);
  }

  /** Calls a function of this program. */
  callFunction(label: string): this {
    const instruction = { opcode: Class.JMP | Jump.call, dst: 0, src: Pseudo.call, offset: 0, imm: 0 };
    this.#items.push({ instruction, second: undefined, target: { label, kind: 'call' } });
    return this;
  }

  exit(): this {
    return this.#emit(Class.JMP | Jump.exit, 0, 0, 0, 0);
  }

  /** Lays the program out. May be called again after more was added. `reachableOnly`: leaves out what control never reaches. */
  assemble(options: { readonly reachableOnly?: boolean } = {}): AssembledCode {
    const all = { items: this.#items, labels: this.#labels, indexes: this.#items.map((_, index) => index) };
    const { items, labels, indexes } = options.reachableOnly === true ? keepReachable(this.#items, this.#labels) : all;
    const { slots, slotOfItem } = layOut(items, labels);
    const slotOf = (item: number): number | undefined => slotOfItem[indexes[item] ?? -1];
    const place = <T>(item: number, info: T): (T & { readonly slot: number })[] => {
      const slot = item < this.#items.length ? slotOf(item) : undefined;
      return slot === undefined ? [] : [{ slot, ...info }];
    };
    const maps = this.#maps.flatMap(({ item, map, kind, offset }): MapRelocation[] => place(item, { map, kind, offset }));
    const functions = this.#functions.flatMap(({ item, info }) => place(item, info));
    const lines = this.#lines.flatMap(({ item, info }): LineInfo[] => place(item, info));
    return { code: encodeInstructions(slots), maps, functions, lines };
  }

  #alu(form: number, operation: AluOperation, dst: Register, src: Register, imm: number): this {
    const signed = operation === 'sdiv' || operation === 'smod';
    const code = operation === 'sdiv' ? Alu.div : operation === 'smod' ? Alu.mod : Alu[operation];
    return this.#emit(form | code, dst, src, signed ? 1 : 0, imm);
  }

  #jump(opcode: number, dst: number, src: number, imm: number, label: string): this {
    const instruction = { opcode, dst, src, offset: 0, imm: imm | 0 };
    this.#items.push({ instruction, second: undefined, target: { label, kind: 'jump' } });
    return this;
  }

  #wide(dst: number, src: number, low: number, high: number): this {
    this.#items.push({ instruction: { opcode: LOAD_IMM64, dst, src, offset: 0, imm: low }, second: high, target: undefined });
    return this;
  }

  /** An immediate may be given with or without sign: only its 32 bits count. */
  #emit(opcode: number, dst: number, src: number, offset: number, imm: number): this {
    assert(Number.isInteger(imm) && imm >= -(2 ** 31) && imm < 2 ** 32, `the immediate ${imm}`);
    this.#items.push({ instruction: { opcode, dst, src, offset, imm: imm | 0 }, second: undefined, target: undefined });
    return this;
  }
}
