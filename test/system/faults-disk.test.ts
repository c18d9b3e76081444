/** A full disk: senders are told to come back, nothing acknowledged is lost or doubled, and it goes on by itself when there is space again. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, type TestContext } from 'vitest';
import { HonestLoad } from '../support/honest-load.ts';
import { makeDirectory, Product, removeDirectory, waitUntil } from '../support/product.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { countSpansOfData, faultsOf } from '../support/stored-spans.ts';

const ROUNDS = 20;
const DISK_BYTES = 96 * 1024 * 1024;

/** A file system of its own, taken away at the test's end; undefined where that is not allowed. */
function mountDisk(context: TestContext): string | undefined {
  const dir = makeDirectory();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', dir], { stdio: 'pipe' });
  } catch {
    removeDirectory(dir);
    return undefined;
  }
  context.onTestFinished(() => {
    execFileSync('umount', ['--lazy', dir]);
    removeDirectory(dir);
  });
  return dir;
}

/** Takes all the space that is left. */
function fill(path: string): void {
  const fd = openSync(path, 'a');
  const chunk = Buffer.alloc(64 * 1024);
  try {
    for (let size = chunk.length; size >= 512;) {
      try {
        if (writeSync(fd, chunk, 0, size) < size) size /= 2;
      } catch {
        size /= 2;
      }
    }
  } finally {
    closeSync(fd);
  }
}

async function fillAndGiveBack(context: TestContext, minFree: string): Promise<void> {
  const disk = mountDisk(context);
  requireOrSkip(context, disk !== undefined, 'cannot mount a tmpfs; run as root');
  const product = await Product.start({ data: join(disk!, 'data'), flags: ['--min-free', minFree, '--log-level', 'warn'] });
  context.onTestFinished(() => product.killTree());
  const ballast = join(disk!, 'ballast');
  const pid = product.children().server;
  const loads: HonestLoad[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const load = new HonestLoad(product.addresses);
    loads.push(load);
    const running = load.run(20_000);
    await waitUntil(() => load.acknowledged.size > 0, 10_000, 'a first answer');
    await sleep((round % 5) * 40);
    await waitUntil(() => (fill(ballast), (load.answers.get(429) ?? 0) > 2), 10_000, 'senders to be turned away');
    rmSync(ballast);
    const acknowledged = load.acknowledged.size;
    await waitUntil(() => load.acknowledged.size > acknowledged, 10_000, 'batches to be taken again');
    load.stop();
    await running;
    await product.settle();
  }
  expect(product.children().server, 'the server was not started anew').toBe(pid);
  expect(await product.stop()).toBe(0);
  expect(new Set(loads.flatMap((load) => load.retryAfter))).toEqual(new Set(['1']));
  expect(new Set(loads.flatMap((load) => [...load.answers.keys()]))).toEqual(new Set([200, 429]));
  const counts = await countSpansOfData(product.data);
  expect(loads.map((load) => faultsOf(load, counts))).toEqual(loads.map(() => ({ lost: [], doubled: [] })));
  expect(statfsSync(disk!).bavail).toBeGreaterThan(0);
}

describe.concurrent('a disk that fills up and is given space again, 20 times', () => {
  test('with space held back for the store', async (context) => fillAndGiveBack(context, '16M'));

  test('to the last byte', async (context) => fillAndGiveBack(context, '0'));
});
