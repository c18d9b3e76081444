import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fastify, { type FastifyInstance, type LightMyRequestResponse } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { segment, TRACE } from '../../test/support/trace-documents.ts';
import { memorySettings } from '../../test/support/memory-settings.ts';
import { err, ok } from '../base/index.ts';
import { CentralSampler } from '../sampling/index.ts';
import { assembleTrace, parseTraceId, summarizeTrace, Tally, type Trace, type TraceId } from '../trace/index.ts';
import { NO_INSIGHTS } from './insight-service.ts';
import type { SearchQuery } from './search.ts';
import { answerUnknownOperation, registerXRay } from './xray-routes.ts';
import type { XRayBackend } from './xray-service.ts';

type Reader = XRayBackend['reader'];

const X_RAY_ID = '1-58406520-a006649127e371903a2de979';
const RANGE = { StartTime: 0, EndTime: 600 };

const down = async (): Promise<{ ok: false; error: { kind: 'unavailable'; message: string } }> =>
  err({ kind: 'unavailable', message: 'the store is down' });

const apps: FastifyInstance[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map(async (app) => app.close()));
});

/** A server whose store is down, but for what is given. */
function serve(reader: Partial<Reader> = {}, backend: Partial<XRayBackend> = {}): FastifyInstance {
  const app = fastify({ bodyLimit: 10_000, routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true } });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  registerXRay(app, {
    reader: {
      search: down,
      traces: down,
      graph: down,
      traceGraph: down,
      series: down,
      filteredGraph: down,
      filteredSeries: down,
      rows: down,
      documents: () => [],
      span: () => undefined,
      ...reader,
    },
    settings: memorySettings(),
    sampler: new CentralSampler(),
    insights: NO_INSIGHTS,
    intake: { putSegments: async () => ok({ accepted: 1, rejected: 0, refusals: [] }) },
    telemetry: () => undefined,
    ...backend,
  });
  app.setNotFoundHandler(answerUnknownOperation);
  apps.push(app);
  return app;
}

async function post(
  app: FastifyInstance,
  url: string,
  body: unknown,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<LightMyRequestResponse> {
  return app.inject({
    method: 'POST',
    url,
    headers,
    payload: Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** What a decoded error comes to. */
function errorOf(response: LightMyRequestResponse): unknown {
  const body = response.json<{ Message: string; message: string; __type: string }>();
  expect(response.headers['x-amzn-errortype']).toBe(body.__type);
  expect(response.headers['x-amzn-requestid']).toMatch(/^[\da-f-]{36}$/);
  expect(body.message).toBe(body.Message);
  return [response.statusCode, body.__type, body.Message];
}

function traceOf(index: number, members: Parameters<typeof segment>[1] = {}): Trace {
  const id = parseTraceId(index.toString(16).padStart(32, '0')) as TraceId;
  return assembleTrace(id, [segment('a', members)]);
}

describe('registerXRay()', () => {
  const captured = JSON.parse(readFileSync(new URL('../../testdata/xray/client-requests.json', import.meta.url), 'utf8')) as {
    readonly js: Record<string, CapturedRequest>;
    readonly cli: readonly CapturedRequest[];
    readonly sampling: readonly CapturedRequest[];
  };
  interface CapturedRequest {
    readonly path: string;
    readonly headers: Record<string, string>;
    readonly body: string;
  }
  const all = [...Object.values(captured.js), ...captured.cli, ...captured.sampling];

  test.each(all.map((request) => [request.path, request] as const))(
    'answers the captured request to %s in JSON',
    async (_, { path, headers, body }) => {
      const response = await post(serve(), path, body, headers);
      expect(response.headers['content-type']).toMatch(/^application\/json/);
      expect(response.headers['x-amzn-requestid']).toMatch(/^[\da-f-]{36}$/);
      expect(response.json()).toBeTypeOf('object');
      expect([200, 400, 404, 503]).toContain(response.statusCode);
    },
  );

  test.each(['/GetSamplingRules', '/GetSamplingRules/', '//GetSamplingRules', '/GetSamplingRules?x=1'])('answers at %s', async (path) => {
    expect((await post(serve(), path, '{}')).statusCode).toBe(200);
  });

  test.each(['application/json', 'application/json; charset=utf-8', 'application/x-amz-json-1.1', 'text/plain', 'nonsense', ''])(
    'takes content-type %j',
    async (type) => {
      const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
      expect((await post(serve(), '/GetSamplingRules', '{}', headers)).statusCode).toBe(200);
      expect((await post(serve(), '/GetSamplingRules', '', headers)).statusCode).toBe(200);
    },
  );

  test('takes compressed bodies', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    expect(errorOf(await post(serve(), '/TraceSummaries', gzipSync('{"StartTime":2,"EndTime":1}'), headers))).toContain(
      'InvalidRequestException',
    );
    expect(errorOf(await post(serve(), '/TraceSummaries', Buffer.from('no'), headers))).toEqual([
      400,
      'SerializationException',
      expect.any(String),
    ]);
    expect(errorOf(await post(serve(), '/TraceSummaries', '{}', { 'content-encoding': 'br' }))).toEqual([
      415,
      'UnsupportedMediaTypeException',
      expect.any(String),
    ]);
  });

  test('answers what cannot be served in AWS form', async () => {
    const app = serve({ graph: async () => Promise.reject(new Error('secret')) });
    expect(errorOf(await post(app, '/Nonsense', '{'))).toEqual([
      404,
      'UnknownOperationException',
      'There is no X-Ray operation at POST /Nonsense.',
    ]);
    expect(errorOf(await app.inject({ method: 'GET', url: '/TraceSummaries?x' }))).toEqual([
      404,
      'UnknownOperationException',
      expect.stringContaining('GET /TraceSummaries.'),
    ]);
    expect(errorOf(await post(app, '/TraceSummaries', 'x'.repeat(10_001)))).toEqual([
      413,
      'RequestEntityTooLargeException',
      expect.any(String),
    ]);
    expect(errorOf(await post(app, '/TraceSummaries', '{"StartTime"'))).toEqual([
      400,
      'SerializationException',
      expect.stringContaining('not JSON'),
    ]);
    expect(errorOf(await post(app, '/ServiceGraph', RANGE))).toEqual([500, 'InternalFailure', 'The server failed; its log says why.']);
    const busy = await post(app, '/TraceSummaries', RANGE);
    expect(errorOf(busy)).toEqual([503, 'ServiceUnavailable', 'the store is down']);
    expect(busy.headers['retry-after']).toBe('1');
  });
});

describe('PutTraceSegments', () => {
  test('hands the bytes on and says why a document was refused', async () => {
    const seen: string[] = [];
    const app = serve(
      {},
      {
        intake: {
          putSegments: async (body) => {
            seen.push(Buffer.from(body).toString());
            return ok({
              accepted: 1,
              rejected: 2,
              refusals: [
                { code: 'InvalidTraceId', message: 'trace_id is old', id: 'abc' },
                { code: 'ParseError', message: 'not JSON' },
              ],
            });
          },
        },
      },
    );
    const response = await post(app, '/TraceSegments', '{"TraceSegmentDocuments":["x"]}');
    expect(seen).toEqual(['{"TraceSegmentDocuments":["x"]}']);
    expect(response.json()).toEqual({
      UnprocessedTraceSegments: [
        { Id: 'abc', ErrorCode: 'InvalidTraceId', Message: 'Invalid segment. ErrorCode: InvalidTraceId, Cause: trace_id is old' },
        { ErrorCode: 'ParseError', Message: 'Invalid segment. ErrorCode: ParseError, Cause: not JSON' },
      ],
    });
  });

  test.each([
    ['busy', 429, 'ThrottledException', '1'],
    ['unreadable', 400, 'SerializationException', undefined],
  ] as const)('answers %s with %d', async (kind, status, type, retryAfter) => {
    const app = serve({}, { intake: { putSegments: async () => err({ kind, message: 'no' }) } });
    const response = await post(app, '/TraceSegments', '{}');
    expect(errorOf(response)).toEqual([status, type, 'no']);
    expect(response.headers['retry-after']).toBe(retryAfter);
  });
});

test('PutTelemetryRecords tells the backend', async () => {
  const told: unknown[] = [];
  const app = serve({}, { telemetry: (records) => told.push(...records) });
  const response = await post(app, '/TelemetryRecords', { TelemetryRecords: [{ Timestamp: 5, SegmentsSentCount: 3 }], Hostname: 'h' });
  expect([response.statusCode, response.json()]).toEqual([200, {}]);
  expect(told).toMatchObject([{ seconds: 5, sent: 3, hostname: 'h' }]);
});

describe('GetTraceSummaries', () => {
  /** One trace a page, three pages, the second empty. */
  const pages: Reader['search'] = async ({ position }) => {
    const trace = traceOf(1);
    const items = position === 'b' ? [] : [{ trace, summary: summarizeTrace(trace), matchedSeconds: 12.5 }];
    const next = { undefined: 'b', b: 'c', c: undefined }[String(position)];
    return ok({ items, position: next, scanned: 7, reachedSeconds: 44.7 });
  };

  test('asks the reader for what was asked for', async () => {
    const asked: SearchQuery[] = [];
    const app = serve({
      search: async (query) => {
        asked.push(query);
        return pages(query);
      },
    });
    const response = await post(app, '/TraceSummaries', { ...RANGE, TimeRangeType: 'Service', FilterExpression: 'fault' });
    expect(asked).toEqual([
      {
        fromSeconds: 0,
        toSeconds: 600,
        by: 'end',
        filter: expect.objectContaining({ kind: 'flag' }),
        limit: 100,
        position: undefined,
        budgetMs: 2_000,
      },
    ]);
    expect(response.json()).toMatchObject({
      TraceSummaries: [{ Duration: 10, MatchedEventTime: 12.5 }],
      TracesProcessedCount: 7,
      ApproximateTime: 44,
    });
  });

  test('pages to an end, through an empty page, and no token on the last', async () => {
    const app = serve({ search: pages });
    const counts: number[] = [];
    const tokens = new Set<string | undefined>();
    let token: string | undefined;
    do {
      const answer = (await post(app, '/TraceSummaries', { ...RANGE, NextToken: token })).json<{
        TraceSummaries: unknown[];
        NextToken?: string;
      }>();
      counts.push(answer.TraceSummaries.length);
      token = answer.NextToken;
      tokens.add(token);
    } while (token !== undefined);
    expect(counts).toEqual([1, 0, 1]);
    expect(tokens.size).toBe(3);
  });

  test('refuses a token with other parameters', async () => {
    const app = serve({ search: pages });
    const { NextToken } = (await post(app, '/TraceSummaries', RANGE)).json<{ NextToken: string }>();
    expect(errorOf(await post(app, '/TraceSummaries', { ...RANGE, FilterExpression: 'fault', NextToken }))).toEqual([
      400,
      'InvalidRequestException',
      expect.stringContaining('other parameters'),
    ]);
    expect(errorOf(await post(app, '/TraceSummaries', { ...RANGE, NextToken: 'made up' }))).toEqual([
      400,
      'InvalidRequestException',
      expect.any(String),
    ]);
  });

  test('ends a search that does not get on', async () => {
    const app = serve({ search: async () => ok({ items: [], position: 'same', scanned: 0, reachedSeconds: 0 }) });
    const { NextToken } = (await post(app, '/TraceSummaries', RANGE)).json<{ NextToken: string }>();
    expect(errorOf(await post(app, '/TraceSummaries', { ...RANGE, NextToken }))).toContain('InternalFailure');
  });

  test('passes on that the reader cannot read a position', async () => {
    const app = serve({ search: async () => err({ kind: 'invalid', message: 'damaged' }) });
    expect(errorOf(await post(app, '/TraceSummaries', RANGE))).toEqual([400, 'InvalidRequestException', 'damaged']);
  });
});

describe('BatchGetTraces', () => {
  const known =
    (traces: readonly Trace[]): Reader['traces'] =>
    async (ids) =>
      ok(traces.filter((trace) => ids.includes(trace.id)));

  test('leaves unknown traces out', async () => {
    const app = serve({ traces: known([assembleTrace(TRACE, [segment('a')])]) });
    const response = await post(app, '/Traces', { TraceIds: [randomUUID().replaceAll('-', ''), X_RAY_ID] });
    expect(response.json()).toEqual({
      Traces: [
        {
          Id: X_RAY_ID,
          Duration: 10,
          LimitExceeded: false,
          Segments: [{ Id: 'a'.repeat(16), Document: expect.stringContaining('"trace_id"') }],
        },
      ],
      UnprocessedTraceIds: [],
    });
  });

  test('gives large traces in pages of some megabytes, each once, in the order asked for', async () => {
    const traces = Array.from({ length: 23 }, (_, index) => traceOf(index + 1, { metadata: { text: 'x'.repeat(1_000_000) } }));
    const app = serve({ traces: known(traces) });
    const ids = traces.map((trace) => trace.id);
    const found: string[] = [];
    let token: string | undefined;
    let pages = 0;
    do {
      const response = await post(app, '/Traces', { TraceIds: ids, NextToken: token });
      expect(response.rawPayload.length).toBeLessThan(6_100_000);
      const answer = response.json<{ Traces: { Id: string }[]; NextToken?: string }>();
      found.push(...answer.Traces.map((trace) => trace.Id));
      token = answer.NextToken;
      pages++;
    } while (token !== undefined);
    expect(found.map((id) => parseTraceId(id))).toEqual(ids);
    expect(pages).toBe(5);
  });

  test('gives a trace that is larger than a page alone', async () => {
    const traces = [traceOf(1), traceOf(2, { metadata: { text: 'x'.repeat(7_000_000) } }), traceOf(3)];
    const app = serve({ traces: known(traces) });
    const first = (await post(app, '/Traces', { TraceIds: traces.map(({ id }) => id) })).json<{ Traces: unknown[]; NextToken: string }>();
    expect(first.Traces).toHaveLength(1);
    const second = (await post(app, '/Traces', { TraceIds: traces.map(({ id }) => id), NextToken: first.NextToken })).json<{
      Traces: unknown[];
      NextToken: string;
    }>();
    expect(second.Traces).toHaveLength(1);
  });
});

describe('service graphs', () => {
  const graph = async (): ReturnType<Reader['graph']> => {
    const names = Array.from({ length: 1_500 }, (_, index) => `service ${String(index).padStart(4, '0')}`);
    const tally = new Tally();
    tally.add(0, 100, 1e6);
    return ok({
      nodes: names.map((name) => ({ name, type: 'unknown', root: false, active: true, tally })),
      edges: names.slice(1).map((name) => ({ from: { name: names[0]!, type: 'unknown' }, to: { name, type: 'unknown' }, tally })),
    });
  };

  test.each([
    ['GetServiceGraph', '/ServiceGraph', RANGE],
    ['GetTraceGraph', '/TraceGraph', { TraceIds: [X_RAY_ID] }],
  ])('%s gives a thousand services a page, whose references lead across pages', async (_, path, request) => {
    const app = serve({ graph, traceGraph: graph });
    interface GraphAnswer {
      readonly Services: { ReferenceId: number; Edges: { ReferenceId: number }[] }[];
      readonly NextToken?: string;
    }
    const first = (await post(app, path, request)).json<GraphAnswer>();
    const second = (await post(app, path, { ...request, NextToken: first.NextToken })).json<GraphAnswer>();
    expect([first.Services.length, second.Services.length, second.NextToken]).toEqual([1_000, 500, undefined]);
    const ids = new Set([...first.Services, ...second.Services].map((service) => service.ReferenceId));
    expect(ids.size).toBe(1_500);
    for (const edge of first.Services[0]!.Edges) expect(ids).toContain(edge.ReferenceId);
  });

  test('GetServiceGraph echoes its times', async () => {
    const response = await post(serve({ graph }), '/ServiceGraph', { StartTime: 1.5, EndTime: 600 });
    expect(response.json()).toMatchObject({ StartTime: 1.5, EndTime: 600, ContainsOldGroupVersions: false });
  });
});

describe('GetTimeSeriesServiceStatistics', () => {
  test('asks for what is selected and fills in the empty periods', async () => {
    const asked: unknown[] = [];
    const tally = new Tally();
    tally.add(0, 130, 5e6);
    const series: Reader['series'] = async (...args) => {
      asked.push(args);
      return ok([{ startSeconds: 120, tally }]);
    };
    const response = await post(serve({ series }), '/TimeSeriesServiceStatistics', {
      StartTime: 60,
      EndTime: 240,
      EntitySelectorExpression: 'edge("a", "b")',
      Period: 60,
    });
    expect(asked).toEqual([
      [
        { fromSeconds: 60, toSeconds: 240, periodSeconds: 60 },
        { kind: 'edge', from: { name: 'a' }, to: { name: 'b' } },
      ],
    ]);
    expect(response.json()).toMatchObject({
      TimeSeriesServiceStatistics: [
        { Timestamp: 60, EdgeSummaryStatistics: { TotalCount: 0 } },
        { Timestamp: 120, EdgeSummaryStatistics: { TotalCount: 1 }, ResponseTimeHistogram: [{ Value: 0.005, Count: 1 }] },
        { Timestamp: 180, EdgeSummaryStatistics: { TotalCount: 0 } },
      ],
      ContainsOldGroupVersions: false,
    });
  });

  test('pages through a long range', async () => {
    const app = serve({ series: async () => ok([]) });
    const request = { StartTime: 0, EndTime: 2_500 * 60 };
    const times: number[] = [];
    let token: string | undefined;
    do {
      const answer = (await post(app, '/TimeSeriesServiceStatistics', { ...request, NextToken: token })).json<{
        TimeSeriesServiceStatistics: { Timestamp: number }[];
        NextToken?: string;
      }>();
      times.push(...answer.TimeSeriesServiceStatistics.map((row) => row.Timestamp));
      token = answer.NextToken;
    } while (token !== undefined);
    expect(times).toEqual(Array.from({ length: 2_500 }, (_, index) => index * 60));
  });
});
