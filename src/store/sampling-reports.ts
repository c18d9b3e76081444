/** What sampling clients report, passed from server to server through the store. Rows go after an hour. */
import { ok, type Result } from '../base/index.ts';
import type { StoreError } from './client.ts';
import type { Store } from './store.ts';

/** One report; what it says is JSON of room `sampling`, which alone knows its shape. */
export interface SamplingReportRow {
  /** Epoch seconds, by the clock of the server that took it. */
  readonly atSeconds: number;
  /** Which server took it: a random name for each run. */
  readonly server: string;
  readonly kind: string;
  readonly rule: string;
  readonly client: string;
  readonly report: unknown;
}

export async function writeSamplingReports(store: Store, rows: readonly SamplingReportRow[]): Promise<Result<undefined, StoreError>> {
  return store.client.insertRows(
    `${store.layout.database}.sampling_reports`,
    rows.map(({ atSeconds, server, kind, rule, client, report }) => ({
      at: atSeconds.toFixed(3),
      server,
      kind,
      rule,
      client,
      report: JSON.stringify(report),
    })),
  );
}

/** Reports taken since `fromSeconds` (inclusive) by servers other than `except`, oldest first. */
export async function readSamplingReports(
  store: Store,
  fromSeconds: number,
  except: string,
): Promise<Result<SamplingReportRow[], StoreError>> {
  const rows = await store.client.rows<Omit<SamplingReportRow, 'atSeconds' | 'report'> & { at_ms: string; report: string }>(
    `SELECT toUnixTimestamp64Milli(at) AS at_ms, server, kind, rule, client, report FROM ${store.layout.database}.sampling_reports
     WHERE at >= fromUnixTimestamp64Milli({from:Int64}) AND server != {except:String} ORDER BY at`,
    { from: Math.floor(fromSeconds * 1000), except },
  );
  if (!rows.ok) return rows;
  return ok(
    rows.value.map(({ at_ms, report, ...row }) => ({ ...row, atSeconds: Number(at_ms) / 1000, report: JSON.parse(report) as unknown })),
  );
}
