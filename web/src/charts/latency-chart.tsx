import { useMemo, useState } from 'react';
import type { Latency } from '../core.ts';
import { formatCount, formatDuration } from '../time/format.ts';
import { useSize } from '../ui/use-size.ts';
import { ChartFrame } from './chart-frame.tsx';
import { logTicks } from './scale.ts';
import { useBrush } from './use-brush.ts';

const BOTTOM = 18;
const TOP = 14;
const QUANTILES = [
  ['p50', 'p50'],
  ['p90', 'p90'],
  ['p99', 'p99'],
] as const;

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
  const toX = (value: number): number => (Math.log(value / bins.low) / span) * width;
  const toValue = (x: number): number => bins.low * Math.exp((x / Math.max(width, 1)) * span);
  const brush = useBrush((selection) => onSelect(selection && [toValue(selection[0]), toValue(selection[1])]));
  const top = Math.max(...bins.counts, 1);
  const shown = brush.selection ?? (chosen && ([Math.max(toX(chosen[0]), 0), Math.min(toX(chosen[1]), width)] as const));
  const edge = (index: number): number => bins.low * Math.exp((index / bins.counts.length) * span);
  const note = brush.selection
    ? `${formatDuration(toValue(brush.selection[0]))} – ${formatDuration(toValue(brush.selection[1]))}`
    : hover !== undefined && bins.counts[hover] !== undefined
      ? `${formatDuration(edge(hover))} – ${formatDuration(edge(hover + 1))}: ${formatCount(bins.counts[hover])} requests`
      : latency && bins.total > 0
        ? `p50 ${formatDuration(latency.p50)}, p90 ${formatDuration(latency.p90)}, p99 ${formatDuration(latency.p99)}`
        : '';
  return (
    <ChartFrame title="Response time" note={note} frameRef={ref} height={height}>
      <svg
        width={width}
        height={height}
        className="block select-none"
        role="img"
        aria-label={`Response times: ${note || 'none'}`}
        data-testid="latency-chart"
      >
        <g transform={`translate(0,${TOP})`}>
          <line x2={width} y1={plot} y2={plot} stroke="var(--line)" />
          {bins.counts.map((count, index) =>
            count === 0 ? null : (
              <rect
                key={index}
                x={(index / bins.counts.length) * width + 0.5}
                width={Math.max(width / bins.counts.length - 1, 1)}
                y={plot - Math.max((count / top) * plot, 1.5)}
                height={Math.max((count / top) * plot, 1.5)}
                fill="var(--accent)"
                fillOpacity={hover === index ? 1 : 0.7}
              />
            ),
          )}
          {width > 0 &&
            bins.total > 0 &&
            latency &&
            QUANTILES.map(([key, label]) => (
              <g key={key} transform={`translate(${toX(Math.max(latency[key], bins.low))},0)`}>
                <line y1={-2} y2={plot} stroke="var(--text)" strokeDasharray="2 3" strokeOpacity={0.6} />
                <text
                  y={-4}
                  textAnchor={toX(Math.max(latency[key], bins.low)) > width - 20 ? 'end' : 'middle'}
                  className="fill-muted text-[10px]"
                >
                  {label}
                </text>
              </g>
            ))}
          {width > 0 &&
            bins.total > 0 &&
            logTicks(bins.low, bins.high, Math.max(2, Math.floor(width / 60))).map((value) => (
              <text
                key={value}
                x={Math.min(Math.max(toX(value), 14), width - 16)}
                y={plot + 14}
                textAnchor="middle"
                className="fill-muted text-[10px]"
              >
                {formatDuration(value)}
              </text>
            ))}
          {shown && (
            <rect
              x={shown[0]}
              width={Math.max(shown[1] - shown[0], 1)}
              height={plot}
              fill="var(--accent)"
              fillOpacity={0.18}
              stroke="var(--accent)"
            />
          )}
          <rect
            width={width}
            height={plot}
            fill="transparent"
            className="cursor-crosshair touch-none"
            {...brush.handlers}
            onMouseMove={(event) =>
              setHover(
                Math.floor(((event.clientX - event.currentTarget.getBoundingClientRect().left) / Math.max(width, 1)) * bins.counts.length),
              )
            }
            onMouseLeave={() => setHover(undefined)}
          />
        </g>
      </svg>
    </ChartFrame>
  );
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
