/** What `/api/v1` answers about the made-up shop. */
import type {
  ActivityAnswer,
  GraphAnswer,
  GraphEdge,
  GraphNode,
  Outcome,
  SegmentAnswer,
  TraceAnswer,
  TraceListAnswer,
  TraceListItem,
} from '../../src/api/index.ts';
import { largeTrace, largeTraceRows } from './large.ts';
import { compileMockFilter } from './mock-filter.ts';
import { SECONDS_PER_TRACE, shopTrace, shopTraceId, shopTraceNumber, traceNumberAt, type MockSpan, type MockTrace } from './shop.ts';
import { latencyOf, outcomesOf } from './statistics.ts';

type Sample = { outcome: Outcome; seconds: number };

const secondsOf = (span: MockSpan): number => (span.endSeconds ?? span.startSeconds) - span.startSeconds;

export function findTrace(id: string): MockTrace | undefined {
  const xray = /^[0-9a-f]{32}$/i.test(id) ? `1-${id.slice(0, 8)}-${id.slice(8)}` : id;
  const rows = largeTraceRows(xray);
  if (rows !== undefined) return largeTrace(xray, rows);
  const number = shopTraceNumber(xray);
  return Number.isFinite(number) && shopTraceId(number) === xray ? shopTrace(number) : undefined;
}

export function toItem(trace: MockTrace): TraceListItem {
  const root = trace.spans[0]!;
  const request = (root.document['http'] as { request?: Record<string, string> } | undefined)?.request;
  const end = Math.max(...trace.spans.slice(0, 200).map((span) => span.endSeconds ?? span.startSeconds));
  return {
    id: trace.id,
    startSeconds: root.startSeconds,
    durationSeconds: end - root.startSeconds,
    ...(root.endSeconds === undefined ? {} : { responseSeconds: secondsOf(root) }),
    outcome: root.outcome,
    partial: trace.spans.some((span) => span.endSeconds === undefined),
    entry: root.node,
    http: {
      ...(root.url ? { url: root.url } : {}),
      ...(root.method ? { method: root.method } : {}),
      ...(root.status ? { status: root.status } : {}),
      ...(request ? { userAgent: request['user_agent']!, clientIp: request['client_ip']! } : {}),
    },
    users: trace.user ? [trace.user] : [],
    nodes: [...new Set(trace.spans.filter((span) => span.kind === 'segment').map((span) => span.node.name))],
    segments: trace.spans.filter((span) => span.kind === 'segment').length,
    annotations: Object.fromEntries(Object.entries(trace.annotations).map(([key, value]) => [key, [value]])),
  };
}

export function listTraces(from: number, to: number, filter: string, limit: number, cursor: string | undefined): TraceListAnswer {
  const matches = compileMockFilter(filter);
  const first = traceNumberAt(from) + 1;
  let number = cursor === undefined ? traceNumberAt(to) - 1 : Number(cursor);
  const traces: TraceListItem[] = [];
  let scanned = 0;
  while (number >= first && traces.length < limit && scanned < 1500) {
    const trace = shopTrace(number--);
    scanned++;
    if (matches(trace)) traces.push(toItem(trace));
  }
  return {
    traces,
    scanned,
    reachedSeconds: Math.max(from, number * SECONDS_PER_TRACE),
    ...(number >= first ? { cursor: String(number) } : {}),
  };
}

export function graphOf(traces: readonly MockTrace[], from: number, to: number, weight: number): GraphAnswer {
  const nodes = new Map<string, { name: string; type: string; root: boolean; active: boolean; samples: Sample[] }>();
  const edges = new Map<string, { from: string; to: string; samples: Sample[] }>();
  const node = (name: string, type: string, root: boolean, active: boolean) => {
    const key = `${type}|${name}`;
    const found = nodes.get(key) ?? { name, type, root, active, samples: [] };
    nodes.set(key, found);
    return { key, found };
  };
  const edge = (a: string, b: string, sample: Sample): void => {
    const key = `${a}>${b}`;
    const found = edges.get(key) ?? { from: a, to: b, samples: [] };
    found.samples.push(sample);
    edges.set(key, found);
  };
  for (const trace of traces) {
    for (const span of trace.spans) {
      if (span.kind !== 'segment') continue;
      const sample = { outcome: span.outcome, seconds: secondsOf(span) };
      const { key, found } = node(span.node.name, span.node.type, span.parent < 0, !span.inferred);
      found.samples.push(sample);
      const caller = trace.spans[span.parent];
      if (caller) edge(`${caller.node.type}|${caller.node.name}`, key, { outcome: caller.outcome, seconds: secondsOf(caller) });
      else edge(node(span.node.name, 'client', false, false).key, key, sample);
    }
  }
  const keys = [...nodes.keys()];
  return {
    from,
    to,
    nodes: [...nodes.values()].map((item, id): GraphNode => ({
      id,
      name: item.name,
      type: item.type,
      root: item.root,
      active: item.active,
      ...(item.type === 'client' ? {} : statisticsOf(item.samples, weight)),
    })),
    edges: [...edges.values()].map((item): GraphEdge => ({
      from: keys.indexOf(item.from),
      to: keys.indexOf(item.to),
      ...statisticsOf(item.samples, weight),
    })),
  };
}

function statisticsOf(samples: readonly Sample[], weight: number) {
  return {
    outcomes: outcomesOf(samples, weight),
    latency: latencyOf(
      samples.map((sample) => sample.seconds),
      weight,
    ),
  };
}

/** At most 500 traces of the range, spread evenly, and how many real ones each stands for. */
function sampleTraces(from: number, to: number, filter: string): { traces: MockTrace[]; weight: number } {
  const matches = compileMockFilter(filter);
  const first = traceNumberAt(from) + 1;
  const count = Math.max(0, traceNumberAt(to) - first);
  const step = Math.max(1, Math.ceil(count / 500));
  const traces: MockTrace[] = [];
  for (let number = first; number < first + count; number += step) traces.push(shopTrace(number));
  return { traces: traces.filter(matches), weight: step };
}

export function shopGraph(from: number, to: number, filter: string): GraphAnswer {
  const { traces, weight } = sampleTraces(from, to, filter);
  return graphOf(traces, from, to, weight);
}

export function shopActivity(from: number, to: number): ActivityAnswer {
  const step =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800].find((candidate) => (to - from) / candidate <= 90) ?? 21_600;
  const { traces, weight } = sampleTraces(from, to, '');
  const start = Math.floor(from / step) * step;
  const buckets = Array.from({ length: Math.ceil((to - start) / step) }, (): Sample[] => []);
  for (const {
    spans: [root],
  } of traces)
    if (root) buckets[Math.floor((root.startSeconds - start) / step)]?.push({ outcome: root.outcome, seconds: secondsOf(root) });
  return {
    from,
    to,
    stepSeconds: step,
    steps: buckets.map((samples, index) => ({ startSeconds: start + index * step, outcomes: outcomesOf(samples, weight) })),
    latency: latencyOf(
      buckets.flat().map((sample) => sample.seconds),
      weight,
    ),
  };
}

export function traceAnswer(trace: MockTrace): TraceAnswer {
  const summary = toItem(trace);
  const next = trace.spans.some((span) => span.name === 'order-events');
  return {
    id: trace.id,
    startSeconds: summary.startSeconds,
    endSeconds: summary.startSeconds + summary.durationSeconds,
    outcome: summary.outcome,
    partial: summary.partial,
    limitExceeded: false,
    summary,
    rows: trace.spans.map(({ document: _document, ...row }) => row),
    graph: graphOf([trace], summary.startSeconds, summary.startSeconds + summary.durationSeconds, 1),
    links: next ? [{ traceId: shopTraceId(shopTraceNumber(trace.id) - 1), spanId: trace.spans[0]!.id }] : [],
  };
}

export function segmentAnswer(trace: MockTrace, spanId: string): SegmentAnswer | undefined {
  const span = trace.spans.find((candidate) => candidate.id === spanId);
  return span && { id: spanId, traceId: trace.id, document: span.document };
}
