// How far the eBPF engine goes in the real kernel: long functions, texts and chains of calls; random programs.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Block, Instruction } from '../../src/y/ir/program.ts';
import { arbitraryArguments, arbitraryProgram } from '../support/ir-arbitraries.ts';
import { evaluate } from '../support/ir-evaluator.ts';
import { hitProbe, hitProgram, integerArray, integerGlobal, OPTIONS } from '../support/y-ebpf.ts';
import { block, branch, format, irFunction, k, r } from '../support/y-program.ts';
import { attachRun, WorkTarget } from './support/y-run.ts';

const argument = (to: number, index = to) => ({ op: 'argument', to, index }) as const;
const store = (global: number, register: number) => ({ op: 'store-global', global, offset: 0, size: 8, value: r(register) }) as const;
const print = (...values: Extract<Instruction, { op: 'print' }>['values']) => ({ op: 'print', stream: 'out', format: 0, values }) as const;
const text = (local: number) => ({ kind: 'text', text: { local } }) as const;
const integer = (register: number) => ({ kind: 'integer', value: r(register) }) as const;
const formats = [format('')];

/** A chain of diamonds: each block tests one bit of the argument and adds its number. */
function manyBlocks(count: number): readonly Block[] {
  const blocks: Block[] = [block([argument(0), { op: 'move', to: 1, from: k(0) }], { op: 'jump', to: 1 })];
  for (let n = 0; n < count; n++) {
    const first = 1 + 2 * n;
    blocks.push(
      block(
        [
          { op: 'binary', to: 2, operator: 'lshr', left: r(0), right: k(n % 64) },
          { op: 'binary', to: 2, operator: 'and', left: r(2), right: k(1) },
        ],
        branch(r(2), first + 1, first + 2),
      ),
      block([{ op: 'binary', to: 1, operator: 'add', left: r(1), right: k(n) }], { op: 'jump', to: first + 2 }),
    );
  }
  blocks.push(block([store(0, 1)]));
  return blocks;
}

test('a function of 300 blocks', async (context) => {
  const target = await WorkTarget.start(context);
  const run = attachRun(context, target, (point) =>
    hitProgram([irFunction(manyBlocks(150))], { globals: [integerGlobal('sum')], probes: [hitProbe(0, point)] }),
  );
  await target.call(1, 0x5555n);
  const expected = Array.from({ length: 150 }, (_, n) => ((0x5555n >> BigInt(n % 64)) & 1n ? n : 0)).reduce((a, b) => a + b, 0);
  expect(run.global(0)).toBe(BigInt(expected));
});

test('texts of 4,096 bytes', async (context) => {
  const target = await WorkTarget.start(context);
  const body = irFunction(
    [
      block([
        argument(0),
        { op: 'read-text', to: { local: 0 }, space: 'user', address: r(0), length: undefined, onFail: undefined },
        { op: 'concatenate', to: { local: 1 }, left: { local: 0 }, right: { local: 0 } },
        { op: 'concatenate', to: { local: 0 }, left: { local: 1 }, right: { local: 1 } },
        { op: 'compare-text', to: 1, left: { local: 0 }, right: { local: 1 } },
        { op: 'substring', to: { local: 1 }, from: { local: 0 }, start: k(30), length: k(4000) },
        { op: 'array-add', to: undefined, array: 0, keys: [{ text: { local: 1 } }], value: k(1) },
        { op: 'text-at', to: 2, from: { local: 0 }, index: k(59) },
        print(text(0), text(1), integer(1), integer(2)),
      ]),
    ],
    { texts: [4096, 4096] },
  );
  const run = attachRun(context, target, (point) =>
    hitProgram([body], { arrays: [integerArray('a', [{ kind: 'text', capacity: 200 }])], formats, probes: [hitProbe(0, point)] }),
  );
  await target.call(2, target.textAddress);
  expect(run.losses()).toEqual({});
  const [event] = run.events();
  const twice = 'GET /index.html'.repeat(2);
  const values =
    event?.kind === 'print' ? event.values.map((value) => (value instanceof Uint8Array ? new TextDecoder().decode(value) : value)) : [];
  expect(values).toEqual([twice + twice, twice, 1n, 108n]);
  expect(run.array(0)).toEqual({ [twice]: 2n });
});

test('six functions that call each other, the last with a loop', async (context) => {
  const target = await WorkTarget.start(context);
  const many = Array.from(
    { length: 14 },
    (_, register) => ({ op: 'binary', to: register + 1, operator: 'add', left: r(0), right: k(register) }) as const,
  );
  const sum = Array.from(
    { length: 14 },
    (_, register) => ({ op: 'binary', to: 0, operator: 'add', left: r(0), right: r(register + 1) }) as const,
  );
  const level = (callee: number) =>
    irFunction([block([...many, { op: 'call', to: 0, function: callee, arguments: [r(0)] }, ...sum], { op: 'return', value: r(0) })], {
      parameters: ['integer'],
      result: 'integer',
    });
  const last = irFunction(
    [
      block([{ op: 'move', to: 1, from: k(0) }], { op: 'jump', to: 1 }),
      block(
        [
          { op: 'binary', to: 1, operator: 'add', left: r(1), right: r(0) },
          { op: 'binary', to: 0, operator: 'sub', left: r(0), right: k(1) },
        ],
        branch(r(0), 1, 2),
      ),
      block([], { op: 'return', value: r(1) }),
    ],
    { parameters: ['integer'], result: 'integer' },
  );
  const body = irFunction([block([argument(0), { op: 'call', to: 1, function: 1, arguments: [r(0)] }, store(0, 1)])]);
  const run = attachRun(context, target, (point) =>
    hitProgram([body, level(2), level(3), level(4), level(5), last], { globals: [integerGlobal('g')], probes: [hitProbe(0, point)] }),
  );
  await target.call(1, 10n);
  expect([run.losses(), run.global(0)]).toEqual([{}, 55n + 4n * (14n * 10n + 91n)]);
});

test('a program that jumps further than 32,768 instructions', async (context) => {
  const target = await WorkTarget.start(context);
  const ones = { op: 'popcount', to: 1, from: r(1) } as const;
  const body = irFunction([
    block([argument(0), { op: 'move', to: 1, from: r(0) }], branch(r(0), 1, 2)),
    block(
      Array.from({ length: 2200 }, () => ones),
      { op: 'jump', to: 2 },
    ),
    block([store(0, 1)]),
  ]);
  const run = attachRun(context, target, (point) => hitProgram([body], { globals: [integerGlobal('g')], probes: [hitProbe(0, point)] }));
  expect(run.compiled.object.programs[0]!.code.length / 8).toBeGreaterThan(32_768);
  await target.call(1, 0n);
  expect(run.global(0)).toBe(0n);
  await target.call(1, 7n);
  expect(run.global(0)).toBe(1n);
});

test('random programs pass the verifier and compute what they mean', async (context) => {
  const target = await WorkTarget.start(context);
  const limits = { ...OPTIONS.limits, loopBudget: 60 };
  await fc.assert(
    fc.asyncProperty(arbitraryProgram, arbitraryArguments, async (program, values) => {
      const run = attachRun(context, target, (point) => ({ ...program, probes: [hitProbe(0, point)] }), { limits });
      await target.call(1, ...values);
      const expected = evaluate(program, values, 60);
      const { arrays, globals } = run.compiled.storage;
      const found = {
        globals: program.globals.map((_, index) => (globals[index] === undefined ? 0n : run.global(index))),
        arrays: program.arrays.map((_, index) => (arrays[index] === undefined ? {} : run.array(index))),
        losses: run.losses(),
      };
      await run.object.close();
      expect(found).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});
