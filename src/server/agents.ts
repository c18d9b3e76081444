/** What daemons and collectors said of themselves lately (`PutTelemetryRecords`), by sender. */
import type { TelemetryRecord } from '../xray/index.ts';

/** A sender's counts since this server started; times are epoch seconds. */
export interface Agent {
  readonly name: string;
  readonly lastSeconds: number;
  readonly received: number;
  readonly sent: number;
  readonly spilled: number;
  readonly rejected: number;
  /** Failures to reach a back end, by reason. */
  readonly backendErrors: TelemetryRecord['backendErrors'];
}

/** Bounds memory against ever new names; who was silent longest goes. */
const MAX_AGENTS = 1_000;

export class Agents {
  /** In the order in which they were last heard of. */
  readonly #agents = new Map<string, Agent>();

  add(records: readonly TelemetryRecord[]): void {
    for (const record of records) this.#addOne(record);
  }

  /** Who was heard of last comes first. */
  list(): readonly Agent[] {
    return [...this.#agents.values()].toReversed();
  }

  #addOne(record: TelemetryRecord): void {
    const name = record.hostname ?? record.instanceId ?? record.resourceArn ?? 'unknown';
    const known = this.#agents.get(name);
    const errors = Object.entries(record.backendErrors) as [keyof TelemetryRecord['backendErrors'], number][];
    this.#agents.delete(name);
    this.#agents.set(name, {
      name,
      lastSeconds: Math.max(record.seconds, known?.lastSeconds ?? 0),
      received: record.received + (known?.received ?? 0),
      sent: record.sent + (known?.sent ?? 0),
      spilled: record.spilled + (known?.spilled ?? 0),
      rejected: record.rejected + (known?.rejected ?? 0),
      backendErrors: Object.fromEntries(
        errors.map(([reason, count]) => [reason, count + (known?.backendErrors[reason] ?? 0)]),
      ) as unknown as Agent['backendErrors'],
    });
    const [oldest] = this.#agents.keys();
    if (this.#agents.size > MAX_AGENTS && oldest !== undefined) this.#agents.delete(oldest);
  }
}
