// Groups, sampling rules, tags, policies, retrieval: the X-Ray API's other half through the unmodified JavaScript client and the `aws` command.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import * as sdk from '@aws-sdk/client-xray';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FluoroProcess, startFluoro } from '../support/fluoro-process.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { until } from '../support/until.ts';
import { from, id, now, REQUESTS, requestDocuments, to, traceId } from '../support/xray-shop.ts';

/** A shim of the same name may come first in PATH. */
const AWS = '/usr/bin/aws';
const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000';
const RANGE = { StartTime: from, EndTime: to };

let fluoro: FluoroProcess;
let client: sdk.XRayClient;

beforeAll(async () => {
  fluoro = await startFluoro();
  client = new sdk.XRayClient({
    endpoint: `http://${fluoro.page}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
  const linked = { trace_id: traceId(900), id: id(900), name: 'worker', start_time: now - 250, end_time: now - 249 };
  const many = { trace_id: traceId(901), name: 'many', start_time: now - 250, end_time: now - 249 };
  const documents = [
    ...REQUESTS.flatMap(([number, status]) => requestDocuments(number, status)),
    JSON.stringify({ ...linked, links: [{ trace_id: traceId(1), id: id(1) }] }),
    ...Array.from({ length: 130 }, (_, index) => JSON.stringify({ ...many, id: id(2_000 + index) })),
  ];
  const answer = await client.send(new sdk.PutTraceSegmentsCommand({ TraceSegmentDocuments: documents }));
  expect(answer.UnprocessedTraceSegments).toEqual([]);
  const found = async (): Promise<number> => (await client.send(new sdk.GetTraceSummariesCommand(RANGE))).TraceSummaries!.length;
  await until(found, (count) => count === REQUESTS.length + 2);
});

afterAll(async () => {
  client?.destroy();
  expect(await fluoro?.stop()).toBe(0);
});

/** The exception that a call ends with, and what it says. */
async function failure(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => expect.fail('it should have failed'),
    (cause: unknown) => `${(cause as Error).name}: ${(cause as Error).message}`,
  );
}

async function all<P, T>(pages: AsyncIterable<P>, listOf: (page: P) => readonly T[] | undefined): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) items.push(...(listOf(page) ?? []));
  return items;
}

describe('groups', () => {
  const create = async (GroupName: string, FilterExpression?: string): Promise<sdk.Group> =>
    (await client.send(new sdk.CreateGroupCommand({ GroupName, FilterExpression }))).Group!;

  test('are created, read by name and ARN, changed and deleted', async () => {
    const made = await create('failing', 'fault');
    expect(made).toMatchObject({
      GroupName: 'failing',
      GroupARN: expect.stringMatching(/^arn:aws:xray:[^:]+:\d{12}:group\/failing\/[A-Z2-7]{52}$/),
      FilterExpression: 'fault',
      InsightsConfiguration: { InsightsEnabled: false, NotificationsEnabled: false },
    });
    const update = { GroupARN: made.GroupARN, InsightsConfiguration: { InsightsEnabled: true, NotificationsEnabled: true } };
    const changed = (await client.send(new sdk.UpdateGroupCommand(update))).Group;
    expect(changed).toEqual({ ...made, InsightsConfiguration: update.InsightsConfiguration });
    for (const reference of [{ GroupName: 'failing' }, { GroupARN: made.GroupARN }, { GroupName: 'failing', GroupARN: made.GroupARN }]) {
      expect((await client.send(new sdk.GetGroupCommand(reference))).Group).toEqual(changed);
    }
    await client.send(new sdk.DeleteGroupCommand({ GroupName: 'failing' }));
    expect(await failure(client.send(new sdk.GetGroupCommand({ GroupName: 'failing' })))).toContain(
      'InvalidRequestException: Group not found',
    );
    const again = await create('failing');
    expect(again).not.toHaveProperty('FilterExpression');
    expect(await failure(client.send(new sdk.GetGroupCommand({ GroupARN: made.GroupARN })))).toContain('Group not found');
    await client.send(new sdk.DeleteGroupCommand({ GroupARN: again.GroupARN }));
  });

  test('Default is always there, and every trace', async () => {
    const { Group } = await client.send(new sdk.GetGroupCommand({ GroupName: 'Default' }));
    expect(Group).toMatchObject({ GroupName: 'Default', GroupARN: 'arn:aws:xray:us-east-1:000000000000:group/Default' });
    const insights = { InsightsEnabled: true, NotificationsEnabled: false };
    const updated = await client.send(new sdk.UpdateGroupCommand({ GroupName: 'Default', InsightsConfiguration: insights }));
    expect(updated.Group!.InsightsConfiguration).toEqual(insights);
  });

  test('filter summaries, the graph and time series', async () => {
    const made = await create('faulty', 'fault');
    await create('troubled', 'group.name = "faulty" OR throttle');
    const numbers = async (FilterExpression: string): Promise<number[]> => {
      const page = await client.send(new sdk.GetTraceSummariesCommand({ ...RANGE, FilterExpression }));
      return page.TraceSummaries!.map(({ Id }) => Number.parseInt(Id!.slice(-24), 16));
    };
    expect(await numbers('group.name = "faulty"')).toEqual([5]);
    expect(await numbers(`group.arn = "${made.GroupARN}"`)).toEqual([5]);
    expect(await numbers('group.name = "troubled"')).toEqual([5, 4]);
    expect(await numbers('error AND !group.name = "troubled"')).toEqual([3]);

    const rootCount = async (group: { GroupName?: string; GroupARN?: string | undefined }): Promise<number | undefined> => {
      const graph = await client.send(new sdk.GetServiceGraphCommand({ ...RANGE, ...group }));
      return graph.Services!.find((service) => service.Name === 'shop' && service.Type !== 'client')?.SummaryStatistics?.TotalCount;
    };
    expect(
      await until(
        async () => rootCount({}),
        (count) => count === 5,
      ),
    ).toBe(5);
    expect(await rootCount({ GroupName: 'faulty' })).toBe(1);
    expect(await rootCount({ GroupARN: made.GroupARN })).toBe(1);
    expect(await rootCount({ GroupName: 'troubled' })).toBe(2);
    expect(await rootCount({ GroupName: 'Default' })).toBe(5);

    const query = { ...RANGE, GroupName: 'troubled', EntitySelectorExpression: 'service("shop")' };
    const series = await client.send(new sdk.GetTimeSeriesServiceStatisticsCommand(query));
    const total = series.TimeSeriesServiceStatistics!.reduce((sum, row) => sum + row.ServiceSummaryStatistics!.TotalCount!, 0);
    expect(total).toBe(2);

    const inUse = client.send(new sdk.DeleteGroupCommand({ GroupName: 'faulty' }));
    expect(await failure(inUse)).toContain('troubled refers to the group faulty');
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['a taken name', async () => create('faulty'), 'exists already'],
    ['the name Default', async () => create('Default'), 'exists already'],
    ['a name with other signs', async () => create('a b'), "at 'groupName'"],
    ['a long name', async () => create('x'.repeat(33)), 'less than or equal to 32'],
    ['a filter that does not parse', async () => create('bad', 'responsetime >'), 'Invalid filter expression'],
    ['a filter of an unknown group', async () => create('bad', 'group.name = "nobody"'), 'There is no group "nobody"'],
    ['a group of itself', async () => create('self', 'group.name = "self"'), 'refers to itself'],
    [
      'notifications without insights',
      async () => client.send(new sdk.CreateGroupCommand({ GroupName: 'n', InsightsConfiguration: { NotificationsEnabled: true } })),
      'NotificationsEnabled needs InsightsEnabled',
    ],
    ['no name', async () => client.send(new sdk.GetGroupCommand({})), "at 'groupName'"],
    [
      'a name and ARN of two groups',
      async () => client.send(new sdk.GetGroupCommand({ GroupName: 'a', GroupARN: 'arn:aws:xray:us-east-1:000000000000:group/b/X' })),
      'different groups',
    ],
    ['deleting Default', async () => client.send(new sdk.DeleteGroupCommand({ GroupName: 'Default' })), 'cannot be deleted'],
    ['updating nothing', async () => client.send(new sdk.UpdateGroupCommand({ GroupName: 'nobody' })), 'Group not found'],
    [
      'a filter for Default',
      async () => client.send(new sdk.UpdateGroupCommand({ GroupName: 'Default', FilterExpression: 'fault' })),
      'Default is every trace',
    ],
    [
      'a graph of an unknown group',
      async () => client.send(new sdk.GetServiceGraphCommand({ ...RANGE, GroupName: 'nobody' })),
      'Group not found',
    ],
    [
      'summaries of an unknown group',
      async () => client.send(new sdk.GetTraceSummariesCommand({ ...RANGE, FilterExpression: 'group.name = "nobody"' })),
      'There is no group "nobody"',
    ],
    ['a wrong token', async () => client.send(new sdk.GetGroupsCommand({ NextToken: 'x' })), 'NextToken'],
  ])('refuse %s', async (_, call, message) => {
    const said = await failure(call());
    expect(said).toContain('InvalidRequestException');
    expect(said).toContain(message);
  });

  test('are listed in pages, up to their limit', async () => {
    const names = Array.from({ length: 98 }, (_, index) => `page-${String(index).padStart(3, '0')}`);
    for (const name of names) await create(name);
    expect(await failure(create('one-too-many'))).toContain('100 groups already');
    let pages = 0;
    const listed = await all(sdk.paginateGetGroups({ client }, {}), (page) => {
      pages++;
      expect(page.NextToken?.length ?? 0).toBeLessThanOrEqual(100);
      return page.Groups;
    });
    expect(pages).toBe(3);
    expect(listed.map((group) => group.GroupName)).toEqual(['Default', 'faulty', ...names, 'troubled']);
    for (const name of names) await client.send(new sdk.DeleteGroupCommand({ GroupName: name }));
  });
});

const RULE: sdk.SamplingRule = {
  RuleName: 'checkout',
  ResourceARN: '*',
  Priority: 20,
  FixedRate: 0.25,
  ReservoirSize: 40,
  ServiceName: 'shop*',
  ServiceType: '*',
  Host: '*',
  HTTPMethod: 'POST',
  URLPath: '/checkout/?',
  Version: 1,
};

describe('sampling rules', () => {
  const create = async (rule: Partial<sdk.SamplingRule> = {}): Promise<sdk.SamplingRuleRecord> =>
    (await client.send(new sdk.CreateSamplingRuleCommand({ SamplingRule: { ...RULE, ...rule } }))).SamplingRuleRecord!;
  const rules = async (): Promise<sdk.SamplingRuleRecord[]> =>
    all(sdk.paginateGetSamplingRules({ client }, {}), (page) => page.SamplingRuleRecords);
  const targets = async (RuleName: string, clientNumber = 1): Promise<sdk.GetSamplingTargetsCommandOutput> =>
    client.send(
      new sdk.GetSamplingTargetsCommand({
        SamplingStatisticsDocuments: [
          {
            RuleName,
            ClientID: String(clientNumber).padStart(24, '0'),
            Timestamp: new Date(),
            RequestCount: 1_000,
            SampledCount: 7,
            BorrowCount: 2,
          },
        ],
      }),
    );

  test('are created, tried by priority, changed and deleted', async () => {
    expect((await targets('Default')).LastRuleModification).toEqual(new Date(0));
    const made = await create();
    expect(made.SamplingRule).toEqual({ ...RULE, RuleARN: 'arn:aws:xray:us-east-1:000000000000:sampling-rule/checkout', Attributes: {} });
    expect(made.CreatedAt).toEqual(made.ModifiedAt);
    await create({ RuleName: 'first', Priority: 1, Attributes: { tier: 'gold*' } });
    expect((await rules()).map((record) => record.SamplingRule!.RuleName)).toEqual(['first', 'checkout', 'Default']);
    const update = { RuleARN: made.SamplingRule!.RuleARN, FixedRate: 0.5, URLPath: '*' };
    const changed = (await client.send(new sdk.UpdateSamplingRuleCommand({ SamplingRuleUpdate: update }))).SamplingRuleRecord!;
    expect(changed.SamplingRule).toEqual({ ...made.SamplingRule, FixedRate: 0.5, URLPath: '*' });
    expect(changed.CreatedAt).toEqual(made.CreatedAt);
    expect(changed.ModifiedAt!.getTime()).toBeGreaterThan(made.ModifiedAt!.getTime());
    const told = (await targets('checkout')).LastRuleModification!.getTime();
    expect(told).toBeGreaterThanOrEqual(changed.ModifiedAt!.getTime());
    const deleted = await client.send(new sdk.DeleteSamplingRuleCommand({ RuleName: 'first' }));
    expect(deleted.SamplingRuleRecord!.SamplingRule!.RuleName).toBe('first');
    expect((await targets('checkout')).LastRuleModification!.getTime()).toBeGreaterThan(told);
  });

  test('give targets, and say which rules are gone', async () => {
    const answer = await targets('checkout');
    expect(answer.SamplingTargetDocuments).toMatchObject([{ RuleName: 'checkout', FixedRate: 0.5, ReservoirQuota: 40, Interval: 10 }]);
    expect(answer.SamplingTargetDocuments![0]!.ReservoirQuotaTTL!.getTime()).toBeGreaterThan(Date.now() + 280_000);
    expect((await targets('checkout', 2)).SamplingTargetDocuments![0]!.ReservoirQuota).toBeLessThanOrEqual(4);
    const unknown = await targets('first');
    expect(unknown.SamplingTargetDocuments).toEqual([]);
    expect(unknown.UnprocessedStatistics).toMatchObject([{ RuleName: 'first', ErrorCode: '404' }]);
  });

  test('an edit is in the next answers', async () => {
    await client.send(
      new sdk.UpdateSamplingRuleCommand({ SamplingRuleUpdate: { RuleName: 'Default', FixedRate: 0.125, ReservoirSize: 6 } }),
    );
    expect((await targets('Default', 9)).SamplingTargetDocuments![0]!.FixedRate).toBe(0.125);
    expect((await rules()).at(-1)!.SamplingRule).toMatchObject({
      RuleName: 'Default',
      Priority: 10_000,
      FixedRate: 0.125,
      ReservoirSize: 6,
    });
  });

  test('the X-Ray SDK for Node.js gets times and nothing as it reads them', async () => {
    const counts = { RequestCount: 500, BorrowCount: 0, SampledCount: 0, Timestamp: Math.floor(Date.now() / 1000) };
    const document = { RuleName: 'Default', ClientID: 'a'.repeat(24), ...counts };
    const body = JSON.stringify({ SamplingStatisticsDocuments: [document] });
    // Node's fetch names itself; the SDK's http.request does not.
    const { request } = await import('node:http');
    const text = await new Promise<string>((done, fail) => {
      const asked = request(
        `http://${fluoro.xray}/SamplingTargets`,
        { method: 'POST', headers: { 'content-type': 'application/json' } },
        (answer) => {
          let received = '';
          answer.on('data', (chunk) => (received += String(chunk))).on('end', () => done(received));
        },
      );
      asked.on('error', fail).end(body);
    });
    const [target] = (JSON.parse(text) as { SamplingTargetDocuments: { ReservoirQuotaTTL: string }[] }).SamplingTargetDocuments;
    expect(Date.parse(target!.ReservoirQuotaTTL)).toBeGreaterThan(Date.now() + 280_000);
  });

  test('statistics are kept in windows', async () => {
    const summaries = await all(sdk.paginateGetSamplingStatisticSummaries({ client }, {}), (page) => page.SamplingStatisticSummaries);
    const mine = summaries.filter((summary) => summary.RuleName === 'checkout');
    expect(mine.reduce((sum, window) => sum + window.RequestCount!, 0)).toBe(4_000);
    expect(mine.reduce((sum, window) => sum + window.BorrowCount!, 0)).toBe(8);
    for (const window of mine) expect(window.Timestamp!.getTime() % 10_000).toBe(0);
  });

  test('a boost reaches clients that tell of anomalies', async () => {
    const boosted = { RuleName: 'boosted', SamplingRateBoost: { MaxRate: 0.9, CooldownWindowMinutes: 1 }, FixedRate: 0.01 };
    expect((await create(boosted)).SamplingRule!.SamplingRateBoost).toEqual(boosted.SamplingRateBoost);
    const common = { RuleName: 'boosted', Timestamp: new Date() };
    const answer = await client.send(
      new sdk.GetSamplingTargetsCommand({
        SamplingStatisticsDocuments: [{ ...common, ClientID: 'b'.repeat(24), RequestCount: 10, SampledCount: 0 }],
        SamplingBoostStatisticsDocuments: [
          { ...common, ServiceName: 's', AnomalyCount: 100, TotalCount: 200, SampledAnomalyCount: 0 },
          { ...common, RuleName: 'nobody', ServiceName: 's', AnomalyCount: 1, TotalCount: 2, SampledAnomalyCount: 0 },
        ],
      }),
    );
    expect(answer.SamplingTargetDocuments![0]!.SamplingBoost).toMatchObject({ BoostRate: 0.2, BoostRateTTL: expect.any(Date) });
    expect(answer.UnprocessedBoostStatistics).toMatchObject([{ RuleName: 'nobody' }]);
    await client.send(new sdk.DeleteSamplingRuleCommand({ RuleARN: 'arn:aws:xray:us-east-1:000000000000:sampling-rule/boosted' }));
  });

  const update = async (SamplingRuleUpdate: sdk.SamplingRuleUpdate): Promise<unknown> =>
    client.send(new sdk.UpdateSamplingRuleCommand({ SamplingRuleUpdate }));
  test.each<[string, () => Promise<unknown>, string]>([
    ['a taken name', async () => create(), 'exists already'],
    ['the name Default', async () => create({ RuleName: 'Default' }), 'exists already'],
    ['an ARN of its own', async () => create({ RuleName: 'x', RuleARN: 'arn:x' }), "at 'samplingRule.ruleARN'"],
    ['another version', async () => create({ RuleName: 'x', Version: 2 }), "at 'samplingRule.version'"],
    ['a rate above 1', async () => create({ RuleName: 'x', FixedRate: 2 }), "at 'samplingRule.fixedRate'"],
    ['an unknown name', async () => update({ RuleName: 'nobody', FixedRate: 1 }), 'no sampling rule named nobody'],
    ['name and ARN', async () => update({ RuleName: 'a', RuleARN: 'b' }), 'be null when ruleName is given'],
    ['another priority for Default', async () => update({ RuleName: 'Default', Priority: 5 }), 'only FixedRate and ReservoirSize'],
    ['deleting Default', async () => client.send(new sdk.DeleteSamplingRuleCommand({ RuleName: 'Default' })), 'cannot be deleted'],
    ['deleting nothing', async () => client.send(new sdk.DeleteSamplingRuleCommand({ RuleName: 'nobody' })), 'no sampling rule named'],
    ['another ARN', async () => client.send(new sdk.DeleteSamplingRuleCommand({ RuleARN: 'arn:x' })), 'is not the ARN of a sampling rule'],
    ['a wrong token', async () => client.send(new sdk.GetSamplingStatisticSummariesCommand({ NextToken: 'x' })), 'NextToken'],
  ])('refuse %s', async (_, call, message) => {
    const said = await failure(call());
    expect(said).toContain('InvalidRequestException');
    expect(said).toContain(message);
  });

  test('have a limit', async () => {
    for (let index = 0; index < 99; index++) await create({ RuleName: `many-${index}` });
    expect(await failure(create({ RuleName: 'one-too-many' }))).toContain('RuleLimitExceededException');
    for (let index = 0; index < 99; index++) await client.send(new sdk.DeleteSamplingRuleCommand({ RuleName: `many-${index}` }));
  });
});

describe('tags', () => {
  const ARN = 'arn:aws:xray:us-east-1:000000000000:sampling-rule/checkout';
  const tags = async (ResourceARN: string): Promise<sdk.Tag[]> =>
    all(sdk.paginateListTagsForResource({ client }, { ResourceARN }), (page) => page.Tags);

  test('are put on rules and groups, replaced and taken away', async () => {
    const modified = async (): Promise<unknown> =>
      (await client.send(new sdk.GetSamplingRulesCommand({}))).SamplingRuleRecords!.map((record) => record.ModifiedAt);
    const before = await modified();
    const first = [
      { Key: 'team', Value: 'a' },
      { Key: 'stage', Value: '' },
    ];
    await client.send(new sdk.TagResourceCommand({ ResourceARN: ARN, Tags: first }));
    await client.send(new sdk.TagResourceCommand({ ResourceARN: ARN, Tags: [{ Key: 'team', Value: 'b' }] }));
    expect(await tags(ARN)).toEqual([
      { Key: 'stage', Value: '' },
      { Key: 'team', Value: 'b' },
    ]);
    await client.send(new sdk.UntagResourceCommand({ ResourceARN: ARN, TagKeys: ['stage', 'nothing'] }));
    expect(await tags(ARN)).toEqual([{ Key: 'team', Value: 'b' }]);
    expect(await modified()).toEqual(before);
    const made = await client.send(new sdk.CreateGroupCommand({ GroupName: 'tagged', Tags: first }));
    expect(await tags(made.Group!.GroupARN!)).toHaveLength(2);
    const builtIn = 'arn:aws:xray:us-east-1:000000000000:group/Default';
    await client.send(new sdk.TagResourceCommand({ ResourceARN: builtIn, Tags: first }));
    expect(await tags(builtIn)).toHaveLength(2);
  });

  test('refuse unknown resources, too many, and reserved keys', async () => {
    const missing = 'arn:aws:xray:us-east-1:000000000000:group/nobody/X';
    for (const command of [
      new sdk.ListTagsForResourceCommand({ ResourceARN: missing }),
      new sdk.TagResourceCommand({ ResourceARN: missing, Tags: [] }),
      new sdk.UntagResourceCommand({ ResourceARN: missing, TagKeys: ['a'] }),
    ]) {
      const cause = await client.send(command as sdk.ListTagsForResourceCommand).catch((thrown: unknown) => thrown);
      expect(cause).toBeInstanceOf(sdk.ResourceNotFoundException);
      expect(cause).toMatchObject({ ResourceName: missing, $metadata: { httpStatusCode: 404 } });
    }
    const many = Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}`, Value: 'v' }));
    const cause = await client.send(new sdk.TagResourceCommand({ ResourceARN: ARN, Tags: many })).catch((thrown: unknown) => thrown);
    expect(cause).toBeInstanceOf(sdk.TooManyTagsException);
    const reserved = client.send(new sdk.TagResourceCommand({ ResourceARN: ARN, Tags: [{ Key: 'aws:x', Value: '' }] }));
    expect(await failure(reserved)).toContain('InvalidRequestException');
  });
});

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

describe('through the aws command', () => {
  async function aws(...args: string[]): Promise<Record<string, unknown>> {
    const { stdout } = await promisify(execFile)(AWS, ['--endpoint-url', `http://${fluoro.page}`, '--output', 'json', 'xray', ...args], {
      env: { ...process.env, AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', AWS_DEFAULT_REGION: 'us-east-1' },
    });
    return stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, unknown>);
  }

  test('groups and rules', async (context) => {
    requireOrSkip(context, existsSync(AWS), `${AWS} is not installed`);
    expect(await aws('create-group', '--group-name', 'cli', '--filter-expression', 'error')).toMatchObject({ Group: { GroupName: 'cli' } });
    const { Groups } = (await aws('get-groups')) as { Groups: { GroupName: string }[] };
    expect(Groups.map((group) => group.GroupName)).toContain('cli');
    await aws('delete-group', '--group-name', 'cli');
    const rule = JSON.stringify({ ...RULE, RuleName: 'cli' });
    expect(await aws('create-sampling-rule', '--sampling-rule', rule)).toMatchObject({
      SamplingRuleRecord: { SamplingRule: { RuleName: 'cli' } },
    });
    const { SamplingRuleRecords } = (await aws('get-sampling-rules')) as { SamplingRuleRecords: unknown[] };
    expect(SamplingRuleRecords.length).toBeGreaterThanOrEqual(3);
    await aws('delete-sampling-rule', '--rule-name', 'cli');
    const refused = await aws('delete-sampling-rule', '--rule-name', 'cli').catch((cause: Error) => cause.message);
    expect(refused).toContain('InvalidRequestException');
    expect(await aws('get-encryption-config')).toHaveProperty('EncryptionConfig');
  });
});
