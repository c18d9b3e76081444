import type { Outcome, Outcomes } from '../core.ts';

/** Order of severity, worst first; also the order in which rings and stacks are drawn. */
export const OUTCOMES = ['fault', 'throttle', 'error', 'ok'] as const satisfies readonly Outcome[];

export interface OutcomeStyle {
  /** As a person reads it. */
  readonly label: string;
  readonly meaning: string;
  /** CSS variable of the text colour and of the fill. */
  readonly text: string;
  readonly fill: string;
}

export const OUTCOME_STYLE: Readonly<Record<Outcome, OutcomeStyle>> = {
  ok: { label: 'OK', meaning: 'answered without failure', text: 'var(--ok)', fill: 'var(--ok-fill)' },
  error: { label: 'Error', meaning: 'client error, 4xx', text: 'var(--error)', fill: 'var(--error-fill)' },
  throttle: { label: 'Throttle', meaning: 'turned away, 429', text: 'var(--throttle)', fill: 'var(--throttle-fill)' },
  fault: { label: 'Fault', meaning: 'server fault, 5xx or exception', text: 'var(--fault)', fill: 'var(--fault-fill)' },
};

export interface Shares {
  readonly ok: number;
  readonly error: number;
  readonly throttle: number;
  readonly fault: number;
}

/** Disjoint counts: throttles are taken out of errors, so that the four add up to the total. */
export function disjointCounts(outcomes: Outcomes): Shares {
  const throttle = Math.min(outcomes.throttle, outcomes.error);
  return { ok: outcomes.ok, error: outcomes.error - throttle, throttle, fault: outcomes.fault };
}

/** The four shares of the total, 0–1 each. */
export function shares(outcomes: Outcomes): Shares {
  const counts = disjointCounts(outcomes);
  const total = outcomes.total || 1;
  return { ok: counts.ok / total, error: counts.error / total, throttle: counts.throttle / total, fault: counts.fault / total };
}

/** Below this share a failure is told in words only: one lost request in a thousand should not paint the map. */
const NOTABLE_SHARE = 0.01;

/** The worst outcome that is more than an exception among many. */
export function notableOutcome(outcomes: Outcomes | undefined): Exclude<Outcome, 'ok'> | undefined {
  if (!outcomes || outcomes.total === 0) return undefined;
  const parts = shares(outcomes);
  return (['fault', 'throttle', 'error'] as const).find((outcome) => parts[outcome] >= NOTABLE_SHARE);
}

/** Mean response time, seconds. */
export function meanSeconds(outcomes: Outcomes): number {
  return outcomes.total > 0 ? outcomes.totalSeconds / outcomes.total : 0;
}

/** `98 % ok, 1.5 % fault` for screen readers and tooltips. */
export function describeOutcomes(outcomes: Outcomes, format: (share: number) => string): string {
  const parts = shares(outcomes);
  return OUTCOMES.filter((outcome) => parts[outcome] > 0)
    .toReversed()
    .map((outcome) => `${format(parts[outcome])} ${OUTCOME_STYLE[outcome].label.toLowerCase()}`)
    .join(', ');
}
