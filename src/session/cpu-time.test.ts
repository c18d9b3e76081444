import { expect, test } from 'vitest';
import { ProcessClock, readHostCpuNs } from './cpu-time.ts';

const TICK = 1e7;
type Usages = Record<number, { own: number; children: number; started: number }>;
const reader = (usages: Usages) => (pid: number) => usages[pid];

test('ProcessClock counts from its first call on, and children from their start', () => {
  const clock = new ProcessClock(1000);
  expect(clock.advance([1], reader({ 1: { own: 500, children: 70, started: 10 } }))).toBe(0);
  const later: Usages = { 1: { own: 530, children: 70, started: 10 }, 2: { own: 4, children: 0, started: 1005 } };
  expect(clock.advance([1, 2], reader(later))).toBe(34 * TICK);
});

test('ProcessClock counts a child once: while it lives, and what is left when its parent has waited for it', () => {
  const clock = new ProcessClock(1000);
  clock.advance([1], reader({ 1: { own: 10, children: 0, started: 10 } }));
  expect(clock.advance([1, 2], reader({ 1: { own: 10, children: 0, started: 10 }, 2: { own: 20, children: 0, started: 1001 } }))).toBe(
    20 * TICK,
  );
  expect(clock.advance([1], reader({ 1: { own: 10, children: 25, started: 10 } }))).toBe(5 * TICK);
});

test('ProcessClock never runs backwards, and tells apart two processes of one number', () => {
  const clock = new ProcessClock(1000);
  clock.advance([1, 2], reader({ 1: { own: 10, children: 0, started: 10 }, 2: { own: 50, children: 0, started: 20 } }));
  expect(clock.advance([1], reader({ 1: { own: 10, children: 0, started: 10 } }))).toBe(0);
  expect(clock.advance([1], reader({ 1: { own: 3, children: 0, started: 1700 } }))).toBe(3 * TICK);
});

test('readHostCpuNs() leaves out what was idle, waiting or stolen', () => {
  expect(readHostCpuNs('cpu  100 10 50 9000 800 5 6 70 0 0\ncpu0 1 2 3\n')).toBe(171 * TICK);
  expect(readHostCpuNs('nothing')).toBe(0);
});
