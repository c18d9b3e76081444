/** From the trace room's findings to the answers of `/api/v1`. Pure. */
import type { ActivityAnswer, GraphAnswer, GraphEdge, GraphNode, Latency, Outcomes, TraceListItem } from '../api/index.ts';
import type { GraphSums } from '../store/index.ts';
import { CLIENT_TYPE, Tally, toXRayTraceId, type TraceSummary } from '../trace/index.ts';

/** Requests of a tally by outcome. */
export function toOutcomes(tally: Tally): Outcomes {
  return {
    ok: tally.total - tally.errors - tally.faults,
    error: tally.errors,
    throttle: tally.throttles,
    fault: tally.faults,
    total: tally.total,
    totalSeconds: tally.nanos / 1e9,
  };
}

export function toLatency(tally: Tally): Latency {
  const { histogram } = tally;
  return {
    p50: histogram.quantile(0.5),
    p90: histogram.quantile(0.9),
    p99: histogram.quantile(0.99),
    histogram: histogram.entries(100),
  };
}

/** Nodes by name, clients first; edges refer to them by index. */
export function toGraphAnswer(sums: GraphSums, from: number, to: number): GraphAnswer {
  const nodes: GraphNode[] = [];
  const idOf = new Map<string, number>();
  const add = (name: string, type: string, node?: GraphSums['nodes'][number]): void => {
    const key = `${type}\n${name}`;
    if (idOf.has(key)) return;
    idOf.set(key, nodes.length);
    const counted = node && type !== CLIENT_TYPE ? { outcomes: toOutcomes(node.tally), latency: toLatency(node.tally) } : {};
    nodes.push({ id: nodes.length, name, type, root: node?.root ?? false, active: node?.active ?? false, ...counted });
  };
  for (const edge of sums.edges) if (edge.from.type === CLIENT_TYPE) add(edge.from.name, edge.from.type);
  for (const node of [...sums.nodes].sort(byName)) add(node.name, node.type, node);
  for (const edge of sums.edges) {
    add(edge.from.name, edge.from.type); // a caller whose own segment has not come
    add(edge.to.name, edge.to.type);
  }
  const edges = sums.edges.map((edge): GraphEdge => ({
    from: idOf.get(`${edge.from.type}\n${edge.from.name}`)!,
    to: idOf.get(`${edge.to.type}\n${edge.to.name}`)!,
    outcomes: toOutcomes(edge.tally),
    latency: toLatency(edge.tally),
  }));
  return { from, to, nodes, edges };
}

function byName(a: { name: string; type: string }, b: { name: string; type: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : a.type < b.type ? -1 : 1;
}

export function toListItem(summary: TraceSummary): TraceListItem {
  return {
    id: toXRayTraceId(summary.id),
    startSeconds: summary.startSeconds,
    durationSeconds: summary.durationSeconds,
    ...(summary.responseSeconds === undefined ? {} : { responseSeconds: summary.responseSeconds }),
    outcome: summary.outcome,
    partial: summary.partial,
    ...(summary.entry ? { entry: { name: summary.entry.name, type: summary.entry.type } } : {}),
    http: summary.http,
    users: summary.users.map((user) => user.name),
    nodes: summary.nodes.map((node) => node.name),
    segments: summary.segmentCount,
    annotations: Object.fromEntries(summary.annotations.map(({ key, values }) => [key, values.map(({ value }) => value)])),
  };
}

/** A step for each stretch of the range, empty ones too. */
export function toActivity(
  series: readonly { readonly startSeconds: number; readonly tally: Tally }[],
  from: number,
  to: number,
  stepSeconds: number,
): ActivityAnswer {
  const all = new Tally();
  const byStart = new Map(series.map((step) => [step.startSeconds, step.tally]));
  for (const step of series) all.merge(step.tally);
  const steps: { startSeconds: number; outcomes: Outcomes }[] = [];
  const none = new Tally();
  for (let start = Math.floor(from / stepSeconds) * stepSeconds; start < to; start += stepSeconds) {
    steps.push({ startSeconds: start, outcomes: toOutcomes(byStart.get(start) ?? none) });
  }
  return { from, to, stepSeconds, steps, latency: toLatency(all) };
}
