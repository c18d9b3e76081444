import { Search, X } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useNavigate } from '@tanstack/react-router';
import { ApiFailure } from '../api/client.ts';
import { parseTraceId, toXRayTraceId, type NamesAnswer } from '../core.ts';
import { Button, IconButton } from '../ui/button.tsx';
import { checkFilter, FILTER_HINT, type FilterProblem } from './language.ts';

const FilterEditor = lazy(() => import('./filter-editor.tsx'));

interface FilterBoxProps {
  /** The expression in force. */
  readonly value: string;
  readonly names: NamesAnswer | undefined;
  /** What the server said to it. */
  readonly error: unknown;
  readonly onApply: (text: string) => void;
}

/** The filter expression, with completion and the place of a mistake; a pasted trace id opens the trace. */
export function FilterBox({ value, names, error, onApply }: FilterBoxProps) {
  const navigate = useNavigate();
  const [draft, setDraft] = useState<{ readonly base: string; readonly text: string }>({ base: value, text: value });
  const [local, setLocal] = useState<FilterProblem | undefined>();
  const text = draft.base === value ? draft.text : value;
  const fromServer = text === value ? toProblem(error) : undefined;
  const problem = local ?? fromServer;
  const apply = (next: string): void => {
    const id = parseTraceId(next.trim());
    const mistake = id ? undefined : checkFilter(next);
    setLocal(mistake);
    if (id) void navigate({ to: '/traces/$traceId', params: { traceId: toXRayTraceId(id) }, search: {} });
    else if (!mistake) onApply(next.trim());
  };
  return (
    <div className="relative">
      <div
        className={`flex min-h-9 items-center gap-2 rounded-lg border bg-panel pr-1 pl-2.5 focus-within:border-accent ${problem ? 'border-fault-fill' : 'border-line-strong'}`}
        data-testid="filter-box"
      >
        <Search size={15} className="shrink-0 text-muted" aria-hidden />
        <div className="min-w-0 flex-1">
          <Suspense fallback={<PlainInput text={text} onChange={(next) => setDraft({ base: value, text: next })} onApply={apply} />}>
            <FilterEditor
              text={text}
              names={names}
              problem={problem}
              onChange={(next) => setDraft({ base: value, text: next })}
              onProblem={setLocal}
              onApply={apply}
            />
          </Suspense>
        </div>
        {text !== '' && (
          <IconButton
            label="Clear the filter"
            className="h-6! w-6!"
            onClick={() => {
              setDraft({ base: value, text: '' });
              apply('');
            }}
          >
            <X size={14} />
          </IconButton>
        )}
        <Button look={text.trim() === value ? 'ghost' : 'solid'} className="h-7!" onClick={() => apply(text)}>
          Apply
        </Button>
      </div>
      {problem && <ProblemLine problem={problem} />}
    </div>
  );
}

const FIELD_TEXT = 'font-mono text-[13px] leading-[1.45]';

function PlainInput({
  text,
  onChange,
  onApply,
}: {
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly onApply: (text: string) => void;
}) {
  return (
    <input
      aria-label="Filter expression"
      value={text}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={(event) => event.key === 'Enter' && onApply(text)}
      placeholder={FILTER_HINT}
      spellCheck={false}
      className={`w-full bg-transparent outline-none placeholder:text-faint ${FIELD_TEXT}`}
    />
  );
}

/** Hangs below the box, over what follows, so that nothing moves while someone types. */
function ProblemLine({ problem }: { readonly problem: FilterProblem }) {
  return (
    <p
      role="alert"
      data-testid="filter-error"
      data-position={problem.position}
      className="absolute top-full left-0 z-30 mt-1 rounded-md border border-fault-fill bg-raised px-2.5 py-1 text-xs shadow-pop"
    >
      <span className="font-medium text-fault">Not applied. </span>
      {problem.message}
    </p>
  );
}

function toProblem(error: unknown): FilterProblem | undefined {
  if (!(error instanceof ApiFailure) || error.position === undefined) return undefined;
  return { message: error.message, position: error.position, length: 1 };
}
