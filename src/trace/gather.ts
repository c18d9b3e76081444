/**
 * First half of assembly: from documents as received to one copy of each segment and subsegment, embedded ones included.
 * Nothing here depends on the order in which documents arrived.
 */
import { canonicalText } from './canonical.ts';
import { deriveSpanId, readSpanId } from './derived-id.ts';
import type { SegmentDocument } from './document.ts';
import type { SpanId, TraceId } from './ids.ts';

/** A segment or subsegment, with the best copy of its document. */
export interface Gathered {
  readonly kind: 'segment' | 'subsegment';
  readonly id: SpanId;
  /** As received, `subsegments` included. */
  document: SegmentDocument;
  /** Whose `subsegments` it was embedded in; undefined when it only came on its own. */
  holder: Gathered | undefined;
  /** Its index there; -1 when it only came on its own. */
  order: number;
}

export interface Gathering {
  readonly traceId: TraceId;
  /** Segments and subsegments are kept apart: an id that both use (spans shared by client and server) names one of each. */
  readonly segments: Map<SpanId, Gathered>;
  readonly subsegments: Map<SpanId, Gathered>;
  /** Distinct documents, by content. */
  revision: number;
  limitExceeded: boolean;
}

/** Merges copies and lays embedded subsegments out flat. Documents without an id, and over `maxDocuments`, are left out. */
export function gatherDocuments(traceId: TraceId, documents: readonly SegmentDocument[], maxDocuments: number): Gathering {
  const kept = limitDocuments(documents, maxDocuments);
  const gathering: Gathering = {
    traceId,
    segments: new Map(),
    subsegments: new Map(),
    revision: 0,
    limitExceeded: kept.length < documents.length,
  };
  const seen = new Map<string, SegmentDocument | Set<string>>();
  for (const document of kept) {
    const id = readSpanId(traceId, document.id);
    if (id === undefined || !isNew(seen, documentKey(document), document)) continue;
    gathering.revision += 1;
    layOut(gathering, id, document);
  }
  return gathering;
}

/** A finite number of seconds, also when it was sent as text; undefined for anything else. */
export function readSeconds(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value === '') return undefined;
  const seconds = Number(value);
  return Number.isFinite(seconds) ? seconds : undefined;
}

/** Keeps the earliest-starting `max` (sub)segments, each with all copies of its document. */
function limitDocuments(documents: readonly SegmentDocument[], max: number): readonly SegmentDocument[] {
  if (documents.length <= max) return documents;
  const starts = new Map<string, number>();
  for (const document of documents) {
    const key = documentKey(document);
    const start = readSeconds(document.start_time) ?? 0;
    starts.set(key, Math.min(start, starts.get(key) ?? start));
  }
  if (starts.size <= max) return documents;
  const keys = [...starts].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
  const kept = new Set(keys.slice(0, max).map(([key]) => key));
  return documents.filter((document) => kept.has(documentKey(document)));
}

function documentKey(document: SegmentDocument): string {
  return `${kindOf(document)} ${String(document.id).toLowerCase()}`;
}

function kindOf(document: SegmentDocument): 'segment' | 'subsegment' {
  return document.type === 'subsegment' ? 'subsegment' : 'segment';
}

/** Whether no equal document was seen. Texts are made only for ids that come twice. */
function isNew(seen: Map<string, SegmentDocument | Set<string>>, key: string, document: SegmentDocument): boolean {
  const before = seen.get(key);
  if (before === undefined) {
    seen.set(key, document);
    return true;
  }
  const texts = before instanceof Set ? before : new Set([canonicalText(before)]);
  const known = texts.size;
  seen.set(key, texts.add(canonicalText(document)));
  return texts.size > known;
}

/** Adds a document and, down to any depth, what is embedded in it. */
function layOut(gathering: Gathering, id: SpanId, document: SegmentDocument): void {
  const holders = [place(gathering, kindOf(document), id, document, undefined, -1)];
  const documents = [document];
  for (let next = documents.pop(); next !== undefined; next = documents.pop()) {
    const holder = holders.pop();
    if (!Array.isArray(next.subsegments)) continue;
    const embedded: readonly unknown[] = next.subsegments;
    for (const [order, item] of embedded.entries()) {
      if (typeof item !== 'object' || item === null) continue;
      const child = item as SegmentDocument;
      const childId = readSpanId(gathering.traceId, child.id) ?? deriveSpanId(gathering.traceId, `${holder?.id}.${order}`);
      holders.push(place(gathering, 'subsegment', childId, child, holder, order));
      documents.push(child);
    }
  }
}

function place(
  gathering: Gathering,
  kind: 'segment' | 'subsegment',
  id: SpanId,
  document: SegmentDocument,
  holder: Gathered | undefined,
  order: number,
): Gathered {
  const byId = kind === 'segment' ? gathering.segments : gathering.subsegments;
  const present = byId.get(id);
  if (present === undefined) {
    const gathered = { kind, id, document, holder, order };
    byId.set(id, gathered);
    return gathered;
  }
  present.document = betterCopy(present.document, document);
  if (holder !== undefined && holder !== present && isEarlierPlace(holder, order, present)) {
    present.holder = holder;
    present.order = order;
  }
  return present;
}

/** Two documents may embed the same subsegment; which of them holds it must not depend on arrival. */
function isEarlierPlace(holder: Gathered, order: number, present: Gathered): boolean {
  if (present.holder === undefined) return true;
  if (present.holder === holder) return order < present.order;
  if (present.holder.kind !== holder.kind) return holder.kind === 'segment';
  return holder.id < present.holder.id;
}

/** Which copy to believe: real before inferred, complete before in progress, later end, more data; a total order on contents. */
function betterCopy(a: SegmentDocument, b: SegmentDocument): SegmentDocument {
  if (a === b) return a;
  if ((a.inferred === true) !== (b.inferred === true)) return a.inferred === true ? b : a;
  const aEnd = readSeconds(a.end_time) ?? -Infinity;
  const bEnd = readSeconds(b.end_time) ?? -Infinity;
  if (aEnd !== bEnd) return aEnd > bEnd ? a : b;
  const aText = canonicalText(a, 'subsegments');
  const bText = canonicalText(b, 'subsegments');
  if (aText.length !== bText.length) return aText.length > bText.length ? a : b;
  return aText >= bText ? a : b;
}
