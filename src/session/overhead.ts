/** What armed probes cost, and which of them costs too much. Pure. */

/** What one attached program did in a window. */
export interface ProgramWork {
  /** Events of the target that ran a probe's body. */
  readonly hits: number;
  /** All events that ran the program, also those outside of the target; at least `hits`. */
  readonly runs: number;
  /** Nanoseconds that a run takes, without the trap. */
  readonly runNs: number;
  /** The same for a hit, where nothing was measured. */
  readonly assumedNs: number;
  /** Nanoseconds that an event costs before the program runs. */
  readonly trapNs: number;
}

/** Nanoseconds of a window. */
export interface Window {
  readonly lengthNs: number;
  /** CPU time of the target's processes. */
  readonly targetCpuNs: number;
  /** CPU time of the whole host that was not idle. */
  readonly hostCpuNs: number;
}

/** Why a program is to be taken off. */
export interface Excess {
  /** Index in the list of works. */
  readonly index: number;
  /** Whose CPU time it exceeds. */
  readonly whose: 'target' | 'host';
  /** Of all programs together, nanoseconds and as a share of that CPU time. */
  readonly costNs: number;
  readonly share: number;
  readonly work: ProgramWork;
}

/** Costs below this share of one CPU are nobody's alarm, however idle the target is: 2 ms a second. */
export const FLOOR_SHARE = 0.002;

export interface Cost {
  /** Nanoseconds inside of the target. */
  readonly inside: number;
  /** Nanoseconds in processes that run the same code or make the same calls, but do not belong to the target. */
  readonly outside: number;
}

/**
 * Foreign events run the program's filter alone. The kernel tells the mean over all runs: where most are the target's that is what a hit
 * takes, once the filter's runs are taken out; where most are foreign it tells nothing of hits.
 */
export function costOf({ hits, runs, runNs, assumedNs, trapNs }: ProgramWork): Cost {
  const foreign = Math.max(0, runs - hits);
  if (foreign > hits) return { inside: hits * (trapNs + Math.max(runNs, assumedNs)), outside: foreign * (trapNs + runNs) };
  const filterNs = Math.min(runNs, FILTER_NS);
  const hitNs = hits === 0 ? 0 : (runNs * runs - filterNs * foreign) / hits;
  return { inside: hits * (trapNs + hitNs), outside: foreign * (trapNs + filterNs) };
}

/** An empty program takes 105–160 ns. */
const FILTER_NS = 150;

/**
 * The costliest program when all together cost more than `maxOverhead` of the target's CPU time, or, outside of the target, of the
 * host's; undefined when they do not.
 */
export function findExcess(works: readonly ProgramWork[], window: Window, maxOverhead: number): Excess | undefined {
  const costs = works.map(costOf);
  for (const [whose, cpuNs, part] of [
    ['target', window.targetCpuNs, 'inside'],
    ['host', window.hostCpuNs, 'outside'],
  ] as const) {
    const costNs = costs.reduce((sum, cost) => sum + cost[part], 0);
    if (costNs <= Math.max(FLOOR_SHARE * window.lengthNs, maxOverhead * cpuNs)) continue;
    const index = costs.reduce((best, cost, at) => (cost[part] > costs[best]![part] ? at : best), 0);
    return { index, whose, costNs, share: costNs / Math.max(cpuNs, costNs), work: works[index]! };
  }
  return undefined;
}

/** One sentence for people. */
export function describeExcess({ whose, share, work }: Excess, window: Window, maxOverhead: number): string {
  const perSecond = Math.round((whose === 'target' ? work.hits : work.runs - work.hits) / (window.lengthNs / 1e9));
  const eachUs = (work.trapNs + work.runNs) / 1000;
  const of = whose === 'target' ? "the target's CPU time" : "the host's CPU time, in processes outside of the target";
  return `probes cost ${percent(share)} of ${of}, more than ${percent(maxOverhead)}; this one was the costliest: ${perSecond} hits a second of ${eachUs.toFixed(1)} µs`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}
