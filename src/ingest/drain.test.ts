import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { err, ok, type Result } from '../base/index.ts';
import type { Store, StoreError } from '../store/index.ts';
import { Drain } from './drain.ts';
import { Spool } from './spool.ts';

type Outcome = Result<undefined, StoreError>;

const DOWN: Outcome = err({ kind: 'unavailable', message: 'down' });

/** A store that answers as told: the real one cannot be made to refuse on demand. */
class FakeStore {
  readonly inserts: { readonly token: string; readonly text: string; readonly atMs: number }[] = [];
  outcomes: Outcome[] = [];
  otherwise: Outcome = ok(undefined);
  /** Held back until this resolves. */
  gate: Promise<void> | undefined;

  get store(): Store {
    const insertBlocks = async (_table: string, blocks: readonly Uint8Array[], token: string): Promise<Outcome> => {
      this.inserts.push({ token, text: Buffer.concat(blocks).toString(), atMs: performance.now() });
      await this.gate;
      return this.outcomes.shift() ?? this.otherwise;
    };
    return { client: { insertBlocks }, layout: { database: 'd', retainDays: 1, fsync: false } } as unknown as Store;
  }
}

let dir: string;
let fake: FakeStore;
let spool: Spool;
let drain: Drain;
const told = { stored: [] as number[][], failed: [] as [string, number][], setAside: [] as [string, number, string][] };

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fluoro-drain-'));
  fake = new FakeStore();
  spool = Spool.open(dir);
  for (const list of Object.values(told)) list.length = 0;
  drain = new Drain(spool, fake.store, dir, {
    stored: async (minutes) => void told.stored.push([...minutes]),
    failed: (message, retryMs) => void told.failed.push([message, retryMs]),
    setAside: (path, rows, message) => void told.setAside.push([path, rows, message]),
  });
});

afterEach(async () => {
  vi.useRealTimers();
  await drain.stop(100);
  spool.close();
  rmSync(dir, { recursive: true });
});

async function put(text: string, minute = 5): Promise<void> {
  await spool.append({ payload: Buffer.from(text), rows: 1, minutes: [minute] });
  drain.notify();
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2_000 && !condition(); tries++) await sleep(5);
}

/** From here on the drain's waits take no time; what reads and writes files is not touched. */
function hurry(): (condition: () => boolean) => Promise<void> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  return async (condition) => {
    for (let tries = 0; tries < 2_000 && !condition(); tries++) {
      await vi.advanceTimersByTimeAsync(500);
      await new Promise((done) => setImmediate(done));
    }
  };
}

describe('Drain', () => {
  test('sends at once what comes after a rest, then once a second what has gathered', async () => {
    drain.start();
    await put('a', 1);
    await until(() => told.stored.length === 1);
    await put('b', 2);
    await put('c', 3);
    await until(() => told.stored.length === 2);
    expect(fake.inserts.map((insert) => insert.text)).toEqual(['a', 'bc']);
    expect(fake.inserts[1]!.atMs - fake.inserts[0]!.atMs).toBeGreaterThan(900);
    expect(told.stored).toEqual([[1], [2, 3]]);
    expect(spool.records).toBe(0);
  });

  test('tries again with the same batch under the same token, each time after twice as long', async () => {
    fake.outcomes = [DOWN, DOWN, DOWN];
    drain.start();
    await put('a');
    await until(() => told.failed.length === 1);
    await put('late'); // neither joins the batch nor hurries it
    await until(() => told.stored.length === 1);
    expect(fake.inserts.slice(0, 4).map(({ token, text }) => [token, text])).toEqual(
      Array.from({ length: 4 }, () => [fake.inserts[0]!.token, 'a']),
    );
    expect(told.failed).toEqual([
      ['down', 100],
      ['down', 200],
      ['down', 400],
    ]);
    const waits = fake.inserts.slice(1, 4).map((insert, index) => insert.atMs - fake.inserts[index]!.atMs);
    expect(waits.map((wait, index) => wait >= 100 * 2 ** index - 5)).toEqual([true, true, true]);
    await until(() => told.stored.length === 2);
    expect(fake.inserts.at(-1)!.text).toBe('late');
  });

  test('sets a batch aside that the store refuses for good, and goes on', async () => {
    const refused: Outcome = err({ kind: 'refused', message: 'INCORRECT_DATA (117)', code: '117' });
    fake.outcomes = Array<Outcome>(8).fill(refused);
    const soon = hurry();
    drain.start();
    await put('bad');
    await soon(() => told.failed.length === 7);
    await put('good');
    await soon(() => told.stored.length === 1);
    const [path, rows, message] = told.setAside[0]!;
    expect([readFileSync(path, 'utf8'), rows, message]).toEqual(['bad', 1, 'INCORRECT_DATA (117)']);
    expect(fake.inserts.map((insert) => insert.text)).toEqual([...Array<string>(8).fill('bad'), 'good']);
    expect(Spool.open(dir).records).toBe(0);
  });

  test('keeps a batch that cannot be set aside', async () => {
    writeFileSync(join(dir, 'refused'), 'in the way');
    fake.otherwise = err({ kind: 'refused', message: 'bad', code: '117' });
    const soon = hurry();
    drain.start();
    await put('bad');
    await soon(() => told.failed.length >= 8);
    expect(told.setAside).toEqual([]);
    expect(spool.records).toBe(1);
  });

  test.each([
    ['a missing table', '60'],
    ['a missing database', '81'],
    ['no rights', '497'],
  ])('waits as long as it takes when the fault is the store’s: %s', async (_, code) => {
    fake.outcomes = Array<Outcome>(9).fill(err({ kind: 'refused', message: 'not now', code }));
    const soon = hurry();
    drain.start();
    await put('a');
    await soon(() => told.stored.length === 1);
    expect(told.setAside).toEqual([]);
    expect(fake.inserts).toHaveLength(10);
  });

  test('stop() sends what waits', async () => {
    drain.start();
    await put('a');
    await until(() => told.stored.length === 1);
    await put('b');
    await drain.stop(5_000);
    expect(fake.inserts.map((insert) => insert.text)).toEqual(['a', 'b']);
    expect(spool.records).toBe(0);
  });

  test('stop() leaves in the spool what a store that is down does not take', async () => {
    fake.otherwise = DOWN;
    drain.start();
    await put('a');
    await until(() => told.failed.length > 0);
    const startedMs = performance.now();
    await drain.stop(5_000);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(Spool.open(dir).records).toBe(1);
  });

  test('stop() waits no longer than it was told for a store that does not answer', async () => {
    let open: () => void = () => undefined;
    fake.gate = new Promise((done) => (open = done));
    drain.start();
    await put('a');
    await until(() => fake.inserts.length === 1);
    const startedMs = performance.now();
    await drain.stop(200);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(Spool.open(dir).records).toBe(1);
    open();
  });
});
