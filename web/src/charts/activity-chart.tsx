import { useState } from 'react';
import type { ActivityAnswer } from '../core.ts';
import { describeOutcomes, disjointCounts, OUTCOME_STYLE } from '../health/health.ts';
import { formatClock, formatCount, formatDay, formatDuration, formatRate, formatShare, formatTick } from '../time/format.ts';
import { useSize } from '../ui/use-size.ts';
import { ChartFrame } from './chart-frame.tsx';
import { Band, BottomTicks, ChartSurface } from './chart-parts.tsx';
import { linearTicks, timeTicks } from './scale.ts';
import { useBrush } from './use-brush.ts';

/** From the bottom up. */
const STACK = ['fault', 'throttle', 'error', 'ok'] as const;
const LEFT = 44;
const BOTTOM = 18;
const TOP = 6;

interface ActivityChartProps {
  readonly activity: ActivityAnswer | undefined;
  readonly height: number;
  /** Epoch seconds. */
  readonly onSelect: (from: number, to: number) => void;
}

/** Requests over time, stacked by outcome; dragging narrows the time range. */
export function ActivityChart({ activity, height, onSelect }: ActivityChartProps) {
  const [ref, { width }] = useSize();
  const [hover, setHover] = useState<number | undefined>();
  const inner = Math.max(width - LEFT, 1);
  const plot = height - BOTTOM - TOP;
  const steps = activity?.steps ?? [];
  const span = spanOf(activity);
  const top = Math.max(...steps.map((step) => step.outcomes.total), 1);
  const toTime = (x: number): number => span.from + (x / inner) * (span.to - span.from);
  const brush = useBrush((selection) => {
    if (!selection || !activity) return;
    const step = activity.stepSeconds;
    onSelect(Math.floor(toTime(selection[0]) / step) * step, Math.ceil(toTime(selection[1]) / step) * step);
  });
  const ticks = activity ? timeTicks(span.from, span.to, Math.max(2, Math.floor(inner / 90))) : [];
  const toX = (time: number): number => ((time - span.from) / (span.to - span.from)) * inner;
  const total = steps.reduce((sum, item) => sum + item.outcomes.total, 0);
  const label = `Requests over time: ${formatCount(total)} in all`;
  return (
    <ChartFrame title="Requests over time" note={noteOf(activity, hover, total)} frameRef={ref} height={height}>
      <svg width={width} height={height} className="block select-none" role="img" aria-label={label} data-testid="activity-chart">
        <CountAxis top={top} plot={plot} width={inner} />
        <g transform={`translate(${LEFT},${TOP})`}>
          {steps.map((item, index) => (
            <Bar
              key={item.startSeconds}
              counts={disjointCounts(item.outcomes)}
              x={(index / steps.length) * inner}
              width={inner / steps.length}
              top={top}
              height={plot}
              dim={hover !== undefined && hover !== index}
            />
          ))}
          <BottomTicks ticks={ticks.map((time) => ({ at: toX(time), label: formatTick(time, span.to - span.from) }))} y={plot} />
          <Band range={brush.selection} height={plot} />
          <ChartSurface width={inner} height={plot} brush={brush} bars={steps.length} onHover={setHover} />
        </g>
      </svg>
    </ChartFrame>
  );
}

/** From the first step's start to the last one's end. */
function spanOf(activity: ActivityAnswer | undefined): { readonly from: number; readonly to: number } {
  if (!activity) return { from: 0, to: 1 };
  const from = activity.steps[0]?.startSeconds ?? activity.from;
  return { from, to: from + Math.max(activity.steps.length, 1) * activity.stepSeconds };
}

function noteOf(activity: ActivityAnswer | undefined, hover: number | undefined, total: number): string {
  if (!activity) return '';
  const length = formatDuration(activity.stepSeconds);
  const step = hover === undefined ? undefined : activity.steps[hover];
  if (!step) return `${formatCount(total)} requests, ${formatRate(total, activity.to - activity.from)}, one bar is ${length}`;
  const outcomes = step.outcomes.total > 0 ? ` (${describeOutcomes(step.outcomes, formatShare)})` : '';
  return `${formatDay(step.startSeconds)} ${formatClock(step.startSeconds)}, ${length}: ${formatCount(step.outcomes.total)} requests${outcomes}`;
}

function CountAxis({ top, plot, width }: { readonly top: number; readonly plot: number; readonly width: number }) {
  return linearTicks(top, 3).map((value) => (
    <g key={value} transform={`translate(${LEFT},${TOP + plot * (1 - value / top)})`}>
      <line x2={width} stroke="var(--line)" />
      <text x={-6} dy="0.32em" textAnchor="end" className="fill-muted text-[10px]">
        {formatCount(value)}
      </text>
    </g>
  ));
}

interface BarProps {
  readonly counts: ReturnType<typeof disjointCounts>;
  readonly x: number;
  readonly width: number;
  readonly top: number;
  readonly height: number;
  readonly dim: boolean;
}

function Bar({ counts, x, width, top, height, dim }: BarProps) {
  return (
    <g opacity={dim ? 0.55 : 1}>
      {stack(counts, height / top).map(({ outcome, from, to }) => (
        <rect
          key={outcome}
          x={x + 0.5}
          y={height - to}
          width={Math.max(width - 1, 1)}
          height={to - from}
          fill={OUTCOME_STYLE[outcome].fill}
          fillOpacity={outcome === 'ok' ? 0.55 : 1}
        />
      ))}
    </g>
  );
}

/** Pixels from the bottom. Failures are at least two pixels high: one in a thousand must be seen. */
function stack(counts: BarProps['counts'], scale: number): { outcome: (typeof STACK)[number]; from: number; to: number }[] {
  const parts: { outcome: (typeof STACK)[number]; from: number; to: number }[] = [];
  for (const outcome of STACK) {
    if (counts[outcome] === 0) continue;
    const from = parts.at(-1)?.to ?? 0;
    parts.push({ outcome, from, to: from + Math.max(counts[outcome] * scale, outcome === 'ok' ? 0.5 : 2) });
  }
  return parts;
}
