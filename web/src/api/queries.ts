/** Every question the page asks, with its cache key. Keys begin with the word that live updates invalidate by. */
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import type { TraceListAnswer } from '../core.ts';
import { resolveRange, type TimeRange } from '../time/range.ts';
import type { Bounds } from './client.ts';
import { useServices } from './context.tsx';

/** Asked again when new data is announced. */
export const LIVE_KEYS = ['graph', 'activity', 'status'] as const;

const PAGE_SIZE = 200;

export function useGraph(range: TimeRange, filter: string) {
  const { api } = useServices();
  return useQuery({
    queryKey: ['graph', range.text, filter],
    queryFn: ({ signal }) => api.graph(resolveRange(range), filter, signal),
    placeholderData: keepPreviousData,
  });
}

export function useActivity(range: TimeRange) {
  const { api } = useServices();
  return useQuery({
    queryKey: ['activity', range.text],
    queryFn: ({ signal }) => api.activity(resolveRange(range), signal),
    placeholderData: keepPreviousData,
  });
}

export function useNames(range: TimeRange) {
  const { api } = useServices();
  return useQuery({
    queryKey: ['names', range.text],
    queryFn: ({ signal }) => api.names(resolveRange(range), signal),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
}

export function useStatus(refetchMs?: number) {
  const { api } = useServices();
  return useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => api.status(signal),
    ...(refetchMs === undefined ? {} : { refetchInterval: refetchMs }),
  });
}

interface ListPosition {
  /** Fixed by the first page, so that the pages of a moving range fit together. */
  readonly bounds: Bounds;
  readonly cursor: string;
}

export interface TracePage extends TraceListAnswer {
  readonly bounds: Bounds;
}

export function useTraceList(range: TimeRange, filter: string) {
  const { api } = useServices();
  return useInfiniteQuery({
    queryKey: ['traces', range.text, filter],
    initialPageParam: undefined as ListPosition | undefined,
    queryFn: async ({ pageParam, signal }): Promise<TracePage> => {
      const bounds = pageParam?.bounds ?? resolveRange(range);
      return { ...(await api.traces(bounds, filter, PAGE_SIZE, pageParam?.cursor, signal)), bounds };
    },
    getNextPageParam: (last): ListPosition | undefined =>
      last.cursor === undefined ? undefined : { bounds: last.bounds, cursor: last.cursor },
    placeholderData: keepPreviousData,
  });
}

export function useTrace(id: string) {
  const { api } = useServices();
  return useQuery({ queryKey: ['trace', id], queryFn: ({ signal }) => api.trace(id, signal) });
}

export function useSegment(traceId: string, spanId: string | undefined) {
  const { api } = useServices();
  return useQuery({
    queryKey: ['trace', traceId, 'segment', spanId],
    queryFn: ({ signal }) => api.segment(traceId, spanId!, signal),
    enabled: spanId !== undefined,
    placeholderData: keepPreviousData,
  });
}
