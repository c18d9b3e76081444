import { useEffect, useMemo, useState } from 'react';
import type { useTraceList } from '../api/queries.ts';
import type { TraceListItem } from '../core.ts';
import type { SortState } from '../ui/sort-header.tsx';

export type TraceList = ReturnType<typeof useTraceList>;

/** A filter that seldom matches gives empty pages; the search goes on by itself until this many are found. */
const ENOUGH = 60;

export interface TraceSearch {
  readonly traces: readonly TraceListItem[];
  readonly scanned: number;
  /** 0–1 of the time range. */
  readonly progress: number;
  readonly reachedSeconds: number | undefined;
  readonly searching: boolean;
  readonly stopped: boolean;
  readonly setStopped: (stopped: boolean) => void;
}

export function useTraceSearch(list: TraceList, sort: SortState): TraceSearch {
  const [stopped, setStopped] = useState(false);
  const pages = list.data?.pages;
  const traces = useMemo(
    () => sortTraces(unique(pages?.flatMap((page) => page.traces) ?? []), sort.column, sort.descending),
    [pages, sort.column, sort.descending],
  );
  const wantsMore = list.hasNextPage && !list.isFetching && !list.isPlaceholderData && !list.isError && !stopped && traces.length < ENOUGH;
  const { fetchNextPage } = list;
  useEffect(() => {
    if (wantsMore) void fetchNextPage({ cancelRefetch: false });
  }, [wantsMore, fetchNextPage]);
  const last = pages?.at(-1);
  const bounds = last?.bounds;
  const progress = !last || !bounds ? 0 : last.cursor === undefined ? 1 : (bounds.to - last.reachedSeconds) / (bounds.to - bounds.from);
  return {
    traces,
    scanned: pages?.reduce((sum, page) => sum + page.scanned, 0) ?? 0,
    progress: Math.min(Math.max(progress, 0), 1),
    reachedSeconds: last?.cursor === undefined ? undefined : last.reachedSeconds,
    searching: list.isFetching || wantsMore,
    stopped,
    setStopped,
  };
}

/** A trace that grew while we paged may come twice. */
function unique(traces: readonly TraceListItem[]): TraceListItem[] {
  return [...new Map(traces.map((trace) => [trace.id, trace])).values()];
}

const VALUES: Readonly<Record<string, (trace: TraceListItem) => string | number>> = {
  start: (trace) => trace.startSeconds,
  outcome: (trace) => ['ok', 'error', 'throttle', 'fault'].indexOf(trace.outcome),
  response: (trace) => trace.responseSeconds ?? -1,
  duration: (trace) => trace.durationSeconds,
  method: (trace) => trace.http.method ?? '',
  url: (trace) => trace.http.url ?? '',
  status: (trace) => trace.http.status ?? 0,
  entry: (trace) => trace.entry?.name ?? '',
  user: (trace) => trace.users[0] ?? '',
  nodes: (trace) => trace.nodes.length,
};

export function sortTraces(traces: TraceListItem[], column: string, descending: boolean): readonly TraceListItem[] {
  const read = VALUES[column];
  if (!read || (column === 'start' && descending)) return traces;
  const sign = descending ? -1 : 1;
  return traces.toSorted((a, b) => {
    const [x, y] = [read(a), read(b)];
    return sign * (typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y)) || b.startSeconds - a.startSeconds;
  });
}
