/** Answers questions about traces and the service map from the store: fetches candidates, assembles them, tests them exactly. */
import { err, ok, type Result } from '../base/index.ts';
import { DocumentsOfRows, graphRowsOf, type SpanRow } from '../record/index.ts';
import {
  filterCandidates,
  findCandidates,
  type GraphSums,
  readGraph,
  readGraphRowsOfTraces,
  readNames,
  readSeries,
  readTraceRows,
  type SearchStep,
  type SearchWindow,
  type Store,
  type StoredNames,
  type StoreError,
} from '../store/index.ts';
import {
  assembleTrace,
  checkGroups,
  evaluateFilter,
  type FilterError,
  type FilterExpression,
  type GraphRows,
  type GraphTally,
  type GroupLookup,
  type Narrowing,
  narrowFilter,
  type SegmentDocument,
  summarizeTrace,
  type Tally,
  tallyGraph,
  type Trace,
  type TraceId,
} from '../trace/index.ts';
import type { FoundTrace, ReadError, SearchPage, SearchQuery } from './search.ts';
import { countFilteredGraph, countFilteredSeries, type FilteredRange, type SeriesSelection } from './filtered-graph.ts';

/** The first stretch of time that is searched; the next ones grow while they hold little. */
const FIRST_WINDOW = 60_000_000_000n;
/** The same for a filter that few traces can match. */
const FIRST_NARROW_WINDOW = 600_000_000_000n;
const WINDOW_GROWTH = 8n;
/** Candidates that are fetched and assembled at once: about as many as are wanted, and more when few of them match. */
const FEWEST_CANDIDATES = 10;
const MOST_CANDIDATES = 300;
/** Largest trace that is assembled whole. */
const MAX_DOCUMENTS = 50_000;
/** A fetched trace's other spans are looked for this far around the span that was found. */
const AROUND_SECONDS = 3_600;
/** A trace that starts in the range may be found by a span that starts this long after it. */
const BEYOND_SECONDS = 600;

export class TraceReader {
  readonly #store: Store;
  readonly #documents = new DocumentsOfRows();
  readonly #groups: GroupLookup;

  /** `groups`: what `group.name` and `group.arn` in filters refer to. */
  constructor(store: Store, groups: GroupLookup = () => undefined) {
    this.#store = store;
    this.#groups = groups;
  }

  /** Why the groups in a filter cannot be followed. */
  checkFilter(filter: FilterExpression): FilterError | undefined {
    return checkGroups(filter, this.#groups);
  }

  /** The given traces, assembled; unknown ones are absent. */
  async traces(ids: readonly TraceId[]): Promise<Result<Trace[], ReadError>> {
    const rows = await readTraceRows(this.#store, ids);
    if (!rows.ok) return unavailable(rows.error);
    return ok(ids.flatMap((id) => this.assemble(id, rows.value.get(id) ?? [])));
  }

  /** The stored rows of one trace; none when it is not known. */
  async rows(id: TraceId): Promise<Result<readonly SpanRow[], ReadError>> {
    const rows = await readTraceRows(this.#store, [id]);
    return rows.ok ? ok(rows.value.get(id) ?? []) : unavailable(rows.error);
  }

  /** One document per row, mapped to a segment document when it came by OTLP. */
  documents(rows: readonly SpanRow[]): SegmentDocument[] {
    return this.#documents.flat(rows);
  }

  /** Segment documents as they were received. */
  received(rows: readonly SpanRow[]): SegmentDocument[] {
    return this.#documents.received(rows);
  }

  /** The OTLP span of a row; undefined when it came as a segment document. */
  span(row: SpanRow): Record<string, unknown> | undefined {
    return this.#documents.span(row);
  }

  /** One page of the traces that match, newest first. */
  async search(asked: SearchQuery): Promise<Result<SearchPage, ReadError>> {
    const query = { groups: this.#groups, ...asked };
    if (query.position !== undefined && !/^\d{1,19}$/.test(query.position)) {
      return err({ kind: 'invalid', message: 'the page token is damaged' });
    }
    const deadline = performance.now() + query.budgetMs;
    const narrowing: Narrowing = query.filter ? narrowFilter(query.filter, query.groups) : { kind: 'all' };
    const bounds = searchBounds(query, narrowing);
    const items: FoundTrace[] = [];
    let scanned = 0;
    let top = query.position === undefined ? bounds.to : BigInt(query.position);
    let count = Math.min(MOST_CANDIDATES, Math.max(FEWEST_CANDIDATES, query.limit));
    let span = narrowing.kind === 'all' ? FIRST_WINDOW : FIRST_NARROW_WINDOW;
    while (top > bounds.from && items.length < query.limit) {
      const window = { from: windowStart(top, span, bounds, toNanos(query.toSeconds)), to: top };
      const step = await this.#searchWindow(query, narrowing, { window, bounds }, count);
      if (!step.ok) return step;
      items.push(...step.value.items);
      scanned += step.value.scanned;
      top = step.value.reached;
      if (step.value.scanned < count / 2) span *= WINDOW_GROWTH;
      else if (step.value.items.length < step.value.scanned / 2) count = Math.min(MOST_CANDIDATES, count * 3);
      if (performance.now() > deadline) break;
    }
    const position = top > bounds.from ? top.toString() : undefined;
    return ok({ items, position, scanned, reachedSeconds: Math.min(toSeconds(top), query.toSeconds) });
  }

  async #searchWindow(
    query: SearchQuery,
    narrowing: Narrowing,
    step: SearchStep,
    count: number,
  ): Promise<Result<{ items: FoundTrace[]; scanned: number; reached: bigint }, ReadError>> {
    const { window, bounds } = step;
    // Behind the range's end only traces that began before it are of interest.
    const rangeEnd = toNanos(query.toSeconds);
    const startedBefore = window.from >= rangeEnd ? rangeEnd : undefined;
    const candidates = await findCandidates(this.#store, narrowing, step, count, startedBefore);
    if (!candidates.ok) return unavailable(candidates.error);
    const found = candidates.value;
    const reached = found.length >= count ? found.at(-1)!.last : window.from;
    const rows = await readTraceRows(
      this.#store,
      found.map((candidate) => candidate.traceId),
      { fromSeconds: toSeconds(reached) - AROUND_SECONDS, toSeconds: toSeconds(window.to) + AROUND_SECONDS },
    );
    if (!rows.ok) return unavailable(rows.error);
    const before = await this.#foundBefore(narrowing, { window: { from: window.to, to: bounds.to }, bounds }, rows.value);
    if (!before.ok) return before;
    const items: FoundTrace[] = [];
    for (const { traceId } of found) {
      if (before.value.has(traceId)) continue;
      for (const trace of this.assemble(traceId as TraceId, rows.value.get(traceId) ?? [])) {
        const match = matchTrace(trace, query);
        if (match) items.push(match);
      }
    }
    items.sort((a, b) => b.trace.startSeconds - a.trace.startSeconds);
    return ok({ items, scanned: found.length, reached });
  }

  /** Of the candidates, those that an earlier window has had already: they fit in a later stretch of time too. */
  async #foundBefore(
    narrowing: Narrowing,
    searched: SearchStep,
    rows: ReadonlyMap<string, readonly SpanRow[]>,
  ): Promise<Result<Set<string>, ReadError>> {
    const reaching = [...rows].filter(([, spans]) => spans.some((span) => startOf(span) >= searched.window.from)).map(([id]) => id);
    if (reaching.length === 0 || searched.window.from >= searched.window.to) return ok(new Set());
    const found = await filterCandidates(this.#store, narrowing, searched, reaching);
    return found.ok ? found : unavailable(found.error);
  }

  /** The trace that the rows make; none when there are none. */
  assemble(id: TraceId, rows: readonly SpanRow[]): Trace[] {
    if (rows.length === 0) return [];
    return [assembleTrace(id, this.#documents.flat(rows), { maxDocuments: MAX_DOCUMENTS })];
  }

  /** The service map of whole minutes that overlap the range; of the matching traces when there is a filter. */
  async graph(fromSeconds: number, toSeconds: number, filter?: FilterExpression): Promise<Result<GraphSums, ReadError>> {
    if (filter) {
      const filtered = await this.filteredGraph({ fromSeconds, toSeconds, filter });
      return filtered.ok ? ok(filtered.value.graph) : filtered;
    }
    const graph = await readGraph(this.#store, fromSeconds, toSeconds);
    return graph.ok ? graph : unavailable(graph.error);
  }

  /** See `countFilteredGraph`. */
  async filteredGraph(range: FilteredRange): Promise<Result<{ readonly graph: GraphSums; readonly reachedSeconds: number }, ReadError>> {
    return countFilteredGraph(this, range);
  }

  /** See `countFilteredSeries`. */
  async filteredSeries(
    range: FilteredRange & { readonly periodSeconds: number },
    selection: SeriesSelection,
  ): Promise<Result<{ readonly startSeconds: number; readonly tally: Tally }[], ReadError>> {
    return countFilteredSeries(this, range, selection);
  }

  /** The spans of the given traces as the columns that graphs are counted from. */
  async graphRows(ids: readonly TraceId[]): Promise<Result<GraphRows, ReadError>> {
    const rows = await readGraphRowsOfTraces(this.#store, ids);
    return rows.ok ? rows : unavailable(rows.error);
  }

  /** The service map of the given traces. */
  async traceGraph(ids: readonly TraceId[]): Promise<Result<GraphSums, ReadError>> {
    const rows = await this.graphRows(ids);
    return rows.ok ? ok(sumsOf(tallyGraph(rows.value))) : rows;
  }

  /** The service map of the traces that the rows make. */
  graphOf(rows: readonly SpanRow[]): GraphSums {
    return sumsOf(tallyGraph(graphRowsOf(rows)));
  }

  async series(
    ...args: Parameters<typeof readSeries> extends [Store, ...infer Rest] ? Rest : never
  ): Promise<Result<{ readonly startSeconds: number; readonly tally: Tally }[], ReadError>> {
    const series = await readSeries(this.#store, ...args);
    return series.ok ? series : unavailable(series.error);
  }

  async names(fromSeconds: number, toSeconds: number): Promise<Result<StoredNames, ReadError>> {
    const names = await readNames(this.#store, fromSeconds, toSeconds);
    return names.ok ? names : unavailable(names.error);
  }
}

function sumsOf(tally: GraphTally): GraphSums {
  return { nodes: [...tally.nodes.values()], edges: [...tally.edges.values()] };
}

/**
 * Where spans are looked for. A trace that starts in the range may be found only by a span that starts after it; where any span will do,
 * the first one is in the range.
 */
function searchBounds(query: SearchQuery, narrowing: Narrowing): SearchWindow {
  if (query.by !== 'start') return { from: toNanos(query.fromSeconds - AROUND_SECONDS), to: toNanos(query.toSeconds) };
  const beyond = narrowing.kind === 'all' ? 0 : Math.max(0, Math.min(BEYOND_SECONDS, Date.now() / 1000 + 5 - query.toSeconds));
  return { from: toNanos(query.fromSeconds), to: toNanos(query.toSeconds + beyond) };
}

/** What lies behind the range's end is looked at in one go: there is little. */
function windowStart(top: bigint, span: bigint, bounds: SearchWindow, rangeEnd: bigint): bigint {
  if (top > rangeEnd) return rangeEnd;
  return top - span > bounds.from ? top - span : bounds.from;
}

function toNanos(seconds: number): bigint {
  const whole = Math.floor(seconds);
  return BigInt(whole) * 1_000_000_000n + BigInt(Math.round((seconds - whole) * 1e9));
}

function toSeconds(nanos: bigint): number {
  return Number(nanos / 1000n) / 1e6;
}

function startOf(row: SpanRow): bigint {
  return BigInt(row.startSeconds) * 1_000_000_000n + BigInt(row.startNanos);
}

function matchTrace(trace: Trace, query: SearchQuery): FoundTrace | undefined {
  const inRange = (seconds: number): boolean => seconds >= query.fromSeconds && seconds < query.toSeconds;
  let matchedSeconds: number | undefined;
  if (query.by === 'start') {
    if (!inRange(trace.startSeconds)) return undefined;
  } else {
    const times = trace.segments.flatMap((segment) =>
      query.by === 'end' ? (segment.endSeconds ?? []) : [segment.startSeconds, segment.endSeconds ?? segment.startSeconds],
    );
    matchedSeconds = times.filter(inRange).sort((a, b) => b - a)[0];
    if (matchedSeconds === undefined) return undefined;
  }
  const context = query.groups ? { groups: query.groups } : {};
  if (query.filter && !evaluateFilter(query.filter, trace, context)) return undefined;
  const summary = summarizeTrace(trace);
  return matchedSeconds === undefined ? { trace, summary } : { trace, summary, matchedSeconds };
}

function unavailable(error: StoreError): { readonly ok: false; readonly error: ReadError } {
  return err({ kind: 'unavailable', message: error.message });
}
