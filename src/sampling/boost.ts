/**
 * Raises a rule's rate for a while when requests go wrong and too few of them are kept. One boost lasts at most a minute, ends when
 * nothing goes wrong any more, and is followed by none until the rule's cooldown, counted from its begin, is over.
 */
import type { AnomalyCounts } from './reports.ts';
import type { SamplingRule } from './rule.ts';

export interface Boost {
  readonly rate: number;
  /** Clients use the rate until then; epoch seconds. */
  readonly untilSeconds: number;
}

const BOOST_SECONDS = 60;
/** Anomalies of so long ago count as happening now; a boost is renewed for so long at a time. */
const RECENT_SECONDS = 20;
/** So many anomalous requests a second are enough to see what is wrong. */
const WANTED_PER_SECOND = 1;

interface Slot {
  readonly atSeconds: number;
  readonly anomalies: number;
  readonly sampledAnomalies: number;
}

/** One rule's anomalies and boosts. */
export class RuleBoost {
  #recent: Slot[] = [];
  #begun: { readonly atSeconds: number; readonly rate: number } | undefined;

  add({ anomalies, sampledAnomalies }: AnomalyCounts, atSeconds: number): void {
    this.#recent = this.#recent.filter((slot) => slot.atSeconds > atSeconds - RECENT_SECONDS);
    this.#recent.push({ atSeconds, anomalies, sampledAnomalies });
  }

  /** Takes over a boost, another server's too. */
  begin(rate: number, atSeconds: number): void {
    if (this.#begun === undefined || this.#begun.atSeconds < atSeconds) this.#begun = { rate, atSeconds };
  }

  /** The rate of a boost that should begin now; undefined for none. */
  due(rule: SamplingRule, nowSeconds: number): number | undefined {
    if (rule.boost === undefined) return undefined;
    const lockedSeconds = Math.max(BOOST_SECONDS, rule.boost.cooldownMinutes * 60);
    if (this.#begun !== undefined && nowSeconds < this.#begun.atSeconds + lockedSeconds) return undefined;
    const { anomalies, sampled } = this.#perSecond(nowSeconds);
    if (anomalies === 0 || sampled >= Math.min(WANTED_PER_SECOND, anomalies)) return undefined;
    const rate = Math.min(rule.boost.maxRate, Math.max(rule.fixedRate, WANTED_PER_SECOND / anomalies));
    return rate > rule.fixedRate ? rate : undefined;
  }

  /** The boost that clients should use now. */
  current(rule: SamplingRule, nowSeconds: number): Boost | undefined {
    if (rule.boost === undefined || this.#begun === undefined) return undefined;
    const endSeconds = this.#begun.atSeconds + BOOST_SECONDS;
    if (nowSeconds >= endSeconds || this.#perSecond(nowSeconds).anomalies === 0) return undefined;
    return { rate: Math.min(this.#begun.rate, rule.boost.maxRate), untilSeconds: Math.min(endSeconds, nowSeconds + RECENT_SECONDS) };
  }

  #perSecond(nowSeconds: number): { anomalies: number; sampled: number } {
    this.#recent = this.#recent.filter(({ atSeconds }) => atSeconds > nowSeconds - RECENT_SECONDS);
    let anomalies = 0;
    let sampled = 0;
    for (const slot of this.#recent) {
      anomalies += slot.anomalies;
      sampled += slot.sampledAnomalies;
    }
    return { anomalies: anomalies / RECENT_SECONDS, sampled: sampled / RECENT_SECONDS };
  }
}
