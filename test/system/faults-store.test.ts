/** A store that is slow, and one whose answers are lost: nothing is lost or stored twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EmbeddedStore } from '../../src/store/index.ts';
import { HonestLoad } from '../support/honest-load.ts';
import { makeDirectory, Product, removeDirectory, waitUntil } from '../support/product.ts';
import { type ProxyMode, StoreProxy } from '../support/store-proxy.ts';
import { countStoredSpans, faultsOf } from '../support/stored-spans.ts';

const dir = makeDirectory();
let store: EmbeddedStore;

beforeAll(async () => {
  store = await EmbeddedStore.start({ dir });
});

afterAll(async () => {
  await store.stop();
  removeDirectory(dir);
});

interface Plan {
  readonly database: string;
  readonly rounds: number;
  readonly mode: ProxyMode;
  readonly ended: (clean: () => Promise<void>) => void;
}

/** Loads while the proxy misbehaves, until it has done so to an insert; then waits until the store has everything. */
async function trouble({ database, rounds, mode, ended }: Plan): Promise<void> {
  const proxy = await StoreProxy.start(store.address);
  ended(() => proxy.stop());
  const product = await Product.start({ flags: ['--store', proxy.url, '--store-database', database] });
  ended(() => product.dispose());
  const loads: HonestLoad[] = [];
  for (let round = 0; round < rounds; round++) {
    const load = new HonestLoad(product.addresses);
    loads.push(load);
    const hitsBefore = proxy.hits;
    proxy.mode = mode;
    await load.run(300);
    await waitUntil(() => proxy.hits > hitsBefore, 10_000, 'an insert to be hit');
    if (mode === 'lose-answers') await sleep((round % 4) * 150); // the answers of retries are lost too
    proxy.mode = 'pass';
    await product.settle();
  }
  expect(await product.stop()).toBe(0);
  expect(proxy.hits).toBeGreaterThanOrEqual(rounds);
  const counts = await countStoredSpans(store.address, database);
  expect(loads.map((load) => faultsOf(load, counts))).toEqual(loads.map(() => ({ lost: [], doubled: [] })));
  expect(Math.min(...loads.map((load) => load.acknowledged.size))).toBeGreaterThan(0);
}

describe.concurrent('20 times (most of the time is waiting)', () => {
  test('a store that is slow by 5 s, first ten', async (context) =>
    trouble({ database: 'slow_a', rounds: 10, mode: 'slow', ended: context.onTestFinished }));

  test('a store that is slow by 5 s, other ten', async (context) =>
    trouble({ database: 'slow_b', rounds: 10, mode: 'slow', ended: context.onTestFinished }));

  test('a store whose answers are lost after it has stored the batch', async (context) =>
    trouble({ database: 'mute', rounds: 20, mode: 'lose-answers', ended: context.onTestFinished }));
});
