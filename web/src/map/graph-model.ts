/** The service map's answer, indexed for drawing, walking and searching. */
import type { GraphAnswer, GraphEdge, GraphNode } from '../core.ts';

/** `name@type`: stands in URLs, stays the same between answers (ids do not). */
export function nodeKey(node: { readonly name: string; readonly type: string }): string {
  return `${node.name}@${node.type}`;
}

export interface MapNode extends GraphNode {
  readonly key: string;
}

export interface MapEdge extends Omit<GraphEdge, 'from' | 'to'> {
  readonly key: string;
  readonly from: MapNode;
  readonly to: MapNode;
}

export interface GraphModel {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  /** In a fixed order (by key), so that the layout does not depend on the order of the answer. */
  readonly nodes: readonly MapNode[];
  readonly edges: readonly MapEdge[];
  readonly byKey: ReadonlyMap<string, MapNode>;
  readonly callers: ReadonlyMap<string, readonly MapEdge[]>;
  readonly callees: ReadonlyMap<string, readonly MapEdge[]>;
  /** Changes exactly when nodes or edges come or go. */
  readonly topology: string;
}

export function toGraphModel(answer: GraphAnswer): GraphModel {
  const byId = new Map(answer.nodes.map((node) => [node.id, { ...node, key: nodeKey(node) }]));
  const edges: MapEdge[] = [];
  for (const edge of answer.edges) {
    const from = byId.get(edge.from);
    const to = byId.get(edge.to);
    if (from && to) edges.push({ ...edge, from, to, key: `${from.key} -> ${to.key}` });
  }
  return index(answer.from, answer.to, [...byId.values()].toSorted(compareKeys), edges.toSorted(compareKeys));
}

function index(fromSeconds: number, toSeconds: number, nodes: readonly MapNode[], edges: readonly MapEdge[]): GraphModel {
  return {
    fromSeconds,
    toSeconds,
    nodes,
    edges,
    byKey: new Map(nodes.map((node) => [node.key, node])),
    callers: groupBy(edges, (edge) => edge.to.key),
    callees: groupBy(edges, (edge) => edge.from.key),
    topology: `${nodes.map((node) => node.key).join('\n')}\n\n${edges.map((edge) => edge.key).join('\n')}`,
  };
}

function compareKeys(a: { readonly key: string }, b: { readonly key: string }): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

function groupBy(edges: readonly MapEdge[], keyOf: (edge: MapEdge) => string): Map<string, MapEdge[]> {
  const groups = new Map<string, MapEdge[]>();
  for (const edge of edges) {
    const key = keyOf(edge);
    const group = groups.get(key);
    if (group) group.push(edge);
    else groups.set(key, [edge]);
  }
  return groups;
}

/** Nodes with this name under more than one type need the type in filter expressions. */
export function isAmbiguous(model: GraphModel, node: MapNode): boolean {
  return model.nodes.some((other) => other !== node && other.name === node.name && other.type !== 'client');
}

/** The part of the map that has to do with one node; all of it when `key` is not (or no longer) on it. */
export function around(model: GraphModel, key: string | undefined): GraphModel {
  if (key === undefined || !model.byKey.has(key)) return model;
  const kept = relatives(model, key);
  const nodes = model.nodes.filter((node) => kept.has(node.key));
  const edges = model.edges.filter((edge) => kept.has(edge.from.key) && kept.has(edge.to.key));
  return index(model.fromSeconds, model.toSeconds, nodes, edges);
}

/** Everything that calls into `start`, directly or not, and everything it calls; with itself. */
function relatives(model: GraphModel, start: string): ReadonlySet<string> {
  const found = new Set([start]);
  walk(start, (key) => model.callers.get(key)?.map((edge) => edge.from.key) ?? [], found);
  walk(start, (key) => model.callees.get(key)?.map((edge) => edge.to.key) ?? [], found);
  return found;
}

function walk(start: string, next: (key: string) => readonly string[], found: Set<string>): void {
  const seen = new Set([start]);
  const waiting = [start];
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    for (const other of next(key)) {
      if (seen.has(other)) continue;
      seen.add(other);
      found.add(other);
      waiting.push(other);
    }
  }
}
