/** One run of a program: registers, frames, the loop over instructions. */
import { Atomic, Class, Jump, LOAD_IMM64, Mode, Pseudo, SOURCE_REGISTER } from '../instruction.ts';
import { HELPER_IDS, findHelperName } from '../helpers.ts';
import { alu32, alu64, compare, getRegister, reorder, setRegister, type RegisterFile } from './arithmetic.ts';
import type { Helper, HelperCall } from './helpers.ts';
import type { InterpreterMap } from './maps.ts';
import type { InterpreterMemory, Region } from './memory.ts';
import type { ReadyProgram } from './program.ts';

/** Bytes of a function's stack, and how deep functions may call (include/linux/filter.h, bpf_verifier.h). */
const STACK_BYTES = 512;
const MAX_FRAMES = 8;
const MAX_TAIL_CALLS = 33;
const SIZES: Readonly<Record<number, 1 | 2 | 4 | 8>> = { 0x00: 4, 0x08: 2, 0x10: 1, 0x18: 8 };

/** Stops the run. Thrown inside of this room alone. */
export class ProgramFault extends Error {
  readonly program: ReadyProgram;
  readonly slot: number;

  constructor(program: ReadyProgram, slot: number, message: string) {
    super(message);
    this.program = program;
    this.slot = slot;
  }
}

interface MachineParts {
  readonly program: ReadyProgram;
  readonly memory: InterpreterMemory;
  readonly helpers: ReadonlyMap<number, Helper>;
  readonly registers: RegisterFile;
  readonly cpu: number;
  readonly maxInstructions: number;
  readonly findMap: (address: bigint) => InterpreterMap | undefined;
  readonly findProgram: (name: string) => ReadyProgram | undefined;
  readonly readOutside: (space: 'user' | 'kernel', address: bigint, length: number) => Uint8Array | undefined;
}

export class Machine {
  instructions = 0;
  readonly #parts: MachineParts;
  readonly #stacks: bigint[] = [];
  #program: ReadyProgram;
  #slot = 0;
  #depth = 0;
  #tailCalls = 0;

  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.#program = parts.program;
  }

  run(context: bigint): bigint {
    setRegister(this.#parts.registers, 1, context);
    return this.#runFunction(0);
  }

  /** Gives the stacks back. */
  close(): void {
    for (const stack of this.#stacks.splice(0)) this.#parts.memory.remove(stack);
  }

  fault(message: string): never {
    throw new ProgramFault(this.#program, this.#slot, message);
  }

  /** Runs a function from `slot` to its exit; r1–r5 are its arguments. r6–r10 are as before afterwards. */
  #runFunction(slot: number): bigint {
    const { registers } = this.#parts;
    if (this.#depth >= MAX_FRAMES) this.fault(`functions call more than ${MAX_FRAMES} deep`);
    const low = registers.low.slice(6);
    const high = registers.high.slice(6);
    const back = this.#slot;
    const program = this.#program;
    setRegister(registers, 10, this.#stack(this.#depth) + BigInt(STACK_BYTES));
    this.#depth++;
    this.#slot = slot;
    this.#runToExit();
    this.#depth--;
    this.#slot = back;
    this.#program = program; // a tail call may have changed it
    registers.low.set(low, 6);
    registers.high.set(high, 6);
    return getRegister(registers, 0);
  }

  #stack(depth: number): bigint {
    return (this.#stacks[depth] ??= this.#parts.memory.add(new Uint8Array(STACK_BYTES)));
  }

  // hot: no allocation per instruction but in calls, loads, stores and 64-bit divisions.
  #runToExit(): void {
    const { registers, maxInstructions } = this.#parts;
    for (;;) {
      const { opcode, dst, src, offset, imm } = this.#program;
      const slot = this.#slot;
      const code = opcode[slot];
      if (code === undefined) this.fault('execution leaves the program');
      if (++this.instructions > maxInstructions) this.fault(`more than ${maxInstructions} instructions`);
      const from = src[slot]!;
      const to = dst[slot]!;
      this.#slot = slot + 1;
      switch (code & 7) {
        case Class.ALU64:
        case Class.ALU:
          this.#alu(slot, code, to, from);
          break;
        case Class.JMP:
        case Class.JMP32: {
          if (code === (Class.JMP | Jump.exit)) return;
          if (code === (Class.JMP | Jump.call)) this.#call(slot, from, imm[slot]!);
          else if (this.#holds(code, to, from, imm[slot]!)) this.#slot += code === (Class.JMP32 | Jump.ja) ? imm[slot]! : offset[slot]!;
          break;
        }
        case Class.LDX:
          this.#load(code, to, from, offset[slot]!);
          break;
        case Class.LD:
          if (code !== LOAD_IMM64) this.#refuse(slot, 'loads from packets are not simulated');
          registers.low[to] = imm[slot]!;
          registers.high[to] = from === 0 ? imm[slot + 1]! : 0;
          this.#slot++;
          break;
        default:
          this.#storeSlot(code, slot, to, from);
      }
    }
  }

  #refuse(slot: number, message: string): never {
    this.#slot = slot;
    return this.fault(message);
  }

  #alu(slot: number, code: number, to: number, from: number): void {
    const { registers } = this.#parts;
    const offset = this.#program.offset[slot]!;
    const immediate = this.#program.imm[slot]!;
    const operation = code & 0xf0;
    const fromRegister = (code & SOURCE_REGISTER) !== 0;
    const wide = (code & 7) === Class.ALU64;
    if (to > 9 || from > 10) this.#refuse(slot, `register r${Math.max(to, from)} cannot be used here`);
    let low = fromRegister ? registers.low[from]! : immediate;
    let high = fromRegister ? registers.high[from]! : immediate >> 31;
    let known: boolean;
    if (operation === 0xd0) known = reorder(registers, to, immediate, wide || fromRegister);
    else if (operation === 0xb0 && offset !== 0) {
      low = (low << (32 - offset)) >> (32 - offset);
      high = low >> 31;
      known = wide ? alu64(registers, to, operation, low, high, false) : alu32(registers, to, operation, low, false);
    } else known = wide ? alu64(registers, to, operation, low, high, offset === 1) : alu32(registers, to, operation, low, offset === 1);
    if (!known) this.#refuse(slot, `there is no instruction 0x${code.toString(16)}`);
  }

  #holds(code: number, to: number, from: number, immediate: number): boolean {
    if ((code & 0xf0) === Jump.ja) return true;
    const { low, high } = this.#parts.registers;
    const wide = (code & 7) === Class.JMP;
    const register = (code & SOURCE_REGISTER) !== 0;
    const b = register ? low[from]! : immediate;
    const bHigh = register ? high[from]! : immediate >> 31;
    const result = compare(code & 0xf0, wide, low[to]!, high[to]!, b, bHigh);
    return result ?? this.#refuse(this.#slot - 1, `there is no instruction 0x${code.toString(16)}`);
  }

  /** The region and index of an access; faults when it is outside. */
  #locate(
    register: number,
    offset: number,
    size: number,
    forWriting: boolean,
  ): { readonly region: Region; readonly index: number } | undefined {
    const { registers, memory } = this.#parts;
    const lower = (registers.low[register]! >>> 0) + offset;
    const region = memory.find(registers.high[register]! >>> 0);
    const index = region === undefined ? -1 : memory.indexIn(region, lower, size);
    if (region === undefined || index < 0) return undefined;
    if (forWriting && !region.writable) this.#refuse(this.#slot - 1, `r${register}${signed(offset)} may not be written`);
    return { region, index };
  }

  #outside(register: number, offset: number, size: number): never {
    const address = getRegister(this.#parts.registers, register) + BigInt(offset);
    return this.#refuse(this.#slot - 1, `${size} bytes at r${register}${signed(offset)} = 0x${address.toString(16)} are not the program's`);
  }

  #load(code: number, to: number, from: number, offset: number): void {
    const { registers } = this.#parts;
    const size = SIZES[code & 0x18]!;
    const place = this.#locate(from, offset, size, false);
    const data = place?.region.data ?? this.#loadOutside(from, offset, size);
    const index = place?.index ?? 0;
    const low = size === 8 || size === 4 ? data.getInt32(index, true) : size === 2 ? data.getUint16(index, true) : data.getUint8(index);
    if ((code & 0xe0) === Mode.MEMSX) {
      const bits = 32 - size * 8;
      registers.low[to] = (low << bits) >> bits;
      registers.high[to] = registers.low[to]! >> 31;
    } else {
      registers.low[to] = low;
      registers.high[to] = size === 8 ? data.getInt32(index + 4, true) : 0;
    }
  }

  /** Programs with the kernel's types may follow its pointers; what cannot be read is 0 then. */
  #loadOutside(from: number, offset: number, size: number): DataView {
    if (this.#program.spec.type !== 'tracing' && this.#program.spec.type !== 'lsm') this.#outside(from, offset, size);
    const address = BigInt.asUintN(64, getRegister(this.#parts.registers, from) + BigInt(offset));
    const bytes = this.#parts.readOutside('kernel', address, size) ?? new Uint8Array(8);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #storeSlot(code: number, slot: number, to: number, from: number): void {
    const { registers } = this.#parts;
    const size = SIZES[code & 0x18]!;
    const offset = this.#program.offset[slot]!;
    const immediate = this.#program.imm[slot]!;
    const place = this.#locate(to, offset, size, true);
    if (place === undefined) this.#outside(to, offset, size);
    const { region, index } = place;
    if ((code & 0xe0) === Mode.ATOMIC) return this.#atomic(region, index, size, from, immediate);
    const isImmediate = (code & 7) === Class.ST;
    const low = isImmediate ? immediate : registers.low[from]!;
    if (size === 1) region.data.setUint8(index, low);
    else if (size === 2) region.data.setUint16(index, low, true);
    else region.data.setInt32(index, low, true);
    if (size === 8) region.data.setInt32(index + 4, isImmediate ? immediate >> 31 : registers.high[from]!, true);
  }

  #atomic(region: Region, index: number, size: number, from: number, immediate: number): void {
    const { registers } = this.#parts;
    if (size < 4 || index % size !== 0) this.#refuse(this.#slot - 1, 'an atomic access is not aligned');
    const read = () => (size === 8 ? region.data.getBigUint64(index, true) : BigInt(region.data.getUint32(index, true)));
    const write = (value: bigint) =>
      size === 8
        ? region.data.setBigUint64(index, BigInt.asUintN(64, value), true)
        : region.data.setUint32(index, Number(BigInt.asUintN(32, value)), true);
    const old = read();
    const operand = BigInt.asUintN(size * 8, getRegister(registers, from));
    if (immediate === Atomic.cmpxchg) {
      if (BigInt.asUintN(size * 8, getRegister(registers, 0)) === old) write(operand);
      return setRegister(registers, 0, old);
    }
    const result = combine(immediate, old, operand);
    if (result === undefined) this.#refuse(this.#slot - 1, `there is no atomic operation 0x${immediate.toString(16)}`);
    write(result);
    if ((immediate & Atomic.fetch) !== 0) setRegister(registers, from, old);
  }

  #call(slot: number, kind: number, target: number): void {
    const { registers, helpers } = this.#parts;
    if (kind === Pseudo.call) {
      this.#slot = slot;
      this.#runFunction(slot + 1 + target);
      this.#slot = slot + 1;
      return;
    }
    if (kind !== 0) this.#refuse(slot, `calls of kernel functions are not simulated`);
    if (target === HELPER_IDS.tail_call) return this.#tailCall(slot);
    const helper = helpers.get(target);
    if (helper === undefined) this.#refuse(slot, `the helper ${findHelperName(target) ?? target} was not given`);
    this.#slot = slot;
    const result = helper(this.#describeCall());
    this.#slot = slot + 1;
    setRegister(registers, 0, typeof result === 'number' ? BigInt(result) : result);
    // The verifier lets nothing read these after a call.
    for (let register = 1; register <= 5; register++) setRegister(registers, register, 0xdead_0000_0000_0000n + BigInt(register));
  }

  #describeCall(): HelperCall {
    const { registers, memory, cpu, findMap, readOutside } = this.#parts;
    const argument = (index: number) => getRegister(registers, index);
    return {
      arguments: [argument(1), argument(2), argument(3), argument(4), argument(5)],
      memory,
      cpu,
      readOutside,
      fault: (message) => this.fault(message),
      getMap: (address) => findMap(address) ?? this.fault(`0x${address.toString(16)} is no map`),
      getBytes: (address, length, forWriting = false) =>
        memory.slice(address, length, forWriting) ?? this.fault(`${length} bytes at 0x${address.toString(16)} are not the program's`),
      callBack: (address, ...callArguments) => {
        for (const [index, value] of callArguments.entries()) setRegister(registers, index + 1, value);
        return this.#runFunction(Number(address));
      },
    };
  }

  /** Goes on in the other program, in this frame; falls through when there is none, or too many came before. */
  #tailCall(slot: number): void {
    const { registers, findMap, findProgram } = this.#parts;
    const map = findMap(getRegister(registers, 2)) ?? this.#refuse(slot, 'the second argument of tail_call is no map');
    const name = map.findProgram(registers.low[3]! >>> 0);
    const program = name === undefined ? undefined : findProgram(name);
    if (program === undefined || this.#tailCalls >= MAX_TAIL_CALLS) return setRegister(registers, 0, BigInt(-2));
    this.#tailCalls++;
    this.#program = program;
    this.#slot = 0;
  }
}

function combine(operation: number, old: bigint, operand: bigint): bigint | undefined {
  switch (operation) {
    case Atomic.add:
    case Atomic.add | Atomic.fetch:
      return old + operand;
    case Atomic.or:
    case Atomic.or | Atomic.fetch:
      return old | operand;
    case Atomic.and:
    case Atomic.and | Atomic.fetch:
      return old & operand;
    case Atomic.xor:
    case Atomic.xor | Atomic.fetch:
      return old ^ operand;
    case Atomic.xchg:
      return operand;
    default:
      return undefined;
  }
}

function signed(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}
