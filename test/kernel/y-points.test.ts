// Probe points of the kernel's in live sessions, compared with what the kernel counts itself.
import { expect, test } from 'vitest';
import { onProcess, startRun } from './support/lively.ts';
import { Points } from './support/points.ts';

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
