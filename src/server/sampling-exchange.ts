/** Tells the other servers of the store what sampling clients reported here, and learns what they reported there: once a second. */
import { randomUUID } from 'node:crypto';
import { type CentralSampler, LOOK_BACK_SECONDS, type SharedReport } from '../sampling/index.ts';
import { readSamplingReports, type SamplingReportRow, type Store, type StoreError, writeSamplingReports } from '../store/index.ts';

const EVERY_MS = 1_000;
/** A report may reach the store so long after it was made, its server's clock differing. */
const LATE_SECONDS = 15;
/** Reports that wait for a store that does not answer; more are not kept. */
const MAX_WAITING = 50_000;

export class SamplingExchange {
  readonly #store: Store;
  readonly #sampler: CentralSampler;
  readonly #warn: (error: StoreError) => void;
  readonly #server = randomUUID();
  /** What was merged, and when it was reported. */
  readonly #seen = new Map<string, number>();
  #waiting: SamplingReportRow[] = [];
  #timer: NodeJS.Timeout | undefined;
  #failing = false;

  constructor(store: Store, sampler: CentralSampler, warn: (error: StoreError) => void) {
    this.#store = store;
    this.#sampler = sampler;
    this.#warn = warn;
  }

  /** Learns what was reported lately, to an earlier run of this server too, and goes on until `stop`. */
  async start(): Promise<void> {
    await this.#read(LOOK_BACK_SECONDS);
    this.#next();
  }

  /** Tells what there is to tell still. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#write();
  }

  /** One exchange; happens once a second by itself. */
  async exchange(): Promise<void> {
    await this.#write();
    await this.#read(LATE_SECONDS);
  }

  #next(): void {
    this.#timer = setTimeout(() => {
      void this.exchange().then(() => this.#timer && this.#next());
    }, EVERY_MS).unref();
  }

  async #write(): Promise<void> {
    this.#waiting.push(...this.#sampler.takeShared().map((report) => this.#toRow(report)));
    if (this.#waiting.length > MAX_WAITING) this.#waiting = this.#waiting.slice(-MAX_WAITING);
    if (this.#waiting.length === 0) return;
    const rows = this.#waiting;
    this.#waiting = [];
    const written = await writeSamplingReports(this.#store, rows);
    if (!written.ok) this.#waiting = [...rows, ...this.#waiting];
    this.#tell(written.ok ? undefined : written.error);
  }

  async #read(secondsBack: number): Promise<void> {
    const now = Date.now() / 1000;
    const rows = await readSamplingReports(this.#store, now - secondsBack, this.#server);
    if (!rows.ok) return this.#tell(rows.error);
    const fresh = rows.value.filter((row) => {
      const key = [row.server, row.atSeconds, row.kind, row.rule, row.client].join('\n');
      if (this.#seen.has(key)) return false;
      this.#seen.set(key, row.atSeconds);
      return true;
    });
    this.#sampler.merge(
      fresh.map(({ report }) => report as SharedReport),
      now,
    );
    for (const [key, atSeconds] of this.#seen) if (atSeconds < now - LOOK_BACK_SECONDS - LATE_SECONDS) this.#seen.delete(key);
  }

  #toRow(report: SharedReport): SamplingReportRow {
    const rule = report.kind === 'boost' ? report.rule : report.counts.rule;
    const client = report.kind === 'client' ? report.counts.client : report.kind === 'anomalies' ? report.counts.service : '';
    return { atSeconds: report.atSeconds, server: this.#server, kind: report.kind, rule, client, report };
  }

  /** Once when it begins. */
  #tell(error: StoreError | undefined): void {
    if (error !== undefined && !this.#failing) this.#warn(error);
    this.#failing = error !== undefined;
  }
}
