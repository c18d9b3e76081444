/**
 * Constant folding, constant and copy propagation. Within a block every copy and constant is known until one of its registers is
 * written; over the whole function, a register that is written once, with a constant.
 */
import type { BinaryOperator, Block, Instruction, IrFunction, Operand, Terminator } from '../program.ts';
import { findUses, rewriteReads } from '../uses.ts';

export function foldConstants(fn: IrFunction): IrFunction {
  const always = findAlwaysConstant(fn);
  return { ...fn, blocks: fn.blocks.map((block) => foldBlock(fn, block, always)) };
}

/** Registers with a single write in the function, of a constant. Parameters have a write before the first block. */
function findAlwaysConstant(fn: IrFunction): ReadonlyMap<number, Operand> {
  const writes = new Map<number, number>();
  const constants = new Map<number, Operand>();
  const parameters = fn.parameters.filter((kind) => kind !== 'text').length;
  for (let register = 0; register < parameters; register++) writes.set(register, 1);
  for (const { instructions } of fn.blocks) {
    for (const one of instructions) {
      for (const register of findUses(one).writes) writes.set(register, (writes.get(register) ?? 0) + 1);
      if (one.op === 'move' && 'constant' in one.from && one.relocate === undefined && fn.registers[one.to] === 'integer')
        constants.set(one.to, one.from);
    }
  }
  return new Map([...constants].filter(([register]) => writes.get(register) === 1));
}

function foldBlock(fn: IrFunction, block: Block, always: ReadonlyMap<number, Operand>): Block {
  const known = new Map<number, Operand>(always);
  const operand = (one: Operand): Operand => ('register' in one ? (known.get(one.register) ?? one) : one);
  const register = (one: number): number => {
    const found = known.get(one);
    return found !== undefined && 'register' in found ? found.register : one;
  };
  const instructions = block.instructions.map((one) => {
    const folded = foldInstruction(constantLast(rewriteReads(one, { operand, register })));
    for (const written of findUses(folded).writes) forget(known, written, always);
    if (folded.op === 'move' && folded.relocate === undefined && remembers(fn, folded)) known.set(folded.to, folded.from);
    return folded;
  });
  return { instructions, end: foldEnd(rewriteReads(block.end, { operand, register })) };
}

function remembers(fn: IrFunction, { to, from }: Extract<Instruction, { op: 'move' }>): boolean {
  return 'constant' in from ? fn.registers[to] === 'integer' : from.register !== to && fn.registers[from.register] === fn.registers[to];
}

function forget(known: Map<number, Operand>, written: number, always: ReadonlyMap<number, Operand>): void {
  if (!always.has(written)) known.delete(written);
  for (const [copy, from] of known) if ('register' in from && from.register === written) known.delete(copy);
}

function foldInstruction(i: Instruction): Instruction {
  const value = constantResult(i);
  if (value !== undefined && 'to' in i && typeof i.to === 'number') {
    const { to, at } = i;
    return { op: 'move', to, from: typeof value === 'bigint' ? { constant: BigInt.asIntN(64, value) } : value, at };
  }
  return i;
}

const COMMUTATIVE = new Set<BinaryOperator>(['add', 'mul', 'and', 'or', 'xor', 'eq', 'ne']);

function constantLast(i: Instruction): Instruction {
  if (i.op !== 'binary' || !('constant' in i.left) || 'constant' in i.right || !COMMUTATIVE.has(i.operator)) return i;
  return { ...i, left: i.right, right: i.left };
}

function constantResult(i: Instruction): bigint | Operand | undefined {
  if (i.relocate !== undefined) return undefined;
  if (i.op === 'binary') {
    const { left, right, operator } = i;
    if ('constant' in left && 'constant' in right) return foldBinary(operator, left.constant, right.constant);
    return 'constant' in right ? identity(operator, left, right.constant) : undefined;
  }
  if (i.op === 'extend' && 'constant' in i.from) return cut(i.from.constant, i.bits, i.signed);
  if (i.op === 'extract' && 'constant' in i.from) return cut(i.from.constant >> BigInt(i.shift), i.bits, i.signed);
  return undefined;
}

/** What an operation with a constant that changes nothing gives. */
function identity(operator: BinaryOperator, left: Operand, right: bigint): bigint | Operand | undefined {
  switch (operator) {
    case 'add':
    case 'sub':
    case 'or':
    case 'xor':
    case 'shl':
    case 'lshr':
    case 'ashr':
      return right === 0n ? left : undefined;
    case 'mul':
      return right === 1n ? left : right === 0n ? 0n : undefined;
    case 'sdiv':
    case 'udiv':
      return right === 1n ? left : undefined;
    case 'and':
      return right === -1n ? left : right === 0n ? 0n : undefined;
    default:
      return undefined;
  }
}

function cut(value: bigint, bits: number, signed: boolean): bigint {
  return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

/** The 64-bit result; undefined for a division by zero. Operands may be given with or without sign. */
export function foldBinary(operator: BinaryOperator, left: bigint, right: bigint): bigint | undefined {
  const [a, b] = [BigInt.asIntN(64, left), BigInt.asIntN(64, right)];
  const [c, d] = [BigInt.asUintN(64, left), BigInt.asUintN(64, right)];
  const amount = d & 63n;
  const truth = (value: boolean) => (value ? 1n : 0n);
  switch (operator) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return a * b;
    case 'sdiv':
      return b === 0n ? undefined : a / b;
    case 'udiv':
      return d === 0n ? undefined : c / d;
    case 'smod':
      return b === 0n ? undefined : a % b;
    case 'umod':
      return d === 0n ? undefined : c % d;
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    case 'shl':
      return a << amount;
    case 'lshr':
      return c >> amount;
    case 'ashr':
      return a >> amount;
    case 'eq':
      return truth(a === b);
    case 'ne':
      return truth(a !== b);
    case 'slt':
      return truth(a < b);
    case 'sle':
      return truth(a <= b);
    case 'sgt':
      return truth(a > b);
    case 'sge':
      return truth(a >= b);
    case 'ult':
      return truth(c < d);
    case 'ule':
      return truth(c <= d);
    case 'ugt':
      return truth(c > d);
    case 'uge':
      return truth(c >= d);
  }
}

function foldEnd(end: Terminator): Terminator {
  if (end.op !== 'branch') return end;
  if (end.then === end.else) return { op: 'jump', to: end.then };
  if (!('constant' in end.condition)) return end;
  return { op: 'jump', to: end.condition.constant === 0n ? end.else : end.then };
}
