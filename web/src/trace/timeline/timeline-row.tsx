import { ChevronDown, ChevronRight } from 'lucide-react';
import { memo } from 'react';
import type { TimelineRow as Row } from '../../core.ts';
import { OUTCOME_STYLE } from '../../health/health.ts';
import { OutcomeIcon } from '../../health/outcome-icon.tsx';
import { formatDuration } from '../../time/format.ts';
import { ROW_HEIGHT } from './paint.ts';

const INDENT = 13;
const DEEPEST_INDENT = 22;

export const rowElementId = (index: number): string => `timeline-row-${index}`;

interface TimelineRowProps {
  readonly row: Row;
  readonly index: number;
  readonly top: number;
  readonly nameWidth: number;
  readonly color: string;
  readonly traceStart: number;
  /** How many rows are below it in the tree. */
  readonly below: number;
  readonly folded: boolean;
  readonly selected: boolean;
  readonly match: boolean;
  readonly onSelect: (index: number) => void;
  readonly onToggle: (index: number) => void;
  readonly onZoom: (index: number) => void;
}

/** A row's name, and for readers without the canvas its times; the bar itself is painted below it. */
export const TimelineRow = memo(function TimelineRow(props: TimelineRowProps) {
  const { row, index, top, nameWidth, color, traceStart, below, folded, selected, match, onSelect, onToggle, onZoom } = props;
  return (
    <div
      id={rowElementId(index)}
      role="row"
      aria-level={row.depth + 1}
      aria-rowindex={index + 1}
      aria-selected={selected}
      aria-expanded={below > 0 ? !folded : undefined}
      data-testid="timeline-row"
      data-outcome={row.outcome}
      data-match={match || undefined}
      onClick={() => onSelect(index)}
      onDoubleClick={() => onZoom(index)}
      className="timeline-row absolute left-0 flex w-full cursor-pointer items-stretch"
      style={{ top, height: ROW_HEIGHT }}
    >
      <div role="gridcell" className="flex min-w-0 items-center overflow-hidden border-r border-line" style={{ width: nameWidth }}>
        <span className="h-full w-1 shrink-0" style={{ background: color, opacity: row.inferred ? 0.4 : 1 }} aria-hidden />
        <span className="shrink-0" style={{ width: Math.min(row.depth, DEEPEST_INDENT) * INDENT + 4 }} aria-hidden />
        {below > 0 ? (
          <FoldButton name={row.name} folded={folded} onClick={() => onToggle(index)} />
        ) : (
          <span className="w-4.5 shrink-0" aria-hidden />
        )}
        <Name row={row} match={match} />
        {folded && <span className="ml-1.5 shrink-0 rounded bg-sunken px-1 text-2xs text-muted">+{below}</span>}
        <Tags row={row} />
      </div>
      <div role="gridcell" className="min-w-0 flex-1">
        <span className="sr-only">{describeTimes(row, traceStart)}</span>
      </div>
    </div>
  );
});

function FoldButton({ name, folded, onClick }: { readonly name: string; readonly folded: boolean; readonly onClick: () => void }) {
  const Chevron = folded ? ChevronRight : ChevronDown;
  return (
    <button
      type="button"
      tabIndex={-1}
      aria-label={folded ? `Unfold ${name}` : `Fold ${name}`}
      className="grid size-4.5 shrink-0 place-items-center rounded text-muted hover:bg-sunken hover:text-text"
      onDoubleClick={(event) => event.stopPropagation()}
      onClick={(event) => {
        event.stopPropagation();
        onClick();
      }}
    >
      <Chevron size={13} aria-hidden />
    </button>
  );
}

function Name({ row, match }: { readonly row: Row; readonly match: boolean }) {
  const look = `${row.kind === 'segment' ? 'font-semibold' : ''} ${row.inferred ? 'text-muted' : ''} ${match ? 'rounded-sm bg-accent-soft' : ''}`;
  return (
    <>
      {row.outcome !== 'ok' && (
        <span className="mr-1">
          <OutcomeIcon outcome={row.outcome} size={13} />
        </span>
      )}
      <span
        className={`truncate ${look}`}
        title={row.name}
        style={row.outcome === 'ok' ? undefined : { color: OUTCOME_STYLE[row.outcome].text }}
      >
        {row.name}
      </span>
      <span className="ml-1.5 shrink-[4] truncate text-xs text-muted">{secondary(row)}</span>
    </>
  );
}

function secondary(row: Row): string {
  const path = row.url?.replace(/^[a-z]+:\/\/[^/]+/i, '') ?? '';
  return [row.method, row.kind === 'segment' ? path : '', row.status].filter((part) => part !== undefined && part !== '').join(' ');
}

const TAG = 'ml-1.5 shrink-0 rounded border border-line-strong px-1 text-2xs text-muted';

function Tags({ row }: { readonly row: Row }) {
  return (
    <>
      {row.inferred && (
        <span className={TAG} title="It sent no segment of its own; known from its caller">
          inferred
        </span>
      )}
      {row.placeholder && (
        <span className={TAG} title="Its parent was never received; this stands in for it">
          missing
        </span>
      )}
      {row.orphan && (
        <span className={TAG} title="It names a parent that was never received">
          orphan
        </span>
      )}
      {row.endSeconds === undefined && !row.placeholder && (
        <span className={TAG} title="No end was received yet">
          in progress
        </span>
      )}
    </>
  );
}

export function describeTimes(row: Row, traceStart: number): string {
  const start = `starts at ${formatDuration(row.startSeconds - traceStart)}`;
  const took = row.endSeconds === undefined ? 'in progress' : `takes ${formatDuration(row.endSeconds - row.startSeconds)}`;
  return `${start}, ${took}, ${OUTCOME_STYLE[row.outcome].label}`;
}
