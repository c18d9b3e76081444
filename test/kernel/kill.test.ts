// A tracer that is killed leaves nothing behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { callBpf } from '../../src/native/index.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { until } from '../support/until.ts';
import { loadOrSkip } from './support/kernel.ts';
import { TargetProgram } from './support/target.ts';

const BUILT = new URL('../../dist/kernel/index.js', import.meta.url);
const TRACER = new URL('./support/hold-probes.mjs', import.meta.url);
const LINK_GET_NEXT_ID = 31;

/** Ids of the BPF links and programs whose descriptors a process holds. */
function heldIds(pid: number, kind: 'link_id' | 'prog_id'): Set<number> {
  const ids = new Set<number>();
  for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
    const id = new RegExp(`^${kind}:\\s*(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1];
    if (id !== undefined) ids.add(Number(id));
  }
  return ids;
}

/** Ids of all BPF links in the kernel. */
function allLinkIds(): Set<number> {
  const ids = new Set<number>();
  for (let id = 0; ;) {
    const next = callBpf(
      'LINK_GET_NEXT_ID',
      LINK_GET_NEXT_ID,
      12,
      (attributes) => attributes.setU32(0, id),
      (attributes) => (id = attributes.getU32(4)),
    );
    if (!next.ok) return ids;
    ids.add(id);
  }
}

test('SIGKILL ends probes and links, and takes the breakpoint out of the target', async (context) => {
  loadOrSkip(context, { maps: [], programs: [] });
  requireOrSkip(context, existsSync(BUILT), 'not built; run ./fluoro build');
  const target = await TargetProgram.start(context);
  const before = target.firstByte();
  const tracer = spawn(process.execPath, [TRACER.pathname, target.path, String(target.functionOffset), String(target.pid)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.onTestFinished(() => void tracer.kill('SIGKILL'));
  await once(tracer.stdout, 'data');

  const links = heldIds(tracer.pid!, 'link_id');
  expect(links.size).toBe(2); // the uprobe_multi link and the raw tracepoint; the others are perf events
  expect([...links].every((id) => allLinkIds().has(id))).toBe(true);
  expect(target.firstByte()).not.toBe(before);

  tracer.kill('SIGKILL');
  await once(tracer, 'exit');
  const rest = await until(
    async () => ({ byte: target.firstByte(), links: [...links].filter((id) => allLinkIds().has(id)) }),
    ({ byte, links: left }) => byte === before && left.length === 0,
    10_000,
  );
  expect(rest).toEqual({ byte: before, links: [] });
  expect(await target.call(5)).toBe(0);
});
