import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { err, ok, type Result } from '../base/index.ts';
import type { Store, StoreError } from '../store/index.ts';
import { Rollup } from './rollup.ts';

/** A store without spans that tells which minutes were counted, and fails or waits as told. */
class FakeStore {
  readonly counted: number[] = [];
  failures = 0;
  gate: Promise<void> | undefined;

  get store(): Store {
    const rows = async (_sql: string, params: { from?: number; minute?: number } = {}): Promise<Result<unknown[], StoreError>> => {
      if (params.from === undefined) return ok([]);
      this.counted.push(params.from / 60_000);
      await this.gate;
      return --this.failures >= 0 ? err({ kind: 'unavailable', message: 'down' }) : ok([{ n: '0' }]);
    };
    const columns = async (): Promise<unknown> => ok({ rows: 0, columns: new Map() });
    return { client: { rows, columns }, layout: { database: 'd', retainDays: 1, fsync: false } } as unknown as Store;
  }
}

const MINUTE = Math.floor(Date.now() / 60_000) - 100;

let dir: string;
let path: string;
let fake: FakeStore;
let rollup: Rollup;
let told: (readonly number[] | string)[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fluoro-rollup-'));
  path = join(dir, 'owed.json');
  fake = new FakeStore();
  told = [];
  rollup = make();
});

afterEach(async () => {
  await rollup.stop();
  rmSync(dir, { recursive: true });
});

function make(): Rollup {
  return new Rollup(fake.store, path, { updated: (minutes) => told.push(minutes), failed: (message) => told.push(message) });
}

function written(): number[] {
  return (JSON.parse(readFileSync(path, 'utf8')) as number[]).sort();
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1_000 && !condition(); tries++) await sleep(10);
}

describe('Rollup', () => {
  test('writes down which minutes are owed before mark() returns: each one, and the one before', () => {
    rollup.mark([MINUTE, MINUTE + 5]);
    expect(written()).toEqual([MINUTE - 1, MINUTE, MINUTE + 4, MINUTE + 5]);
    expect(make().owed).toBe(4);
  });

  test('counts the newest first, and tells', async () => {
    rollup.mark([MINUTE, MINUTE + 5]);
    rollup.start();
    await until(() => rollup.owed === 0 && told.length === 4);
    expect(fake.counted).toEqual([MINUTE + 5, MINUTE + 4, MINUTE, MINUTE - 1]);
    expect(told).toEqual(fake.counted.map((minute) => [minute * 60]));
    expect(written()).toEqual([]);
  });

  test('the minute before one that is not over is counted when that one is', async () => {
    const now = Math.floor(Date.now() / 60_000);
    rollup.mark([now]);
    rollup.start();
    await until(() => told.length === 1);
    await sleep(50);
    expect(fake.counted).toEqual([now]);
    expect(written()).toEqual([now - 1]);
  });

  test('a minute that could not be counted stays owed and is tried again', async () => {
    fake.failures = 1;
    rollup.mark([MINUTE]);
    rollup.start();
    await until(() => told.length === 3);
    expect(told).toEqual(['down', [MINUTE * 60], [(MINUTE - 1) * 60]]);
  });

  test('a minute that is being counted is still owed on disk, also when others are marked meanwhile', async () => {
    let open: () => void = () => undefined;
    fake.gate = new Promise((done) => (open = done));
    rollup.mark([MINUTE]);
    rollup.start();
    await until(() => fake.counted.length === 1);
    rollup.mark([MINUTE + 9]);
    expect(written()).toEqual([MINUTE - 1, MINUTE, MINUTE + 8, MINUTE + 9]);
    open();
  });

  test('spans that come while their minute is counted make it owed again', async () => {
    let open: () => void = () => undefined;
    fake.gate = new Promise((done) => (open = done));
    rollup.mark([MINUTE]);
    rollup.start();
    await until(() => fake.counted.length === 1);
    rollup.mark([MINUTE]);
    open();
    await until(() => fake.counted.length === 3);
    expect(fake.counted).toEqual([MINUTE, MINUTE, MINUTE - 1]);
  });

  test('stop() ends without a complaint, and what is owed stays written', async () => {
    fake.failures = 1e9;
    rollup.mark([MINUTE]);
    rollup.start();
    await until(() => told.length === 1);
    await rollup.stop();
    expect(told).toEqual(['down']);
    expect(written()).toEqual([MINUTE - 1, MINUTE]);
  });

  test('a file that cannot be written is written with the next mark', () => {
    mkdirSync(`${path}.new`);
    rollup.mark([MINUTE]);
    expect(told).toEqual([expect.stringContaining(`cannot write ${path}`)]);
    rmSync(`${path}.new`, { recursive: true });
    rollup.mark([MINUTE]);
    expect(written()).toEqual([MINUTE - 1, MINUTE]);
  });

  test.each(['', '{"a":1}', '["x",1.5,7', 'null'])('a damaged list (%j) counts as none', (text) => {
    writeFileSync(path, text);
    expect(make().owed).toBe(0);
  });
});
