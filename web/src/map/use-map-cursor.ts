import { useReactFlow } from '@xyflow/react';
import { useState } from 'react';
import { useKeys } from '../app/keys.ts';
import type { GraphModel } from './graph-model.ts';
import type { MapLayout } from './layout.ts';
import { nodeElementId } from './service-node.tsx';
import { bringIntoView, FIT } from './use-fit.ts';
import { neighbour, type Direction } from './walk.ts';

interface MapCursor {
  /** The node that has, or would get, the keyboard's focus. */
  readonly cursor: string | undefined;
  readonly setCursor: (key: string) => void;
}

/** Arrow keys walk from node to node; when a panel is open it follows. Enter opens one. */
export function useMapCursor(
  model: GraphModel,
  layout: MapLayout,
  chosen: string | undefined,
  onNode: (key: string | undefined) => void,
  enabled: boolean,
): MapCursor {
  const flow = useReactFlow();
  const [current, setCurrent] = useState<string | undefined>(chosen);
  const first = (model.nodes.find((node) => node.root) ?? model.nodes[0])?.key;
  const cursor = current !== undefined && model.byKey.has(current) ? current : first;
  const hasFocus = (): boolean => cursor !== undefined && document.activeElement?.id === nodeElementId(cursor);
  const go = (direction: Direction) => (): boolean => {
    if (cursor === undefined) return false;
    const next = hasFocus() || chosen === cursor ? neighbour(model, layout, cursor, direction) : cursor;
    if (next === undefined) return true;
    setCurrent(next);
    if (chosen !== undefined) onNode(next);
    const place = layout.nodes[next];
    if (place) bringIntoView(flow, place);
    requestAnimationFrame(() => document.getElementById(nodeElementId(next))?.focus({ preventScroll: true }));
    return true;
  };
  useKeys(
    {
      ArrowLeft: go('left'),
      ArrowRight: go('right'),
      ArrowUp: go('up'),
      ArrowDown: go('down'),
      Enter: () => hasFocus() && (onNode(cursor), true),
      '+': () => void flow.zoomIn(),
      '=': () => void flow.zoomIn(),
      '-': () => void flow.zoomOut(),
      '0': () => void flow.fitView(FIT),
    },
    enabled,
  );
  return { cursor, setCursor: setCurrent };
}
