import { describe, expect, test } from 'vitest';
import { CentralSampler } from './central-sampler.ts';
import { DEFAULT_RULE, type SamplingRule } from './rule.ts';

const RULE: SamplingRule = { ...DEFAULT_RULE, name: 'shop', priority: 1, reservoirSize: 30, fixedRate: 0.1 };
const BOOSTED: SamplingRule = { ...RULE, boost: { maxRate: 0.5, cooldownMinutes: 5 } };

const counts = (client: string, requests: number): Parameters<CentralSampler['report']>[1] => ({
  rule: 'shop',
  client,
  requests,
  sampled: 3,
  borrowed: 2,
});
const anomalies = (count: number, sampled = 0): Parameters<CentralSampler['reportAnomalies']>[1] => ({
  rule: 'shop',
  service: 'cart',
  total: 100,
  anomalies: count,
  sampledAnomalies: sampled,
});

/** Reports of all every ten seconds, a few times; the last quotas. */
function settle(sampler: CentralSampler, rates: Readonly<Record<string, number>>, fromSeconds = 1_000): Record<string, number> {
  const quotas: Record<string, number> = {};
  for (let round = 0; round < 6; round++) {
    for (const [client, rate] of Object.entries(rates)) {
      quotas[client] = sampler.report(RULE, counts(client, rate * 10), fromSeconds + round * 10).quota;
    }
  }
  return quotas;
}

describe('CentralSampler', () => {
  test('gives one client the whole reservoir, valid for five minutes', () => {
    expect(new CentralSampler().report(RULE, counts('a', 300), 1_000.5)).toEqual({
      rule: 'shop',
      fixedRate: 0.1,
      quota: 30,
      quotaUntilSeconds: 1_300,
      intervalSeconds: 10,
    });
  });

  test('shares by request rates', () => {
    expect(settle(new CentralSampler(), { a: 100, b: 50 })).toEqual({ a: 20, b: 10 });
    const quotas = settle(new CentralSampler(), { a: 40, b: 40, c: 40, d: 40 });
    expect(Object.values(quotas).reduce((sum, quota) => sum + quota)).toBe(30);
    expect(new Set(Object.values(quotas))).toEqual(new Set([7, 8]));
  });

  test('a client that stays away gives its share back', () => {
    const sampler = new CentralSampler();
    settle(sampler, { a: 100, b: 100 });
    expect(settle(sampler, { b: 100 }, 1_100)).toEqual({ b: 30 });
  });

  test('never grants more than the reservoir, however rates leap', () => {
    const sampler = new CentralSampler();
    for (const [at, requests] of [10, 1_000, 100_000, 1].entries()) {
      expect(sampler.report(RULE, counts('a', requests), 1_000 + at / 10).quota).toBeLessThanOrEqual(30);
    }
  });

  test('a reservoir of nothing grants nothing', () => {
    expect(new CentralSampler().report({ ...RULE, reservoirSize: 0 }, counts('a', 300), 1_000).quota).toBe(0);
  });

  test('counts in windows, and forgets them after ten minutes', () => {
    const sampler = new CentralSampler();
    sampler.report(RULE, counts('a', 10), 1_001);
    sampler.report(RULE, counts('b', 20), 1_009.9);
    sampler.report(RULE, counts('a', 5), 1_010);
    expect(sampler.windows(1_020)).toEqual([
      { rule: 'shop', startSeconds: 1_000, requests: 30, sampled: 6, borrowed: 4 },
      { rule: 'shop', startSeconds: 1_010, requests: 5, sampled: 3, borrowed: 2 },
    ]);
    expect(sampler.windows(1_605)).toHaveLength(1);
  });

  test('what it shares makes another know the same, a restart included', () => {
    const [one, two] = [new CentralSampler(), new CentralSampler()];
    one.reportAnomalies(BOOSTED, anomalies(100), 1_000);
    const target = one.report(BOOSTED, counts('a', 300), 1_000);
    two.merge(JSON.parse(JSON.stringify(one.takeShared())), 1_001);
    expect(one.takeShared()).toEqual([]);
    expect(two.windows(1_001)).toEqual(one.windows(1_001));
    const again = two.report(BOOSTED, counts('a', 300), 1_010);
    expect(again.quota).toBe(target.quota);
    expect(again.boost).toEqual({ rate: target.boost!.rate, untilSeconds: 1_030 });
  });
});

describe('a boost', () => {
  const boostAt = (sampler: CentralSampler, nowSeconds: number, rule = BOOSTED): unknown =>
    sampler.report(rule, counts('a', 10), nowSeconds).boost;

  test('begins when something goes wrong and is not kept, for a minute, renewed while it goes on', () => {
    const sampler = new CentralSampler();
    expect(boostAt(sampler, 990)).toBeUndefined();
    sampler.reportAnomalies(BOOSTED, anomalies(100), 1_000);
    expect(boostAt(sampler, 1_000)).toEqual({ rate: 0.2, untilSeconds: 1_020 });
    sampler.reportAnomalies(BOOSTED, anomalies(100), 1_050);
    expect(boostAt(sampler, 1_050)).toEqual({ rate: 0.2, untilSeconds: 1_060 });
    expect(boostAt(sampler, 1_060)).toBeUndefined();
  });

  test('is followed by none until its cooldown is over', () => {
    const sampler = new CentralSampler();
    for (const at of [1_000, 1_100, 1_270]) sampler.reportAnomalies(BOOSTED, anomalies(100), at);
    expect(boostAt(sampler, 1_299)).toBeUndefined();
    sampler.reportAnomalies(BOOSTED, anomalies(100), 1_300);
    expect(boostAt(sampler, 1_300)).toBeDefined();
  });

  test.each<[string, SamplingRule, number, number, unknown]>([
    ['never above the greatest rate', BOOSTED, 1, 0, 0.5],
    ['not when enough is kept', BOOSTED, 100, 25, undefined],
    ['not when nothing is wrong', BOOSTED, 0, 0, undefined],
    ['not under a rule without', RULE, 100, 0, undefined],
    ['not when the rate is high enough', { ...BOOSTED, fixedRate: 0.9 }, 100, 0, undefined],
  ])('%s', (_, rule, count, sampled, rate) => {
    const sampler = new CentralSampler();
    sampler.reportAnomalies(rule, anomalies(count, sampled), 1_000);
    expect((boostAt(sampler, 1_000, rule) as { rate: number } | undefined)?.rate).toBe(rate);
  });

  test('ends when nothing goes wrong any more', () => {
    const sampler = new CentralSampler();
    sampler.reportAnomalies(BOOSTED, anomalies(100), 1_000);
    expect(boostAt(sampler, 1_021)).toBeUndefined();
  });
});
