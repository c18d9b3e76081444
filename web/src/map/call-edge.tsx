import { BaseEdge, type EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import type { Outcome } from '../core.ts';
import { OutcomeIcon } from '../health/outcome-icon.tsx';
import { meanSeconds, notableOutcome, OUTCOME_STYLE, shares } from '../health/health.ts';
import { formatDuration, formatShare, formatTraffic } from '../time/format.ts';
import type { CallFlowEdge } from './flow-types.ts';
import type { Point } from './layout.ts';

export const CallEdge = memo(function CallEdge({ id, data, sourceX, sourceY, targetX, targetY }: EdgeProps<CallFlowEdge>) {
  if (!data) return null;
  const { edge, rangeSeconds, emphasis, bends } = data;
  const self = edge.from === edge.to;
  const path = self ? selfPath(sourceX, sourceY, targetX) : edgePath({ x: sourceX, y: sourceY }, { x: targetX, y: targetY }, bends);
  const bad = notableOutcome(edge.outcomes);
  const color = bad ? OUTCOME_STYLE[bad].fill : emphasis === 'near' || emphasis === 'chosen' ? 'var(--accent)' : 'var(--edge)';
  const perMinute = (edge.outcomes.total * 60) / Math.max(rangeSeconds, 1);
  const width = Math.min(1.3 + Math.log10(1 + perMinute) * 0.7, 5) + (emphasis === 'chosen' ? 1.5 : 0);
  return (
    <g data-emphasis={emphasis} className="map-edge">
      <BaseEdge
        id={id}
        path={path.d}
        style={{ stroke: color, strokeWidth: width }}
        markerEnd={`url(#arrow-${bad ?? (color === 'var(--accent)' ? 'near' : 'plain')})`}
        interactionWidth={18}
      />
      <g className="map-edge-label" transform={`translate(${path.label.x},${path.label.y})`}>
        {bad && <Failing outcome={bad} share={shares(edge.outcomes)[bad]} />}
        <text textAnchor="middle" dy={bad ? '1.2em' : '-0.5em'}>
          {formatTraffic(edge.outcomes.total, rangeSeconds)} · {formatDuration(meanSeconds(edge.outcomes))}
        </text>
      </g>
    </g>
  );
});

type Failure = Exclude<Outcome, 'ok'>;

/** Above the line, with the outcome's own shape. */
function Failing({ outcome, share }: { readonly outcome: Failure; readonly share: number }) {
  return (
    <>
      <g transform="translate(-26,-17)">
        <OutcomeIcon outcome={outcome} size={11} />
      </g>
      <text x={-12} dy="-0.6em" style={{ fill: OUTCOME_STYLE[outcome].text }}>
        {formatShare(share)}
      </text>
    </>
  );
}

/** Arrow heads in every colour; once per map. */
export function EdgeMarkers() {
  const colors = {
    plain: 'var(--edge)',
    near: 'var(--accent)',
    error: OUTCOME_STYLE.error.fill,
    throttle: OUTCOME_STYLE.throttle.fill,
    fault: OUTCOME_STYLE.fault.fill,
  };
  return (
    <svg className="absolute size-0" aria-hidden>
      <defs>
        {Object.entries(colors).map(([name, color]) => (
          <marker
            key={name}
            id={`arrow-${name}`}
            viewBox="0 0 8 8"
            refX="7.5"
            refY="4"
            markerWidth="9"
            markerHeight="9"
            markerUnits="userSpaceOnUse"
            orient="auto"
          >
            <path d="M0 0.5 8 4 0 7.5Z" fill={color} />
          </marker>
        ))}
      </defs>
    </svg>
  );
}

interface EdgePath {
  readonly d: string;
  readonly label: Point;
}

/** A curve that leaves and arrives horizontally and passes the bends that the layout made room for. */
function edgePath(from: Point, to: Point, bends: readonly Point[]): EdgePath {
  const inner = bends.slice(1, -1);
  const via = inner.length > 1 ? inner : [];
  if (to.x <= from.x && via.length === 0) return backPath(from, to);
  const points = [from, ...via, to];
  let d = `M${from.x} ${from.y}`;
  for (let index = 1; index < points.length; index++) {
    const a = points[index - 1]!;
    const b = points[index]!;
    const middle = (a.x + b.x) / 2;
    d += `C${middle} ${a.y} ${middle} ${b.y} ${b.x} ${b.y}`;
  }
  const last = points[Math.floor(points.length / 2)]!;
  return { d, label: via.length === 0 ? { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 } : { x: last.x, y: last.y } };
}

function backPath(from: Point, to: Point): EdgePath {
  const reach = 60;
  return {
    d: `M${from.x} ${from.y}C${from.x + reach} ${from.y + reach} ${to.x - reach} ${to.y + reach} ${to.x} ${to.y}`,
    label: { x: (from.x + to.x) / 2, y: Math.max(from.y, to.y) + reach * 0.7 },
  };
}

function selfPath(right: number, y: number, left: number): EdgePath {
  return { d: `M${right} ${y}C${right + 50} ${y - 90} ${left - 50} ${y - 90} ${left} ${y}`, label: { x: (left + right) / 2, y: y - 64 } };
}
