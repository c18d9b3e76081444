import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useKeys } from '../app/keys.ts';
import type { TraceListItem } from '../core.ts';
import { useNow } from '../time/use-now.ts';
import { useRows } from '../ui/use-rows.ts';
import { Spinner } from '../ui/skeleton.tsx';
import { SortButton, type SortState } from '../ui/sort-header.tsx';
import { TraceRow, TRACE_GRID } from './trace-row.tsx';
import type { TraceList } from './use-trace-search.ts';

const ROW_HEIGHT = 32;

const COLUMNS: readonly (readonly [string, string, boolean])[] = [
  ['outcome', 'Outcome', false],
  ['start', 'Started', true],
  ['response', 'Response', true],
  ['duration', 'Duration', true],
  ['method', 'Method', false],
  ['url', 'URL', false],
  ['status', 'Code', true],
  ['entry', 'Entry', false],
  ['user', 'User', false],
  ['', 'Annotations', false],
  ['nodes', 'Nodes', false],
];

interface TraceTableProps {
  readonly list: TraceList;
  readonly traces: readonly TraceListItem[];
  readonly sort: SortState;
  readonly onSort: (sort: string) => void;
  readonly scroller: React.RefObject<HTMLDivElement | null>;
  /** The reader is busy with the rows: points at them or has scrolled down. */
  readonly onBusy: (busy: boolean) => void;
  /** Under which the cursor is remembered while a trace is looked at. */
  readonly memory: string;
}

export function TraceTable({ list, traces, sort, onSort, scroller, memory, onBusy }: TraceTableProps) {
  const virtual = useRows({ count: traces.length, scroller, rowHeight: ROW_HEIGHT, overscan: 12, head: ROW_HEIGHT + 2 });
  const now = useNow(60);
  const items = virtual.getVirtualItems();
  const nearEnd = (items.at(-1)?.index ?? 0) >= traces.length - 30;
  const { hasNextPage, isFetching, isError, fetchNextPage } = list;
  useEffect(() => {
    if (nearEnd && hasNextPage && !isFetching && !isError && traces.length >= 60) void fetchNextPage({ cancelRefetch: false });
  }, [nearEnd, hasNextPage, isFetching, isError, fetchNextPage, traces.length]);
  const { cursor, setCursor } = useCursor(traces, memory, (index) => virtual.scrollToIndex(index));
  return (
    <div
      ref={scroller}
      className={`h-full overflow-auto transition-opacity ${list.isPlaceholderData ? 'opacity-50' : ''}`}
      onPointerEnter={() => onBusy(true)}
      onPointerLeave={(event) => onBusy(event.currentTarget.scrollTop > 4)}
      role="table"
      aria-label="Traces"
      aria-rowcount={traces.length + 1}
      aria-busy={list.isFetching}
    >
      <Head sort={sort} onSort={onSort} />
      <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const trace = traces[item.index];
          return (
            trace && (
              <TraceRow
                key={trace.id}
                trace={trace}
                index={item.index}
                top={item.start}
                height={ROW_HEIGHT}
                current={trace.id === cursor}
                now={now}
                onChoose={setCursor}
              />
            )
          );
        })}
      </div>
      <div className="sticky left-0 flex h-10 items-center justify-center text-xs text-muted">
        {list.isFetchingNextPage ? (
          <Spinner label="Looking further back…" />
        ) : list.hasNextPage ? (
          sort.column === 'start' ? (
            ''
          ) : (
            'Sorted among what is loaded; scroll on for older traces.'
          )
        ) : (
          'That is all in this time range.'
        )}
      </div>
    </div>
  );
}

function Head({ sort, onSort }: Pick<TraceTableProps, 'sort' | 'onSort'>) {
  return (
    <div
      role="row"
      aria-rowindex={1}
      className={`sticky top-0 z-10 border-b border-line bg-bg ${TRACE_GRID}`}
      style={{ height: ROW_HEIGHT }}
    >
      {COLUMNS.map(([column, label, numeric]) => (
        <div
          key={label}
          role="columnheader"
          aria-sort={sort.column === column ? (sort.descending ? 'descending' : 'ascending') : 'none'}
          className={numeric ? 'text-right' : ''}
        >
          {column === '' ? (
            <span className="text-xs text-muted">{label}</span>
          ) : (
            <SortButton column={column} label={label} numeric={numeric} sort={sort} onSort={onSort} />
          )}
        </div>
      ))}
    </div>
  );
}

/** The row that j and k move and Enter opens; it is still there on the way back from the trace. */
function useCursor(
  traces: readonly TraceListItem[],
  memory: string,
  reveal: (index: number) => void,
): { readonly cursor: string | undefined; readonly setCursor: (id: string) => void } {
  const client = useQueryClient();
  const navigate = useNavigate();
  const key = ['cursor', memory];
  const [cursor, setState] = useState(() => client.getQueryData<string>(key));
  const setCursor = (id: string): void => {
    setState(id);
    client.setQueryData(key, id);
  };
  const index = traces.findIndex((trace) => trace.id === cursor);
  const move = (by: number) => (): boolean => {
    const next = Math.min(Math.max(index + by, 0), traces.length - 1);
    const trace = traces[next];
    if (!trace) return false;
    setCursor(trace.id);
    reveal(next);
    return true;
  };
  useEffect(() => {
    if (index > 0) reveal(index);
    // Only when the list is shown again.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  useKeys({
    j: move(1),
    k: move(-1),
    ArrowDown: move(1),
    ArrowUp: move(-1),
    PageDown: move(15),
    PageUp: move(-15),
    Home: move(-1e9),
    End: move(1e9),
    Enter: (event) => {
      if (cursor === undefined || (event.target instanceof HTMLElement && event.target.closest('a,button'))) return false;
      void navigate({ to: '/traces/$traceId', params: { traceId: cursor }, search: {} });
      return true;
    },
  });
  return { cursor, setCursor };
}
