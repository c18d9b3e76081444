import type { Outcomes } from '../core.ts';
import { OUTCOME_STYLE, OUTCOMES, shares } from './health.ts';

/** Failing arcs are drawn at least this long (share of the circle), so that one fault in a million is still seen. */
const MIN_ARC = 0.035;

interface RingProps {
  readonly outcomes: Outcomes | undefined;
  readonly size: number;
  readonly children?: React.ReactNode;
}

/** Outcomes as a ring; failing arcs are thicker than the healthy one, which also tells them apart without colour. */
export function HealthRing({ outcomes, size, children }: RingProps) {
  const radius = size / 2 - 4;
  const around = 2 * Math.PI * radius;
  let start = 0;
  return (
    <span className="relative inline-grid shrink-0 place-items-center" style={{ width: size, height: size }}>
      <svg width={size} height={size} className="absolute inset-0 -rotate-90" aria-hidden>
        <circle
          cx={size / 2}
          cy={size / 2}
          r={radius}
          fill="none"
          stroke="var(--line-strong)"
          strokeWidth={outcomes ? 2 : 1.5}
          strokeDasharray={outcomes ? 'none' : '3 3'}
        />
        {outcomes &&
          arcs(outcomes).map(({ outcome, share }) => {
            const arc = (
              <circle
                key={outcome}
                cx={size / 2}
                cy={size / 2}
                r={radius}
                fill="none"
                stroke={OUTCOME_STYLE[outcome].fill}
                strokeWidth={outcome === 'ok' ? 3 : 6}
                strokeDasharray={`${Math.max(share * around - (share < 1 ? 1 : 0), 0.5)} ${around}`}
                strokeDashoffset={-start * around}
              />
            );
            start += share;
            return arc;
          })}
      </svg>
      <span className="relative">{children}</span>
    </span>
  );
}

function arcs(outcomes: Outcomes): { outcome: (typeof OUTCOMES)[number]; share: number }[] {
  const parts = shares(outcomes);
  const raised = OUTCOMES.filter((outcome) => parts[outcome] > 0).map((outcome) => ({
    outcome,
    share: Math.max(parts[outcome], MIN_ARC),
  }));
  const sum = raised.reduce((total, arc) => total + arc.share, 0) || 1;
  return raised.map((arc) => ({ ...arc, share: arc.share / sum }));
}
