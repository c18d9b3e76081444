/** Sampling rules, targets and statistics in the model's shapes. Members that samplers look for are never absent. */
import type { SamplingRule, SamplingTarget, WindowCounts } from '../sampling/index.ts';
import { samplingRuleArn } from './arns.ts';
import type { Wire } from './responses.ts';

/** A rule as it is kept. Times are epoch seconds; 0 for `Default` that nobody has changed. */
export interface RuleRecord {
  readonly rule: SamplingRule;
  readonly createdSeconds: number;
  readonly modifiedSeconds: number;
}

/** `SamplingRuleRecord`. */
export function toWireRuleRecord({ rule, createdSeconds, modifiedSeconds }: RuleRecord): Wire {
  return {
    SamplingRule: {
      RuleName: rule.name,
      RuleARN: samplingRuleArn(rule.name),
      ResourceARN: rule.resourceArn,
      Priority: rule.priority,
      FixedRate: rule.fixedRate,
      ReservoirSize: rule.reservoirSize,
      ServiceName: rule.serviceName,
      ServiceType: rule.serviceType,
      Host: rule.host,
      HTTPMethod: rule.httpMethod,
      URLPath: rule.urlPath,
      Version: 1,
      Attributes: rule.attributes,
      ...(rule.boost && { SamplingRateBoost: { MaxRate: rule.boost.maxRate, CooldownWindowMinutes: rule.boost.cooldownMinutes } }),
    },
    CreatedAt: createdSeconds,
    ModifiedAt: modifiedSeconds,
  };
}

/**
 * `SamplingTargetDocument`. The X-Ray SDK for Node.js reads `ReservoirQuotaTTL` in seconds as milliseconds, so it takes every quota for
 * expired and borrows one request a second, and it takes a quota of 0 for no answer. `forNodeSdk` writes both as texts, which it reads
 * rightly: the time as ISO 8601, and nothing as '0'.
 */
export function toWireTarget(target: SamplingTarget, forNodeSdk: boolean): Wire {
  const { rule, fixedRate, quota, quotaUntilSeconds, intervalSeconds, boost } = target;
  return {
    RuleName: rule,
    FixedRate: fixedRate,
    ReservoirQuota: forNodeSdk && quota === 0 ? '0' : quota,
    ReservoirQuotaTTL: forNodeSdk ? new Date(quotaUntilSeconds * 1000).toISOString() : quotaUntilSeconds,
    Interval: intervalSeconds,
    ...(boost && { SamplingBoost: { BoostRate: boost.rate, BoostRateTTL: boost.untilSeconds } }),
  };
}

/** `SamplingStatisticSummary`. */
export function toWireWindow({ rule, startSeconds, requests, sampled, borrowed }: WindowCounts): Wire {
  return { RuleName: rule, Timestamp: startSeconds, RequestCount: requests, BorrowCount: borrowed, SampledCount: sampled };
}
