import { useMemo, useState } from 'react';
import type { Latency } from '../core.ts';
import { formatCount, formatDuration } from '../time/format.ts';
import { useSize } from '../ui/use-size.ts';
import { ChartFrame } from './chart-frame.tsx';
import { Band, BottomTicks, ChartSurface } from './chart-parts.tsx';
import { logTicks } from './scale.ts';
import { useBrush } from './use-brush.ts';

const BOTTOM = 18;
const TOP = 14;
const QUANTILES = ['p50', 'p90', 'p99'] as const;

interface LatencyChartProps {
  readonly latency: Latency | undefined;
  readonly height: number;
  /** Seconds, as chosen so far; shown as a band. */
  readonly chosen?: readonly [number, number] | undefined;
  /** Undefined when a click takes the choice away. */
  readonly onSelect: (range: readonly [number, number] | undefined) => void;
}

/** How response times are spread, on a logarithmic axis; dragging chooses a part of them. */
export function LatencyChart({ latency, height, chosen, onSelect }: LatencyChartProps) {
  const [ref, { width }] = useSize();
  const [hover, setHover] = useState<number | undefined>();
  const bins = useMemo(() => toBins(latency), [latency]);
  const plot = height - BOTTOM - TOP;
  const span = Math.log(bins.high / bins.low);
  const toX = (value: number): number => (Math.log(Math.max(value, bins.low) / bins.low) / span) * width;
  const toValue = (x: number): number => bins.low * Math.exp((x / Math.max(width, 1)) * span);
  const brush = useBrush((selection) => onSelect(selection && [toValue(selection[0]), toValue(selection[1])]));
  const band = brush.selection ?? (chosen && ([toX(chosen[0]), Math.min(toX(chosen[1]), width)] as const));
  const drawn = brush.selection && ([toValue(brush.selection[0]), toValue(brush.selection[1])] as const);
  const note = noteOf(latency, bins, drawn, hover);
  const filled = width > 0 && bins.total > 0;
  const ticks = filled ? logTicks(bins.low, bins.high, Math.max(2, Math.floor(width / 60))) : [];
  const label = `Response times: ${note || 'none'}`;
  return (
    <ChartFrame title="Response time" note={note} frameRef={ref} height={height}>
      <svg width={width} height={height} className="block select-none" role="img" aria-label={label} data-testid="latency-chart">
        <g transform={`translate(0,${TOP})`}>
          <line x2={width} y1={plot} y2={plot} stroke="var(--line)" />
          <Bars bins={bins} width={width} height={plot} hover={hover} />
          {filled && latency && <Quantiles latency={latency} toX={toX} width={width} height={plot} />}
          <BottomTicks
            ticks={ticks.map((value) => ({ at: Math.min(Math.max(toX(value), 14), width - 16), label: formatDuration(value) }))}
            y={plot}
          />
          <Band range={band} height={plot} />
          <ChartSurface width={width} height={plot} brush={brush} bars={bins.counts.length} onHover={setHover} />
        </g>
      </svg>
    </ChartFrame>
  );
}

function noteOf(latency: Latency | undefined, bins: Bins, drawn: readonly [number, number] | undefined, hover: number | undefined): string {
  if (drawn) return `${formatDuration(drawn[0])} – ${formatDuration(drawn[1])}`;
  const count = hover === undefined ? undefined : bins.counts[hover];
  if (hover !== undefined && count !== undefined) {
    const edge = (index: number): string => formatDuration(bins.low * (bins.high / bins.low) ** (index / bins.counts.length));
    return `${edge(hover)} – ${edge(hover + 1)}: ${formatCount(count)} requests`;
  }
  if (!latency || bins.total === 0) return '';
  return QUANTILES.map((key) => `${key} ${formatDuration(latency[key])}`).join(', ');
}

interface BarsProps {
  readonly bins: Bins;
  readonly width: number;
  readonly height: number;
  readonly hover: number | undefined;
}

function Bars({ bins, width, height, hover }: BarsProps) {
  const top = Math.max(...bins.counts, 1);
  const each = width / bins.counts.length;
  return bins.counts.map((count, index) => {
    if (count === 0) return null;
    const tall = Math.max((count / top) * height, 1.5);
    return (
      <rect
        key={index}
        x={index * each + 0.5}
        width={Math.max(each - 1, 1)}
        y={height - tall}
        height={tall}
        fill="var(--accent)"
        fillOpacity={hover === index ? 1 : 0.7}
      />
    );
  });
}

interface QuantilesProps {
  readonly latency: Latency;
  readonly toX: (value: number) => number;
  readonly width: number;
  readonly height: number;
}

/** Quantiles that lie close together share one line of text; the note names them all. */
function Quantiles({ latency, toX, width, height }: QuantilesProps) {
  return QUANTILES.map((key, index) => {
    const x = toX(latency[key]);
    const next = QUANTILES[index + 1];
    const crowded = next !== undefined && toX(latency[next]) - x < 24;
    return (
      <g key={key} transform={`translate(${x},0)`}>
        <line y1={-2} y2={height} stroke="var(--text)" strokeDasharray="2 3" strokeOpacity={0.6} />
        {!crowded && (
          <text y={-4} textAnchor={x > width - 20 ? 'end' : 'middle'} className="fill-muted text-[10px]">
            {key}
          </text>
        )}
      </g>
    );
  });
}

interface Bins {
  readonly low: number;
  readonly high: number;
  readonly total: number;
  readonly counts: readonly number[];
}

/** Up to 48 bins of equal ratio over what occurred, a little wider at both ends. */
function toBins(latency: Latency | undefined): Bins {
  const entries = (latency?.histogram ?? [])
    .filter((entry) => entry.count > 0)
    .map((entry) => ({ value: Math.max(entry.value, 1e-6), count: entry.count }));
  const first = entries[0];
  if (!first) return { low: 0.001, high: 1, total: 0, counts: [] };
  const low = first.value / 1.15;
  const high = Math.max(entries.at(-1)!.value * 1.15, low * 2);
  // Not finer than the server's buckets, or every second bin would stay empty.
  const count = Math.min(48, Math.max(8, Math.round(entries.length * 0.9)));
  const counts = Array.from({ length: count }, () => 0);
  let total = 0;
  for (const entry of entries) {
    const index = Math.min(count - 1, Math.floor((Math.log(entry.value / low) / Math.log(high / low)) * count));
    counts[index]! += entry.count;
    total += entry.count;
  }
  return { low, high, total, counts };
}
