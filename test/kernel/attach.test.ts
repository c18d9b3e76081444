import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type TestContext } from 'vitest';
import { Assembler, type AttachType, type MapSpec } from '../../src/bpf/index.ts';
import { findCgroupId, findCgroupPath, type KernelObject, type LoadOptions } from '../../src/kernel/index.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { cookieCounter, count, counter, counts, loadOrSkip, must, program, readU64, u32, u64 } from './support/kernel.ts';
import { TargetProgram } from './support/target.ts';

const counted = (object: KernelObject, offset = 0) => Number(readU64(must(object.map('counts').lookup(u32(0)))!, offset));

function loadProbe(context: TestContext, attach: AttachType, options: LoadOptions = {}): KernelObject {
  const probe = program('probe', 'kprobe', attach === 'uprobeSession' ? counter() : cookieCounter(), { attach });
  return loadOrSkip(context, { maps: [counts], programs: [probe] }, options);
}

test.for([
  ['entry', 'uprobeMulti', 'multi', 'uprobe_multi', 100],
  ['return', 'uprobeMulti', 'multi', 'uprobe_multi', 100],
  ['session', 'uprobeSession', 'multi', 'uprobe_multi', 200],
  ['entry', 'uprobeMulti', 'perf', 'perf uprobe', 100],
  ['return', 'uprobeMulti', 'perf', 'perf uprobe', 100],
] as const)(
  'a uprobe (%s, %s, %s) counts calls, with its cookie, and leaves nothing',
  async ([kind, attach, uprobes, how, hits], context) => {
    const object = loadProbe(context, attach, { uprobes });
    const target = await TargetProgram.start(context);
    const before = target.firstByte();
    const place = { offset: target.functionOffset, ...(kind === 'session' ? {} : { cookie: 0xabcdn }) };
    const attachment = must(object.attachUprobes('probe', { path: target.path, places: [place], kind, pid: target.pid }));
    expect(attachment.how).toBe(how);
    expect(target.firstByte()).not.toBe(before);
    await target.call(100);
    expect(counted(object)).toBe(hits);
    if (kind !== 'session') expect(counted(object, 8)).toBe(0xabcd);
    await attachment.close();
    expect(target.firstByte()).toBe(before);
    await target.call(10);
    expect(counted(object)).toBe(hits);
  },
);

test('uprobes of the slow kind are closed beside the event loop', async (context) => {
  const object = loadProbe(context, 'uprobeMulti', { uprobes: 'perf' });
  const target = await TargetProgram.start(context);
  const before = target.firstByte();
  for (let i = 0; i < 4; i++)
    must(
      object.attachUprobes('probe', {
        path: target.path,
        places: [{ offset: target.functionOffset }],
        kind: 'entry',
        pid: target.pid,
      }),
    );
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const start = performance.now();
  await object.close();
  const tookMs = performance.now() - start;
  clearInterval(timer);
  if (tookMs > 100) expect(turns).toBeGreaterThan(5);
  expect(target.firstByte()).toBe(before);
});

test('the filter by process lets other processes alone', async (context) => {
  const object = loadProbe(context, 'uprobeMulti');
  const target = await TargetProgram.start(context);
  must(object.attachUprobes('probe', { path: target.path, places: [{ offset: target.functionOffset }], kind: 'entry', pid: process.pid }));
  await target.call(10);
  expect(counted(object)).toBe(0);
});

test.for(['multi', 'perf'] as const)('a USDT semaphore counts up while attached (%s)', async (uprobes, context) => {
  const object = loadProbe(context, 'uprobeMulti', { uprobes });
  const target = await TargetProgram.start(context);
  const places = [{ offset: target.functionOffset, semaphoreOffset: target.semaphoreOffset }];
  expect(await target.call(1)).toBe(0);
  const attachment = must(object.attachUprobes('probe', { path: target.path, places, kind: 'entry', pid: target.pid }));
  expect(await target.call(1)).toBe(1);
  await attachment.close();
  expect(await target.call(1)).toBe(0);
});

test('a path or a process that does not exist is named', async (context) => {
  const object = loadProbe(context, 'uprobeMulti');
  const target = await TargetProgram.start(context);
  const missing = object.attachUprobes('probe', { path: '/no/such/file', places: [{ offset: 64 }], kind: 'entry' });
  expect(missing.ok ? undefined : missing.error).toMatchObject({ kind: 'not-found', message: expect.stringContaining('/no/such/file') });
  const gone = object.attachUprobes('probe', {
    path: target.path,
    places: [{ offset: target.functionOffset }],
    kind: 'entry',
    pid: 2 ** 22 + 1,
  });
  expect(gone.ok ? undefined : gone.error.kind).toBe('not-found');
});

/** Where the machine has no tracefs mounted, mounts it aside, for the test's time. */
function mountTracefs(context: TestContext): void {
  if (readFileSync('/proc/self/mounts', 'utf8').includes(' tracefs ')) return;
  const folder = mkdtempSync(join(tmpdir(), 'fluoro-tracefs-'));
  execFileSync('mount', ['-t', 'tracefs', 'nodev', folder]);
  context.onTestFinished(() => {
    execFileSync('umount', [folder]);
    rmdirSync(folder);
  });
}

test('tracepoints: classic, raw, with types', async (context) => {
  const programs = [
    program('classic', 'tracepoint', counter()),
    program('raw', 'rawTracepoint', count(new Assembler(), 8).moveImm(0, 0).exit()),
    program('typed', 'tracing', count(new Assembler(), 16).moveImm(0, 0).exit(), {
      attach: 'traceRawTracepoint',
      attachTo: 'sched_switch',
    }),
  ];
  const object = loadOrSkip(context, { maps: [counts], programs });
  mountTracefs(context);
  must(object.attachTracepoint('classic', 'sched', 'sched_switch'));
  must(object.attachRawTracepoint('raw', 'sched_switch'));
  must(object.attachTracing('typed'));
  spawnSync('true');
  for (const offset of [0, 8, 16]) expect(counted(object, offset)).toBeGreaterThan(0);
  const none = object.attachTracepoint('classic', 'sched', 'no_such');
  expect(none.ok ? '' : none.error.message).toContain('no such tracepoint');
});

test('a sampler counts time on all processors, or of one process', async (context) => {
  const object = loadOrSkip(context, { maps: [counts], programs: [program('tick', 'perfEvent', counter())] });
  const busy = (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end;);
  };
  for (const scope of [{}, { pid: process.pid }]) {
    const before = counted(object);
    const sampler = must(object.attachSampler('tick', { event: 'cpu-clock', frequency: 199, ...scope }));
    busy(300);
    await sampler.close();
    const after = counted(object);
    expect(after - before).toBeGreaterThan(10);
    busy(50);
    expect(counted(object)).toBe(after);
  }
});

test('a hardware counter samples, or says that the machine has none', async (context) => {
  const object = loadOrSkip(context, { maps: [counts], programs: [program('tick', 'perfEvent', counter())] });
  const sampler = object.attachSampler('tick', { event: 'cycles', frequency: 99 });
  if (sampler.ok) return;
  expect(sampler.error).toMatchObject({ kind: 'unsupported', message: expect.stringContaining('use cpu-clock') });
});

test('entry and exit of kernel functions: attached, or refused with the reason', (context) => {
  loadOrSkip(context, { maps: [], programs: [] });
  const hook = program('hook', 'tracing', counter(), { attach: 'traceEntry', attachTo: 'vfs_read' });
  let object: KernelObject | undefined;
  try {
    object = loadOrSkip(context, { maps: [counts], programs: [hook] });
  } catch (cause) {
    expect((cause as Error).message).toContain('use tracepoints or uprobes instead');
    return;
  }
  must(object.attachTracing('hook'));
  readFileSync('/proc/self/comm');
  expect(counted(object)).toBeGreaterThan(0);
});

/** Writes 8 bytes of each visited thing: `read` loads it into r1 from the context in r6, or jumps to `skip`. */
function visitor(read: (assembler: Assembler) => Assembler): Assembler {
  return read(new Assembler().move(6, 1))
    .store(8, 10, -8, 1)
    .load(8, 1, 6, 0)
    .load(8, 1, 1, 0)
    .move(2, 10)
    .aluImm('add', 2, -8)
    .moveImm(3, 8)
    .call('seq_write')
    .label('skip')
    .moveImm(0, 0)
    .exit();
}

test('iterators visit tasks, mappings, files and map elements', async (context) => {
  const hash: MapSpec = { name: 'hash', type: 'hash', keyBytes: 4, valueBytes: 8, maxEntries: 8 };
  const pointer = visitor((a) => a.load(8, 1, 6, 8).jumpIfImm('eq', 1, 0, 'skip').moveImm(1, 1));
  const element = visitor((a) => a.load(8, 1, 6, 24).jumpIfImm('eq', 1, 0, 'skip').load(8, 1, 1, 0));
  const names = ['task', 'task_vma', 'task_file', 'bpf_map_elem'];
  const programs = names.map((name) =>
    program(name, 'tracing', name === 'bpf_map_elem' ? element : pointer, { attach: 'traceIterator', attachTo: name }),
  );
  const object = loadOrSkip(context, { maps: [hash], programs });
  expect(must(object.iterate('task')).length / 8).toBeGreaterThan(10);
  const mappings = must(object.iterate('task_vma', { pid: process.pid })).length / 8;
  const expected = readFileSync('/proc/self/maps', 'utf8').trim().split('\n').length;
  expect(Math.abs(mappings - expected)).toBeLessThan(20);
  expect(must(object.iterate('task_file', { pid: process.pid })).length / 8).toBeGreaterThan(3);
  for (const key of [1, 2, 3]) must(object.map('hash').update(u32(key), u64(BigInt(key) * 100n)));
  const visited = must(object.iterate('bpf_map_elem', { map: object.map('hash') }));
  expect([0, 8, 16].map((at) => Number(readU64(visited, at))).sort((a, b) => a - b)).toEqual([100, 200, 300]);
});

test('findCgroupId() gives the id that programs see', (context) => {
  const path = findCgroupPath(process.pid);
  requireOrSkip(context, path !== undefined, 'no control groups of version 2');
  const read = count(new Assembler().call('get_current_cgroup_id').move(6, 0).loadMapValue(1, 'counts', 8).store(8, 1, 0, 6))
    .moveImm(0, 0)
    .exit();
  const object = loadOrSkip(context, { maps: [counts], programs: [program('group', 'rawTracepoint', read)] });
  const id = findCgroupId(path!);
  requireOrSkip(context, id.ok, 'control groups of version 2 are not mounted');
  must(object.attachRawTracepoint('group', 'sys_enter'));
  const deadline = performance.now() + 5_000;
  do readFileSync('/proc/self/comm');
  while (BigInt(counted(object, 8)) !== must(id) && performance.now() < deadline);
  expect(BigInt(counted(object, 8))).toBe(must(id));
});
