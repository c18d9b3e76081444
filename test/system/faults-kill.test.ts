/** Processes killed under load: whatever was acknowledged is in the store exactly once afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HonestLoad } from '../support/honest-load.ts';
import { makeDirectory, Product, waitUntil } from '../support/product.ts';
import { countSpansOfData, faultsOf } from '../support/stored-spans.ts';

const ROUNDS = 20;
/** Fine steps at first, when the first insert of a round is under way; then anywhere in the load. */
const KILL_AFTER_MS = Array.from({ length: ROUNDS }, (_, round) => (round % 2 === 0 ? 5 + round * 6 : 60 + round * 17));
const LOAD_MS = 400;

/** Kills one child in the midst of each of the loads; the product goes on by itself. */
async function killChildren(which: 'server' | 'store', ended: (clean: () => Promise<void>) => void): Promise<void> {
  const product = await Product.start();
  ended(() => product.dispose());
  const loads: HonestLoad[] = [];
  for (const afterMs of KILL_AFTER_MS) {
    const load = new HonestLoad(product.addresses);
    loads.push(load);
    const running = load.run(LOAD_MS);
    await waitUntil(() => load.acknowledged.size > 0, 10_000, 'a first answer');
    await sleep(afterMs);
    expect(product.killChild(which)).toBe(true);
    await running;
    await waitUntil(() => product.children()[which] !== undefined, 10_000, `the ${which} to be started again`);
    await product.settle();
  }
  expect(product.log.filter((line) => String(line['msg']).includes(`the ${which} died`))).toHaveLength(ROUNDS);
  expect(await product.stop()).toBe(0);
  const counts = await countSpansOfData(product.data);
  expect(loads.map((load) => faultsOf(load, counts))).toEqual(loads.map(() => ({ lost: [], doubled: [] })));
  expect(Math.min(...loads.map((load) => load.acknowledged.size))).toBeGreaterThan(0);
}

describe.concurrent('SIGKILL under load, 20 times', () => {
  test('of the store', async (context) => killChildren('store', context.onTestFinished));

  test('of the server', async (context) => killChildren('server', context.onTestFinished));
});

test('SIGKILL of supervisor, server and store under load, 20 times, each followed by a start on the same data', async () => {
  const data = makeDirectory();
  let product = await Product.start({ data });
  onTestFinished(() => product.dispose());
  const loads: HonestLoad[] = [];
  for (const afterMs of KILL_AFTER_MS) {
    const load = new HonestLoad(product.addresses);
    loads.push(load);
    const running = load.run(10_000);
    await waitUntil(() => load.acknowledged.size > 0, 10_000, 'a first answer');
    await sleep(afterMs);
    await product.killTree();
    load.stop();
    await running;
    product = await Product.start({ data });
  }
  await product.settle();
  expect(await product.stop()).toBe(0);
  const counts = await countSpansOfData(data);
  expect(loads.map((load) => faultsOf(load, counts))).toEqual(loads.map(() => ({ lost: [], doubled: [] })));
  expect(Math.min(...loads.map((load) => load.acknowledged.size))).toBeGreaterThan(0);
});
