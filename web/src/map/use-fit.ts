import { useReactFlow, useStore } from '@xyflow/react';
import { useEffect, useRef } from 'react';
import { NODE_HEIGHT, NODE_WIDTH, type Point } from './layout.ts';

export const FIT = { padding: 0.12, maxZoom: 1.15, duration: 200 };

/**
 * Fits the map when nodes come or go, and when the room for it changes while the reader has not moved it himself; otherwise sees to
 * it that `shown` does not end up under the panel. Returns what to call when the map moves.
 */
export function useFit(topology: string, shown: Point | undefined): (event: MouseEvent | TouchEvent | null) => void {
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
    else if (shown) bringIntoView(flow, shown);
  });
  return (event) => {
    if (event) last.current.fitted = false;
  };
}

/** Moves the map so that the node with this upper left corner is seen, near enough to be read. */
export function bringIntoView(flow: ReturnType<typeof useReactFlow>, place: Point): void {
  const pane = document.querySelector('.react-flow')?.getBoundingClientRect();
  if (!pane) return;
  const zoom = Math.max(flow.getZoom(), 0.6);
  const corner = flow.flowToScreenPosition(place);
  const across = corner.x > pane.left + 20 && corner.x + NODE_WIDTH * zoom < pane.right - 20;
  const down = corner.y > pane.top + 20 && corner.y + NODE_HEIGHT * zoom < pane.bottom - 20;
  if (across && down && flow.getZoom() >= 0.35) return;
  void flow.setCenter(place.x + NODE_WIDTH / 2, place.y + NODE_HEIGHT / 2, { zoom, duration: 150 });
}
