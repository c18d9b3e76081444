/** What both charts have: the pointer's surface with the brush, and the chosen band. */
import type { useBrush } from './use-brush.ts';

interface SurfaceProps {
  readonly width: number;
  readonly height: number;
  readonly brush: ReturnType<typeof useBrush>;
  /** How many bars there are across the width. */
  readonly bars: number;
  readonly onHover: (bar: number | undefined) => void;
}

export function ChartSurface({ width, height, brush, bars, onHover }: SurfaceProps) {
  return (
    <rect
      width={width}
      height={height}
      fill="transparent"
      className="cursor-crosshair touch-none"
      {...brush.handlers}
      onMouseMove={(event) => {
        const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
        onHover(Math.floor((x / Math.max(width, 1)) * bars));
      }}
      onMouseLeave={() => onHover(undefined)}
    />
  );
}

export function Band({ range, height }: { readonly range: readonly [number, number] | undefined; readonly height: number }) {
  if (!range) return null;
  return (
    <rect
      x={range[0]}
      width={Math.max(range[1] - range[0], 1)}
      height={height}
      fill="var(--accent)"
      fillOpacity={0.18}
      stroke="var(--accent)"
    />
  );
}

interface TicksProps {
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  readonly y: number;
}

export function BottomTicks({ ticks, y }: TicksProps) {
  return ticks.map(({ at, label }) => (
    <text key={label + at} x={at} y={y + 14} textAnchor="middle" className="fill-muted text-[10px]">
      {label}
    </text>
  ));
}
