/** The service map and time series of the traces that match a filter: counted from whole traces, newest first, as far as the time allows. */
import { ok, type Result } from '../base/index.ts';
import type { GraphSums, NodePattern } from '../store/index.ts';
import { type FilterExpression, type GraphRows, type GraphTally, mergeGraphs, Tally, tallyGraph, type TraceId } from '../trace/index.ts';
import type { ReadError, SearchPage, SearchQuery } from './search.ts';

/** What the counting needs of `TraceReader` and the store. */
export interface TraceSource {
  search(query: SearchQuery): Promise<Result<SearchPage, ReadError>>;
  graphRows(ids: readonly TraceId[]): Promise<Result<GraphRows, ReadError>>;
}

export interface FilteredRange {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly filter: FilterExpression;
}

/** What to sum up in a time series: nodes that fit `to`, or edges whose ends fit. */
export interface SeriesSelection {
  readonly kind: 'node' | 'edge';
  readonly from?: NodePattern;
  readonly to?: NodePattern;
}

interface Matching {
  readonly traces: readonly { readonly id: TraceId; readonly startSeconds: number }[];
  /** Everything from here to the end of the range was searched. */
  readonly reachedSeconds: number;
}

/** An answer takes about so long at most, and covers what was found until then. */
const BUDGET_MS = 8_000;
const MAX_TRACES = 20_000;
const TRACES_PER_PAGE = 300;
/** Ids are sent in the address of the question. */
const TRACES_AT_ONCE = 4_000;

/** The map of the traces that match; `reachedSeconds`: those that start from then on. */
export async function countFilteredGraph(
  source: TraceSource,
  range: FilteredRange,
): Promise<Result<{ readonly graph: GraphSums; readonly reachedSeconds: number }, ReadError>> {
  const found = await findMatching(source, range);
  if (!found.ok) return found;
  const parts: GraphTally[] = [];
  for (const batch of batches(found.value.traces)) {
    const rows = await source.graphRows(batch.map(({ id }) => id));
    if (!rows.ok) return rows;
    parts.push(tallyGraph(rows.value));
  }
  const { nodes, edges } = mergeGraphs(parts);
  return ok({ graph: { nodes: [...nodes.values()], edges: [...edges.values()] }, reachedSeconds: found.value.reachedSeconds });
}

/** The series of the traces that match, by period; periods without requests are absent. */
export async function countFilteredSeries(
  source: TraceSource,
  range: FilteredRange & { readonly periodSeconds: number },
  selection: SeriesSelection,
): Promise<Result<{ readonly startSeconds: number; readonly tally: Tally }[], ReadError>> {
  const found = await findMatching(source, range);
  if (!found.ok) return found;
  const periods = new Map<number, Tally>();
  for (const batch of batches(found.value.traces)) {
    const rows = await source.graphRows(batch.map(({ id }) => id));
    if (!rows.ok) return rows;
    const starts = new Map(batch.map(({ id, startSeconds }) => [id as string, startSeconds]));
    for (const part of splitByPeriod(rows.value, starts, range.periodSeconds)) addPeriods(part, range.periodSeconds, selection, periods);
  }
  return ok([...periods].map(([startSeconds, tally]) => ({ startSeconds, tally })).sort((a, b) => a.startSeconds - b.startSeconds));
}

async function findMatching(source: TraceSource, { fromSeconds, toSeconds, filter }: FilteredRange): Promise<Result<Matching, ReadError>> {
  const deadline = performance.now() + BUDGET_MS;
  const traces = new Map<TraceId, { readonly id: TraceId; readonly startSeconds: number }>();
  let position: string | undefined;
  for (;;) {
    const budgetMs = Math.max(1, deadline - performance.now());
    const page = await source.search({ fromSeconds, toSeconds, by: 'start', filter, limit: TRACES_PER_PAGE, position, budgetMs });
    if (!page.ok) return page;
    for (const { trace } of page.value.items) traces.set(trace.id, { id: trace.id, startSeconds: trace.startSeconds });
    const stuck = page.value.position === position;
    position = page.value.position;
    if (position === undefined) return ok({ traces: [...traces.values()], reachedSeconds: fromSeconds });
    if (stuck || traces.size >= MAX_TRACES || performance.now() > deadline) {
      return ok({ traces: [...traces.values()], reachedSeconds: Math.max(fromSeconds, page.value.reachedSeconds) });
    }
  }
}

function batches<T>(items: readonly T[]): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / TRACES_AT_ONCE) }, (_, index) =>
    items.slice(index * TRACES_AT_ONCE, (index + 1) * TRACES_AT_ONCE),
  );
}

/** Traces together that start in the same period: few of their spans start in another. */
function splitByPeriod(rows: GraphRows, starts: ReadonlyMap<string, number>, periodSeconds: number): readonly GraphRows[] {
  const ids = Buffer.from(rows.traceIds.buffer, rows.traceIds.byteOffset, rows.traceIds.byteLength);
  const byPeriod = new Map<number, number[]>();
  for (let row = 0; row < rows.count; row++) {
    const start = starts.get(ids.toString('hex', row * 16, row * 16 + 16)) ?? rows.starts[row]!;
    const period = Math.floor(start / periodSeconds);
    const present = byPeriod.get(period);
    if (present) present.push(row);
    else byPeriod.set(period, [row]);
  }
  return [...byPeriod.values()].map((chosen) => pickRows(rows, chosen));
}

function pickRows(rows: GraphRows, chosen: readonly number[]): GraphRows {
  const bytes = (column: Uint8Array, width: number): Uint8Array => {
    const picked = new Uint8Array(chosen.length * width);
    for (const [at, row] of chosen.entries()) picked.set(column.subarray(row * width, (row + 1) * width), at * width);
    return picked;
  };
  return {
    count: chosen.length,
    traceIds: bytes(rows.traceIds, 16),
    spanIds: bytes(rows.spanIds, 8),
    parentIds: bytes(rows.parentIds, 8),
    starts: Float64Array.from(chosen, (row) => rows.starts[row]!),
    durationNanos: Float64Array.from(chosen, (row) => rows.durationNanos[row]!),
    flags: chosen.map((row) => rows.flags[row]!),
    service: chosen.map((row) => rows.service[row]!),
    type: chosen.map((row) => rows.type[row]!),
    peer: chosen.map((row) => rows.peer[row]!),
    peerType: chosen.map((row) => rows.peerType[row]!),
  };
}

function addPeriods(rows: GraphRows, periodSeconds: number, selection: SeriesSelection, into: Map<number, Tally>): void {
  const periods = new Set(Array.from(rows.starts, (start) => Math.floor(start / periodSeconds) * periodSeconds));
  for (const period of periods) {
    const graph = tallyGraph(rows, period, period + periodSeconds);
    for (const tally of selected(graph, selection)) {
      const sum = into.get(period) ?? new Tally();
      into.set(period, sum);
      sum.merge(tally);
    }
  }
}

function selected(graph: GraphTally, { kind, from, to }: SeriesSelection): readonly Tally[] {
  if (kind === 'node') return [...graph.nodes.values()].filter((node) => fits(node, to)).map((node) => node.tally);
  return [...graph.edges.values()].filter((edge) => fits(edge.from, from) && fits(edge.to, to)).map((edge) => edge.tally);
}

function fits(node: { readonly name: string; readonly type: string }, pattern: NodePattern | undefined): boolean {
  return (pattern?.name === undefined || pattern.name === node.name) && (pattern?.type === undefined || pattern.type === node.type);
}
