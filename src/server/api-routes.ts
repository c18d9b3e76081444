/** `/api/v1`: what the page and the command line ask (see room `api`). Reading only. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ActivityAnswer, ApiError, NamesAnswer, SegmentAnswer, StatusAnswer, TraceAnswer, TraceListAnswer } from '../api/index.ts';
import { err, ok, type Result } from '../base/index.ts';
import {
  CLIENT_TYPE,
  type FilterError,
  type FilterExpression,
  parseFilter,
  parseSpanId,
  parseTraceId,
  type SegmentDocument,
  summarizeTrace,
  timelineRows,
  type TraceId,
  toXRayTraceId,
} from '../trace/index.ts';
import type { ReadError } from './search.ts';
import type { TraceReader } from './trace-reader.ts';
import { toActivity, toGraphAnswer, toListItem } from './views.ts';

const DEFAULT_RANGE_SECONDS = 3_600;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const SEARCH_BUDGET_MS = 2_000;
const ACTIVITY_STEPS = 60;

type Query = Readonly<Record<string, string | undefined>>;

interface Failure {
  readonly status: number;
  readonly error: ApiError['error'];
}

/** Registers the routes. `status` is asked at each request. */
export function registerApi(app: FastifyInstance, reader: TraceReader, status: () => Promise<StatusAnswer>): void {
  const get = <T>(path: string, answer: (query: Query, params: Query) => Promise<Result<T, Failure>>): void => {
    app.get(path, async (request, reply) => send(reply, await answer(request.query as Query, request.params as Query)));
  };
  get('/api/v1/status', async () => ok(await status()));
  get('/api/v1/graph', (query) => graph(reader, query));
  get('/api/v1/traces', (query) => traceList(reader, query));
  get('/api/v1/traces/:id', (_, params) => traceDetail(reader, params['id']));
  get('/api/v1/traces/:id/raw', (_, params) => rawTrace(reader, params['id']));
  get('/api/v1/traces/:id/segments/:spanId', (_, params) => segment(reader, params['id'], params['spanId']));
  get('/api/v1/activity', (query) => activity(reader, query));
  get('/api/v1/names', (query) => names(reader, query));
  app.all('/api/*', (request, reply) =>
    send(reply, err(failure(404, 'NotFound', `there is no ${request.method} ${request.url.split('?')[0]}`))),
  );
}

function send<T>(reply: FastifyReply, answer: Result<T, Failure>): FastifyReply {
  void reply.header('cache-control', 'no-store');
  if (answer.ok) return reply.send(answer.value);
  return reply.code(answer.error.status).send({ error: answer.error.error } satisfies ApiError);
}

function failure(status: number, code: string, message: string, position?: number): Failure {
  return { status, error: position === undefined ? { code, message } : { code, message, position } };
}

function readFailure(error: ReadError): Failure {
  return error.kind === 'invalid' ? failure(400, 'InvalidRequest', error.message) : failure(503, 'StoreUnavailable', error.message);
}

function filterFailure(error: FilterError): Failure {
  return failure(400, 'InvalidFilter', error.message, error.position);
}

function rangeOf(query: Query): Result<{ fromSeconds: number; toSeconds: number }, Failure> {
  const now = Date.now() / 1000;
  const toSeconds = query['to'] === undefined ? now : Number(query['to']);
  const fromSeconds = query['from'] === undefined ? toSeconds - DEFAULT_RANGE_SECONDS : Number(query['from']);
  if (!Number.isFinite(fromSeconds) || !Number.isFinite(toSeconds) || fromSeconds < 0 || toSeconds > 4e9) {
    return err(failure(400, 'InvalidRange', 'from and to are epoch seconds'));
  }
  if (fromSeconds >= toSeconds) return err(failure(400, 'InvalidRange', 'from must be before to'));
  return ok({ fromSeconds, toSeconds });
}

function filterOf(reader: TraceReader, query: Query): Result<FilterExpression | undefined, Failure> {
  const text = query['filter']?.trim();
  if (text === undefined || text === '') return ok(undefined);
  const parsed = parseFilter(text);
  if (!parsed.ok) return err(filterFailure(parsed.error));
  const fault = reader.checkFilter(parsed.value);
  return fault ? err(filterFailure(fault)) : parsed;
}

async function graph(reader: TraceReader, query: Query): Promise<Result<unknown, Failure>> {
  const range = rangeOf(query);
  if (!range.ok) return range;
  const filter = filterOf(reader, query);
  if (!filter.ok) return filter;
  const { fromSeconds, toSeconds } = range.value;
  const sums = await reader.graph(fromSeconds, toSeconds, filter.value);
  return sums.ok ? ok(toGraphAnswer(sums.value, fromSeconds, toSeconds)) : err(readFailure(sums.error));
}

async function traceList(reader: TraceReader, query: Query): Promise<Result<TraceListAnswer, Failure>> {
  const range = rangeOf(query);
  if (!range.ok) return range;
  const filter = filterOf(reader, query);
  if (!filter.ok) return filter;
  const limit = Math.min(MAX_LIMIT, Math.max(1, Math.floor(Number(query['limit'] ?? DEFAULT_LIMIT)) || DEFAULT_LIMIT));
  const page = await reader.search({
    ...range.value,
    by: 'start',
    filter: filter.value,
    limit,
    position: query['cursor'],
    budgetMs: SEARCH_BUDGET_MS,
  });
  if (!page.ok) return err(readFailure(page.error));
  const { items, position, scanned, reachedSeconds } = page.value;
  const traces = items.map((item) => toListItem(item.summary));
  return ok({ traces, scanned, reachedSeconds, ...(position === undefined ? {} : { cursor: position }) });
}

function traceIdOf(text: string | undefined): Result<TraceId, Failure> {
  const id = parseTraceId(text ?? '');
  if (id) return ok(id);
  return err(failure(400, 'InvalidTraceId', `${JSON.stringify(text)} is not a trace id: 1-8-24 or 32 hexadecimal digits`));
}

function noTrace(id: TraceId): Failure {
  return failure(
    404,
    'TraceNotFound',
    `no trace ${toXRayTraceId(id)} is stored: it was not sampled, has not arrived, or is past retention`,
  );
}

async function traceDetail(reader: TraceReader, text: string | undefined): Promise<Result<TraceAnswer, Failure>> {
  const id = traceIdOf(text);
  if (!id.ok) return id;
  const rows = await reader.rows(id.value);
  if (!rows.ok) return err(readFailure(rows.error));
  const trace = reader.assemble(id.value, rows.value)[0];
  if (!trace) return err(noTrace(id.value));
  const summary = summarizeTrace(trace);
  return ok({
    id: toXRayTraceId(trace.id),
    startSeconds: trace.startSeconds,
    endSeconds: trace.endSeconds,
    outcome: summary.outcome,
    partial: trace.partial,
    limitExceeded: trace.limitExceeded,
    summary: toListItem(summary),
    rows: timelineRows(trace),
    graph: toGraphAnswer(reader.graphOf(rows.value), trace.startSeconds, trace.endSeconds),
    links: trace.segments.flatMap((entity) => linksOf(entity.document)),
  });
}

function linksOf(document: SegmentDocument): { traceId: string; spanId: string }[] {
  const links: unknown = document.links;
  if (!Array.isArray(links)) return [];
  return (links as { trace_id?: unknown; id?: unknown }[]).flatMap((link) =>
    typeof link?.trace_id === 'string' ? [{ traceId: link.trace_id, spanId: String(link.id ?? '') }] : [],
  );
}

async function rawTrace(reader: TraceReader, text: string | undefined): Promise<Result<unknown, Failure>> {
  const id = traceIdOf(text);
  if (!id.ok) return id;
  const rows = await reader.rows(id.value);
  if (!rows.ok) return err(readFailure(rows.error));
  if (rows.value.length === 0) return err(noTrace(id.value));
  const spans = rows.value.flatMap((row) => reader.span(row) ?? []);
  return ok({ id: toXRayTraceId(id.value), documents: reader.received(rows.value), resourceSpans: spans });
}

async function segment(
  reader: TraceReader,
  text: string | undefined,
  spanText: string | undefined,
): Promise<Result<SegmentAnswer, Failure>> {
  const id = traceIdOf(text);
  if (!id.ok) return id;
  const spanId = parseSpanId(spanText ?? '');
  if (!spanId) return err(failure(400, 'InvalidSegmentId', `${JSON.stringify(spanText)} is not a segment id of 16 hexadecimal digits`));
  const rows = await reader.rows(id.value);
  if (!rows.ok) return err(readFailure(rows.error));
  const trace = reader.assemble(id.value, rows.value)[0];
  if (!trace) return err(noTrace(id.value));
  const entity = trace.segments.flatMap((top) => findById(top, spanId))[0];
  if (!entity) return err(failure(404, 'SegmentNotFound', `the trace has no segment ${spanId}`));
  const row = rows.value.find((candidate) => candidate.spanId === spanId);
  const span = row && reader.span(row);
  return ok({ id: spanId, traceId: toXRayTraceId(trace.id), document: entity, ...(span ? { span } : {}) });
}

function findById(top: { id: string; document: SegmentDocument; children: readonly unknown[] }, id: string): SegmentDocument[] {
  const pending: (typeof top)[] = [top];
  for (let entity = pending.pop(); entity; entity = pending.pop()) {
    if (entity.id === id) return [entity.document];
    pending.push(...(entity.children as (typeof top)[]));
  }
  return [];
}

async function activity(reader: TraceReader, query: Query): Promise<Result<ActivityAnswer, Failure>> {
  const range = rangeOf(query);
  if (!range.ok) return range;
  const { fromSeconds, toSeconds } = range.value;
  const stepSeconds = Math.max(60, Math.ceil((toSeconds - fromSeconds) / ACTIVITY_STEPS / 60) * 60);
  const series = await reader.series({ fromSeconds, toSeconds, periodSeconds: stepSeconds }, { kind: 'edge', from: { type: CLIENT_TYPE } });
  return series.ok ? ok(toActivity(series.value, fromSeconds, toSeconds, stepSeconds)) : err(readFailure(series.error));
}

async function names(reader: TraceReader, query: Query): Promise<Result<NamesAnswer, Failure>> {
  const range = rangeOf(query);
  if (!range.ok) return range;
  const found = await reader.names(range.value.fromSeconds, range.value.toSeconds);
  return found.ok ? found : err(readFailure(found.error));
}
