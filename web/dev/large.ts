/** Stress data: a map of 500 nodes and a trace of 10,000 rows. */
import type { GraphAnswer, GraphEdge, GraphNode, Outcome } from '../../src/api/index.ts';
import { createRandom } from './random.ts';
import type { MockSpan, MockTrace } from './shop.ts';
import { latencyOf, outcomesOf } from './statistics.ts';

const LARGE_SUFFIX = '00000000000000000001';

/** The id of a trace of `rows` rows (at most 9,999 × 10) that begins at `seconds`. */
export function largeTraceId(seconds: number, rows: number): string {
  return `1-${Math.floor(seconds).toString(16)}-${LARGE_SUFFIX}${Math.floor(rows / 10)
    .toString()
    .padStart(4, '0')}`;
}

export function largeTraceRows(id: string): number | undefined {
  return id.slice(11, 31) === LARGE_SUFFIX ? Number(id.slice(31)) * 10 : undefined;
}

export function largeTrace(id: string, rows: number): MockTrace {
  const random = createRandom(rows);
  const start = Number.parseInt(id.slice(2, 10), 16);
  const spans: MockSpan[] = [];
  const grow = (parent: number, depth: number, from: number, to: number, budget: number): void => {
    const index = spans.length;
    const service = `service-${String(random.int(1, 24)).padStart(2, '0')}`;
    const segment = depth % 2 === 0;
    const outcome: Outcome = random.chance(0.004) ? 'fault' : random.chance(0.004) ? 'error' : random.chance(0.002) ? 'throttle' : 'ok';
    const row = {
      id: index.toString(16).padStart(16, '0'),
      parent,
      depth,
      kind: segment ? 'segment' : 'subsegment',
      name: segment ? service : random.pick(['## handler', 'render', 'redis GET', 'orders@db', 'fetch page', 'json decode']),
      node: { name: segment || parent < 0 ? service : spans[parent]!.node.name, type: 'AWS::ECS::Container' },
      startSeconds: from,
      ...(random.chance(0.002) && depth > 1 ? {} : { endSeconds: to }),
      outcome,
      inferred: segment && random.chance(0.1),
      orphan: depth > 0 && random.chance(0.002),
      placeholder: false,
    } as const;
    spans.push({ ...row, document: { id: row.id, name: row.name, start_time: from, end_time: to, annotations: { index } } });
    let left = budget - 1;
    let now = from + (to - from) * 0.02;
    while (left > 0) {
      const share = depth > 12 ? 1 : Math.min(left, Math.max(1, Math.floor(left * random.between(0.05, 0.5))));
      const last = left - share <= 0;
      const end = last ? to - (to - from) * 0.02 : Math.min(to, now + (to - now) * Math.max(share / left, 0.02));
      grow(index, depth + 1, now, Math.max(end, now), share);
      now = Math.max(now, end - (random.chance(0.3) ? (end - now) * 0.6 : 0));
      left -= share;
    }
  };
  grow(-1, 0, start, start + 12.4, rows);
  return { id, spans, user: 'alice', annotations: { batch: 'nightly' } };
}

/** A layered graph with a few hubs, like a grown micro-service house. `wobble` changes figures but not the shape. */
export function largeGraph(from: number, to: number, count: number, wobble: number): GraphAnswer {
  const shape = createRandom(count);
  const figures = createRandom(wobble);
  const types = ['AWS::ECS::Container', 'AWS::Lambda::Function', 'AWS::EKS::Container', 'unknown'];
  const leaves = ['AWS::DynamoDB::Table', 'Database::SQL', 'AWS::SQS::Queue', 'remote', 'AWS::S3::Bucket'];
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  const layers: number[][] = [[], [], [], [], [], []];
  for (let index = 0; index < count; index++) {
    const layer = index < 12 ? 0 : index < 24 ? 1 : 2 + Math.min(3, Math.floor(((index - 24) / count) * 4.2));
    layers[layer]!.push(index);
    const type = layer === 0 ? 'client' : layer === 5 ? shape.pick(leaves) : shape.pick(types);
    const name = layer === 0 ? `edge-${index + 12}` : `${layer === 5 ? 'store' : layer === 1 ? 'edge' : 'service'}-${index}`;
    const sample = sampleOf(figures, 40);
    nodes.push({
      id: index,
      name,
      type,
      root: layer === 1,
      active: layer < 5 && layer > 0,
      ...(layer === 0 ? {} : { outcomes: outcomesOf(sample), latency: latencyOf(sample.map((item) => item.seconds)) }),
    });
  }
  const link = (a: number, b: number): void => {
    const sample = sampleOf(figures, 30);
    edges.push({ from: a, to: b, outcomes: outcomesOf(sample), latency: latencyOf(sample.map((item) => item.seconds)) });
  };
  for (let index = 0; index < 12; index++) link(index, index + 12);
  for (let layer = 2; layer < 6; layer++) {
    for (const node of layers[layer]!) {
      link(shape.pick(layers[layer - 1]!), node);
      if (shape.chance(0.35)) link(shape.pick(layers[Math.max(1, layer - shape.int(1, 2))]!), node);
    }
  }
  return { from, to, nodes, edges };
}

function sampleOf(random: ReturnType<typeof createRandom>, count: number): { outcome: Outcome; seconds: number }[] {
  const bad = random.chance(0.06) ? 0.2 : 0.002;
  const median = random.skewed(0.03, 1);
  return Array.from({ length: random.int(3, count) }, () => ({
    outcome: random.chance(bad) ? random.pick<Outcome>(['error', 'fault', 'throttle']) : 'ok',
    seconds: random.skewed(median, 0.8),
  }));
}
