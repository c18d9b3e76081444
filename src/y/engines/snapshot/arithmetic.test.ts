import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { block, irFunction, k, program, r, testEnvironment } from '../../../../test/support/y-program.ts';
import type { BinaryOperator, Instruction, Operand } from '../../ir/program.ts';
import { SnapshotEngine } from './engine.ts';

type Bare = Parameters<typeof block>[0][number];

const REGISTERS = 6;
const OPERATORS: readonly BinaryOperator[] = [
  'add', 'sub', 'mul', 'sdiv', 'udiv', 'smod', 'umod', 'and', 'or', 'xor', 'shl', 'lshr', 'ashr',
  'eq', 'ne', 'slt', 'sle', 'sgt', 'sge', 'ult', 'ule', 'ugt', 'uge',
]; // prettier-ignore

/** Numbers where representations and signs change. */
const EDGES = [
  0n,
  1n,
  -1n,
  2n,
  31n,
  32n,
  63n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 52n,
  2n ** 53n - 1n,
  2n ** 53n,
  -(2n ** 53n) + 1n,
  -(2n ** 53n),
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const integers = fc.oneof(fc.constantFrom(...EDGES), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.integer().map(BigInt));
const registers = fc.nat(REGISTERS - 1);
const operands: fc.Arbitrary<Operand> = fc.oneof(registers.map(r), integers.map(k));
const bits = fc.constantFrom<1 | 8 | 16 | 32>(1, 8, 16, 32);

const instructions = fc.oneof<fc.Arbitrary<Bare>[]>(
  fc.record({ op: fc.constant('move' as const), to: registers, from: operands }),
  fc.record({ op: fc.constant('extend' as const), to: registers, from: operands, bits, signed: fc.boolean() }),
  fc.record({ op: fc.constantFrom('log2' as const, 'popcount' as const), to: registers, from: operands }),
  fc
    .tuple(registers, operands, fc.nat(63), fc.integer({ min: 1, max: 64 }), fc.boolean())
    .map(([to, from, shift, wanted, signed]) => ({ op: 'extract' as const, to, from, shift, bits: Math.min(wanted, 64 - shift), signed })),
  ...[1, 2, 3, 4].map(() =>
    fc.record({
      op: fc.constant('binary' as const),
      to: registers,
      operator: fc.constantFrom(...OPERATORS),
      left: operands,
      right: operands,
    }),
  ),
);

describe('integer instructions', () => {
  test('compute what 64-bit integers do', () => {
    fc.assert(
      fc.property(
        fc.array(integers, { minLength: REGISTERS, maxLength: REGISTERS }),
        fc.array(instructions, { maxLength: 30 }),
        (first, list) => {
          expect(run(first, list)).toEqual(evaluate(first, list));
        },
      ),
      { numRuns: 3000 },
    );
  });

  test.each(OPERATORS)('%s is right at every pair of edges', (operator) => {
    for (const left of EDGES) {
      for (const right of EDGES) {
        const instruction = { op: 'binary', to: 2, operator, left: r(0), right: r(1) } as const;
        const first = [left, right, 0n, 0n, 0n, 0n];
        expect([left, right, run(first, [instruction])]).toEqual([left, right, evaluate(first, [instruction])]);
      }
    }
  });
});

/** The registers after a straight line of instructions, or why it ended, by the engine. */
function run(first: readonly bigint[], list: readonly Bare[]): readonly bigint[] | string {
  const begin = first.map((value, to): Bare => ({ op: 'move', to, from: k(value) }));
  const end = first.map((_value, index): Bare => ({ op: 'store-global', global: index, offset: 0, size: 8, value: r(index) }));
  const place = { file: 'x.y', line: 1, column: 1 };
  const globals = first.map(
    (_value, index) =>
      ({ name: `g${index}`, kind: 'integer', size: 8, signed: true, sharing: 'shared', initial: undefined, place }) as const,
  );
  const whole = program([irFunction([block([...begin, ...list, ...end])])], { globals });
  const { environment, storage } = testEnvironment(whole);
  const outcome = new SnapshotEngine(whole, environment).run(0);
  if (outcome.kind === 'ended') return outcome.why;
  return first.map((_value, index) => Buffer.from(storage.loadGlobal(index)).readBigInt64LE());
}

/** The same by big integers alone. */
function evaluate(first: readonly bigint[], list: readonly Bare[]): readonly bigint[] | string {
  const values = [...first];
  const valueOf = (operand: Operand): bigint => ('register' in operand ? values[operand.register]! : BigInt.asIntN(64, operand.constant));
  for (const bare of list) {
    const instruction = bare as Instruction;
    if (instruction.op === 'binary') {
      const result = binary(instruction.operator, valueOf(instruction.left), valueOf(instruction.right));
      if (result === undefined) return 'division-by-zero';
      values[instruction.to] = BigInt.asIntN(64, result);
    } else values[(instruction as { to: number }).to] = BigInt.asIntN(64, unary(instruction, valueOf));
  }
  return values;
}

function unary(instruction: Instruction, valueOf: (operand: Operand) => bigint): bigint {
  switch (instruction.op) {
    case 'move':
      return valueOf(instruction.from);
    case 'extend':
      return resize(instruction.signed, instruction.bits, valueOf(instruction.from));
    case 'extract':
      return resize(instruction.signed, instruction.bits, BigInt.asUintN(64, valueOf(instruction.from)) >> BigInt(instruction.shift));
    case 'log2':
      return BigInt(BigInt.asUintN(64, valueOf(instruction.from)).toString(2).length - 1);
    case 'popcount':
      return BigInt(BigInt.asUintN(64, valueOf(instruction.from)).toString(2).replaceAll('0', '').length);
    default:
      throw new Error(`no rule for ${instruction.op}`);
  }
}

function resize(signed: boolean, width: number, value: bigint): bigint {
  return signed ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value);
}

function binary(operator: BinaryOperator, a: bigint, b: bigint): bigint | undefined {
  const [ua, ub, shift] = [BigInt.asUintN(64, a), BigInt.asUintN(64, b), BigInt.asUintN(64, b) % 64n];
  const divides = operator === 'sdiv' || operator === 'udiv' || operator === 'smod' || operator === 'umod';
  if (divides && b === 0n) return undefined;
  const results: Record<BinaryOperator, () => bigint | boolean> = {
    add: () => a + b,
    sub: () => a - b,
    mul: () => a * b,
    sdiv: () => a / b,
    udiv: () => ua / ub,
    smod: () => a % b,
    umod: () => ua % ub,
    and: () => a & b,
    or: () => a | b,
    xor: () => a ^ b,
    shl: () => a << shift,
    lshr: () => ua >> shift,
    ashr: () => a >> shift,
    eq: () => a === b,
    ne: () => a !== b,
    slt: () => a < b,
    sle: () => a <= b,
    sgt: () => a > b,
    sge: () => a >= b,
    ult: () => ua < ub,
    ule: () => ua <= ub,
    ugt: () => ua > ub,
    uge: () => ua >= ub,
  };
  return BigInt(results[operator]());
}
