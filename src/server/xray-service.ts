/** All operations of the X-Ray API: from a request's bytes to an answer or an AWS error. Knows nothing of HTTP. */
import { err, ok, type Result } from '../base/index.ts';
import type { CallResult } from '../ingest/index.ts';
import type { CentralSampler } from '../sampling/index.ts';
import type { FilterExpression, Trace, TraceId } from '../trace/index.ts';
import {
  decodePageToken,
  fillPeriods,
  type GetServiceGraphRequest,
  type GetTimeSeriesRequest,
  type GetTraceSummariesRequest,
  type GraphCounts,
  internalFailure,
  type OperationName,
  type PagePlace,
  parseBody,
  parseGetServiceGraph,
  parseGetTimeSeries,
  parseGetTraceSummaries,
  parsePutTelemetryRecords,
  parseTraceIds,
  serializationError,
  type TelemetryRecord,
  throttled,
  type TimeRange,
  toWirePeriod,
  toWireServices,
  toWireSummary,
  toWireTrace,
  type TraceIdsRequest,
  type Wire,
} from '../xray/index.ts';
import { AccountService } from './account-service.ts';
import { GroupService } from './group-service.ts';
import { InsightService, type InsightStore } from './insight-service.ts';
import { type Answer, type Caller, chain, type Handler, nextPage, positionOf } from './operation.ts';
import { toReadFailure } from './read-failure.ts';
import { type RetrievalReader, RetrievalService } from './retrieval-service.ts';
import { SamplingService } from './sampling-service.ts';
import type { SettingsStore } from './settings-change.ts';
import { TagService } from './tag-service.ts';
import type { ReadError } from './search.ts';
import type { TraceReader } from './trace-reader.ts';

/** What the operations are answered from. */
export interface XRayBackend {
  readonly reader: Pick<TraceReader, 'search' | 'graph' | 'series' | 'filteredGraph' | 'filteredSeries'> & RetrievalReader;
  readonly intake: { putSegments(body: Uint8Array): Promise<CallResult> };
  readonly settings: SettingsStore;
  readonly sampler: CentralSampler;
  readonly insights: InsightStore;
  /** Told of what daemons report of themselves. */
  telemetry(records: readonly TelemetryRecord[]): void;
}

/** `GetTraceSummaries` has no limit among its parameters; AWS gives about as many. */
const SUMMARIES_PER_PAGE = 100;
/** A page ends after about this long, full or not: clients go on as long as there is a token. */
const SUMMARIES_BUDGET_MS = 2_000;
const SERVICES_PER_PAGE = 1_000;
const PERIODS_PER_PAGE = 1_000;
/** What AWS's gateways let through in one answer. */
const ANSWER_BYTES = 6_000_000;
const TRACES_AT_ONCE = 5;

export class XRayService {
  readonly #backend: XRayBackend;
  readonly #groups: GroupService;
  readonly #operations: Readonly<Record<Exclude<OperationName, 'PutTraceSegments'>, Handler>>;

  constructor(backend: XRayBackend, nowSeconds: () => number = () => Date.now() / 1000) {
    this.#backend = backend;
    const { settings, sampler, insights, reader } = backend;
    this.#groups = new GroupService(settings);
    const sampling = new SamplingService(settings, sampler, nowSeconds);
    this.#operations = {
      ...this.#groups.operations,
      ...sampling.operations,
      ...new TagService(settings, this.#groups, sampling).operations,
      ...new AccountService(settings, nowSeconds).operations,
      ...new InsightService(insights, this.#groups, nowSeconds).operations,
      ...new RetrievalService(settings, reader, nowSeconds).operations,
      BatchGetTraces: (body) => chain(parseTraceIds(body), async (request) => this.#batchGetTraces(request)),
      GetServiceGraph: (body) => chain(parseGetServiceGraph(body), async (request) => this.#getServiceGraph(request)),
      GetTimeSeriesServiceStatistics: (body) => chain(parseGetTimeSeries(body), async (request) => this.#getTimeSeries(request)),
      GetTraceGraph: (body) => chain(parseTraceIds(body), async (request) => this.#getTraceGraph(request)),
      GetTraceSummaries: (body) => chain(parseGetTraceSummaries(body), async (request) => this.#getTraceSummaries(request)),
      PutTelemetryRecords: (body) =>
        chain(parsePutTelemetryRecords(body), (records) => {
          this.#backend.telemetry(records);
          return ok({});
        }),
    };
  }

  /** Answers one request. Throws only for our own bugs. */
  async answer(operation: OperationName, body: Uint8Array, caller: Caller): Promise<Answer> {
    if (operation === 'PutTraceSegments') return this.#putTraceSegments(body);
    const members = parseBody(body);
    return members.ok ? this.#operations[operation](members.value, caller) : members;
  }

  /** The documents are parsed where they are checked, off the main thread. */
  async #putTraceSegments(body: Uint8Array): Promise<Answer> {
    const result = await this.#backend.intake.putSegments(body);
    if (!result.ok) return err(result.error.kind === 'busy' ? throttled(result.error.message) : serializationError(result.error.message));
    const unprocessed = result.value.refusals.map(({ id, code, message }) => ({
      ...(id !== undefined && { Id: id }),
      ErrorCode: code,
      Message: `Invalid segment. ErrorCode: ${code}, Cause: ${message}`,
    }));
    return ok({ UnprocessedTraceSegments: unprocessed });
  }

  async #getTraceSummaries(request: GetTraceSummariesRequest): Promise<Answer> {
    const { nextToken, filterText, ...search } = request;
    const query = { ...search, filter: filterText };
    const place = decodePageToken('GetTraceSummaries', query, nextToken);
    if (!place.ok) return place;
    const unknown = this.#groups.check(search.filter);
    if (unknown) return err(unknown);
    const found = await this.#backend.reader.search({
      ...search,
      limit: SUMMARIES_PER_PAGE,
      position: place.value?.position,
      budgetMs: SUMMARIES_BUDGET_MS,
    });
    if (!found.ok) return err(toReadFailure(found.error));
    const { items, position, scanned, reachedSeconds } = found.value;
    if (position !== undefined && position === place.value?.position) {
      return err(internalFailure('The search did not get on; asking again would not end.'));
    }
    return ok({
      TraceSummaries: items.map((item) => toWireSummary(item.summary, item.matchedSeconds)),
      ApproximateTime: Math.max(search.fromSeconds, Math.floor(reachedSeconds)),
      TracesProcessedCount: scanned,
      ...nextPage('GetTraceSummaries', query, place.value, position),
    });
  }

  async #batchGetTraces({ traceIds, nextToken }: TraceIdsRequest): Promise<Answer> {
    const place = decodePageToken('BatchGetTraces', traceIds, nextToken);
    if (!place.ok) return place;
    const traces: Wire[] = [];
    let sizeBytes = 0;
    let at = positionOf(place.value);
    const full = (wire: Wire): boolean => {
      sizeBytes += Buffer.byteLength(JSON.stringify(wire));
      return sizeBytes > ANSWER_BYTES && traces.length > 0;
    };
    while (at < traceIds.length) {
      const ids = traceIds.slice(at, at + TRACES_AT_ONCE);
      const read = await this.#backend.reader.traces(ids);
      if (!read.ok) return err(toReadFailure(read.error));
      const byId = new Map(read.value.map((trace) => [trace.id, trace]));
      const taken = takeWhile(ids, byId, traces, full);
      at += taken;
      if (taken < ids.length) break;
    }
    const position = at < traceIds.length ? String(at) : undefined;
    return ok({ Traces: traces, UnprocessedTraceIds: [], ...nextPage('BatchGetTraces', traceIds, place.value, position) });
  }

  async #getTraceGraph({ traceIds, nextToken }: TraceIdsRequest): Promise<Answer> {
    const place = decodePageToken('GetTraceGraph', traceIds, nextToken);
    if (!place.ok) return place;
    const graph = await this.#backend.reader.traceGraph(traceIds);
    if (!graph.ok) return err(toReadFailure(graph.error));
    return ok(pageOfServices('GetTraceGraph', traceIds, place.value, graph.value));
  }

  async #getServiceGraph({ nextToken, ...query }: GetServiceGraphRequest): Promise<Answer> {
    const place = decodePageToken('GetServiceGraph', query, nextToken);
    if (!place.ok) return place;
    const filter = this.#groups.filterOf(query.group);
    if (!filter.ok) return filter;
    const { group: _, ...range } = query;
    const graph = await this.#graphOf(range, filter.value);
    if (!graph.ok) return err(toReadFailure(graph.error));
    return ok({
      StartTime: Math.max(range.fromSeconds, graph.value.reachedSeconds),
      EndTime: range.toSeconds,
      ...pageOfServices('GetServiceGraph', query, place.value, graph.value.graph, range),
      ContainsOldGroupVersions: false,
    });
  }

  async #graphOf(
    { fromSeconds, toSeconds }: TimeRange,
    filter: FilterExpression | undefined,
  ): Promise<Result<{ readonly graph: GraphCounts; readonly reachedSeconds: number }, ReadError>> {
    if (filter) return this.#backend.reader.filteredGraph({ fromSeconds, toSeconds, filter });
    const graph = await this.#backend.reader.graph(fromSeconds, toSeconds);
    return graph.ok ? ok({ graph: graph.value, reachedSeconds: fromSeconds }) : graph;
  }

  async #getTimeSeries({ nextToken, ...query }: GetTimeSeriesRequest): Promise<Answer> {
    const place = decodePageToken('GetTimeSeriesServiceStatistics', query, nextToken);
    if (!place.ok) return place;
    const filter = this.#groups.filterOf(query.group);
    if (!filter.ok) return filter;
    const { selection, group: _, ...range } = query;
    const series = filter.value
      ? await this.#backend.reader.filteredSeries({ ...range, filter: filter.value }, selection)
      : await this.#backend.reader.series(range, selection);
    if (!series.ok) return err(toReadFailure(series.error));
    const start = positionOf(place.value);
    const left = fillPeriods(series.value, range).filter((period) => period.startSeconds >= start);
    const position = left[PERIODS_PER_PAGE]?.startSeconds;
    return ok({
      TimeSeriesServiceStatistics: left.slice(0, PERIODS_PER_PAGE).map((period) => toWirePeriod(selection.kind, period)),
      ContainsOldGroupVersions: false,
      ...nextPage('GetTimeSeriesServiceStatistics', query, place.value, position?.toString()),
    });
  }
}

/** `ReferenceId`s count through all pages, so that edges can lead from one to another. */
function pageOfServices(
  operation: OperationName,
  query: unknown,
  place: PagePlace | undefined,
  graph: GraphCounts,
  range?: TimeRange,
): Wire {
  const services = toWireServices(graph, range);
  const start = Math.floor(positionOf(place));
  const end = start + SERVICES_PER_PAGE;
  const position = end < services.length ? String(end) : undefined;
  return { Services: services.slice(start, end), ...nextPage(operation, query, place, position) };
}

/** Appends the traces of `ids` while there is room; tells how many ids are dealt with. Unknown ones are simply missing. */
function takeWhile(ids: readonly TraceId[], byId: ReadonlyMap<TraceId, Trace>, into: Wire[], full: (wire: Wire) => boolean): number {
  for (const [index, id] of ids.entries()) {
    const trace = byId.get(id);
    if (trace === undefined) continue;
    const wire = toWireTrace(trace);
    if (full(wire)) return index;
    into.push(wire);
  }
  return ids.length;
}
