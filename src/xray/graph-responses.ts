/** The service graph and time series in the model's shapes. */
import { CLIENT_TYPE, type GraphEdgeTally, type GraphNodeTally, Tally } from '../trace/index.ts';
import type { EntitySelection } from './entity-selector.ts';
import { roundMicros, roundMillis } from './numbers.ts';
import type { TimeRange } from './requests.ts';
import type { Wire } from './responses.ts';

/** What was counted, by node and by edge, in any order. Client nodes are known from their edges. */
export interface GraphCounts {
  readonly nodes: readonly GraphNodeTally[];
  readonly edges: readonly GraphEdgeTally[];
}

interface Node {
  readonly name: string;
  readonly type: string;
  root: boolean;
  active: boolean;
  tally: Tally;
  readonly edges: GraphEdgeTally[];
}

/** Entries of a histogram at most. */
const MAX_ENTRIES = 100;

/**
 * All nodes as `Service`s, in the order of type and name; `ReferenceId` is the place in this list. `range` stands for the times of
 * nodes of which no request has ended yet; without it they have none.
 */
export function toWireServices(graph: GraphCounts, range?: TimeRange): readonly Wire[] {
  const nodes = collectNodes(graph);
  const sorted = [...nodes].sort(([a], [b]) => (a < b ? -1 : 1));
  const references = new Map(sorted.map(([key], index) => [key, index]));
  return sorted.map(([, node], index) => toService(node, index, references, range));
}

function collectNodes({ nodes, edges }: GraphCounts): Map<string, Node> {
  const found = new Map<string, Node>();
  for (const { name, type, root, active, tally } of nodes) Object.assign(nodeOf(found, name, type), { root, active, tally });
  for (const edge of edges) {
    const from = nodeOf(found, edge.from.name, edge.from.type);
    // Whoever tells of its calls reports for itself, even when none of its own segments has ended yet.
    from.active ||= edge.from.type !== CLIENT_TYPE;
    from.edges.push(edge);
    nodeOf(found, edge.to.name, edge.to.type);
  }
  return found;
}

function nodeOf(nodes: Map<string, Node>, name: string, type: string): Node {
  const key = keyOf({ name, type });
  let node = nodes.get(key);
  if (node === undefined) {
    node = { name, type, root: false, active: false, tally: new Tally(), edges: [] };
    nodes.set(key, node);
  }
  return node;
}

function keyOf({ name, type }: { readonly name: string; readonly type: string }): string {
  return `${type}\n${name}`;
}

function toService(node: Node, referenceId: number, references: ReadonlyMap<string, number>, range: TimeRange | undefined): Wire {
  const client = node.type === CLIENT_TYPE;
  const tally = client ? sumOf(node.edges) : node.tally;
  const histogram = toWireHistogram(tally);
  return {
    ReferenceId: referenceId,
    Name: node.name,
    Names: [node.name],
    ...(node.root && { Root: true }),
    Type: node.type,
    State: node.active && !client ? 'active' : 'unknown',
    ...toWireTimes(tally, range),
    Edges: node.edges.map((edge) => toEdge(edge, references, range)),
    ...(!client && { SummaryStatistics: toWireStatistics(tally), DurationHistogram: histogram, ResponseTimeHistogram: histogram }),
  };
}

function sumOf(edges: readonly GraphEdgeTally[]): Tally {
  const sum = new Tally();
  for (const { tally } of edges) sum.merge(tally);
  return sum;
}

function toWireTimes(tally: Tally, range: TimeRange | undefined): Wire {
  if (tally.total > 0) return { StartTime: roundMicros(tally.firstSeconds), EndTime: roundMicros(tally.lastSeconds) };
  return range === undefined ? {} : { StartTime: range.fromSeconds, EndTime: range.toSeconds };
}

function toEdge({ to, tally }: GraphEdgeTally, references: ReadonlyMap<string, number>, range: TimeRange | undefined): Wire {
  return {
    ReferenceId: references.get(keyOf(to)),
    ...toWireTimes(tally, range),
    SummaryStatistics: toWireStatistics(tally),
    ResponseTimeHistogram: toWireHistogram(tally),
    Aliases: [],
  };
}

/** `ServiceStatistics` and `EdgeStatistics` are the same: `TotalCount` is the sum of ok, errors and faults; throttles are errors. */
export function toWireStatistics(tally: Tally): Wire {
  const { total, errors, throttles, faults } = tally;
  return {
    OkCount: total - errors - faults,
    ErrorStatistics: { ThrottleCount: throttles, OtherCount: errors - throttles, TotalCount: errors },
    FaultStatistics: { OtherCount: faults, TotalCount: faults },
    TotalCount: total,
    TotalResponseTime: roundMicros(tally.nanos / 1e9),
  };
}

/** At most 100 entries with whole milliseconds, ascending. */
export function toWireHistogram(tally: Tally): readonly Wire[] {
  const counts = new Map<number, number>();
  for (const { value, count } of tally.histogram.entries(MAX_ENTRIES)) {
    const rounded = roundMillis(value);
    counts.set(rounded, (counts.get(rounded) ?? 0) + count);
  }
  return [...counts].map(([value, count]) => ({ Value: value, Count: count }));
}

/** A period of a time series; no tally when nothing happened in it. */
export interface SeriesPeriod {
  readonly startSeconds: number;
  readonly tally: Tally | undefined;
}

/** `TimeSeriesServiceStatistics`. */
export function toWirePeriod(kind: EntitySelection['kind'], { startSeconds, tally = new Tally() }: SeriesPeriod): Wire {
  const member = kind === 'edge' ? 'EdgeSummaryStatistics' : 'ServiceSummaryStatistics';
  return { Timestamp: startSeconds, [member]: toWireStatistics(tally), ResponseTimeHistogram: toWireHistogram(tally) };
}

/** Above so many periods the empty ones are left out: a year of minutes is no chart. */
const MAX_FILLED_PERIODS = 3_000;

/** The periods of the range in time order, empty ones included while there are not too many. `found`: those with requests. */
export function fillPeriods(
  found: readonly { readonly startSeconds: number; readonly tally: Tally }[],
  { fromSeconds, toSeconds, periodSeconds }: { readonly fromSeconds: number; readonly toSeconds: number; readonly periodSeconds: number },
): readonly SeriesPeriod[] {
  const first = Math.floor(fromSeconds / periodSeconds);
  const count = Math.ceil(toSeconds / periodSeconds) - first;
  if (count > MAX_FILLED_PERIODS) return found;
  const tallies = new Map(found.map((period) => [period.startSeconds, period.tally]));
  return Array.from({ length: count }, (_, index) => {
    const startSeconds = (first + index) * periodSeconds;
    return { startSeconds, tally: tallies.get(startSeconds) };
  });
}
