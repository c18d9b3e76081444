/** A spool that was damaged on disk while its server was away: what is damaged is counted, told and kept; all the rest reaches the store once. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { EmbeddedStore } from '../../src/store/index.ts';
import { HonestLoad } from '../support/honest-load.ts';
import { makeDirectory, Product, removeDirectory } from '../support/product.ts';
import { StoreProxy } from '../support/store-proxy.ts';
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

/** What was done to the file: the bytes that no longer are a record, and what is said about it. */
interface Damage {
  readonly bytes: Buffer;
  readonly lost: Buffer;
  readonly message: RegExp;
}

const TORN = /ends in bytes that are no whole record/;
const DAMAGED = /damaged on disk/;

const DAMAGES: readonly ((file: Buffer) => Damage)[] = [
  (file) => ({ bytes: Buffer.concat([file, Buffer.from('garbage'.repeat(50))]), lost: Buffer.alloc(0), message: TORN }),
  (file) => {
    const { start, end } = recordsOf(file).at(-1)!;
    return { bytes: file.subarray(0, Math.floor((start + end) / 2)), lost: file.subarray(start, end), message: TORN };
  },
  (file) => flipBit(file, recordsOf(file).length - 1),
  (file) => flipBit(file, Math.floor(recordsOf(file).length / 2)),
  (file) => {
    const { start, end } = recordsOf(file)[1]!;
    const bytes = Buffer.from(file);
    bytes.fill(0, start, start + 28); // its header
    return { bytes, lost: file.subarray(start, end), message: DAMAGED };
  },
];

function flipBit(file: Buffer, index: number): Damage {
  const { start, end } = recordsOf(file)[index]!;
  const bytes = Buffer.from(file);
  bytes[end - 20]! ^= 4;
  return { bytes, lost: file.subarray(start, end), message: DAMAGED };
}

/** The format is described in src/ingest/spool.ts. */
function recordsOf(file: Buffer): { start: number; end: number }[] {
  const records: { start: number; end: number }[] = [];
  for (let start = 0; start < file.length;) {
    const end = start + 28 + file.readUInt32LE(start + 24) * 4 + file.readUInt32LE(start + 4);
    records.push({ start, end });
    start = end;
  }
  return records;
}

async function damageSpool(database: string, context: TestContext): Promise<void> {
  const proxy = await StoreProxy.start(store.address);
  context.onTestFinished(() => proxy.stop());
  const flags = ['--store', proxy.url, '--store-database', database];
  let product = await Product.start({ flags });
  context.onTestFinished(() => product.dispose());
  const { data } = product;
  for (const damage of [...DAMAGES, ...DAMAGES]) {
    proxy.mode = 'down';
    const load = new HonestLoad(product.addresses);
    await load.run(300);
    await product.killTree();
    const path = join(
      data,
      'spool',
      readdirSync(join(data, 'spool')).find((name) => name.endsWith('.log'))!,
    );
    const { bytes, lost, message } = damage(readFileSync(path));
    writeFileSync(path, bytes);

    proxy.mode = 'pass';
    product = await Product.start({ data, flags });
    await product.settle();
    const faults = faultsOf(load, await countStoredSpans(store.address, database));
    expect(faults.doubled).toEqual([]);
    expect(faults.lost).toEqual([...load.acknowledged].filter((id) => lost.includes(Buffer.from(id, 'hex'))));
    expect(lost.length === 0 || faults.lost.length > 0).toBe(true);
    expect(load.acknowledged.size).toBeGreaterThan(faults.lost.length);
    await expectTold(product, message);
  }
  expect(await product.stop()).toBe(0);
}

/** Logged with the files that the bytes are kept in, and counted. */
async function expectTold(product: Product, message: RegExp): Promise<void> {
  const told = product.log.find((line) => message.test(String(line['msg'])));
  const { bytes, kept } = told as { bytes: number; kept: string[] };
  expect(kept.map((path) => readFileSync(path).length).reduce((sum, size) => sum + size, 0)).toBe(bytes);
  expect(await product.metric('fluoroscope_spool_damaged_bytes')).toBe(bytes);
}

describe.concurrent('a spool damaged while nothing runs, 20 times in two products', () => {
  test('first ten', async (context) => damageSpool('damaged_a', context));

  test('other ten', async (context) => damageSpool('damaged_b', context));
});
