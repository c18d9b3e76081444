import { expect, test } from 'vitest';
import { filterOf } from '../../test/support/filter-trees.ts';
import { segment } from '../../test/support/trace-documents.ts';
import { ok } from '../base/index.ts';
import { graphRowsOf, RowsOfDocuments, type SpanRow } from '../record/index.ts';
import { assembleTrace, parseTraceId, summarizeTrace, type TraceId } from '../trace/index.ts';
import { countFilteredGraph, countFilteredSeries, type TraceSource } from './filtered-graph.ts';

const RANGE = { fromSeconds: 0, toSeconds: 600, filter: filterOf('ok') };

/** Traces of one segment each, that begin at the given seconds; given out one a page, newest first. */
function sourceOf(starts: readonly number[], { stuck = false } = {}): TraceSource {
  const traces = starts.map((start, index) => {
    const id = parseTraceId((index + 1).toString(16).padStart(32, '0')) as TraceId;
    const document = segment('a', { start_time: start, end_time: start + 1 });
    const rows: SpanRow[] = [];
    new RowsOfDocuments().append(structuredClone(document), id, rows);
    return { id, trace: assembleTrace(id, [document]), rows };
  });
  return {
    search: async ({ position }) => {
      const at = Number(position ?? 0);
      const items = traces.slice(at, at + 1).map(({ trace }) => ({ trace, summary: summarizeTrace(trace) }));
      const next = stuck ? '0' : at + 1 < traces.length ? String(at + 1) : undefined;
      return ok({ items, position: next, scanned: 1, reachedSeconds: starts[at] ?? 0 });
    },
    graphRows: async (ids) => ok(graphRowsOf(traces.filter(({ id }) => ids.includes(id)).flatMap(({ rows }) => rows))),
  };
}

test('countFilteredGraph() counts the traces of all pages', async () => {
  const counted = await countFilteredGraph(sourceOf([500, 130, 125]), RANGE);
  expect(counted).toMatchObject({ ok: true, value: { reachedSeconds: 0 } });
  if (counted.ok) expect(counted.value.graph.nodes.find(({ type }) => type !== 'client')?.tally.total).toBe(3);
});

test('countFilteredGraph() says how far it got', async () => {
  expect(await countFilteredGraph(sourceOf([500, 130], { stuck: true }), RANGE)).toMatchObject({
    ok: true,
    value: { reachedSeconds: 500 },
  });
});

test('countFilteredSeries() counts by period', async () => {
  const series = await countFilteredSeries(sourceOf([500, 130, 125]), { ...RANGE, periodSeconds: 60 }, { kind: 'node', to: {} });
  expect(series).toMatchObject({
    ok: true,
    value: [
      { startSeconds: 120, tally: { total: 2 } },
      { startSeconds: 480, tally: { total: 1 } },
    ],
  });
  const none = await countFilteredSeries(sourceOf([500]), { ...RANGE, periodSeconds: 60 }, { kind: 'node', to: { name: 'nobody' } });
  expect(none).toEqual({ ok: true, value: [] });
});
