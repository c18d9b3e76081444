/** A made-up server behind `/api/v1`, for working on the page and for testing it without a store. Never part of the page's bundle. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApiError, LiveEvent, NamesAnswer, StatusAnswer } from '../../src/api/index.ts';
import { findTrace, listTraces, segmentAnswer, shopActivity, shopGraph, traceAnswer } from './answers.ts';
import { largeGraph, largeTraceId } from './large.ts';
import { MockFilterError } from './mock-filter.ts';

/** `shop`: a small shop with trouble now and then; `wide`: a map of 500 nodes; `empty`: nothing was ever received. */
export type Scenario = 'shop' | 'wide' | 'empty';

export interface MockApi {
  readonly setScenario: (scenario: Scenario) => void;
  /** Answers a request below `/api/` or `/__mock/`; false when it is another's. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Tells listeners that something new was stored. */
  readonly announce: () => void;
  /** Ends all live streams. */
  readonly close: () => void;
}

export function createMockApi(initial: Scenario = 'shop'): MockApi {
  let scenario = initial;
  const started = Date.now() / 1000;
  const listeners = new Set<ServerResponse>();
  const announce = (): void => {
    const now = Date.now() / 1000;
    const event: LiveEvent = { kind: 'data', fromSeconds: now - 3, toSeconds: now };
    for (const listener of listeners) listener.write(`data: ${JSON.stringify(event)}\n\n`);
  };
  const timer = setInterval(() => scenario !== 'empty' && announce(), 3000);
  timer.unref();
  const answer = (url: URL): unknown => route(url, scenario, started);

  return {
    announce,
    setScenario: (next) => {
      scenario = next;
      announce();
    },
    close: () => {
      clearInterval(timer);
      for (const listener of listeners) listener.end();
    },
    handle: (request, response) => {
      const url = new URL(request.url ?? '/', 'http://mock');
      if (url.pathname === '/__mock/scenario') {
        scenario = (url.searchParams.get('set') ?? 'shop') as Scenario;
        announce();
        send(response, 200, { scenario });
        return true;
      }
      if (url.pathname === '/__mock/large-trace') {
        send(response, 200, { id: largeTraceId(Date.now() / 1000 - 60, Number(url.searchParams.get('rows') ?? 10_000)) });
        return true;
      }
      if (!url.pathname.startsWith('/api/')) return false;
      if (url.pathname === '/api/v1/live') {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
        response.write(': hello\n\n');
        listeners.add(response);
        response.on('close', () => listeners.delete(response));
        return true;
      }
      respond(response, () => answer(url));
      return true;
    },
  };
}

function respond(response: ServerResponse, answer: () => unknown): void {
  try {
    const body = answer();
    if (body === undefined)
      send(response, 404, failure('NotFound', 'There is no such thing here. It may have been removed after the retention time.'));
    else send(response, 200, body);
  } catch (error) {
    if (error instanceof MockFilterError)
      send(response, 400, { error: { code: 'InvalidFilter', message: error.message, position: error.position } });
    else send(response, 500, failure('Mock', String(error)));
  }
}

function failure(code: string, message: string): ApiError {
  return { error: { code, message } };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function route(url: URL, scenario: Scenario, started: number): unknown {
  const query = url.searchParams;
  const from = Number(query.get('from') ?? 0);
  const to = Number(query.get('to') ?? 0);
  const filter = query.get('filter') ?? '';
  const [, , , kind, id, , span] = url.pathname.split('/').map(decodeURIComponent);
  const empty = scenario === 'empty';
  switch (kind) {
    case 'graph':
      if (empty) return { from, to, nodes: [], edges: [] };
      return scenario === 'wide' ? largeGraph(from, to, 500, Math.floor(Date.now() / 3000)) : shopGraph(from, to, filter);
    case 'traces': {
      if (id === undefined)
        return empty
          ? { traces: [], scanned: 0, reachedSeconds: from }
          : listTraces(from, to, filter, Math.min(Number(query.get('limit') ?? 100), 1000), query.get('cursor') ?? undefined);
      const trace = findTrace(id);
      return trace && (span === undefined ? traceAnswer(trace) : segmentAnswer(trace, span));
    }
    case 'activity':
      return empty ? { from, to, stepSeconds: 60, steps: [], latency: { p50: 0, p90: 0, p99: 0, histogram: [] } } : shopActivity(from, to);
    case 'names':
      return namesOf(scenario, from, to);
    case 'status':
      return statusOf(started, empty);
    default:
      return undefined;
  }
}

function namesOf(scenario: Scenario, from: number, to: number): NamesAnswer {
  if (scenario === 'empty') return { nodes: [], annotationKeys: [] };
  const graph = scenario === 'wide' ? largeGraph(from, to, 500, 1) : shopGraph(to - Math.min(to - from, 600), to, '');
  return {
    nodes: graph.nodes.filter((node) => node.type !== 'client').map(({ name, type }) => ({ name, type })),
    annotationKeys: ['version', 'order_total', 'region', 'canary'],
  };
}

function statusOf(started: number, empty: boolean): StatusAnswer {
  const now = Date.now() / 1000;
  const scale = empty ? 0 : 1;
  return {
    version: '0.1.0-mock',
    startedSeconds: started,
    addresses: {
      page: 'http://127.0.0.1:7070',
      xray: '127.0.0.1:2000',
      otlpHttp: 'http://127.0.0.1:4318',
      otlpGrpc: 'http://127.0.0.1:4317',
    },
    intake: [
      { source: 'udp', accepted: 1_204_233 * scale, rejected: 14 * scale, dropped: 3 * scale },
      { source: 'segments', accepted: 88_412 * scale, rejected: 2 * scale, dropped: 0 },
      { source: 'otlp-http', accepted: 401_004 * scale, rejected: 0, dropped: 0 },
      { source: 'otlp-grpc', accepted: 0, rejected: 0, dropped: 0 },
    ],
    store: { state: 'ready' },
    spool: empty ? { bytes: 0, batches: 0 } : { bytes: 184_320, batches: 3, oldestSeconds: now - 0.8 },
    rejects: empty
      ? []
      : [
          {
            atSeconds: now - 42,
            source: 'udp',
            code: 'InvalidTraceId',
            message: 'trace_id "1-abc-def" is not of the form 1-<8 hex>-<24 hex>',
            id: '53995c3f42cd8ad8',
          },
          {
            atSeconds: now - 310,
            source: 'segments',
            code: 'DocumentTooLarge',
            message: 'the document has 81,204 bytes; at most 65,536 are taken',
          },
          {
            atSeconds: now - 320,
            source: 'udp',
            code: 'ParseError',
            message: 'not JSON: unexpected end of input at byte 1,472 (was the datagram cut by a small socket buffer?)',
          },
        ],
    hasData: !empty,
  };
}
