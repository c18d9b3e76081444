// Groups, sampling rules and tags of the X-Ray API through the unmodified JavaScript client and the `aws` command.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import * as sdk from '@aws-sdk/client-xray';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { until } from '../support/until.ts';
import { all, failure, RANGE, startXRay, type XRayUnderTest } from '../support/xray-under-test.ts';

/** A shim of the same name may come first in PATH. */
const AWS = '/usr/bin/aws';

let started: XRayUnderTest;
let fluoro: XRayUnderTest['fluoro'];
let client: sdk.XRayClient;

beforeAll(async () => {
  started = await startXRay();
  ({ fluoro, client } = started);
});

afterAll(async () => started?.stop());

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
