import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseCreateSamplingRule, parseGetSamplingTargets, parseUpdateSamplingRule } from './sampling-requests.ts';
import { toWireTarget } from './sampling-responses.ts';

interface Captured {
  readonly path: string;
  readonly body: string;
}
const captured = JSON.parse(readFileSync(new URL('../../testdata/xray/client-requests.json', import.meta.url), 'utf8')) as {
  readonly js: Readonly<Record<string, Captured>>;
  readonly cli: readonly Captured[];
  readonly sampling: readonly Captured[];
};
const targetBodies = [captured.js['GetSamplingTargets']!, ...captured.cli, ...captured.sampling]
  .filter(({ path }) => path === '/SamplingTargets')
  .map(({ body }) => JSON.parse(body) as Record<string, unknown>);

const valueOf = <T>(result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};
const refusal = (result: { readonly ok: boolean; readonly error?: { readonly type: string; readonly message: string } }): string =>
  result.error === undefined ? 'accepted' : `${result.error.type}: ${result.error.message}`;

const RULE = {
  RuleName: 'r',
  ResourceARN: '*',
  Priority: 1,
  FixedRate: 0.1,
  ReservoirSize: 5,
  ServiceName: '*',
  ServiceType: '*',
  Host: '*',
  HTTPMethod: '*',
  URLPath: '*',
  Version: 1,
};

describe('parseGetSamplingTargets()', () => {
  test('reads what SDKs and clients send, and knows the Node.js SDK', () => {
    const requests = targetBodies.map((body) => valueOf(parseGetSamplingTargets(body)));
    expect(requests.map(({ counts, looksLikeNodeSdk }) => [counts[0], looksLikeNodeSdk])).toMatchObject([
      [{ rule: 'r1', requests: 110, sampled: 20, borrowed: 10 }, false],
      [{ rule: 'base-scorekeep' }, false],
      [{ rule: 'Default', requests: 8, sampled: 3, borrowed: 5 }, true],
      [{ rule: 'Default', requests: 3, sampled: 2, borrowed: 1 }, true],
    ]);
  });

  test('names each broken member of a document', () => {
    const body = {
      SamplingStatisticsDocuments: [{ RuleName: 'a', ClientID: 'short', Timestamp: 1, RequestCount: -1 }],
      SamplingBoostStatisticsDocuments: null,
    };
    expect(refusal(parseGetSamplingTargets(body))).toContain(
      "3 validation errors detected: Value 'short' at 'samplingStatisticsDocuments.1.member.clientID' failed to satisfy constraint: Member must have length greater than or equal to 24",
    );
  });

  test('reads what clients say of anomalies', () => {
    const document = { RuleName: 'r', ServiceName: 's', Timestamp: 1, AnomalyCount: 3, TotalCount: 9, SampledAnomalyCount: 1 };
    const body = { SamplingStatisticsDocuments: [], SamplingBoostStatisticsDocuments: [document] };
    expect(valueOf(parseGetSamplingTargets(body)).anomalies).toEqual([
      { rule: 'r', service: 's', total: 9, anomalies: 3, sampledAnomalies: 1 },
    ]);
  });
});

describe('parseCreateSamplingRule()', () => {
  test('reads a rule', () => {
    const SamplingRule = { ...RULE, Attributes: { a: 'b*' }, SamplingRateBoost: { MaxRate: 0.5, CooldownWindowMinutes: 3 } };
    expect(valueOf(parseCreateSamplingRule({ SamplingRule }))).toEqual({
      rule: {
        name: 'r',
        priority: 1,
        fixedRate: 0.1,
        reservoirSize: 5,
        serviceName: '*',
        serviceType: '*',
        host: '*',
        httpMethod: '*',
        urlPath: '*',
        resourceArn: '*',
        attributes: { a: 'b*' },
        boost: { maxRate: 0.5, cooldownMinutes: 3 },
      },
      tags: [],
    });
  });

  test.each<[Record<string, unknown>, string]>([
    [{ RuleName: undefined }, "Value null at 'samplingRule.ruleName'"],
    [{ RuleName: 'x'.repeat(33) }, 'less than or equal to 32'],
    [{ RuleARN: 'arn:x' }, "at 'samplingRule.ruleARN' failed to satisfy constraint: Member must be null"],
    [{ Version: 2 }, "Value '2' at 'samplingRule.version'"],
    [{ Version: undefined }, "Value null at 'samplingRule.version'"],
    [{ Priority: 0 }, 'greater than or equal to 1'],
    [{ Priority: 10_000 }, 'less than or equal to 9999'],
    [{ Priority: 1.5 }, 'SerializationException: samplingRule.Priority must be an integer'],
    [{ FixedRate: 1.01 }, 'less than or equal to 1'],
    [{ FixedRate: -0.1 }, 'greater than or equal to 0'],
    [{ ReservoirSize: -1 }, 'greater than or equal to 0'],
    [{ Host: undefined }, "Value null at 'samplingRule.host'"],
    [{ HTTPMethod: 'x'.repeat(11) }, 'less than or equal to 10'],
    [{ URLPath: 'x'.repeat(129) }, 'less than or equal to 128'],
    [{ Attributes: Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`k${index}`, 'v'])) }, 'less than or equal to 5'],
    [{ Attributes: { k: '' } }, "at 'samplingRule.attributes.value'"],
    [{ Attributes: { k: 5 } }, 'SerializationException: samplingRule.Attributes.k must be a string'],
    [{ SamplingRateBoost: { MaxRate: 2, CooldownWindowMinutes: 0 } }, 'less than or equal to 1'],
    [{ SamplingRateBoost: { MaxRate: 1 } }, "Value null at 'samplingRule.samplingRateBoost.cooldownWindowMinutes'"],
  ])('refuses %j', (members, message) => {
    expect(refusal(parseCreateSamplingRule({ SamplingRule: { ...RULE, ...members } }))).toContain(message);
  });

  test('says once that there is no rule', () => {
    expect(refusal(parseCreateSamplingRule({}))).toContain("Value null at 'samplingRule'");
  });
});

test('parseUpdateSamplingRule() wants a name or an ARN', () => {
  const parse = (SamplingRuleUpdate: unknown): string => refusal(parseUpdateSamplingRule({ SamplingRuleUpdate }));
  expect(parse({ RuleName: 'a', FixedRate: 1 })).toBe('accepted');
  expect(parse({ RuleARN: 'arn:x' })).toBe('accepted');
  expect(parse({ FixedRate: 1 })).toContain('not be null when ruleARN is');
  expect(parse({ RuleName: 'a', RuleARN: 'arn:x' })).toContain('be null when ruleName is given');
});

test('toWireTarget() writes for the Node.js SDK what it reads rightly', () => {
  const target = { rule: 'r', fixedRate: 0.1, quota: 0, quotaUntilSeconds: 1_800_000_000, intervalSeconds: 10 };
  expect(toWireTarget(target, false)).toEqual({
    RuleName: 'r',
    FixedRate: 0.1,
    ReservoirQuota: 0,
    ReservoirQuotaTTL: 1_800_000_000,
    Interval: 10,
  });
  expect(toWireTarget(target, true)).toMatchObject({ ReservoirQuota: '0', ReservoirQuotaTTL: '2027-01-15T08:00:00.000Z' });
  expect(toWireTarget({ ...target, quota: 3 }, true)).toMatchObject({ ReservoirQuota: 3 });
});
