import { Background, Controls, ReactFlow, ReactFlowProvider, useStore } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { useState } from 'react';
import { Spinner } from '../ui/skeleton.tsx';
import { CallEdge, EdgeMarkers } from './call-edge.tsx';
import type { GraphModel } from './graph-model.ts';
import type { MapLayout } from './layout.ts';
import { ServiceNode } from './service-node.tsx';
import { useEmphasis } from './use-emphasis.ts';
import { FIT, useFit } from './use-fit.ts';
import { useFlowElements } from './use-flow-elements.ts';
import { useLayout } from './use-layout.ts';
import { useMapCursor } from './use-map-cursor.ts';

const NODE_TYPES = { service: ServiceNode };
const EDGE_TYPES = { call: CallEdge };
/** Below this zoom figures cannot be read and are not drawn. */
const FAR_ZOOM = 0.5;

/** React Flow's own gestures that a map for looking at has no use for. */
const ONLY_LOOKING = {
  nodesDraggable: false,
  nodesConnectable: false,
  nodesFocusable: false,
  edgesFocusable: false,
  disableKeyboardA11y: true,
  deleteKeyCode: null,
  selectionKeyCode: null,
  multiSelectionKeyCode: null,
  zoomOnDoubleClick: false,
} as const;

export interface MapCanvasProps {
  readonly model: GraphModel;
  readonly node?: string | undefined;
  readonly edge?: string | undefined;
  readonly find?: string;
  readonly onNode: (key: string | undefined) => void;
  readonly onEdge: (key: string) => void;
  /** A small map beside other things: no keys, no controls, numbers of calls instead of rates. */
  readonly small?: boolean;
}

export function MapCanvas(props: MapCanvasProps) {
  const layout = useLayout(props.model);
  if (!layout) {
    return (
      <div className="grid h-full place-items-center">
        <Spinner label={`Laying out ${props.model.nodes.length} nodes…`} />
      </div>
    );
  }
  return (
    <ReactFlowProvider>
      <Flow {...props} layout={layout} />
    </ReactFlowProvider>
  );
}

function Flow({ model, layout, node, edge, find = '', onNode, onEdge, small = false }: MapCanvasProps & { readonly layout: MapLayout }) {
  const [hovered, setHovered] = useState<string | undefined>();
  const emphases = useEmphasis(model, { node, edge, hovered, find });
  const far = useStore((store) => store.transform[2] < FAR_ZOOM);
  const { cursor, setCursor } = useMapCursor(model, layout, node, onNode, !small);
  const { nodes, edges } = useFlowElements(model, layout, emphases, cursor, small ? 0 : model.toSeconds - model.fromSeconds);
  const onMove = useFit(layout.topology, node === undefined ? undefined : layout.nodes[node]);
  return (
    <div
      className={`relative size-full ${far ? 'map-far' : ''}`}
      data-testid="service-map"
      data-layout-ms={Math.round(layout.milliseconds)}
      role="group"
      aria-label="Service map; the list view shows the same as a table"
    >
      <EdgeMarkers />
      <ReactFlow
        {...ONLY_LOOKING}
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        fitView
        fitViewOptions={{ ...FIT, duration: 0, ...(small ? { maxZoom: 0.9 } : {}) }}
        minZoom={0.05}
        maxZoom={2}
        onMove={onMove}
        onNodeClick={(_, item) => {
          setCursor(item.id);
          onNode(item.id);
        }}
        onEdgeClick={(_, item) => onEdge(item.id)}
        onPaneClick={() => onNode(undefined)}
        onNodeMouseEnter={(_, item) => setHovered(item.id)}
        onNodeMouseLeave={() => setHovered(undefined)}
      >
        <Background gap={24} size={1} color="var(--line)" />
        {!small && <Controls showInteractive={false} position="bottom-right" fitViewOptions={FIT} />}
      </ReactFlow>
    </div>
  );
}
