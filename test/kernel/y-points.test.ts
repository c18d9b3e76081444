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
