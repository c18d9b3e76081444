// Probe points of the kernel's in live sessions, compared with what the kernel counts itself.
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { findCgroupId, findCgroupPath, probeFeatures } from '../../src/kernel/index.ts';
import { compile } from '../../src/y/index.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { EMPTY_KNOWLEDGE } from '../support/y-knowledge.ts';
import { onProcess, startRun } from './support/lively.ts';
import { Points } from './support/points.ts';
import { loadRun } from './support/y-run.ts';

test('_cpu.on and _cpu.off count each switch of a thread, and tell who it is', async (context) => {
  const target = await Points.start(context);
  const run = await startRun(
    context,
    onProcess(target.pid),
    `long on, off, wrong; _thread long since; _agg waits;
     _probe _cpu.on { on++; if (_pid() != ${target.pid} || _tid() != ${target.pid} || _comm() != "${target.comm}") wrong++; if (since) waits <<< _now_ns() - since; }
     _probe _cpu.off { off++; since = _now_ns(); if (_tid() != ${target.pid}) wrong++; }
     _probe _end { printf("%ld %ld %ld %ld %ld\\n", on, off, wrong, _count(waits), _min(waits)); }`,
  );
  const before = target.switches();
  await target.ask('sleep 100');
  const after = target.switches();
  const { output, losses } = await run.stop();
  const [on, off, wrong, waits, least] = output.text.split(' ').map(Number);
  expect({ on, off, wrong, losses }).toEqual({ on: after.on - before.on, off: after.off - before.off, wrong: 0, losses: [] });
  expect(on).toBeGreaterThanOrEqual(101);
  expect(waits).toBe(off! - 1);
  expect(least).toBeGreaterThan(0);
});

test('_page_fault has the address of each fault', async (context) => {
  const target = await Points.start(context);
  const run = await startRun(
    context,
    onProcess(target.pid),
    `long n, first[unsigned long];
     _probe _page_fault(void *addr) { n++; first[(unsigned long)addr >> 12]++; if (((unsigned long)addr & 0xfff) == 5) first[0]++; }
     _probe _end { printf("%ld %ld\\n", n, first[0]); _foreach (page in first; sort asc) if (page) printf("%ld ", page); }`,
  );
  const before = target.faults();
  const [address] = await target.ask('fault 300');
  const after = target.faults();
  const { output, losses } = await run.stop();
  const [counts, pages] = output.text.split('\n');
  expect(counts!.split(' ').map(Number)).toEqual([after - before, 300]);
  const expected = Array.from({ length: 300 }, (_, page) => String(address! / 4096 + page));
  expect(pages!.split(' ')).toEqual(expect.arrayContaining(expected));
  expect(losses).toEqual([]);
});

test('life of processes and threads, of children too', async (context) => {
  const target = await Points.start(context);
  const run = await startRun(
    context,
    onProcess(target.pid),
    `long forks, exits, starts, ends, strangers; long children[int], threads[int], gone[int];
     _probe _process.fork { forks++; children[_arg(0)]++; if (_pid() != ${target.pid}) strangers++; }
     _probe _process.exit { exits++; gone[_pid()]++; }
     _probe _thread.start { starts++; threads[_arg(0)]++; }
     _probe _thread.exit { ends++; }
     _probe _end {
       printf("%ld %ld %ld %ld %ld\\n", forks, exits, starts, ends, strangers);
       _foreach (pid in children; sort asc) printf("%d ", pid); printf("\\n");
       _foreach (pid in gone; sort asc) printf("%d ", pid); printf("\\n");
       _foreach (tid in threads; sort asc) printf("%d ", tid); printf("\\n"); }`,
  );
  const children = await target.ask('forks 5');
  const threads = await target.ask('threads 7');
  const { output, losses } = await run.stop();
  const [counts, forked, gone, started] = output.text.split('\n').map((line) => line.trim().split(' ').map(Number));
  expect(counts).toEqual([5, 5, 7, 12, 0]);
  expect(forked).toEqual(children.toSorted((a, b) => a - b));
  expect(gone).toEqual(forked);
  expect(started).toEqual(threads.toSorted((a, b) => a - b));
  expect(losses).toEqual([]);
});

test('_process.exit fires once, with the last thread, when the first one left before', async (context) => {
  const target = await Points.start(context);
  const run = await startRun(
    context,
    onProcess(target.pid),
    `long exits, late, ends; _probe _process.exit { exits++; if (_pid() != _tid()) late++; } _probe _thread.exit { ends++; }
     _probe _end { printf("%ld %ld %ld\\n", exits, late, ends); }`,
  );
  expect(await target.ask('leaders 5')).toEqual([5]);
  const { output } = await run.stop();
  expect(output.text).toBe('5 5 10\n');
});

test('tracepoints: scalars, arrays of characters, texts behind the record', async (context) => {
  const target = await Points.start(context);
  const run = await startRun(
    context,
    onProcess(target.pid),
    `long switches, signals, opens, kills; _str comm, parent, child;
     _probe _tracepoint.sched.sched_switch { if (_args->prev_pid == ${target.pid}) { switches++; comm = _args->prev_comm; } }
     _probe _tracepoint.sched.sched_process_fork { parent = _args->parent_comm; child = _args->child_comm; }
     _probe _tracepoint.signal.signal_generate / _args->sig == 10 && _args->pid == ${target.pid} / { signals++; }
     _probe _tracepoint.syscalls.sys_enter_kill { if (_args->sig == 10 && _args->pid == ${target.pid}) kills++; }
     _probe _tracepoint.syscalls.sys_enter_openat { if (_ustr(_args->filename) == "/etc/hostname") opens++; }
     _probe _end { printf("%ld %ld %ld %ld %s %s %s\\n", switches, signals, kills, opens, comm, parent, child); }`,
  );
  const before = target.switches();
  await target.ask('sleep 50');
  const after = target.switches();
  await target.ask('signal 9');
  await target.ask('open /etc/hostname 11');
  await target.ask('forks 1');
  const { output, losses } = await run.stop();
  const [switches, signals, kills, opens, ...comms] = output.text.trim().split(' ');
  expect(Number(switches)).toBeGreaterThanOrEqual(after.off - before.off);
  expect([signals, kills, opens, ...comms]).toEqual(['9', '9', '11', target.comm, target.comm, target.comm]);
  expect(losses).toEqual([]);
});

test('fields of a socket tracepoint: arrays of numbers, enumerators', async (context) => {
  const target = await Points.start(context);
  const run = await startRun(
    context,
    onProcess(target.pid),
    `long n; _str states;
     _probe _global _tracepoint.sock.inet_sock_set_state / _args->daddr[0] == 127 && _args->daddr[3] == 53 / {
       n++; printf("%d.%d.%d.%d %d>%d\\n", _args->daddr[0], _args->daddr[1], _args->daddr[2], _args->daddr[3], _args->oldstate, _args->newstate);
     }`,
  );
  await new Promise<void>((done) => connect({ host: '127.0.0.53', port: 1 }).on('error', () => done()));
  const { output } = await run.stop();
  // TCP_CLOSE to TCP_SYN_SENT, and back when it is refused.
  expect(output.text).toBe('127.0.0.53 7>2\n127.0.0.53 2>7\n');
});

test('_profile is fair to threads, and fires only while the target runs', async (context) => {
  const target = await Points.start(context);
  const run = await startRun(
    context,
    onProcess(target.pid),
    `long n, strangers, by[int];
     _probe _profile.hz(997) { n++; by[_tid()]++; if (_pid() != ${target.pid}) strangers++; }
     _probe _end { printf("%ld %ld\\n", n, strangers); _foreach (tid, count in by; sort desc by count; limit 3) printf("%ld ", count); }`,
  );
  const used = await target.ask('spin 3 900');
  const { output } = await run.stop();
  const [counts, threads] = output.text.split('\n').map((line) => line.trim().split(' ').map(Number));
  const expected = (used.reduce((sum, ns) => sum + ns, 0) / 1e9) * 997;
  expect(counts![1]).toBe(0);
  expect(Math.abs(counts![0]! - expected)).toBeLessThan(0.15 * expected + 10);
  const shares = used.map((ns) => (ns / 1e9) * 997).toSorted((a, b) => b - a);
  for (const [index, share] of shares.entries()) expect(Math.abs(threads![index]! - share)).toBeLessThan(0.25 * share + 15);
});

test("_pmu takes the kernel's own counters, and says where the processor has none", async (context) => {
  const target = await Points.start(context);
  const code = `long clock, faults, switches, pages[unsigned long];
     _probe _pmu("cpu-clock", 1000000) { clock++; } _probe _pmu("minor-faults", 1) { faults++; pages[_arg(0) >> 12]++; } _probe _pmu("context-switches", 1) { switches++; }
     _probe _pmu("cpu-migrations", 1) { }
     _probe _end { printf("%ld %ld %ld\\n", clock, faults, switches); _foreach (page in pages) printf("%ld ", page); }`;
  const run = await startRun(context, onProcess(target.pid), code);
  const before = { ...target.switches(), faults: target.faults() };
  const [ns] = await target.ask('spin 1 300');
  await target.ask('sleep 20');
  const [address] = await target.ask('fault 100');
  const after = { ...target.switches(), faults: target.faults() };
  const { output } = await run.stop();
  const [counts, pages] = output.text.split('\n').map((line) => line.trim().split(' ').map(Number));
  const [clock, faults, switches] = counts!;
  expect(pages).toEqual(expect.arrayContaining(Array.from({ length: 100 }, (_, page) => address! / 4096 + page)));
  expect(Math.abs(clock! - ns! / 1e6)).toBeLessThan(0.2 * (ns! / 1e6) + 10);
  expect(faults).toBe(after.faults - before.faults);
  expect(switches).toBeGreaterThanOrEqual(after.off - before.off);
  const hasCounters = probeFeatures().some(({ name, works }) => name === 'hardware counters' && works);
  if (hasCounters) return;
  await expect(startRun(context, onProcess(target.pid), 'long n; _probe _pmu("cycles", 1000000) { n++; }')).rejects.toThrow(
    'this machine has no counter for cycles',
  );
});

test('functions of the kernel: counted, or refused with the reason that doctor gives', async (context) => {
  const target = await Points.start(context);
  const code = (probe: string) => `long n; _probe ${probe} { n++; } _probe _end { printf("%ld\\n", n); }`;
  const works = (wanted: string) => probeFeatures().find(({ name }) => name === wanted)!;
  const [hooks, probes] = [works('kernel function hooks'), works('kernel function probes')];
  const started = startRun(context, onProcess(target.pid), code('_kfunc.do_sys_openat2'));
  if (!hooks.works && !probes.works) {
    await expect(started).rejects.toThrow(`cannot be probed: ${probes.why}; `);
    await expect(started).rejects.toThrow('use a tracepoint: _tracepoint.');
    return;
  }
  const run = await started;
  await target.ask('open /etc/hostname 11');
  expect((await run.stop()).output.text).toBe('11\n');
});

test('what is not known in the kernel is refused with what to use in its place', async (context) => {
  const target = await Points.start(context);
  const refused = (code: string) => expect(startRun(context, onProcess(target.pid), code)).rejects;
  await refused('_probe _cpu.on { printf("%s\\n", _ubt()); }').toThrow('its stack cannot be walked');
  await refused('_probe _cpu.on { printf("%d\\n", _read(int, 4096)); }').toThrow("the target's memory cannot be read");
  await refused('_probe _syscall.read { printf("%s\\n", _exe()); }').toThrow('_exe() is not known inside the kernel');
  await refused('_probe _syscall.read { printf("%s\\n", _container()); }').toThrow('use _cgroup()');
});

test('_cgroup() is the inode of the control group, also of a thread that gets a CPU', async (context) => {
  const target = await Points.start(context);
  const path = findCgroupPath(target.pid);
  requireOrSkip(context, path !== undefined, 'the target is in no control group (cgroup v2)');
  const run = await startRun(
    context,
    onProcess(target.pid),
    `unsigned long now, next; int uid = -1, parent;
     _probe _cpu.off { now = _cgroup(); } _probe _cpu.on { next = _cgroup(); uid = _uid(); parent = _ppid(); }
     _probe _end { printf("%lu %lu %d %d %lu\\n", now, next, uid, parent, _cgroup()); }`,
  );
  await target.ask('sleep 2');
  const { output } = await run.stop();
  const id = findCgroupId(path!);
  const expected = id.ok ? id.value : 'unreadable';
  expect(output.text).toBe(`${expected} ${expected} ${process.getuid!()} ${process.pid} ${expected}\n`);
});

test('stacks of threads that lose the CPU are whole', async (context) => {
  const target = await Points.start(context);
  const run = await startRun(
    context,
    onProcess(target.pid),
    'long n[_bt]; _probe _cpu.off { n[_ubt()]++; } _probe _end { _foreach (bt, count in n; sort desc by count; limit 1) printf("%ld %s\\n", count, _sym_ubt(bt)); }',
  );
  await target.ask('sleep 60');
  const { output } = await run.stop();
  expect(Number(output.text.split(' ')[0])).toBeGreaterThanOrEqual(55);
  expect(output.text).toMatch(/nanosleep[^]*pause_ms[^]*main/);
});

test('_process.exec and exit of children that run other programs, with the name before and after', async (context) => {
  const target = await Points.start(context);
  const run = await startRun(
    context,
    onProcess(target.pid),
    `long execs[_str], exits[_str];
     _probe _process.exec { execs[_comm()]++; }
     _probe _process.exit { exits[_comm()]++; }
     _probe _end { _foreach (name in execs; sort asc) printf("%s %ld ", name, execs[name]); _foreach (name in exits; sort asc) printf("%s %ld ", name, exits[name]); }`,
  );
  await target.ask('run 4');
  const { output } = await run.stop();
  expect(output.text).toBe('true 4 true 4 ');
});

test.for([{ kind: 'pid', follow: true }, { kind: 'cgroup' }, { kind: 'all' }] as const)(
  'the verifier takes all that asks who gets a CPU: %o',
  (filter, context) => {
    const names = [
      'taskTgid',
      'taskRealParent',
      'taskSignal',
      'taskState',
      'taskComm',
      'taskCredentials',
      'taskCgroups',
      'taskThreadPointer',
    ] as const;
    const further = [
      'credentialsUid',
      'credentialsGid',
      'cgroupSetDefault',
      'cgroupNode',
      'nodeId',
      'signalProcessGroup',
      'pidNumber',
    ] as const;
    const kernel = Object.fromEntries([...names, ...further].map((name, index) => [name, 64 + 8 * index]));
    const text = `_thread long since; long by[_str, int]; long groups[unsigned long];
    _probe _cpu.on { by[_comm(), _tid()] += _now_ns() - since; groups[_cgroup()] += _uid() + _gid() + _ppid() + _pgid() + _tls(); printf("%s %d\\n", _comm(), _pid()); }
    _probe _cpu.off { since = _now_ns(); }`;
    const compiled = compile({ file: 'test.y', text, resolveInclude: () => undefined }, EMPTY_KNOWLEDGE);
    if (!compiled.ok) throw new Error(compiled.error.diagnostics[0]!.message);
    // Side by side, and not.
    for (const taskPid of [60, 48])
      for (const measure of ['nothing', 'time'] as const) {
        const run = loadRun(context, compiled.value.program, { filter, measure, kernel: { ...kernel, taskPid } });
        expect(run.compiled.object.programs.length).toBeGreaterThanOrEqual(2);
      }
  },
);
