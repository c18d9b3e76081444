// Sessions on targets that exit, execute something else, fork, start threads, load and unload libraries while we look.
import { expect, test } from 'vitest';
import { buildLively, buildPlugin, Lively, needKernel, onProcess, startRun } from './support/lively.ts';

const COUNT_STEPS = 'long n;\n_probe step { n++; }\n_probe _end { printf("%ld\\n", n); }\n';
const STACKS = `long n[_bt];
_probe step { n[_ubt()]++; }
_probe _end { _foreach (bt, count in n; sort desc by count) printf("%ld %s\\n", count, _sym_ubt(bt)); }
`;

/** Names of functions in printed stacks, without offsets and places. */
function plainStacks(text: string): string {
  return text.replaceAll(/\+0x[0-9a-f]+| \([^)]*\)| \[inlined\]/g, '');
}

test('a target that exits ends the session, and its last hits are there', async (context) => {
  needKernel(context);
  const target = await Lively.start(context);
  const run = await startRun(context, onProcess(target.pid), COUNT_STEPS);
  await target.ask('burst 1000');
  target.child.stdin!.end();
  const { report, output } = await run.wait();
  expect(report.reason).toBe('target-gone');
  expect(output.text).toBe('1000\n');
});

test('a target that is killed before a session starts makes an error, and one that dies right after ends it', async (context) => {
  needKernel(context);
  const target = await Lively.start(context);
  const run = await startRun(context, onProcess(target.pid), COUNT_STEPS);
  target.child.kill('SIGKILL');
  expect((await run.wait()).report.reason).toBe('target-gone');
  await expect(startRun(context, onProcess(target.pid), COUNT_STEPS)).rejects.toThrow('gone');
});

test('a target whose main thread left goes on being looked at', async (context) => {
  needKernel(context);
  const target = await Lively.start(context);
  const run = await startRun(context, onProcess(target.pid), COUNT_STEPS);
  await target.ask('leave');
  await new Promise((done) => setTimeout(done, 1500));
  await target.ask('burst 100');
  const { report, output } = await run.stop();
  expect(report.reason).toBe('stopped');
  expect(output.text).toBe('110\n');
});

test('a target that executes another program keeps its probes, and stacks of both are named', async (context) => {
  needKernel(context);
  const target = await Lively.start(context);
  const run = await startRun(context, onProcess(target.pid), STACKS);
  await target.ask('burst 100');
  await target.ask('exec');
  await target.ask('burst 1');
  await new Promise((done) => setTimeout(done, 600));
  await target.ask('burst 200');
  const { output } = await run.stop();
  const stacks = plainStacks(output.text).split(/\n(?=\d+ )/);
  expect(stacks[0]).toMatch(/^200 step\nouter\nwork\nserve\nmain\n/);
  expect(stacks[1]).toMatch(/^100 step\nouter\nwork\nserve\nmain\n/);
});

test('children are followed at 1,000 forks a second, with stacks, and symbols when they are gone', async (context) => {
  needKernel(context);
  const target = await Lively.start(context);
  const run = await startRun(context, onProcess(target.pid), STACKS);
  const start = performance.now();
  expect(await target.ask('forks 2000')).toBe('2000');
  const seconds = (performance.now() - start) / 1000;
  const cpu = process.cpuUsage();
  const { report, output, losses } = await run.stop();
  expect(report.probes[0]!.hits).toBe(20_010);
  const counts = plainStacks(output.text)
    .split(/\n(?=\d+ )/)
    .map((stack) => ({ count: Number(stack.split(' ')[0]), isWhole: /^\d+ step\nouter\nwork\nforks\nserve\nmain\n/.test(stack) }));
  const whole = counts.reduce((sum, { count, isWhole }) => sum + (isWhole ? count : 0), 0);
  // What is not whole is counted and said.
  const said = losses.filter((line) => line.startsWith('cut: ')).reduce((sum, line) => sum + Number(/cut: (\d+)/.exec(line)![1]), 0);
  expect(whole + said).toBeGreaterThanOrEqual(20_010);
  expect(said).toBeLessThan(100);
  expect(2000 / seconds).toBeGreaterThan(500);
  expect(cpu.user).toBeGreaterThan(0);
});

test('1,000 threads are counted to the last hit', async (context) => {
  needKernel(context);
  const target = await Lively.start(context);
  const code = `_thread int mine;\nlong n, most;\n_probe step { n++; mine++; if (mine > most) most = mine; }\n_probe _end { printf("%ld %ld\\n", n, most); }\n`;
  const run = await startRun(context, onProcess(target.pid), code);
  await target.ask('threads 1000');
  const { output, losses } = await run.stop();
  expect(output.text).toBe('10000 10\n');
  expect(losses).toEqual([]);
});

test('libraries that come and go leave stacks right', async (context) => {
  needKernel(context);
  const plugin = buildPlugin();
  const target = await Lively.start(context);
  const run = await startRun(context, onProcess(target.pid), STACKS);
  await target.ask(`load 200 ${plugin}`);
  await target.ask(`keep ${plugin}`);
  await new Promise((done) => setTimeout(done, 600));
  for (let i = 0; i < 10; i++) await target.ask(`keep ${plugin}`);
  const { output, report } = await run.stop();
  expect(report.probes[0]!.hits).toBe(211);
  const whole = plainStacks(output.text)
    .split(/\n(?=\d+ )/)
    .filter((stack) => /^\d+ step\nplugin_inner\nplugin_step\nkeep\nserve\nmain\n/.test(stack));
  expect(whole.reduce((sum, stack) => sum + Number(stack.split(' ')[0]), 0)).toBeGreaterThanOrEqual(10);
});

test('a set of processes grows and shrinks while we look', async (context) => {
  needKernel(context);
  const first = await Lively.start(context);
  const run = await startRun(context, { kind: 'processes', query: { exe: buildLively() } }, COUNT_STEPS);
  const second = await Lively.start(context);
  await new Promise((done) => setTimeout(done, 1600));
  await second.ask('burst 20');
  await first.ask('burst 3');
  first.child.stdin!.end();
  await new Promise((done) => setTimeout(done, 300));
  second.child.stdin!.end();
  const { report, output } = await run.wait();
  expect(report.reason).toBe('target-gone');
  expect(output.text).toBe('23\n');
});
