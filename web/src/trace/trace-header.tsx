import { Link } from '@tanstack/react-router';
import { Download, Link2, Map as MapIcon, OctagonX } from 'lucide-react';
import type { TraceAnswer } from '../core.ts';
import { OutcomeLabel } from '../health/outcome-icon.tsx';
import { formatAge, formatCount, formatDuration, formatMoment, formatUtc } from '../time/format.ts';
import { useNow } from '../time/use-now.ts';
import { Button, buttonClass } from '../ui/button.tsx';
import { CopyIconButton } from '../ui/copy.tsx';
import { Popover } from '../ui/popover.tsx';
import type { TimelineModel } from './timeline/model.ts';

interface TraceHeaderProps {
  readonly trace: TraceAnswer;
  readonly model: TimelineModel;
  readonly map: boolean;
  readonly onMap: (shown: boolean) => void;
  readonly onSelect: (index: number) => void;
}

export function TraceHeader({ trace, model, map, onMap, onSelect }: TraceHeaderProps) {
  const { summary } = trace;
  const { http } = summary;
  const now = useNow();
  const cause = model.likelyCause;
  return (
    <header className="flex shrink-0 flex-col gap-1.5 border-b border-line bg-panel px-4 py-2.5">
      <div className="flex items-center gap-3">
        <OutcomeLabel outcome={trace.outcome} />
        <h1 className="min-w-0 truncate text-base font-semibold" title={http.url}>
          {http.method} {http.url ?? summary.entry?.name ?? 'Trace'}
        </h1>
        {http.status !== undefined && <span className="rounded bg-sunken px-1.5 font-mono text-xs">{http.status}</span>}
        {trace.partial && (
          <span
            className="rounded border border-line-strong px-1.5 text-xs whitespace-nowrap text-muted"
            title="Some segments are in progress, or a service that was called has not reported"
          >
            partial
          </span>
        )}
        {trace.limitExceeded && (
          <span className="rounded border border-error-fill px-1.5 text-xs whitespace-nowrap text-error">
            over the size limit: some segments are left out
          </span>
        )}
        <span className="ml-auto flex shrink-0 items-center gap-2">
          {cause !== undefined && (
            <Button onClick={() => onSelect(cause)} title="The deepest row that failed" data-testid="likely-cause">
              <OctagonX size={14} className="text-fault" aria-hidden /> Where it failed:{' '}
              <span className="max-w-40 truncate">{model.rows[cause]!.name}</span>
            </Button>
          )}
          {trace.links.length > 0 && <Links links={trace.links} />}
          <Button pressed={map} onClick={() => onMap(!map)}>
            <MapIcon size={14} aria-hidden /> Map
          </Button>
          <a className={buttonClass()} href={`/api/v1/traces/${trace.id}`} download={`${trace.id}.json`}>
            <Download size={14} aria-hidden /> JSON
          </a>
        </span>
      </div>
      <dl className="flex flex-wrap items-center gap-x-5 gap-y-1 text-xs">
        <Fact label="Response" value={summary.responseSeconds === undefined ? 'pending' : formatDuration(summary.responseSeconds)} strong />
        <Fact label="Duration" value={formatDuration(trace.endSeconds - trace.startSeconds)} strong />
        <Fact
          label="Started"
          value={`${formatMoment(trace.startSeconds)} (${formatAge(trace.startSeconds, now)})`}
          title={formatUtc(trace.startSeconds)}
        />
        <Fact
          label="Segments"
          value={`${formatCount(summary.segments)} of ${formatCount(summary.nodes.length)} services, ${formatCount(trace.rows.length)} rows`}
        />
        {summary.users.length > 0 && <Fact label="User" value={summary.users.join(', ')} />}
        {http.clientIp && <Fact label="From" value={http.clientIp} {...(http.userAgent ? { title: http.userAgent } : {})} />}
        <div className="ml-auto flex items-center gap-1">
          <dt className="sr-only">Trace id</dt>
          <dd className="font-mono text-muted" data-testid="trace-id">
            {trace.id}
          </dd>
          <CopyIconButton text={trace.id} label="Copy the trace id" />
        </div>
      </dl>
    </header>
  );
}

function Fact({
  label,
  value,
  strong = false,
  title,
}: {
  readonly label: string;
  readonly value: string;
  readonly strong?: boolean;
  readonly title?: string;
}) {
  return (
    <div className="flex gap-1.5 whitespace-nowrap" title={title}>
      <dt className="text-muted">{label}</dt>
      <dd className={strong ? 'font-semibold' : ''}>{value}</dd>
    </div>
  );
}

function Links({ links }: { readonly links: TraceAnswer['links'] }) {
  const ids = [...new Set(links.map((link) => link.traceId))];
  return (
    <Popover
      label="Linked traces"
      trigger={
        <Button>
          <Link2 size={14} aria-hidden /> {formatCount(ids.length)} linked
        </Button>
      }
    >
      <p className="mb-2 max-w-80 text-xs text-muted">
        Traces that this one continues, or that go on from it (through a queue, for example).
      </p>
      <ul className="max-h-64 overflow-auto">
        {ids.map((id) => (
          <li key={id}>
            <Link
              to="/traces/$traceId"
              params={{ traceId: id }}
              search={{}}
              className="block rounded px-1.5 py-1 font-mono text-xs text-accent hover:bg-sunken hover:underline"
            >
              {id}
            </Link>
          </li>
        ))}
      </ul>
    </Popover>
  );
}
