import { List, Map as MapIcon, Search } from 'lucide-react';
import { useMemo, useRef } from 'react';
import { useGraph, useNames, useStatus } from '../api/queries.ts';
import { useKeys } from '../app/keys.ts';
import { useView, type View } from '../app/view.ts';
import { FilterBox } from '../filter/filter-box.tsx';
import { OutcomeLegend } from '../health/legend.tsx';
import { StartPage } from '../start/start-page.tsx';
import { NothingInRange } from '../time/nothing-in-range.tsx';
import { formatCount, formatRate } from '../time/format.ts';
import { Button } from '../ui/button.tsx';
import { QueryProblem } from '../ui/query-problem.tsx';
import { PageSkeleton } from '../ui/skeleton.tsx';
import { parseSort } from '../ui/sort-header.tsx';
import { toGraphModel, type GraphModel } from './graph-model.ts';
import { MapCanvas } from './map-canvas.tsx';
import { MapList } from './map-list.tsx';
import { EdgePanel, NodePanel } from './side-panel.tsx';

/** The first page: the service map, or how to get the first trace in when there is none. */
export function MapPage() {
  const status = useStatus();
  if (status.data && !status.data.hasData) return <StartPage waiting />;
  return <LiveMap />;
}

function LiveMap() {
  const view = useView();
  const graph = useGraph(view.range, view.filter);
  const names = useNames(view.range);
  const model = useMemo(() => graph.data && toGraphModel(graph.data), [graph.data]);
  return (
    <div className="flex h-full">
      <div className="flex min-w-0 flex-1 flex-col">
        <div className="border-b border-line bg-bg px-3 py-2">
          <FilterBox value={view.filter} names={names.data} error={graph.error} onApply={(filter) => view.set({ filter })} />
        </div>
        <div className="relative min-h-0 flex-1" aria-busy={graph.isFetching}>
          {graph.error && !graph.data ? (
            <QueryProblem error={graph.error} retry={() => void graph.refetch()} />
          ) : !model ? (
            <PageSkeleton />
          ) : model.nodes.length === 0 ? (
            <NothingInRange view={view} what="No service was called" />
          ) : (
            <MapBody model={model} view={view} />
          )}
        </div>
      </div>
      {model && <SidePanel model={model} view={view} />}
    </div>
  );
}

function MapBody({ model, view }: { readonly model: GraphModel; readonly view: View }) {
  const { search, set } = view;
  const input = useRef<HTMLInputElement>(null);
  const list = search.view === 'list';
  const find = search.find ?? '';
  const toggle = (): void => set({ view: list ? undefined : 'list' });
  useKeys({
    '/': () => input.current?.select(),
    v: toggle,
    Escape: () =>
      set(
        find !== '' && search.node === undefined && search.edge === undefined ? { find: undefined } : { node: undefined, edge: undefined },
        true,
      ),
  });
  const chooseNode = (key: string | undefined): void => {
    if (key !== search.node || search.edge !== undefined)
      set({ node: key, edge: undefined }, search.node !== undefined || search.edge !== undefined);
  };
  const firstMatch = (): void => {
    const match = model.nodes.find((node) => node.type !== 'client' && node.name.toLowerCase().includes(find.toLowerCase()));
    if (match && find !== '') set({ node: match.key, edge: undefined });
  };
  return (
    <>
      <div className="pointer-events-none absolute top-2 right-3 left-3 z-20 flex items-center gap-2 *:pointer-events-auto">
        <label className="flex h-7.5 w-60 items-center gap-2 rounded-md border border-line-strong bg-panel px-2.5 focus-within:border-accent">
          <Search size={14} className="shrink-0 text-muted" aria-hidden />
          <input
            ref={input}
            aria-label="Find a service on the map"
            value={find}
            onChange={(event) => set({ find: event.target.value || undefined }, true)}
            onKeyDown={(event) => {
              if (event.key === 'Enter') firstMatch();
              if (event.key === 'Escape') {
                set({ find: undefined }, true);
                event.currentTarget.blur();
              }
            }}
            placeholder="Find a service"
            className="min-w-0 flex-1 bg-transparent outline-none placeholder:text-faint"
          />
          <kbd>/</kbd>
        </label>
        <Button onClick={toggle} title="Map or list (v)" data-testid="map-or-list">
          {list ? <MapIcon size={14} aria-hidden /> : <List size={14} aria-hidden />}
          {list ? 'Map' : 'List'}
        </Button>
        <Totals model={model} find={find} />
      </div>
      {list ? (
        <MapList
          model={model}
          find={find}
          chosen={search.node}
          sort={parseSort(search.sort, '-fault')}
          onSort={(sort) => set({ sort }, true)}
          onNode={chooseNode}
        />
      ) : (
        <>
          <MapCanvas
            model={model}
            node={search.node}
            edge={search.edge}
            find={find}
            onNode={chooseNode}
            onEdge={(edge) => set({ edge, node: undefined })}
          />
          <div className="pointer-events-none absolute bottom-3 left-3 z-10">
            <OutcomeLegend />
          </div>
        </>
      )}
    </>
  );
}

function Totals({ model, find }: { readonly model: GraphModel; readonly find: string }) {
  const services = model.nodes.filter((node) => node.type !== 'client');
  const entered = services.filter((node) => node.root).reduce((sum, node) => sum + (node.outcomes?.total ?? 0), 0);
  const matching =
    find.trim() === '' ? undefined : services.filter((node) => node.key.toLowerCase().includes(find.trim().toLowerCase())).length;
  return (
    <span className="rounded-md bg-bg/80 px-2 py-1 text-xs text-muted" data-testid="map-totals">
      {matching === undefined ? '' : `${formatCount(matching)} of `}
      {formatCount(services.length)} services · {formatRate(entered, model.toSeconds - model.fromSeconds)} from outside
    </span>
  );
}

function SidePanel({ model, view }: { readonly model: GraphModel; readonly view: View }) {
  const { search, set } = view;
  const node = search.node === undefined ? undefined : model.byKey.get(search.node);
  const edge = search.edge === undefined ? undefined : model.edges.find((item) => item.key === search.edge);
  const shared = {
    model,
    onClose: () => set({ node: undefined, edge: undefined }, true),
    onNode: (key: string) => set({ node: key, edge: undefined }, true),
    onEdge: (key: string) => set({ edge: key, node: undefined }, true),
  };
  if (node) return <NodePanel node={node} {...shared} />;
  return edge ? <EdgePanel edge={edge} {...shared} /> : null;
}
