/** What the store does with a narrowing, in memory: for tests to compare with. */
import type { AnnotationScalar, ColumnTest, Narrowing, RowFlag, SegmentDocument, TraceId } from '../../src/trace/index.ts';
import { matchAnnotation } from '../../src/trace/index.ts';
import { matchNumbers, matchTexts } from '../../src/trace/filter/compare.ts';
import { RowsOfDocuments, SpanFlag, type SpanRow } from '../../src/record/index.ts';
import { ofAttributeValue } from '../../src/record/span-row.ts';

/** The rows that the documents are stored as, copies and all. */
export function storedRows(traceId: TraceId, documents: readonly SegmentDocument[]): readonly SpanRow[] {
  const rows: SpanRow[] = [];
  const encoder = new RowsOfDocuments();
  for (const document of documents) encoder.append(document, traceId, rows);
  return rows;
}

/** Whether the rows of one trace meet the condition. */
export function meets(narrowing: Narrowing, rows: readonly SpanRow[]): boolean {
  switch (narrowing.kind) {
    case 'all':
      return true;
    case 'and':
      return narrowing.parts.every((part) => meets(part, rows));
    case 'or':
      return narrowing.parts.some((part) => meets(part, rows));
    case 'row':
      return rows.some((row) => narrowing.test.every((test) => passes(test, row)));
  }
}

function passes(test: ColumnTest, row: SpanRow): boolean {
  switch (test.column) {
    case 'segment':
      return (row.flags & SpanFlag.segment) !== 0;
    case 'owner':
      return row.service === test.name || row.service === '';
    case 'flags':
      return test.anyOf.some((flag: RowFlag) => (row.flags & SpanFlag[flag]) !== 0);
    case 'duration':
      return matchNumbers([row.durationNanos / 1e9], test.operator, test.seconds);
    case 'status':
      return matchNumbers([row.status], test.operator, test.value);
    case 'annotation':
      return annotationsOf(row, test.key).some((value) => test.operator === 'exists' || matchAnnotation(value, test.operator, test.value));
    default:
      return matchTexts([row[test.column]], test.operator, test.value);
  }
}

/** Columns hold texts: each may have been a number or a boolean. */
function annotationsOf(row: SpanRow, key: string): readonly AnnotationScalar[] {
  return row.attributeKeys.flatMap((own, index) => {
    const text = ofAttributeValue(row.attributeValues[index] ?? '');
    return own === key ? [text, Number(text), text === 'true'] : [];
  });
}
