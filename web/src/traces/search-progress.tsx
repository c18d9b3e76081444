import { ArrowUp, Download } from 'lucide-react';
import { formatClock, formatCount, formatShare } from '../time/format.ts';
import { Button } from '../ui/button.tsx';
import { downloadCsv } from './csv.ts';
import type { FreshTraces } from './use-fresh-traces.ts';
import type { TraceList, TraceSearch } from './use-trace-search.ts';

interface SearchProgressProps {
  readonly list: TraceList;
  readonly search: TraceSearch;
  readonly fresh: FreshTraces;
}

/** How far the search came, what it found, and what can be done with that. */
export function SearchProgress({ list, search, fresh }: SearchProgressProps) {
  const found = `${formatCount(search.traces.length)} found, ${formatCount(search.scanned)} traces scanned`;
  const reach = search.reachedSeconds === undefined ? '' : `, back to ${formatClock(search.reachedSeconds)}`;
  return (
    <div className="relative flex h-9 items-center gap-3 px-3 text-xs">
      <span role="status" data-testid="search-progress" className="text-muted">
        {list.data ? `${found}${reach}` : 'Searching…'}
        {list.data && search.reachedSeconds !== undefined && ` (${formatShare(search.progress)} of the range)`}
      </span>
      {list.hasNextPage && (search.searching || search.stopped) && search.traces.length < 60 && (
        <button type="button" className="text-accent underline" onClick={() => search.setStopped(!search.stopped)}>
          {search.stopped ? 'Go on searching' : 'Stop'}
        </button>
      )}
      {fresh.waiting && (
        <Button look="solid" className="h-6! rounded-full! px-3! text-xs!" onClick={fresh.show}>
          <ArrowUp size={12} aria-hidden /> New traces
        </Button>
      )}
      <Button
        look="ghost"
        className="ml-auto h-7! text-xs!"
        disabled={search.traces.length === 0}
        onClick={() => downloadCsv(search.traces)}
        title="The loaded traces as a CSV file"
      >
        <Download size={13} aria-hidden /> Export {formatCount(search.traces.length)} as CSV
      </Button>
      <span
        aria-hidden
        className="absolute bottom-0 left-0 h-0.5 bg-accent transition-[width,opacity] duration-300"
        style={{ width: `${search.progress * 100}%`, opacity: list.isFetching && search.progress < 1 ? 1 : 0 }}
      />
    </div>
  );
}
