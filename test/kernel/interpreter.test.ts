// The interpreter must compute what the kernel computes: random programs run on both.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  Assembler,
  Interpreter,
  type AluOperation,
  type AtomicOperation,
  type Condition,
  type MapSpec,
  type Register,
} from '../../src/bpf/index.ts';
import { loadOrSkip, must, program, readU64, u32 } from './support/kernel.ts';

const OPERATIONS: AluOperation[] = ['add', 'sub', 'mul', 'div', 'mod', 'sdiv', 'smod', 'or', 'and', 'xor', 'lsh', 'rsh', 'arsh', 'mov'];
const CONDITIONS: Condition[] = ['eq', 'ne', 'gt', 'ge', 'lt', 'le', 'sgt', 'sge', 'slt', 'sle', 'set'];
const ATOMICS: AtomicOperation[] = ['add', 'or', 'and', 'xor', 'fetchAdd', 'fetchOr', 'fetchAnd', 'fetchXor', 'xchg', 'cmpxchg'];
const SEED_REGISTERS: Register[] = [0, 2, 3, 4, 5, 7];
const seeds: MapSpec = { name: 'seeds', type: 'array', keyBytes: 4, valueBytes: 128, maxEntries: 1 };
const RESULTS = 64;

type Step = (assembler: Assembler, index: number) => unknown;

const register = fc.constantFrom(...SEED_REGISTERS);
const immediate = fc.oneof(
  fc.constantFrom(0, 1, -1, 31, 32, 63, 0x7fff_ffff, -0x8000_0000),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
);
const shifts = new Set(['lsh', 'rsh', 'arsh']);

/** The verifier refuses shifts by too much and divisions by zero when it sees them as constants. */
function allowed(operation: AluOperation, value: number, bits: number): number {
  if (shifts.has(operation)) return Math.abs(value % bits);
  return ['div', 'mod', 'sdiv', 'smod'].includes(operation) && value === 0 ? 3 : value;
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constantFrom(...OPERATIONS), register, register, fc.boolean()).map(
    ([operation, dst, src, wide]): Step =>
      (a) =>
        wide ? a.alu(operation, dst, src) : a.alu32(operation, dst, src),
  ),
  fc.tuple(fc.constantFrom(...OPERATIONS), register, immediate, fc.boolean()).map(
    ([operation, dst, value, wide]): Step =>
      (a) =>
        wide ? a.aluImm(operation, dst, allowed(operation, value, 64)) : a.alu32Imm(operation, dst, allowed(operation, value, 32)),
  ),
  fc.tuple(register, fc.boolean()).map(
    ([dst, wide]): Step =>
      (a) =>
        wide ? a.negate(dst) : a.negate32(dst),
  ),
  fc.tuple(register, register, fc.constantFrom(8 as const, 16 as const, 32 as const)).map(
    ([dst, src, bits]): Step =>
      (a) =>
        a.moveSigned(bits, dst, src),
  ),
  fc.tuple(register, fc.constantFrom(16 as const, 32 as const, 64 as const), fc.constantFrom('le', 'be', 'swap')).map(
    ([dst, bits, order]): Step =>
      (a) =>
        order === 'swap' ? a.swapBytes(bits, dst) : a.toByteOrder(order as 'le' | 'be', bits, dst),
  ),
  // A jump over one instruction: both ways are legal.
  fc
    .tuple(fc.constantFrom(...CONDITIONS), register, register, immediate, fc.boolean(), fc.boolean())
    .map(([condition, dst, src, value, wide, constant]): Step => (a, index) => {
      const label = `over ${index}`;
      if (constant)
        (wide ? a.jumpIfImm(condition, dst, value, label) : a.jumpIf32Imm(condition, dst, value, label))
          .aluImm('xor', dst, 0x5a5a)
          .label(label);
      else (wide ? a.jumpIf(condition, dst, src, label) : a.jumpIf32(condition, dst, src, label)).aluImm('xor', dst, 0x5a5a).label(label);
    }),
  fc.tuple(fc.constantFrom(...ATOMICS), register, fc.constantFrom(4 as const, 8 as const), fc.integer({ min: 0, max: 3 })).map(
    ([operation, src, size, place]): Step =>
      (a) =>
        a.atomic(operation, size, 6, place * 8, src),
  ),
  fc.tuple(register, fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const), fc.integer({ min: 0, max: 3 })).map(
    ([src, size, place]): Step =>
      (a) =>
        a.store(size, 6, place * 8, src).load(size, src, 6, place * 8),
  ),
  fc.tuple(register, fc.constantFrom(1 as const, 2 as const, 4 as const), fc.integer({ min: 0, max: 3 })).map(
    ([dst, size, place]): Step =>
      (a) =>
        a.loadSigned(size, dst, 6, place * 8),
  ),
);

/** Loads the registers from the map, so that the verifier knows nothing of them, runs the steps, and stores the registers. */
function build(steps: readonly Step[]): Assembler {
  const assembler = new Assembler().loadMapValue(6, 'seeds');
  for (const [index, source] of SEED_REGISTERS.entries()) assembler.load(8, source, 6, index * 8);
  for (const [index, add] of steps.entries()) add(assembler, index);
  for (const [index, source] of SEED_REGISTERS.entries()) assembler.store(8, 6, RESULTS + index * 8, source);
  return assembler.exit();
}

const word = fc.oneof(
  fc.constantFrom(0n, 1n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0xffff_ffff_ffff_ffffn),
  fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
);

test('random programs leave the same numbers in registers and memory as in the kernel', async (context) => {
  loadOrSkip(context, { maps: [], programs: [] });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 60 }),
      fc.array(word, { minLength: 8, maxLength: 8 }),
      async (steps, values) => {
        const object = { maps: [seeds], programs: [program('random', 'socketFilter', build(steps))] };
        const start = new Uint8Array(128);
        start.set(new Uint8Array(new BigUint64Array(values).buffer));
        const { KernelObject } = await import('../../src/kernel/index.ts');
        const kernel = must(KernelObject.load(object));
        const interpreter = new Interpreter(object);
        try {
          must(kernel.map('seeds').update(u32(0), start));
          interpreter.map('seeds').update(u32(0), start);
          const real = must(kernel.testRun('random', { data: new Uint8Array(64) }));
          const simulated = must(interpreter.run('random', new Uint8Array(192)));
          const words = (bytes: Uint8Array) => Array.from({ length: 16 }, (_, index) => readU64(bytes, index * 8).toString(16));
          expect(words(interpreter.map('seeds').lookup(u32(0))!)).toEqual(words(must(kernel.map('seeds').lookup(u32(0)))!));
          expect(Number(BigInt.asUintN(32, simulated.returnValue))).toBe(real);
        } finally {
          await kernel.close();
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('disassembled programs read as in the verifier', async (context) => {
  loadOrSkip(context, { maps: [], programs: [] });
  const { KernelObject } = await import('../../src/kernel/index.ts');
  const { decodeInstructions, formatInstruction } = await import('../../src/bpf/index.ts');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
      const spec = program('random', 'socketFilter', build(steps));
      const kernel = must(KernelObject.load({ maps: [seeds], programs: [spec] }, { verbose: true }));
      const { log } = kernel.program('random');
      await kernel.close();
      const slots = decodeInstructions(spec.code);
      const seen = [...log.matchAll(/^(\d+): (\([0-9a-f]{2}\) .*?)(?: +;.*)?$/gm)].filter(([, slot]) => Number(slot) >= 2);
      expect(seen.length).toBeGreaterThan(SEED_REGISTERS.length);
      for (const [, slot, text] of seen) expect(formatInstruction(slots, Number(slot))).toBe(text);
    }),
    { numRuns: 100 },
  );
});
