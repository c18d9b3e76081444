/** What the server tells Prometheus at `/metrics`. Counters come from the intake's own counts. */
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Pipeline } from '../ingest/index.ts';
import { readSizes, type Store } from '../store/index.ts';
import type { Agents } from './agents.ts';

export function registerMetrics(app: FastifyInstance, pipeline: Pipeline, store: Store, agents: Agents): void {
  const registers = [new Registry()];
  collectDefaultMetrics({ register: registers[0]!, prefix: 'fluoroscope_server_' });
  /** Takes over totals that are counted elsewhere. */
  const totals = (
    name: string,
    help: string,
    labelNames: string[],
    read: (set: (labels: Record<string, string>, value: number) => void) => void,
  ): void => {
    const counter = new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        counter.reset();
        read((labels, value) => counter.inc(labels, value));
      },
    });
  };
  const gauge = (name: string, help: string, read: () => number): void => {
    const one: Gauge = new Gauge({ name, help, registers, collect: () => one.set(read()) });
  };
  totals('fluoroscope_documents_total', 'Segment documents and spans received, by what became of them', ['source', 'outcome'], (set) => {
    for (const [source, counts] of Object.entries(pipeline.state?.counts ?? {})) {
      for (const outcome of ['accepted', 'rejected', 'dropped'] as const) set({ source, outcome }, counts[outcome]);
    }
  });
  totals('fluoroscope_rejects_total', 'Documents and spans that were refused, by reason', ['code'], (set) => {
    for (const [code, count] of Object.entries(pipeline.state?.refusalsByCode ?? {})) set({ code }, count);
  });
  totals('fluoroscope_stored_rows_total', 'Spans written to the store', [], (set) => set({}, pipeline.state?.storedRows ?? 0));
  gauge('fluoroscope_spool_bytes', 'Bytes acknowledged that wait for the store', () => pipeline.state?.spoolBytes ?? 0);
  gauge('fluoroscope_spool_records', 'Records acknowledged that wait for the store', () => pipeline.state?.spoolRecords ?? 0);
  gauge('fluoroscope_spool_damaged_bytes', 'Bytes of the spool that were no whole record when it was opened; they are kept', () => {
    const { tornBytes, damagedBytes } = pipeline.recovery;
    return tornBytes + damagedBytes;
  });
  gauge('fluoroscope_spool_oldest_seconds', 'Age of the oldest record that waits for the store', () => {
    const oldest = pipeline.state?.oldestMs;
    return oldest === undefined ? 0 : (Date.now() - oldest) / 1000;
  });
  gauge('fluoroscope_map_minutes_owed', 'Minutes of the service map that are still to be counted', () => pipeline.owedMinutes);
  gauge('fluoroscope_store_up', '1 while the store takes what it is given', () => (pipeline.state?.storeTrouble === undefined ? 1 : 0));
  totals('fluoroscope_agent_segments_total', 'Segments that X-Ray daemons and collectors say they handled', ['agent', 'outcome'], (set) => {
    for (const agent of agents.list()) {
      for (const outcome of ['received', 'sent', 'spilled', 'rejected'] as const) set({ agent: agent.name, outcome }, agent[outcome]);
    }
  });
  totals('fluoroscope_agent_errors_total', 'Failures of X-Ray daemons and collectors to reach a back end', ['agent', 'reason'], (set) => {
    for (const { name, backendErrors } of agents.list()) {
      for (const [reason, count] of Object.entries(backendErrors)) set({ agent: name, reason }, count as number);
    }
  });
  registerSizes(registers, store);
  app.get('/metrics', async (_request, reply) => reply.type(registers[0]!.contentType).send(await registers[0]!.metrics()));
}

/** Asked of the store at each scrape, once for both gauges; without samples while the store does not answer. */
function registerSizes(registers: Registry[], store: Store): void {
  let asked: ReturnType<typeof readSizes> | undefined;
  const gauge = (name: string, help: string, member: 'rows' | 'bytes'): void => {
    const one: Gauge = new Gauge({
      name,
      help,
      labelNames: ['table'],
      registers,
      async collect() {
        asked ??= readSizes(store).finally(() => (asked = undefined));
        const sizes = await asked;
        one.reset();
        for (const size of sizes.ok ? sizes.value : []) one.set({ table: size.table }, size[member]);
      },
    });
  };
  gauge('fluoroscope_store_rows', 'Rows in the store', 'rows');
  gauge('fluoroscope_store_bytes', 'Bytes on the disk of the store, everything included', 'bytes');
}
