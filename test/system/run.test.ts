// `fluoro run` and `fluoro compile` as people use them: whole processes, real targets, exit statuses.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { compileProgram, findNoCompiler, startProgram } from '../support/test-program.ts';

const LAUNCHER = fileURLToPath(new URL('../../fluoro', import.meta.url));
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const LIMIT_MS = 60_000;
const NOBODY = 65_534;

interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly error: string;
}

beforeAll(() => {
  const built = spawnSync(LAUNCHER, ['--version'], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(built.stderr);
});

function fluoro(words: readonly string[], more: { readonly input?: string; readonly uid?: number } = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words], { encoding: 'utf8', timeout: LIMIT_MS, ...more });
  return { status, out: stdout, error: stderr };
}

const run = (...words: string[]): Outcome => fluoro(['run', ...words]);
const linesOf = (outcome: Outcome): Record<string, unknown>[] =>
  outcome.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

function needRoot(context: TestContext): void {
  requireOrSkip(context, process.getuid?.() === 0, 'probes need root; `fluoro doctor` tells more');
}

function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fluoro-run-'));
  context.onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const TARGET = `
#include <stdio.h>
#include <unistd.h>
long rounds = 40;
const char *word = "a word of the target";
__attribute__((noinline)) void work(long n) { rounds += n; usleep(2000); }
int main(void) { puts("ready"); fflush(stdout); for (;;) work(1); }
`;

/** A program that calls work() 300 times a second or so. */
async function startTarget(context: TestContext, stripped = false): Promise<{ readonly pid: number; readonly path: string }> {
  const missing = findNoCompiler();
  requireOrSkip(context, missing === undefined, missing ?? '');
  const folder = makeFolder(context);
  writeFileSync(join(folder, 'target.c'), TARGET);
  const path = join(folder, 'target');
  copyFileSync(compileProgram(join(folder, 'target.c'), ['-g', '-O1', '-pie', '-fPIE', '-rdynamic', '-Wl,--build-id']), path);
  if (stripped) execFileSync('strip', ['--strip-all', path]);
  const target = await startProgram(path, []);
  context.onTestFinished(() => target.stop());
  return { pid: target.pid, path };
}

describe('programs', () => {
  const SQUARES = `
    /** @analyzer squares @title Squares of small numbers */
    _option int rows = 2;  // how many
    _probe _oneshot { for (int i = 1; i <= rows; i++) printf("%d\\n", i * i); }`;

  test('come from -e, a file or standard input, and have options', (context) => {
    const path = join(makeFolder(context), 'squares.y');
    writeFileSync(path, SQUARES);
    expect(run('-e', SQUARES)).toEqual({ status: 0, out: '1\n4\n', error: '' });
    expect(run(path, '--rows', '3')).toEqual({ status: 0, out: '1\n4\n9\n', error: '' });
    expect(fluoro(['run', '-', '--rows=1'], { input: SQUARES })).toEqual({ status: 0, out: '1\n', error: '' });
    expect(run(path, '--rows', 'many')).toMatchObject({ status: 2, error: expect.stringContaining('"rows" is an integer') as string });
    const help = run(path, '--help');
    expect(help.status).toBe(0);
    expect(help.out).toMatch(/^squares: Squares of small numbers$/m);
    expect(help.out).toMatch(/^ {2}--rows <int> {2}how many \(default: 2\)$/m);
  });

  test('include others, and get macros', (context) => {
    const folder = makeFolder(context);
    writeFileSync(join(folder, 'shared.y'), '#define SAY "shared"\n');
    const code = '#include "shared.y"\n_probe _oneshot { printf("%s %d\\n", SAY, NUMBER); }';
    expect(run('-I', folder, '-D', 'NUMBER=7', '-e', code)).toEqual({ status: 0, out: 'shared 7\n', error: '' });
  });

  test('with mistakes end with 1 and show the place', () => {
    const { status, out, error } = run('-e', 'int x = ;');
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(error).toContain('<command line>:1:9: error: expected an expression');
    expect(error).toContain('  1 | int x = ;\n    |         ^\n');
    const [diagnostic] = linesOf(run('--json', '-e', 'int x = ;'));
    expect(diagnostic).toMatchObject({ type: 'diagnostic', severity: 'error', file: '<command line>', line: 1, column: 9 });
  });

  test('write to a file', (context) => {
    const path = join(makeFolder(context), 'out.json');
    expect(run('-o', path, '-e', '_probe _oneshot { printf("x\\n"); }')).toEqual({ status: 0, out: '', error: '' });
    expect(readFileSync(path, 'utf8').split('\n')[0]).toBe('{"type":"print","text":"x\\n"}');
  });
});

describe('what cannot be', () => {
  const NOTHING = ['-e', '_probe _oneshot { }'];

  test.each<[string[], number, RegExp]>([
    [[], 2, /give a program/],
    [['/no/such/file.y'], 2, /cannot read the program: ENOENT/],
    [['-p', 'nginx', ...NOTHING], 2, /-p is a process id/],
    [['-p', '1', '-c', 'ls', ...NOTHING], 2, /-p and -c both choose/],
    [['--freeze', ...NOTHING], 2, /--freeze stops one process/],
    [['--missing', '1', ...NOTHING], 2, /there is no option "missing"; the program has none/],
    [['--engine', 'ebpf', ...NOTHING], 2, /walks memory from outside/],
    [['-p', '4194304', ...NOTHING], 69, /^fluoro: there is no process 4194304; /],
    [['-p', '-4194304', ...NOTHING], 69, /^fluoro: there is no process group 4194304; /],
    [['--container', 'abcdef012345', ...NOTHING], 69, /^fluoro: no process is in a container abcdef012345…; /],
    [['--exe', '/no/such/program', ...NOTHING], 69, /^fluoro: no process runs \/no\/such\/program; /],
    [['-c', '/no/such/command', ...NOTHING], 69, /^fluoro: cannot start "\/no\/such\/command": there is no executable file/],
    [['--core', '/etc/passwd', ...NOTHING], 69, /^fluoro: \/etc\/passwd: /],
  ])('%j ends with %i', (words, status, message) => {
    const outcome = run(...words);
    expect(outcome).toMatchObject({ status, out: '' });
    expect(outcome.error).toMatch(message);
    expect(outcome.error.trim().split('\n').length).toBeLessThan(3);
  });

  test.for([
    { words: ['-e', '_probe _syscall.openat { }'] },
    { words: ['-p', '1', '-e', '_probe _oneshot { }'] },
    { words: ['-c', 'true', '-e', '_probe _oneshot { }'] },
    { words: ['-e', '_probe _tracepoint.sched.sched_switch { }'] },
  ])('without rights, $words ends with 69 and says which', ({ words }, context) => {
    needRoot(context);
    const reads = spawnSync(process.execPath, ['-e', `require('fs').readFileSync(${JSON.stringify(MAIN)})`], { uid: NOBODY });
    if (reads.status !== 0) context.skip('this checkout is not readable for user 65534');
    const outcome = fluoro(['run', '--timeout', '1', ...words], { uid: NOBODY });
    expect(outcome).toMatchObject({ status: 69, out: '' });
    expect(outcome.error).toMatch(/not permitted.*root/s);
  });
});

describe('live sessions', () => {
  test('count what happens, say it as JSON, and end in time', async (context) => {
    needRoot(context);
    const { pid } = await startTarget(context);
    const code = 'long n, bytes; _probe work(long k) { n += k; } _probe _end { printf("%d\\n", n > 20); _error("done"); }';
    const outcome = run('-p', String(pid), '--timeout', '0.5', '--json', '-e', code);
    expect(outcome.status).toBe(0);
    const lines = linesOf(outcome).filter(({ type }) => type !== 'diagnostic');
    expect(lines[0]).toEqual({ type: 'print', text: '1\n' });
    expect(lines[1]).toMatchObject({ type: 'error', text: expect.stringContaining('done') as string });
    expect(lines[2]).toMatchObject({ type: 'end', reason: 'timeout', losses: [] });
    const [work, end] = lines[2]!['probes'] as { text: string; sites: number; hits: number }[];
    expect(work).toMatchObject({ sites: 1 });
    expect(work!.hits).toBeGreaterThan(20);
    expect(end).toMatchObject({ sites: 0, hits: 0 });
  });

  test.for(['SIGINT', 'SIGTERM'] as const)('%s ends one: _end runs, the status is 0', async (signal, context) => {
    needRoot(context);
    const { pid } = await startTarget(context);
    const code = 'long n; _probe work { n++; } _probe _end { printf("%s\\n", n > 0 ? "some" : "none"); }';
    const child = spawn(process.execPath, [MAIN, 'run', '--verbose', '--stats', '-p', String(pid), '-e', code], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    context.onTestFinished(() => void child.kill('SIGKILL'));
    let [out, error] = ['', ''];
    child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
    await new Promise<void>((resolve) => {
      child.stderr.on('data', (bytes: Buffer) => {
        error += bytes.toString();
        if (error.includes('armed')) setTimeout(resolve, 200);
      });
    });
    child.kill(signal);
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect({ status, out }).toEqual({ status: 0, out: 'some\n' });
    expect(error).toMatch(/^1 probe on 1 place of 1 process; Ctrl-C ends$/m);
    expect(error).toMatch(/^ended after \d+\.\d\d s: it was told to stop$/m);
    expect(error).toMatch(/^ {2}work {2}1 place {2}\d+ hits$/m);
  });

  test('a reader that goes away ends one quietly', async (context) => {
    needRoot(context);
    const { pid } = await startTarget(context);
    const script = `"${process.execPath}" "${MAIN}" run -p ${pid} -e '_probe work { printf("hit\\n"); }' | head -1`;
    const outcome = spawnSync('bash', ['-o', 'pipefail', '-c', script], { encoding: 'utf8', timeout: LIMIT_MS });
    expect(outcome).toMatchObject({ status: 0, stdout: 'hit\n', stderr: '' });
  });

  test('-c misses nothing of its command, and tells how it ended', (context) => {
    needRoot(context);
    const code = 'long n; _probe _syscall.exit_group(int status) { n += status; } _probe _end { printf("%ld\\n", n); }';
    const outcome = run('--json', '-c', `sh -c 'exit 3'`, '-e', code);
    const lines = linesOf(outcome);
    expect(outcome.status).toBe(0);
    expect(lines.at(-3)).toEqual({ type: 'print', text: '3\n' });
    expect(lines.at(-2)).toMatchObject({ type: 'end', reason: 'target-gone' });
    expect(lines.at(-1)).toEqual({ type: 'command', command: `sh -c 'exit 3'`, status: 3 });
  });

  test('-c hits main(), passes output on, and ends a command that runs too long', (context) => {
    needRoot(context);
    const missing = findNoCompiler();
    requireOrSkip(context, missing === undefined, missing ?? '');
    const folder = makeFolder(context);
    writeFileSync(join(folder, 'target.c'), TARGET);
    const path = compileProgram(join(folder, 'target.c'), ['-g']);
    const outcome = run('-c', path, '--timeout', '0.5', '-e', '_probe main { printf("main is called\\n"); }');
    expect(outcome.status).toBe(0);
    expect(outcome.out.split('\n').toSorted()).toEqual(['', 'main is called', 'ready']);
    expect(outcome.error).toBe(`"${path}" was ended by SIGTERM\n`);
  });
});

describe('memory', () => {
  test.for([{ words: [] }, { words: ['--freeze'] }])('is walked, with $words', async ({ words }, context) => {
    needRoot(context);
    const { pid } = await startTarget(context);
    const code = '_probe _oneshot { printf("%s %d\\n", word, rounds >= 40); }';
    expect(run('-p', String(pid), ...words, '-e', code)).toEqual({
      status: 0,
      out: 'a word of the target 1\n',
      error: '',
    });
    expect(/\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1]).toMatch(/[RS]/);
  });
});

test('a core dump that was cut short is said to be', async (context) => {
  const noDump = spawnSync('which', ['gcore']).status === 0 ? undefined : 'no gcore; install it: apt-get install gdb';
  requireOrSkip(context, noDump === undefined, noDump ?? '');
  const { pid, path } = await startTarget(context);
  execFileSync('gcore', ['-o', `${path}.core`, String(pid)], { stdio: 'ignore' });
  const dump = readFileSync(`${path}.core.${pid}`);
  const code = '_probe _oneshot { printf("%s\\n", word); }';
  expect(run('--core', `${path}.core.${pid}`, '-e', code)).toMatchObject({ status: 0, out: 'a word of the target\n' });
  writeFileSync(`${path}.short`, dump.subarray(0, 20_000));
  const short = run('--core', `${path}.short`, '--exe', path, '-e', '_probe _oneshot { printf("nothing of it is needed\\n"); }');
  expect(short).toMatchObject({ status: 0, out: 'nothing of it is needed\n' });
  expect(short.error).toMatch(/^fluoro: warning: the dump is cut off: 20000 of \d+ bytes are there/m);
});

describe('fluoro compile', () => {
  const CODE = 'long n; _probe _syscall.openat { n++; } _probe _end { printf("%ld\\n", n); }';

  test.each([
    ['ast', /^variable n$/m],
    ['typed', /^probe _syscall\.openat -> f0 hit$/m],
    ['ir', /add-global|global.*n/],
    ['ebpf', /^; long n; _probe _syscall\.openat .* @ <command line>:1$/m],
  ])('--dump=%s shows a pass', (pass, expected) => {
    const outcome = fluoro(['compile', `--dump=${pass}`, '-e', CODE]);
    expect(outcome).toMatchObject({ status: 0, error: '' });
    expect(outcome.out).toMatch(expected);
  });

  test('only checks without --dump; refuses what it does not know', () => {
    expect(fluoro(['compile', '-e', CODE])).toEqual({ status: 0, out: '', error: '' });
    expect(fluoro(['compile', '-e', '_probe _oneshot { x(); }']).status).toBe(1);
    expect(fluoro(['compile', '--dump=llvm', '-e', CODE])).toMatchObject({
      status: 2,
      error: expect.stringContaining('not "llvm"') as string,
    });
  });

  test('-o stores a program that runs on another process, which has no debug information', async (context) => {
    needRoot(context);
    const [first, second] = [await startTarget(context), await startTarget(context, true)];
    const path = join(makeFolder(context), 'program.yo');
    const code = `long n; _probe "target"::work { n++; } _probe _timer.s(1) { printf("%s %d\\n", word, n > 10); _exit(); }`;
    expect(fluoro(['compile', '-p', String(first.pid), '-e', code, '-o', path])).toMatchObject({ status: 0, out: '' });
    expect(run('-p', String(second.pid), path)).toEqual({ status: 0, out: 'a word of the target 1\n', error: '' });
    const other = run('-p', String(process.pid), path);
    expect(other).toMatchObject({ status: 69, out: '' });
    expect(other.error).toMatch(/^fluoro: the compiled program does not fit: /);
  });
});
