/** Gives the documents of stored rows back: for assembly one per row, or as they were received. */
import { spanToSegment, spanToJson } from '../otlp/index.ts';
import type { SegmentDocument } from '../trace/index.ts';
import { DocumentDecoder } from './document-codec.ts';
import { spanOfRow } from './span-codec.ts';
import { SpanFlag, type SpanRow } from './span-row.ts';

/** Reads rows. Keeps parsed shapes; not shared between threads. */
export class DocumentsOfRows {
  readonly #decoder = new DocumentDecoder();

  /** Each row as a document of its own: embedded subsegments as independent ones, OTLP spans mapped to segments. */
  flat(rows: readonly SpanRow[]): SegmentDocument[] {
    return rows.map((row) => this.one(row));
  }

  /** One row as a document of its own. */
  one(row: SpanRow): SegmentDocument {
    if ((row.flags & SpanFlag.otlp) !== 0) return spanToSegment(spanOfRow(row));
    const { document } = this.#decoder.decode(row);
    if ((row.flags & SpanFlag.embedded) === 0) return document;
    document.type = 'subsegment';
    document.parent_id = row.parentId;
    return document;
  }

  /** The OTLP span of a row as OTLP/JSON; undefined when it came as a segment document. */
  span(row: SpanRow): Record<string, unknown> | undefined {
    return (row.flags & SpanFlag.otlp) === 0 ? undefined : spanToJson(spanOfRow(row));
  }

  /** Segment documents as they were received, unchanged in meaning; OTLP rows are left out. */
  received(rows: readonly SpanRow[]): SegmentDocument[] {
    const tops: SegmentDocument[] = [];
    const holders = new Map<string, SegmentDocument>();
    const embedded: { readonly row: SpanRow; readonly document: SegmentDocument; readonly ordinal: number }[] = [];
    for (const row of rows) {
      if ((row.flags & SpanFlag.otlp) !== 0) continue;
      const { document, ordinal } = this.#decoder.decode(row);
      holders.set(row.spanId, document);
      if (ordinal < 0) tops.push(document);
      else embedded.push({ row, document, ordinal });
    }
    embedded.sort((a, b) => a.ordinal - b.ordinal);
    for (const { row, document } of embedded) {
      const holder = holders.get(row.parentId);
      if (holder) (holder.subsegments ??= []).push(document);
    }
    return tops;
  }
}
