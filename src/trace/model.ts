/**
 * An assembled trace: segments in time order, each a tree of subsegments, joined to the segments they called.
 * Built by `assembleTrace`; read by summaries, the service graph, filter expressions, the timeline.
 * Times are epoch seconds as in the documents (a double holds them to about 0.2 µs in this century).
 */
import type { SegmentDocument } from './document.ts';
import type { SpanId, TraceId } from './ids.ts';

/** What a node of the service map is known by. `type` is the origin (`AWS::EC2::Instance`), or `remote`, `Database::SQL`, `client`, `unknown`. */
export interface NodeKey {
  readonly name: string;
  readonly type: string;
  readonly accountId?: string;
}

/** A segment or subsegment in an assembled trace. */
export interface Entity {
  readonly kind: 'segment' | 'subsegment';
  readonly id: SpanId;
  /** `parent_id` as sent, whether or not that parent was received; for an embedded subsegment, the id of what embeds it. */
  readonly parentId: SpanId | undefined;
  readonly name: string;
  readonly startSeconds: number;
  /** Undefined while in progress; never before the start, whatever was sent. */
  readonly endSeconds: number | undefined;
  readonly inProgress: boolean;
  readonly error: boolean;
  readonly throttle: boolean;
  readonly fault: boolean;
  /** Made by us for a callee that sends no segment of its own. */
  readonly inferred: boolean;
  /** Names a parent that was never received, or whose link would close a circle. */
  readonly orphan: boolean;
  /** The entity's own document without its `subsegments` (those are `children`). */
  readonly document: SegmentDocument;
  /** For a subsegment: what holds it. For a segment: the (sub)segment that called it, when it was received. */
  readonly parent: Entity | undefined;
  /** Subsegments, in start order; those of one start in the order in which they were embedded. */
  readonly children: readonly Entity[];
  /** Segments that name this entity as their parent (real or inferred), in start order. */
  readonly callees: readonly Segment[];
  /** The segment this entity belongs to; itself for a segment. */
  readonly segment: Segment;
}

/** A unit of work of one node. Orphaned subsegments stand under a placeholder segment of their missing parent. */
export interface Segment extends Entity {
  readonly kind: 'segment';
  readonly node: NodeKey;
  /** Stands in for a parent segment that was never received; has no document of its own. */
  readonly placeholder: boolean;
}

export interface Trace {
  readonly id: TraceId;
  /** All segments, real, inferred and placeholder, in start order (then inferred last, then by id). */
  readonly segments: readonly Segment[];
  /** The segment that answered the request: no parent in the trace; undefined when only placeholders were received. */
  readonly root: Segment | undefined;
  /** Earliest start over all segments. */
  readonly startSeconds: number;
  /** Latest known end (or start, when in progress) over all segments. */
  readonly endSeconds: number;
  /** A segment is in progress or a placeholder, or a callee that is said to be traced has not reported. */
  readonly partial: boolean;
  /** Documents were left out because the trace was over the size limit. */
  readonly limitExceeded: boolean;
  /** How many distinct documents the trace was built from; grows when it gains data. */
  readonly revision: number;
}
