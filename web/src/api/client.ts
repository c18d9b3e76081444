import type {
  ActivityAnswer,
  ApiError,
  GraphAnswer,
  NamesAnswer,
  SegmentAnswer,
  StatusAnswer,
  TraceAnswer,
  TraceListAnswer,
} from '../core.ts';
import type { Connection } from './connection.ts';

/** The server answered, but not with what was asked for. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string;
  /** 0-based character of the filter expression at fault. */
  readonly position: number | undefined;

  constructor(status: number, code: string, message: string, position?: number) {
    super(message);
    this.name = 'ApiFailure';
    this.status = status;
    this.code = code;
    this.position = position;
  }
}

/** The server could not be reached at all. */
export class ServerLost extends Error {
  constructor(cause: unknown) {
    super('The server does not answer.', { cause });
    this.name = 'ServerLost';
  }
}

export interface Bounds {
  readonly from: number;
  readonly to: number;
}

export interface ApiClient {
  graph(bounds: Bounds, filter: string, signal: AbortSignal): Promise<GraphAnswer>;
  traces(bounds: Bounds, filter: string, limit: number, cursor: string | undefined, signal: AbortSignal): Promise<TraceListAnswer>;
  trace(id: string, signal: AbortSignal): Promise<TraceAnswer>;
  segment(traceId: string, spanId: string, signal: AbortSignal): Promise<SegmentAnswer>;
  activity(bounds: Bounds, signal: AbortSignal): Promise<ActivityAnswer>;
  names(bounds: Bounds, signal: AbortSignal): Promise<NamesAnswer>;
  status(signal?: AbortSignal): Promise<StatusAnswer>;
}

/** Reads `/api/v1`; tells `connection` when the server went away and when it is back. */
export function createApiClient(connection: Connection): ApiClient {
  const get = <T>(path: string, query: Record<string, string | number | undefined>, signal?: AbortSignal): Promise<T> =>
    getJson<T>(connection, `/api/v1${path}${toQuery(query)}`, signal);
  return {
    graph: (bounds, filter, signal) => get('/graph', { ...bounds, filter: filter || undefined }, signal),
    traces: (bounds, filter, limit, cursor, signal) => get('/traces', { ...bounds, filter: filter || undefined, limit, cursor }, signal),
    trace: (id, signal) => get(`/traces/${encodeURIComponent(id)}`, {}, signal),
    segment: (traceId, spanId, signal) => get(`/traces/${encodeURIComponent(traceId)}/segments/${encodeURIComponent(spanId)}`, {}, signal),
    activity: (bounds, signal) => get('/activity', { ...bounds }, signal),
    names: (bounds, signal) => get('/names', { ...bounds }, signal),
    status: (signal) => get('/status', {}, signal),
  };
}

function toQuery(query: Record<string, string | number | undefined>): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) parameters.set(key, String(value));
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

async function getJson<T>(connection: Connection, url: string, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, { headers: { accept: 'application/json' }, ...(signal ? { signal } : {}) });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    connection.reportLost();
    throw new ServerLost(cause);
  }
  if (response.status === 502 || response.status === 504) {
    connection.reportLost();
    throw new ServerLost(new Error(`A proxy answered ${response.status}.`));
  }
  connection.reportAlive();
  if (!response.ok) throw await toFailure(response);
  return (await response.json()) as T;
}

async function toFailure(response: Response): Promise<ApiFailure> {
  const body: unknown = await response.json().catch(() => undefined);
  const error = isApiError(body)
    ? body.error
    : { code: 'Unreadable', message: `The server answered ${response.status} ${response.statusText}.` };
  return new ApiFailure(response.status, error.code, error.message, error.position);
}

function isApiError(body: unknown): body is ApiError {
  return (
    typeof body === 'object' &&
    body !== null &&
    'error' in body &&
    typeof body.error === 'object' &&
    body.error !== null &&
    'message' in body.error
  );
}
