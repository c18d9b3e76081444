import { Background, Controls, ReactFlow, ReactFlowProvider, useReactFlow, useStore } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useKeys } from '../app/keys.ts';
import { Spinner } from '../ui/skeleton.tsx';
import { CallEdge, EdgeMarkers } from './call-edge.tsx';
import type { CallFlowEdge, ServiceFlowNode } from './flow-types.ts';
import type { GraphModel } from './graph-model.ts';
import { CLIENT_HEIGHT, CLIENT_WIDTH, NODE_HEIGHT, NODE_WIDTH, type MapLayout } from './layout.ts';
import { nodeElementId, ServiceNode } from './service-node.tsx';
import { useEmphasis } from './use-emphasis.ts';
import { useLayout } from './use-layout.ts';
import { neighbour, type Direction } from './walk.ts';

const NODE_TYPES = { service: ServiceNode };
const EDGE_TYPES = { call: CallEdge };
const FIT = { padding: 0.12, maxZoom: 1.15, duration: 200 };
const FAR_ZOOM = 0.5;

export interface MapCanvasProps {
  readonly model: GraphModel;
  readonly node?: string | undefined;
  readonly edge?: string | undefined;
  readonly find?: string;
  readonly onNode: (key: string | undefined) => void;
  readonly onEdge: (key: string) => void;
  /** A small map beside other things: no keys, no controls. */
  readonly small?: boolean;
}

export function MapCanvas(props: MapCanvasProps) {
  const layout = useLayout(props.model);
  if (!layout)
    return (
      <div className="grid h-full place-items-center">
        <Spinner label={`Laying out ${props.model.nodes.length} nodes…`} />
      </div>
    );
  return (
    <ReactFlowProvider>
      <Flow {...props} layout={layout} />
    </ReactFlowProvider>
  );
}

function Flow({ model, layout, node, edge, find = '', onNode, onEdge, small = false }: MapCanvasProps & { readonly layout: MapLayout }) {
  const [hovered, setHovered] = useState<string | undefined>();
  const [current, setCurrent] = useState<string | undefined>(node);
  const emphases = useEmphasis(model, { node, edge, hovered, find });
  const flow = useReactFlow();
  const far = useStore((store) => store.transform[2] < FAR_ZOOM);
  const cursor =
    current !== undefined && model.byKey.has(current) ? current : (model.nodes.find((item) => item.root) ?? model.nodes[0])?.key;
  const rangeSeconds = small ? 0 : model.toSeconds - model.fromSeconds;

  const nodes = useMemo(
    (): ServiceFlowNode[] =>
      model.nodes.flatMap((item): ServiceFlowNode[] => {
        const position = layout.nodes[item.key];
        if (!position) return [];
        const client = item.type === 'client';
        return [
          {
            id: item.key,
            type: 'service',
            position,
            width: client ? CLIENT_WIDTH : NODE_WIDTH,
            height: client ? CLIENT_HEIGHT : NODE_HEIGHT,
            data: { node: item, rangeSeconds, emphasis: emphases.node(item.key), current: item.key === cursor },
          },
        ];
      }),
    [model, layout, emphases, cursor, rangeSeconds],
  );
  const edges = useMemo(
    (): CallFlowEdge[] =>
      model.edges.map((call) => {
        const emphasis = emphases.edge(call.key, call.from.key, call.to.key);
        return {
          id: call.key,
          type: 'call',
          source: call.from.key,
          target: call.to.key,
          focusable: false,
          zIndex: emphasis === 'near' || emphasis === 'chosen' ? 1 : 0,
          data: { edge: call, rangeSeconds, emphasis, bends: layout.edges[call.key] ?? [] },
        };
      }),
    [model, layout, emphases, rangeSeconds],
  );

  const onMove = useFit(layout.topology, () => {
    const place = node === undefined ? undefined : layout.nodes[node];
    if (place) bringIntoView(flow, place);
  });
  const moveTo = (key: string): void => {
    setCurrent(key);
    if (node !== undefined) onNode(key);
    const place = layout.nodes[key];
    if (place) bringIntoView(flow, place);
    requestAnimationFrame(() => document.getElementById(nodeElementId(key))?.focus({ preventScroll: true }));
  };
  const go = (direction: Direction) => (): boolean => {
    if (cursor === undefined) return false;
    const next =
      document.activeElement?.id === nodeElementId(cursor) || node === cursor ? neighbour(model, layout, cursor, direction) : cursor;
    if (next !== undefined) moveTo(next);
    return true;
  };
  useKeys(
    {
      ArrowLeft: go('left'),
      ArrowRight: go('right'),
      ArrowUp: go('up'),
      ArrowDown: go('down'),
      Enter: () => document.activeElement?.id === nodeElementId(cursor ?? '') && (onNode(cursor), true),
      '+': () => void flow.zoomIn(),
      '=': () => void flow.zoomIn(),
      '-': () => void flow.zoomOut(),
      '0': () => void flow.fitView(FIT),
    },
    !small,
  );

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
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        fitView
        fitViewOptions={{ padding: 0.12, maxZoom: small ? 0.9 : 1.15 }}
        minZoom={0.05}
        maxZoom={2}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        disableKeyboardA11y
        deleteKeyCode={null}
        selectionKeyCode={null}
        multiSelectionKeyCode={null}
        zoomOnDoubleClick={false}
        onMove={onMove}
        onNodeClick={(_, item) => {
          setCurrent(item.id);
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

/**
 * Fits the map when nodes come or go, and when the room for it changes while the reader has not moved it himself; else `reveal`
 * sees to it that the chosen node does not end up under the panel. Returns what to call when the map moves.
 */
function useFit(topology: string, reveal: () => void): (event: MouseEvent | TouchEvent | null) => void {
  const flow = useReactFlow();
  const width = useStore((store) => store.width);
  const last = useRef({ topology, width, fitted: true });
  useEffect(() => {
    const before = last.current;
    if (before.topology === topology && before.width === width) return;
    const fit = before.fitted || before.topology !== topology;
    last.current = { topology, width, fitted: fit };
    if (before.width === 0) return;
    if (fit) void flow.fitView(FIT);
    else reveal();
  });
  return (event) => {
    if (event) last.current.fitted = false;
  };
}

function bringIntoView(flow: ReturnType<typeof useReactFlow>, place: { readonly x: number; readonly y: number }): void {
  const zoom = Math.max(flow.getZoom(), 0.6);
  const pane = document.querySelector('.react-flow')?.getBoundingClientRect();
  if (!pane) return;
  const corner = flow.flowToScreenPosition(place);
  const inside =
    corner.x > pane.left + 20 &&
    corner.y > pane.top + 20 &&
    corner.x + NODE_WIDTH * zoom < pane.right - 20 &&
    corner.y + NODE_HEIGHT * zoom < pane.bottom - 20;
  if (!inside || flow.getZoom() < 0.35) void flow.setCenter(place.x + NODE_WIDTH / 2, place.y + NODE_HEIGHT / 2, { zoom, duration: 150 });
}
