import { useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { ArrowUp, Download } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useLive } from '../api/live.tsx';
import type { TracePage } from '../api/queries.ts';
import { useView } from '../app/view.ts';
import { formatClock, formatCount, formatShare } from '../time/format.ts';
import { Button } from '../ui/button.tsx';
import { downloadCsv } from './csv.ts';
import type { TraceList, TraceSearch } from './use-trace-search.ts';

/** A list that is longer than this is not fetched anew under the reader's eyes. */
const AUTO_REFRESH_PAGES = 3;

interface SearchProgressProps {
  readonly list: TraceList;
  readonly search: TraceSearch;
  readonly scroller: React.RefObject<HTMLDivElement | null>;
}

/** How far the search came, what it found, and what can be done with that. */
export function SearchProgress({ list, search, scroller }: SearchProgressProps) {
  const fresh = useFreshTraces(list, scroller);
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

/** While the reader is at the top of a short list, it follows what arrives; otherwise a button offers it. */
function useFreshTraces(
  list: TraceList,
  scroller: React.RefObject<HTMLDivElement | null>,
): { readonly waiting: boolean; readonly show: () => void } {
  const live = useLive();
  const client = useQueryClient();
  const { range, filter } = useView();
  const key = ['traces', range.text, filter];
  const shown = useRef({ key: '', arrivals: live.arrivals });
  const text = key.join(' ');
  if (shown.current.key !== text) shown.current = { key: text, arrivals: live.arrivals };
  const news = live.state === 'live' && live.arrivals > shown.current.arrivals;
  const pages = list.data?.pages.length ?? 0;
  const { refetch, isFetching } = list;
  useEffect(() => {
    if (!news || isFetching || pages > AUTO_REFRESH_PAGES || (scroller.current?.scrollTop ?? 0) > 4) return;
    shown.current.arrivals = live.arrivals;
    void refetch();
  }, [news, isFetching, pages, live.arrivals, refetch, scroller]);
  const show = (): void => {
    shown.current.arrivals = live.arrivals;
    scroller.current?.scrollTo({ top: 0 });
    client.setQueryData<InfiniteData<TracePage>>(
      key,
      (data) => data && { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) },
    );
    void refetch();
  };
  const away = pages > AUTO_REFRESH_PAGES || (scroller.current?.scrollTop ?? 0) > 4;
  return { waiting: news && away, show };
}
