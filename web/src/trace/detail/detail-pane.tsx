import { X } from 'lucide-react';
import { Tabs } from 'radix-ui';
import { useMemo } from 'react';
import { useSegment } from '../../api/queries.ts';
import { useView } from '../../app/view.ts';
import type { TimelineRow, TraceAnswer } from '../../core.ts';
import { OutcomeIcon } from '../../health/outcome-icon.tsx';
import { typeLabel } from '../../map/node-icon.tsx';
import { IconButton } from '../../ui/button.tsx';
import { Notice } from '../../ui/notice.tsx';
import { Spinner } from '../../ui/skeleton.tsx';
import type { TimelineModel } from '../timeline/model.ts';
import { readParts, type DetailParts } from './document.ts';
import { Exceptions } from './exceptions.tsx';
import { JsonTree } from './json-tree.tsx';
import { Overview } from './overview.tsx';
import { RawJson } from './raw-json.tsx';
import { Sql } from './sql.tsx';
import { ValueTable } from './value-table.tsx';

interface DetailPaneProps {
  readonly trace: TraceAnswer;
  readonly model: TimelineModel;
  readonly index: number;
  readonly onClose: () => void;
  readonly onSelect: (index: number) => void;
}

const TABS = [
  ['overview', 'Overview'],
  ['annotations', 'Annotations'],
  ['metadata', 'Metadata'],
  ['exceptions', 'Exceptions'],
  ['sql', 'SQL'],
  ['resources', 'Resources'],
  ['raw', 'Raw'],
] as const;

type Tab = (typeof TABS)[number][0];

/** Everything that was recorded about one row. The chosen tab stays while going from row to row. */
export function DetailPane({ trace, model, index, onClose, onSelect }: DetailPaneProps) {
  const row = model.rows[index]!;
  const { search, set } = useView();
  const segment = useSegment(trace.id, row.placeholder ? undefined : row.id);
  const current = segment.data?.id === row.id ? segment.data : undefined;
  const parts = useMemo(() => current && readParts(current), [current]);
  const tab: Tab = TABS.find(([key]) => key === search.tab)?.[0] ?? 'overview';
  const setTab = (next: string): void => set({ tab: next === 'overview' ? undefined : next }, true);
  return (
    <aside
      aria-label={`Details of ${row.name}`}
      data-testid="detail"
      className="flex w-[484px] shrink-0 flex-col border-l border-line bg-panel"
    >
      <Head row={row} onClose={onClose} />
      <Tabs.Root value={tab} onValueChange={setTab} className="flex min-h-0 flex-1 flex-col">
        <TabList parts={parts} />
        <Tabs.Content value={tab} className="min-h-0 flex-1 overflow-auto p-4 focus-visible:outline-offset-[-2px]">
          {row.placeholder ? (
            <Notice title="This segment was never received">
              Rows below name it as their parent. Its service may not be traced, may have lost the segment, or may not have sent it yet.
            </Notice>
          ) : tab === 'overview' ? (
            <Overview trace={trace} model={model} index={index} segment={current} parts={parts} onSelect={onSelect} onTab={setTab} />
          ) : segment.error && !current ? (
            <Notice title="The details could not be had" tone="bad">
              {segment.error.message}
            </Notice>
          ) : !current || !parts ? (
            <Spinner label="Loading…" />
          ) : (
            <Content tab={tab} parts={parts} document={current.document} span={current.span} model={model} onSelect={onSelect} />
          )}
        </Tabs.Content>
      </Tabs.Root>
    </aside>
  );
}

function Head({ row, onClose }: { readonly row: TimelineRow; readonly onClose: () => void }) {
  return (
    <div className="flex items-start gap-2 py-2.5 pr-2 pl-4">
      <span className="mt-0.5">
        <OutcomeIcon outcome={row.outcome} size={16} />
      </span>
      <div className="min-w-0">
        <h2 className="truncate text-base font-semibold" title={row.name}>
          {row.name}
        </h2>
        <p className="truncate text-xs text-muted">
          {row.kind === 'segment' ? 'Segment' : 'Subsegment'} of {row.node.name} ({typeLabel(row.node.type)})
        </p>
      </div>
      <IconButton label="Close (Esc)" className="ml-auto" onClick={onClose}>
        <X size={16} />
      </IconButton>
    </div>
  );
}

const TAB_LOOK =
  '-mb-px border-b-2 border-transparent px-1.5 py-1.5 text-xs font-medium whitespace-nowrap text-muted hover:text-text data-[empty]:font-normal data-[empty]:text-faint data-[state=active]:border-accent data-[state=active]:text-accent';

function TabList({ parts }: { readonly parts: DetailParts | undefined }) {
  return (
    <Tabs.List aria-label="Details" className="flex shrink-0 border-b border-line px-2">
      {TABS.map(([key, label]) => (
        <Tabs.Trigger key={key} value={key} data-empty={parts && isEmpty(key, parts) ? '' : undefined} className={TAB_LOOK}>
          {label}
          {parts && <TabCount tab={key} parts={parts} />}
        </Tabs.Trigger>
      ))}
    </Tabs.List>
  );
}

interface ContentProps {
  readonly tab: Exclude<Tab, 'overview'>;
  readonly parts: DetailParts;
  readonly document: Readonly<Record<string, unknown>>;
  readonly span: Readonly<Record<string, unknown>> | undefined;
  readonly model: TimelineModel;
  readonly onSelect: (index: number) => void;
}

function Content({ tab, parts, document, span, model, onSelect }: ContentProps) {
  switch (tab) {
    case 'annotations':
      return parts.annotations ? (
        <ValueTable values={parts.annotations} filterable />
      ) : (
        <Empty>
          No annotations: an SDK adds them with <code>addAnnotation(key, value)</code> or <code>put_annotation</code>. They can be filtered
          by.
        </Empty>
      );
    case 'metadata':
      return parts.metadata ? (
        <JsonTree value={parts.metadata} />
      ) : (
        <Empty>
          No metadata: an SDK adds it with <code>addMetadata(key, value)</code> or <code>put_metadata</code>.
        </Empty>
      );
    case 'exceptions':
      return parts.cause ? (
        <Exceptions cause={parts.cause} model={model} onSelect={onSelect} />
      ) : (
        <Empty>No exception was recorded here.</Empty>
      );
    case 'sql':
      return parts.sql ? <Sql sql={parts.sql} /> : <Empty>This is no database call.</Empty>;
    case 'resources':
      return parts.aws || parts.service || parts.arn ? <Resources parts={parts} /> : <Empty>Nothing was told about where this ran.</Empty>;
    case 'raw':
      return <RawJson document={document} span={span} />;
  }
}

function Resources({ parts }: { readonly parts: DetailParts }) {
  return (
    <div className="flex flex-col gap-4">
      {parts.arn && <ValueTable values={{ 'Resource ARN': parts.arn }} />}
      {parts.service && (
        <section>
          <h3 className="mb-1 text-xs font-semibold">Service</h3>
          <ValueTable values={parts.service} />
        </section>
      )}
      {parts.aws && (
        <section>
          <h3 className="mb-1 text-xs font-semibold">AWS</h3>
          <ValueTable values={parts.aws} />
        </section>
      )}
    </div>
  );
}

function Empty({ children }: { readonly children: React.ReactNode }) {
  return <p className="text-muted [&_code]:font-mono [&_code]:text-xs">{children}</p>;
}

function isEmpty(tab: Tab, parts: DetailParts): boolean {
  if (tab === 'resources') return !parts.aws && !parts.service && !parts.arn;
  if (tab === 'annotations' || tab === 'metadata' || tab === 'sql') return !parts[tab];
  return tab === 'exceptions' && !parts.cause;
}

function TabCount({ tab, parts }: { readonly tab: Tab; readonly parts: DetailParts }) {
  const count =
    tab === 'annotations' && parts.annotations
      ? Object.keys(parts.annotations).length
      : tab === 'exceptions'
        ? (parts.cause?.exceptions.length ?? 0)
        : 0;
  return count === 0 ? null : <span className={`ml-1 ${tab === 'exceptions' ? 'text-fault' : 'text-muted'}`}>{count}</span>;
}
