/**
 * From a trace's documents, in any order and any number of copies, to its tree of segments and subsegments.
 * No step recurses on the data's depth; all are linear but for two sorts.
 */
import type { SegmentDocument } from './document.ts';
import { deriveSpanId, readSpanId } from './derived-id.ts';
import { gatherDocuments, readSeconds, type Gathered, type Gathering } from './gather.ts';
import { toXRayTraceId, type SpanId, type TraceId } from './ids.ts';
import { inferredDocument } from './inferred.ts';
import type { Entity, NodeKey, Segment, Trace } from './model.ts';
import { calleeNode, isTraced, nameOf, segmentNode, UNKNOWN_NODE_TYPE } from './node.ts';
import { outcomeFlags } from './outcome.ts';

export interface AssembleOptions {
  /** Distinct documents that one trace may have; the latest-starting ones over it are left out. Default 10,000. */
  readonly maxDocuments?: number;
}

const DEFAULT_MAX_DOCUMENTS = 10_000;

/** An entity while it is being joined to the others. */
type Draft = {
  -readonly [Key in keyof Entity]: Entity[Key];
} & { children: Draft[]; callees: SegmentDraft[]; parent: Draft | undefined; segment: SegmentDraft };
type SegmentDraft = Draft & { kind: 'segment'; node: NodeKey; placeholder: boolean };

interface Placed {
  readonly draft: Draft;
  readonly order: number;
}

interface Assembly {
  readonly gathering: Gathering;
  readonly segments: Map<SpanId, SegmentDraft>;
  readonly subsegments: Map<SpanId, Draft>;
  /** In the order in which they stand under their parents. */
  readonly ordered: Draft[];
  readonly placeholders: Map<SpanId, SegmentDraft>;
}

/**
 * Joins the documents of one trace. Copies of one (sub)segment count once: complete before in progress, then the later end, then
 * the one with more data. Subsegments whose parent was not received stand under a placeholder for it; a link that closes a
 * circle is cut at its youngest segment (or subsegment, when no segment is part of it). Callees that report for themselves
 * in no document get an inferred segment. The answer shares the documents, and does not change them.
 */
export function assembleTrace(traceId: TraceId, documents: readonly SegmentDocument[], options: AssembleOptions = {}): Trace {
  const gathering = gatherDocuments(traceId, documents, options.maxDocuments ?? DEFAULT_MAX_DOCUMENTS);
  const called = dropSupersededInferred(gathering);
  const assembly = draftAll(gathering);
  linkParents(assembly);
  cutCircles([...assembly.segments.values(), ...assembly.ordered]);
  holdOrphans(assembly);
  setSegments(assembly.ordered);
  const inferred = inferSegments(assembly, called);
  const segments = [...assembly.segments.values(), ...assembly.placeholders.values(), ...inferred].sort(byStart);
  for (const child of assembly.ordered) child.parent?.children.push(child);
  for (const segment of segments) segment.parent?.callees.push(segment);
  return toTrace(assembly, segments);
}

/**
 * Removes inferred segments that were sent (exported data) where a real segment answered the same call.
 * Returns the parent ids that the remaining segments name: those calls need no inferred segment from us.
 */
function dropSupersededInferred({ traceId, segments }: Gathering): ReadonlySet<SpanId> {
  const answered = new Set<SpanId>();
  const inferred: Gathered[] = [];
  for (const segment of segments.values()) {
    const parentId = readSpanId(traceId, segment.document.parent_id);
    if (segment.document.inferred === true) inferred.push(segment);
    else if (parentId !== undefined) answered.add(parentId);
  }
  for (const segment of inferred) {
    const parentId = readSpanId(traceId, segment.document.parent_id);
    if (parentId !== undefined && answered.has(parentId)) segments.delete(segment.id);
  }
  for (const segment of inferred) {
    const parentId = readSpanId(traceId, segment.document.parent_id);
    if (parentId !== undefined) answered.add(parentId);
  }
  return answered;
}

function draftAll(gathering: Gathering): Assembly {
  const segments = new Map<SpanId, SegmentDraft>();
  const subsegments = new Map<SpanId, Draft>();
  const placed: Placed[] = [];
  for (const gathered of gathering.segments.values()) {
    segments.set(gathered.id, draftSegment(gathering.traceId, gathered));
  }
  for (const gathered of gathering.subsegments.values()) {
    const draft = draftEntity(gathering.traceId, gathered);
    subsegments.set(gathered.id, draft);
    placed.push({ draft, order: gathered.order });
  }
  const ordered = placed.sort(byStartAndOrder).map(({ draft }) => draft);
  return { gathering, segments, subsegments, ordered, placeholders: new Map() };
}

function draftSegment(traceId: TraceId, gathered: Gathered): SegmentDraft {
  return toSegmentDraft(draftEntity(traceId, gathered), segmentNode(gathered.document), false);
}

function toSegmentDraft(draft: Draft, node: NodeKey, placeholder: boolean): SegmentDraft {
  const segment = draft as SegmentDraft;
  segment.node = node;
  segment.placeholder = placeholder;
  segment.segment = segment;
  return segment;
}

function draftEntity(traceId: TraceId, gathered: Gathered): Draft {
  const { kind, id, document, holder } = gathered;
  const end = readSeconds(document.end_time);
  const start = readSeconds(document.start_time) ?? readSeconds(holder?.document.start_time) ?? end ?? 0;
  const { error, throttle, fault } = outcomeFlags(document);
  return {
    kind,
    id,
    parentId: holder === undefined ? readSpanId(traceId, document.parent_id) : holder.id,
    name: nameOf(document),
    startSeconds: start,
    endSeconds: end === undefined ? undefined : Math.max(start, end),
    inProgress: end === undefined,
    error,
    throttle,
    fault,
    inferred: document.inferred === true,
    orphan: false,
    document: withoutSubsegments(document),
    parent: undefined,
    children: [],
    callees: [],
    segment: NO_SEGMENT_YET,
  };
}

/** `setSegments` replaces it in every subsegment before anybody sees it. */
const NO_SEGMENT_YET = undefined as unknown as SegmentDraft;

function withoutSubsegments(document: SegmentDocument): SegmentDocument {
  if (document.subsegments === undefined) return document;
  const { subsegments: _, ...own } = document;
  return own as SegmentDocument;
}

/** An embedded subsegment belongs where it is embedded; everything else where its `parent_id` says. */
function linkParents({ gathering, segments, subsegments }: Assembly): void {
  for (const { id, holder } of gathering.subsegments.values()) {
    const draft = subsegments.get(id);
    if (draft === undefined) continue;
    if (holder !== undefined) draft.parent = (holder.kind === 'segment' ? segments : subsegments).get(holder.id);
    else if (draft.parentId !== undefined) draft.parent = segments.get(draft.parentId) ?? subsegments.get(draft.parentId);
  }
  for (const draft of segments.values()) {
    if (draft.parentId === undefined) continue;
    draft.parent = subsegments.get(draft.parentId) ?? segments.get(draft.parentId);
    draft.orphan = draft.parent === undefined;
  }
}

/**
 * Every entity has at most one parent, so following parents either ends or runs into one circle. A circle has at least one link
 * whose parent does not start earlier: only those, few in sound data, are followed.
 */
function cutCircles(drafts: readonly Draft[]): void {
  const walkOf = new Map<Draft, number>();
  for (const [walk, start] of drafts.entries()) {
    if (start.parent === undefined || start.parent.startSeconds < start.startSeconds) continue;
    let draft: Draft | undefined = start;
    while (draft !== undefined && !walkOf.has(draft)) {
      walkOf.set(draft, walk);
      draft = draft.parent;
    }
    if (draft !== undefined && walkOf.get(draft) === walk) cutCircle(draft);
  }
}

function cutCircle(member: Draft): void {
  let youngest = member;
  for (let draft = member.parent; draft !== undefined && draft !== member; draft = draft.parent) {
    if (isCutBefore(draft, youngest)) youngest = draft;
  }
  youngest.parent = undefined;
  youngest.orphan = true;
}

/** Segments first: cutting one loses only the link to its caller, cutting a subsegment takes it out of its segment. */
function isCutBefore(a: Draft, b: Draft): boolean {
  if (a.kind !== b.kind) return a.kind === 'segment';
  if (a.startSeconds !== b.startSeconds) return a.startSeconds > b.startSeconds;
  return a.id > b.id;
}

/** Puts subsegments without a parent under a placeholder segment, one per missing parent. */
function holdOrphans({ gathering, segments, ordered, placeholders }: Assembly): void {
  for (const draft of ordered) {
    if (draft.parent !== undefined) continue;
    draft.orphan = true;
    const id = placeholderId(gathering.traceId, draft.parentId, segments);
    const held = placeholders.get(id);
    if (held === undefined) placeholders.set(id, draftPlaceholder(gathering.traceId, id, draft));
    else held.endSeconds = Math.max(held.endSeconds ?? 0, draft.endSeconds ?? draft.startSeconds);
    draft.parent = placeholders.get(id);
  }
  for (const { document, endSeconds } of placeholders.values()) {
    if (endSeconds !== undefined) document.end_time = endSeconds;
  }
}

/** The missing parent's own id, unless there is none or a segment has it (a circle was cut here). */
function placeholderId(traceId: TraceId, parentId: SpanId | undefined, segments: ReadonlyMap<SpanId, unknown>): SpanId {
  if (parentId === undefined) return deriveSpanId(traceId, 'no parent');
  return segments.has(parentId) ? deriveSpanId(traceId, `cut ${parentId}`) : parentId;
}

/** Spans what it holds: the missing segment's true times are not known. */
function draftPlaceholder(traceId: TraceId, id: SpanId, first: Draft): SegmentDraft {
  const draft = draftEntity(traceId, {
    kind: 'segment',
    id,
    document: {
      name: UNKNOWN_NODE_TYPE,
      id,
      trace_id: toXRayTraceId(traceId),
      start_time: first.startSeconds,
      end_time: first.endSeconds ?? first.startSeconds,
    },
    holder: undefined,
    order: -1,
  });
  return toSegmentDraft(draft, { name: UNKNOWN_NODE_TYPE, type: UNKNOWN_NODE_TYPE }, true);
}

/** Climbs to the segment once per subsegment: what was climbed over is set on the way back. */
function setSegments(subsegments: readonly Draft[]): void {
  const climbed: Draft[] = [];
  for (const subsegment of subsegments) {
    let draft: Draft | undefined = subsegment;
    while (draft !== undefined && draft.segment === NO_SEGMENT_YET) {
      climbed.push(draft);
      draft = draft.parent;
    }
    if (draft === undefined) continue;
    for (let below = climbed.pop(); below !== undefined; below = climbed.pop()) below.segment = draft.segment;
  }
}

function inferSegments({ gathering, ordered }: Assembly, called: ReadonlySet<SpanId>): SegmentDraft[] {
  const inferred: SegmentDraft[] = [];
  for (const caller of ordered) {
    const node = calleeNode(caller.document);
    if (node === undefined || called.has(caller.id) || isTraced(caller.document)) continue;
    const document = inferredDocument(gathering.traceId, caller, node);
    const id = document.id as SpanId;
    const draft = draftEntity(gathering.traceId, { kind: 'segment', id, document, holder: undefined, order: -1 });
    draft.parent = caller;
    inferred.push(toSegmentDraft(draft, node, false));
  }
  return inferred;
}

function toTrace({ gathering, ordered, placeholders }: Assembly, segments: readonly SegmentDraft[]): Trace {
  let end = -Infinity;
  let partial = placeholders.size > 0;
  for (const segment of segments) {
    end = Math.max(end, segment.endSeconds ?? segment.startSeconds);
    partial ||= segment.inProgress;
  }
  partial ||= ordered.some((draft) => draft.callees.length === 0 && isTraced(draft.document));
  return {
    id: gathering.traceId,
    segments,
    root: findRoot(segments),
    startSeconds: segments[0]?.startSeconds ?? 0,
    endSeconds: segments.length === 0 ? 0 : end,
    partial,
    limitExceeded: gathering.limitExceeded,
    revision: gathering.revision,
  };
}

/** The earliest real segment without a parent in the trace; one that names no parent at all comes before one whose is missing. */
function findRoot(segments: readonly Segment[]): Segment | undefined {
  const tops = segments.filter((segment) => segment.parent === undefined && !segment.placeholder && !segment.inferred);
  return tops.find((segment) => segment.parentId === undefined) ?? tops[0];
}

/** At the same start, a caller before the segments inferred from it. */
function byStart(a: Draft, b: Draft): number {
  return a.startSeconds - b.startSeconds || Number(a.inferred) - Number(b.inferred) || compareIds(a.id, b.id);
}

/** At the same start (SDKs count in milliseconds), those sent ahead come first, then as they were embedded. */
function byStartAndOrder(a: Placed, b: Placed): number {
  return a.draft.startSeconds - b.draft.startSeconds || a.order - b.order || compareIds(a.draft.id, b.draft.id);
}

function compareIds(a: SpanId, b: SpanId): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
