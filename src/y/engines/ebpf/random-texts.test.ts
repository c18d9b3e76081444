// Random work on texts: both engines leave the same.
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { block, irFunction, k, program, r, testEnvironment } from '../../../../test/support/y-program.ts';
import { hitProbe, integerGlobal, prepareRun } from '../../../../test/support/y-ebpf.ts';
import type { Instruction, TextPlace } from '../../ir/program.ts';
import { SnapshotEngine } from '../snapshot/index.ts';

const LOCALS = 4;
const NUMBERS = 3;
const place: fc.Arbitrary<TextPlace> = fc.oneof(
  { weight: 3, arbitrary: fc.nat(LOCALS - 1).map((local) => ({ local })) },
  fc.nat(2).map((literal) => ({ literal })),
);
const target = fc.nat(LOCALS - 1).map((local) => ({ local }));
const number = fc.nat(NUMBERS - 1);
const amount = fc.integer({ min: -3, max: 40 }).map((value) => k(value));
const at = undefined;

const step: fc.Arbitrary<Instruction> = fc.oneof(
  fc.tuple(target, place).map(([to, from]) => ({ op: 'copy-text' as const, to, from, at })),
  fc.tuple(target, place, place).map(([to, left, right]) => ({ op: 'concatenate' as const, to, left, right, at })),
  fc.tuple(target, place, amount, amount).map(([to, from, start, length]) => ({ op: 'substring' as const, to, from, start, length, at })),
  fc.tuple(number, place, place).map(([to, left, right]) => ({ op: 'compare-text' as const, to, left, right, at })),
  fc.tuple(number, place).map(([to, from]) => ({ op: 'text-length' as const, to, from, at })),
  fc.tuple(number, place, amount).map(([to, from, index]) => ({ op: 'text-at' as const, to, from, index, at })),
  fc.tuple(place).map(([value]) => ({ op: 'array-store-text' as const, array: 0, keys: [{ text: value }], value, at })),
  fc.tuple(target, place).map(([to, key]) => ({ op: 'array-load-text' as const, to, array: 0, keys: [{ text: key }], at })),
);

test('random texts come out of both engines alike', () => {
  const capacities = fc.array(fc.constantFrom(1, 7, 8, 20, 64, 300), { minLength: LOCALS, maxLength: LOCALS });
  const literals = fc.array(fc.uint8Array({ maxLength: 24 }), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(capacities, literals, fc.array(step, { maxLength: 14 }), (texts, bytes, steps) => {
      const keep: Instruction[] = [
        ...texts.map((_, local) => ({ op: 'copy-text' as const, to: { global: local }, from: { local }, at })),
        ...Array.from({ length: NUMBERS }, (_, register) => ({
          op: 'store-global' as const,
          global: LOCALS + register,
          offset: 0,
          size: 8 as const,
          value: r(register),
          at,
        })),
      ];
      const first = Array.from({ length: NUMBERS }, (_, to) => ({ op: 'move' as const, to, from: k(0) }));
      const body = irFunction([block([...first, ...steps, ...keep])], { texts });
      const value = { kind: 'text', capacity: 16 } as const;
      const spec = {
        name: 'a',
        keys: [{ kind: 'text', capacity: 32 }],
        value,
        capacity: 64,
        storage: 'shared',
        place: body.place,
      } as const;
      const of = program([body], {
        literals: bytes,
        globals: [
          ...texts.map((size, index) => integerGlobal(`t${index}`, { kind: 'text', size })),
          ...Array.from({ length: NUMBERS }, (_, index) => integerGlobal(`n${index}`)),
        ],
        arrays: [spec],
      });
      const { environment, storage } = testEnvironment(of);
      new SnapshotEngine(of, environment).run(0);
      const run = prepareRun({ ...of, probes: [hitProbe(0)] });
      run.hit();
      const decoder = new TextDecoder();
      const expected = of.globals.map(({ kind }, index) => {
        const loaded = storage.loadGlobal(index);
        return kind === 'text' ? decoder.decode(loaded) : new DataView(loaded.buffer, loaded.byteOffset).getBigInt64(0, true);
      });
      expect(of.globals.map((_, index) => run.global(index))).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});
