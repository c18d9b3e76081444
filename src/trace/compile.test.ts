import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { embedded, id, nodeSamples, pythonSamples, segment, streamed, TRACE } from '../../test/support/trace-documents.ts';
import { drawTrace } from '../../test/support/trace-picture.ts';
import { assembleTrace } from './assemble.ts';
import { compileSegments } from './compile.ts';
import type { SegmentDocument } from './document.ts';
import { parseTraceId, type TraceId } from './ids.ts';

const compile = (...documents: SegmentDocument[]): readonly SegmentDocument[] =>
  compileSegments(assembleTrace(TRACE, documents)).map(({ document }) => document);

describe('compileSegments()', () => {
  test('embeds streamed subsegments and leaves the wire members of separate ones out', () => {
    const documents = compile(streamed('c', 'b', { namespace: 'remote', traced: true }), segment('a', { subsegments: [embedded('b')] }));
    expect(documents).toEqual([
      {
        ...segment('a'),
        subsegments: [{ ...embedded('b'), subsegments: [{ ...embedded('c'), namespace: 'remote', traced: true }] }],
      },
    ]);
  });

  test('returns one document per segment, inferred ones too, in start order', () => {
    const call = embedded('b', { namespace: 'aws', name: 'SQS', start_time: 12, aws: { queue_url: 'q' } });
    const [caller, inferred, other, ...rest] = compileSegments(
      assembleTrace(TRACE, [segment('d', { start_time: 15, parent_id: id('9') }), segment('a', { subsegments: [call] })]),
    );
    expect(rest).toEqual([]);
    expect(caller?.document.subsegments).toHaveLength(1);
    expect(inferred?.document).toEqual({
      id: inferred?.id,
      name: 'SQS',
      start_time: 12,
      end_time: 20,
      parent_id: id('b'),
      trace_id: '1-58406520-a006649127e371903a2de979',
      origin: 'AWS::SQS::Queue',
      inferred: true,
      aws: { queue_url: 'q' },
    });
    expect(other).toEqual({ id: id('d'), document: segment('d', { start_time: 15, parent_id: id('9') }) });
  });

  test('keeps what the schema has and nothing else', () => {
    const sent = segment('a', {
      origin: 'AWS::EC2::Instance',
      http: { response: { status: 200 } },
      aws: { x: 1 },
      error: false,
      annotations: { k: 1 },
      metadata: { d: {} },
      user: 'u',
      service: { version: '1' },
      resource_arn: 'arn',
      links: [],
      cause: { exceptions: [] },
    });
    expect(compile({ ...sent, Dummy: false, counter: 3, in_progress: false, cached: null })).toEqual([sent]);
    const sub = embedded('b', { precursor_ids: [id('c')], sql: { url: 'u' }, fault: true, group_id: 'g' });
    expect(compile(segment('a', { subsegments: [{ ...sub, notTraced: true, noOp: true }] }))[0]?.subsegments).toEqual([sub]);
  });

  test('says in_progress instead of an end, and the flags that the status implies', () => {
    const running = segment('a', { http: { response: { status: 429 } } });
    delete running.end_time;
    expect(compile(running)).toEqual([{ ...running, in_progress: true, error: true, throttle: true }]);
  });

  test('returns orphans as subsegment documents and no placeholder', () => {
    const documents = compile(streamed('b', 'a'), streamed('c', 'b'), streamed('d', 'a'));
    expect(documents).toEqual([streamed('b', 'a', { subsegments: [embedded('c')] }), streamed('d', 'a')]);
  });

  test('cuts very deep nesting into documents that JSON readers bear, and loses nothing', () => {
    const hex = (n: number): string => (n + 1).toString(16).padStart(16, '0');
    const chain = Array.from({ length: 3000 }, (_, n) => ({
      ...segment('a', { name: `n${n}`, id: hex(n) }),
      ...(n === 0 ? {} : { type: 'subsegment', parent_id: hex(n - 1) }),
    }));
    const documents = compile(...chain);
    expect(documents.length).toBeGreaterThan(1);
    expect(JSON.stringify(documents).match(/"name"/g)).toHaveLength(3000);
    const again = assembleTrace(TRACE, documents);
    expect(drawTrace(again)).toBe(drawTrace(assembleTrace(TRACE, chain)));
  });

  const traces = [...Object.values(nodeSamples()), ...pythonSamples().map((document) => [document])];
  test.each(traces.map((documents) => [documents[0]?.name, documents] as const))('reads back as the same trace: %s', (_, documents) => {
    const traceId = parseTraceId(documents[0]?.trace_id ?? '') as TraceId;
    const trace = assembleTrace(traceId, documents);
    const again = assembleTrace(
      traceId,
      compileSegments(trace).map(({ document }) => JSON.parse(JSON.stringify(document)) as SegmentDocument),
    );
    expect(drawTrace(again)).toBe(drawTrace(trace));
    expect(again.segments.map(({ node }) => node)).toEqual(trace.segments.map(({ node }) => node));
  });

  test('carries __proto__ keys as data', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('k', '__proto__', 'constructor'), fc.integer()), (annotations) => {
        expect(compile(segment('a', { annotations }))[0]?.annotations).toEqual(annotations);
      }),
    );
  });
});
