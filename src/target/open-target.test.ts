import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, type TestContext } from 'vitest';
import { requireOrSkip, skipUnless } from '../../test/support/require-or-skip.ts';
import { compileProgram, findNoCompiler, startProgram, type RunningProgram } from '../../test/support/test-program.ts';
import type { Result } from '../base/index.ts';
import { openTarget, type OpenOptions, type TargetChoice } from './open-target.ts';
import { findProcesses } from './process-set.ts';
import type { Target, TargetError } from './target.ts';

const SOURCE = fileURLToPath(new URL('../../testdata/target/state.c', import.meta.url));
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function must<T>(result: Result<T, TargetError>): T {
  if (result.ok) return result.value;
  throw new Error(result.error.message);
}

function compileState(context: Pick<TestContext, 'skip'>): string {
  skipUnless(context, findNoCompiler());
  return compileProgram(SOURCE, ['-O1', '-g', '-lpthread', '-Wl,--build-id']);
}

async function start(command: string, args: readonly string[] = []): Promise<RunningProgram> {
  const program = await startProgram(command, args);
  cleanups.push(() => program.stop());
  return program;
}

function open(choice: TargetChoice, options?: OpenOptions): Target {
  const target = must(openTarget(choice, options));
  cleanups.push(() => target.close());
  return target;
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fluoro-target-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What `state.c` says of itself must be what is read. */
function expectState(target: Target, text: string): void {
  const [global, heap, constant, large] = text.split(' ').map((word) => (word.startsWith('0x') ? BigInt(word) : 0n)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const { memory } = target;
  expect(memory.readU64(global)).toBe(0x1122334455667788n);
  expect(Buffer.from(memory.readText(global + 8n, 32)!).toString()).toBe('global text');
  expect(memory.readU64(global + 40n)).toBe(heap);
  expect(memory.readU64(heap)).toBe(42n);
  expect(memory.readU64(heap + 40n)).toBe(global);
  expect(Buffer.from(memory.readText(constant, 100)!).toString()).toBe('a constant of the read-only segment');
  const block = memory.read(large, 1 << 20)!;
  expect(block.every((byte, i) => byte === ((i >> 12) & 0xff))).toBe(true);
  expect(memory.read(16n, 1)).toBeUndefined();
}

describe('openTarget() of a process', () => {
  test.for([false, true])('reads known state, modules and threads (freeze: %s)', async (freeze, context) => {
    const path = compileState(context);
    const program = await start(path, ['threads', '3']);
    const target = open({ pid: program.pid }, { freeze });
    expectState(target, program.text);
    expect(target.kind).toBe(freeze ? 'frozen' : 'live');
    expect(target.problems).toEqual([]);
    expect(target.identity).toMatchObject({
      exe: path,
      namespacePid: program.pid,
      parentPid: process.pid,
      commandLine: [path, 'threads', '3'],
    });
    const main = target.modules.find((module) => module.path === path)!;
    expect(main.buildId).toMatch(/^[0-9a-f]{40}$/);
    expect(readElfNote(path)).toBe(main.buildId);
    expect(main.hostPath).toBe(path);
    expect(must(main.bytes()).length).toBe(readFileSync(path).length);
    expect(target.auxv.get(9)).toBe(main.bias + BigInt(readEntry(path)));
    const vdso = target.modules.find((module) => module.path === '[vdso]')!;
    expect([...must(vdso.bytes()).subarray(0, 4)]).toEqual([0x7f, 0x45, 0x4c, 0x46]);
    const threads = must(target.threads());
    expect(threads.map((thread) => thread.name).sort()).toEqual([target.identity.comm, 'worker-0', 'worker-1', 'worker-2'].sort());
    for (const { registers } of threads) {
      expect(registers !== undefined).toBe(freeze);
      if (registers === undefined) continue;
      expect(target.map.some((m) => m.executable && m.start <= registers.ip && registers.ip < m.end)).toBe(true);
      // On x86-64 the first word of the thread's control block is its own address.
      if (target.architecture === 'x86-64') expect(target.memory.readU64(registers.threadPointer!)).toBe(registers.threadPointer);
    }
  });

  test('reads the registers of 1,000 threads', { timeout: 60_000 }, async (context) => {
    const program = await start(compileState(context), ['threads', '1000']);
    const target = open({ pid: program.pid }, { freeze: true });
    const threads = must(target.threads());
    expect(threads).toHaveLength(1001);
    expect(new Set(threads.map((thread) => thread.registers!.threadPointer)).size).toBe(1001);
    target.close();
    target.close();
    await sleep(50);
    expect(readFileSync(`/proc/${program.pid}/status`, 'utf8')).toMatch(/State:\tS/);
  });

  test('reads the file of a deleted and of a replaced executable', async (context) => {
    const original = compileState(context);
    const path = join(makeFolder(), 'program');
    copyFileSync(original, path);
    const program = await start(path);
    unlinkSync(path);
    for (const replace of [false, true]) {
      if (replace) copyFileSync('/bin/true', path);
      const target = open({ pid: program.pid });
      const main = target.modules.find((module) => module.path === path)!;
      expect(main.note).toContain('was deleted or replaced after it was mapped');
      expect(main.buildId).toBe(readElfNote(original));
      expect(must(main.bytes()).length).toBe(readFileSync(original).length);
      expect(target.identity.exe).toBe(path);
    }
  });

  test('reads files of another mount namespace', async (context) => {
    const original = compileState(context);
    const folder = makeFolder();
    const script = `mount -t tmpfs none ${folder} 2>/dev/null && cp ${original} ${folder}/hidden && exec ${folder}/hidden`;
    const program = await startProgram('unshare', ['-m', 'sh', '-c', script]).catch(() => undefined);
    requireOrSkip(context, program !== undefined, 'no right to make a mount namespace; run as root');
    cleanups.push(() => program!.stop());
    const target = open({ pid: program!.pid });
    const main = target.modules.find((module) => module.path === `${folder}/hidden`)!;
    expect(main.hostPath).toBe(`/proc/${program!.pid}/root${folder}/hidden`);
    expect(main.buildId).toBe(readElfNote(original));
    expectState(target, program!.text);
  });

  test('shows a process that called exec as what it became', async (context) => {
    const path = compileState(context);
    const program = await start('bash', ['-c', `trap 'exec ${path} 1>&2' USR1; echo ready; while :; do sleep 0.05; done`]);
    const target = open({ pid: program.pid });
    expect(target.identity.comm).toBe('bash');
    program.child.kill('SIGUSR1');
    for (let i = 0; i < 100 && target.identity.exe !== path; i++) {
      await sleep(20);
      must(target.refresh());
    }
    expect(target.identity.exe).toBe(path);
    expect(target.modules.some((module) => module.path === path)).toBe(true);
  });

  test('says that a process is gone, or has no memory', async (context) => {
    const program = await start(compileState(context));
    const target = open({ pid: program.pid });
    await program.stop();
    expect(target.refresh()).toMatchObject({ ok: false, error: { kind: 'gone' } });
    expect(target.threads()).toMatchObject({ ok: false, error: { kind: 'gone' } });
    expect(target.memory.read(target.map[0]!.start, 8)).toBeUndefined();
    expect(openTarget({ pid: program.pid })).toMatchObject({ ok: false, error: { kind: 'gone' } });
    expect(openTarget({ pid: 2 })).toMatchObject({ ok: false });
  });
});

describe('openTarget() of a core dump', () => {
  function dump(program: RunningProgram): string {
    const prefix = join(makeFolder(), 'core');
    execFileSync('gcore', ['-o', prefix, String(program.pid)], { stdio: 'ignore', timeout: 20_000 });
    return `${prefix}.${program.pid}`;
  }

  test('reads known state, from the dump and from the files', async (context) => {
    const path = compileState(context);
    skipUnless(context, findNoCompiler('gdb'));
    const program = await start(path, ['threads', '2']);
    const core = dump(program);
    await program.stop();
    const target = open({ core });
    expectState(target, program.text);
    expect(target.problems).toEqual([]);
    expect(target.pid).toBe(program.pid);
    expect(target.identity.exe).toBe(path);
    expect(must(target.threads())).toHaveLength(3);
    expect(target.modules.find((module) => module.path === path)!.buildId).toBe(readElfNote(path));
  });

  test('reads what the kernel dumps', async (context) => {
    const path = compileState(context);
    const folder = makeFolder();
    const program = await start('sh', ['-c', `ulimit -c unlimited; cd ${folder} && exec ${path} threads 2`]);
    const ended = new Promise((resolve) => program.child.once('exit', resolve));
    process.kill(program.pid, 'SIGABRT');
    await ended;
    const core = readdirSync(folder)[0];
    requireOrSkip(context, core !== undefined, 'the kernel hands core dumps to a program (kernel.core_pattern), or must not write them');
    const target = open({ core: join(folder, core!) });
    expectState(target, program.text);
    expect(target.problems).toEqual([]);
    expect(must(target.threads())).toHaveLength(3);
    expect(target.identity).toMatchObject({ exe: path, namespacePid: program.pid });
  });

  test('says which files are missing or are others, and takes the executable that it is given', async (context) => {
    const original = compileState(context);
    skipUnless(context, findNoCompiler('gdb'));
    const folder = makeFolder();
    const path = join(folder, 'program');
    copyFileSync(original, path);
    const program = await start(path);
    const core = dump(program);
    await program.stop();
    unlinkSync(path);
    const constant = BigInt(program.text.split(' ')[2]!);
    const missing = open({ core });
    expect(missing.problems).toEqual([`${path} is missing: its code and constants are not in the dump`]);
    expect(missing.memory.read(constant, 4)).toBeUndefined();
    copyFileSync('/bin/true', path);
    expect(open({ core }).problems[0]).toContain('is another file than the one that ran');
    expectState(open({ core, exe: original }), program.text);
    mkdirSync(join(folder, 'root', folder), { recursive: true });
    copyFileSync(original, join(folder, 'root', path));
    expectState(open({ core, root: join(folder, 'root') }), program.text);
  });

  test('gives what is there of a dump that is cut off, and refuses what is none', async (context) => {
    const path = compileState(context);
    skipUnless(context, findNoCompiler('gdb'));
    const program = await start(path);
    const core = dump(program);
    const whole = readFileSync(core).length;
    const half = Math.floor(whole / 2);
    truncateSync(core, half);
    const cut = open({ core });
    expect(cut.problems.join()).toContain(`the dump is cut off: ${half} of`);
    expect(cut.memory.readU64(BigInt(program.text.split(' ')[0]!))).toBe(0x1122334455667788n);
    const bytes = readFileSync(core);
    for (const length of [0, 10, 64, 200, 1000, 3000]) {
      truncateSync(core, length);
      const opened = openTarget({ core });
      if (opened.ok) expect(opened.value.problems.length).toBeGreaterThan(0);
      else expect(opened.error.kind).toBe('damaged');
    }
    for (let i = 0; i < 200; i++) {
      const damaged = Uint8Array.from(bytes.subarray(0, 8192));
      for (let k = 0; k < 8; k++) damaged[(i * 7919 + k * 104_729) % 8192] = (i * 31 + k * 17) & 0xff;
      writeFileSync(core, damaged);
      const opened = openTarget({ core });
      if (opened.ok) opened.value.close();
      else expect(opened.error.kind).toBe('damaged');
    }
    expect(openTarget({ core: '/bin/true' })).toMatchObject({ ok: false, error: { kind: 'damaged' } });
    expect(openTarget({ core: '/nonexistent/core' })).toMatchObject({ ok: false, error: { kind: 'gone' } });
  });
});

describe('findProcesses()', () => {
  test('finds by group, executable and command, and follows what comes and goes', async (context) => {
    const folder = makeFolder();
    const path = join(folder, 'counted');
    copyFileSync(compileState(context), path);
    const first = await start(path);
    const byExe = findProcesses({ exe: path });
    expect([...byExe.members.keys()]).toEqual([first.pid]);
    expect([...findProcesses({ command: 'counted' }).members.keys()]).toEqual([first.pid]);
    expect([...findProcesses({ command: 'counted', pid: process.pid }).members.keys()]).toEqual([]);
    const second = await start(path);
    expect(byExe.refresh()).toMatchObject({ added: [{ pid: second.pid }], gone: [] });
    await first.stop();
    expect(byExe.refresh()).toMatchObject({ added: [], gone: [{ pid: first.pid }] });
    expect(findProcesses({ container: 'abcd' }).members.size).toBe(0);
    const leader = spawn('sh', ['-c', 'sleep 60 & sleep 60 & wait'], { detached: true, stdio: 'ignore' });
    cleanups.push(() => void process.kill(-leader.pid!, 'SIGKILL'));
    await sleep(200);
    expect(findProcesses({ group: leader.pid! }).members.size).toBe(3);
  });
});

function readElfNote(path: string): string {
  return /Build ID: ([0-9a-f]+)/.exec(execFileSync('readelf', ['-n', path], { encoding: 'utf8' }))![1]!;
}

function readEntry(path: string): number {
  return Number(readFileSync(path).readBigUInt64LE(24));
}
