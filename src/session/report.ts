/** What a session tells of itself when it ends: why, how long, and what it could not see. */
import type { Loss, SourcePlace } from '../y/index.ts';
import type { UnwindStats } from '../unwind/index.ts';

export type EndReason = 'finished' | 'exit' | 'timeout' | 'stopped' | 'target-gone';

export interface SessionReport {
  readonly reason: EndReason;
  readonly durationMs: number;
  /** Each loss once; `at` where the place is known (host probes). */
  readonly losses: readonly LossReport[];
  readonly probes: readonly ProbeReport[];
  /** How user stacks ended; undefined when none was taken. */
  readonly stacks: UnwindStats | undefined;
}

export interface LossReport {
  readonly why: Loss;
  readonly count: number;
  readonly at: SourcePlace | undefined;
}

export interface ProbeReport {
  readonly text: string;
  /** Places that it was put on; 0 for host probes. */
  readonly sites: number;
  readonly hits: number;
  /** Why it was taken off before the end. */
  readonly detached: string | undefined;
}

const SENTENCES: Readonly<Record<Loss, readonly [one: string, many: string]>> = {
  'failed-read': ['hit ended at a failed read', 'hits ended at a failed read'],
  'division-by-zero': ['hit ended at a division by zero', 'hits ended at a division by zero'],
  'loop-budget': ['hit ended at its budget of loop rounds', 'hits ended at their budget of loop rounds'],
  'array-full': ['insert into a full array was dropped', 'inserts into full arrays were dropped'],
  'ring-full': ['record was dropped because the ring was full', 'records were dropped because the ring was full'],
  'stack-lost': ['backtrace could not be taken', 'backtraces could not be taken'],
  'scratch-busy': ['hit was skipped because it interrupted another', 'hits were skipped because they interrupted others'],
  uncaught: ['hit ended early', 'hits ended early'],
};

/** A line for each thing that was lost, without the line's end; none when nothing was. */
export function describeLosses({ losses }: Pick<SessionReport, 'losses'>): readonly string[] {
  return losses.map(({ why, count, at }) => {
    const place = at === undefined ? '' : ` (${at.file}:${at.line})`;
    return `lost: ${count} ${SENTENCES[why][count === 1 ? 0 : 1]}${place}`;
  });
}
