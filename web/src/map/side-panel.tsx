import { Link } from '@tanstack/react-router';
import { ArrowRight, Focus, X } from 'lucide-react';
import { useState } from 'react';
import { carried, useView } from '../app/view.ts';
import { LatencyChart } from '../charts/latency-chart.tsx';
import type { Latency, Outcome, Outcomes } from '../core.ts';
import { edgeClause, joinAnd, narrow, outcomeClause, responseTimeClause, serviceClause } from '../filter/clauses.ts';
import { meanSeconds, OUTCOMES } from '../health/health.ts';
import { HealthRing } from '../health/ring.tsx';
import { formatCount, formatDuration, formatRate } from '../time/format.ts';
import { Button, buttonClass, IconButton } from '../ui/button.tsx';
import { CopyIconButton } from '../ui/copy.tsx';
import { isAmbiguous, type GraphModel, type MapEdge, type MapNode } from './graph-model.ts';
import { NodeIcon, typeLabel } from './node-icon.tsx';
import { OutcomeChoice } from './outcome-choice.tsx';

interface PanelProps {
  readonly model: GraphModel;
  readonly onClose: () => void;
  readonly onNode: (key: string) => void;
  readonly onEdge: (key: string) => void;
  /** The node that the map is narrowed to. */
  readonly only: string | undefined;
  readonly onOnly: (key: string | undefined) => void;
}

export function NodePanel({ node, ...rest }: PanelProps & { readonly node: MapNode }) {
  const { model } = rest;
  const rangeSeconds = model.toSeconds - model.fromSeconds;
  return (
    <Panel
      label={`Details of ${node.name}`}
      onClose={rest.onClose}
      head={
        <>
          <HealthRing outcomes={node.outcomes} size={40}>
            <NodeIcon type={node.type} />
          </HealthRing>
          <div className="min-w-0">
            <h2 className="truncate text-base font-semibold" title={node.name}>
              {node.type === 'client' ? `Clients of ${node.name}` : node.name}
            </h2>
            <p className="truncate text-xs text-muted" title={node.type}>
              {typeLabel(node.type)}
              {node.root && ', takes requests from outside'}
              {!node.active && node.type !== 'client' && ', seen only by its callers'}
            </p>
          </div>
        </>
      }
    >
      {node.outcomes && node.latency && (
        <Traffic
          key={node.key}
          outcomes={node.outcomes}
          latency={node.latency}
          rangeSeconds={rangeSeconds}
          clause={(inner) => serviceClause(node, inner, isAmbiguous(model, node))}
        />
      )}
      <Button pressed={rest.only === node.key} onClick={() => rest.onOnly(rest.only === node.key ? undefined : node.key)}>
        <Focus size={14} aria-hidden /> Only what it calls and is called by
      </Button>
      <Calls
        title="Called by"
        calls={model.callers.get(node.key) ?? []}
        other={(call) => call.from}
        rangeSeconds={rangeSeconds}
        {...rest}
      />
      <Calls title="Calls" calls={model.callees.get(node.key) ?? []} other={(call) => call.to} rangeSeconds={rangeSeconds} {...rest} />
    </Panel>
  );
}

export function EdgePanel({ edge, model, onClose, onNode }: PanelProps & { readonly edge: MapEdge }) {
  return (
    <Panel
      label={`Details of the calls from ${edge.from.name} to ${edge.to.name}`}
      onClose={onClose}
      head={
        <div className="min-w-0">
          <h2 className="flex items-center gap-1.5 text-base font-semibold">
            <button type="button" onClick={() => onNode(edge.from.key)} className="truncate hover:underline">
              {edge.from.type === 'client' ? 'Clients' : edge.from.name}
            </button>
            <ArrowRight size={15} className="shrink-0 text-muted" aria-label="to" />
            <button type="button" onClick={() => onNode(edge.to.key)} className="truncate hover:underline">
              {edge.to.name}
            </button>
          </h2>
          <p className="text-xs text-muted">Calls as the caller saw them, network included</p>
        </div>
      }
    >
      <Traffic
        key={edge.key}
        outcomes={edge.outcomes}
        latency={edge.latency}
        rangeSeconds={model.toSeconds - model.fromSeconds}
        clause={(inner) => edgeClause(edge.from, edge.to, inner)}
      />
    </Panel>
  );
}

function Panel({
  label,
  head,
  onClose,
  children,
}: {
  readonly label: string;
  readonly head: React.ReactNode;
  readonly onClose: () => void;
  readonly children: React.ReactNode;
}) {
  return (
    <aside aria-label={label} data-testid="map-panel" className="flex w-[400px] shrink-0 flex-col border-l border-line bg-panel">
      <div className="flex items-center gap-3 border-b border-line py-2.5 pr-2 pl-4">
        {head}
        <IconButton label="Close (Esc)" onClick={onClose} className="ml-auto self-start">
          <X size={16} />
        </IconButton>
      </div>
      <div className="flex min-h-0 flex-1 flex-col gap-5 overflow-y-auto p-4">{children}</div>
    </aside>
  );
}

interface TrafficProps {
  readonly outcomes: Outcomes;
  readonly latency: Latency;
  readonly rangeSeconds: number;
  readonly clause: (inner: string) => string;
}

/** Figures, outcomes and response times, and the way from a choice among them to the traces. */
function Traffic({ outcomes, latency, rangeSeconds, clause }: TrafficProps) {
  const { search, filter } = useView();
  const [chosen, setChosen] = useState<ReadonlySet<Outcome>>(new Set(OUTCOMES));
  const [times, setTimes] = useState<readonly [number, number] | undefined>();
  const inner = joinAnd(outcomeClause(chosen), times ? responseTimeClause(times[0], times[1]) : '');
  const expression = clause(inner);
  return (
    <>
      <dl className="grid grid-cols-3 gap-x-3 gap-y-2">
        <Figure label="Requests" value={formatCount(outcomes.total)} />
        <Figure label="Rate" value={formatRate(outcomes.total, rangeSeconds)} />
        <Figure label="Average" value={formatDuration(meanSeconds(outcomes))} />
        <Figure label="p50" value={formatDuration(latency.p50)} />
        <Figure label="p90" value={formatDuration(latency.p90)} />
        <Figure label="p99" value={formatDuration(latency.p99)} />
      </dl>
      <OutcomeChoice outcomes={outcomes} chosen={chosen} onChange={setChosen} />
      <div>
        <LatencyChart latency={latency} height={120} chosen={times} onSelect={setTimes} />
        <p className="mt-1 flex h-5 items-center gap-2 text-xs text-muted">
          {times ? (
            <>
              Chosen: {formatDuration(times[0])} – {formatDuration(times[1])}
              <button type="button" className="text-accent underline" onClick={() => setTimes(undefined)}>
                Take away
              </button>
            </>
          ) : (
            'Drag over the chart to choose response times.'
          )}
        </p>
      </div>
      <div className="flex flex-col gap-2">
        <div className="flex items-start gap-1 rounded-md bg-sunken py-1.5 pr-1 pl-2.5">
          <code className="min-w-0 flex-1 py-0.5 font-mono text-xs break-words" data-testid="panel-filter">
            {expression}
          </code>
          <CopyIconButton text={expression} label="Copy the filter" />
        </div>
        <Link to="/traces" search={carried(search, { filter: narrow(filter, expression) })} className={buttonClass('solid')}>
          View traces <ArrowRight size={14} aria-hidden />
        </Link>
      </div>
    </>
  );
}

function Figure({ label, value }: { readonly label: string; readonly value: string }) {
  return (
    <div>
      <dt className="text-xs text-muted">{label}</dt>
      <dd className="text-base font-semibold">{value}</dd>
    </div>
  );
}

interface CallsProps extends PanelProps {
  readonly title: string;
  readonly calls: readonly MapEdge[];
  readonly other: (call: MapEdge) => MapNode;
  readonly rangeSeconds: number;
}

function Calls({ title, calls, other, rangeSeconds, onNode, onEdge }: CallsProps) {
  if (calls.length === 0) return null;
  return (
    <section>
      <h3 className="mb-1 text-xs font-semibold">
        {title} <span className="font-normal text-muted">({calls.length})</span>
      </h3>
      <ul>
        {calls
          .toSorted((a, b) => b.outcomes.total - a.outcomes.total)
          .map((call) => (
            <li key={call.key} className="flex items-center gap-2 rounded px-1 hover:bg-sunken">
              <HealthRing outcomes={call.outcomes} size={22} />
              <button
                type="button"
                onClick={() => onNode(other(call).key)}
                className="min-w-0 flex-1 truncate py-1 text-left hover:underline"
              >
                {other(call).type === 'client' ? 'Clients' : other(call).name}
              </button>
              <button
                type="button"
                onClick={() => onEdge(call.key)}
                className="text-xs whitespace-nowrap text-muted hover:text-accent hover:underline"
                title="These calls in detail"
              >
                {formatRate(call.outcomes.total, rangeSeconds)} · {formatDuration(meanSeconds(call.outcomes))}
              </button>
            </li>
          ))}
      </ul>
    </section>
  );
}
