import { afterEach, expect, test, vi } from 'vitest';
import { EMPTY_KNOWLEDGE } from '../../test/support/y-knowledge.ts';
import { compile, MemoryStorage } from '../y/index.ts';
import { HostRunner } from './host-runner.ts';

afterEach(() => void vi.useRealTimers());

const DAY_MS = 86_400_000;

test.each([
  ['_timer.us(100)', 10, 10],
  ['_timer.hz(4)', 1000, 4],
  ['_timer.ms(2.5)', 1000, 400],
  ['_timer.hz(300)', 1000, 300],
  ['_timer.s(86400)', 3 * DAY_MS, 3],
  ['_timer.s(86400 * 60)', 59 * DAY_MS, 0],
  ['_timer.s(86400 * 60)', 121 * DAY_MS, 2],
])('%s within %d ms fires %d times', (point, ms, times) => {
  vi.useFakeTimers();
  const compiled = compile({ file: 'test.y', text: `_probe ${point} { printf("x"); }`, resolveInclude: () => undefined }, EMPTY_KNOWLEDGE);
  if (!compiled.ok) throw new Error(compiled.error.diagnostics[0]!.message);
  const { program } = compiled.value;
  let text = '';
  const runner = new HostRunner(program, {
    storage: new MemoryStorage(program),
    describe: { symbol: () => '', stack: () => '' } as never,
    output: { write: (_, more) => void (text += more), chart: () => undefined },
    target: undefined,
    onExit: () => undefined,
  });
  runner.startTimers();
  vi.advanceTimersByTime(ms);
  runner.stopTimers();
  vi.advanceTimersByTime(ms);
  expect(text).toBe('x'.repeat(times));
});
