/**
 * Live updates: one event stream while the range is relative and the tab is seen (browsers allow six connections to a host, and
 * people on call have many tabs). New data invalidates what is shown, at most every two seconds.
 */
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { createContext, use, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { useServices } from './context.tsx';
import { LIVE_KEYS } from './queries.ts';

const THROTTLE_MS = 2000;
const RETRY_MS = 2000;
/** A moving range also moves when nothing arrives, and the map's sums follow the traces by some seconds. */
const MOVE_MS = 15_000;

export interface Live {
  /** `off`: the range does not move, nothing to follow. */
  readonly state: 'off' | 'paused' | 'connecting' | 'live';
  readonly togglePause: () => void;
  /** Counts announcements of new data since the page was opened. */
  readonly arrivals: number;
}

const LiveContext = createContext<Live>({ state: 'off', togglePause: () => undefined, arrivals: 0 });

export const useLive = (): Live => use(LiveContext);

export function LiveProvider({ follows, children }: { readonly follows: boolean; readonly children: React.ReactNode }) {
  const client = useQueryClient();
  const [paused, setPaused] = useState(false);
  const [arrivals, setArrivals] = useState(0);
  const lost = useServerLost();
  const seen = useSeen();
  const wanted = follows && !paused && !lost && seen;
  const arrived = useCallback(() => {
    setArrivals((count) => count + 1);
    refresh(client);
  }, [client]);
  const open = useEventStream(wanted, arrived, client);
  useRetry(lost, client);
  const state = !follows ? 'off' : paused ? 'paused' : open ? 'live' : 'connecting';
  const live = useMemo((): Live => ({ state, arrivals, togglePause: () => setPaused((was) => !was) }), [state, arrivals]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

function refresh(client: QueryClient): void {
  for (const key of LIVE_KEYS) void client.invalidateQueries({ queryKey: [key] });
  void client.invalidateQueries({
    predicate: (query) => query.queryKey[0] === 'trace' && (query.state.data as { partial?: boolean } | undefined)?.partial === true,
  });
}

function useEventStream(wanted: boolean, arrived: () => void, client: QueryClient): boolean {
  const [open, setOpen] = useState(false);
  const { connection, api } = useServices();
  useEffect(() => {
    if (!wanted) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = 0;
    const source = new EventSource('/api/v1/live');
    source.onopen = () => setOpen(true);
    const moving = setInterval(() => refresh(client), MOVE_MS);
    source.onmessage = () => {
      if (timer !== undefined) return;
      timer = setTimeout(
        () => {
          timer = undefined;
          last = Date.now();
          arrived();
        },
        Math.max(0, last + THROTTLE_MS - Date.now()),
      );
    };
    // The browser tries again by itself; meanwhile we ask whether the server is there at all.
    source.onerror = () => {
      setOpen(false);
      api.status().catch(() => connection.state());
    };
    return () => {
      source.close();
      clearTimeout(timer);
      clearInterval(moving);
      setOpen(false);
    };
  }, [wanted, arrived, api, connection, client]);
  return open;
}

/** While the server is lost, asks for its status until it answers; then everything shown is asked for again. */
function useRetry(lost: boolean, client: QueryClient): void {
  const { api } = useServices();
  useEffect(() => {
    if (!lost) return;
    const timer = setInterval(() => {
      api.status().then(
        () => void client.invalidateQueries(),
        () => undefined,
      );
    }, RETRY_MS);
    return () => clearInterval(timer);
  }, [lost, api, client]);
}

export function useServerLost(): boolean {
  const { connection } = useServices();
  return useSyncExternalStore(connection.subscribe, connection.state) === 'lost';
}

function useSeen(): boolean {
  return useSyncExternalStore(subscribeVisibility, () => document.visibilityState === 'visible');
}

function subscribeVisibility(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener);
  return () => document.removeEventListener('visibilitychange', listener);
}
