import { expect, test } from 'vitest';
import { costOf, describeExcess, findExcess, type ProgramWork } from './overhead.ts';

const SECOND = 1e9;
const uprobe: ProgramWork = { hits: 10_000, runs: 10_000, runNs: 450, assumedNs: 300, trapNs: 550 };
const busy = { lengthNs: SECOND, targetCpuNs: SECOND, hostCpuNs: 2 * SECOND };

test.each<[string, ProgramWork, number, number]>([
  ['hits of the target alone', uprobe, 10e6, 0],
  ['no hits', { ...uprobe, hits: 0, runs: 0 }, 0, 0],
  ['some foreign hits: they run the filter alone', { ...uprobe, hits: 8000, runs: 10_000, runNs: 150 }, 8000 * 700, 2000 * 700],
  ['mostly foreign hits: what a hit takes is assumed', { ...uprobe, hits: 10, runs: 10_010, runNs: 100 }, 10 * 850, 10_000 * 650],
])('costOf() counts %s', (_name, work, inside, outside) => {
  expect(costOf(work)).toEqual({ inside, outside });
});

test.each<[string, readonly ProgramWork[], typeof busy, number, object | undefined]>([
  ['finds nothing below the bound', [{ ...uprobe, hits: 9000, runs: 9000 }], busy, 0.01, undefined],
  [
    'finds the costliest above it',
    [uprobe, { ...uprobe, hits: 20_000, runs: 20_000 }],
    busy,
    0.01,
    { index: 1, whose: 'target', share: 0.03 },
  ],
  ['ignores small costs of an idle target', [{ ...uprobe, hits: 1900, runs: 1900 }], { ...busy, targetCpuNs: 0 }, 0.01, undefined],
  ['never says more than all of it', [uprobe], { ...busy, targetCpuNs: 0 }, 0.01, { index: 0, share: 1 }],
  ['charges the host for foreign hits', [{ ...uprobe, hits: 0, runs: 40_000, runNs: 150 }], busy, 0.01, { whose: 'host', share: 0.014 }],
  ['finds nothing with a wide bound', [uprobe], busy, 0.5, undefined],
])('findExcess() %s', (_name, works, window, bound, expected) => {
  const excess = findExcess(works, window, bound);
  if (expected === undefined) expect(excess).toBeUndefined();
  else expect(excess).toMatchObject(expected);
});

test('describeExcess() says whose time, how much, how often', () => {
  const excess = findExcess([{ ...uprobe, hits: 20_000, runs: 20_000 }], busy, 0.01)!;
  expect(describeExcess(excess, busy, 0.01)).toBe(
    "probes cost 2 % of the target's CPU time, more than 1 %; this one was the costliest: 20000 hits a second of 1.0 µs",
  );
});
