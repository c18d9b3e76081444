/** Reads spans as the columns that the service graph is counted from. */
import { ok, type Result } from '../base/index.ts';
import type { GraphRows } from '../trace/index.ts';
import type { StoreError } from './client.ts';
import { ids, numbers, seconds, texts } from './columns.ts';
import type { NativeTable } from './native-reader.ts';
import type { Store } from './store.ts';

const COLUMNS = 'trace_id, span_id, parent_id, ts, dur, flags, service, type, peer, peer_type';

/** Spans of every trace that has one starting in [fromSeconds, toSeconds), with what lies `aroundSeconds` before and after. */
export async function readGraphRows(
  store: Store,
  range: { readonly fromSeconds: number; readonly toSeconds: number; readonly aroundSeconds: number },
  slice: { readonly index: number; readonly of: number } = { index: 0, of: 1 },
): Promise<Result<GraphRows, StoreError>> {
  const spans = `${store.layout.database}.spans`;
  const inSlice = slice.of === 1 ? '' : `AND cityHash64(trace_id) % ${slice.of} = ${slice.index}`;
  const table = await store.client.columns(
    `SELECT ${COLUMNS} FROM ${spans}
     WHERE ts >= fromUnixTimestamp64Milli({start:Int64}) AND ts < fromUnixTimestamp64Milli({end:Int64}) ${inSlice}
       AND trace_id GLOBAL IN (SELECT trace_id FROM ${spans}
         WHERE ts >= fromUnixTimestamp64Milli({from:Int64}) AND ts < fromUnixTimestamp64Milli({to:Int64}) ${inSlice})`,
    {
      start: (range.fromSeconds - range.aroundSeconds) * 1000,
      end: (range.toSeconds + range.aroundSeconds) * 1000,
      from: range.fromSeconds * 1000,
      to: range.toSeconds * 1000,
    },
  );
  return table.ok ? ok(toGraphRows(table.value)) : table;
}

/** Spans of the given traces (32 hexadecimal digits each). */
export async function readGraphRowsOfTraces(store: Store, traceIds: readonly string[]): Promise<Result<GraphRows, StoreError>> {
  if (traceIds.length === 0) return ok(toGraphRows({ rows: 0, columns: new Map() }));
  const table = await store.client.columns(
    `SELECT ${COLUMNS} FROM ${store.layout.database}.spans WHERE trace_id IN (SELECT unhex(arrayJoin({ids:Array(String)})))`,
    { ids: traceIds },
  );
  return table.ok ? ok(toGraphRows(table.value)) : table;
}

/** How many spans start in [fromSeconds, toSeconds). */
export async function countSpans(store: Store, fromSeconds: number, toSeconds: number): Promise<Result<number, StoreError>> {
  const rows = await store.client.rows<{ n: string }>(
    `SELECT count() AS n FROM ${store.layout.database}.spans
     WHERE ts >= fromUnixTimestamp64Milli({from:Int64}) AND ts < fromUnixTimestamp64Milli({to:Int64})`,
    { from: fromSeconds * 1000, to: toSeconds * 1000 },
  );
  return rows.ok ? ok(Number(rows.value[0]?.n ?? 0)) : rows;
}

function toGraphRows(table: NativeTable): GraphRows {
  const count = table.rows;
  return {
    count,
    traceIds: ids(table, 'trace_id'),
    spanIds: ids(table, 'span_id'),
    parentIds: ids(table, 'parent_id'),
    starts: seconds(table, 'ts'),
    durationNanos: numbers(table, 'dur'),
    flags: numbers(table, 'flags'),
    service: texts(table, 'service'),
    type: texts(table, 'type'),
    peer: texts(table, 'peer'),
    peerType: texts(table, 'peer_type'),
  };
}
