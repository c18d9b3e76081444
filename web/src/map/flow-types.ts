import type { Edge, Node } from '@xyflow/react';
import type { MapEdge, MapNode } from './graph-model.ts';
import type { Point } from './layout.ts';

/** How a node or edge stands out: chosen, beside the chosen one, out of the question, or nothing of that. */
export type Emphasis = 'chosen' | 'near' | 'dim' | 'plain';

export type ServiceFlowNode = Node<
  { readonly node: MapNode; readonly rangeSeconds: number; readonly emphasis: Emphasis; readonly current: boolean },
  'service'
>;

export type CallFlowEdge = Edge<
  { readonly edge: MapEdge; readonly rangeSeconds: number; readonly emphasis: Emphasis; readonly bends: readonly Point[] },
  'call'
>;
