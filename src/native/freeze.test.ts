import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../test/support/until.ts';
import { detachThread, freezeProcess, freezeThread, readRegisters } from './freeze.ts';

const state = (pid: number) => /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];

/** A process with several threads. */
function startThreads(): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 10)'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child.pid!;
}

test('freezeThread() stops a thread, readRegisters() reads it, detachThread() lets it go on', async () => {
  const pid = startThreads();
  await until(
    async () => state(pid),
    (seen) => seen === 'S',
  );
  const frozen = freezeThread(pid);
  if (!frozen.ok) throw new Error(frozen.error.message);
  expect(state(pid)).toBe('t');
  const registers = readRegisters(pid);
  if (!registers.ok) throw new Error(registers.error.message);
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
  const holds = (line: string | undefined, address: bigint) => {
    const [from, to] = (line ?? '0-0')
      .split(' ')[0]!
      .split('-')
      .map((text) => BigInt(`0x${text}`));
    return address >= from! && address < to!;
  };
  expect(maps.some((line) => holds(line, registers.value.ip) && line.includes('x'))).toBe(true);
  expect(
    holds(
      maps.find((line) => line.endsWith('[stack]')),
      registers.value.sp,
    ),
  ).toBe(true);
  expect(registers.value.threadPointer).toBeGreaterThan(0n);
  expect(detachThread(frozen.value).ok).toBe(true);
  expect(state(pid)).not.toBe('t');
});

test('freezeProcess() stops every thread', async () => {
  const pid = startThreads();
  await until(
    async () => state(pid),
    (seen) => seen === 'S',
  );
  const frozen = freezeProcess(pid);
  if (!frozen.ok) throw new Error(frozen.error.message);
  expect(frozen.value.length).toBeGreaterThan(1);
  for (const { tid } of frozen.value) expect(/^State:\s+t/m.test(readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8'))).toBe(true);
  for (const thread of frozen.value) detachThread(thread);
  expect(state(pid)).not.toBe('t');
});

test('freezeThread() returns an error for a thread that is gone', () => {
  const frozen = freezeThread(2 ** 22 + 1);
  expect(frozen.ok ? undefined : frozen.error).toMatchObject({ name: 'ESRCH' });
});
