import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStore, type TestStore } from '../../test/support/store.ts';
import { readSamplingReports, writeSamplingReports } from './sampling-reports.ts';
import { StoredSettings } from './settings.ts';

let store: TestStore;
let here: StoredSettings;
let there: StoredSettings;

async function open(pollMs: number): Promise<StoredSettings> {
  const opened = await StoredSettings.open(store.store, pollMs);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

beforeAll(async () => {
  store = await startTestStore();
  here = await open(60_000);
  there = await open(60_000);
}, 60_000);

afterAll(async () => {
  here?.close();
  there?.close();
  await store?.stop();
});

const key = (id: string, kind = 'group'): { kind: string; id: string } => ({ kind, id });

describe('StoredSettings', () => {
  test('put() is seen at once here, and elsewhere with the next poll', async () => {
    const put = await here.put(key('a'), { text: 'ünï "code"' }, 0);
    expect(put).toMatchObject({ ok: true, value: { id: 'a', version: 1, value: { text: 'ünï "code"' } } });
    expect(here.find(key('a'))?.value).toEqual({ text: 'ünï "code"' });
    expect(there.find(key('a'))).toBeUndefined();
    await there.refresh();
    expect(there.find(key('a'))).toEqual(here.find(key('a')));
  });

  test('polls by itself', async () => {
    const polling = await open(20);
    await here.put(key('polled'), 1, 0);
    for (let tries = 0; polling.find(key('polled')) === undefined && tries < 200; tries++) await sleep(20);
    expect(polling.find(key('polled'))?.value).toBe(1);
    polling.close();
  });

  test('put() refuses a change of another version', async () => {
    await here.put(key('b'), 1, 0);
    expect(await here.put(key('b'), 2, 0)).toMatchObject({ ok: false, error: { kind: 'conflict' } });
    expect(await there.put(key('b'), 2, 1)).toMatchObject({ ok: true, value: { version: 2 } });
    expect(await here.put(key('b'), 3, 1)).toMatchObject({ ok: false, error: { kind: 'conflict' } });
    expect(await here.put(key('b'), 3, 'any')).toMatchObject({ ok: true, value: { version: 3, value: 3 } });
  });

  test('of changes made at the same time one wins', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => (index % 2 === 0 ? here : there).put(key('race'), index, 0)),
    );
    const winners = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value.value] : []));
    expect(winners).toHaveLength(1);
    await here.refresh();
    expect(here.find(key('race'))).toMatchObject({ version: 1, value: winners[0] });
  });

  test('delete() ends it, and what comes after has a later version', async () => {
    const put = await here.put(key('c'), 1, 0);
    expect(here.lastDeletedSeconds('gone')).toBe(0);
    expect(await here.delete(key('c'), 7)).toMatchObject({ ok: false, error: { kind: 'conflict' } });
    expect(await here.delete(key('c'), 1)).toMatchObject({ ok: true });
    expect(here.find(key('c'))).toBeUndefined();
    expect(here.lastDeletedSeconds('group')).toBeGreaterThanOrEqual(put.ok ? put.value.changedSeconds : Infinity);
    expect(await here.delete(key('c'), 'any')).toMatchObject({ ok: true });
    expect(await there.put(key('c'), 2, 0)).toMatchObject({ ok: true, value: { version: 3 } });
  });

  test('list() gives one kind in the order of ids', async () => {
    for (const id of ['2', '10', '1']) await here.put(key(id, 'rule'), id, 0);
    await there.refresh();
    expect(there.list('rule').map(({ id }) => id)).toEqual(['1', '10', '2']);
    expect(there.list('none')).toEqual([]);
  });

  test('what expires is read from the store, and not after its time', async () => {
    await here.put(key('soon', 'job'), 1, 0, Date.now() / 1000 + 60);
    await here.put(key('past', 'job'), 1, 0, Date.now() / 1000 + 1);
    expect(here.list('job')).toEqual([]);
    expect(await there.read(key('soon', 'job'))).toMatchObject({ ok: true, value: { value: 1 } });
    await sleep(2_100);
    expect(await there.read(key('past', 'job'))).toEqual({ ok: true, value: undefined });
  });
});

test('sampling reports reach other servers and not their own', async () => {
  const now = Math.floor(Date.now() / 1000) + 0.25;
  const row = { atSeconds: now, server: 'one', kind: 'client', rule: 'r', client: 'c', report: { a: [1, 'é'] } };
  await writeSamplingReports(store.store, [row, { ...row, atSeconds: now - 10 }]);
  expect(await readSamplingReports(store.store, now - 5, 'two')).toEqual({ ok: true, value: [row] });
  expect(await readSamplingReports(store.store, now - 60, 'two')).toMatchObject({ ok: true, value: [{ atSeconds: now - 10 }, row] });
  expect(await readSamplingReports(store.store, now - 60, 'one')).toEqual({ ok: true, value: [] });
});
