/** The service map's statistics per minute: written whole for a minute, read summed over a range. */
import { ok, type Result } from '../base/index.ts';
import { type GraphEdgeTally, type GraphNodeTally, type GraphTally, Tally } from '../trace/index.ts';
import type { StoreError } from './client.ts';
import type { Store } from './store.ts';

/** A node or edge summed over a range. */
export interface GraphSums {
  readonly nodes: readonly GraphNodeTally[];
  readonly edges: readonly GraphEdgeTally[];
}

interface SumRow {
  readonly kind: 'node' | 'edge';
  readonly from_name: string;
  readonly from_type: string;
  readonly to_name: string;
  readonly to_type: string;
  readonly root: number;
  readonly active: number;
  readonly total: string;
  readonly errors: string;
  readonly throttles: string;
  readonly faults: string;
  readonly nanos: string;
  readonly first: number;
  readonly last: number;
  /** Buckets and their counts. */
  readonly histogram: readonly [readonly number[], readonly string[]];
}

const KEY = 'kind, from_name, from_type, to_name, to_type';
const SUMS = `max(root) AS root, max(active) AS active, sum(total) AS total, sum(errors) AS errors, sum(throttles) AS throttles,
  sum(faults) AS faults, sum(nanos) AS nanos, toUnixTimestamp64Micro(min(first)) / 1e6 AS first, toUnixTimestamp64Micro(max(last)) / 1e6 AS last,
  sumMap(buckets, counts) AS histogram`;

/** `total` in a condition means the column, not the sum of the same name. */
const COLUMNS_FIRST = 'SETTINGS prefer_column_name_to_alias = 1';

/** Replaces what is stored for a minute (epoch seconds, a multiple of 60). `version` must grow from call to call. */
export async function writeGraphMinute(
  store: Store,
  minuteSeconds: number,
  version: number,
  graph: GraphTally,
): Promise<Result<undefined, StoreError>> {
  const rows = [...graph.nodes.values()].map((node) => nodeRow(minuteSeconds, version, node));
  for (const edge of graph.edges.values()) rows.push(edgeRow(minuteSeconds, version, edge));
  const stored = await store.client.rows<Record<string, unknown>>(
    `SELECT ${KEY} FROM ${store.layout.database}.graph_minutes FINAL WHERE minute = toDateTime({minute:UInt32}, 'UTC') AND total > 0`,
    { minute: minuteSeconds },
  );
  if (!stored.ok) return stored;
  const present = new Set(rows.map(keyOf));
  for (const old of stored.value) {
    if (!present.has(keyOf(old))) rows.push({ ...old, minute: minuteSeconds, version, total: 0 });
  }
  return rows.length === 0 ? ok(undefined) : store.client.insertRows(`${store.layout.database}.graph_minutes`, rows);
}

function keyOf(row: Record<string, unknown>): string {
  return [row['kind'], row['from_name'], row['from_type'], row['to_name'], row['to_type']].join('\n');
}

function nodeRow(minute: number, version: number, node: GraphNodeTally): Record<string, unknown> {
  return {
    ...tallyColumns(minute, version, node.tally),
    kind: 'node',
    from_name: '',
    from_type: '',
    to_name: node.name,
    to_type: node.type,
    root: node.root ? 1 : 0,
    active: node.active ? 1 : 0,
  };
}

function edgeRow(minute: number, version: number, edge: GraphEdgeTally): Record<string, unknown> {
  return {
    ...tallyColumns(minute, version, edge.tally),
    kind: 'edge',
    from_name: edge.from.name,
    from_type: edge.from.type,
    to_name: edge.to.name,
    to_type: edge.to.type,
    root: 0,
    active: 0,
  };
}

function tallyColumns(minute: number, version: number, tally: Tally): Record<string, unknown> {
  const sorted = [...tally.histogram.counts].sort(([a], [b]) => a - b);
  return {
    minute,
    version,
    total: tally.total,
    errors: tally.errors,
    throttles: tally.throttles,
    faults: tally.faults,
    nanos: Math.round(tally.nanos),
    first: tally.total === 0 ? 0 : tally.firstSeconds.toFixed(6),
    last: tally.total === 0 ? 0 : tally.lastSeconds.toFixed(6),
    buckets: sorted.map(([bucket]) => bucket),
    counts: sorted.map(([, count]) => count),
  };
}

/** Sums the minutes that overlap [fromSeconds, toSeconds). Client nodes come from their edges. */
export async function readGraph(store: Store, fromSeconds: number, toSeconds: number): Promise<Result<GraphSums, StoreError>> {
  const rows = await store.client.rows<SumRow>(
    `SELECT ${KEY}, ${SUMS} FROM ${store.layout.database}.graph_minutes FINAL
     WHERE ${inRange} AND total > 0 GROUP BY ${KEY} ${COLUMNS_FIRST}`,
    rangeParams(fromSeconds, toSeconds),
  );
  if (!rows.ok) return rows;
  const nodes: GraphNodeTally[] = [];
  const edges: GraphEdgeTally[] = [];
  for (const row of rows.value) {
    const to = { name: row.to_name, type: row.to_type };
    if (row.kind === 'edge') edges.push({ from: { name: row.from_name, type: row.from_type }, to, tally: toTally(row) });
    else nodes.push({ ...to, root: row.root === 1, active: row.active === 1, tally: toTally(row) });
  }
  return ok({ nodes, edges });
}

/** A node by name, type, or both. */
export interface NodePattern {
  readonly name?: string;
  readonly type?: string;
}

/** Sums per period; periods without requests are absent. */
export async function readSeries(
  store: Store,
  range: { readonly fromSeconds: number; readonly toSeconds: number; readonly periodSeconds: number },
  selection: { readonly kind: 'node' | 'edge'; readonly from?: NodePattern; readonly to?: NodePattern },
): Promise<Result<{ readonly startSeconds: number; readonly tally: Tally }[], StoreError>> {
  const conditions = [`kind = '${selection.kind}'`, ...patternConditions('from', selection.from), ...patternConditions('to', selection.to)];
  const rows = await store.client.rows<SumRow & { period: number }>(
    `SELECT toUnixTimestamp(minute) - toUnixTimestamp(minute) % {period:UInt32} AS period, ${SUMS}
     FROM ${store.layout.database}.graph_minutes FINAL WHERE ${inRange} AND total > 0 AND ${conditions.join(' AND ')}
     GROUP BY period ORDER BY period ${COLUMNS_FIRST}`,
    {
      ...rangeParams(range.fromSeconds, range.toSeconds),
      period: range.periodSeconds,
      fromName: selection.from?.name ?? '',
      fromType: selection.from?.type ?? '',
      toName: selection.to?.name ?? '',
      toType: selection.to?.type ?? '',
    },
  );
  if (!rows.ok) return rows;
  return ok(rows.value.map((row) => ({ startSeconds: row.period, tally: toTally(row) })));
}

function patternConditions(side: 'from' | 'to', pattern: NodePattern | undefined): string[] {
  const conditions: string[] = [];
  if (pattern?.name !== undefined) conditions.push(`${side}_name = {${side}Name:String}`);
  if (pattern?.type !== undefined) conditions.push(`${side}_type = {${side}Type:String}`);
  return conditions;
}

const inRange = `minute >= toDateTime({from:UInt32}, 'UTC') AND minute < toDateTime({to:UInt32}, 'UTC')`;

function rangeParams(fromSeconds: number, toSeconds: number): { from: number; to: number } {
  return { from: Math.floor(fromSeconds / 60) * 60, to: Math.ceil(toSeconds / 60) * 60 };
}

function toTally(row: SumRow): Tally {
  const tally = new Tally();
  tally.total = Number(row.total);
  tally.errors = Number(row.errors);
  tally.throttles = Number(row.throttles);
  tally.faults = Number(row.faults);
  tally.nanos = Number(row.nanos);
  tally.firstSeconds = row.first;
  tally.lastSeconds = row.last;
  const [buckets, counts] = row.histogram;
  buckets.forEach((bucket, index) => tally.histogram.addCount(bucket, Number(counts[index])));
  return tally;
}
