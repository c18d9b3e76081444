/** A trace as the flat list of rows that a timeline draws. */
import { httpStatus, requestText } from './http.ts';
import type { Entity, NodeKey, Trace } from './model.ts';
import { outcomeOf, type Outcome } from './outcome.ts';

/** One line of the timeline, as it goes to the page too. */
export interface TimelineRow {
  readonly id: string;
  /** Index of the row above it in the tree; -1 for a top row. */
  readonly parent: number;
  readonly depth: number;
  readonly kind: 'segment' | 'subsegment';
  readonly name: string;
  /** The node that the row's segment belongs to. */
  readonly node: NodeKey;
  readonly startSeconds: number;
  /** Absent while in progress. */
  readonly endSeconds?: number;
  readonly outcome: Outcome;
  readonly inferred: boolean;
  readonly orphan: boolean;
  readonly placeholder: boolean;
  readonly namespace?: string;
  readonly method?: string;
  readonly url?: string;
  readonly status?: number;
}

interface Pending {
  readonly entity: Entity;
  readonly parent: number;
  readonly depth: number;
}

/** All (sub)segments in display order: depth first, the segments that one called before its own subsegments, each by start. */
export function timelineRows(trace: Trace): readonly TimelineRow[] {
  const rows: TimelineRow[] = [];
  const pending: Pending[] = [];
  const tops = trace.segments.filter((segment) => segment.parent === undefined);
  push(pending, tops, -1, 0);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const index = rows.length;
    rows.push(toRow(next));
    push(pending, next.entity.children, index, next.depth + 1);
    push(pending, next.entity.callees, index, next.depth + 1);
  }
  return rows;
}

/** Last first, so that the first is taken first. */
function push(pending: Pending[], entities: readonly Entity[], parent: number, depth: number): void {
  for (let index = entities.length - 1; index >= 0; index -= 1) {
    const entity = entities[index];
    if (entity !== undefined) pending.push({ entity, parent, depth });
  }
}

function toRow({ entity, parent, depth }: Pending): TimelineRow {
  const { document, segment } = entity;
  const status = httpStatus(document);
  const method = requestText(document, 'method');
  const url = requestText(document, 'url');
  return {
    id: entity.id,
    parent,
    depth,
    kind: entity.kind,
    name: entity.name,
    node: segment.node,
    startSeconds: entity.startSeconds,
    ...(entity.endSeconds === undefined ? {} : { endSeconds: entity.endSeconds }),
    outcome: outcomeOf(entity),
    inferred: entity.inferred,
    orphan: entity.orphan,
    placeholder: entity === segment && segment.placeholder,
    ...(typeof document.namespace === 'string' ? { namespace: document.namespace } : {}),
    ...(method === undefined ? {} : { method }),
    ...(url === undefined ? {} : { url }),
    ...(status === undefined ? {} : { status }),
  };
}
