// Policies, encryption, indexing, insights and trace retrieval of the X-Ray API through the unmodified JavaScript client.

import * as sdk from '@aws-sdk/client-xray';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { now, traceId } from '../support/xray-shop.ts';
import { all, failure, RANGE, startXRay, type XRayUnderTest } from '../support/xray-under-test.ts';

const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';

let started: XRayUnderTest;
let fluoro: XRayUnderTest['fluoro'];
let client: sdk.XRayClient;

beforeAll(async () => {
  started = await startXRay();
  ({ fluoro, client } = started);
});

afterAll(async () => started?.stop());

describe('the account', () => {
  const document = (statement: object): string => JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  const allow = document({ Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'xray:PutTraceSegments', Resource: '*' });
  const put = async (PolicyName: string, PolicyDocument = allow, rest: object = {}): Promise<sdk.ResourcePolicy> =>
    (await client.send(new sdk.PutResourcePolicyCommand({ PolicyName, PolicyDocument, ...rest }))).ResourcePolicy!;

  test('keeps its encryption', async () => {
    expect((await client.send(new sdk.GetEncryptionConfigCommand({}))).EncryptionConfig).toEqual({ Status: 'ACTIVE', Type: 'NONE' });
    const kms = { KeyId: 'alias/mine', Type: 'KMS' as const };
    expect((await client.send(new sdk.PutEncryptionConfigCommand(kms))).EncryptionConfig).toEqual({ ...kms, Status: 'ACTIVE' });
    expect((await client.send(new sdk.GetEncryptionConfigCommand({}))).EncryptionConfig).toMatchObject(kms);
    expect(await failure(client.send(new sdk.PutEncryptionConfigCommand({ Type: 'KMS' })))).toContain('InvalidRequestException');
  });

  test('keeps resource policies by revision', async () => {
    expect(await put('sns')).toMatchObject({
      PolicyName: 'sns',
      PolicyDocument: allow,
      PolicyRevisionId: '1',
      LastUpdatedTime: expect.any(Date),
    });
    expect(await put('sns', allow, { PolicyRevisionId: '1' })).toMatchObject({ PolicyRevisionId: '2' });
    for (const PolicyRevisionId of ['0', '1']) {
      expect(await failure(put('sns', allow, { PolicyRevisionId }))).toContain('InvalidPolicyRevisionIdException');
    }
    for (const name of ['b', 'c', 'd', 'e']) await put(name, allow, { PolicyRevisionId: '0' });
    expect(await failure(put('f'))).toContain('PolicyCountLimitExceededException');
    const listed = await all(sdk.paginateListResourcePolicies({ client }, {}), (page) => page.ResourcePolicies);
    expect(listed.map((policy) => policy.PolicyName)).toEqual(['b', 'c', 'd', 'e', 'sns']);
    const remove = async (PolicyName: string, PolicyRevisionId?: string): Promise<unknown> =>
      client.send(new sdk.DeleteResourcePolicyCommand({ PolicyName, PolicyRevisionId }));
    expect(await failure(remove('sns', '1'))).toContain('InvalidPolicyRevisionIdException');
    await remove('sns', '2');
    expect(await failure(remove('sns'))).toContain('InvalidRequestException');
  });

  const lockout = document({ Effect: 'Deny', Principal: '*', Action: 'xray:*', Resource: '*' });
  test.each([
    ['no JSON', '{', 'MalformedPolicyDocumentException'],
    ['no statement', '{}', 'MalformedPolicyDocumentException'],
    ['no effect', document({ Principal: '*', Action: '*' }), 'MalformedPolicyDocumentException'],
    ['much', document({ Effect: 'Allow', Principal: '*', Action: 'x'.repeat(6_000) }), 'PolicySizeLimitExceededException'],
    ['a lockout', lockout, 'LockoutPreventionException'],
  ])('refuses a policy of %s', async (_, text, exception) => {
    expect(await failure(put('bad', text))).toContain(exception);
  });

  test('takes a lockout that is meant', async () => {
    expect(await put('b', lockout, { BypassPolicyLockoutCheck: true })).toMatchObject({ PolicyRevisionId: '2' });
  });

  test('has one indexing rule', async () => {
    const { IndexingRules: before } = await client.send(new sdk.GetIndexingRulesCommand({}));
    expect(before).toMatchObject([
      { Name: 'Default', Rule: { Probabilistic: { DesiredSamplingPercentage: 100, ActualSamplingPercentage: 100 } } },
    ]);
    const update = async (Name: string, DesiredSamplingPercentage: number): Promise<sdk.UpdateIndexingRuleCommandOutput> =>
      client.send(new sdk.UpdateIndexingRuleCommand({ Name, Rule: { Probabilistic: { DesiredSamplingPercentage } } }));
    expect((await update('Default', 5)).IndexingRule).toMatchObject({
      Rule: { Probabilistic: { DesiredSamplingPercentage: 5, ActualSamplingPercentage: 100 } },
    });
    expect(await failure(update('Other', 5))).toContain('ResourceNotFoundException');
    expect(await failure(update('Default', 101))).toContain('InvalidRequestException');
    expect(await failure(client.send(new sdk.GetIndexingRulesCommand({ NextToken: 'x' })))).toContain('InvalidRequestException');
  });

  test('has a destination of segments', async () => {
    expect(await client.send(new sdk.GetTraceSegmentDestinationCommand({}))).toMatchObject({ Destination: 'XRay', Status: 'ACTIVE' });
    const updated = await client.send(new sdk.UpdateTraceSegmentDestinationCommand({ Destination: 'CloudWatchLogs' }));
    expect(updated).toMatchObject({ Destination: 'CloudWatchLogs', Status: 'ACTIVE' });
    const wrong = client.send(new sdk.UpdateTraceSegmentDestinationCommand({ Destination: 'Elsewhere' as 'XRay' }));
    expect(await failure(wrong)).toContain('InvalidRequestException');
  });

  test('knows its daemons', async () => {
    const record = { Timestamp: new Date(), SegmentsReceivedCount: 7, SegmentsSentCount: 5, BackendConnectionErrors: { TimeoutCount: 2 } };
    for (let time = 0; time < 2; time++) {
      await client.send(new sdk.PutTelemetryRecordsCommand({ TelemetryRecords: [record], Hostname: 'host-1' }));
    }
    const metrics = await (await fetch(`http://${fluoro.page}/metrics`)).text();
    expect(metrics).toContain('fluoroscope_agent_segments_total{agent="host-1",outcome="received"} 14\n');
    expect(metrics).toContain('fluoroscope_agent_errors_total{agent="host-1",reason="timeout"} 4\n');
    const status = (await (await fetch(`http://${fluoro.page}/api/v1/status`)).json()) as { agents: unknown };
    expect(status.agents).toMatchObject([{ name: 'host-1', received: 14, sent: 10 }]);
  });
});

describe('insights', () => {
  test('there are none, and the group must exist', async () => {
    const window = { StartTime: new Date((now - 3_600) * 1000), EndTime: new Date(now * 1000) };
    const list = async (members: object): Promise<sdk.GetInsightSummariesCommandOutput> =>
      client.send(new sdk.GetInsightSummariesCommand({ ...window, ...members }));
    expect((await list({ GroupName: 'Default', States: ['ACTIVE'], MaxResults: 5 })).InsightSummaries).toEqual([]);
    for (const members of [
      {},
      { GroupName: 'nobody' },
      { GroupName: 'Default', MaxResults: 101 },
      { GroupName: 'Default', NextToken: 'x' },
    ]) {
      expect(await failure(list(members))).toContain('InvalidRequestException');
    }
    expect(await failure(list({ GroupName: 'Default', StartTime: new Date(0) }))).toContain('30 days');
    for (const InsightId of [UNKNOWN_ID, 'x']) {
      expect(await failure(client.send(new sdk.GetInsightCommand({ InsightId })))).toContain('InvalidRequestException');
      expect(await failure(client.send(new sdk.GetInsightEventsCommand({ InsightId })))).toContain('InvalidRequestException');
      expect(await failure(client.send(new sdk.GetInsightImpactGraphCommand({ InsightId, ...window })))).toContain(
        'InvalidRequestException',
      );
    }
  });
});

describe('trace retrieval', () => {
  const start = async (...numbers: number[]): Promise<string> =>
    (await client.send(new sdk.StartTraceRetrievalCommand({ TraceIds: numbers.map(traceId), ...RANGE }))).RetrievalToken!;

  test.each(['XRAY', 'OTEL'] as const)('gives spans as %s, in pages', async (TraceFormat) => {
    const RetrievalToken = await start(1, 2, 3, 999, 4, 5, 900, 901);
    const counts = new Map<string, number>();
    let NextToken: string | undefined;
    let pages = 0;
    do {
      const page: sdk.ListRetrievedTracesCommandOutput = await client.send(
        new sdk.ListRetrievedTracesCommand({ RetrievalToken, TraceFormat, NextToken }),
      );
      expect(page).toMatchObject({ RetrievalStatus: 'COMPLETE', TraceFormat });
      expect(page.Traces!.length).toBeLessThanOrEqual(5);
      for (const trace of page.Traces!) {
        expect(trace.Spans!.length).toBeLessThanOrEqual(100);
        counts.set(trace.Id!, (counts.get(trace.Id!) ?? 0) + trace.Spans!.length);
        const parsed = JSON.parse(trace.Spans![0]!.Document!) as { scopeSpans?: { spans: { spanId: string }[] }[]; id?: string };
        expect(TraceFormat === 'OTEL' ? parsed.scopeSpans![0]!.spans[0]!.spanId : parsed.id).toBe(trace.Spans![0]!.Id);
      }
      NextToken = page.NextToken;
      pages++;
    } while (NextToken !== undefined);
    expect(pages).toBe(2);
    expect([...counts.keys()]).toEqual([1, 2, 3, 4, 5, 900, 901].map(traceId));
    expect(counts.get(traceId(901))).toBe(130);
  });

  test('gives the graph, with links', async () => {
    const answer = await client.send(new sdk.GetRetrievedTracesGraphCommand({ RetrievalToken: await start(5, 900) }));
    expect(answer.RetrievalStatus).toBe('COMPLETE');
    const worker = answer.Services!.find(({ Service }) => Service!.Name === 'worker' && Service!.Type !== 'client')!;
    expect(worker.Links).toEqual([{ ReferenceType: 'link', SourceTraceId: traceId(900), DestinationTraceIds: [traceId(1)] }]);
    expect(answer.Services!.map(({ Service }) => Service!.Name)).toContain('carts');
  });

  test('is cancelled, and unknown tokens are refused', async () => {
    const RetrievalToken = await start(1);
    await client.send(new sdk.CancelTraceRetrievalCommand({ RetrievalToken }));
    expect(await client.send(new sdk.ListRetrievedTracesCommand({ RetrievalToken }))).toMatchObject({
      RetrievalStatus: 'CANCELLED',
      Traces: [],
    });
    expect(await client.send(new sdk.GetRetrievedTracesGraphCommand({ RetrievalToken }))).toMatchObject({ RetrievalStatus: 'CANCELLED' });
    const unknown = { RetrievalToken: UNKNOWN_ID };
    expect(await failure(client.send(new sdk.CancelTraceRetrievalCommand(unknown)))).toContain('ResourceNotFoundException');
    expect(await failure(client.send(new sdk.ListRetrievedTracesCommand(unknown)))).toContain('ResourceNotFoundException');
    expect(await failure(client.send(new sdk.GetRetrievedTracesGraphCommand(unknown)))).toContain('ResourceNotFoundException');
    const wrong = client.send(new sdk.StartTraceRetrievalCommand({ TraceIds: ['x'], ...RANGE }));
    expect(await failure(wrong)).toContain('InvalidRequestException');
  });
});
