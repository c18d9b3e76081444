/**
 * Keeps the service map's minutes up to date: a minute into which spans arrived is counted again from its whole traces.
 * Which minutes are owed is written down, so that a crash forgets none. Work is paced: it takes a bounded share of the time.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { err, type Result } from '../base/index.ts';
import { countSpans, readGraphRows, type Store, type StoreError, writeGraphMinute } from '../store/index.ts';
import { type GraphTally, mergeGraphs, tallyGraph } from '../trace/index.ts';

/** Resting time per working time. */
const REST_RATIO = 3;
const SHORTEST_REST_MS = 500;
const RETRY_MS = 2_000;
/** A callee may start in the next minute, and a caller in the one before. */
const AROUND_SECONDS = 60;
/** Spans that are counted at once; a busier minute is done in slices of whole traces. */
const SLICE_SPANS = 300_000;

export interface RollupEvents {
  /** The map has changed for these minutes (epoch seconds of their start). */
  updated(minutesSeconds: readonly number[]): void;
  failed(message: string): void;
}

export class Rollup {
  readonly #store: Store;
  readonly #path: string;
  readonly #events: RollupEvents;
  /** Minute (epoch seconds / 60) to when it may be counted (`Date.now()` scale). */
  readonly #owed = new Map<number, number>();
  /** The minute that is being counted: owed until it is written. */
  #counting: number | undefined;
  /** The file does not say what is owed: it could not be written. */
  #unwritten = false;
  #stopping = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  /** `path` is the file that owed minutes are kept in. */
  constructor(store: Store, path: string, events: RollupEvents) {
    this.#store = store;
    this.#path = path;
    this.#events = events;
    for (const minute of readOwed(path)) this.#owed.set(minute, 0);
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await this.#running;
  }

  /** How many minutes wait to be counted. */
  get owed(): number {
    return this.#owed.size;
  }

  /** Spans of these minutes (epoch seconds / 60) are in the store. Written down when this returns. */
  mark(minutes: readonly number[]): void {
    const now = Date.now();
    let grown = false;
    for (const minute of minutes) {
      grown ||= !this.#owed.has(minute) || !this.#owed.has(minute - 1);
      this.#owed.set(minute, Math.min(this.#owed.get(minute) ?? Infinity, now));
      // The minute before may have called one of these spans; count it once more when this one is over.
      const over = Math.max(now, (minute + 1) * 60_000 + 10_000);
      this.#owed.set(minute - 1, Math.min(this.#owed.get(minute - 1) ?? Infinity, over));
    }
    if (grown || this.#unwritten) this.#writeOwed();
    this.#wake?.();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const minute = this.#nextDue();
      if (minute === undefined) {
        await this.#sleep(this.#untilDue());
        continue;
      }
      const startedMs = performance.now();
      this.#owed.delete(minute); // what comes from now on makes it owed again
      this.#counting = minute;
      const counted = await this.#count(minute * 60);
      this.#counting = undefined;
      if (counted.ok) {
        this.#writeOwed();
        this.#events.updated([minute * 60]);
        await this.#sleep(Math.max(SHORTEST_REST_MS, (performance.now() - startedMs) * REST_RATIO), false);
      } else {
        this.#owed.set(minute, Date.now());
        if (this.#stopping) return;
        this.#events.failed(counted.error.message);
        await this.#sleep(RETRY_MS, false);
      }
    }
  }

  /** The newest minute that may be counted now: people look at what happens now. */
  #nextDue(): number | undefined {
    const now = Date.now();
    let newest: number | undefined;
    for (const [minute, dueMs] of this.#owed) {
      if (dueMs <= now && (newest === undefined || minute > newest)) newest = minute;
    }
    return newest;
  }

  #untilDue(): number | undefined {
    const soonest = Math.min(...this.#owed.values());
    return Number.isFinite(soonest) ? Math.max(1, soonest - Date.now()) : undefined;
  }

  async #count(minuteSeconds: number): Promise<Result<undefined, StoreError>> {
    const range = { fromSeconds: minuteSeconds, toSeconds: minuteSeconds + 60, aroundSeconds: AROUND_SECONDS };
    const version = Date.now();
    const spans = await countSpans(this.#store, minuteSeconds, minuteSeconds + 60);
    if (!spans.ok) return spans;
    const slices = Math.max(1, Math.ceil(spans.value / SLICE_SPANS));
    const parts: GraphTally[] = [];
    for (let index = 0; index < slices; index++) {
      if (this.#stopping) return err({ kind: 'unavailable', message: 'stopping' });
      const rows = await readGraphRows(this.#store, range, { index, of: slices });
      if (!rows.ok) return rows;
      parts.push(tallyGraph(rows.value, range.fromSeconds, range.toSeconds));
    }
    return writeGraphMinute(this.#store, minuteSeconds, version, mergeGraphs(parts));
  }

  async #sleep(milliseconds: number | undefined, wakeable = true): Promise<void> {
    if (this.#stopping) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((done) => {
      this.#wake = () => {
        if (wakeable || this.#stopping) done();
      };
      if (milliseconds !== undefined) timer = setTimeout(done, milliseconds);
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }

  #writeOwed(): void {
    try {
      const owed = new Set(this.#owed.keys());
      if (this.#counting !== undefined) owed.add(this.#counting);
      writeFileSync(`${this.#path}.new`, JSON.stringify([...owed]), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
      this.#unwritten = false;
    } catch (cause) {
      this.#unwritten = true;
      this.#events.failed(`cannot write ${this.#path}: ${(cause as Error).message}`); // kept in memory
    }
  }
}

function readOwed(path: string): readonly number[] {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Array.isArray(value) ? value.filter((minute) => Number.isInteger(minute)) : [];
  } catch {
    return []; // none was written yet
  }
}
