import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import { ListTree, Map as MapIcon, Moon, Radio, Rows3, Rocket, Waypoints } from 'lucide-react';
import { useState } from 'react';
import { useNames } from '../api/queries.ts';
import { parseTraceId, toXRayTraceId } from '../core.ts';
import { serviceClause, type NodeName } from '../filter/clauses.ts';
import { NodeIcon } from '../map/node-icon.tsx';
import { nodeKey } from '../map/graph-model.ts';
import { Dialog } from '../ui/popover.tsx';
import { useTheme } from './theme.ts';
import { carried, useView } from './view.ts';

const ITEM = 'flex cursor-pointer items-center gap-2.5 rounded-md px-2.5 py-1.5 data-[selected=true]:bg-accent-soft';
const GROUP =
  '[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted';

/** Ctrl-K: one box that leads anywhere. A pasted trace id is recognised in both forms. */
export default function Palette({ onClose }: { readonly onClose: () => void }) {
  const navigate = useNavigate();
  const { toggle } = useTheme();
  const [text, setText] = useState('');
  const traceId = parseTraceId(text.trim());
  const act: Act = (action) => () => {
    onClose();
    void action();
  };
  const openTrace = (id: string) => act(() => navigate({ to: '/traces/$traceId', params: { traceId: id }, search: {} }));
  return (
    <Dialog title="Jump to" hideTitle open onOpenChange={(open) => !open && onClose()} className="w-[620px]">
      <Command label="Jump to" loop className="flex flex-col">
        <Command.Input
          autoFocus
          value={text}
          onValueChange={setText}
          placeholder="Paste a trace id, or type a service or page…"
          className="h-12 border-b border-line bg-transparent px-4 text-base outline-none placeholder:text-faint"
        />
        <Command.List className="max-h-[50vh] overflow-auto p-1.5">
          <Command.Empty className="px-3 py-6 text-center text-muted">Nothing of that name in this time range.</Command.Empty>
          {traceId && (
            <Command.Group heading="Trace" className={GROUP} forceMount>
              <Command.Item forceMount value={text} className={ITEM} onSelect={openTrace(toXRayTraceId(traceId))}>
                <ListTree size={16} aria-hidden /> Open trace <code className="font-mono text-xs">{toXRayTraceId(traceId)}</code>
              </Command.Item>
            </Command.Group>
          )}
          <PageItems act={act} />
          <ServiceItems act={act} />
          <Command.Group heading="Settings" className={GROUP}>
            <Command.Item className={ITEM} onSelect={act(toggle)}>
              <Moon size={16} aria-hidden /> Change between dark and light
            </Command.Item>
          </Command.Group>
        </Command.List>
      </Command>
    </Dialog>
  );
}

/** Closes the palette, then does it. */
type Act = (action: () => unknown) => () => void;

const PAGES = [
  ['/', 'Service map', MapIcon],
  ['/traces', 'Traces', Rows3],
  ['/status', 'Status of the server', Radio],
  ['/start', 'Connect an application', Rocket],
] as const;

function PageItems({ act }: { readonly act: Act }) {
  const navigate = useNavigate();
  const { search } = useView();
  return (
    <Command.Group heading="Pages" className={GROUP}>
      {PAGES.map(([to, label, Icon]) => (
        <Command.Item key={to} className={ITEM} onSelect={act(() => navigate({ to, search: carried(search) }))}>
          <Icon size={16} aria-hidden /> {label}
        </Command.Item>
      ))}
    </Command.Group>
  );
}

function ServiceItems({ act }: { readonly act: Act }) {
  const navigate = useNavigate();
  const { search, range } = useView();
  const nodes = useNames(range).data?.nodes ?? [];
  const toMap = (node: NodeName) => act(() => navigate({ to: '/', search: carried(search, { node: nodeKey(node) }) }));
  const toTraces = (node: NodeName) => act(() => navigate({ to: '/traces', search: carried(search, { filter: serviceClause(node, '') }) }));
  return (
    <>
      <Command.Group heading="Services on the map" className={GROUP}>
        {nodes.map((node) => (
          <Command.Item key={nodeKey(node)} value={`node ${nodeKey(node)}`} className={ITEM} onSelect={toMap(node)}>
            <NodeIcon type={node.type} size={16} /> {node.name} <span className="ml-auto truncate text-xs text-muted">{node.type}</span>
          </Command.Item>
        ))}
      </Command.Group>
      <Command.Group heading="Traces of a service" className={GROUP}>
        {nodes.map((node) => (
          <Command.Item key={nodeKey(node)} value={`traces ${nodeKey(node)}`} className={ITEM} onSelect={toTraces(node)}>
            <Waypoints size={16} aria-hidden /> Traces through {node.name}
          </Command.Item>
        ))}
      </Command.Group>
    </>
  );
}
