/** Whether the server answers; the banner and the retry loop look here. */
export interface Connection {
  readonly state: () => 'alive' | 'lost';
  readonly reportLost: () => void;
  readonly reportAlive: () => void;
  /** For `useSyncExternalStore`; returns the unsubscriber. */
  readonly subscribe: (listener: () => void) => () => void;
}

export function createConnection(): Connection {
  let state: 'alive' | 'lost' = 'alive';
  const listeners = new Set<() => void>();
  const change = (next: 'alive' | 'lost'): void => {
    if (state === next) return;
    state = next;
    for (const listener of listeners) listener();
  };
  return {
    state: () => state,
    reportLost: () => change('lost'),
    reportAlive: () => change('alive'),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
