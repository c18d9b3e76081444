/** Counts of rules in windows of ten seconds. */
import type { ClientCounts } from './reports.ts';

/** What all clients reported for a rule in ten seconds. */
export interface WindowCounts {
  readonly rule: string;
  /** Start of the window, epoch seconds, a multiple of 10. */
  readonly startSeconds: number;
  readonly requests: number;
  readonly sampled: number;
  readonly borrowed: number;
}

const WINDOW_SECONDS = 10;
/** How long windows are kept. */
export const HISTORY_SECONDS = 600;
/** Bounds memory against reports for ever new names. */
const MAX_WINDOWS = 20_000;

export class ReportWindows {
  readonly #windows = new Map<string, WindowCounts>();

  /** Counts a report that came at `atSeconds`. */
  add({ rule, requests, sampled, borrowed }: ClientCounts, atSeconds: number): void {
    const startSeconds = Math.floor(atSeconds / WINDOW_SECONDS) * WINDOW_SECONDS;
    const key = `${startSeconds}\n${rule}`;
    const known = this.#windows.get(key);
    if (known === undefined && this.#windows.size >= MAX_WINDOWS) return;
    this.#windows.set(key, {
      rule,
      startSeconds,
      requests: requests + (known?.requests ?? 0),
      sampled: sampled + (known?.sampled ?? 0),
      borrowed: borrowed + (known?.borrowed ?? 0),
    });
  }

  /** Those of the last minutes, oldest first, within a window by rule. */
  list(nowSeconds: number): readonly WindowCounts[] {
    for (const [key, { startSeconds }] of this.#windows) if (startSeconds < nowSeconds - HISTORY_SECONDS) this.#windows.delete(key);
    return [...this.#windows.values()].sort((a, b) => a.startSeconds - b.startSeconds || (a.rule < b.rule ? -1 : 1));
  }
}
