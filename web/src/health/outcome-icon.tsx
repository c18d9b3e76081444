import type { Outcome } from '../core.ts';
import { OUTCOME_STYLE } from './health.ts';

/** A shape for each outcome, so that colour is never the only sign: disc with tick, triangle, hourglass, octagon with cross. */
export function OutcomeIcon({ outcome, size = 14 }: { readonly outcome: Outcome; readonly size?: number }) {
  const style = OUTCOME_STYLE[outcome];
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      role="img"
      aria-label={style.label}
      className="shrink-0"
      style={{ color: style.fill }}
    >
      {SHAPES[outcome]}
    </svg>
  );
}

const mark = { fill: 'none', stroke: 'var(--panel)', strokeWidth: 1.8, strokeLinecap: 'round', strokeLinejoin: 'round' } as const;

const SHAPES = {
  ok: (
    <>
      <circle cx="8" cy="8" r="6.5" fill="currentColor" />
      <path d="M5 8.3 7.2 10.5 11 6" {...mark} />
    </>
  ),
  error: (
    <>
      <path d="M8 1.5 15 14H1Z" fill="currentColor" stroke="currentColor" strokeLinejoin="round" />
      <path d="M8 6v3.5M8 11.8v.1" {...mark} />
    </>
  ),
  throttle: (
    <>
      <rect x="1.5" y="1.5" width="13" height="13" rx="2" fill="currentColor" />
      <path d="M5 4.5h6L5 11.5h6Z" {...mark} strokeWidth={1.5} />
    </>
  ),
  fault: (
    <>
      <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5Z" fill="currentColor" />
      <path d="m5.7 5.7 4.6 4.6m0-4.6-4.6 4.6" {...mark} />
    </>
  ),
} satisfies Record<Outcome, React.ReactNode>;

/** Icon and word. */
export function OutcomeLabel({ outcome }: { readonly outcome: Outcome }) {
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <OutcomeIcon outcome={outcome} />
      <span aria-hidden style={{ color: OUTCOME_STYLE[outcome].text }}>
        {OUTCOME_STYLE[outcome].label}
      </span>
    </span>
  );
}
