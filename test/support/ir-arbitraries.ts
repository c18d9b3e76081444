// Random functions of the intermediate form: any graph of blocks, integers, globals, one array, calls.
import fc from 'fast-check';
import type { BinaryOperator, Block, Instruction, IrFunction, Operand, Program, Terminator } from '../../src/y/ir/program.ts';
import { hitProgram, integerArray, integerGlobal, INTEGER_KEY } from './y-ebpf.ts';
import { irFunction } from './y-program.ts';

const REGISTERS = 10;
const GLOBALS = 3;
const OPERATORS: readonly BinaryOperator[] = [
  'add',
  'sub',
  'mul',
  'sdiv',
  'udiv',
  'smod',
  'umod',
  'and',
  'or',
  'xor',
  'shl',
  'lshr',
  'ashr',
  'eq',
  'ne',
  'slt',
  'sle',
  'sgt',
  'sge',
  'ult',
  'ule',
  'ugt',
  'uge',
];

const register = fc.nat(REGISTERS - 1);
const interesting = fc.constantFrom(0n, 1n, -1n, 2n, 7n, 63n, 64n, 2n ** 31n - 1n, -(2n ** 31n), 2n ** 32n, 2n ** 63n - 1n, -(2n ** 63n));
const constant = fc.oneof(interesting, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
const operand: fc.Arbitrary<Operand> = fc.oneof(
  { weight: 3, arbitrary: register.map((index) => ({ register: index })) },
  constant.map((value) => ({ constant: value })),
);
const size = fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const);
const bits = fc.constantFrom(1 as const, 8 as const, 16 as const, 32 as const);
/** Keys are few, so that entries meet. */
const keys = fc.tuple(operand, fc.nat(3)).map(([first, second]) => [first, { constant: BigInt(second) }] as const);

const at = undefined;

function instruction(blocks: number, callee: number | undefined): fc.Arbitrary<Instruction[]> {
  const onFail = fc.option(fc.nat(blocks - 1), { nil: undefined });
  const one: fc.Arbitrary<Instruction>[] = [
    fc.record({ op: fc.constant('move' as const), to: register, from: operand, at: fc.constant(at) }),
    fc.record({
      op: fc.constant('binary' as const),
      to: register,
      operator: fc.constantFrom(...OPERATORS),
      left: operand,
      right: operand,
      onFail,
      at: fc.constant(at),
    }),
    fc.record({ op: fc.constant('extend' as const), to: register, from: operand, bits, signed: fc.boolean(), at: fc.constant(at) }),
    fc
      .tuple(register, operand, fc.integer({ min: 0, max: 63 }), fc.integer({ min: 1, max: 64 }), fc.boolean())
      .map(([to, from, shift, width, signed]) => ({
        op: 'extract' as const,
        to,
        from,
        shift,
        bits: Math.min(width, 64 - shift),
        signed,
        at,
      })),
    fc.record({ op: fc.constantFrom('log2' as const, 'popcount' as const), to: register, from: operand, at: fc.constant(at) }),
    fc.record({
      op: fc.constant('load-global' as const),
      to: register,
      global: fc.nat(GLOBALS - 1),
      offset: fc.constant(0),
      size,
      signed: fc.boolean(),
      at: fc.constant(at),
    }),
    fc.record({
      op: fc.constant('store-global' as const),
      global: fc.nat(GLOBALS - 1),
      offset: fc.constant(0),
      size,
      value: operand,
      at: fc.constant(at),
    }),
    fc.record({
      op: fc.constant('add-global' as const),
      to: fc.option(register, { nil: undefined }),
      global: fc.nat(GLOBALS - 1),
      offset: fc.constant(0),
      size: fc.constant(8 as const),
      value: operand,
      at: fc.constant(at),
    }),
    fc.record({
      op: fc.constant('array-load' as const),
      to: register,
      array: fc.constant(0),
      keys,
      offset: fc.constant(0),
      size,
      signed: fc.boolean(),
      at: fc.constant(at),
    }),
    fc.record({
      op: fc.constant('array-store' as const),
      array: fc.constant(0),
      keys,
      offset: fc.constant(0),
      size,
      value: operand,
      at: fc.constant(at),
    }),
    fc.record({
      op: fc.constant('array-add' as const),
      to: fc.option(register, { nil: undefined }),
      array: fc.constant(0),
      keys,
      value: operand,
      at: fc.constant(at),
    }),
    fc.record({ op: fc.constant('array-has' as const), to: register, array: fc.constant(0), keys, at: fc.constant(at) }),
    fc.record({ op: fc.constant('array-delete' as const), array: fc.constant(0), keys, at: fc.constant(at) }),
  ];
  if (callee !== undefined)
    one.push(
      fc.record({
        op: fc.constant('call' as const),
        to: fc.option(register, { nil: undefined }),
        function: fc.constant(callee),
        arguments: fc.tuple(operand, operand),
        at: fc.constant(at),
      }),
    );
  return fc.array(fc.oneof(...one, one[1]!, one[1]!), { maxLength: 10 });
}

function terminator(blocks: number, returned: fc.Arbitrary<Operand | undefined>): fc.Arbitrary<Terminator> {
  const block = fc.nat(blocks - 1);
  return fc.oneof(
    fc.record({ op: fc.constant('jump' as const), to: block }),
    { weight: 3, arbitrary: fc.record({ op: fc.constant('branch' as const), condition: operand, then: block, else: block }) },
    returned.map((value) => ({ op: 'return' as const, value })),
  );
}

/** Any jumps at all, or forward ones alone. */
function graph(
  forward: boolean,
  most: number,
  callee: number | undefined,
  returned: fc.Arbitrary<Operand | undefined>,
): fc.Arbitrary<Block[]> {
  return fc.integer({ min: 1, max: most }).chain((count) =>
    fc
      .array(fc.record({ instructions: instruction(count, callee), end: terminator(count, returned) }), {
        minLength: count,
        maxLength: count,
      })
      .map((blocks) => (forward ? blocks.map((block, index) => onlyForward(block, index, count)) : blocks)),
  );
}

function onlyForward(block: Block, index: number, count: number): Block {
  if (index === count - 1)
    return { instructions: withoutHandlers(block), end: { op: 'return', value: block.end.op === 'return' ? block.end.value : undefined } };
  const later = (to: number): number => index + 1 + (to % (count - index - 1));
  const { end } = block;
  const instructions = block.instructions.map((one) =>
    one.op === 'binary' && one.onFail !== undefined ? { ...one, onFail: later(one.onFail) } : one,
  );
  if (end.op === 'jump') return { instructions, end: { ...end, to: later(end.to) } };
  if (end.op === 'branch') return { instructions, end: { ...end, then: later(end.then), else: later(end.else) } };
  return { instructions, end };
}

function withoutHandlers({ instructions }: Block): Instruction[] {
  return instructions.map((one) => (one.op === 'binary' ? { ...one, onFail: undefined } : one));
}

const registers = new Array<'integer'>(REGISTERS).fill('integer');
const none = fc.constant(undefined);

/** Two functions: a body, which begins with three arguments in its registers and leaves all of them in an array, and one that it calls. */
export const arbitraryProgram: fc.Arbitrary<Program> = fc
  .tuple(fc.boolean(), fc.boolean())
  .chain(([forward, calleeForward]) => fc.tuple(graph(forward, 8, 1, none), graph(calleeForward, 4, undefined, operand)))
  .map(([blocks, called]) => {
    const first: Instruction[] = [0, 1, 2].map((index) => ({ op: 'argument', to: index, index, at }));
    const body = blocks.map(({ instructions, end }, index): Block => {
      const keep: Instruction[] =
        end.op === 'return'
          ? registers.map((_, kept) => ({
              op: 'array-store',
              array: 1,
              keys: [{ constant: BigInt(kept) }],
              offset: 0,
              size: 8,
              value: { register: kept },
              at,
            }))
          : [];
      return { instructions: [...(index === 0 ? first : []), ...instructions, ...keep], end };
    });
    const functions: IrFunction[] = [
      irFunction(body, { registers }),
      irFunction(
        called.map((block) =>
          block.end.op === 'return' && block.end.value === undefined ? { ...block, end: { op: 'return', value: { constant: 0n } } } : block,
        ),
        {
          name: 'callee',
          registers,
          parameters: ['integer', 'integer'],
          result: 'integer',
        },
      ),
    ];
    return hitProgram(functions, {
      globals: Array.from({ length: GLOBALS }, (_, index) => integerGlobal(`g${index}`)),
      arrays: [integerArray('a', [INTEGER_KEY, INTEGER_KEY], { capacity: 4096 }), integerArray('registers', [INTEGER_KEY])],
    });
  });

export const arbitraryArguments = fc.tuple(constant, constant, constant);
