// The intermediate form run as it is defined, with big integers: what engines must agree with.
import type { BinaryOperator, Instruction, IrFunction, KeyArgument, Operand, Program } from '../../src/y/ir/program.ts';
import { findFlow, isBackEdge, type FlowFacts } from '../../src/y/engines/ebpf/liveness.ts';

export interface Evaluated {
  readonly globals: readonly bigint[];
  /** By array: values by their keys, `1,2`. */
  readonly arrays: readonly Record<string, bigint>[];
  readonly losses: Record<string, bigint>;
}

const signed = (value: bigint, bits = 64): bigint => BigInt.asIntN(bits, value);
const unsigned = (value: bigint, bits = 64): bigint => BigInt.asUintN(bits, value);

class Failure extends Error {
  readonly why: string;
  constructor(why: string) {
    super(why);
    this.why = why;
  }
}

/** One hit of the first function. `budget`: jumps back, in all. */
export function evaluate(program: Program, values: readonly bigint[], budget: number): Evaluated {
  const run = new Evaluator(program, values, budget);
  const losses: Record<string, bigint> = {};
  try {
    run.call(0, []);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    losses[error.why] = 1n;
  }
  return { globals: run.globals, arrays: run.arrays.map((array) => Object.fromEntries(array)), losses };
}

class Evaluator {
  readonly globals: bigint[];
  readonly arrays: Map<string, bigint>[];
  readonly #program: Program;
  readonly #values: readonly bigint[];
  readonly #flows: FlowFacts[];
  #budget: number;

  constructor(program: Program, values: readonly bigint[], budget: number) {
    this.#program = program;
    this.#values = values;
    this.#budget = budget;
    this.globals = program.globals.map(() => 0n);
    this.arrays = program.arrays.map(() => new Map<string, bigint>());
    this.#flows = program.functions.map((body) => findFlow(body));
  }

  call(index: number, parameters: readonly bigint[]): bigint {
    const body = this.#program.functions[index]!;
    const registers = body.registers.map((_, register) => parameters[register] ?? 0n);
    for (let block = 0; ;) {
      const next = this.#block(index, body, block, registers);
      if (typeof next === 'bigint') return next;
      if (isBackEdge(this.#flows[index]!, block, next) && --this.#budget <= 0) throw new Failure('loop-budget');
      block = next;
    }
  }

  /** The next block, or the value returned. */
  #block(index: number, body: IrFunction, block: number, registers: bigint[]): number | bigint {
    const { instructions, end } = body.blocks[block]!;
    for (const instruction of instructions) {
      const handler = this.#instruction(instruction, registers);
      if (handler !== undefined) return handler;
    }
    if (end.op === 'jump') return end.to;
    if (end.op === 'branch') return valueOf(registers, end.condition) === 0n ? end.else : end.then;
    if (end.op === 'return') return end.value === undefined ? 0n : valueOf(registers, end.value);
    throw new Error(`${end.op} in function ${index}`);
  }

  #instruction(instruction: Instruction, registers: bigint[]): number | undefined {
    const get = (operand: Operand): bigint => valueOf(registers, operand);
    const set = (to: number | undefined, value: bigint): void => {
      if (to !== undefined) registers[to] = signed(value);
    };
    switch (instruction.op) {
      case 'argument':
        return void set(instruction.to, this.#values[instruction.index] ?? 0n);
      case 'move':
        return void set(instruction.to, get(instruction.from));
      case 'binary': {
        const result = compute(instruction.operator, get(instruction.left), get(instruction.right));
        if (result !== undefined) return void set(instruction.to, result);
        if (instruction.onFail === undefined) throw new Failure('division-by-zero');
        return instruction.onFail;
      }
      case 'extend':
        return void set(instruction.to, resize(get(instruction.from), instruction.bits, instruction.signed));
      case 'extract':
        return void set(
          instruction.to,
          resize(unsigned(get(instruction.from)) >> BigInt(instruction.shift), instruction.bits, instruction.signed),
        );
      case 'log2':
        return void set(instruction.to, BigInt(Math.max(0, unsigned(get(instruction.from)).toString(2).length - 1)));
      case 'popcount':
        return void set(instruction.to, BigInt(unsigned(get(instruction.from)).toString(2).replaceAll('0', '').length));
      case 'call': {
        const [first, second] = instruction.arguments.map((argument) => get(argument as Operand));
        try {
          return void set(instruction.to as number | undefined, this.call(instruction.function, [first!, second!]));
        } catch (error) {
          if (error instanceof Failure && error.why !== 'loop-budget' && instruction.onFail !== undefined) return instruction.onFail;
          throw error;
        }
      }
      default:
        return void this.#storage(instruction, get, set);
    }
  }

  #storage(instruction: Instruction, get: (operand: Operand) => bigint, set: (to: number | undefined, value: bigint) => void): void {
    const keyOf = (keys: readonly KeyArgument[]): string => keys.map((key) => get(key as Operand)).join(',');
    switch (instruction.op) {
      case 'load-global':
        return set(instruction.to, resize(this.globals[instruction.global]!, 8 * instruction.size, instruction.signed));
      case 'store-global':
        this.globals[instruction.global] = overwrite(this.globals[instruction.global]!, get(instruction.value), instruction.size);
        return;
      case 'add-global': {
        const before = this.globals[instruction.global]!;
        this.globals[instruction.global] = signed(before + get(instruction.value));
        return set(instruction.to, before);
      }
      case 'array-load':
        return set(
          instruction.to,
          resize(this.arrays[instruction.array]!.get(keyOf(instruction.keys)) ?? 0n, 8 * instruction.size, instruction.signed),
        );
      case 'array-store': {
        const array = this.arrays[instruction.array]!;
        const key = keyOf(instruction.keys);
        return void array.set(key, overwrite(array.get(key) ?? 0n, get(instruction.value), instruction.size));
      }
      case 'array-add': {
        const array = this.arrays[instruction.array]!;
        const key = keyOf(instruction.keys);
        const before = array.get(key) ?? 0n;
        array.set(key, signed(before + get(instruction.value)));
        return set(instruction.to, before);
      }
      case 'array-has':
        return set(instruction.to, this.arrays[instruction.array]!.has(keyOf(instruction.keys)) ? 1n : 0n);
      case 'array-delete':
        return void this.arrays[instruction.array]!.delete(keyOf(instruction.keys));
      default:
        throw new Error(`${instruction.op} is not evaluated here`);
    }
  }
}

function valueOf(registers: readonly bigint[], operand: Operand | KeyArgument): bigint {
  if ('text' in operand) throw new Error('texts are not evaluated here');
  return 'constant' in operand ? signed(operand.constant) : registers[operand.register]!;
}

function resize(value: bigint, bits: number, isSigned: boolean): bigint {
  return isSigned ? signed(value, bits) : unsigned(value, bits);
}

function overwrite(before: bigint, value: bigint, size: number): bigint {
  const mask = (1n << BigInt(8 * size)) - 1n;
  return signed((unsigned(before) & ~mask) | (unsigned(value) & mask));
}

/** Undefined for a division by zero. */
function compute(operator: BinaryOperator, a: bigint, b: bigint): bigint | undefined {
  const [x, y] = [unsigned(a), unsigned(b)];
  const flag = (holds: boolean): bigint => (holds ? 1n : 0n);
  switch (operator) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return a * b;
    case 'sdiv':
      return b === 0n ? undefined : a / b;
    case 'smod':
      return b === 0n ? undefined : a % b;
    case 'udiv':
      return b === 0n ? undefined : x / y;
    case 'umod':
      return b === 0n ? undefined : x % y;
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    case 'shl':
      return a << (y & 63n);
    case 'lshr':
      return x >> (y & 63n);
    case 'ashr':
      return a >> (y & 63n);
    case 'eq':
      return flag(a === b);
    case 'ne':
      return flag(a !== b);
    case 'slt':
      return flag(a < b);
    case 'sle':
      return flag(a <= b);
    case 'sgt':
      return flag(a > b);
    case 'sge':
      return flag(a >= b);
    case 'ult':
      return flag(x < y);
    case 'ule':
      return flag(x <= y);
    case 'ugt':
      return flag(x > y);
    case 'uge':
      return flag(x >= y);
  }
}
