import { useMemo } from 'react';
import type { CallFlowEdge, ServiceFlowNode } from './flow-types.ts';
import type { GraphModel } from './graph-model.ts';
import { CLIENT_HEIGHT, CLIENT_WIDTH, NODE_HEIGHT, NODE_WIDTH, type MapLayout } from './layout.ts';
import type { Emphases } from './use-emphasis.ts';

interface FlowElements {
  readonly nodes: ServiceFlowNode[];
  readonly edges: CallFlowEdge[];
}

/** The graph as React Flow draws it. `cursor` is the node that Tab reaches. */
export function useFlowElements(
  model: GraphModel,
  layout: MapLayout,
  emphases: Emphases,
  cursor: string | undefined,
  rangeSeconds: number,
): FlowElements {
  const nodes = useMemo(
    (): ServiceFlowNode[] =>
      model.nodes.flatMap((node): ServiceFlowNode[] => {
        const position = layout.nodes[node.key];
        if (!position) return [];
        const size = node.type === 'client' ? { width: CLIENT_WIDTH, height: CLIENT_HEIGHT } : { width: NODE_WIDTH, height: NODE_HEIGHT };
        const data = { node, rangeSeconds, emphasis: emphases.node(node.key), current: node.key === cursor };
        return [{ id: node.key, type: 'service', position, ...size, data }];
      }),
    [model, layout, emphases, cursor, rangeSeconds],
  );
  const edges = useMemo(
    (): CallFlowEdge[] =>
      model.edges.map((call): CallFlowEdge => {
        const emphasis = emphases.edge(call.key, call.from.key, call.to.key);
        const data = { edge: call, rangeSeconds, emphasis, bends: layout.edges[call.key] ?? [] };
        const zIndex = emphasis === 'near' || emphasis === 'chosen' ? 1 : 0;
        return { id: call.key, type: 'call', source: call.from.key, target: call.to.key, focusable: false, zIndex, data };
      }),
    [model, layout, emphases, rangeSeconds],
  );
  return { nodes, edges };
}
