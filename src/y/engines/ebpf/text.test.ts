import { describe, expect, test } from 'vitest';
import { block, format, irFunction, k, r } from '../../../../test/support/y-program.ts';
import { callOf, hitProgram, integerGlobal, prepareRun } from '../../../../test/support/y-ebpf.ts';
import type { Program } from '../../ir/program.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('texts', () => {
  const user = bytes('GET /index.html\0rest');
  const outside = {
    readOutside: (_: string, address: bigint, length: number) => {
      const offset = Number(address - 0x5000n);
      return offset >= 0 && offset + length <= user.length ? user.slice(offset, offset + length) : undefined;
    },
  };
  const literals = ['GET', '', 'abcdefgh', 'abcdefghi', 'abcdefgh\0', 'zz', '='.repeat(290)].map(bytes);

  function runTexts(instructions: Parameters<typeof block>[0], texts: readonly number[], rest: Partial<Program> = {}) {
    const shown = texts.map((_, local) => ({ kind: 'text', text: { local } }) as const);
    const numbers = [0, 1, 2].map((register) => ({ kind: 'integer', value: r(register) }) as const);
    const first = [0, 1, 2].map((register) => ({ op: 'move', to: register, from: k(0) }) as const);
    const body = irFunction(
      [block([...first, ...instructions, { op: 'print', stream: 'out', format: 0, values: [...shown, ...numbers] }])],
      { texts },
    );
    const run = prepareRun(hitProgram([body], { literals, formats: [format('')], ...rest }), {}, outside);
    run.hit(callOf(0x5000n));
    const [event] = run.events();
    if (event?.kind !== 'print') throw new Error(`nothing was printed: ${JSON.stringify(Object.keys(run.losses()))}`);
    return event.values.map((value) => (value instanceof Uint8Array ? new TextDecoder().decode(value) : value));
  }
  const address = { op: 'argument', to: 5, index: 0 } as const;
  const read = (local: number, length?: number): Parameters<typeof block>[0][number] => ({
    op: 'read-text',
    to: { local },
    space: 'user',
    address: r(5),
    length: length === undefined ? undefined : k(length),
    onFail: undefined,
  });

  test.each([64, 15, 8, 3, 300])('are read to their end, or cut at %d bytes', (capacity) => {
    const expected = 'GET /index.html'.slice(0, capacity);
    expect(runTexts([address, read(0), { op: 'text-length', to: 0, from: { local: 0 } }], [capacity])).toEqual([
      expected,
      BigInt(expected.length),
      0n,
      0n,
    ]);
  });

  test('are read by count, with NULs', () => {
    expect(runTexts([address, read(0, 18), read(1, 4)], [64, 64])).toEqual(['GET /index.html\0re', 'GET ', 0n, 0n, 0n]);
  });

  test.each([
    ['GET', '', 1n],
    ['', '', 0n],
    ['GET', 'zz', -1n],
    ['abcdefgh', 'abcdefghi', -1n],
    ['abcdefgh\0', 'abcdefgh', 1n],
    ['abcdefgh', 'abcdefgh', 0n],
  ])('%j compared with %j', (left, right, expected) => {
    const literal = (text: string) => literals.findIndex((other) => new TextDecoder().decode(other) === text);
    const compare = { op: 'compare-text', to: 0, left: { literal: literal(left) }, right: { local: 0 } } as const;
    for (const capacity of [9, 200])
      expect(runTexts([{ op: 'copy-text', to: { local: 0 }, from: { literal: literal(right) } }, compare], [capacity])[1]).toBe(expected);
  });

  test.each([
    [0, 5, -1n],
    [5, 0, 1n],
    [3, 2, 1n],
    [2, 3, -1n],
    [3, 3, 0n],
  ])('long ones compared: %d with %d', (left, right, expected) => {
    const copies = [left, right].map((literal, local) => ({ op: 'copy-text', to: { local }, from: { literal } }) as const);
    // Behind 290 equal bytes, where both begin with the same text.
    const behind = [0, 1].map((local) => ({ op: 'concatenate', to: { local }, left: { literal: 6 }, right: { local } }) as const);
    const compare = { op: 'compare-text', to: 0, left: { local: 0 }, right: { local: 1 } } as const;
    expect(runTexts([...copies, compare], [320, 400])[2]).toBe(expected);
    expect(runTexts([...copies, ...behind, compare], [320, 400])[2]).toBe(expected);
  });

  test('are joined, cut and looked into', () => {
    const [joined, short, middle, third, outsideByte] = runTexts(
      [
        address,
        read(0),
        { op: 'concatenate', to: { local: 0 }, left: { literal: 2 }, right: { local: 0 } },
        { op: 'concatenate', to: { local: 1 }, left: { local: 0 }, right: { local: 0 } },
        { op: 'substring', to: { local: 2 }, from: { local: 0 }, start: k(8), length: k(5) },
        { op: 'text-at', to: 0, from: { local: 0 }, index: k(9) },
        { op: 'text-at', to: 1, from: { local: 0 }, index: k(-1) },
      ],
      [64, 10, 64],
    );
    expect([joined, short, middle]).toEqual(['abcdefghGET /index.html', 'abcdefghGE', 'GET /']);
    expect([third, outsideByte]).toEqual([69n, 0n]);
  });

  test.each([
    [-3n, 2n, 'GE'],
    [12n, 99n, 'tml'],
    [99n, 1n, ''],
    [0n, -1n, ''],
  ])('substring from %d of %d bytes', (start, length, expected) => {
    expect(
      runTexts(
        [address, read(0), { op: 'substring', to: { local: 1 }, from: { local: 0 }, start: k(start), length: k(length) }],
        [64, 64],
      )[1],
    ).toBe(expected);
  });

  test('live in globals of every kind', () => {
    const global = (name: string, sharing: 'shared' | 'thread', initial?: string) =>
      integerGlobal(name, { kind: 'text', size: 12, sharing, initial: initial === undefined ? undefined : bytes(initial) });
    const copied = runTexts(
      [
        address,
        { op: 'copy-text', to: { local: 0 }, from: { global: 0 } },
        { op: 'copy-text', to: { local: 1 }, from: { global: 1 } },
        { op: 'read-text', to: { global: 1 }, space: 'user', address: r(5), length: undefined, onFail: undefined },
        { op: 'copy-text', to: { global: 2 }, from: { global: 1 } },
        { op: 'concatenate', to: { local: 2 }, left: { global: 2 }, right: { global: 0 } },
        { op: 'compare-text', to: 0, left: { global: 1 }, right: { global: 2 } },
      ],
      [16, 16, 32],
      { globals: [global('a', 'shared', 'first'), global('b', 'thread', 'second'), global('c', 'thread')] },
    );
    expect(copied).toEqual(['first', 'second', 'GET /index.hfirst', 0n, 0n, 0n]);
  });

  test('a text that cannot be read ends the hit, or goes to its handler', () => {
    const bad = { op: 'read-text', to: { local: 0 }, space: 'user', address: k(1), length: undefined } as const;
    const run = prepareRun(hitProgram([irFunction([block([{ ...bad, onFail: undefined }])], { texts: [16] })]), {}, outside);
    run.hit();
    expect(run.losses()).toEqual({ 'failed-read': 1n });
  });
});
