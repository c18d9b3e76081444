import { getRouteApi, Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { ApiFailure } from '../api/client.ts';
import { useTrace } from '../api/queries.ts';
import { useView } from '../app/view.ts';
import type { TraceAnswer } from '../core.ts';
import { nodeKey, toGraphModel } from '../map/graph-model.ts';
import { MapCanvas } from '../map/map-canvas.tsx';
import { buttonClass } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { QueryProblem } from '../ui/query-problem.tsx';
import { PageSkeleton } from '../ui/skeleton.tsx';
import { DetailPane } from './detail/detail-pane.tsx';
import { toTimelineModel } from './timeline/model.ts';
import { TimelineView } from './timeline/timeline-view.tsx';
import { useTimeline, type Timeline } from './timeline/use-timeline.ts';
import { TraceHeader } from './trace-header.tsx';

const traceRoute = getRouteApi('/traces/$traceId');

/** One request from its entry to its last callee. */
export function TracePage() {
  const { traceId } = traceRoute.useParams();
  const trace = useTrace(traceId);
  if (trace.error && !trace.data) {
    if (trace.error instanceof ApiFailure && trace.error.status === 404) return <UnknownTrace id={traceId} />;
    return <QueryProblem error={trace.error} retry={() => void trace.refetch()} />;
  }
  if (!trace.data) return <PageSkeleton />;
  return <Trace key={trace.data.id} trace={trace.data} />;
}

function UnknownTrace({ id }: { readonly id: string }) {
  return (
    <Notice
      title="This trace is not here"
      actions={
        <Link to="/traces" className={buttonClass()}>
          To the list of traces
        </Link>
      }
    >
      <code className="font-mono text-xs break-all">{id}</code>
      <span className="mt-2 block">
        It was not received (sampled out, or sent elsewhere), is older than the retention time, or the id is not whole: X-Ray's form is 1-8
        digits-24 digits, W3C's is 32 digits.
      </span>
    </Notice>
  );
}

function Trace({ trace }: { readonly trace: TraceAnswer }) {
  const model = useMemo(() => toTimelineModel(trace), [trace]);
  const timeline = useTimeline(model);
  const { search } = useView();
  const [map, setMap] = useState(() => trace.graph.nodes.length > 2);
  const shown = search.row !== undefined && timeline.selected !== undefined ? model.indexById.get(search.row) : undefined;
  return (
    <div className="flex h-full flex-col">
      <TraceHeader trace={trace} model={model} map={map} onMap={setMap} onSelect={timeline.select} />
      <div className="flex min-h-0 flex-1">
        <div className="flex min-w-0 flex-1 flex-col">
          {map && <TraceMap trace={trace} timeline={timeline} />}
          <div className="min-h-0 flex-1">
            <TimelineView timeline={timeline} />
          </div>
        </div>
        {shown !== undefined && (
          <DetailPane trace={trace} model={model} index={shown} onClose={() => timeline.select(undefined)} onSelect={timeline.select} />
        )}
      </div>
    </div>
  );
}

/** The services of this trace; choosing one selects its first row. */
function TraceMap({ trace, timeline }: { readonly trace: TraceAnswer; readonly timeline: Timeline }) {
  const graph = useMemo(() => toGraphModel(trace.graph), [trace.graph]);
  const { model, selected } = timeline;
  const current = selected === undefined ? undefined : nodeKey(model.rows[selected]!.node);
  const choose = (key: string | undefined): void => {
    const node = key === undefined ? -1 : model.nodeKeys.indexOf(key);
    const row = node < 0 ? -1 : model.rows.findIndex((item, index) => model.nodeIndex[index] === node && item.kind === 'segment');
    if (row >= 0) timeline.select(row);
  };
  return (
    <div className="h-52 shrink-0 border-b border-line" data-testid="trace-map">
      <MapCanvas model={graph} node={current} onNode={choose} onEdge={() => undefined} small />
    </div>
  );
}
