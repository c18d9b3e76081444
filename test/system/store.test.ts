/** The store's tables: how they come about, how long rows stay, and a cluster of two. */
import { randomBytes } from 'node:crypto';
import { appendFileSync, renameSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { basename, dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SpanRow } from '../../src/record/index.ts';
import { RowsOfDocuments } from '../../src/record/index.ts';
import {
  ByteWriter,
  EmbeddedStore,
  type Layout,
  openStore,
  readTraceRows,
  SpanBlock,
  type Store,
  StoreClient,
  StoredSettings,
} from '../../src/store/index.ts';
import type { SegmentDocument, TraceId } from '../../src/trace/index.ts';
import { makeDirectory, removeDirectory } from '../support/product.ts';

const LAYOUT: Layout = { database: 'plain', retainDays: 30, fsync: true };
const NOW = Math.floor(Date.now() / 1000);

const directories: string[] = [];
const stores: EmbeddedStore[] = [];
const opened: Store[] = [];
let nodes: readonly [EmbeddedStore, EmbeddedStore];

/** Two nodes that know each other as the cluster `pair`; each also serves for the tests of a single store. */
beforeAll(async () => {
  const ports = await freePorts(4);
  const password = randomBytes(12).toString('hex');
  const shards = [`127.0.0.1:${ports[1]}`, `127.0.0.1:${ports[3]}`];
  const start = async (http: number, tcp: number): Promise<EmbeddedStore> => {
    const dir = makeDirectory();
    directories.push(dir);
    const node = await EmbeddedStore.start({ dir, password, ports: { http, tcp }, clusters: { pair: shards }, memoryBytes: 1e9 });
    stores.push(node);
    return node;
  };
  nodes = [await start(ports[0]!, ports[1]!), await start(ports[2]!, ports[3]!)];
});

afterAll(async () => {
  for (const store of opened) await store.client.close();
  for (const store of stores) await store.stop();
  for (const dir of directories) removeDirectory(dir);
});

async function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(probes.map((probe) => new Promise((done) => probe.once('listening', done))));
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port);
  await Promise.all(probes.map((probe) => new Promise((done) => probe.close(done))));
  return ports;
}

async function open(layout: Layout, addresses = [nodes[0].address]): Promise<Store> {
  const store = await openStore(addresses, layout);
  if (!store.ok) throw new Error(store.error.message);
  opened.push(store.value);
  return store.value;
}

async function query<T>(store: Store | StoreClient, sql: string): Promise<T[]> {
  const rows = await ('client' in store ? store.client : store).rows<T>(sql);
  if (!rows.ok) throw new Error(rows.error.message);
  return rows.value;
}

async function count(store: Store | StoreClient, table: string): Promise<number> {
  return Number((await query<{ n: string }>(store, `SELECT count() AS n FROM ${table}`))[0]!.n);
}

function blockOf(rows: readonly SpanRow[]): Uint8Array {
  const block = new SpanBlock();
  for (const row of rows) block.push(row, NOW);
  const out = new ByteWriter();
  block.takeBlock(out);
  return out.bytes();
}

/** A block of one-span traces. */
function blockOfTraces(traces: number): Uint8Array {
  const rows: SpanRow[] = [];
  const writer = new RowsOfDocuments();
  for (let index = 0; index < traces; index++) {
    const document: SegmentDocument = {
      id: randomBytes(8).toString('hex'),
      name: 'shop',
      start_time: NOW,
      end_time: NOW + 1,
      trace_id: '',
    };
    const trace = randomBytes(16).toString('hex') as TraceId;
    writer.append({ ...document, trace_id: trace }, trace, rows);
  }
  return blockOf(rows);
}

async function insert(store: Store, block: Uint8Array, token: string): Promise<void> {
  expect(await store.client.insertBlocks(`${store.layout.database}.spans`, [block], token)).toEqual({ ok: true, value: undefined });
}

describe('a cluster of two', () => {
  const layout: Layout = { database: 'shared', retainDays: 30, fsync: true, cluster: 'pair' };
  const block = blockOfTraces(400);
  let store: Store;
  let other: Store;

  beforeAll(async () => {
    store = await open(layout, [nodes[0].address, nodes[1].address]);
    other = await open(layout, [nodes[1].address, nodes[0].address]);
  });

  test('splits the rows between the nodes by trace, and either shows all of them', async () => {
    await insert(store, block, 'token');
    const shares = [await count(store, 'shared.spans_local'), await count(other, 'shared.spans_local')];
    expect(shares[0]! + shares[1]!).toBe(400);
    expect(Math.min(...shares)).toBeGreaterThan(100);
    expect([await count(store, 'shared.spans'), await count(other, 'shared.spans')]).toEqual([400, 400]);
  });

  test('stores a batch once, through whichever node it is sent', async () => {
    await insert(store, block, 'token');
    await insert(other, block, 'token');
    expect(await count(other, 'shared.spans')).toBe(400);
    await insert(other, blockOfTraces(5), 'next');
    expect(await count(store, 'shared.spans')).toBe(405);
  });

  test('of changes of a setting through both nodes one wins, and both see it', async () => {
    const [here, there] = [await StoredSettings.open(store, 60_000), await StoredSettings.open(other, 60_000)];
    if (!here.ok || !there.ok) return expect.fail('the settings cannot be read');
    for (const id of ['a', 'b', 'c', 'd']) {
      const key = { kind: 'group', id };
      const changes = await Promise.all([1, 2, 3, 4].map(async (value) => (value % 2 ? here : there).value.put(key, value, 0)));
      expect(changes.filter(({ ok }) => ok)).toHaveLength(1);
    }
    await Promise.all([here.value.refresh(), there.value.refresh()]);
    expect(here.value.list('group')).toHaveLength(4);
    expect(here.value.list('group')).toEqual(there.value.list('group'));
    here.value.close();
    there.value.close();
  });

  test('goes on with the other node when the one it speaks to is away', async () => {
    const [port] = await freePorts(1);
    const away = { ...nodes[0].address, url: `http://127.0.0.1:${port}` };
    const client = new StoreClient([away, nodes[1].address]);
    expect(await count(client, 'shared.spans')).toBe(405);
    expect(await client.insertBlocks('shared.spans', [block], 'token')).toMatchObject({ ok: true });
    expect(await count(client, 'shared.spans')).toBe(405);
    await client.close();
  });

  test('a node that joins later gets its tables', async () => {
    const later = { ...layout, database: 'later' };
    await open(later, [nodes[0].address]);
    const both = await open(later, [nodes[0].address, nodes[1].address]);
    await insert(both, blockOfTraces(50), 'token');
    expect(await count(both, 'later.spans')).toBe(50);
  });

  test('a trace is found whole through either', async () => {
    const trace = randomBytes(16).toString('hex') as TraceId;
    const rows: SpanRow[] = [];
    const embedded = ['1', '2', '3'].map((id) => ({ id: id.repeat(16), name: 'part', start_time: NOW, end_time: NOW }));
    const document = { id: 'f'.repeat(16), trace_id: trace, name: 'whole', start_time: NOW, end_time: NOW + 1, subsegments: embedded };
    new RowsOfDocuments().append(document, trace, rows);
    await insert(store, blockOf(rows), 'whole');
    for (const one of [store, other]) {
      const found = await readTraceRows(one, [trace]);
      expect(found.ok && found.value.get(trace)?.length).toBe(4);
    }
  });
});

describe('openStore()', () => {
  test('makes the tables, and finds them again with what is in them', async () => {
    await insert(await open(LAYOUT), blockOfTraces(3), 'first');
    const again = await open(LAYOUT);
    expect(await count(again, 'plain.spans')).toBe(3);
    const names = await query<{ name: string }>(again, `SELECT name FROM system.tables WHERE database = 'plain' ORDER BY name`);
    expect(names.map(({ name }) => name)).toEqual(['graph_minutes', 'migrations', 'sampling_reports', 'settings', 'spans']);
    expect(await query(again, 'SELECT version, name FROM plain.migrations ORDER BY version')).toEqual([
      { version: 1, name: 'spans and graph_minutes' },
      { version: 2, name: 'settings and sampling_reports' },
    ]);
  });

  test('by two servers at once does no harm', async () => {
    const layout = { ...LAYOUT, database: 'at_once' };
    const [first] = await Promise.all([open(layout), open(layout), open(layout)]);
    expect(await count(first!, 'at_once.spans')).toBe(0);
  });

  test('refuses a store of a newer version, and says so', async () => {
    const layout = { ...LAYOUT, database: 'newer' };
    const store = await open(layout);
    await store.client.command(`INSERT INTO newer.migrations (version, name) VALUES (7, 'from the future')`);
    expect(await openStore([nodes[0].address], layout)).toEqual({
      ok: false,
      error: { kind: 'refused', message: expect.stringMatching(/newer version \(its schema is 7, this version knows 2\): upgrade/) },
    });
  });

  test('says that a password is wrong, and that nobody is there', async () => {
    const wrong = await openStore([{ ...nodes[0].address, password: 'wrong' }], LAYOUT);
    expect(wrong).toMatchObject({ ok: false, error: { message: expect.stringContaining('AUTHENTICATION_FAILED (516)') } });
    const [port] = await freePorts(1);
    const nobody = await openStore([{ ...nodes[0].address, url: `http://127.0.0.1:${port}` }], LAYOUT);
    expect(nobody).toMatchObject({ ok: false, error: { kind: 'unavailable', message: expect.stringContaining('does not answer') } });
  });

  test('changes how long rows are kept', async () => {
    const layout = { ...LAYOUT, database: 'kept' };
    await open(layout);
    const store = await open({ ...layout, retainDays: 3 });
    const tables = await query<{ sql: string }>(
      store,
      `SELECT create_table_query AS sql FROM system.tables WHERE database = 'kept' AND name IN ('spans', 'graph_minutes')`,
    );
    expect(tables.map(({ sql }) => /TTL .*? (toIntervalDay\(\d+\))/.exec(sql)?.[1])).toEqual(['toIntervalDay(3)', 'toIntervalDay(3)']);
  });

  test('stores a batch once, however often it is sent', async () => {
    const store = await open({ ...LAYOUT, database: 'once' });
    const block = blockOfTraces(10);
    for (let tries = 0; tries < 3; tries++) await insert(store, block, 'token');
    expect(await count(store, 'once.spans')).toBe(10);
    await Promise.all(Array.from({ length: 5 }, () => insert(store, blockOfTraces(7), 'other')));
    expect(await count(store, 'once.spans')).toBe(17);
    const both = await store.client.insertBlocks('once.spans', [blockOfTraces(2), blockOfTraces(3)], 'third');
    expect(both.ok).toBe(true);
    expect(await count(store, 'once.spans')).toBe(22);
  });
});

describe('a store that is killed while it stores a batch', () => {
  const layout: Layout = { ...LAYOUT, database: 'cut' };

  /** Inserts a batch, ends the store, does `harm` to the table's parts, and sends the batch again to a new one; the rows then, and what was told. */
  async function rowsAfter(harm: (table: string, part: string) => void): Promise<{ rows: number; told: string[] }> {
    const dir = makeDirectory();
    const told: string[] = [];
    const block = blockOfTraces(5);
    try {
      for (const round of [1, 2]) {
        const node = await EmbeddedStore.start({ dir, onEvent: (event) => told.push(event.kind) });
        const store = await openStore([node.address], layout);
        if (!store.ok) throw new Error(store.error.message);
        await insert(store.value, block, 'token');
        const parts = await query<{ path: string }>(
          store.value,
          `SELECT path FROM system.parts WHERE database = 'cut' AND table = 'spans'`,
        );
        const rows = await count(store.value, 'cut.spans');
        await store.value.client.close();
        await node.stop();
        if (round === 2) return { rows, told };
        const path = parts[0]!.path.replace(/\/$/, '');
        harm(dirname(path), basename(path));
      }
      throw new Error('not reached');
    } finally {
      removeDirectory(dir);
    }
  }

  test('takes it again when it had noted the token but not yet the rows', async () => {
    // What the kill leaves behind: the finished part under its temporary name.
    const cutOff = await rowsAfter((table, part) => renameSync(join(table, part), join(table, `tmp_insert_${part}`)));
    expect(cutOff).toEqual({ rows: 5, told: ['ready', 'repaired', 'ready'] });
  });

  test('stores it once when the rows are in their place', async () => {
    expect(await rowsAfter(() => undefined)).toEqual({ rows: 5, told: ['ready', 'ready'] });
  });

  test('starts with a log that was cut off', async () => {
    const log = (table: string): string => join(table, 'deduplication_logs', 'deduplication_log_1.txt');
    expect(await rowsAfter((table) => appendFileSync(log(table), '1\t2026'))).toEqual({ rows: 5, told: ['ready', 'repaired', 'ready'] });
  });
});

test('any row comes back from the store as it was', async () => {
  const store = await open({ ...LAYOUT, database: 'rows' });
  const rows = anyRows(500);
  await insert(store, blockOf(rows), 'rows');
  const found = await readTraceRows(store, [...new Set(rows.map((row) => row.traceId))]);
  if (!found.ok) throw new Error(found.error.message);
  const byId = new Map([...found.value.values()].flat().map((row) => [row.spanId, row]));
  expect(byId.size).toBe(rows.length);
  for (const row of rows) expect(withSortedAttributes(byId.get(row.spanId)!)).toEqual(withSortedAttributes(row));
});

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('', 'shop', '\u0000', '\u001f', 'x'.repeat(300), 'é'.repeat(100)),
);
const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((id) => Buffer.from(id).toString('hex'));
const uint = (max: number): fc.Arbitrary<number> => fc.oneof(fc.constantFrom(0, max), fc.integer({ min: 0, max }));

const anyRow: fc.Arbitrary<SpanRow> = fc
  .record({
    traceId: hex(16),
    spanId: fc.constant(''),
    parentId: fc.oneof(fc.constant(''), hex(8)),
    startSeconds: fc.integer({ min: NOW - 20 * 86_400, max: NOW }),
    startNanos: uint(999_999_999),
    durationNanos: uint(8e15),
    flags: uint(255),
    status: uint(65_535),
    name: text,
    service: text,
    type: text,
    peer: text,
    peerType: text,
    url: text,
    method: text,
    userAgent: text,
    clientIp: text,
    user: text,
    attributes: fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key, maxLength: 12 }),
    resource: text,
    shape: text,
    rest: text,
  })
  .map(({ attributes, ...row }) => ({
    ...row,
    attributeKeys: attributes.map(([key]) => key),
    attributeValues: attributes.map(([, value]) => value),
  }));

function anyRows(wanted: number): SpanRow[] {
  return fc
    .sample(anyRow, { numRuns: wanted, seed: 1 })
    .map((row, index) => ({ ...row, spanId: (index + 1).toString(16).padStart(16, '0') }));
}

/** The store keeps a row's attributes in an order of its own. */
function withSortedAttributes(row: SpanRow): unknown {
  const { attributeKeys, attributeValues, ...others } = row;
  return { ...others, attributes: attributeKeys.map((key, index) => JSON.stringify([key, attributeValues[index]])).sort() };
}
