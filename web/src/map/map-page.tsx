import { useMemo, useRef } from 'react';
import { useGraph, useNames, useStatus } from '../api/queries.ts';
import { useKeys } from '../app/keys.ts';
import { useView, type View } from '../app/view.ts';
import { FilterBox } from '../filter/filter-box.tsx';
import { OutcomeLegend } from '../health/legend.tsx';
import { StartPage } from '../start/start-page.tsx';
import { NothingInRange } from '../time/nothing-in-range.tsx';
import { QueryProblem } from '../ui/query-problem.tsx';
import { PageSkeleton } from '../ui/skeleton.tsx';
import { parseSort } from '../ui/sort-header.tsx';
import { around, toGraphModel, type GraphModel } from './graph-model.ts';
import { MapCanvas } from './map-canvas.tsx';
import { MapToolbar } from './map-toolbar.tsx';
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
  const { only } = view.search;
  const model = useMemo(() => graph.data && around(toGraphModel(graph.data), only), [graph.data, only]);
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
  const panel = search.node !== undefined || search.edge !== undefined;
  const toggle = (): void => set({ view: list ? undefined : 'list' });
  useKeys({
    '/': () => input.current?.select(),
    v: toggle,
    Escape: () => set(panel ? { node: undefined, edge: undefined } : { find: undefined }, true),
  });
  const chooseNode = (key: string | undefined): void => {
    if (key !== search.node || search.edge !== undefined) set({ node: key, edge: undefined }, panel);
  };
  return (
    <>
      <MapToolbar model={model} view={view} input={input} onToggle={toggle} />
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
            onEdge={(edge) => set({ edge, node: undefined }, panel)}
          />
          <div className="pointer-events-none absolute bottom-3 left-3 z-10">
            <OutcomeLegend />
          </div>
        </>
      )}
    </>
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
    onOnly: (key: string | undefined) => set({ only: key }),
    only: search.only,
    onEdge: (key: string) => set({ edge: key, node: undefined }, true),
  };
  if (node) return <NodePanel node={node} {...shared} />;
  return edge ? <EdgePanel edge={edge} {...shared} /> : null;
}
