// Random functions of the intermediate form: any graph of blocks, integers, globals, one array, calls.
import * as fc from 'fast-check';
import type { BinaryOperator, Block, Instruction, IrFunction, Operand, Program, Terminator } from '../../src/y/ir/program.ts';
import { hitProgram, integerArray, integerGlobal, INTEGER_KEY } from './y-ebpf.ts';
import { branch, irFunction } from './y-program.ts';

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

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;

/** An instruction of this kind, its other fields at random. */
function make<Op extends Instruction['op']>(
  op: Op,
  fields: { [Field in Exclude<keyof Of<Op>, 'op' | 'at' | 'relocate'>]: fc.Arbitrary<Of<Op>[Field]> },
): fc.Arbitrary<Instruction> {
  return (fc.record(fields as Record<string, fc.Arbitrary<unknown>>) as fc.Arbitrary<object>).map(
    (made) => ({ op, at, ...made }) as Instruction,
  );
}

const optionalRegister = fc.option(register, { nil: undefined });
const global = fc.nat(GLOBALS - 1);
const zero = fc.constant(0);
const signed = fc.boolean();

const arithmetic: readonly fc.Arbitrary<Instruction>[] = [
  make('move', { to: register, from: operand }),
  make('extend', { to: register, from: operand, bits, signed }),
  fc.tuple(fc.constantFrom('log2' as const, 'popcount' as const), register, operand).map(([op, to, from]) => ({ op, to, from, at })),
  fc
    .tuple(register, operand, fc.integer({ min: 0, max: 63 }), fc.integer({ min: 1, max: 64 }), signed)
    .map(([to, from, shift, width, isSigned]) => ({
      op: 'extract' as const,
      to,
      from,
      shift,
      bits: Math.min(width, 64 - shift),
      signed: isSigned,
      at,
    })),
];

const storage: readonly fc.Arbitrary<Instruction>[] = [
  make('load-global', { to: register, global, offset: zero, size, signed }),
  make('store-global', { global, offset: zero, size, value: operand }),
  make('add-global', { to: optionalRegister, global, offset: zero, size: fc.constant(8 as const), value: operand }),
  make('array-load', { to: register, array: zero, keys, offset: zero, size, signed }),
  make('array-store', { array: zero, keys, offset: zero, size, value: operand }),
  make('array-add', { to: optionalRegister, array: zero, keys, value: operand, field: fc.constant(undefined) }),
  make('array-has', { to: register, array: zero, keys }),
  make('array-delete', { array: zero, keys }),
];

function instructions(blocks: number, callee: number | undefined): fc.Arbitrary<Instruction[]> {
  const onFail = fc.option(fc.nat(blocks - 1), { nil: undefined });
  const binary = make('binary', { to: register, operator: fc.constantFrom(...OPERATORS), left: operand, right: operand, onFail });
  const call = make('call', { to: optionalRegister, function: fc.constant(callee ?? 0), arguments: fc.tuple(operand, operand), onFail });
  const some = fc.oneof(
    ...arithmetic,
    ...storage,
    { weight: 4, arbitrary: binary },
    { weight: callee === undefined ? 0 : 1, arbitrary: call },
  );
  return fc.array(some, { maxLength: 10 });
}

function terminator(blocks: number, returned: fc.Arbitrary<Operand | undefined>): fc.Arbitrary<Terminator> {
  const block = fc.nat(blocks - 1);
  return fc.oneof(
    block.map((to) => ({ op: 'jump' as const, to })),
    { weight: 3, arbitrary: fc.tuple(operand, block, block).map(([condition, then, otherwise]) => branch(condition, then, otherwise)) },
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
      .array(fc.record({ instructions: instructions(count, callee), end: terminator(count, returned) }), {
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
  const moved = block.instructions.map((one) =>
    (one.op === 'binary' || one.op === 'call') && one.onFail !== undefined ? { ...one, onFail: later(one.onFail) } : one,
  );
  if (end.op === 'jump') return { instructions: moved, end: { ...end, to: later(end.to) } };
  if (end.op === 'branch') return { instructions: moved, end: branch(end.condition, later(end.then), later(end.else)) };
  return { instructions: moved, end };
}

function withoutHandlers(block: Block): Instruction[] {
  return block.instructions.map((one) => (one.op === 'binary' || one.op === 'call' ? { ...one, onFail: undefined } : one));
}

const registers = new Array<'integer'>(REGISTERS).fill('integer');
const none = fc.constant(undefined);

/** Two functions: a body, which begins with three arguments in its registers and leaves all of them in an array, and one that it calls. */
export const arbitraryProgram: fc.Arbitrary<Program> = fc
  .tuple(fc.boolean(), fc.boolean())
  .chain(([forward, calleeForward]) => fc.tuple(graph(forward, 8, 1, none), graph(calleeForward, 4, undefined, operand)))
  .map(([blocks, called]) => {
    const first: Instruction[] = [0, 1, 2].map((index) => ({ op: 'argument', to: index, index, at }));
    const body = blocks.map(({ instructions: own, end }, index): Block => {
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
      return { instructions: [...(index === 0 ? first : []), ...own, ...keep], end };
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
