/** What a session tells of itself when it ends: why, how long, and what it could not see. */
import type { Loss, SourcePlace } from '../y/index.ts';
import { UNWIND_STATUS_TEXTS, type UnwindStats, type UnwindStatus } from '../unwind/index.ts';

export type EndReason = 'finished' | 'exit' | 'timeout' | 'stopped' | 'target-gone' | 'output-failed';

export interface SessionReport {
  readonly reason: EndReason;
  readonly durationMs: number;
  /** Each loss once; `at` where the place is known (host probes). */
  readonly losses: readonly LossReport[];
  readonly probes: readonly ProbeReport[];
  /** How user stacks ended; undefined when none was taken. */
  readonly stacks: UnwindStats | undefined;
  /** Why nothing more could be written; undefined when all was. */
  readonly outputFailure: string | undefined;
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

/** Ends of a stack that are no loss: it is whole, or there is none. */
const WHOLE: ReadonlySet<UnwindStatus> = new Set(['complete', 'kernelThread']);

/** A line for each thing that was lost, without the line's end; none when nothing was. */
export function describeLosses(report: Pick<SessionReport, 'losses'> & Partial<SessionReport>): readonly string[] {
  const { losses, stacks, probes = [] } = report;
  const lost = losses.map(({ why, count, at }) => {
    const place = at === undefined ? '' : ` (${at.file}:${at.line})`;
    return `lost: ${count} ${SENTENCES[why][count === 1 ? 0 : 1]}${place}`;
  });
  const detached = probes.flatMap((probe) => (probe.detached === undefined ? [] : [`detached: ${probe.text}: ${probe.detached}`]));
  return [...lost, ...(stacks === undefined ? [] : describeCutStacks(stacks)), ...detached];
}

function describeCutStacks({ stacks }: UnwindStats): string[] {
  const entries = Object.entries(stacks) as [UnwindStatus, number][];
  const total = entries.reduce((sum, [status, count]) => sum + (status === 'kernelThread' ? 0 : count), 0);
  return entries
    .filter(([status, count]) => count > 0 && !WHOLE.has(status))
    .map(([status, count]) => `cut: ${count} of ${total} user stacks. ${UNWIND_STATUS_TEXTS[status]}`);
}
