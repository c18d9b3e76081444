// What a session lost is counted and said; what fails in it leaves nothing behind.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openSubject, startLiveSession, type SubjectChoice } from '../../src/session/index.ts';
import { compile } from '../../src/y/index.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { copyLively, Kept, Lively, needKernel, onProcess, startRun } from './support/lively.ts';

const COUNT_STEPS = 'long n;\n_probe step { n++; }\n_probe _end { printf("%ld\\n", n); }\n';

/** Descriptors of ours that are BPF objects or perf events. */
function kernelDescriptors(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return /bpf|perf/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false; // the descriptor of the listing itself
    }
  }).length;
}

function counted(losses: readonly string[], what: string): number {
  return Number(/lost: (\d+)/.exec(losses.find((line) => line.includes(what)) ?? 'lost: 0')![1]);
}

test('records that find no room in the ring are counted to the last one', async (context) => {
  needKernel(context);
  const target = await Lively.start(context);
  const run = await startRun(
    context,
    onProcess(target.pid),
    `_probe step(long sum, long i) { printf("${'x'.repeat(50)} %ld %s\\n", i, "y"); }\n`,
  );
  // Two bursts at once while nobody reads: our own thread is busy.
  const before = Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
  expect(before).toBe('timed-out');
  target.child.stdin!.write('burst 400000\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  const { output, losses, report } = await run.stop();
  const written = output.text.split('\n').length - 1;
  const lost = counted(losses, 'because the ring was full');
  expect(lost).toBeGreaterThan(0);
  expect(written + lost).toBe(report.probes[0]!.hits);
});

test('inserts into a full array are counted', async (context) => {
  needKernel(context);
  const target = await Lively.start(context);
  const code =
    'long seen[long] : 100;\n_probe step(long sum, long i) { seen[i]++; }\n_probe _end { long n = 0; _foreach (i in seen) n++; printf("%ld\\n", n); }\n';
  const run = await startRun(context, onProcess(target.pid), code);
  await target.ask('burst 1000');
  const { output, losses } = await run.stop();
  const kept = Number(output.text);
  expect(kept).toBeGreaterThanOrEqual(100);
  expect(counted(losses, 'full array')).toBe(1000 - kept);
});

test('hits that end at a failed read are counted', async (context) => {
  needKernel(context);
  const target = await Lively.start(context);
  const run = await startRun(context, onProcess(target.pid), 'long n;\n_probe step(long *sum, long i) { n += *(long *)8; }\n');
  await target.ask('burst 50');
  expect((await run.stop()).losses).toEqual(['lost: 50 hits ended at a failed read']);
});

test('an output that throws ends the session; so does one in a timer', async (context) => {
  needKernel(context);
  const target = await Lively.start(context);
  for (const code of ['_probe step { printf("x\\n"); }\n', 'long n;\n_probe step { n++; }\n_probe _timer.ms(10) { printf("x\\n"); }\n']) {
    const output = {
      write: () => {
        throw new Error('no space left on device');
      },
      chart: () => undefined,
    };
    const run = await startRun(context, onProcess(target.pid), code, { output });
    await target.ask('burst 10');
    const { report } = await run.wait();
    expect(report).toMatchObject({ reason: 'output-failed', outputFailure: 'no space left on device' });
  }
  expect(kernelDescriptors()).toBe(0);
});

test('a session ends once, however often and early it is told', async (context) => {
  needKernel(context);
  const target = await Lively.start(context, copyLively(context));
  const clean = target.code();
  const early = await startRun(context, onProcess(target.pid), `_probe _begin { _exit(); }\n${COUNT_STEPS}`);
  expect((await early.wait()).report.reason).toBe('exit');
  const run = await startRun(context, onProcess(target.pid), COUNT_STEPS);
  expect(target.code()).not.toBe(clean);
  const [one, two] = await Promise.all([run.stop(), run.stop()]);
  expect(one.report).toBe(two.report);
  expect(one.output.text).toBe('0\n');
  expect(target.code()).toBe(clean);
  expect(kernelDescriptors()).toBe(0);
});

test('a start that fails half-way, because the target died meanwhile, leaves nothing', async (context) => {
  needKernel(context);
  const path = copyLively(context);
  const target = await Lively.start(context, path);
  const subject = openSubject(onProcess(target.pid));
  if (!subject.ok) throw new Error(subject.error.message);
  context.onTestFinished(() => subject.value.close());
  const source = 'long n[_bt];\n_probe step { n[_ubt()]++; }\n';
  const compiled = compile({ file: 'x.y', text: source, resolveInclude: () => undefined }, subject.value.knowledge);
  if (!compiled.ok) throw new Error(compiled.error.diagnostics[0]!.message);
  target.child.kill('SIGKILL');
  await once(target.child, 'exit');
  rmSync(path);
  const options = { output: new Kept(), timeoutMs: undefined, endWithTarget: true };
  // Programs that follow forks are attached by then; the function's file is gone.
  const started = await startLiveSession(compiled.value.program, subject.value, options);
  expect(started).toMatchObject({
    ok: false,
    error: { kind: 'target', message: expect.stringContaining('ended while probes were attached') },
  });
  expect(kernelDescriptors()).toBe(0);
});

test('a session of many short hits is detached when it costs too much, and says so at once', async (context) => {
  needKernel(context);
  const target = await Lively.start(context, copyLively(context));
  const clean = target.code();
  const run = await startRun(context, onProcess(target.pid), COUNT_STEPS, { maxOverhead: undefined });
  const answer = target.ask('burst 4000000');
  const until = performance.now() + 6000;
  while (run.output.warnings.length === 0 && performance.now() < until) await new Promise((done) => setTimeout(done, 50));
  expect(run.output.warnings).toEqual([expect.stringMatching(/^detached step: probes cost \d+ % of the target's CPU time, more than 1 %/)]);
  await new Promise((done) => setTimeout(done, 200));
  expect(target.code()).toBe(clean);
  expect(await answer).toMatch(/^\d+$/);
  const { report, losses } = await run.stop();
  expect(report.probes[0]!.detached).toMatch(/this one was the costliest: \d+ hits a second of \d+\.\d µs$/);
  expect(losses.filter((line) => line.startsWith('detached: '))).toHaveLength(1);
});

test('few hits of an idle target are no alarm', async (context) => {
  needKernel(context);
  const target = await Lively.start(context);
  const run = await startRun(context, onProcess(target.pid), COUNT_STEPS, { maxOverhead: undefined });
  for (let i = 0; i < 12; i++) {
    await target.ask('burst 20');
    await new Promise((done) => setTimeout(done, 200));
  }
  const { report, output } = await run.stop();
  expect(report.probes[0]!.detached).toBeUndefined();
  expect(output.warnings).toEqual([]);
});

test('a container is looked at by its control group: what is started in it belongs from its first instruction on', async (context) => {
  needKernel(context);
  const mount = /^cgroup2 (\S+) cgroup2 rw/m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
  requireOrSkip(context, mount !== undefined, 'no control groups of version 2 that can be written');
  const id = `fade${'0123456789abcdef'.repeat(4)}`.slice(0, 64);
  const group = `${mount}/docker-${id}.scope`;
  mkdirSync(`${group}/inner`, { recursive: true });
  context.onTestFinished(async () => {
    for (const folder of [`${group}/inner`, group]) {
      const until = Date.now() + 5000;
      while (existsSync(folder) && readFileSync(`${folder}/cgroup.procs`, 'utf8') !== '' && Date.now() < until)
        await new Promise((done) => setTimeout(done, 20));
      if (existsSync(folder)) rmdirSync(folder);
    }
  });
  const [inside, later, outside] = [await Lively.start(context), await Lively.start(context), await Lively.start(context)];
  writeFileSync(`${group}/inner/cgroup.procs`, String(inside.pid));
  const choice: SubjectChoice = { kind: 'processes', query: { container: id.slice(0, 12) } };
  const run = await startRun(context, choice, `${COUNT_STEPS.replace('_probe step {', '_probe step { ')}`);
  writeFileSync(`${group}/inner/cgroup.procs`, String(later.pid));
  await later.ask('forks 10');
  await inside.ask('burst 5');
  await outside.ask('burst 1000');
  expect((await run.stop()).output.text).toBe('115\n');
  inside.child.kill('SIGKILL');
  later.child.kill('SIGKILL');
});

test('without the right to, a session is refused with a value that says which right is missing', async (context) => {
  needKernel(context);
  const built = fileURLToPath(new URL('../../dist/session/index.js', import.meta.url));
  requireOrSkip(context, existsSync(built), 'not built; run ./fluoro build');
  const script = fileURLToPath(new URL('./support/refused-session.mjs', import.meta.url));
  const target = await Lively.start(context);
  const answer = execFileSync(process.execPath, [script, String(target.pid)], { uid: 65534, gid: 65534, encoding: 'utf8' });
  const { other, own } = JSON.parse(answer) as {
    other: { kind: string; message: string };
    own: { kind: string; error: { kind: string; message: string } };
  };
  expect(other.kind).toBe('forbidden');
  expect(own).toMatchObject({ kind: 'kernel', error: { kind: 'forbidden' } });
  expect(own.error.message).toContain('fluoro doctor');
});
