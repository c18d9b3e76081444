import type { Outcome, Outcomes } from '../core.ts';
import { disjointCounts, OUTCOME_STYLE, OUTCOMES } from '../health/health.ts';
import { OutcomeIcon } from '../health/outcome-icon.tsx';
import { formatCount, formatShare } from '../time/format.ts';

interface OutcomeChoiceProps {
  readonly outcomes: Outcomes;
  readonly chosen: ReadonlySet<Outcome>;
  readonly onChange: (chosen: ReadonlySet<Outcome>) => void;
}

/** Counts and shares by outcome; the ticks say which of them 'view traces' asks for. */
export function OutcomeChoice({ outcomes, chosen, onChange }: OutcomeChoiceProps) {
  const counts = disjointCounts(outcomes);
  const toggle = (outcome: Outcome): void => {
    const next = new Set(chosen);
    if (!next.delete(outcome)) next.add(outcome);
    onChange(next);
  };
  return (
    <fieldset className="flex flex-col">
      <legend className="sr-only">Outcomes to view</legend>
      {OUTCOMES.toReversed().map((outcome) => {
        const share = outcomes.total > 0 ? counts[outcome] / outcomes.total : 0;
        return (
          <label
            key={outcome}
            title={OUTCOME_STYLE[outcome].meaning}
            className="grid cursor-pointer grid-cols-[auto_5.5rem_1fr_4.5rem_4rem] items-center gap-2 rounded px-1 py-1 hover:bg-sunken"
          >
            <input
              type="checkbox"
              checked={chosen.has(outcome)}
              onChange={() => toggle(outcome)}
              className="size-3.5 accent-(--accent-fill)"
            />
            <span className="inline-flex items-center gap-1.5">
              <OutcomeIcon outcome={outcome} /> {OUTCOME_STYLE[outcome].label}
            </span>
            <span className="h-1.5 overflow-hidden rounded-full bg-sunken">
              <span
                className="block h-full rounded-full"
                style={{ width: `${share === 0 ? 0 : Math.max(share * 100, 2)}%`, background: OUTCOME_STYLE[outcome].fill }}
              />
            </span>
            <span className="text-right">{formatCount(counts[outcome])}</span>
            <span className="text-right text-muted">{formatShare(share)}</span>
          </label>
        );
      })}
    </fieldset>
  );
}
