import { OUTCOME_STYLE, OUTCOMES } from './health.ts';
import { OutcomeIcon } from './outcome-icon.tsx';

export function OutcomeLegend() {
  return (
    <ul aria-label="Legend" className="flex gap-3 rounded-md border border-line bg-panel/90 px-2.5 py-1 text-xs">
      {OUTCOMES.toReversed().map((outcome) => (
        <li key={outcome} className="flex items-center gap-1.5" title={OUTCOME_STYLE[outcome].meaning}>
          <OutcomeIcon outcome={outcome} size={12} />
          {OUTCOME_STYLE[outcome].label}
        </li>
      ))}
    </ul>
  );
}
