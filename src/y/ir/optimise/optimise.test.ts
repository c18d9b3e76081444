import { describe, expect, test } from 'vitest';
import { block, irFunction, k, program, r } from '../../../../test/support/y-program.ts';
import { dumpFunction } from '../dump.ts';
import type { Block, Instruction, IrFunction } from '../program.ts';
import { verifyIr } from '../verify.ts';
import { dropUnreachable, joinChains, simplifyBlocks, threadJumps } from './blocks.ts';
import { coalesceMoves } from './coalesce.ts';
import { shareCommonValues } from './common.ts';
import { compact } from './compact.ts';
import { dropDeadCode } from './dead-code.ts';
import { foldBinary, foldConstants } from './fold.ts';
import { mergeReads } from './merge-reads.ts';

const GLOBAL = {
  name: 'g',
  kind: 'integer',
  size: 8,
  signed: true,
  sharing: 'shared',
  initial: undefined,
  place: { file: 't.y', line: 1, column: 1 },
} as const;

/** What a pass made of these blocks, without the first line; the result must be well-formed. */
function after(pass: (fn: IrFunction) => IrFunction, blocks: readonly Block[], rest: Partial<IrFunction> = {}): string {
  const fn = pass(irFunction(blocks, rest));
  const whole = program([fn], { globals: [GLOBAL] });
  expect(verifyIr(whole)).toEqual([]);
  return dumpFunction(whole, fn, 0)
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .join(' | ');
}

type Bare = Parameters<typeof block>[0][number];
const move = (to: number, from: ReturnType<typeof r>): Bare => ({ op: 'move', to, from });
const add = (to: number, left: ReturnType<typeof r>, right: ReturnType<typeof r>): Bare => ({
  op: 'binary',
  to,
  operator: 'add',
  left,
  right,
});
const keep = (register: number): Bare => ({ op: 'store-global', global: 0, offset: 0, size: 8, value: r(register) });
const read = (to: number, address: number, offset: number, size: 1 | 2 | 4 | 8 = 4, onFail?: number): Bare => ({
  op: 'read',
  to,
  space: 'user',
  address: r(address),
  offset,
  size,
  signed: false,
  onFail,
});
const jump = (to: number) => ({ op: 'jump', to }) as const;
// oxlint-disable-next-line unicorn/no-thenable -- a block's index
const fork = (register: number, yes: number, no: number) => ({ op: 'branch', condition: r(register), then: yes, else: no }) as const;

describe('foldConstants()', () => {
  test('computes what is known', () => {
    const list = [
      move(0, k(7)),
      add(1, r(0), k(3)),
      { op: 'extend', to: 2, from: k(200), bits: 8, signed: true } as const,
      keep(1),
      keep(2),
    ];
    expect(after(foldConstants, [block(list)])).toBe(
      'b0: | r0 = 7 | r1 = 10 | r2 = -56 | store g+0 u64 = 10 | store g+0 u64 = -56 | return',
    );
  });

  test('follows copies until one side is written', () => {
    const list = [
      { op: 'argument', to: 0, index: 0 } as const,
      move(1, r(0)),
      keep(1),
      { op: 'argument', to: 0, index: 1 } as const,
      keep(1),
    ];
    expect(after(foldConstants, [block(list)])).toContain('store g+0 u64 = r0 | r0 = argument 1 | store g+0 u64 = r1');
  });

  test('leaves a division by zero to run, and relocated numbers to the loader', () => {
    const relocated = {
      ...move(0, k(5)),
      relocate: { kind: 'variable', module: 'm', buildId: undefined, name: 'v', fileAddress: 8n },
    } as Instruction;
    const list = [relocated, { op: 'binary', to: 1, operator: 'udiv', left: k(1), right: k(0) } as const, keep(0)];
    expect(after(foldConstants, [block(list)])).toBe('b0: | r0 = 5  ; &v of m | r1 = udiv 1, 0 | store g+0 u64 = r0 | return');
  });

  test("decides branches, and does not take one path's number for all", () => {
    const blocks = [block([move(0, k(1))], fork(5, 1, 2)), block([move(0, k(2))], jump(2)), block([keep(0)])];
    expect(after(foldConstants, blocks)).toContain('store g+0 u64 = r0');
    expect(after(foldConstants, [block([move(0, k(0))], fork(0, 1, 2)), block([]), block([])])).toContain('jump b2');
  });

  test.each([
    ['sdiv', -7n, 2n, -3n],
    ['udiv', -1n, 2n, 0x7fff_ffff_ffff_ffffn],
    ['smod', -7n, 3n, -1n],
    ['ashr', -8n, 1n, -4n],
    ['lshr', -8n, 60n, 15n],
    ['shl', 1n, 65n, 2n],
    ['ult', -1n, 1n, 0n],
    ['slt', -1n, 1n, 1n],
  ] as const)('foldBinary(%s, %d, %d) is %d', (operator, left, right, expected) => {
    expect(foldBinary(operator, left, right)).toBe(expected);
  });
});

describe('blocks', () => {
  test('threadJumps() goes through empty blocks and decided branches', () => {
    const blocks = [block([move(0, k(1))], jump(1)), block([], jump(2)), block([], fork(0, 3, 4)), block([keep(0)]), block([])];
    expect(after(threadJumps, blocks)).toMatch(/^b0: \| r0 = 1 \| jump b3/);
  });

  test('threadJumps() ends in a ring of empty blocks', () => {
    expect(after(threadJumps, [block([], jump(1)), block([], jump(2)), block([], jump(1))])).toContain('b1: | jump b');
  });

  test('joinChains() keeps handlers and what several jump to', () => {
    const blocks = [block([read(0, 1, 0, 4, 2)], jump(1)), block([keep(0)], jump(3)), block([], jump(3)), block([keep(1)])];
    expect(after(joinChains, blocks)).toMatch(/^b0: \| r0 = read user r1\+0 u32 else b2 \| store g\+0 u64 = r0 \| jump b3/);
  });

  test('dropUnreachable() numbers anew', () => {
    const blocks = [block([], jump(2)), block([keep(0)], jump(2)), block([keep(1)])];
    expect(after(dropUnreachable, blocks)).toBe('b0: | jump b1 | b1: | store g+0 u64 = r1 | return');
    expect(after(simplifyBlocks, blocks)).toBe('b0: | store g+0 u64 = r1 | return');
  });
});

describe('dropDeadCode()', () => {
  test('takes away what nobody reads, and keeps what may fail', () => {
    const list = [
      move(0, k(1)),
      add(1, r(0), k(1)),
      read(2, 3, 0),
      { op: 'binary', to: 4, operator: 'sdiv', left: k(1), right: r(3) } as const,
    ];
    expect(after(dropDeadCode, [block(list)])).toBe('b0: | r2 = read user r3+0 u32 | r4 = sdiv 1, r3 | return');
  });

  test('keeps what a loop reads in its next round', () => {
    const blocks = [block([move(0, k(1))], jump(1)), block([keep(0), add(0, r(0), k(1))], jump(1))];
    expect(after(dropDeadCode, blocks)).toContain('r0 = add r0, 1');
  });

  test('keeps what a handler reads', () => {
    const blocks = [block([move(0, k(1)), read(1, 2, 0, 4, 1), move(0, k(2))], jump(2)), block([keep(0)], jump(2)), block([])];
    expect(after(dropDeadCode, blocks)).toContain('r0 = 1 | r1 = read');
  });

  test('takes away stores into objects that are covered or never loaded', () => {
    const store = (object: number, value: number): Bare => ({ op: 'store-object', object, offset: 0, size: 8, value: k(value) });
    const list = [
      store(0, 0),
      store(1, 0),
      store(0, 5),
      { op: 'load-object', to: 0, object: 0, offset: 0, size: 8, signed: false } as const,
      keep(0),
    ];
    expect(after(dropDeadCode, [block(list)], { objects: [8, 8] })).toBe(
      'b0: | store o0+0 u64 = 5 | r0 = load o0+0 u64 | store g+0 u64 = r0 | return',
    );
  });
});

test('coalesceMoves() writes where the value goes', () => {
  const list = [add(1, r(2), k(1)), move(0, r(1)), keep(0), add(3, r(2), k(2)), move(4, r(3)), keep(3)];
  expect(after(coalesceMoves, [block(list)])).toContain('r0 = add r2, 1 | store g+0 u64 = r0 | r3 = add r2, 2 | r4 = r3');
});

test('shareCommonValues() computes once, until an operand changes', () => {
  const list = [add(1, r(0), k(4)), add(2, r(0), k(4)), { op: 'argument', to: 0, index: 0 } as const, add(3, r(0), k(4))];
  expect(after(shareCommonValues, [block(list)])).toBe('b0: | r1 = add r0, 4 | r2 = r1 | r0 = argument 0 | r3 = add r0, 4 | return');
});

describe('mergeReads()', () => {
  const wide = /read-object/;
  test('reads the fields of one record at once', () => {
    expect(after(mergeReads, [block([read(1, 0, 8), read(2, 0, 16, 8), read(3, 0, 12, 2)])])).toBe(
      'b0: | r16 = add r0, 8 | read-object o0+0 = user r16, 16 bytes | r1 = load o0+0 u32 | r2 = load o0+8 u64 | r3 = load o0+4 u16 | return',
    );
  });

  test.each([
    ['something seen outside stands between', [read(1, 0, 0), keep(1), read(2, 0, 4)]],
    ['the address changes between', [read(1, 0, 0), add(0, r(0), k(8)), read(2, 0, 4)]],
    ['the first read is the address', [read(0, 0, 0, 8), read(2, 0, 8)]],
    ['another read stands between', [read(1, 0, 0), read(2, 5, 0), read(3, 0, 4)]],
    ['the fields are far apart', [read(1, 0, 0), read(2, 0, 4000)]],
    [
      'an offset is relocated',
      [read(1, 0, 0), { ...read(2, 0, 4), relocate: { kind: 'kernel-field', type: 's', path: 'f', addend: 0 } } as Instruction],
    ],
  ] as const)('does not when %s', (_why, list) => {
    expect(after(mergeReads, [block(list)])).not.toMatch(wide);
  });

  test('does not when handlers differ or might see the difference', () => {
    const end = [block([keep(5)]), block([keep(6)])];
    expect(after(mergeReads, [block([read(1, 0, 0, 4, 1), read(2, 0, 4, 4, 2)], jump(1)), ...end])).not.toMatch(wide);
    expect(after(mergeReads, [block([read(1, 0, 0, 4, 1), move(5, k(1)), read(2, 0, 4, 4, 1)], jump(1)), ...end])).not.toMatch(wide);
    expect(after(mergeReads, [block([read(1, 0, 0, 4, 1), move(7, k(1)), read(2, 0, 4, 4, 1)], jump(1)), ...end])).toMatch(wide);
  });
});

test('compact() numbers registers, texts and objects anew', () => {
  const fn = irFunction([block([add(5, r(7), k(1)), { op: 'copy-text', to: { local: 2 }, from: { local: 1 } } as const, keep(5)])], {
    texts: [8, 16, 32],
    objects: [8],
  });
  const small = compact(fn);
  expect([small.registers.length, small.texts, small.objects]).toEqual([2, [16, 32], []]);
  expect(after(compact, fn.blocks, fn)).toBe('b0: | r0 = add r1, 1 | t1 = copy t0 | store g+0 u64 = r0 | return');
});
