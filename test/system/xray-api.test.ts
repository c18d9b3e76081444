// The X-Ray API through the unmodified JavaScript client and the `aws` command.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { request } from 'node:http';
import { promisify } from 'node:util';
import * as sdk from '@aws-sdk/client-xray';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FluoroProcess, startFluoro } from '../support/fluoro-process.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { until } from '../support/until.ts';
import { BULK, bulkFrom, bulkTo, from, id, now, REQUESTS, requestDocuments, to, traceId } from '../support/xray-shop.ts';

/** A shim of the same name may come first in PATH. */
const AWS = '/usr/bin/aws';

let fluoro: FluoroProcess;
let client: sdk.XRayClient;

beforeAll(async () => {
  fluoro = await startFluoro();
  client = new sdk.XRayClient({
    endpoint: `http://${fluoro.page}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'x' },
  });
  const bulk = Array.from({ length: BULK }, (_, index) =>
    JSON.stringify({
      trace_id: traceId(1_000 + index),
      id: id(100_000 + index),
      name: 'bulk',
      start_time: now - 3_800 + index / 10,
      end_time: now - 3_799 + index / 10,
    }),
  );
  const documents = [...REQUESTS.flatMap(([number, status]) => requestDocuments(number, status)), ...bulk];
  for (let at = 0; at < documents.length; at += 50) {
    const answer = await client.send(new sdk.PutTraceSegmentsCommand({ TraceSegmentDocuments: documents.slice(at, at + 50) }));
    expect(answer.UnprocessedTraceSegments).toEqual([]);
  }
  const stored = async (): Promise<number> =>
    (await summaries({})).length + (await summaries({ StartTime: bulkFrom, EndTime: bulkTo })).length;
  await until(stored, (count) => count === REQUESTS.length + BULK);
});

afterAll(async () => {
  client?.destroy();
  expect(await fluoro?.stop()).toBe(0);
});

async function summaries(query: Partial<sdk.GetTraceSummariesCommandInput>): Promise<sdk.TraceSummary[]> {
  const found: sdk.TraceSummary[] = [];
  for await (const page of sdk.paginateGetTraceSummaries({ client }, { StartTime: from, EndTime: to, ...query }))
    found.push(...(page.TraceSummaries ?? []));
  return found;
}

const numbers = (found: readonly { readonly Id?: string | undefined }[]): number[] =>
  found.map(({ Id }) => Number.parseInt(Id!.slice(-24), 16));

async function failure(call: Promise<unknown>): Promise<sdk.XRayServiceException> {
  return call.then(
    () => expect.fail('it should have failed'),
    (cause: unknown) => cause as sdk.XRayServiceException,
  );
}

describe('through the JavaScript client', () => {
  test.each([
    ['', [5, 4, 3, 2, 1]],
    ['fault', [5]],
    ['error', [4, 3]],
    ['throttle', [4]],
    ['http.status = 200 AND annotation.items >= 2', [2]],
    ['annotation.vip = true', [1]],
    ['service("carts") { fault }', [5]],
    ['edge("shop", "users") { responsetime > 0.15 }', [5, 4, 3, 2, 1]],
    ['rootcause.fault.exception { message = "no such table" }', [5]],
    ['http.url ENDSWITH "/cart/3"', [3]],
    ['user = "bob"', []],
  ])('GetTraceSummaries finds %j newest first', async (filter, expected) => {
    expect(numbers(await summaries({ FilterExpression: filter }))).toEqual(expected);
  });

  test('GetTraceSummaries tells all about a trace', async () => {
    const [found] = await summaries({ FilterExpression: 'fault' });
    const shop = { Name: 'shop', Names: ['shop'], Type: 'AWS::ECS::Container' };
    expect(found).toMatchObject({
      Id: traceId(5),
      StartTime: new Date((now - 235) * 1000),
      Duration: 0.4,
      ResponseTime: 0.4,
      HasFault: true,
      HasError: false,
      HasThrottle: false,
      IsPartial: false,
      Http: { HttpURL: 'http://shop.example/cart/5', HttpStatus: 503, HttpMethod: 'GET', UserAgent: 'curl', ClientIp: '10.0.0.7' },
      Annotations: {
        customer: [{ AnnotationValue: { StringValue: 'c5' }, ServiceIds: [shop] }],
        items: [{ AnnotationValue: { NumberValue: 5 } }],
        vip: [{ AnnotationValue: { BooleanValue: false } }],
      },
      Users: [{ UserName: 'alice', ServiceIds: [shop] }],
      EntryPoint: shop,
      FaultRootCauses: [
        { ClientImpacting: true, Services: [{ Name: 'shop' }, { Name: 'carts', Inferred: true, EntityPath: [{ Remote: true }] }] },
      ],
      Revision: expect.any(Number),
    });
    expect(found!.ServiceIds!.map((service) => `${service.Name} ${service.Type}`).toSorted()).toEqual([
      'carts AWS::DynamoDB::Table',
      'shop AWS::ECS::Container',
      'users unknown',
    ]);
    expect(found).not.toHaveProperty('MatchedEventTime');
  });

  test.each(['Event', 'Service'] as const)('GetTraceSummaries by %s says when', async (TimeRangeType) => {
    const range = { StartTime: new Date((now - 234.7) * 1000), EndTime: new Date((now - 234.5) * 1000) };
    const found = await summaries({ ...range, TimeRangeType });
    expect(numbers(found)).toEqual([5]);
    expect(found[0]!.MatchedEventTime?.getTime()).toBeCloseTo((now - 234.6) * 1000, -1);
    expect(await summaries(range)).toEqual([]);
  });

  test('GetTraceSummaries pages to an end, each trace once, newest first', async () => {
    let pages = 0;
    const found: number[] = [];
    let processed = 0;
    for await (const page of sdk.paginateGetTraceSummaries({ client, stopOnSameToken: false }, { StartTime: bulkFrom, EndTime: bulkTo })) {
      pages++;
      processed += page.TracesProcessedCount ?? 0;
      expect(page.ApproximateTime).toBeInstanceOf(Date);
      found.push(...numbers(page.TraceSummaries!));
    }
    expect(found).toEqual(Array.from({ length: BULK }, (_, index) => 1_000 + BULK - 1 - index));
    expect(pages).toBeGreaterThan(1);
    expect(processed).toBeGreaterThanOrEqual(BULK);
  });

  test('BatchGetTraces gives compiled segments, inferred ones too, and leaves unknown traces out', async () => {
    const traces: sdk.Trace[] = [];
    for await (const page of sdk.paginateBatchGetTraces({ client }, { TraceIds: [traceId(5), traceId(999), traceId(1)] }))
      traces.push(...page.Traces!);
    expect(numbers(traces)).toEqual([5, 1]);
    expect(traces[0]).toMatchObject({ Duration: 0.4, LimitExceeded: false });
    const documents = traces[0]!.Segments!.map(
      (segment) => JSON.parse(segment.Document!) as { name: string; id: string; subsegments?: unknown[] },
    );
    expect(documents.map((document) => document.name).toSorted()).toEqual(['DynamoDB', 'shop', 'users']);
    expect(traces[0]!.Segments!.map((segment) => segment.Id)).toEqual(documents.map((document) => document.id));
    expect(documents.find((document) => document.name === 'shop')).toMatchObject({
      trace_id: traceId(5),
      fault: true,
      annotations: { customer: 'c5', items: 5, vip: false },
      subsegments: [{ name: 'users' }, { name: 'DynamoDB', cause: { exceptions: [{ message: 'no such table' }] } }],
    });
  });

  /** Services by name and type. */
  function byName(services: readonly sdk.Service[]): Map<string, sdk.Service> {
    expect(services.map((service) => service.ReferenceId)).toEqual(services.map((_, index) => index));
    return new Map(services.map((service) => [`${service.Name} ${service.Type}`, service]));
  }

  function expectShop(services: readonly sdk.Service[]): void {
    const found = byName(services);
    expect([...found.keys()].toSorted()).toEqual([
      'carts AWS::DynamoDB::Table',
      'shop AWS::ECS::Container',
      'shop client',
      'users unknown',
    ]);
    const shop = found.get('shop AWS::ECS::Container')!;
    expect(shop).toMatchObject({
      Root: true,
      State: 'active',
      SummaryStatistics: {
        OkCount: 2,
        ErrorStatistics: { ThrottleCount: 1, OtherCount: 1, TotalCount: 2 },
        FaultStatistics: { OtherCount: 1, TotalCount: 1 },
        TotalCount: 5,
      },
      ResponseTimeHistogram: [{ Count: 5 }],
    });
    expect(shop.SummaryStatistics!.TotalResponseTime).toBeCloseTo(2, 3);
    expect(shop.Edges!.map((edge) => edge.ReferenceId).toSorted()).toEqual(
      [found.get('users unknown')!.ReferenceId, found.get('carts AWS::DynamoDB::Table')!.ReferenceId].toSorted(),
    );
    expect(found.get('shop client')).toMatchObject({
      State: 'unknown',
      Edges: [{ ReferenceId: shop.ReferenceId, SummaryStatistics: { TotalCount: 5 } }],
    });
    expect(found.get('shop client')).not.toHaveProperty('SummaryStatistics');
    expect(found.get('carts AWS::DynamoDB::Table')).toMatchObject({ State: 'unknown', SummaryStatistics: { TotalCount: 5 }, Edges: [] });
    expect(found.get('users unknown')).toMatchObject({ State: 'active', StartTime: expect.any(Date), EndTime: expect.any(Date) });
  }

  async function serviceGraph(query: Partial<sdk.GetServiceGraphCommandInput> = {}): Promise<sdk.Service[]> {
    const services: sdk.Service[] = [];
    for await (const page of sdk.paginateGetServiceGraph({ client }, { StartTime: from, EndTime: to, ...query })) {
      expect(page).toMatchObject({ StartTime: from, EndTime: to, ContainsOldGroupVersions: false });
      services.push(...page.Services!);
    }
    return services;
  }

  test('GetServiceGraph sums the requests up', async () => {
    const services = await until(serviceGraph, (found) =>
      found.some((service) => service.Name === 'shop' && service.SummaryStatistics?.TotalCount === 5),
    );
    expectShop(services);
    expect(await serviceGraph({ GroupName: 'Default' })).toEqual(services);
  });

  test('GetTraceGraph does so for some traces', async () => {
    const services: sdk.Service[] = [];
    for await (const page of sdk.paginateGetTraceGraph({ client }, { TraceIds: REQUESTS.map(([number]) => traceId(number)) }))
      services.push(...page.Services!);
    expectShop(services);
    const one = await client.send(new sdk.GetTraceGraphCommand({ TraceIds: [traceId(3)] }));
    expect(byName(one.Services!).get('shop client')).toMatchObject({
      Edges: [{ SummaryStatistics: { ErrorStatistics: { OtherCount: 1 }, TotalCount: 1 } }],
    });
  });

  async function series(query: Partial<sdk.GetTimeSeriesServiceStatisticsCommandInput>): Promise<sdk.TimeSeriesServiceStatistics[]> {
    const rows: sdk.TimeSeriesServiceStatistics[] = [];
    const input = { StartTime: from, EndTime: to, ...query };
    for await (const page of sdk.paginateGetTimeSeriesServiceStatistics({ client }, input)) rows.push(...page.TimeSeriesServiceStatistics!);
    return rows;
  }

  test.each([
    ['everything from outside', {}, 'EdgeSummaryStatistics', 5],
    ['a service', { EntitySelectorExpression: 'service(id(name: "shop", type: "AWS::ECS::Container"))' }, 'ServiceSummaryStatistics', 5],
    ['an edge', { EntitySelectorExpression: 'edge("shop", "carts")', Period: 300 }, 'EdgeSummaryStatistics', 5],
    ['a service that is not there', { EntitySelectorExpression: 'service("nobody")' }, 'ServiceSummaryStatistics', 0],
  ] as const)('GetTimeSeriesServiceStatistics of %s', async (_, query, member, expected) => {
    const total = (rows: readonly sdk.TimeSeriesServiceStatistics[]): number =>
      rows.reduce((sum, row) => sum + (row[member]?.TotalCount ?? Number.NaN), 0);
    const rows = await until(
      async () => series(query),
      (found) => total(found) === expected,
    );
    const period = 'Period' in query ? query.Period : 60;
    expect(rows.map((row) => (row.Timestamp!.getTime() / 1000) % period)).toEqual(rows.map(() => 0));
    expect(rows.length).toBeGreaterThanOrEqual(300 / period);
  });

  test('PutTraceSegments says which documents it refused, and why', async () => {
    const good = JSON.stringify({ trace_id: traceId(3_000), id: id(3_000), name: 'late', start_time: now - 7_000, end_time: now - 6_999 });
    const bad = ['nonsense', JSON.stringify({ ...JSON.parse(good), trace_id: 'x' }), JSON.stringify({ trace_id: traceId(1) })];
    const { UnprocessedTraceSegments: refused } = await client.send(
      new sdk.PutTraceSegmentsCommand({ TraceSegmentDocuments: [good, ...bad] }),
    );
    expect(refused).toMatchObject([
      { ErrorCode: 'ParseError', Message: expect.stringContaining('Invalid segment. ErrorCode: ParseError, Cause: ') },
      { Id: id(3_000), ErrorCode: 'InvalidTraceId' },
      { ErrorCode: 'MissingId' },
    ]);
    expect(refused![0]).not.toHaveProperty('Id');
    const range = { StartTime: new Date((now - 7_001) * 1000), EndTime: new Date((now - 6_000) * 1000) };
    expect(
      numbers(
        await until(
          async () => summaries(range),
          (found) => found.length > 0,
        ),
      ),
    ).toEqual([3_000]);
  });

  test.each([
    [
      'a bad filter',
      new sdk.GetTraceSummariesCommand({ StartTime: new Date(0), EndTime: new Date(1), FilterExpression: 'fault AND bogus' }),
      'position 10',
    ],
    [
      'times in the wrong order',
      new sdk.GetServiceGraphCommand({ StartTime: new Date(2_000), EndTime: new Date(1_000) }),
      'not be before StartTime',
    ],
    [
      'a missing time',
      new sdk.GetServiceGraphCommand({ StartTime: undefined, EndTime: new Date(1_000) }),
      "'startTime' failed to satisfy constraint: Member must not be null",
    ],
    ['a malformed trace id', new sdk.BatchGetTracesCommand({ TraceIds: ['x'] }), "'traceIds.1.member'"],
    [
      'an unknown group',
      new sdk.GetServiceGraphCommand({ StartTime: new Date(1_000), EndTime: new Date(2_000), GroupName: 'g' }),
      'Group not found: g',
    ],
    ['a made-up token', new sdk.GetTraceGraphCommand({ TraceIds: [traceId(1)], NextToken: 'made up' }), 'NextToken'],
    [
      'a selector that is a filter',
      new sdk.GetTimeSeriesServiceStatisticsCommand({
        StartTime: new Date(1_000),
        EndTime: new Date(2_000),
        EntitySelectorExpression: 'fault',
      }),
      'service(…) or edge(…)',
    ],
  ])('decodes the error for %s', async (_, command, message) => {
    const error = await failure(client.send(command as sdk.GetTraceSummariesCommand));
    expect(error).toBeInstanceOf(sdk.InvalidRequestException);
    expect(error.message).toContain(message);
    expect(error.$metadata).toMatchObject({ httpStatusCode: 400, attempts: 1, requestId: expect.stringMatching(/^[\da-f-]{36}$/) });
  });

  const captured = (
    JSON.parse(readFileSync(new URL('../../testdata/xray/client-requests.json', import.meta.url), 'utf8')) as {
      js: Record<string, { body: string }>;
    }
  ).js;
  type AnyCommand = new (input: unknown) => sdk.GetGroupCommand;

  test.each(Object.entries(captured).map(([name, { body }]) => [name, body]))(
    '%s is answered with something that the client can decode, at the first attempt',
    async (name, body) => {
      const input: unknown = JSON.parse(body || '{}', (key, value: unknown) =>
        /Time$|^Timestamp$/.test(key) ? new Date(Number(value) * 1000) : value,
      );
      const Command = (sdk as unknown as Record<string, AnyCommand>)[`${name}Command`]!;
      const answer = await client.send(new Command(input)).catch((cause: unknown) => cause as sdk.XRayServiceException);
      if (answer instanceof sdk.XRayServiceException) {
        expect(['InvalidRequestException', 'ResourceNotFoundException', 'MalformedPolicyDocumentException']).toContain(answer.name);
        expect(answer.message.length).toBeGreaterThan(20);
      } else {
        expect(answer).not.toBeInstanceOf(Error);
      }
      expect(answer.$metadata).toMatchObject({ attempts: 1, requestId: expect.any(String) });
    },
  );
});

describe('through the aws command', () => {
  /** What it printed on standard output, or on standard error when it failed. */
  async function aws(...args: string[]): Promise<{ readonly output: string; readonly status: number }> {
    const env = {
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'x',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: '',
      AWS_PAGER: '',
      AWS_EC2_METADATA_DISABLED: 'true',
      HOME: '/nonexistent',
      LANG: 'C.UTF-8',
    };
    const call = promisify(execFile)(AWS, ['--endpoint-url', `http://${fluoro.page}`, '--output', 'json', 'xray', ...args], {
      env,
      maxBuffer: 1e8,
    });
    return call.then(
      ({ stdout }) => ({ output: stdout, status: 0 }),
      (cause: { stderr: string; code: number }) => ({ output: cause.stderr, status: cause.code }),
    );
  }

  const times = ['--start-time', String(now - 300), '--end-time', String(now)];
  const missing = 'no aws command; install it: apt-get install awscli';

  test('get-trace-summaries takes a filter', async (context) => {
    requireOrSkip(context, existsSync(AWS), missing);
    const { output } = await aws(
      'get-trace-summaries',
      ...times,
      '--filter-expression',
      'service("carts") { fault } AND responsetime > 0.3',
    );
    expect(numbers((JSON.parse(output) as { TraceSummaries: { Id: string }[] }).TraceSummaries)).toEqual([5]);
  });

  test('get-trace-summaries goes through all pages', async (context) => {
    requireOrSkip(context, existsSync(AWS), missing);
    const { output } = await aws('get-trace-summaries', '--start-time', String(now - 3_900), '--end-time', String(now - 3_600));
    expect((JSON.parse(output) as { TraceSummaries: unknown[] }).TraceSummaries).toHaveLength(BULK);
  });

  test('put-trace-segments, then batch-get-traces', async (context) => {
    requireOrSkip(context, existsSync(AWS), missing);
    const document = { trace_id: traceId(2_000), id: id(2_000), name: 'by hand', start_time: now - 9_000, end_time: now - 8_999.5 };
    const put = await aws('put-trace-segments', '--trace-segment-documents', JSON.stringify(document));
    expect(JSON.parse(put.output)).toEqual({ UnprocessedTraceSegments: [] });
    const traces = await until(
      async () =>
        (
          JSON.parse((await aws('batch-get-traces', '--trace-ids', traceId(2_000))).output) as {
            Traces: { Segments: { Document: string }[] }[];
          }
        ).Traces,
      (found) => found.length > 0,
    );
    expect(JSON.parse(traces[0]!.Segments[0]!.Document)).toMatchObject(document);
  });

  test('get-service-graph, get-trace-graph and get-time-series-service-statistics', async (context) => {
    requireOrSkip(context, existsSync(AWS), missing);
    const names = (output: string): string[] =>
      (JSON.parse(output) as { Services: { Name: string; Type: string }[] }).Services.map((service) => `${service.Name} ${service.Type}`);
    const expected = ['carts AWS::DynamoDB::Table', 'shop AWS::ECS::Container', 'shop client', 'users unknown'];
    await until(
      async () => names((await aws('get-service-graph', ...times)).output),
      (found) => found.length === expected.length,
    );
    expect(names((await aws('get-service-graph', ...times)).output)).toEqual(expected);
    expect(names((await aws('get-trace-graph', '--trace-ids', traceId(1))).output)).toEqual(expected);
    const rows = await aws(
      'get-time-series-service-statistics',
      ...times,
      '--entity-selector-expression',
      'service("users")',
      '--period',
      '300',
    );
    expect(rows.output).toContain('"TotalCount": 5');
  });

  test('get-sampling-rules, get-sampling-targets and put-telemetry-records', async (context) => {
    requireOrSkip(context, existsSync(AWS), missing);
    expect(JSON.parse((await aws('get-sampling-rules')).output)).toMatchObject({
      SamplingRuleRecords: [{ SamplingRule: { RuleName: 'Default', FixedRate: 0.05, ReservoirSize: 1 } }],
    });
    const statistics =
      'RuleName=Default,ClientID=ABCDEF1234567890ABCDEF10,Timestamp=2026-01-01T00:00:00,RequestCount=110,SampledCount=20,BorrowCount=10';
    expect(JSON.parse((await aws('get-sampling-targets', '--sampling-statistics-documents', statistics)).output)).toMatchObject({
      SamplingTargetDocuments: [{ RuleName: 'Default', Interval: 10 }],
      UnprocessedStatistics: [],
    });
    expect((await aws('put-telemetry-records', '--telemetry-records', 'Timestamp=1,SegmentsReceivedCount=1')).status).toBe(0);
  });

  test('prints our errors', async (context) => {
    requireOrSkip(context, existsSync(AWS), missing);
    const bad = await aws('get-trace-summaries', ...times, '--filter-expression', 'bogus');
    expect(bad.status).not.toBe(0);
    expect(bad.output).toContain(
      'An error occurred (InvalidRequestException) when calling the GetTraceSummaries operation: Invalid filter expression: ',
    );
    const start = performance.now();
    const unknown = await aws('list-tags-for-resource', '--resource-arn', 'arn:aws:xray:us-east-1:000000000000:group/nobody/X');
    expect(unknown.output).toContain(
      'An error occurred (ResourceNotFoundException) when calling the ListTagsForResource operation: There is no',
    );
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

describe('on the port of the X-Ray daemon', () => {
  /** The part of the Node SDK that asks for sampling rules and reports. */
  interface ServiceConnector {
    fetchSamplingRules(callback: (error: Error | null, rules?: unknown[]) => void): void;
    fetchTargets(rules: unknown, callback: (error: Error | null, targets?: Record<string, unknown>, freshness?: number) => void): void;
  }

  test("the Node SDK's sampler takes the rules and its targets", async () => {
    const require = createRequire(import.meta.url);
    (require('aws-xray-sdk-core') as { setDaemonAddress(address: string): void }).setDaemonAddress(fluoro.xray);
    const connector = require('aws-xray-sdk-core/dist/lib/middleware/sampling/service_connector') as ServiceConnector;
    const rules = await new Promise<unknown[]>((resolve, reject) => {
      connector.fetchSamplingRules((error, found) => (error ? reject(error) : resolve(found ?? [])));
    });
    expect(rules).toHaveLength(1);
    const targets = await new Promise<Record<string, unknown> | undefined>((resolve, reject) => {
      connector.fetchTargets(rules, (error, found) => (error ? reject(error) : resolve(found)));
    });
    const { Default: target } = targets as { Default: { quota: unknown; TTL: number } };
    expect(target).toMatchObject({ rate: 0.05, interval: 10 });
    // It sent no request, so it gets nothing, said so that this SDK takes it; and the quota is valid for five minutes by its reckoning.
    expect(target.quota).toBe('0');
    expect(target.TTL).toBeGreaterThan(Date.now() / 1000 + 280);
  });

  test.each([
    ['/x?y=1', 404],
    ['//GetSamplingRules', 200],
    ['/GetSamplingRules/', 200],
  ])('POST %s gets %d and JSON', async (path, status) => {
    const [host, port] = fluoro.xray.split(':');
    const response = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const sent = request({ host, port, method: 'POST', path }, (answer) => {
        let body = '';
        answer.on('data', (bytes) => (body += String(bytes))).on('end', () => resolve({ status: answer.statusCode, body }));
      });
      sent.on('error', reject).end('{}');
    });
    expect(JSON.parse(response.body)).toBeTypeOf('object');
    expect(response.status).toBe(status);
  });
});
