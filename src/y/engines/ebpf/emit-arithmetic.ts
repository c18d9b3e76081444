/** Arithmetic on registers. */
import type { AluOperation, Condition, Register } from '../../../bpf/index.ts';
import type { BinaryOperator, Instruction, Operand } from '../../ir/program.ts';
import { fitsImmediate, type Emitter } from './emitter.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;

const SIMPLE: Partial<Readonly<Record<BinaryOperator, AluOperation>>> = {
  add: 'add',
  sub: 'sub',
  mul: 'mul',
  and: 'and',
  or: 'or',
  xor: 'xor',
  shl: 'lsh',
  lshr: 'rsh',
  ashr: 'arsh',
  udiv: 'div',
  umod: 'mod',
};

const CONDITIONS: Partial<Readonly<Record<BinaryOperator, Condition>>> = {
  eq: 'eq',
  ne: 'ne',
  slt: 'slt',
  sle: 'sle',
  sgt: 'sgt',
  sge: 'sge',
  ult: 'lt',
  ule: 'le',
  ugt: 'gt',
  uge: 'ge',
};

const MIRRORED: Readonly<Record<Condition, Condition>> = {
  eq: 'eq',
  ne: 'ne',
  gt: 'lt',
  ge: 'le',
  lt: 'gt',
  le: 'ge',
  sgt: 'slt',
  sge: 'sle',
  slt: 'sgt',
  sle: 'sge',
  set: 'set',
};

export function isComparison(operator: BinaryOperator): boolean {
  return CONDITIONS[operator] !== undefined;
}

export function emitMove(e: Emitter, { to, from }: Of<'move'>): void {
  const register = e.target(to, 0);
  e.load(register, from);
  e.store(to, register);
}

export function emitBinary(e: Emitter, instruction: Of<'binary'>): void {
  const { to, operator, left, right, onFail } = instruction;
  if (isComparison(operator)) return emitComparison(e, instruction);
  const divides = operator === 'sdiv' || operator === 'smod' || operator === 'udiv' || operator === 'umod';
  if (divides && 'constant' in right && right.constant === 0n) {
    e.a.jump(e.failureOf(onFail, 'division-by-zero'));
    return;
  }
  if (divides && 'register' in right) e.a.jumpIfImm('eq', e.inRegister(right, 1), 0, e.failureOf(onFail, 'division-by-zero'));
  if (operator === 'sdiv' || operator === 'smod') return emitSigned(e, instruction);
  const shift = operator === 'shl' || operator === 'lshr' || operator === 'ashr';
  const clashes = 'register' in right && right.register === to && !('register' in left && left.register === to);
  const register = clashes ? 0 : e.target(to, 0);
  e.load(register, left);
  emitRight(e, SIMPLE[operator]!, register, right, shift);
  e.store(to, register);
}

function emitRight(e: Emitter, operation: AluOperation, register: Register, right: Operand, shift: boolean): void {
  if ('constant' in right) {
    const value = shift ? right.constant & 63n : BigInt.asIntN(64, right.constant);
    // An unsigned divisor below 0 does not survive as an immediate of the kernel's older verifiers; it is rare anyway.
    if (fitsImmediate(value) && !(value < 0n && (operation === 'div' || operation === 'mod'))) {
      e.a.aluImm(operation, register, Number(value));
      return;
    }
    e.loadConstant(1, value);
    e.a.alu(operation, register, 1);
    return;
  }
  if (!shift) {
    e.a.alu(operation, register, e.inRegister(right, 1));
    return;
  }
  e.load(1, right);
  e.a.aluImm('and', 1, 63).alu(operation, register, 1);
}

/** By magnitudes, the sign put back: the signed instruction is of Linux 6.6. The divisor is not zero. */
function emitSigned(e: Emitter, { to, operator, left, right }: Of<'binary'>): void {
  const { a } = e;
  e.load(0, left);
  e.load(1, right);
  // r2, r3: sign masks of both.
  a.move(2, 0).aluImm('arsh', 2, 63).move(3, 1).aluImm('arsh', 3, 63);
  a.alu('xor', 0, 2).alu('sub', 0, 2).alu('xor', 1, 3).alu('sub', 1, 3);
  a.alu(operator === 'sdiv' ? 'div' : 'mod', 0, 1);
  if (operator === 'sdiv') a.alu('xor', 2, 3);
  a.alu('xor', 0, 2).alu('sub', 0, 2);
  e.store(to, 0);
}

function emitComparison(e: Emitter, { to, operator, left, right }: Of<'binary'>): void {
  const { a } = e;
  const yes = a.newLabel('yes');
  a.moveImm(0, 1);
  emitJump(e, operator, left, right, yes);
  a.moveImm(0, 0).label(yes);
  e.store(to, 0);
}

/** Jumps when the comparison holds. r1 and r2 are lost. */
export function emitJump(e: Emitter, operator: BinaryOperator, left: Operand, right: Operand, label: string): void {
  const condition = CONDITIONS[operator]!;
  if ('constant' in left && 'register' in right) return emitOrderedJump(e, MIRRORED[condition], right, left, label);
  emitOrderedJump(e, condition, left, right, label);
}

function emitOrderedJump(e: Emitter, condition: Condition, left: Operand, right: Operand, label: string): void {
  const register = e.inRegister(left, 1);
  const constant = 'constant' in right ? BigInt.asIntN(64, right.constant) : undefined;
  if (constant !== undefined && fitsImmediate(constant)) e.a.jumpIfImm(condition, register, Number(constant), label);
  else e.a.jumpIf(condition, register, e.inRegister(right, 2), label);
}

export function emitExtend(e: Emitter, { to, from, bits, signed }: Of<'extend'>): void {
  emitBits(e, to, from, 0, bits, signed);
}

export function emitExtract(e: Emitter, { to, from, shift, bits, signed }: Of<'extract'>): void {
  emitBits(e, to, from, shift, bits, signed);
}

function emitBits(e: Emitter, to: number, from: Operand, shift: number, bits: number, signed: boolean): void {
  const { a } = e;
  const register = e.target(to, 0);
  e.load(register, from);
  if (!signed && shift === 0 && bits === 32) a.alu32('mov', register, register);
  else if (!signed && shift === 0 && bits < 32) a.aluImm('and', register, 2 ** bits - 1);
  else {
    if (64 - shift - bits > 0) a.aluImm('lsh', register, 64 - shift - bits);
    if (bits < 64) a.aluImm(signed ? 'arsh' : 'rsh', register, 64 - bits);
  }
  e.store(to, register);
}

/** `register` = floor of the binary logarithm of r`x` without sign, which is lost; 0 for 0. */
export function emitLog2(e: Emitter, register: Register, x: Register, scratch: Register): void {
  const { a } = e;
  a.moveImm(register, 0);
  for (const step of [32, 16, 8, 4, 2, 1]) {
    // Without branches: 1 where something is above, 0 elsewhere.
    a.move(scratch, x).aluImm('rsh', scratch, step).negate(scratch).aluImm('rsh', scratch, 63);
    if (step > 1) a.aluImm('lsh', scratch, Math.log2(step));
    a.alu('rsh', x, scratch).alu('or', register, scratch);
  }
}

export function emitLogarithm(e: Emitter, { to, from }: Of<'log2'>): void {
  e.load(1, from);
  emitLog2(e, 0, 1, 2);
  e.store(to, 0);
}

/** Sums in pairs, then fours, then bytes. */
export function emitPopcount(e: Emitter, { to, from }: Of<'log2' | 'popcount'>): void {
  const { a } = e;
  e.load(0, from);
  a.loadImm64(1, 0x5555555555555555n).move(2, 0).aluImm('rsh', 2, 1).alu('and', 2, 1).alu('sub', 0, 2);
  a.loadImm64(1, 0x3333333333333333n).move(2, 0).aluImm('rsh', 2, 2).alu('and', 2, 1).alu('and', 0, 1).alu('add', 0, 2);
  a.loadImm64(1, 0x0f0f0f0f0f0f0f0fn).move(2, 0).aluImm('rsh', 2, 4).alu('add', 0, 2).alu('and', 0, 1);
  a.loadImm64(1, 0x0101010101010101n).alu('mul', 0, 1).aluImm('rsh', 0, 56);
  e.store(to, 0);
}

/** Doubles cross the kernel as bits: constants, and what the target holds. Anything that computes is refused. */
export function emitConvert(e: Emitter, instruction: Of<'convert'>): void {
  const { to, from, form, at } = instruction;
  if (form === 'float64-bits') return emitMove(e, { op: 'move', to, from, at });
  if (form !== 'float32-bits' && form !== 'to-float32') return refuseFloat(e, instruction);
  e.load(1, from);
  if (form === 'to-float32') emitToSingle(e);
  else emitWiden(e);
  e.store(to, 0);
}

/** r0 = the double that equals the float of 32 bits in r1. */
function emitWiden(e: Emitter): void {
  const { a } = e;
  const normal = a.newLabel('normal');
  const special = a.newLabel('special');
  const done = a.newLabel('done');
  a.alu32('mov', 1, 1).move(5, 1).aluImm('rsh', 5, 31).aluImm('lsh', 5, 63);
  a.move(0, 1).aluImm('and', 0, 0x7fffff).move(2, 1).aluImm('rsh', 2, 23).aluImm('and', 2, 0xff);
  a.jumpIfImm('eq', 2, 255, special).jumpIfImm('ne', 2, 0, normal).jumpIfImm('eq', 0, 0, done);
  // Subnormal: the highest bit becomes the hidden one. r2 = its place, 0–22.
  a.move(1, 0);
  emitLog2(e, 2, 1, 3);
  a.moveImm(3, 23).alu('sub', 3, 2).alu('lsh', 0, 3).aluImm('and', 0, 0x7fffff).aluImm('sub', 2, 22);
  a.label(normal).aluImm('add', 2, 896).aluImm('lsh', 2, 52).aluImm('lsh', 0, 29).alu('or', 0, 2).jump(done);
  a.label(special).aluImm('lsh', 0, 29).moveImm(2, 0x7ff).aluImm('lsh', 2, 52).alu('or', 0, 2);
  a.label(done).alu('or', 0, 5);
}

/** r0 = the float of 32 bits that is nearest to the double in r1, the even one of two. */
function emitToSingle(e: Emitter): void {
  const { a } = e;
  const [small, special, infinite] = [a.newLabel('small'), a.newLabel('special'), a.newLabel('infinite')];
  const [tiny, round, done] = [a.newLabel('tiny'), a.newLabel('round'), a.newLabel('done')];
  // r5 = sign, r2 = exponent as a float counts it, r0 = mantissa.
  a.move(5, 1).aluImm('rsh', 5, 63).aluImm('lsh', 5, 31).move(2, 1).aluImm('lsh', 2, 1).aluImm('rsh', 2, 53);
  a.move(0, 1).aluImm('lsh', 0, 12).aluImm('rsh', 0, 12);
  a.jumpIfImm('eq', 2, 0x7ff, special).aluImm('sub', 2, 896).jumpIfImm('sle', 2, 0, small);
  // Too large for a float is infinite; a mantissa that rounds up carries into the exponent, and there too.
  a.moveImm(3, 29).move(4, 2).aluImm('lsh', 4, 52).alu('or', 0, 4).jumpIfImm('slt', 2, 255, round);
  a.loadImm64(0, 0x7f800000n).jump(done);
  a.label(small).jumpIfImm('slt', 2, -24, tiny).moveImm(4, 1).aluImm('lsh', 4, 52).alu('or', 0, 4).moveImm(3, 30).alu('sub', 3, 2);
  // r0 >> r3: half of the last place is added, less one where the last place is even.
  a.label(round).move(4, 0).alu('rsh', 4, 3).aluImm('and', 4, 1).alu('add', 0, 4).aluImm('sub', 3, 1);
  a.moveImm(4, 1).alu('lsh', 4, 3).aluImm('sub', 4, 1).alu('add', 0, 4).aluImm('add', 3, 1).alu('rsh', 0, 3).jump(done);
  a.label(tiny).moveImm(0, 0).jump(done);
  a.label(special).loadImm64(2, 0x7f800000n).jumpIfImm('eq', 0, 0, infinite).aluImm('rsh', 0, 29).aluImm('or', 0, 0x400000);
  a.label(infinite).alu('or', 0, 2);
  a.label(done).alu('or', 0, 5);
}

export function emitFloat(e: Emitter, { to, value }: Of<'float'>): void {
  const data = new DataView(new ArrayBuffer(8));
  data.setFloat64(0, value);
  e.loadConstant(0, data.getBigInt64(0));
  e.store(to, 0);
}

export function refuseFloat(e: Emitter, { at }: Of<'convert' | 'float-binary'>): void {
  e.diagnose(
    'kernel-float',
    'floating-point arithmetic cannot run in the kernel',
    at,
    'print the value as it is, or compute with integers (thousandths); _begin, _end and timers may use floating point',
  );
}
