import { useMemo, useState } from 'react';
import { useTheme } from '../../app/theme.ts';
import { readColors } from './colors.ts';
import { paintRows, ROW_HEIGHT } from './paint.ts';
import { useCanvas } from './use-canvas.ts';
import type { Timeline } from './use-timeline.ts';

/** Painted beyond both edges of what is seen, so that the canvas scrolls with the rows and is repainted only now and then. */
const SPARE_ROWS = 16;

interface BarsProps {
  readonly timeline: Timeline;
  readonly left: number;
  readonly width: number;
  readonly ticks: readonly number[];
  /** Positions among the visible rows that are on the screen. */
  readonly firstSeen: number;
  readonly lastSeen: number;
}

/** The bars of the rows on the screen. The rows themselves (names, times) are elements, so this needs no text of its own. */
export function Bars({ timeline, left, width, ticks, firstSeen, lastSeen }: BarsProps) {
  const { model, visible, window } = timeline;
  const { theme } = useTheme();
  const colors = useMemo(() => readColors(theme), [theme]);
  const [painted, setPainted] = useState({ first: 0, count: 0 });
  const count = lastSeen - firstSeen + 2 * SPARE_ROWS;
  const moved = firstSeen < painted.first || lastSeen > painted.first + painted.count || count !== painted.count;
  const first = moved ? Math.max(firstSeen - SPARE_ROWS, 0) : painted.first;
  if (moved) setPainted({ first, count });
  const last = Math.min(first + count, visible.length);
  // No higher than the rows, or the list could be scrolled beyond its end.
  const height = Math.max(last - first, 0) * ROW_HEIGHT;
  const canvas = useCanvas(width, height, (context) => paintRows(context, { model, visible, first, last, window, width, colors, ticks }), [
    model,
    visible,
    first,
    last,
    window,
    colors,
    ticks,
  ]);
  return (
    <canvas
      ref={canvas}
      aria-hidden
      data-testid="timeline-canvas"
      className="pointer-events-none absolute"
      style={{ left, top: first * ROW_HEIGHT, width, height }}
    />
  );
}
