import { List, Map as MapIcon, Search, X } from 'lucide-react';
import type { View } from '../app/view.ts';
import { formatCount, formatRate } from '../time/format.ts';
import { Button } from '../ui/button.tsx';
import type { GraphModel } from './graph-model.ts';

interface MapToolbarProps {
  readonly model: GraphModel;
  readonly view: View;
  readonly input: React.RefObject<HTMLInputElement | null>;
  readonly onToggle: () => void;
}

/** Lies over the map's upper edge. */
export function MapToolbar({ model, view, input, onToggle }: MapToolbarProps) {
  const { search, set } = view;
  const list = search.view === 'list';
  return (
    <div className="pointer-events-none absolute top-2 right-3 left-3 z-20 flex items-center gap-2 *:pointer-events-auto">
      <FindField model={model} view={view} input={input} />
      <Button onClick={onToggle} title="Map or list (v)" data-testid="map-or-list">
        {list ? <MapIcon size={14} aria-hidden /> : <List size={14} aria-hidden />}
        {list ? 'Map' : 'List'}
      </Button>
      {search.only !== undefined && (
        <Button pressed onClick={() => set({ only: undefined })} title="Show all services again">
          Only around {search.only.replace(/@[^@]*$/, '')} <X size={13} aria-hidden />
        </Button>
      )}
      <Totals model={model} find={search.find ?? ''} />
    </div>
  );
}

function FindField({ model, view, input }: Omit<MapToolbarProps, 'onToggle'>) {
  const { search, set } = view;
  const find = search.find ?? '';
  const chooseFirst = (): void => {
    const match = model.nodes.find((node) => node.type !== 'client' && node.name.toLowerCase().includes(find.toLowerCase()));
    if (match && find !== '') set({ node: match.key, edge: undefined });
  };
  return (
    <label className="flex h-7.5 w-60 items-center gap-2 rounded-md border border-line-strong bg-panel px-2.5 focus-within:border-accent">
      <Search size={14} className="shrink-0 text-muted" aria-hidden />
      <input
        ref={input}
        aria-label="Find a service on the map"
        value={find}
        onChange={(event) => set({ find: event.target.value || undefined }, true)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') chooseFirst();
          if (event.key !== 'Escape') return;
          set({ find: undefined }, true);
          event.currentTarget.blur();
        }}
        placeholder="Find a service"
        className="min-w-0 flex-1 bg-transparent outline-none placeholder:text-faint"
      />
      <kbd>/</kbd>
    </label>
  );
}

function Totals({ model, find }: { readonly model: GraphModel; readonly find: string }) {
  const services = model.nodes.filter((node) => node.type !== 'client');
  const entered = services.filter((node) => node.root).reduce((sum, node) => sum + (node.outcomes?.total ?? 0), 0);
  const text = find.trim().toLowerCase();
  const matching = text === '' ? undefined : services.filter((node) => node.key.toLowerCase().includes(text)).length;
  return (
    <span className="rounded-md bg-bg/80 px-2 py-1 text-xs text-muted" data-testid="map-totals">
      {matching === undefined ? '' : `${formatCount(matching)} of `}
      {formatCount(services.length)} services · {formatRate(entered, model.toSeconds - model.fromSeconds)} from outside
    </span>
  );
}
