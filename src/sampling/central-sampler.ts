/**
 * What a server knows of all sampling clients: who reports, what each was granted, what was counted. Servers of one store tell each
 * other what they take in (`takeShared`, `merge`) and so grant from one reservoir. To lose all of it does no harm: quotas are granted
 * anew with each report, and clients that have none borrow one request a second.
 */
import { type Boost, RuleBoost } from './boost.ts';
import type { AnomalyCounts, ClientCounts, SharedReport } from './reports.ts';
import { IDLE_SECONDS, INTERVAL_SECONDS, ReservoirBook } from './reservoir-book.ts';
import type { SamplingRule } from './rule.ts';
import { HISTORY_SECONDS, ReportWindows, type WindowCounts } from './windows.ts';

/** What a client may sample under a rule from now on. */
export interface SamplingTarget {
  readonly rule: string;
  readonly fixedRate: number;
  /** Requests a second, whole. */
  readonly quota: number;
  /** Epoch seconds. */
  readonly quotaUntilSeconds: number;
  readonly intervalSeconds: number;
  readonly boost?: Boost;
}

/** A quota may be used for so long without another report, as at AWS. */
const QUOTA_SECONDS = 300;
/** Bounds memory while the store does not take what is to be shared. */
const MAX_SHARED = 50_000;

/** How long ago reports were made that still matter to a server that starts. */
export const LOOK_BACK_SECONDS = HISTORY_SECONDS;

export class CentralSampler {
  readonly #books = new Map<string, ReservoirBook>();
  readonly #boosts = new Map<string, RuleBoost>();
  readonly #windows = new ReportWindows();
  #shared: SharedReport[] = [];

  /** Takes in what a client counted under `rule`, and grants it a quota. */
  report(rule: SamplingRule, counts: ClientCounts, nowSeconds: number): SamplingTarget {
    const book = this.#bookOf(rule.name);
    const demand = book.demandAfter(counts.client, counts.requests, nowSeconds);
    const quota = book.grant(counts.client, demand, rule.reservoirSize, nowSeconds);
    this.#windows.add(counts, nowSeconds);
    this.#share({ kind: 'client', atSeconds: nowSeconds, counts, demand, quota });
    const boost = this.#boosts.get(rule.name)?.current(rule, nowSeconds);
    return {
      rule: rule.name,
      fixedRate: rule.fixedRate,
      quota,
      quotaUntilSeconds: Math.floor(nowSeconds) + QUOTA_SECONDS,
      intervalSeconds: INTERVAL_SECONDS,
      ...(boost && { boost }),
    };
  }

  /** Takes in what a client counted of requests that went wrong, and begins a boost when it is time. Before the client's `report`. */
  reportAnomalies(rule: SamplingRule, counts: AnomalyCounts, nowSeconds: number): void {
    const boost = this.#boostOf(rule.name);
    boost.add(counts, nowSeconds);
    this.#share({ kind: 'anomalies', atSeconds: nowSeconds, counts });
    const rate = boost.due(rule, nowSeconds);
    if (rate === undefined) return;
    boost.begin(rate, nowSeconds);
    this.#share({ kind: 'boost', atSeconds: nowSeconds, rule: rule.name, rate });
  }

  /** What was taken in here since the last call, for the other servers. */
  takeShared(): readonly SharedReport[] {
    return this.#shared.splice(0);
  }

  /** Takes in what other servers shared, each report once. */
  merge(reports: readonly SharedReport[], nowSeconds: number): void {
    for (const report of reports) {
      if (report.kind === 'boost') this.#boostOf(report.rule).begin(report.rate, report.atSeconds);
      else if (report.kind === 'anomalies') this.#boostOf(report.counts.rule).add(report.counts, report.atSeconds);
      else {
        const { counts, demand, quota, atSeconds } = report;
        this.#windows.add(counts, atSeconds);
        if (nowSeconds - atSeconds > IDLE_SECONDS) continue;
        this.#bookOf(counts.rule).record(counts.client, { demand, quota, seenSeconds: atSeconds });
      }
    }
  }

  /** What was counted in the last minutes, oldest first. */
  windows(nowSeconds: number): readonly WindowCounts[] {
    return this.#windows.list(nowSeconds);
  }

  #share(report: SharedReport): void {
    if (this.#shared.length < MAX_SHARED) this.#shared.push(report);
  }

  #bookOf(rule: string): ReservoirBook {
    let book = this.#books.get(rule);
    if (book === undefined) this.#books.set(rule, (book = new ReservoirBook()));
    return book;
  }

  #boostOf(rule: string): RuleBoost {
    let boost = this.#boosts.get(rule);
    if (boost === undefined) this.#boosts.set(rule, (boost = new RuleBoost()));
    return boost;
  }
}
