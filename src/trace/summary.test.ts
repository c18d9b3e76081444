import { describe, expect, test } from 'vitest';
import { embedded, id, nodeSamples, pythonSamples, segment, streamed, TRACE } from '../../test/support/trace-documents.ts';
import { assembleTrace } from './assemble.ts';
import type { SegmentDocument } from './document.ts';
import { parseTraceId, type TraceId } from './ids.ts';
import { summarizeTrace, type TraceSummary } from './summary.ts';

const summarize = (...documents: SegmentDocument[]): TraceSummary => summarizeTrace(assembleTrace(TRACE, documents));

describe('summarizeTrace()', () => {
  test('of the Node SDK’s example', () => {
    const documents = nodeSamples()['ok-no-header'] ?? [];
    const summary = summarizeTrace(assembleTrace(parseTraceId(documents[0]?.trace_id ?? '') as TraceId, documents));
    const app = { name: 'my-app', type: 'unknown' };
    const nodes = [app];
    expect(summary).toEqual({
      id: '6b00f7b96e680910e1cd060a6da13fff',
      revision: 1,
      startSeconds: 1795225529.268,
      durationSeconds: 1795225529.296 - 1795225529.268,
      responseSeconds: 1795225529.296 - 1795225529.268,
      fault: false,
      error: false,
      throttle: true,
      outcome: 'ok',
      partial: true,
      limitExceeded: false,
      http: { url: 'http://127.0.0.1:23020/ok', method: 'GET', status: 200, clientIp: '::ffff:127.0.0.1' },
      annotations: [
        { key: 'k_str', values: [{ value: 'v', nodes }] },
        { key: 'k_num', values: [{ value: 1.5, nodes }] },
        { key: 'k_bool', values: [{ value: true, nodes }] },
        { key: 'inner', values: [{ value: 7, nodes }] },
      ],
      users: [{ name: 'alice', nodes }],
      nodes,
      resourceArns: [],
      instanceIds: [],
      availabilityZones: [],
      entry: app,
      segmentCount: 1,
      faultRootCauses: [],
      errorRootCauses: [],
      responseTimeRootCauses: [
        { clientImpacting: true, services: [{ node: app, inferred: false, entityPath: [{ name: 'my-app', remote: false, coverage: 1 }] }] },
      ],
    });
  });

  test('of the Python SDK’s example', () => {
    const documents = pythonSamples().filter(({ name }) => name === 'py-app');
    const summary = summarizeTrace(assembleTrace(parseTraceId(documents[0]?.trace_id ?? '') as TraceId, documents));
    expect(summary).toMatchObject({
      fault: true,
      error: false,
      throttle: true,
      outcome: 'fault',
      http: { status: 503 },
      users: [{ name: 'bob' }],
      nodes: [{ name: 'py-app' }, { name: 'remote.example.com', type: 'remote' }],
      segmentCount: 2,
      faultRootCauses: [{ clientImpacting: true, services: [{ entityPath: [{ name: 'py-app' }, { name: 'boom' }] }] }],
      errorRootCauses: [{ clientImpacting: false, services: [{ inferred: true }] }],
    });
  });

  test('collects annotations, users and resources over all segments, each once', () => {
    const ec2 = (instance: unknown): Record<string, unknown> => ({ ec2: { instance_id: instance, availability_zone: 'z1' } });
    const summary = summarize(
      segment('a', {
        annotations: { k: 1, same: 'x' },
        user: 'u',
        resource_arn: 'arn:1',
        aws: ec2('i-1'),
        subsegments: [embedded('b', { annotations: { k: '1' }, namespace: 'remote', traced: true })],
      }),
      segment('c', { parent_id: id('b'), annotations: { k: true, same: 'x' }, user: 'u', resource_arn: 'arn:1', aws: ec2('i-2') }),
      segment('d', { name: 'a', annotations: { k: 1, bad: [1] as unknown as string }, user: '', aws: ec2(7) }),
      segment('e', { name: 'a', aws: { ec2: null }, annotations: null as unknown as Record<string, string> }),
    );
    const [a, c] = [
      { name: 'a', type: 'unknown' },
      { name: 'c', type: 'unknown' },
    ];
    expect(summary.annotations).toEqual([
      {
        key: 'k',
        values: [
          { value: 1, nodes: [a] },
          { value: '1', nodes: [a] },
          { value: true, nodes: [c] },
        ],
      },
      { key: 'same', values: [{ value: 'x', nodes: [a, c] }] },
    ]);
    expect(summary).toMatchObject({
      users: [{ name: 'u', nodes: [a, c] }],
      nodes: [a, c],
      resourceArns: ['arn:1'],
      instanceIds: ['i-1', 'i-2'],
      availabilityZones: ['z1'],
    });
  });

  test('keeps 50 annotation keys, those of the earliest segments', () => {
    const keys = (prefix: string): Record<string, number> => Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`${prefix}${n}`, n]));
    const { annotations } = summarize(
      segment('b', { start_time: 11, annotations: { ...keys('late'), early0: 7 } }),
      segment('a', { annotations: keys('early') }),
    );
    expect(annotations).toHaveLength(50);
    expect(annotations[0]).toMatchObject({ key: 'early0', values: [{ value: 0 }, { value: 7 }] });
    expect(annotations.at(-1)?.key).toBe('late9');
  });

  test('takes __proto__ for a key like any other', () => {
    const annotations = JSON.parse('{"__proto__":1}') as Record<string, number>;
    expect(summarize(segment('a', { annotations })).annotations).toMatchObject([{ key: '__proto__', values: [{ value: 1 }] }]);
  });

  test('has no response time, entry or flags without a root', () => {
    const summary = summarize(streamed('b', 'a', { fault: true, annotations: { k: 1 } }), streamed('c', 'b', { namespace: 'remote' }));
    expect(summary).toMatchObject({
      responseSeconds: undefined,
      entry: undefined,
      fault: false,
      outcome: 'fault',
      partial: true,
      http: {},
      nodes: [{ name: 'c', type: 'remote' }],
      annotations: [{ key: 'k', values: [{ value: 1, nodes: [] }] }],
      segmentCount: 1,
      durationSeconds: 10,
    });
  });

  test('has no response time while the root is in progress', () => {
    const running = segment('a');
    delete running.end_time;
    expect(summarize(running, segment('b', { parent_id: id('a') }))).toMatchObject({
      responseSeconds: undefined,
      durationSeconds: 10,
      partial: true,
    });
  });

  test('of an empty trace', () => {
    expect(summarize()).toMatchObject({ durationSeconds: 0, nodes: [], outcome: 'ok', segmentCount: 0 });
  });

  test('judges a root without flags by its status', () => {
    expect(summarize(segment('a', { http: { response: { status: 429 } } }))).toMatchObject({
      error: true,
      throttle: true,
      fault: false,
      outcome: 'throttle',
    });
  });
});
