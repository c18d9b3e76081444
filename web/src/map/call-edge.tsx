import { BaseEdge, type EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import type { Outcomes } from '../core.ts';
import { meanSeconds, OUTCOME_STYLE, OUTCOMES, shares } from '../health/health.ts';
import { formatDuration, formatRate, formatShare } from '../time/format.ts';
import type { CallFlowEdge } from './flow-types.ts';
import type { Point } from './layout.ts';

/** Below this share a failure is told in the panel only: one lost request in a thousand should not paint the map. */
const NOTABLE = 0.01;

const SIGNS = { fault: '✕', throttle: '⧗', error: '▲' } as const;

export const CallEdge = memo(function CallEdge({ id, data, sourceX, sourceY, targetX, targetY }: EdgeProps<CallFlowEdge>) {
  if (!data) return null;
  const { edge, rangeSeconds, emphasis, bends } = data;
  const self = edge.from === edge.to;
  const path = self ? selfPath(sourceX, sourceY, targetX) : edgePath({ x: sourceX, y: sourceY }, { x: targetX, y: targetY }, bends);
  const bad = notableOutcome(edge.outcomes);
  const color = bad ? OUTCOME_STYLE[bad].fill : emphasis === 'near' || emphasis === 'chosen' ? 'var(--accent)' : 'var(--edge)';
  const perMinute = (edge.outcomes.total * 60) / Math.max(rangeSeconds, 1);
  const width = Math.min(1.3 + Math.log10(1 + perMinute) * 0.7, 5) + (emphasis === 'chosen' ? 1.5 : 0);
  const share = bad ? `${SIGNS[bad]} ${formatShare(shares(edge.outcomes)[bad])} · ` : '';
  return (
    <g data-emphasis={emphasis} className="map-edge">
      <BaseEdge id={id} path={path.d} style={{ stroke: color, strokeWidth: width }} markerEnd={`url(#arrow-${bad ?? (color === 'var(--accent)' ? 'near' : 'plain')})`} interactionWidth={18} />
      <text x={path.label.x} y={path.label.y} className="map-edge-label" textAnchor="middle" dy="-0.4em" style={bad ? { fill: OUTCOME_STYLE[bad].text } : undefined}>
        {share}
        {formatRate(edge.outcomes.total, rangeSeconds)} · {formatDuration(meanSeconds(edge.outcomes))}
      </text>
    </g>
  );
});

function notableOutcome(outcomes: Outcomes): keyof typeof SIGNS | undefined {
  const parts = shares(outcomes);
  return OUTCOMES.find((outcome): outcome is keyof typeof SIGNS => outcome !== 'ok' && parts[outcome] >= NOTABLE);
}

/** Arrow heads in every colour; once per map. */
export function EdgeMarkers() {
  const colors = { plain: 'var(--edge)', near: 'var(--accent)', error: OUTCOME_STYLE.error.fill, throttle: OUTCOME_STYLE.throttle.fill, fault: OUTCOME_STYLE.fault.fill };
  return (
    <svg className="absolute size-0" aria-hidden>
      <defs>
        {Object.entries(colors).map(([name, color]) => (
          <marker key={name} id={`arrow-${name}`} viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">
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
  return { d: `M${from.x} ${from.y}C${from.x + reach} ${from.y + reach} ${to.x - reach} ${to.y + reach} ${to.x} ${to.y}`, label: { x: (from.x + to.x) / 2, y: Math.max(from.y, to.y) + reach * 0.7 } };
}

function selfPath(right: number, y: number, left: number): EdgePath {
  return { d: `M${right} ${y}C${right + 50} ${y - 90} ${left - 50} ${y - 90} ${left} ${y}`, label: { x: (left + right) / 2, y: y - 64 } };
}
