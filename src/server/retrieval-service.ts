/**
 * Trace retrieval: at AWS a job that reads a slow log. Here the traces are at hand, so a job is complete when it begins; it is a list of
 * ids in the store, which any of its servers can answer for an hour.
 */
import { randomUUID } from 'node:crypto';
import { err, ok, type Result } from '../base/index.ts';
import { compileSegments, segmentNode, toXRayTraceId, type Trace, type TraceId } from '../trace/index.ts';
import {
  type AwsError,
  decodePageToken,
  parseCancelRetrieval,
  parseRetrievalPage,
  parseStartRetrieval,
  resourceNotFound,
  type RetrievalPageRequest,
  type StartRetrievalRequest,
  toWireServices,
  type Wire,
} from '../xray/index.ts';
import { type Answer, chain, type Handler, nextPage, positionOf } from './operation.ts';
import { toOtelDocument } from './otel-document.ts';
import { type SettingsStore, toStoreFailure } from './settings-change.ts';
import type { ReadError } from './search.ts';
import type { TraceReader } from './trace-reader.ts';
import { toReadFailure } from './read-failure.ts';

interface Job extends StartRetrievalRequest {
  readonly cancelled: boolean;
}

interface SpanDocument {
  readonly Id: string;
  readonly Document: string;
}

type Name = 'CancelTraceRetrieval' | 'GetRetrievedTracesGraph' | 'ListRetrievedTraces' | 'StartTraceRetrieval';
export type RetrievalReader = Pick<TraceReader, 'traces' | 'traceGraph' | 'rows' | 'documents' | 'span'>;

const KIND = 'retrieval';
const JOB_SECONDS = 3_600;
/** As at AWS. */
const TRACES_PER_PAGE = 5;
const SPANS_PER_TRACE = 100;
const SERVICES_PER_PAGE = 1_000;
const MAX_LINKS = 100;

export class RetrievalService {
  readonly operations: Readonly<Record<Name, Handler>> = {
    CancelTraceRetrieval: (body) => chain(parseCancelRetrieval(body), async ({ token }) => this.#cancel(token)),
    GetRetrievedTracesGraph: (body) => chain(parseRetrievalPage(body), async (request) => this.#graph(request)),
    ListRetrievedTraces: (body) => chain(parseRetrievalPage(body), async (request) => this.#list(request)),
    StartTraceRetrieval: (body) => chain(parseStartRetrieval(body), async (request) => this.#start(request)),
  };
  readonly #settings: SettingsStore;
  readonly #reader: RetrievalReader;
  readonly #nowSeconds: () => number;

  constructor(settings: SettingsStore, reader: RetrievalReader, nowSeconds: () => number) {
    this.#settings = settings;
    this.#reader = reader;
    this.#nowSeconds = nowSeconds;
  }

  async #start(request: StartRetrievalRequest): Promise<Answer> {
    const token = randomUUID();
    const put = await this.#put(token, { ...request, cancelled: false }, 0);
    return put.ok ? ok({ RetrievalToken: token }) : put;
  }

  async #cancel(token: string): Promise<Answer> {
    const job = await this.#settings.read({ kind: KIND, id: token });
    if (!job.ok) return err(toStoreFailure(job.error));
    if (job.value === undefined) return err(noJob(token));
    const put = await this.#put(token, { ...(job.value.value as Job), cancelled: true }, job.value.version);
    return put.ok ? ok({}) : put;
  }

  async #put(token: string, job: Job, version: number): Promise<Result<undefined, AwsError>> {
    const put = await this.#settings.put({ kind: KIND, id: token }, job, version, this.#nowSeconds() + JOB_SECONDS);
    return put.ok ? ok(undefined) : err(toStoreFailure(put.error));
  }

  async #jobOf(token: string): Promise<Result<Job, AwsError>> {
    const job = await this.#settings.read({ kind: KIND, id: token });
    if (!job.ok) return err(toStoreFailure(job.error));
    return job.value === undefined ? err(noJob(token)) : ok(job.value.value as Job);
  }

  /** A trace of more than 100 spans takes several entries, on the next pages too. */
  async #list({ nextToken, ...query }: RetrievalPageRequest): Promise<Answer> {
    const place = decodePageToken('ListRetrievedTraces', query, nextToken);
    if (!place.ok) return place;
    const job = await this.#jobOf(query.token);
    if (!job.ok) return job;
    if (job.value.cancelled) return ok({ RetrievalStatus: 'CANCELLED', TraceFormat: query.format, Traces: [] });
    const { traceIds } = job.value;
    let [index = 0, offset = 0] = (place.value?.position ?? '0:0').split(':').map((part) => Number(part) || 0);
    const entries: Wire[] = [];
    while (index < traceIds.length && entries.length < TRACES_PER_PAGE) {
      const found = await this.#spansOf(traceIds[index]!, job.value, query.format);
      if (!found.ok) return err(toReadFailure(found.error));
      const spans = found.value?.spans ?? [];
      if (found.value && offset < spans.length) {
        entries.push({ Id: found.value.id, Duration: found.value.seconds, Spans: spans.slice(offset, offset + SPANS_PER_TRACE) });
      }
      offset += SPANS_PER_TRACE;
      if (offset < spans.length) continue;
      index++;
      offset = 0;
    }
    const position = index < traceIds.length ? `${index}:${offset}` : undefined;
    const next = nextPage('ListRetrievedTraces', query, place.value, position);
    return ok({ RetrievalStatus: 'COMPLETE', TraceFormat: query.format, Traces: entries, ...next });
  }

  /** Undefined for a trace that is not stored, or lies outside of the job's time. */
  async #spansOf(
    id: TraceId,
    job: Job,
    format: 'XRAY' | 'OTEL',
  ): Promise<Result<{ readonly id: string; readonly seconds: number; readonly spans: readonly SpanDocument[] } | undefined, ReadError>> {
    const traces = await this.#reader.traces([id]);
    if (!traces.ok) return traces;
    const trace = traces.value.find((one) => within(one, job));
    if (trace === undefined) return ok(undefined);
    const seconds = Math.round((trace.endSeconds - trace.startSeconds) * 1e6) / 1e6;
    const head = { id: toXRayTraceId(id), seconds };
    if (format === 'XRAY') {
      const spans = compileSegments(trace).map((segment) => ({ Id: segment.id, Document: JSON.stringify(segment.document) }));
      return ok({ ...head, spans });
    }
    const rows = await this.#reader.rows(id);
    if (!rows.ok) return rows;
    const documents = this.#reader.documents(rows.value);
    const spans = rows.value.map((row, index) => ({
      Id: row.spanId,
      Document: JSON.stringify(this.#reader.span(row) ?? toOtelDocument(documents[index]!, id)),
    }));
    return ok({ ...head, spans });
  }

  async #graph({ nextToken, token }: RetrievalPageRequest): Promise<Answer> {
    const place = decodePageToken('GetRetrievedTracesGraph', { token }, nextToken);
    if (!place.ok) return place;
    const job = await this.#jobOf(token);
    if (!job.ok) return job;
    if (job.value.cancelled) return ok({ RetrievalStatus: 'CANCELLED', Services: [] });
    const traces = await this.#reader.traces(job.value.traceIds);
    if (!traces.ok) return err(toReadFailure(traces.error));
    const found = traces.value.filter((trace) => within(trace, job.value));
    const graph = await this.#reader.traceGraph(found.map((trace) => trace.id));
    if (!graph.ok) return err(toReadFailure(graph.error));
    const links = linksByService(found);
    const services = toWireServices(graph.value).map((service) => ({
      Service: service,
      Links: links.get(`${String(service['Type'])}\n${String(service['Name'])}`)?.slice(0, MAX_LINKS) ?? [],
    }));
    const start = Math.floor(positionOf(place.value));
    const position = start + SERVICES_PER_PAGE < services.length ? String(start + SERVICES_PER_PAGE) : undefined;
    return ok({
      RetrievalStatus: 'COMPLETE',
      Services: services.slice(start, start + SERVICES_PER_PAGE),
      ...nextPage('GetRetrievedTracesGraph', { token }, place.value, position),
    });
  }
}

function noJob(token: string): AwsError {
  return resourceNotFound(token, 'There is no retrieval with this RetrievalToken: it was never started, or ended more than an hour ago.');
}

function within(trace: Trace, { fromSeconds, toSeconds }: Job): boolean {
  return trace.endSeconds >= fromSeconds && trace.startSeconds <= toSeconds;
}

/** `GraphLink`s of the segments of each node. */
function linksByService(traces: readonly Trace[]): Map<string, Wire[]> {
  const found = new Map<string, Wire[]>();
  for (const trace of traces) {
    for (const segment of trace.segments) {
      const { links } = segment.document;
      if (!Array.isArray(links) || links.length === 0) continue;
      const { name, type } = segmentNode(segment.document);
      const destinations = [...new Set(links.map((link: { trace_id?: unknown }) => String(link.trace_id)))];
      const link = { ReferenceType: 'link', SourceTraceId: toXRayTraceId(trace.id), DestinationTraceIds: destinations };
      found.set(`${type}\n${name}`, [...(found.get(`${type}\n${name}`) ?? []), link]);
    }
  }
  return found;
}
