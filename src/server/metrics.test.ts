import fastify from 'fastify';
import { expect, test } from 'vitest';
import { err, ok } from '../base/index.ts';
import type { Pipeline } from '../ingest/index.ts';
import type { Store } from '../store/index.ts';
import { Agents } from './agents.ts';
import { registerMetrics } from './metrics.ts';

const STATE = {
  counts: { udp: { accepted: 3, rejected: 2, dropped: 1 } },
  refusalsByCode: { ParseError: 2 },
  spoolBytes: 10,
  spoolRecords: 1,
  oldestMs: Date.now() - 5_000,
  storedRows: 7,
  storeTrouble: undefined,
};

async function scrape(rows: () => unknown): Promise<() => Promise<string>> {
  const app = fastify();
  const pipeline = { state: STATE, recovery: { tornBytes: 4, damagedBytes: 0 }, owedMinutes: 2 };
  const store = { layout: { database: 'd' }, client: { rows: async () => rows() } };
  registerMetrics(app, pipeline as unknown as Pipeline, store as unknown as Store, new Agents());
  await app.ready();
  return async () => (await app.inject('/metrics')).body;
}

test('registerMetrics() gives what the intake counts', async () => {
  const text = await (await scrape(() => ok([])))();
  expect(text).toContain('fluoroscope_documents_total{source="udp",outcome="rejected"} 2\n');
  expect(text).toContain('fluoroscope_rejects_total{code="ParseError"} 2\n');
  expect(text).toContain('fluoroscope_stored_rows_total 7\n');
  expect(text).toContain('fluoroscope_spool_damaged_bytes 4\n');
  expect(text).toContain('fluoroscope_map_minutes_owed 2\n');
  expect(text).toMatch(/fluoroscope_spool_oldest_seconds [5-9]/);
});

test('registerMetrics() asks the store for its sizes once a scrape, and tells of no old ones', async () => {
  let asked = 0;
  let up = true;
  const again = await scrape(() => {
    asked++;
    return up ? ok([{ table: 'spans', rows: '5', bytes: String(100 * asked) }]) : err({ kind: 'unavailable', message: 'gone' });
  });
  const first = await again();
  expect(first).toContain('fluoroscope_store_rows{table="spans"} 5\n');
  expect(first).toContain('fluoroscope_store_bytes{table="spans"} 100\n');
  expect(await again()).toContain('fluoroscope_store_bytes{table="spans"} 200\n');
  expect(asked).toBe(2);
  up = false;
  const last = await again();
  expect(last).not.toContain('fluoroscope_store_bytes{');
  expect(last).not.toContain('fluoroscope_store_rows{');
});
