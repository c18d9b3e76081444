import { useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useLive } from '../api/live.tsx';
import type { TracePage } from '../api/queries.ts';
import { useView } from '../app/view.ts';
import type { TraceList } from './use-trace-search.ts';

/** A list that is longer than this is not fetched anew under the reader's eyes. */
const MOST_PAGES = 3;

export interface FreshTraces {
  /** New traces have arrived that the list does not show. */
  readonly waiting: boolean;
  readonly show: () => void;
}

/** The list follows what arrives while nobody is busy with it; rows must not move away under a pointer. Otherwise a button offers the news. */
export function useFreshTraces(list: TraceList, busy: boolean, toTop: () => void): FreshTraces {
  const live = useLive();
  const client = useQueryClient();
  const { range, filter } = useView();
  const text = `${range.text} ${filter}`;
  const [shown, setShown] = useState({ text, arrivals: live.arrivals });
  if (shown.text !== text) setShown({ text, arrivals: live.arrivals });
  const news = live.state === 'live' && live.arrivals > shown.arrivals;
  const { refetch, isFetching } = list;
  const follow = news && !busy && !isFetching && (list.data?.pages.length ?? 0) <= MOST_PAGES;
  useEffect(() => {
    if (!follow) return;
    void refetch().then(() => setShown({ text, arrivals: live.arrivals }));
    // The number of arrivals is read, not waited for: one answer shows all that came before it.
    // oxlint-disable-next-line react-hooks/exhaustive-deps, react/exhaustive-effect-dependencies
  }, [follow, refetch]);
  const show = (): void => {
    setShown({ text, arrivals: live.arrivals });
    toTop();
    client.setQueryData<InfiniteData<TracePage>>(
      ['traces', range.text, filter],
      (data) => data && { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) },
    );
    void refetch();
  };
  return { waiting: news && !follow && !isFetching, show };
}
