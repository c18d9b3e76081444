import { describe, expect, test } from 'vitest';
import { embedded, segment, TRACE } from '../../test/support/trace-documents.ts';
import { drawTrace } from '../../test/support/trace-picture.ts';
import { assembleTrace } from './assemble.ts';
import type { SegmentDocument } from './document.ts';

const draw = (...documents: SegmentDocument[]): string => drawTrace(assembleTrace(TRACE, documents));

describe('assembleTrace() keeps one copy', () => {
  const running = segment('a', { in_progress: true });
  delete running.end_time;

  test.each<[string, SegmentDocument, SegmentDocument]>([
    ['the complete one', segment('a'), running],
    ['the one that ended later', segment('a', { end_time: 21 }), segment('a', { end_time: 20, annotations: { k: 'longer' } })],
    ['the one with more data', segment('a', { annotations: { k: 1 } }), segment('a')],
    ['the greater of two texts', segment('a', { user: 'y' }), segment('a', { user: 'x' })],
    ['the real one', running, segment('a', { inferred: true })],
  ])('%s', (_, better, worse) => {
    for (const documents of [
      [better, worse],
      [worse, better],
      [worse, better, worse],
    ]) {
      const trace = assembleTrace(TRACE, documents);
      expect(trace.segments).toHaveLength(1);
      expect(trace.segments[0]?.document).toEqual(better);
      expect(trace.revision).toBe(2);
    }
  });

  test('and counts equal ones once, whatever the order of their keys', () => {
    const reordered = Object.fromEntries(Object.entries(segment('a')).reverse()) as SegmentDocument;
    expect(assembleTrace(TRACE, [segment('a'), reordered, segment('a')]).revision).toBe(1);
  });

  test('with the subsegments of every copy', () => {
    const early = { ...running, subsegments: [embedded('b')] };
    expect(draw(early, segment('a', { subsegments: [embedded('c')] }))).toBe('* a\n  - b\n  - c');
  });

  test('in progress until completed', () => {
    expect(draw(running)).toBe('* a in-progress');
    expect(assembleTrace(TRACE, [running]).partial).toBe(true);
    expect(assembleTrace(TRACE, [running, segment('a')]).partial).toBe(false);
  });

  test.each<[string, Partial<SegmentDocument>, boolean]>([
    ['in_progress false with an end', { in_progress: false }, false],
    ['in_progress true with an end', { in_progress: true }, false],
    ['an end that is no number', { end_time: 'soon' as unknown as number }, true],
    ['an end sent as text', { end_time: '20.5' as unknown as number }, false],
  ])('which is in progress or not by its end: %s', (_, members, inProgress) => {
    expect(assembleTrace(TRACE, [segment('a', members)]).root?.inProgress).toBe(inProgress);
  });
});

describe('assembleTrace() takes', () => {
  test('more documents than it may hold, by keeping the earliest', () => {
    const documents = [4, 2, 3, 1].map((n) => segment(String(n), { start_time: n }));
    const trace = assembleTrace(TRACE, [...documents, ...documents], { maxDocuments: 2 });
    expect(drawTrace(trace)).toBe('* 1\n* 2');
    expect(trace).toMatchObject({ limitExceeded: true, revision: 2 });
    expect(assembleTrace(TRACE, [...documents, ...documents], { maxDocuments: 4 }).limitExceeded).toBe(false);
  });

  test('metadata nested deeper than the stack, in two copies', () => {
    const deep = (inner: string): SegmentDocument =>
      segment('a', { metadata: { d: JSON.parse(`${'['.repeat(20_000)}${inner}${']'.repeat(20_000)}`) as unknown } });
    expect(assembleTrace(TRACE, [deep('1'), deep('2')]).revision).toBe(2);
  });
});
