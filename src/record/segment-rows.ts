/** Lays a checked segment document, with everything embedded in it, into rows. */
import { calleeNode, isTraced, outcomeFlags, type SegmentDocument, segmentNode, type TraceId } from '../trace/index.ts';
import { DocumentEncoder } from './document-codec.ts';
import { emptyRow, SpanFlag, type SpanRow } from './span-row.ts';

interface Pending {
  readonly document: SegmentDocument;
  readonly parentId: string;
  readonly ordinal: number;
}

/** Turns documents into rows. Not shared between threads. */
export class RowsOfDocuments {
  readonly #encoder = new DocumentEncoder();

  /**
   * Appends the rows of `document` (the caller has checked ids, names and times of it and of all it embeds).
   * hot: once per received document.
   */
  append(document: SegmentDocument, traceId: TraceId, rows: SpanRow[]): void {
    const isSegment = document.type !== 'subsegment';
    const node = isSegment ? segmentNode(document) : undefined;
    const pending: Pending[] = [{ document, parentId: idOrNone(document.parent_id), ordinal: -1 }];
    for (let at = 0; at < pending.length; at++) {
      const { document: current, parentId, ordinal } = pending[at]!;
      const row = emptyRow(traceId, current.id.toLowerCase(), parentId);
      row.service = node?.name ?? '';
      row.type = node?.type ?? '';
      row.flags = flagsOf(current) | (at > 0 ? SpanFlag.embedded : isSegment ? SpanFlag.segment : 0);
      if (at > 0 || !isSegment) setPeer(row, current);
      setTimes(row, current);
      this.#encoder.encode(current, row, ordinal);
      rows.push(row);
      const embedded = current.subsegments;
      if (!embedded) continue;
      for (let i = 0; i < embedded.length; i++) {
        pending.push({ document: embedded[i]!, parentId: row.spanId, ordinal: i });
      }
    }
  }
}

function idOrNone(id: unknown): string {
  return typeof id === 'string' && /^[0-9a-fA-F]{16}$/.test(id) ? id.toLowerCase() : '';
}

function flagsOf(document: SegmentDocument): number {
  const { error, throttle, fault } = outcomeFlags(document);
  return (
    (error ? SpanFlag.error : 0) |
    (throttle ? SpanFlag.throttle : 0) |
    (fault ? SpanFlag.fault : 0) |
    (typeof document.end_time === 'number' ? 0 : SpanFlag.inProgress) |
    (isTraced(document) ? SpanFlag.traced : 0)
  );
}

function setPeer(row: SpanRow, document: SegmentDocument): void {
  const callee = calleeNode(document);
  if (!callee) return;
  row.peer = callee.name;
  row.peerType = callee.type;
}

/** A double holds epoch seconds to 0.24 µs, so rounding to nanoseconds loses nothing and comes back the same. */
function setTimes(row: SpanRow, document: SegmentDocument): void {
  const seconds = Math.floor(document.start_time);
  row.startSeconds = seconds;
  row.startNanos = Math.round((document.start_time - seconds) * 1e9);
  if (typeof document.end_time !== 'number') return;
  const endSeconds = Math.floor(document.end_time);
  const endNanos = Math.round((document.end_time - endSeconds) * 1e9);
  row.durationNanos = (endSeconds - seconds) * 1e9 + endNanos - row.startNanos;
}
