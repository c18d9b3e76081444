import { useRef, useState } from 'react';
import { useActivity, useNames, useStatus, useTraceList } from '../api/queries.ts';
import { useKeys } from '../app/keys.ts';
import { useView } from '../app/view.ts';
import { ActivityChart } from '../charts/activity-chart.tsx';
import { LatencyChart } from '../charts/latency-chart.tsx';
import { FilterBox } from '../filter/filter-box.tsx';
import { narrow, responseTimeClause } from '../filter/clauses.ts';
import { StartPage } from '../start/start-page.tsx';
import { NothingInRange } from '../time/nothing-in-range.tsx';
import { absoluteRange } from '../time/range.ts';
import { QueryProblem } from '../ui/query-problem.tsx';
import { PageSkeleton } from '../ui/skeleton.tsx';
import { parseSort } from '../ui/sort-header.tsx';
import { SearchProgress } from './search-progress.tsx';
import { TraceTable } from './trace-table.tsx';
import { useFreshTraces } from './use-fresh-traces.ts';
import { useTraceSearch } from './use-trace-search.ts';

const CHART_HEIGHT = 112;

/** Finding traces: filter, time, charts to narrow both, and the list. */
export function TracesPage() {
  const status = useStatus();
  if (status.data && !status.data.hasData) return <StartPage waiting />;
  return <Search />;
}

function Search() {
  const view = useView();
  const { range, filter, set } = view;
  const names = useNames(range);
  const activity = useActivity(range);
  const list = useTraceList(range, filter);
  const sort = parseSort(view.search.sort, '-start');
  const search = useTraceSearch(list, sort);
  const box = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  useKeys({ '/': () => box.current?.querySelector<HTMLElement>('.cm-content, input')?.focus() });
  const [busy, setBusy] = useState(false);
  const fresh = useFreshTraces(list, busy, () => scroller.current?.scrollTo({ top: 0 }));
  const none = !list.isPlaceholderData && search.traces.length === 0 && !list.hasNextPage;
  return (
    <div className="flex h-full flex-col">
      <div ref={box} className="px-3 pt-2">
        <FilterBox value={filter} names={names.data} error={list.error} onApply={(text) => set({ filter: text })} />
      </div>
      <div className="grid grid-cols-[minmax(0,2fr)_minmax(0,1fr)] gap-6 px-3 pt-3 pb-1">
        <ActivityChart
          activity={activity.data}
          height={CHART_HEIGHT}
          onSelect={(from, to) => set({ range: absoluteRange(from, to).text })}
        />
        <LatencyChart
          latency={activity.data?.latency}
          height={CHART_HEIGHT}
          onSelect={(chosen) => chosen && set({ filter: narrow(filter, responseTimeClause(chosen[0], chosen[1])) })}
        />
      </div>
      <SearchProgress list={list} search={search} fresh={fresh} />
      <div className="min-h-0 flex-1 border-t border-line">
        {list.error && !list.isPlaceholderData && search.traces.length === 0 ? (
          <QueryProblem error={list.error} retry={() => void list.refetch()} />
        ) : !list.data ? (
          <PageSkeleton />
        ) : none ? (
          <NothingInRange view={view} what="No trace was found" />
        ) : (
          <TraceTable
            key={`${range.text} ${filter} ${view.search.sort ?? ''}`}
            onBusy={setBusy}
            list={list}
            traces={search.traces}
            sort={sort}
            onSort={(next) => set({ sort: next === '-start' ? undefined : next }, true)}
            scroller={scroller}
            memory={`${range.text} ${filter}`}
          />
        )}
      </div>
    </div>
  );
}
