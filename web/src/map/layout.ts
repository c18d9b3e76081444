/** Places nodes by layers from left to right (dagre). Pure and slow for large graphs: runs in a worker. */
import { graphlib, layout } from '@dagrejs/dagre';

export const NODE_WIDTH = 224;
export const NODE_HEIGHT = 68;
export const CLIENT_WIDTH = 132;
export const CLIENT_HEIGHT = 44;

export interface LayoutRequest {
  readonly topology: string;
  readonly nodes: readonly { readonly key: string; readonly client: boolean }[];
  readonly edges: readonly { readonly key: string; readonly from: string; readonly to: string }[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface MapLayout {
  readonly topology: string;
  /** Upper left corners. */
  readonly nodes: Readonly<Record<string, Point>>;
  /** Bends from the caller's side to the callee's. */
  readonly edges: Readonly<Record<string, readonly Point[]>>;
  readonly milliseconds: number;
}

export function layOut(request: LayoutRequest): MapLayout {
  const started = performance.now();
  const large = request.nodes.length > 120 || request.edges.length > 240;
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({
    rankdir: 'LR',
    nodesep: large ? 22 : 34,
    edgesep: 14,
    ranksep: large ? 150 : 138,
    ranker: large ? 'longest-path' : 'network-simplex',
    marginx: 20,
    marginy: 20,
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of request.nodes)
    graph.setNode(node.key, node.client ? { width: CLIENT_WIDTH, height: CLIENT_HEIGHT } : { width: NODE_WIDTH, height: NODE_HEIGHT });
  for (const edge of request.edges) if (edge.from !== edge.to) graph.setEdge(edge.from, edge.to, {}, edge.key);
  layout(graph);
  const nodes: Record<string, Point> = {};
  for (const key of graph.nodes()) {
    const { x, y, width, height } = graph.node(key) as { x: number; y: number; width: number; height: number };
    nodes[key] = { x: x - width / 2, y: y - height / 2 };
  }
  const size = graph.graph() as { width?: number; height?: number };
  if (large && (size.height ?? 0) > 2 * (size.width ?? 1))
    return { topology: request.topology, nodes: compact(nodes), edges: {}, milliseconds: performance.now() - started };
  const edges: Record<string, readonly Point[]> = {};
  for (const id of graph.edges()) edges[id.name!] = (graph.edge(id) as { points: Point[] }).points;
  return { topology: request.topology, nodes, edges, milliseconds: performance.now() - started };
}

/**
 * Layers of very many nodes would make a map hundreds of screens high: spreads each layer over as many columns as give the whole
 * about the shape of a screen. Neighbours stay neighbours, because a layer's order runs across its columns.
 */
function compact(nodes: Record<string, Point>): Record<string, Point> {
  const layers = new Map<number, { key: string; y: number }[]>();
  for (const [key, point] of Object.entries(nodes)) {
    const column = Math.round(point.x / 40);
    const layer = layers.get(column) ?? [];
    layer.push({ key, y: point.y });
    layers.set(column, layer);
  }
  const rows = Math.ceil(Math.sqrt((Object.keys(nodes).length * NODE_WIDTH) / NODE_HEIGHT / 1.7));
  const placed: Record<string, Point> = {};
  let x = 20;
  for (const [, layer] of [...layers].toSorted((a, b) => a[0] - b[0])) {
    layer.sort((a, b) => a.y - b.y);
    const columns = Math.ceil(layer.length / rows);
    const height = Math.ceil(layer.length / columns);
    layer.forEach(({ key }, index) => {
      const column = index % columns;
      const row = Math.floor(index / columns) + (column % 2) * 0.5;
      placed[key] = { x: x + column * (NODE_WIDTH + 34), y: (row + (rows - height) / 2) * (NODE_HEIGHT + 26) };
    });
    x += columns * (NODE_WIDTH + 34) + 120;
  }
  return placed;
}
