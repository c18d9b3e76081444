import { describe, expect, test } from 'vitest';
import { embedded, id, segment, TRACE } from '../../test/support/trace-documents.ts';
import { drawTrace } from '../../test/support/trace-picture.ts';
import { assembleTrace } from './assemble.ts';
import type { SegmentDocument } from './document.ts';
import type { TraceId } from './ids.ts';

const draw = (...documents: SegmentDocument[]): string => drawTrace(assembleTrace(TRACE, documents));

describe('assembleTrace() infers', () => {
  const call = embedded('b', {
    name: 'DynamoDB',
    namespace: 'aws',
    aws: { table_name: 'games' },
    http: { response: { status: 400 } },
    error: true,
    cause: { exceptions: [{ id: id('e'), message: 'no' }] },
    annotations: { not: 'copied' },
    metadata: { not: 'copied' },
  });

  test('a segment for a callee that sends none', () => {
    const trace = assembleTrace(TRACE, [segment('a', { subsegments: [call] })]);
    const inferred = trace.segments.find((each) => each.inferred);
    expect(inferred).toMatchObject({
      name: 'DynamoDB',
      node: { name: 'games', type: 'AWS::DynamoDB::Table' },
      error: true,
      parentId: id('b'),
      parent: { id: id('b') },
    });
    expect(inferred?.document).toEqual({
      id: inferred?.id,
      name: 'DynamoDB',
      start_time: 10,
      end_time: 20,
      parent_id: id('b'),
      trace_id: '1-58406520-a006649127e371903a2de979',
      origin: 'AWS::DynamoDB::Table',
      inferred: true,
      http: call.http,
      aws: call.aws,
      error: true,
      cause: call.cause,
    });
  });

  test('the same id every time, another for another trace', () => {
    const idIn = (traceId: TraceId): string | undefined =>
      assembleTrace(traceId, [segment('a', { subsegments: [call] })]).segments.find((each) => each.inferred)?.id;
    expect(idIn(TRACE)).toBe(idIn(TRACE));
    expect(idIn(TRACE)).toMatch(/^[0-9a-f]{16}$/);
    expect(idIn(TRACE)).not.toBe(idIn('0'.repeat(32) as TraceId));
  });

  test('nothing where a real segment answers', () => {
    expect(draw(segment('a', { subsegments: [call] }), segment('c', { parent_id: id('b') }))).toBe('* a\n  - DynamoDB error\n    * c');
  });

  test('nothing where the callee is traced, and calls the trace partial until it reports', () => {
    const traced = { ...call, http: { request: { traced: true } } };
    const caller = segment('a', { subsegments: [traced] });
    expect(draw(caller)).toBe('* a\n  - DynamoDB error');
    expect(assembleTrace(TRACE, [caller]).partial).toBe(true);
    expect(assembleTrace(TRACE, [caller, segment('c', { parent_id: id('b') })]).partial).toBe(false);
  });

  test('nothing where an inferred segment was sent, and drops that when a real one comes', () => {
    const caller = segment('a', { subsegments: [call] });
    const exported = segment('c', {
      name: 'DynamoDB',
      parent_id: id('b'),
      inferred: true,
      origin: 'AWS::DynamoDB::Table',
      aws: { table_name: 'games' },
    });
    expect(draw(caller, exported)).toBe(
      `
* a
  - DynamoDB error
    * DynamoDB inferred AWS::DynamoDB::Table games`.slice(1),
    );
    expect(draw(caller, exported, segment('d', { parent_id: id('b') }))).toBe('* a\n  - DynamoDB error\n    * d');
  });

  test('one in progress for a call in progress', () => {
    const waiting = { ...call };
    delete waiting.end_time;
    expect(draw(segment('a', { subsegments: [waiting] }))).toContain('* DynamoDB error in-progress inferred');
  });
});
