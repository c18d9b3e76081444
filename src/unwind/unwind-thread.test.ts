import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { skipUnless } from '../../test/support/require-or-skip.ts';
import { compileProgram, findNoCompiler, startProgram, type RunningProgram } from '../../test/support/test-program.ts';
import { openTarget, type Target } from '../target/index.ts';
import { ModuleTables, unwindThread } from './unwind-thread.ts';

const SOURCES = fileURLToPath(new URL('../../testdata/unwind/', import.meta.url));
const FLAGS = ['-O2', '-fomit-frame-pointer', '-fno-optimize-sibling-calls'];
const tables = new ModuleTables();
const folder = mkdtempSync(join(tmpdir(), 'fluoro-unwind-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function compileStacks(): string {
  return compileProgram(`${SOURCES}stacks.c`, [...FLAGS, '-ldl', '-lpthread']);
}

function compileLibrary(): string {
  return compileProgram(`${SOURCES}library.c`, [...FLAGS, '-shared', '-fPIC']);
}

/** Frames of every thread as gdb sees them, by thread id; functions that were inlined or left by a jump have none. */
const GDB_SCRIPT = `
import gdb
gdb.execute('set backtrace past-main on')
gdb.execute('set backtrace past-entry on')
gdb.execute('set backtrace limit unlimited')
for thread in gdb.selected_inferior().threads():
    thread.switch()
    frame = gdb.newest_frame()
    frames = []
    while frame is not None:
        if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):
            frames.append('%x' % frame.pc())
        frame = frame.older()
    print('THREAD', thread.ptid[1], ' '.join(frames))
`;

function findNoGdb(): string | undefined {
  return findNoCompiler('gdb') ?? findNoCompiler('gcc');
}

function gdbStacks(args: readonly string[]): Map<number, string[]> {
  const script = join(folder, 'frames.py');
  writeFileSync(script, GDB_SCRIPT);
  const output = execFileSync('gdb', ['-nx', '-batch', ...args, '-x', script], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 20_000,
    env: { ...process.env, DEBUGINFOD_URLS: '' },
  });
  const stacks = new Map<number, string[]>();
  for (const [, tid, frames = ''] of output.matchAll(/^THREAD (\d+) (.*)$/gm)) stacks.set(Number(tid), frames.split(' '));
  return stacks;
}

function ourStacks(target: Target): Map<number, { readonly frames: string[]; readonly status: string }> {
  const threads = target.threads();
  if (!threads.ok) throw new Error(threads.error.message);
  return new Map(
    threads.value.map(({ tid, registers }) => {
      const stack = unwindThread(target, registers!, tables);
      return [tid, { frames: stack.frames.map((frame) => frame.toString(16)), status: stack.status }];
    }),
  );
}

function expectSameStacks(target: Target, expected: ReadonlyMap<number, string[]>): void {
  const ours = ourStacks(target);
  expect([...ours.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [tid, frames] of expected) {
    expect(ours.get(tid)).toEqual({ frames, status: 'complete' });
  }
}

/** The child runs on its parent's stack; the parent waits in the kernel and cannot be stopped, by gdb neither. */
async function startVforked(): Promise<RunningProgram> {
  const parent = await startProgram(compileStacks(), ['vfork']);
  const child = Number(readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim());
  const stop = (): Promise<void> => {
    process.kill(child, 'SIGKILL');
    return parent.stop();
  };
  return { pid: child, child: parent.child, text: parent.text, stop };
}

interface Case {
  readonly name: string;
  readonly start: () => Promise<RunningProgram>;
  readonly atLeast: number;
}

const CASES: readonly Case[] = [
  { name: 'a few frames', start: () => startProgram(compileStacks(), ['recurse', '3']), atLeast: 6 },
  { name: 'more frames than the kernel keeps', start: () => startProgram(compileStacks(), ['recurse', '400']), atLeast: 400 },
  { name: 'alloca', start: () => startProgram(compileStacks(), ['alloca', '10']), atLeast: 13 },
  { name: 'realigned stacks', start: () => startProgram(compileStacks(), ['realigned', '10']), atLeast: 13 },
  { name: 'a callback of qsort', start: () => startProgram(compileStacks(), ['qsort']), atLeast: 5 },
  { name: 'a signal handler', start: () => startProgram(compileStacks(), ['signal']), atLeast: 6 },
  { name: 'a signal handler on its own stack', start: () => startProgram(compileStacks(), ['altstack']), atLeast: 6 },
  { name: 'a library loaded later', start: () => startProgram(compileStacks(), ['dlopen', '6', 'wait', compileLibrary()]), atLeast: 10 },
  { name: 'a child of vfork', start: startVforked, atLeast: 3 },
  { name: 'threads', start: () => startProgram(compileStacks(), ['threads', '20']), atLeast: 6 },
  { name: 'C++', start: () => startProgram(compileProgram(`${SOURCES}templates.cc`, ['-O3'], 'g++'), []), atLeast: 7 },
  {
    name: 'python',
    start: () =>
      startProgram('/usr/bin/python3', ['-c', 'import time\nprint("ready", flush=True)\nsorted([2, 1], key=lambda x: time.sleep(1000))']),
    atLeast: 8,
  },
];

describe('unwindThread()', () => {
  test.for(CASES)(
    'agrees with gdb about $name, in a frozen process and in its core dump',
    { timeout: 60_000 },
    async ({ start, atLeast }, context) => {
      skipUnless(context, findNoGdb());
      const program = await start();
      try {
        const expected = gdbStacks(['-p', String(program.pid)]);
        expect(Math.max(...[...expected.values()].map((frames) => frames.length))).toBeGreaterThanOrEqual(atLeast);
        const frozen = openTarget({ pid: program.pid }, { freeze: true });
        if (!frozen.ok) throw new Error(frozen.error.message);
        try {
          expectSameStacks(frozen.value, expected);
        } finally {
          frozen.value.close();
        }
        const core = join(folder, 'core');
        execFileSync('gcore', ['-o', core, String(program.pid)], { stdio: 'ignore', timeout: 20_000 });
        const dump = openTarget({ core: `${core}.${program.pid}` });
        if (!dump.ok) throw new Error(dump.error.message);
        try {
          expectSameStacks(dump.value, expected);
        } finally {
          dump.value.close();
        }
      } finally {
        await program.stop();
      }
    },
  );
});
