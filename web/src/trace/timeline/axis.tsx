import { useMemo } from 'react';
import { useTheme } from '../../app/theme.ts';
import { useBrush } from '../../charts/use-brush.ts';
import { readColors } from './colors.ts';
import { paintOverview } from './paint.ts';
import type { Timeline } from './use-timeline.ts';
import { useCanvas } from './use-canvas.ts';

export const OVERVIEW_HEIGHT = 44;
export const AXIS_HEIGHT = 20;

interface AxisProps {
  readonly timeline: Timeline;
  readonly width: number;
  readonly ticks: readonly number[];
}

/** The whole trace in small; the bright part is what the rows show. Dragging zooms to a part, a click shows all again. */
export function Overview({ timeline, width }: Omit<AxisProps, 'ticks'>) {
  const { model, window, setWindow, resetZoom, zoomed } = timeline;
  const { theme } = useTheme();
  const colors = useMemo(() => readColors(theme), [theme]);
  const span = model.end - model.start;
  const toX = (seconds: number): number => Math.min(Math.max((seconds / span) * width, 0), width);
  const brush = useBrush((selection) => {
    if (selection) setWindow({ from: (selection[0] / width) * span, to: (selection[1] / width) * span });
    else resetZoom();
  });
  const canvas = useCanvas(width, OVERVIEW_HEIGHT, (context) => paintOverview(context, model, width, OVERVIEW_HEIGHT, colors), [
    model,
    colors,
  ]);
  return (
    <div className="relative" style={{ width, height: OVERVIEW_HEIGHT }}>
      <canvas ref={canvas} aria-hidden style={{ width, height: OVERVIEW_HEIGHT }} />
      <svg
        width={width}
        height={OVERVIEW_HEIGHT}
        className="absolute inset-0 cursor-crosshair touch-none"
        data-testid="timeline-overview"
        role="img"
        aria-label="The whole trace; drag to zoom"
        {...brush.handlers}
      >
        <rect width={width} height={OVERVIEW_HEIGHT} fill="transparent" />
        {zoomed && (
          <>
            <rect width={toX(window.from)} height={OVERVIEW_HEIGHT} fill="var(--bg)" fillOpacity={0.75} />
            <rect x={toX(window.to)} width={width - toX(window.to)} height={OVERVIEW_HEIGHT} fill="var(--bg)" fillOpacity={0.75} />
            <rect
              x={toX(window.from) + 0.5}
              y={0.5}
              width={Math.max(toX(window.to) - toX(window.from) - 1, 1)}
              height={OVERVIEW_HEIGHT - 1}
              fill="none"
              stroke="var(--accent)"
            />
          </>
        )}
        {brush.selection && (
          <rect
            x={brush.selection[0]}
            width={brush.selection[1] - brush.selection[0]}
            height={OVERVIEW_HEIGHT}
            fill="var(--accent)"
            fillOpacity={0.2}
            stroke="var(--accent)"
          />
        )}
      </svg>
    </div>
  );
}

/** Times since the trace's start. */
export function Axis({ timeline, width, ticks }: AxisProps) {
  const { window } = timeline;
  const scale = width / (window.to - window.from);
  const step = (ticks[1] ?? window.to) - (ticks[0] ?? 0);
  return (
    <svg width={width} height={AXIS_HEIGHT} className="block" aria-hidden>
      {ticks.map((tick) => {
        const x = (tick - window.from) * scale;
        return (
          <g key={tick} transform={`translate(${Math.round(x) + 0.5},0)`}>
            <line y1={AXIS_HEIGHT - 5} y2={AXIS_HEIGHT} stroke="var(--line-strong)" />
            {x < width - 48 && (
              <text x={3} y={13} className="fill-muted text-[10px]">
                {formatTickTime(tick, step, window.to)}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}

/** Round moments since the start, about one per 110 pixels. */
export function axisTicks(window: { readonly from: number; readonly to: number }, width: number): number[] {
  const rough = (window.to - window.from) / Math.max(width / 110, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const ticks: number[] = [];
  for (let index = Math.ceil(Math.max(window.from, 0) / step); index * step <= window.to; index++)
    ticks.push(Number((index * step).toPrecision(12)));
  return ticks;
}

/** In the unit that suits the window's end, with as many digits as tell neighbours apart. */
function formatTickTime(seconds: number, step: number, end: number): string {
  const [unit, name] = end >= 1 ? ([1, 's'] as const) : end >= 1e-3 ? ([1e-3, 'ms'] as const) : ([1e-6, 'µs'] as const);
  const digits = Math.min(Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9)), 9);
  return `${(seconds / unit).toFixed(digits)}\u00a0${name}`;
}
