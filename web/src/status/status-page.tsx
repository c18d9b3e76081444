import { Link } from '@tanstack/react-router';
import { useStatus } from '../api/queries.ts';
import type { IntakeCount, Reject, StatusAnswer } from '../core.ts';
import { hostPort, withScheme } from '../start/recipes.ts';
import { formatAge, formatBytes, formatCount, formatDuration, formatMoment, formatUtc } from '../time/format.ts';
import { useNow } from '../time/use-now.ts';
import { CopyIconButton } from '../ui/copy.tsx';
import { QueryProblem } from '../ui/query-problem.tsx';
import { PageSkeleton } from '../ui/skeleton.tsx';
import { SOURCE_LABELS } from './sources.ts';

const POLL_MS = 3000;

/** What came in, what was refused and why, and whether the store keeps up. */
export function StatusPage() {
  const status = useStatus(POLL_MS);
  const now = useNow(3);
  if (status.error && !status.data) return <QueryProblem error={status.error} retry={() => void status.refetch()} />;
  if (!status.data) return <PageSkeleton />;
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-5xl flex-col gap-6 px-6 py-6">
        <header className="flex items-baseline gap-3">
          <h1 className="text-xl font-semibold tracking-tight">Status</h1>
          <p className="text-muted">
            Fluoroscope {status.data.version}, up for {formatDuration(Math.max(0, Math.floor(now - status.data.startedSeconds)))}
          </p>
        </header>
        <div className="grid grid-cols-2 gap-4">
          <StoreCard status={status.data} now={now} />
          <AddressCard addresses={status.data.addresses} />
        </div>
        <IntakeTable intake={status.data.intake} />
        <Rejects rejects={status.data.rejects} now={now} />
      </div>
    </div>
  );
}

function Card({ title, children }: { readonly title: string; readonly children: React.ReactNode }) {
  return (
    <section className="rounded-xl border border-line bg-panel p-4">
      <h2 className="mb-3 font-semibold">{title}</h2>
      {children}
    </section>
  );
}

const STORE_WORDS = {
  ready: ['Ready', 'var(--ok-fill)'],
  starting: ['Starting', 'var(--error-fill)'],
  down: ['Down', 'var(--fault-fill)'],
} as const;

function StoreCard({ status, now }: { readonly status: StatusAnswer; readonly now: number }) {
  const { store, spool } = status;
  const [word, color] = STORE_WORDS[store.state];
  return (
    <Card title="Store and spool">
      <p className="flex items-center gap-2" data-testid="store-state">
        <span className="size-2.5 rounded-full" style={{ background: color }} aria-hidden />
        Store: <span className="font-medium">{word}</span>
        {store.detail && <span className="text-muted">{store.detail}</span>}
      </p>
      <p className="mt-2">
        {spool.batches === 0
          ? 'Everything that was acknowledged is in the store.'
          : `${formatCount(spool.batches)} batches (${formatBytes(spool.bytes)}) are on disk and on their way to the store`}
        {spool.batches > 0 &&
          spool.oldestSeconds !== undefined &&
          `, the oldest since ${formatDuration(Math.max(0, Number((now - spool.oldestSeconds).toPrecision(2))))}`}
        {spool.batches > 0 && '.'}
      </p>
      {store.state !== 'ready' && <p className="mt-2 text-error">What arrives meanwhile waits on disk; nothing acknowledged is lost.</p>}
    </Card>
  );
}

function AddressCard({ addresses }: { readonly addresses: StatusAnswer['addresses'] }) {
  const rows = [
    ['Page and APIs', withScheme(addresses.page)],
    ['X-Ray daemon, UDP and TCP', addresses.xray && hostPort(addresses.xray)],
    ['OTLP over HTTP', addresses.otlpHttp && withScheme(addresses.otlpHttp)],
    ['OTLP over gRPC', addresses.otlpGrpc && withScheme(addresses.otlpGrpc)],
  ] as const;
  return (
    <Card title="Addresses">
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-0.5">
        {rows.map(([label, address]) => (
          <div key={label} className="contents">
            <dt className="text-muted">{label}</dt>
            <dd className="flex h-6 items-center gap-1 font-mono text-xs">
              {address ?? <span className="font-sans text-muted">off</span>}
              {address && <CopyIconButton text={address} label={`Copy the address of ${label}`} />}
            </dd>
          </div>
        ))}
      </dl>
      <Link to="/start" className="mt-2 inline-block text-accent underline">
        How to point an application here
      </Link>
    </Card>
  );
}

function IntakeTable({ intake }: { readonly intake: readonly IntakeCount[] }) {
  return (
    <Card title="Taken in since the start">
      <table className="w-full text-left" aria-label="Intake by source">
        <thead className="text-xs text-muted">
          <tr>
            <th scope="col" className="py-1 font-medium">
              Source
            </th>
            <th scope="col" className="text-right font-medium">
              Accepted
            </th>
            <th scope="col" className="text-right font-medium" title="Damaged or not allowed; the reasons are below">
              Refused
            </th>
            <th
              scope="col"
              className="text-right font-medium"
              title="Lost before they could be read (the kernel's buffer was full), or turned away for lack of room"
            >
              Dropped
            </th>
          </tr>
        </thead>
        <tbody>
          {intake.map((row) => (
            <tr key={row.source} className="border-t border-line">
              <th scope="row" className="py-1.5 font-normal">
                {SOURCE_LABELS[row.source]}
              </th>
              <td className="text-right">{exact(row.accepted)}</td>
              <td className={`text-right ${row.rejected > 0 ? 'font-medium text-error' : 'text-muted'}`}>{exact(row.rejected)}</td>
              <td className={`text-right ${row.dropped > 0 ? 'font-medium text-fault' : 'text-muted'}`}>{exact(row.dropped)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

/** Here people compare with what their senders count. */
function exact(count: number): string {
  return count.toLocaleString('en-US');
}

function Rejects({ rejects, now }: { readonly rejects: readonly Reject[]; readonly now: number }) {
  return (
    <Card title="Refused lately, and why">
      {rejects.length === 0 ? (
        <p className="text-muted">Nothing was refused.</p>
      ) : (
        <table className="w-full text-left" aria-label="Refused documents">
          <thead className="text-xs text-muted">
            <tr>
              {['When', 'Source', 'Code', 'Reason', 'Segment id'].map((head) => (
                <th key={head} scope="col" className="py-1 pr-4 font-medium">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rejects.map((reject, index) => (
              <tr key={`${reject.atSeconds}-${index}`} className="border-t border-line align-top">
                <td className="py-1.5 pr-4 whitespace-nowrap" title={`${formatMoment(reject.atSeconds)}, ${formatUtc(reject.atSeconds)}`}>
                  {formatAge(reject.atSeconds, now)}
                </td>
                <td className="py-1.5 pr-4 whitespace-nowrap">{SOURCE_LABELS[reject.source]}</td>
                <td className="py-1.5 pr-4 font-mono text-xs">{reject.code}</td>
                <td className="py-1.5 pr-4 break-words">{reject.message}</td>
                <td className="py-1.5 font-mono text-xs">{reject.id ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}
