import { useState } from 'react';

interface Brush {
  /** Pixels from the left edge, ordered; undefined while nothing is drawn. */
  readonly selection: readonly [number, number] | undefined;
  readonly handlers: {
    readonly onPointerDown: (event: React.PointerEvent<SVGElement>) => void;
    readonly onPointerMove: (event: React.PointerEvent<SVGElement>) => void;
    readonly onPointerUp: (event: React.PointerEvent<SVGElement>) => void;
    readonly onPointerCancel: () => void;
  };
}

const LEAST_PIXELS = 4;

/** Drag to select along x. `onSelect` gets pixels; a mere click gives undefined. */
export function useBrush(onSelect: (selection: readonly [number, number] | undefined) => void): Brush {
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | undefined>();
  const at = (event: React.PointerEvent<SVGElement>): number => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(Math.max(event.clientX - box.left, 0), box.width);
  };
  const ordered = drag && ([Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)] as const);
  return {
    selection: ordered && ordered[1] - ordered[0] >= LEAST_PIXELS ? ordered : undefined,
    handlers: {
      onPointerDown: (event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        setDrag({ from: at(event), to: at(event) });
      },
      onPointerMove: (event) => {
        const to = at(event);
        setDrag((before) => before && { from: before.from, to });
      },
      onPointerUp: () => {
        if (!ordered) return;
        setDrag(undefined);
        onSelect(ordered[1] - ordered[0] >= LEAST_PIXELS ? ordered : undefined);
      },
      onPointerCancel: () => setDrag(undefined),
    },
  };
}
