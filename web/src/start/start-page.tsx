import { Link } from '@tanstack/react-router';
import { Tabs } from 'radix-ui';
import { useEffect, useRef } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { useLive } from '../api/live.tsx';
import { useStatus } from '../api/queries.ts';
import type { StatusAnswer } from '../core.ts';
import { SOURCE_LABELS } from '../status/sources.ts';
import { formatCount } from '../time/format.ts';
import { CodeLine } from '../ui/copy.tsx';
import { QueryProblem } from '../ui/query-problem.tsx';
import { PageSkeleton } from '../ui/skeleton.tsx';
import { recipesFor, type Recipe } from './recipes.ts';

const WAIT_MS = 1500;

/** How to point an application here. As the first screen it waits for the first trace and gives way to the map by itself. */
export function StartPage({ waiting = false }: { readonly waiting?: boolean }) {
  const status = useStatus(waiting ? WAIT_MS : undefined);
  useNewsOfFirstTrace(waiting);
  if (status.error && !status.data) return <QueryProblem error={status.error} retry={() => void status.refetch()} />;
  if (!status.data) return <PageSkeleton />;
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-3xl flex-col gap-6 px-6 py-10">
        <div>
          <h1 className="text-2xl font-semibold tracking-tight">{waiting ? 'Send the first trace' : 'Connect an application'}</h1>
          <p className="mt-1.5 text-base text-muted">
            Fluoroscope takes what AWS X-Ray's SDKs and OpenTelemetry send, without changes to them. Point one application here and its
            requests appear on the map.
          </p>
        </div>
        {waiting && <Waiting status={status.data} />}
        <section className="flex items-center gap-4 rounded-xl border border-line bg-panel p-4">
          <div className="min-w-0 flex-1">
            <h2 className="font-medium">Nothing to point here yet?</h2>
            <p className="text-muted">
              A small shop of real services, with load, errors, throttles and one slow path, fills the map within a minute.
            </p>
          </div>
          <div className="w-56">
            <CodeLine code="./fluoro demo" label="the demo's command" />
          </div>
        </section>
        <Recipes recipes={recipesFor(status.data.addresses)} />
        <p className="text-xs text-muted">
          These addresses hold on the machine where the server runs. From another machine or a container use a name that leads here, and
          start the server with <code className="font-mono">--listen 0.0.0.0:7070 --xray 0.0.0.0:2000</code>. What is refused, and why,
          stands on the{' '}
          <Link to="/status" className="text-accent underline">
            status page
          </Link>
          .
        </p>
      </div>
    </div>
  );
}

/** The live stream tells sooner than the next poll. */
function useNewsOfFirstTrace(waiting: boolean): void {
  const { arrivals } = useLive();
  const client = useQueryClient();
  const seen = useRef(arrivals);
  useEffect(() => {
    if (!waiting || seen.current === arrivals) return;
    seen.current = arrivals;
    void client.invalidateQueries({ queryKey: ['status'] });
  }, [waiting, arrivals, client]);
}

function Waiting({ status }: { readonly status: StatusAnswer }) {
  const accepted = status.intake.reduce((sum, item) => sum + item.accepted, 0);
  const reject = status.rejects[0];
  return (
    <div role="status" data-testid="waiting" className="flex flex-col gap-2 rounded-xl border border-line bg-panel p-4">
      <div className="flex items-center gap-3">
        <span className="pulse size-2.5 shrink-0 rounded-full bg-ok-fill" aria-hidden />
        <span className="font-medium">
          {accepted > 0 ? `${formatCount(accepted)} documents received, being stored…` : 'Listening. Nothing has arrived yet.'}
        </span>
        <span className="ml-auto text-xs text-muted">This page turns into the map by itself.</span>
      </div>
      {reject && (
        <p className="text-fault">
          Something arrived by {SOURCE_LABELS[reject.source]}, but was refused: {reject.message} ({reject.code})
        </p>
      )}
      {status.store.state !== 'ready' && (
        <p className="text-error">
          The store is {status.store.state}
          {status.store.detail ? `: ${status.store.detail}` : ''}. What arrives meanwhile waits on disk.
        </p>
      )}
    </div>
  );
}

function Recipes({ recipes }: { readonly recipes: readonly Recipe[] }) {
  return (
    <Tabs.Root defaultValue={recipes[0]?.key ?? ''} className="flex flex-col gap-4">
      <Tabs.List aria-label="Ways to send traces" className="flex flex-wrap gap-1 border-b border-line">
        {recipes.map((recipe) => (
          <Tabs.Trigger
            key={recipe.key}
            value={recipe.key}
            className="-mb-px border-b-2 border-transparent px-3 py-2 font-medium text-muted hover:text-text data-[state=active]:border-accent data-[state=active]:text-accent"
          >
            {recipe.label}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      {recipes.map((recipe) => (
        <Tabs.Content key={recipe.key} value={recipe.key} className="flex min-h-80 flex-col gap-4 focus-visible:outline-none">
          {recipe.steps.map((step, index) => (
            <div key={step.title} className="flex flex-col gap-1.5">
              <h2 className="font-medium">
                {recipe.steps.length > 1 && <span className="mr-1.5 text-muted">{index + 1}.</span>}
                {step.title}
              </h2>
              <CodeLine code={step.code} label={step.title} />
            </div>
          ))}
          {recipe.note && <p className="text-muted">{recipe.note}</p>}
        </Tabs.Content>
      ))}
    </Tabs.Root>
  );
}
