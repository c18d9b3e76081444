export { DocumentsOfRows } from './documents.ts';
export { graphRowsOf } from './graph-rows.ts';
export { RowsOfDocuments } from './segment-rows.ts';
export { RowsOfSpans } from './span-codec.ts';
export { SpanFlag, type SpanRow, toAttributeValue } from './span-row.ts';
