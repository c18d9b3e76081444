/** The operations of the X-Ray API that are served: from a request's bytes to an answer or an AWS error. Knows nothing of HTTP. */
import { err, ok, type Result } from '../base/index.ts';
import type { CallResult } from '../ingest/index.ts';
import type { Trace, TraceId } from '../trace/index.ts';
import {
  type AwsError,
  decodePageToken,
  encodePageToken,
  fillPeriods,
  type GetServiceGraphRequest,
  type GetTimeSeriesRequest,
  type GetTraceSummariesRequest,
  type GraphCounts,
  internalFailure,
  invalidRequest,
  type PagePlace,
  parseBody,
  parseGetSamplingTargets,
  parseGetServiceGraph,
  parseGetTimeSeries,
  parseGetTraceSummaries,
  parseNothing,
  parsePutTelemetryRecords,
  parseTraceIds,
  ReservoirShares,
  samplingRulesResponse,
  serializationError,
  type ServedOperation,
  type TelemetryRecord,
  throttled,
  type TimeRange,
  toWirePeriod,
  toWireServices,
  toWireSummary,
  toWireTrace,
  type TraceIdsRequest,
  unavailable,
  type Wire,
} from '../xray/index.ts';
import type { ReadError, TraceReader } from './trace-reader.ts';

/** What the operations are answered from. */
export interface XRayBackend {
  readonly reader: Pick<TraceReader, 'search' | 'traces' | 'graph' | 'traceGraph' | 'series'>;
  readonly intake: { putSegments(body: Uint8Array): Promise<CallResult> };
  /** Told of what daemons report of themselves. */
  telemetry(records: readonly TelemetryRecord[]): void;
}

export type Answer = Result<Wire, AwsError>;
type Body = Readonly<Record<string, unknown>>;

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
  readonly #nowSeconds: () => number;
  readonly #shares = new ReservoirShares();
  readonly #operations: Readonly<Record<Exclude<ServedOperation, 'PutTraceSegments'>, (body: Body) => Answer | Promise<Answer>>>;

  constructor(backend: XRayBackend, nowSeconds: () => number = () => Date.now() / 1000) {
    this.#backend = backend;
    this.#nowSeconds = nowSeconds;
    this.#operations = {
      BatchGetTraces: (body) => chain(parseTraceIds(body), async (request) => this.#batchGetTraces(request)),
      GetSamplingRules: (body) => chain(parseNothing(body), () => ok(samplingRulesResponse())),
      GetSamplingTargets: (body) =>
        chain(parseGetSamplingTargets(body), (statistics) => ok(this.#shares.targetsResponse(statistics, this.#nowSeconds()))),
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
  async answer(operation: ServedOperation, body: Uint8Array): Promise<Answer> {
    if (operation === 'PutTraceSegments') return this.#putTraceSegments(body);
    const members = parseBody(body);
    return members.ok ? this.#operations[operation](members.value) : members;
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
    const found = await this.#backend.reader.search({
      ...search,
      limit: SUMMARIES_PER_PAGE,
      position: place.value?.position,
      budgetMs: SUMMARIES_BUDGET_MS,
    });
    if (!found.ok) return err(toAwsError(found.error));
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
      if (!read.ok) return err(toAwsError(read.error));
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
    if (!graph.ok) return err(toAwsError(graph.error));
    return ok(pageOfServices('GetTraceGraph', traceIds, place.value, graph.value));
  }

  async #getServiceGraph({ nextToken, ...range }: GetServiceGraphRequest): Promise<Answer> {
    const place = decodePageToken('GetServiceGraph', range, nextToken);
    if (!place.ok) return place;
    const graph = await this.#backend.reader.graph(range.fromSeconds, range.toSeconds);
    if (!graph.ok) return err(toAwsError(graph.error));
    return ok({
      StartTime: range.fromSeconds,
      EndTime: range.toSeconds,
      ...pageOfServices('GetServiceGraph', range, place.value, graph.value, range),
      ContainsOldGroupVersions: false,
    });
  }

  async #getTimeSeries({ nextToken, ...query }: GetTimeSeriesRequest): Promise<Answer> {
    const place = decodePageToken('GetTimeSeriesServiceStatistics', query, nextToken);
    if (!place.ok) return place;
    const { selection, ...range } = query;
    const series = await this.#backend.reader.series(range, selection);
    if (!series.ok) return err(toAwsError(series.error));
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

async function chain<T>(parsed: Result<T, AwsError>, then: (value: T) => Answer | Promise<Answer>): Promise<Answer> {
  return parsed.ok ? then(parsed.value) : parsed;
}

function toAwsError(error: ReadError): AwsError {
  return error.kind === 'invalid' ? invalidRequest(error.message) : unavailable(error.message);
}

/** A place that is a number; 0 on the first page, and for a token that somebody changed. */
function positionOf(place: PagePlace | undefined): number {
  const position = Number(place?.position ?? 0);
  return Number.isFinite(position) ? Math.max(0, position) : 0;
}

/** `NextToken` when there is a next page, else no member at all. */
function nextPage(operation: ServedOperation, query: unknown, place: PagePlace | undefined, position: string | undefined): Wire {
  if (position === undefined) return {};
  return { NextToken: encodePageToken(operation, query, { position, page: (place?.page ?? 0) + 1 }) };
}

/** `ReferenceId`s count through all pages, so that edges can lead from one to another. */
function pageOfServices(
  operation: ServedOperation,
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
