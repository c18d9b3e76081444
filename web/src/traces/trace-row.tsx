import { Link } from '@tanstack/react-router';
import { memo } from 'react';
import type { TraceListItem } from '../core.ts';
import { OutcomeLabel } from '../health/outcome-icon.tsx';
import { formatClock, formatDay, formatDuration, formatMoment, formatUtc } from '../time/format.ts';

export const TRACE_GRID =
  'grid min-w-[1320px] grid-cols-[92px_132px_76px_76px_60px_minmax(240px,2fr)_44px_130px_80px_minmax(140px,1fr)_minmax(140px,1fr)] items-center gap-x-3 px-3';

interface TraceRowProps {
  readonly trace: TraceListItem;
  readonly index: number;
  readonly top: number;
  readonly height: number;
  readonly current: boolean;
  /** Epoch seconds, about. */
  readonly now: number;
  readonly onChoose: (id: string) => void;
}

/** One trace. The link covers the whole row, so that a middle click opens it in a tab. */
export const TraceRow = memo(function TraceRow({ trace, index, top, height, current, now, onChoose }: TraceRowProps) {
  const { http } = trace;
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-current={current || undefined}
      data-testid="trace-row"
      className={`absolute left-0 w-full border-b border-line whitespace-nowrap hover:bg-panel aria-current:bg-accent-soft ${TRACE_GRID}`}
      style={{ top, height }}
    >
      <div role="cell">
        <OutcomeLabel outcome={trace.outcome} />
      </div>
      <div role="cell" className="text-right" title={`${formatMoment(trace.startSeconds)} local\n${formatUtc(trace.startSeconds)}`}>
        <Link
          to="/traces/$traceId"
          params={{ traceId: trace.id }}
          search={{}}
          preload={false}
          onClick={() => onChoose(trace.id)}
          aria-label={`Trace of ${formatMoment(trace.startSeconds)}: ${http.method ?? ''} ${http.url ?? trace.entry?.name ?? trace.id}`}
          className="outline-offset-[-2px] after:absolute after:inset-0"
        >
          <Moment seconds={trace.startSeconds} now={now} />
        </Link>
      </div>
      <div role="cell" className="text-right font-medium">
        {trace.responseSeconds === undefined ? (
          <span className="font-normal text-muted">pending</span>
        ) : (
          formatDuration(trace.responseSeconds)
        )}
      </div>
      <div role="cell" className="text-right text-muted">
        {formatDuration(trace.durationSeconds)}
      </div>
      <div role="cell" className="text-muted">
        {http.method ?? '–'}
      </div>
      <div role="cell" className="truncate" title={http.url}>
        <Url url={http.url} />
        {trace.partial && (
          <span
            className="ml-2 rounded border border-line-strong px-1 text-2xs text-muted"
            title="Some of it is still in progress or never reported its end"
          >
            partial
          </span>
        )}
      </div>
      <div role="cell" className="text-right">
        {http.status ?? '–'}
      </div>
      <div role="cell" className="truncate" title={trace.entry?.type}>
        {trace.entry?.name ?? <span className="text-muted">none received</span>}
      </div>
      <div role="cell" className="truncate">
        {trace.users.join(', ') || <span className="text-faint">–</span>}
      </div>
      <div role="cell" className="truncate text-xs text-muted" title={annotationText(trace)}>
        {annotationText(trace) || '–'}
      </div>
      <div role="cell" className="truncate text-xs text-muted" title={trace.nodes.join('\n')}>
        {trace.nodes.length}: {trace.nodes.join(', ')}
      </div>
    </div>
  );
});

/** The day only when it is not today's. */
function Moment({ seconds, now }: { readonly seconds: number; readonly now: number }) {
  const ms = Math.floor((seconds % 1) * 1000)
    .toString()
    .padStart(3, '0');
  const today = formatDay(seconds) === formatDay(now);
  return (
    <>
      {!today && <span className="text-muted">{formatDay(seconds).slice(4)} </span>}
      {formatClock(seconds)}
      <span className="text-faint">.{ms}</span>
    </>
  );
}

function Url({ url }: { readonly url: string | undefined }) {
  if (url === undefined) return <span className="text-faint">–</span>;
  const match = /^([a-z]+:\/\/[^/]+)(\/.*)?$/i.exec(url);
  if (!match) return url;
  return (
    <>
      <span className="text-muted">{match[1]}</span>
      {match[2]}
    </>
  );
}

function annotationText(trace: TraceListItem): string {
  return Object.entries(trace.annotations)
    .map(([key, values]) => `${key}=${values.join('|')}`)
    .join('  ');
}
