import { mkdtempSync, readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type TestContext } from 'vitest';
import { splitWords, StartedCommand } from '../../src/session/index.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';

function needRoot(context: TestContext): void {
  requireOrSkip(context, process.getuid?.() === 0, 'stopping a command at its entry point needs root; `fluoro doctor` tells more');
}

function makeScript(context: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'fluoro-command-'));
  context.onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'script');
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

const stateOf = (pid: number): string => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '';

async function start(context: TestContext, words: readonly string[]): Promise<StartedCommand> {
  needRoot(context);
  const command = await StartedCommand.start(words);
  if (!command.ok) throw new Error(JSON.stringify(command.error));
  context.onTestFinished(() => command.value.kill('SIGKILL'));
  return command.value;
}

test('StartedCommand.start() stops a program with its libraries mapped, and resume() lets it end', async (context) => {
  const command = await start(context, ['ls', '--this-is-no-option']);
  expect(stateOf(command.pid)).toBe('T');
  const map = readFileSync(`/proc/${command.pid}/maps`, 'utf8');
  expect(map).toMatch(/\/ls$/m);
  expect(map).toMatch(/\/libc\.so\.6$/m);
  command.resume();
  expect(await command.ended).toEqual({ status: 2, signal: undefined });
});

test.for([
  ['#!/bin/sh\nexit 7\n', /\/(dash|bash|busybox)$/m],
  ['#!/usr/bin/env -S perl\nexit 7\n', /\/perl$/m],
] as const)('a script (%s) is stopped in its interpreter', async ([text, interpreter], context) => {
  const command = await start(context, [makeScript(context, text)]);
  expect(stateOf(command.pid)).toBe('T');
  expect(readFileSync(`/proc/${command.pid}/maps`, 'utf8')).toMatch(interpreter);
  command.resume();
  expect(await command.ended).toEqual({ status: 7, signal: undefined });
});

test('kill() ends a command that has not run yet', async (context) => {
  const command = await start(context, ['sleep', '60']);
  command.kill('SIGTERM');
  expect(await command.ended).toEqual({ status: undefined, signal: 'SIGTERM' });
});

test.for([
  [[], 'cannot start "": the command is empty'],
  [['/no/such/file', 'x'], 'cannot start "/no/such/file x": there is no executable file /no/such/file'],
  [['no-such-command-anywhere'], 'cannot start "no-such-command-anywhere": there is no executable file no-such-command-anywhere'],
  [['/etc'], 'cannot start "/etc": there is no executable file /etc'],
] as const)('StartedCommand.start(%j) says why not', async ([words, message]) => {
  expect(await StartedCommand.start(words)).toEqual({ ok: false, error: { kind: 'command', message } });
});

test('a text that is executable but no program is refused', async (context) => {
  const path = makeScript(context, 'echo hello\n');
  const message = `cannot start "${path}": ${path} is neither an ELF file nor a script with #!`;
  expect(await StartedCommand.start([path])).toEqual({ ok: false, error: { kind: 'command', message } });
});

test.each([
  ['gzip -k big', ['gzip', '-k', 'big']],
  ['  a\tb  ', ['a', 'b']],
  [`sh -c 'echo "$HOME"; exit 3'`, ['sh', '-c', 'echo "$HOME"; exit 3']],
  [`a "b c"d\\ e '' "q\\"\\n"`, ['a', 'b cd e', '', 'q"\\n']],
  ['', []],
])('splitWords(%j) splits as a shell does', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});
