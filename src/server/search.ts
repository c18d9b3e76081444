/** What is asked of the traces, and what is found. */
import type { FilterExpression, GroupLookup, Trace, TraceSummary } from '../trace/index.ts';

/** Why a question was not answered. */
export interface ReadError {
  readonly kind: 'unavailable' | 'invalid';
  readonly message: string;
}

export interface SearchQuery {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  /** Which time of a trace must lie in the range: its start, any activity of it, or the end of one of its segments. */
  readonly by: 'start' | 'activity' | 'end';
  readonly filter: FilterExpression | undefined;
  /** What `group.name` and `group.arn` in the filter refer to. */
  readonly groups?: GroupLookup;
  readonly limit: number;
  /** Where the page before ended. */
  readonly position: string | undefined;
  /** A page ends after about this long, full or not. */
  readonly budgetMs: number;
}

export interface FoundTrace {
  readonly trace: Trace;
  readonly summary: TraceSummary;
  /** The time that lies in the range, when it is not the start. */
  readonly matchedSeconds?: number;
}

export interface SearchPage {
  /** Newest first. */
  readonly items: readonly FoundTrace[];
  /** Undefined on the last page. */
  readonly position: string | undefined;
  /** Traces that were looked at. */
  readonly scanned: number;
  /** Everything from here to the end of the range was searched. */
  readonly reachedSeconds: number;
}
