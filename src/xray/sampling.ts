/**
 * Sampling as far as SDKs need it to start: the one rule that every AWS account begins with. One request a second over all clients, and
 * 5 % of the others.
 */
import type { SamplingStatistics } from './requests.ts';

/** Seconds between a client's reports. */
const INTERVAL_SECONDS = 10;
/** A quota may be used for so long without another report, as at AWS. */
const QUOTA_SECONDS = 300;
/** A client that did not report for so long sampled nothing under the rule, or is gone: its share goes to others. */
const IDLE_SECONDS = 3 * INTERVAL_SECONDS;
/** Bounds memory against a sender of ever new client ids. */
const MAX_CLIENTS = 10_000;

/** The rule `Default` in the model's shape. All members stand here: samplers of several languages fail on missing ones. */
export const DEFAULT_RULE = {
  RuleName: 'Default',
  RuleARN: 'arn:aws:xray:us-east-1:000000000000:sampling-rule/Default',
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
} as const;

/** The rule never changed. AWS gives these times for it too. */
const NEVER_SECONDS = 0;

/** The answer of `GetSamplingRules`. */
export function samplingRulesResponse(): Readonly<Record<string, unknown>> {
  return { SamplingRuleRecords: [{ SamplingRule: DEFAULT_RULE, CreatedAt: NEVER_SECONDS, ModifiedAt: NEVER_SECONDS }] };
}

/** Shares the rule's reservoir among the clients that report. Losing this state does no harm: quotas are given anew with each report. */
export class ReservoirShares {
  /** Client id to when it last reported, epoch seconds; in the order in which they came. */
  readonly #clients = new Map<string, number>();

  /** The answer of `GetSamplingTargets`: what each reporting client may sample from now on. */
  targetsResponse(statistics: readonly SamplingStatistics[], nowSeconds: number): Readonly<Record<string, unknown>> {
    this.#forgetIdle(nowSeconds);
    const targets: unknown[] = [];
    const unprocessed: unknown[] = [];
    for (const { ruleName, clientId } of statistics) {
      if (ruleName === DEFAULT_RULE.RuleName) targets.push(this.#target(clientId, nowSeconds));
      // Go's SDK takes a code that begins with 4 as: fetch the rules again.
      else unprocessed.push({ RuleName: ruleName, ErrorCode: '404', Message: `There is no sampling rule named ${ruleName}.` });
    }
    return {
      SamplingTargetDocuments: targets,
      LastRuleModification: NEVER_SECONDS,
      UnprocessedStatistics: unprocessed,
      UnprocessedBoostStatistics: [],
    };
  }

  #target(clientId: string, nowSeconds: number): Readonly<Record<string, unknown>> {
    if (this.#clients.size < MAX_CLIENTS || this.#clients.has(clientId)) this.#clients.set(clientId, nowSeconds);
    return {
      RuleName: DEFAULT_RULE.RuleName,
      FixedRate: DEFAULT_RULE.FixedRate,
      ReservoirQuota: this.#quota(clientId),
      ReservoirQuotaTTL: Math.floor(nowSeconds) + QUOTA_SECONDS,
      Interval: INTERVAL_SECONDS,
    };
  }

  #forgetIdle(nowSeconds: number): void {
    for (const [id, seenSeconds] of this.#clients) {
      if (nowSeconds - seenSeconds > IDLE_SECONDS) this.#clients.delete(id);
    }
  }

  /** Whole requests a second, in equal parts; one of what is left over goes to each of those that came first. */
  #quota(clientId: string): number {
    const share = Math.floor(DEFAULT_RULE.ReservoirSize / this.#clients.size);
    let left = DEFAULT_RULE.ReservoirSize % this.#clients.size;
    for (const id of this.#clients.keys()) {
      if (left-- <= 0) return share;
      if (id === clientId) return share + 1;
    }
    return share;
  }
}
