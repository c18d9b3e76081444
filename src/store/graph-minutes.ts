/** The service map's statistics per minute: written whole for a minute, read summed over a range. */
import { ok, type Result } from '../base/index.ts';
import { type GraphEdgeTally, type GraphNodeTally, type GraphTally, Tally } from '../trace/index.ts';
import type { StoreError } from './client.ts';
import { numberLists, numbers, texts } from './columns.ts';
import type { NativeTable } from './native-reader.ts';
import type { Store } from './store.ts';

/** A node or edge summed over a range. */
export interface GraphSums {
  readonly nodes: readonly GraphNodeTally[];
  readonly edges: readonly GraphEdgeTally[];
}

const KEY = 'kind, from_name, from_type, to_name, to_type';

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
  const filled = tally.histogram.filled();
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
    buckets: filled.map(([bucket]) => bucket),
    counts: filled.map(([, count]) => count),
  };
}

/** Sums the minutes that overlap [fromSeconds, toSeconds). Client nodes come from their edges. */
export async function readGraph(store: Store, fromSeconds: number, toSeconds: number): Promise<Result<GraphSums, StoreError>> {
  const table = await store.client.columns(
    `SELECT ${KEY}, root, active, ${TALLY} FROM ${store.layout.database}.graph_minutes FINAL WHERE ${inRange} AND total > 0`,
    rangeParams(fromSeconds, toSeconds),
  );
  if (!table.ok) return table;
  const [kind, fromName, fromType, toName, toType] = KEY.split(', ').map((name) => texts(table.value, name)) as [
    Texts,
    Texts,
    Texts,
    Texts,
    Texts,
  ];
  const [root, active] = [numbers(table.value, 'root'), numbers(table.value, 'active')];
  const nodes = new Map<string, GraphNodeTally>();
  const edges = new Map<string, GraphEdgeTally>();
  const adder = new TallyAdder(table.value);
  for (let row = 0; row < table.value.rows; row++) {
    const to = { name: toName[row]!, type: toType[row]! };
    if (kind[row] === 'edge') {
      const key = `${fromType[row]}\n${fromName[row]}\n${to.type}\n${to.name}`;
      const edge = edges.get(key) ?? { from: { name: fromName[row]!, type: fromType[row]! }, to, tally: new Tally() };
      edges.set(key, edge);
      adder.add(row, edge.tally);
      continue;
    }
    const key = `${to.type}\n${to.name}`;
    const node = nodes.get(key) ?? { ...to, root: false, active: false, tally: new Tally() };
    nodes.set(key, node);
    node.root ||= root[row] === 1;
    node.active ||= active[row] === 1;
    adder.add(row, node.tally);
  }
  return ok({ nodes: [...nodes.values()], edges: [...edges.values()] });
}

type Texts = readonly string[];

/** What a `Tally` is made of. Histograms are added up here: the database's own sums of arrays are 20 × slower. */
const TALLY = `total, errors, throttles, faults, nanos, toUnixTimestamp64Micro(first) / 1e6 AS first_seconds,
  toUnixTimestamp64Micro(last) / 1e6 AS last_seconds, buckets, counts`;

/** Adds stored minutes to tallies. */
class TallyAdder {
  readonly #numbers: Readonly<
    Record<'total' | 'errors' | 'throttles' | 'faults' | 'nanos' | 'first_seconds' | 'last_seconds', Float64Array>
  >;
  readonly #buckets: { ends: Float64Array; values: Float64Array };
  readonly #counts: { ends: Float64Array; values: Float64Array };

  constructor(table: NativeTable) {
    const names = ['total', 'errors', 'throttles', 'faults', 'nanos', 'first_seconds', 'last_seconds'] as const;
    this.#numbers = Object.fromEntries(names.map((name) => [name, numbers(table, name)])) as Record<(typeof names)[number], Float64Array>;
    this.#buckets = numberLists(table, 'buckets');
    this.#counts = numberLists(table, 'counts');
  }

  /** hot: once per node and edge of each stored minute in the range. */
  add(row: number, tally: Tally): void {
    const stored = this.#numbers;
    tally.total += stored.total[row]!;
    tally.errors += stored.errors[row]!;
    tally.throttles += stored.throttles[row]!;
    tally.faults += stored.faults[row]!;
    tally.nanos += stored.nanos[row]!;
    tally.firstSeconds = Math.min(tally.firstSeconds, stored.first_seconds[row]!);
    tally.lastSeconds = Math.max(tally.lastSeconds, stored.last_seconds[row]!);
    const end = this.#buckets.ends[row]!;
    for (let i = row === 0 ? 0 : this.#buckets.ends[row - 1]!; i < end; i++) {
      tally.histogram.addCount(this.#buckets.values[i]!, this.#counts.values[i]!);
    }
  }
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
  const table = await store.client.columns(
    `SELECT toUnixTimestamp(minute) AS start, ${TALLY}
     FROM ${store.layout.database}.graph_minutes FINAL WHERE ${inRange} AND total > 0 AND ${conditions.join(' AND ')}`,
    {
      ...rangeParams(range.fromSeconds, range.toSeconds),
      fromName: selection.from?.name ?? '',
      fromType: selection.from?.type ?? '',
      toName: selection.to?.name ?? '',
      toType: selection.to?.type ?? '',
    },
  );
  if (!table.ok) return table;
  const periods = new Map<number, Tally>();
  const adder = new TallyAdder(table.value);
  for (const [row, start] of numbers(table.value, 'start').entries()) {
    const period = start - (start % range.periodSeconds);
    const tally = periods.get(period) ?? new Tally();
    periods.set(period, tally);
    adder.add(row, tally);
  }
  return ok([...periods].map(([startSeconds, tally]) => ({ startSeconds, tally })).sort((a, b) => a.startSeconds - b.startSeconds));
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
