import { describe, expect, test } from 'vitest';
import { embedded, id, nodeSamples, segment, TRACE } from '../../test/support/trace-documents.ts';
import { assembleTrace } from './assemble.ts';
import type { SegmentDocument } from './document.ts';
import { parseTraceId, type TraceId } from './ids.ts';
import { failureRootCauses, responseTimeRootCauses } from './root-causes.ts';

type Kind = 'fault' | 'error' | 'time';

/** Root causes as lines: `!` impacts the client; services by `>`, entities of one by `/`, remote ones with `@`. */
function draw(kind: Kind, ...documents: SegmentDocument[]): string[] {
  const trace = assembleTrace(TRACE, documents);
  const causes = kind === 'time' ? responseTimeRootCauses(trace) : failureRootCauses(trace, kind);
  return causes.map(({ clientImpacting, services }) => {
    const paths = services.map(({ entityPath }) =>
      entityPath
        .map((entity) => `${entity.name}${entity.remote ? '@' : ''}${'coverage' in entity ? ` ${entity.coverage.toFixed(2)}` : ''}`)
        .join('/'),
    );
    return `${clientImpacting ? '! ' : ''}${paths.join(' > ')}`;
  });
}

const fault = { fault: true };
const remoteFault = { fault: true, namespace: 'remote', traced: true };

describe('failureRootCauses()', () => {
  test('is empty for a trace without failures, and for an empty one', () => {
    expect(draw('fault', segment('a'))).toEqual([]);
    expect(draw('fault')).toEqual([]);
  });

  test('names the root alone when it failed by itself', () => {
    expect(draw('fault', segment('a', { ...fault, subsegments: [embedded('b')] }))).toEqual(['! a']);
  });

  test('goes down flagged subsegments into the flagged segments that they called', () => {
    const caller = segment('a', { ...fault, subsegments: [embedded('b', { subsegments: [embedded('c', remoteFault)] })] });
    const callee = segment('d', { ...fault, parent_id: id('c'), subsegments: [embedded('e', fault)] });
    expect(draw('fault', caller, callee)).toEqual(['! a/b/c@ > d/e']);
  });

  test('stops where the callee did not fail', () => {
    const caller = segment('a', { ...fault, subsegments: [embedded('b', remoteFault)] });
    expect(draw('fault', caller, segment('d', { parent_id: id('b'), subsegments: [embedded('e', fault)] }))).toEqual(['! a/b@']);
  });

  test('goes on into an inferred callee, by the name of its resource', () => {
    const call = embedded('b', { name: 'DynamoDB', namespace: 'aws', aws: { table_name: 'traces' }, ...fault });
    expect(draw('fault', segment('a', { ...fault, subsegments: [call] }))).toEqual(['! a/DynamoDB@ > traces@']);
    const trace = assembleTrace(TRACE, [segment('a', { ...fault, subsegments: [call] })]);
    expect(failureRootCauses(trace, 'fault')[0]?.services.map(({ node, inferred }) => [node.name, node.type, inferred])).toEqual([
      ['a', 'unknown', false],
      ['traces', 'AWS::DynamoDB::Table', true],
    ]);
  });

  test('gives one path per leaf: deepest first, then latest', () => {
    const subsegments = [
      embedded('b', { ...fault, end_time: 12 }),
      embedded('c', { ...fault, end_time: 14 }),
      embedded('d', { ...fault, subsegments: [embedded('e', { ...fault, end_time: 11 })] }),
    ];
    expect(draw('fault', segment('a', { ...fault, subsegments }))).toEqual(['! a/d/e', '! a/c', '! a/b']);
  });

  test('starts at the highest flagged segments when the root is not flagged', () => {
    const root = segment('a', { subsegments: [embedded('b', { namespace: 'remote', traced: true })] });
    const middle = segment('c', { ...fault, parent_id: id('b'), subsegments: [embedded('d', remoteFault)] });
    expect(draw('fault', root, middle, segment('e', { ...fault, parent_id: id('d') }))).toEqual(['c/d@ > e']);
  });

  test('does not start again below a flagged segment whose call was not flagged', () => {
    const top = segment('a', { subsegments: [embedded('b', { namespace: 'remote' })] });
    const failed = segment('c', { ...fault, parent_id: id('b'), subsegments: [embedded('d', { namespace: 'remote' })] });
    expect(draw('fault', top, failed, segment('e', { ...fault, parent_id: id('d') }))).toEqual(['c']);
  });

  test('follows errors apart from faults', () => {
    const documents = [segment('a', { error: true, subsegments: [embedded('b', { throttle: true }), embedded('c', fault)] })];
    expect(draw('error', ...documents)).toEqual(['! a/b']);
    expect(draw('fault', ...documents)).toEqual([]);
  });

  test('tells exceptions, references resolved', () => {
    const documents = nodeSamples()['exception'] ?? [];
    const trace = assembleTrace(parseTraceId(documents[0]?.trace_id ?? '') as TraceId, documents);
    const exceptions = [{ name: 'TypeError', message: 'bad thing' }];
    expect(failureRootCauses(trace, 'fault')).toEqual([
      {
        clientImpacting: true,
        services: [
          {
            node: { name: 'my-app', type: 'unknown' },
            inferred: false,
            entityPath: [
              { name: 'my-app', remote: false, exceptions },
              { name: 'boom', remote: false, exceptions },
            ],
          },
        ],
      },
    ]);
  });

  test('names exceptions that have no type', () => {
    const cause = { exceptions: [{ message: 'no' }, { type: 'T' }, { type: 7 as unknown as string }] };
    const [first] = failureRootCauses(assembleTrace(TRACE, [segment('a', { ...fault, cause })]), 'fault');
    expect(first?.services[0]?.entityPath[0]?.exceptions).toEqual([
      { name: 'Error', message: 'no' },
      { name: 'T', message: '' },
      { name: 'Error', message: '' },
    ]);
  });

  test('keeps to ten causes and a hundred entities a path', () => {
    const hex = (n: number): string => (n + 1).toString(16).padStart(16, '0');
    const many = Array.from({ length: 30 }, (_, n) => embedded('b', { ...fault, id: hex(n) }));
    expect(draw('fault', segment('a', { ...fault, subsegments: many }))).toHaveLength(10);
    const chain = Array.from({ length: 10_000 }, (_, n) => ({
      ...segment('a', { ...fault, name: `n${n}`, id: hex(n) }),
      ...(n === 0 ? {} : { type: 'subsegment', parent_id: hex(n - 1) }),
    }));
    const entities = draw('fault', ...chain)[0]?.split('/');
    expect([entities?.length, entities?.[0], entities?.at(-1)]).toEqual([100, '! n0', 'n9999']);
  });
});

describe('responseTimeRootCauses()', () => {
  test('follows what took most of its parent, across segments', () => {
    const caller = segment('a', {
      subsegments: [
        embedded('b', { end_time: 12 }),
        embedded('c', { start_time: 12, namespace: 'remote', traced: true, subsegments: [embedded('d', { end_time: 11 })] }),
      ],
    });
    const callee = segment('e', { parent_id: id('c'), start_time: 12.5, end_time: 19.5 });
    expect(draw('time', caller, callee)).toEqual(['! a 1.00/c@ 0.80 > e 0.70']);
  });

  test('stops where no part took half', () => {
    const parts = [embedded('b', { end_time: 14 }), embedded('c', { start_time: 14, end_time: 18 })];
    expect(draw('time', segment('a', { subsegments: parts }))).toEqual(['! a 1.00']);
  });

  test('looks at what kept the parent from finishing, not at what ran beside it', () => {
    // `b` is longer, but `c` and `d` together finished last.
    const parts = [
      embedded('b', { end_time: 16 }),
      embedded('c', { start_time: 10.5, end_time: 15.9 }),
      embedded('d', { start_time: 10.2, end_time: 20 }),
    ];
    expect(draw('time', segment('a', { subsegments: parts }))).toEqual(['! a 1.00/d 0.98']);
  });

  test('counts work that outlives its parent only while the parent waited', () => {
    expect(draw('time', segment('a', { subsegments: [embedded('b', { start_time: 19, end_time: 90 })] }))).toEqual(['! a 1.00']);
    const queue = embedded('b', { end_time: 19, namespace: 'aws', traced: true });
    const worker = segment('c', { parent_id: id('b'), start_time: 18, end_time: 60 });
    expect(draw('time', segment('a', { subsegments: [queue] }), worker)).toEqual(['! a 1.00/b@ 0.90']);
  });

  test('bears a callee whose clock is off', () => {
    const caller = segment('a', { subsegments: [embedded('b', { namespace: 'remote' })] });
    expect(draw('time', caller, segment('c', { parent_id: id('b'), start_time: 1000, end_time: 1009 }))).toEqual([
      '! a 1.00/b@ 1.00 > c 0.90',
    ]);
  });

  test('is empty without a finished root that took time', () => {
    const running = segment('a');
    delete running.end_time;
    expect(draw('time', running)).toEqual([]);
    expect(draw('time', segment('a', { end_time: 10 }))).toEqual([]);
    expect(draw('time', segment('a', { type: 'subsegment', parent_id: id('9') }))).toEqual([]);
  });
});
