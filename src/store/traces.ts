/** Reads whole traces, and the names that occur in them. */
import { ok, type Result } from '../base/index.ts';
import type { SpanRow } from '../record/index.ts';
import type { StoreError } from './client.ts';
import { ids, mapColumn, numbers, texts, times } from './columns.ts';
import type { NativeTable } from './native-reader.ts';
import type { Store } from './store.ts';
import { traceIdList } from './trace-ids.ts';

const COLUMNS = `ts, dur, trace_id, span_id, parent_id, flags, status, name, service, type, peer, peer_type, method, user_agent,
  url, client_ip, user, attrs, resource, shape, rest`;

/** Spans of one trace are read up to this many. */
const MAX_ROWS_PER_TRACE = 200_000;

/**
 * All rows of the given traces (32 hexadecimal digits each), by trace. Traces without rows are absent.
 * A known time range (epoch seconds) of the spans saves looking through the whole store.
 */
export async function readTraceRows(
  store: Store,
  traceIds: readonly string[],
  range?: { readonly fromSeconds: number; readonly toSeconds: number },
): Promise<Result<Map<string, SpanRow[]>, StoreError>> {
  if (traceIds.length === 0) return ok(new Map());
  const list = traceIdList(traceIds);
  const inRange = range ? `AND ts >= fromUnixTimestamp64Milli({from:Int64}) AND ts < fromUnixTimestamp64Milli({to:Int64})` : '';
  const table = await store.client.columns(
    `SELECT ${COLUMNS} FROM ${store.layout.database}.spans WHERE trace_id IN (${list}) ${inRange} LIMIT ${MAX_ROWS_PER_TRACE} BY trace_id`,
    range ? { from: Math.floor(range.fromSeconds * 1000), to: Math.ceil(range.toSeconds * 1000) } : {},
  );
  return table.ok ? ok(groupRows(table.value)) : table;
}

function groupRows(table: NativeTable): Map<string, SpanRow[]> {
  const byTrace = new Map<string, SpanRow[]>();
  for (const row of toSpanRows(table)) {
    const rows = byTrace.get(row.traceId);
    if (rows) rows.push(row);
    else byTrace.set(row.traceId, [row]);
  }
  return byTrace;
}

function toSpanRows(table: NativeTable): SpanRow[] {
  const traceIds = ids(table, 'trace_id');
  const spanIds = ids(table, 'span_id');
  const parentIds = ids(table, 'parent_id');
  const start = times(table, 'ts');
  const column = Object.fromEntries(
    ['name', 'service', 'type', 'peer', 'peer_type', 'method', 'user_agent', 'url', 'client_ip', 'user', 'resource', 'shape', 'rest'].map(
      (name) => [name, texts(table, name)],
    ),
  ) as Record<string, readonly string[]>;
  const durations = numbers(table, 'dur');
  const flags = numbers(table, 'flags');
  const statuses = numbers(table, 'status');
  const attributes = mapColumn(table, 'attrs');
  return Array.from({ length: table.rows }, (_, i) => {
    const parentId = parentIds.toString('hex', i * 8, i * 8 + 8);
    const attributesFrom = i === 0 ? 0 : attributes.ends[i - 1]!;
    return {
      traceId: traceIds.toString('hex', i * 16, i * 16 + 16),
      spanId: spanIds.toString('hex', i * 8, i * 8 + 8),
      parentId: parentId === '0000000000000000' ? '' : parentId,
      startSeconds: start.seconds[i]!,
      startNanos: start.nanos[i]!,
      durationNanos: durations[i]!,
      flags: flags[i]!,
      status: statuses[i]!,
      name: column['name']![i]!,
      service: column['service']![i]!,
      type: column['type']![i]!,
      peer: column['peer']![i]!,
      peerType: column['peer_type']![i]!,
      method: column['method']![i]!,
      userAgent: column['user_agent']![i]!,
      url: column['url']![i]!,
      clientIp: column['client_ip']![i]!,
      user: column['user']![i]!,
      resource: column['resource']![i]!,
      shape: column['shape']![i]!,
      rest: column['rest']![i]!,
      attributeKeys: attributes.keys.slice(attributesFrom, attributes.ends[i]!),
      attributeValues: attributes.values.slice(attributesFrom, attributes.ends[i]!),
    };
  });
}

/** What completion can offer. */
export interface StoredNames {
  readonly nodes: readonly { readonly name: string; readonly type: string }[];
  readonly annotationKeys: readonly string[];
}

const MAX_NAMES = 1_000;

/** Nodes of the map in the range, and annotation keys of a sample of its spans. */
export async function readNames(store: Store, fromSeconds: number, toSeconds: number): Promise<Result<StoredNames, StoreError>> {
  const { database } = store.layout;
  const range = { from: Math.floor(fromSeconds), to: Math.ceil(toSeconds) };
  const nodes = await store.client.rows<{ name: string; type: string }>(
    `SELECT DISTINCT to_name AS name, to_type AS type FROM ${database}.graph_minutes
     WHERE kind = 'node' AND minute >= toDateTime({from:UInt32}, 'UTC') AND minute < toDateTime({to:UInt32}, 'UTC') ORDER BY name LIMIT ${MAX_NAMES}`,
    range,
  );
  if (!nodes.ok) return nodes;
  const keys = await store.client.rows<{ key: string }>(
    `SELECT DISTINCT arrayJoin(mapKeys(attrs)) AS key FROM (SELECT attrs FROM ${database}.spans
       WHERE ts >= toDateTime({from:UInt32}, 'UTC') AND ts < toDateTime({to:UInt32}, 'UTC') LIMIT 200000) ORDER BY key LIMIT ${MAX_NAMES}`,
    range,
  );
  return keys.ok ? ok({ nodes: nodes.value, annotationKeys: keys.value.map((row) => row.key) }) : keys;
}
