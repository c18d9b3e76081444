import { useState } from 'react';
import type { ActivityAnswer } from '../core.ts';
import { describeOutcomes, disjointCounts, OUTCOME_STYLE } from '../health/health.ts';
import { formatClock, formatCount, formatDay, formatDuration, formatRate, formatShare, formatTick } from '../time/format.ts';
import { useSize } from '../ui/use-size.ts';
import { ChartFrame } from './chart-frame.tsx';
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
  const steps = activity?.steps ?? [];
  const from = steps[0]?.startSeconds ?? activity?.from ?? 0;
  const to = activity ? from + steps.length * activity.stepSeconds : 1;
  const inner = Math.max(width - LEFT, 1);
  const plot = height - BOTTOM - TOP;
  const top = Math.max(...steps.map((step) => step.outcomes.total), 1);
  const toTime = (x: number): number => from + (x / inner) * (to - from);
  const brush = useBrush((selection) => {
    if (selection && activity)
      onSelect(snap(toTime(selection[0]), activity.stepSeconds, Math.floor), snap(toTime(selection[1]), activity.stepSeconds, Math.ceil));
  });
  const step = hover === undefined ? undefined : steps[hover];
  const total = steps.reduce((sum, item) => sum + item.outcomes.total, 0);
  const tip =
    step &&
    activity &&
    `${formatDay(step.startSeconds)} ${formatClock(step.startSeconds)}, ${formatDuration(activity.stepSeconds)}: ${formatCount(step.outcomes.total)} requests${step.outcomes.total > 0 ? ` (${describeOutcomes(step.outcomes, formatShare)})` : ''}`;
  return (
    <ChartFrame
      title="Requests over time"
      note={
        tip ??
        (activity
          ? `${formatCount(total)} requests, ${formatRate(total, activity.to - activity.from)}, one bar is ${formatDuration(activity.stepSeconds)}`
          : '')
      }
      frameRef={ref}
      height={height}
    >
      <svg
        width={width}
        height={height}
        className="block select-none"
        role="img"
        aria-label={`Requests over time: ${formatCount(total)} in all`}
        data-testid="activity-chart"
      >
        {linearTicks(top, 3).map((value) => (
          <g key={value} transform={`translate(${LEFT},${TOP + plot * (1 - value / top)})`}>
            <line x2={inner} stroke="var(--line)" />
            <text x={-6} dy="0.32em" textAnchor="end" className="fill-muted text-[10px]">
              {formatCount(value)}
            </text>
          </g>
        ))}
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
          {activity &&
            timeTicks(from, to, Math.max(2, Math.floor(inner / 90))).map((time) => (
              <text
                key={time}
                x={((time - from) / (to - from)) * inner}
                y={plot + 14}
                textAnchor="middle"
                className="fill-muted text-[10px]"
              >
                {formatTick(time, to - from)}
              </text>
            ))}
          {brush.selection && (
            <rect
              x={brush.selection[0]}
              width={brush.selection[1] - brush.selection[0]}
              height={plot}
              fill="var(--accent)"
              fillOpacity={0.18}
              stroke="var(--accent)"
            />
          )}
          <rect
            width={inner}
            height={plot}
            fill="transparent"
            className="cursor-crosshair touch-none"
            {...brush.handlers}
            onMouseMove={(event) =>
              setHover(Math.floor(((event.clientX - event.currentTarget.getBoundingClientRect().left) / inner) * steps.length))
            }
            onMouseLeave={() => setHover(undefined)}
          />
        </g>
      </svg>
    </ChartFrame>
  );
}

function snap(value: number, step: number, round: (value: number) => number): number {
  return round(value / step) * step;
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
  let below = 0;
  return (
    <g opacity={dim ? 0.55 : 1}>
      {STACK.map((outcome) => {
        if (counts[outcome] === 0) return null;
        // Failures are at least two pixels high: one in a thousand must be seen.
        const tall = Math.max((counts[outcome] / top) * height, outcome === 'ok' ? 0.5 : 2);
        below += tall;
        return (
          <rect
            key={outcome}
            x={x + 0.5}
            y={height - below}
            width={Math.max(width - 1, 1)}
            height={tall}
            fill={OUTCOME_STYLE[outcome].fill}
            fillOpacity={outcome === 'ok' ? 0.55 : 1}
          />
        );
      })}
    </g>
  );
}
