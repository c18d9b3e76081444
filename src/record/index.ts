export { DocumentDecoder, DocumentEncoder } from './document-codec.ts';
export { DocumentsOfRows } from './documents.ts';
export { graphRowsOf } from './graph-rows.ts';
export { RowsOfDocuments } from './segment-rows.ts';
export { RowsOfSpans, spanOfRow } from './span-codec.ts';
export { emptyRow, SpanFlag, type SpanRow } from './span-row.ts';
