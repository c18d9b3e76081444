/** Carries what waits in the spool to the store, batch by batch, for as long as it takes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Store, StoreError } from '../store/index.ts';
import type { Spool, SpoolBatch } from './spool.ts';

/** Fewer, larger inserts cost the store less; more than this long nobody should wait to see a trace. */
const INTERVAL_MS = 1_000;
const BATCH_ROWS = 50_000;
const BATCH_BYTES = 32 * 1024 * 1024;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** A batch that the store refuses this often, while it answers, is set aside so that the rest can go on. */
const REFUSALS_BEFORE_SETTING_ASIDE = 8;
/**
 * Refusals that are not the batch's fault, so that it waits until someone has put the store right: no such table or database, wrong user
 * or password, no rights, no quota, no Keeper.
 */
const FAULTS_OF_THE_STORE = new Set(['60', '81', '192', '193', '194', '201', '218', '225', '497', '516']);

export interface DrainEvents {
  /** The store has the batch. Awaited before the spool forgets it: write down what follows from it. */
  stored(minutes: readonly number[], rows: number): Promise<void>;
  /** The store did not take a batch; it is tried again after `retryMs`. */
  failed(message: string, retryMs: number): void;
  /** The store will never take these rows: they are kept in `path`. */
  setAside(path: string, rows: number, message: string): void;
}

export class Drain {
  readonly #spool: Spool;
  readonly #store: Store;
  readonly #dir: string;
  readonly #events: DrainEvents;
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #stopping = false;
  #lastInsertMs = -INTERVAL_MS;

  /** `dir` is where batches are set aside. */
  constructor(spool: Spool, store: Store, dir: string, events: DrainEvents) {
    this.#spool = spool;
    this.#store = store;
    this.#dir = dir;
    this.#events = events;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Something new waits. */
  notify(): void {
    this.#wake?.();
  }

  /** Sends what waits, if the store takes it within `limitMs`; what does not go stays in the spool. */
  async stop(limitMs: number): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    const limit = new Promise<void>((done) => setTimeout(done, limitMs).unref());
    await Promise.race([this.#running, limit]);
  }

  async #run(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    let refusals = 0;
    for (;;) {
      await this.#untilWorthwhile();
      const batch = this.#spool.take(BATCH_ROWS, BATCH_BYTES);
      if (batch === undefined) return; // stopping, and nothing waits
      this.#lastInsertMs = performance.now();
      const outcome = await this.#store.client.insertBlocks(`${this.#store.layout.database}.spans`, batch.payloads, batch.token);
      if (outcome.ok) {
        await this.#events.stored(batch.minutes, batch.rows);
        this.#spool.done(batch);
        retryMs = FIRST_RETRY_MS;
        refusals = 0;
        continue;
      }
      if (isRefusal(outcome.error) && ++refusals >= REFUSALS_BEFORE_SETTING_ASIDE && this.#setAside(batch, outcome.error.message)) {
        refusals = 0;
        continue;
      }
      this.#events.failed(outcome.error.message, retryMs);
      if (this.#stopping) return;
      await this.#pause(retryMs);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    }
  }

  /** Waits for rows, and then for enough of them or long enough. */
  async #untilWorthwhile(): Promise<void> {
    while (!this.#stopping) {
      const remainingMs = this.#lastInsertMs + INTERVAL_MS - performance.now();
      if (this.#spool.records > 0 && (remainingMs <= 0 || this.#spool.rows >= BATCH_ROWS)) return;
      await this.#sleep(this.#spool.records > 0 ? remainingMs : undefined);
    }
  }

  /** Sleeps whatever is spooled meanwhile: the store is not asked more often because more waits. */
  async #pause(milliseconds: number): Promise<void> {
    const untilMs = performance.now() + milliseconds;
    while (!this.#stopping && performance.now() < untilMs) await this.#sleep(untilMs - performance.now());
  }

  async #sleep(milliseconds: number | undefined): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((done) => {
      this.#wake = done;
      if (milliseconds !== undefined) timer = setTimeout(done, milliseconds);
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }

  /** Whether it could be written down; it stays in the spool when not. */
  #setAside(batch: SpoolBatch, message: string): boolean {
    const dir = join(this.#dir, 'refused');
    const path = join(dir, `${batch.token.replace(':', '-')}.native`);
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      writeFileSync(path, Buffer.concat(batch.payloads), { mode: 0o600, flush: true });
    } catch {
      return false; // a full disk: the store's refusal is told and the batch tried again
    }
    this.#spool.done(batch);
    this.#events.setAside(path, batch.rows, message);
    return true;
  }
}

function isRefusal(error: StoreError): boolean {
  return error.kind === 'refused' && !(error.code !== undefined && FAULTS_OF_THE_STORE.has(error.code));
}
