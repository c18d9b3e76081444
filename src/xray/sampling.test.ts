import { describe, expect, test } from 'vitest';
import type { SamplingStatistics } from './requests.ts';
import { ReservoirShares, samplingRulesResponse } from './sampling.ts';

const client = (letter: string): string => letter.repeat(24);

function report(clientId: string, ruleName = 'Default'): SamplingStatistics {
  return { ruleName, clientId, seconds: 1_000, requestCount: 10, sampledCount: 1, borrowCount: 1 };
}

function quotas(shares: ReservoirShares, clientIds: readonly string[], nowSeconds: number): unknown {
  const { SamplingTargetDocuments: targets } = shares.targetsResponse(
    clientIds.map((id) => report(id)),
    nowSeconds,
  );
  return (targets as { ReservoirQuota: number }[]).map((target) => target.ReservoirQuota);
}

test('samplingRulesResponse() has every member that SDKs look for', () => {
  expect(samplingRulesResponse()).toEqual({
    SamplingRuleRecords: [
      {
        SamplingRule: {
          RuleName: 'Default',
          RuleARN: expect.stringContaining('sampling-rule/Default'),
          ResourceARN: '*',
          Priority: 10_000,
          FixedRate: 0.05,
          ReservoirSize: 1,
          ServiceName: '*',
          ServiceType: '*',
          Host: '*',
          HTTPMethod: '*',
          URLPath: '*',
          Version: 1,
          Attributes: {},
        },
        CreatedAt: 0,
        ModifiedAt: 0,
      },
    ],
  });
});

describe('ReservoirShares', () => {
  test('answers in the shape that every SDK takes', () => {
    expect(new ReservoirShares().targetsResponse([report(client('a')), report(client('a'), 'gone')], 1_000.7)).toEqual({
      SamplingTargetDocuments: [{ RuleName: 'Default', FixedRate: 0.05, ReservoirQuota: 1, ReservoirQuotaTTL: 1_300, Interval: 10 }],
      LastRuleModification: 0,
      UnprocessedStatistics: [{ RuleName: 'gone', ErrorCode: '404', Message: 'There is no sampling rule named gone.' }],
      UnprocessedBoostStatistics: [],
    });
  });

  test('gives out no more than the reservoir, however many clients report', () => {
    const shares = new ReservoirShares();
    const clients = ['a', 'b', 'c'].map(client);
    expect(quotas(shares, clients, 1_000)).toEqual([1, 0, 0]);
    expect(quotas(shares, clients.toReversed(), 1_010)).toEqual([0, 0, 1]);
  });

  test('gives the share of a client that went silent to another', () => {
    const shares = new ReservoirShares();
    expect(quotas(shares, [client('a'), client('b')], 1_000)).toEqual([1, 0]);
    expect(quotas(shares, [client('b')], 1_020)).toEqual([0]);
    expect(quotas(shares, [client('b')], 1_031)).toEqual([1]);
  });

  test('is not filled by a sender of ever new ids', () => {
    const shares = new ReservoirShares();
    quotas(shares, [client('a')], 1_000);
    const start = performance.now();
    for (let i = 0; i < 300; i++)
      quotas(
        shares,
        Array.from({ length: 25 }, (_, k) => String(i * 25 + k).padStart(24, '0')),
        1_001,
      );
    expect(quotas(shares, [client('a')], 1_002)).toEqual([1]);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
