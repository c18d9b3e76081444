import { Link } from '@tanstack/react-router';
import type { SegmentAnswer, TimelineRow, TraceAnswer } from '../../core.ts';
import { OUTCOME_STYLE } from '../../health/health.ts';
import { OutcomeLabel } from '../../health/outcome-icon.tsx';
import { nodeKey } from '../../map/graph-model.ts';
import { formatBytes, formatDuration, formatMoment, formatShare, formatUtc } from '../../time/format.ts';
import { CopyIconButton } from '../../ui/copy.tsx';
import type { TimelineModel } from '../timeline/model.ts';
import { isObject, objectAt, type DetailParts } from './document.ts';

interface OverviewProps {
  readonly trace: TraceAnswer;
  readonly model: TimelineModel;
  readonly index: number;
  readonly segment: SegmentAnswer | undefined;
  readonly parts: DetailParts | undefined;
  readonly onSelect: (index: number) => void;
  readonly onTab: (tab: string) => void;
}

export function Overview({ trace, model, index, segment, parts, onSelect, onTab }: OverviewProps) {
  const row = model.rows[index]!;
  const parent = model.rows[row.parent];
  const first = parts?.cause?.exceptions[0];
  return (
    <div className="flex flex-col gap-4">
      {first && (
        <button
          type="button"
          onClick={() => onTab('exceptions')}
          className="rounded-md border border-fault-fill bg-sunken px-3 py-2 text-left"
        >
          <span className="font-mono text-xs font-semibold text-fault">{first.type}</span>
          <span className="mt-0.5 block break-words">{first.message}</span>
        </button>
      )}
      <dl className="grid grid-cols-[7rem_minmax(0,1fr)] gap-x-3 gap-y-1.5">
        <Times model={model} index={index} />
        {parent && (
          <Item label="Called by">
            <button
              type="button"
              className="max-w-full truncate text-left text-accent hover:underline"
              onClick={() => onSelect(row.parent)}
            >
              {parent.name}
            </button>
            <Skew row={row} parent={parent} />
          </Item>
        )}
        <Item label="Service">
          <Link to="/" search={{ node: nodeKey(row.node) }} className="text-accent hover:underline">
            {row.node.name}
          </Link>
        </Item>
        <Item label="Origin">
          <span className="font-mono text-xs">{row.node.type}</span>
        </Item>
        {row.namespace && <Item label="Namespace">{row.namespace}</Item>}
        <Http segment={segment} row={row} />
        <Item label="Id">
          <Id id={row.id} />
        </Item>
        {notes(row).map((note) => (
          <Item key={note} label="Note">
            {note}
          </Item>
        ))}
      </dl>
      <LinkedTraces ids={readLinks(segment).filter((id) => id !== trace.id)} />
    </div>
  );
}

function Times({ model, index }: { readonly model: TimelineModel; readonly index: number }) {
  const row = model.rows[index]!;
  const took = row.endSeconds === undefined ? undefined : row.endSeconds - row.startSeconds;
  return (
    <>
      <Item label="Outcome">
        <OutcomeLabel outcome={row.outcome} />
        {row.outcome !== 'ok' && <span className="text-muted"> ({OUTCOME_STYLE[row.outcome].meaning})</span>}
      </Item>
      <Item label="Duration">
        <strong>{took === undefined ? 'in progress' : formatDuration(took)}</strong>
        {took !== undefined && <span className="text-muted">, {formatShare(took / (model.end - model.start))} of the trace</span>}
      </Item>
      <Item label="Own time">
        <OwnTime model={model} index={index} />
      </Item>
      <Item label="Starts at">
        {formatDuration(row.startSeconds - model.start)} <span className="text-muted">into the trace</span>
      </Item>
      <Item label="Start">
        <span title={formatUtc(row.startSeconds)}>{formatMoment(row.startSeconds)}</span>
      </Item>
      <Item label="End">
        {row.endSeconds === undefined ? 'not received' : <span title={formatUtc(row.endSeconds)}>{formatMoment(row.endSeconds)}</span>}
      </Item>
    </>
  );
}

function LinkedTraces({ ids }: { readonly ids: readonly string[] }) {
  if (ids.length === 0) return null;
  return (
    <section>
      <h3 className="mb-1 text-xs font-semibold">Linked traces</h3>
      <ul>
        {ids.map((id) => (
          <li key={id}>
            <Link to="/traces/$traceId" params={{ traceId: id }} search={{}} className="font-mono text-xs text-accent hover:underline">
              {id}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Item({ label, children }: { readonly label: string; readonly children: React.ReactNode }) {
  return (
    <>
      <dt className="text-muted">{label}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  );
}

function Id({ id }: { readonly id: string }) {
  return (
    <span className="inline-flex items-center gap-1 font-mono text-xs">
      {id}
      <CopyIconButton text={id} label="Copy the id" />
    </span>
  );
}

/** The part of the row's time in which nothing below it was running. */
function OwnTime({ model, index }: { readonly model: TimelineModel; readonly index: number }) {
  const row = model.rows[index]!;
  if (row.endSeconds === undefined) return '–';
  let covered = 0;
  let reached = row.startSeconds;
  const children: TimelineRow[] = [];
  for (let child = index + 1; child < model.subtreeEnd[index]!; child = model.subtreeEnd[child]!) children.push(model.rows[child]!);
  for (const child of children.toSorted((a, b) => a.startSeconds - b.startSeconds)) {
    const from = Math.max(child.startSeconds, reached);
    const to = Math.min(child.endSeconds ?? row.endSeconds, row.endSeconds);
    if (to > from) {
      covered += to - from;
      reached = to;
    }
  }
  const own = row.endSeconds - row.startSeconds - covered;
  return (
    <>
      {formatDuration(Math.max(own, 0))} <span className="text-muted">outside of what it called</span>
    </>
  );
}

function Skew({ row, parent }: { readonly row: TimelineRow; readonly parent: TimelineRow }) {
  const early = parent.startSeconds - row.startSeconds;
  return early > 0.0005 ? <span className="text-error"> starts {formatDuration(early)} before its caller: the clocks differ</span> : null;
}

function Http({ segment, row }: { readonly segment: SegmentAnswer | undefined; readonly row: TimelineRow }) {
  const http = segment && objectAt(segment.document, 'http');
  const request = isObject(http?.['request']) ? http['request'] : {};
  const response = isObject(http?.['response']) ? http['response'] : {};
  const length = Number(response['content_length']);
  if (!row.url && !http) return null;
  return (
    <>
      {row.url && (
        <Item label="Request">
          {row.method} <span className="font-mono text-xs break-all">{row.url}</span>
        </Item>
      )}
      {row.status !== undefined && (
        <Item label="Response">
          {row.status}
          {length > 0 && <span className="text-muted">, {formatBytes(length)}</span>}
        </Item>
      )}
      {typeof request['client_ip'] === 'string' && (
        <Item label="Client">
          {request['client_ip']}
          {request['x_forwarded_for'] === true && <span className="text-muted"> (forwarded for)</span>}
        </Item>
      )}
      {typeof request['user_agent'] === 'string' && request['user_agent'] !== '' && (
        <Item label="User agent">
          <span className="text-xs">{request['user_agent']}</span>
        </Item>
      )}
    </>
  );
}

function notes(row: TimelineRow): string[] {
  const found: string[] = [];
  if (row.inferred) found.push('Inferred: this service sent nothing itself; what is known comes from its caller.');
  if (row.orphan) found.push('Orphan: it names a parent that was never received.');
  return found;
}

function readLinks(segment: SegmentAnswer | undefined): string[] {
  const links = segment?.document['links'];
  if (!Array.isArray(links)) return [];
  return [...new Set(links.filter(isObject).flatMap((link) => (typeof link['trace_id'] === 'string' ? [link['trace_id']] : [])))];
}
