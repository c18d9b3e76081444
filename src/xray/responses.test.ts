import { describe, expect, test } from 'vitest';
import { embedded, id, nodeSamples, pythonSamples, segment, streamed, TRACE } from '../../test/support/trace-documents.ts';
import { assembleTrace, parseTraceId, type SegmentDocument, summarizeTrace, type TraceId } from '../trace/index.ts';
import { toWireSummary, toWireTrace, type Wire } from './responses.ts';

function summaryOf(...documents: SegmentDocument[]): Wire {
  return toWireSummary(summarizeTrace(assembleTrace(TRACE, documents)));
}

/** All paths at which a value is null, or would be when written as JSON. */
function nulls(value: unknown, path = ''): string[] {
  if (value === null || value === undefined || (typeof value === 'number' && !Number.isFinite(value))) return [path];
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, member]) => nulls(member, `${path}.${key}`));
}

function samples(): [string, Wire, Wire][] {
  const groups = new Map<string, SegmentDocument[]>();
  for (const document of [...Object.values(nodeSamples()).flat(), ...pythonSamples()]) {
    const traceId = String(document.trace_id);
    groups.set(traceId, [...(groups.get(traceId) ?? []), document]);
  }
  return [...groups].map(([traceId, documents]) => {
    const trace = assembleTrace(parseTraceId(traceId) as TraceId, documents);
    return [traceId, toWireSummary(summarizeTrace(trace)), toWireTrace(trace)];
  });
}

describe('toWireSummary()', () => {
  test.each(samples())('of captured trace %s has what clients dereference', (_, summary) => {
    expect(nulls(summary)).toEqual([]);
    for (const member of ['Annotations', 'Http']) expect(summary[member]).toBeTypeOf('object');
    for (const member of ['Duration', 'ResponseTime', 'StartTime', 'Revision']) expect(summary[member]).toBeTypeOf('number');
    for (const member of ['FaultRootCauses', 'ErrorRootCauses', 'ResponseTimeRootCauses'] as const) {
      for (const cause of summary[member] as { Services: { Name: string; Type: string; EntityPath: unknown[] }[] }[]) {
        for (const service of cause.Services) {
          expect(service).toMatchObject({ Name: expect.any(String), Type: expect.any(String), Names: [expect.any(String)] });
          expect(service.EntityPath.length).toBeGreaterThan(0);
        }
      }
    }
  });

  test('gives every member of a whole request', () => {
    const summary = summaryOf(
      segment('a', {
        name: 'api',
        origin: 'AWS::EC2::Instance',
        fault: true,
        user: 'alice',
        resource_arn: 'arn:aws:ec2:x',
        aws: { account_id: '123456789012', ec2: { instance_id: 'i-1', availability_zone: 'eu-1a' } },
        http: { request: { url: 'http://x/y', method: 'GET', user_agent: 'curl', client_ip: '10.0.0.1' }, response: { status: 500 } },
        annotations: { age: 42, ok: true, who: 'bob' },
        subsegments: [
          embedded('b', { name: 'work', end_time: 18, fault: true, cause: { exceptions: [{ id: id('c'), type: 'Oops', message: 'no' }] } }),
        ],
      }),
    );
    const node = { Name: 'api', Names: ['api'], AccountId: '123456789012', Type: 'AWS::EC2::Instance' };
    expect(summary).toEqual({
      Id: '1-58406520-a006649127e371903a2de979',
      StartTime: 10,
      Duration: 10,
      ResponseTime: 10,
      HasFault: true,
      HasError: false,
      HasThrottle: false,
      IsPartial: false,
      Http: { HttpURL: 'http://x/y', HttpMethod: 'GET', HttpStatus: 500, UserAgent: 'curl', ClientIp: '10.0.0.1' },
      Annotations: {
        age: [{ AnnotationValue: { NumberValue: 42 }, ServiceIds: [node] }],
        ok: [{ AnnotationValue: { BooleanValue: true }, ServiceIds: [node] }],
        who: [{ AnnotationValue: { StringValue: 'bob' }, ServiceIds: [node] }],
      },
      Users: [{ UserName: 'alice', ServiceIds: [node] }],
      ServiceIds: [node],
      ResourceARNs: [{ ARN: 'arn:aws:ec2:x' }],
      InstanceIds: [{ Id: 'i-1' }],
      AvailabilityZones: [{ Name: 'eu-1a' }],
      EntryPoint: node,
      FaultRootCauses: [
        {
          Services: [
            {
              ...node,
              Inferred: false,
              EntityPath: [
                { Name: 'api', Exceptions: [], Remote: false },
                { Name: 'work', Exceptions: [{ Name: 'Oops', Message: 'no' }], Remote: false },
              ],
            },
          ],
          ClientImpacting: true,
        },
      ],
      ErrorRootCauses: [],
      ResponseTimeRootCauses: [
        {
          Services: [
            {
              ...node,
              Inferred: false,
              EntityPath: [
                { Name: 'api', Coverage: 1, Remote: false },
                { Name: 'work', Coverage: 0.8, Remote: false },
              ],
            },
          ],
          ClientImpacting: true,
        },
      ],
      Revision: 1,
    });
  });

  test('of a subsegment whose segment has not come keeps what clients need', () => {
    const summary = summaryOf(streamed('b', 'a'));
    expect(summary).toMatchObject({ Http: {}, Annotations: {}, ResponseTime: 0, Duration: 10, IsPartial: true, ServiceIds: [] });
    expect(summary).not.toHaveProperty('EntryPoint');
    expect(nulls(summary)).toEqual([]);
  });

  test('keeps an annotation called __proto__', () => {
    const summary = summaryOf(JSON.parse(JSON.stringify(segment('a'))) as SegmentDocument, {
      ...segment('b'),
      annotations: JSON.parse('{"__proto__":"x"}') as Record<string, string>,
    });
    expect(Object.keys(summary['Annotations'] as object)).toEqual(['__proto__']);
    expect(JSON.stringify(summary['Annotations'])).toContain('"__proto__":[{"AnnotationValue":{"StringValue":"x"}');
  });

  test('takes the noise off binary fractions', () => {
    expect(summaryOf(segment('a', { start_time: 1498082657.37518, end_time: 1498082657.67518 }))).toMatchObject({
      StartTime: 1498082657.37518,
      Duration: 0.3,
      ResponseTime: 0.3,
    });
  });
});

describe('toWireTrace()', () => {
  test.each(samples())('of captured trace %s has one document per segment', (traceId, _, trace) => {
    expect(nulls(trace)).toEqual([]);
    expect(trace).toMatchObject({ Id: traceId, LimitExceeded: false, Duration: expect.any(Number) });
    for (const { Id, Document } of trace['Segments'] as { Id: string; Document: string }[]) {
      expect(JSON.parse(Document)).toMatchObject({ id: Id, trace_id: traceId, name: expect.any(String), start_time: expect.any(Number) });
    }
  });

  test('embeds subsegments and hands out inferred segments', () => {
    const trace = toWireTrace(
      assembleTrace(TRACE, [
        segment('a', { subsegments: [embedded('b', { name: 'db', namespace: 'remote', start_time: 11, end_time: 12 })] }),
      ]),
    );
    const documents = (trace['Segments'] as { Document: string }[]).map((one) => JSON.parse(one.Document) as SegmentDocument);
    expect(documents).toMatchObject([
      { id: id('a'), subsegments: [{ id: id('b') }] },
      { name: 'db', inferred: true, parent_id: id('b') },
    ]);
  });
});
