import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { embedded, id, nodeSamples, pythonSamples, segment, streamed, TRACE } from '../../test/support/trace-documents.ts';
import { drawTrace } from '../../test/support/trace-picture.ts';
import { assembleTrace } from './assemble.ts';
import type { SegmentDocument } from './document.ts';
import { parseTraceId, type TraceId } from './ids.ts';
import type { Entity, Trace } from './model.ts';
import { forEachEntity } from './walk.ts';

function draw(...documents: SegmentDocument[]): string {
  return drawTrace(assembleTrace(TRACE, documents));
}

const picture = (text: string): string => text.replace(/^\n|\n *$/g, '').replace(/^ {6}/gm, '');

describe('assembleTrace() of captured documents', () => {
  const node = nodeSamples();
  const python = pythonSamples();

  function drawSample(documents: readonly SegmentDocument[] | undefined): string {
    const traceId = parseTraceId(documents?.[0]?.trace_id ?? '') as TraceId;
    return drawTrace(assembleTrace(traceId, documents?.filter((document) => parseTraceId(document.trace_id ?? '') === traceId) ?? []));
  }

  test.each([
    [
      'ok-no-header',
      `
      * my-app
        - work
          - nested
        - 127.0.0.1
        - 127.0.0.1 throttle
        - 127.0.0.1 fault`,
    ],
    [
      'ok-with-parent',
      `
      * my-app orphan
        - work
          - nested
        - 127.0.0.1
        - 127.0.0.1 throttle
        - 127.0.0.1 fault`,
    ],
    [
      'exception',
      `
      * my-app fault
        - boom fault`,
    ],
    [
      'refused',
      `
      * my-app
        - 127.0.0.1 fault
          * 127.0.0.1 fault inferred remote 127.0.0.1`,
    ],
    [
      'streamed',
      `
      * my-app
        - s0
        - s3
        - s1
        - s2
        - s4
        - s5
        - s6
        - s7
        - s8
        - s9`,
    ],
    [
      'background',
      `
      * my-app
        - background`,
    ],
    [
      'sql',
      `
      * my-app
        - ebdb@host
          * ebdb@host inferred Database::SQL ebdb@host`,
    ],
    ['notfound', '* my-app error'],
    ['throttle', '* my-app throttle'],
  ])('Node SDK: %s', (name, expected) => {
    expect(drawSample(node[name])).toBe(picture(expected));
  });

  test('Node SDK: callees said to be traced that did not report leave the trace partial', () => {
    const documents = node['ok-no-header'] ?? [];
    const trace = assembleTrace(parseTraceId(documents[0]?.trace_id ?? '') as TraceId, documents);
    expect(trace.partial).toBe(true);
    expect(trace.root?.name).toBe('my-app');
  });

  test.each([
    [
      'py-app',
      `
      * py-app fault
        - remote.example.com throttle
          * remote.example.com throttle inferred remote remote.example.com
        - boom fault`,
    ],
    [
      'py-many',
      `
      * py-many
        - s0
        - s1
        - s2
        - s3
        - s4
        - s31
        - s32
        - s33`,
    ],
    [
      'py-lib',
      `
      * py-lib
        - :memory:
          * :memory: inferred Database::SQL :memory:
        - 127.0.0.1
          * 127.0.0.1 inferred remote 127.0.0.1
        - 127.0.0.1
          * 127.0.0.1 inferred remote 127.0.0.1
        - 127.0.0.1
          * 127.0.0.1 inferred remote 127.0.0.1`,
    ],
  ])('Python SDK: %s', (name, expected) => {
    const traceId = python.find((document) => document.name === name)?.trace_id;
    expect(drawSample(python.filter((document) => document.trace_id === traceId))).toBe(picture(expected));
  });
});

describe('assembleTrace() of documents as AWS’s guide shows them', () => {
  test('minimal segment', () => {
    const minimal = { name: 'example.com', id: '70de5b6f19ff9a0a', start_time: 1.47829336e9, end_time: 1.478293361449e9 };
    const trace = assembleTrace(TRACE, [{ ...minimal, trace_id: '1-58406520-a006649127e371903a2de979' }]);
    expect(trace).toMatchObject({
      partial: false,
      startSeconds: 1478293360,
      endSeconds: 1478293361.449,
      root: { node: { name: 'example.com' } },
    });
  });

  test('independent subsegment that is sent in progress, then complete, before its segment', () => {
    const begun = streamed('b', 'a', { name: 'www.example.net', namespace: 'remote', in_progress: true });
    delete begun.end_time;
    const ended = streamed('b', 'a', {
      name: 'www.example.net',
      namespace: 'remote',
      http: { request: { traced: true }, response: { status: 200 } },
    });
    expect(draw(begun)).toBe(
      picture(`
      * unknown placeholder
        - www.example.net in-progress orphan
          * www.example.net in-progress inferred remote www.example.net`),
    );
    expect(draw(begun, ended, segment('a'))).toBe('* a\n  - www.example.net');
  });

  test('game server with DynamoDB, SNS and SQL calls', () => {
    const calls = [
      embedded('b', {
        name: 'DynamoDB',
        namespace: 'aws',
        aws: { table_name: 'scorekeep-user', operation: 'UpdateItem', resource_names: ['scorekeep-user'] },
      }),
      embedded('c', {
        name: 'SNS',
        namespace: 'aws',
        aws: { operation: 'Publish', topic_arn: 'arn:aws:sns:us-east-2:123456789012:scorekeep' },
      }),
      embedded('d', {
        name: 'ebdb@aawijb5u25wdoy.cpamxznpdoq8.us-east-2.rds.amazonaws.com',
        namespace: 'remote',
        sql: { database_type: 'PostgreSQL' },
      }),
    ];
    const server = segment('a', {
      name: 'Scorekeep',
      origin: 'AWS::ElasticBeanstalk::Environment',
      subsegments: [embedded('e', { name: '## UserModel.saveUser', subsegments: calls })],
    });
    const nodes = assembleTrace(TRACE, [server]).segments.map(({ node }) => `${node.type} ${node.name}`);
    expect(nodes.sort()).toEqual([
      'AWS::DynamoDB::Table scorekeep-user',
      'AWS::ElasticBeanstalk::Environment Scorekeep',
      'AWS::SNS::Topic scorekeep',
      'Database::SQL ebdb@aawijb5u25wdoy.cpamxznpdoq8.us-east-2.rds.amazonaws.com',
    ]);
  });
});

describe('assembleTrace() joins', () => {
  test('a segment to the subsegment that called it', () => {
    const caller = segment('a', { subsegments: [embedded('b', { subsegments: [embedded('c', { namespace: 'remote' })] })] });
    const trace = assembleTrace(TRACE, [segment('d', { parent_id: id('c') }), caller]);
    expect(drawTrace(trace)).toBe('* a\n  - b\n    - c\n      * d');
    const callee = trace.segments.find(({ name }) => name === 'd');
    expect(callee?.parent?.name).toBe('c');
    expect(callee?.parent?.segment.name).toBe('a');
    expect(trace.root?.name).toBe('a');
    expect(trace.partial).toBe(false);
  });

  test('a segment to the segment that it names as parent', () => {
    expect(draw(segment('a'), segment('b', { parent_id: id('a') }))).toBe('* a\n  * b');
  });

  test('flat documents, children first', () => {
    expect(draw(streamed('c', 'b'), streamed('b', 'a'), segment('a'))).toBe('* a\n  - b\n    - c');
  });

  test('an embedded copy of a streamed subsegment to one', () => {
    const holder = segment('a', { subsegments: [embedded('b', { subsegments: [embedded('c')] })] });
    expect(draw(streamed('b', 'a', { annotations: { k: 1 } }), holder, streamed('d', 'b'))).toBe('* a\n  - b\n    - d\n    - c');
  });

  test('ids in any case', () => {
    expect(draw(segment('a', { id: 'AAAAAAAAAAAAAAAA' }), streamed('b', 'A'))).toBe('* a\n  - b');
  });

  test('ids that are no span ids, to where they are referred to', () => {
    const trace = assembleTrace(TRACE, [segment('a', { id: 'main' }), streamed('b', 'a', { parent_id: 'main' })]);
    expect(drawTrace(trace)).toBe('* a\n  - b');
    expect(trace.root?.id).toMatch(/^[0-9a-f]{16}$/);
  });

  test('a segment and a subsegment of one id as two', () => {
    const client = segment('a', { subsegments: [embedded('b')] });
    expect(draw(client, segment('b', { name: 'server', parent_id: id('a') }))).toBe('* a\n  * server\n  - b');
  });
});

describe('assembleTrace() holds what misses its parent', () => {
  test('under one placeholder for each parent', () => {
    const documents = [
      streamed('b', 'a', { start_time: 11, end_time: 12 }),
      streamed('c', 'a', { start_time: 13, end_time: 19 }),
      streamed('e', 'd', { start_time: 14, end_time: 15 }),
      streamed('f', 'c'),
    ];
    const trace = assembleTrace(TRACE, documents);
    expect(drawTrace(trace)).toBe(
      picture(`
      * unknown placeholder
        - b orphan
        - c orphan
          - f
      * unknown placeholder
        - e orphan`),
    );
    expect(trace.segments[0]).toMatchObject({ id: id('a'), startSeconds: 11, endSeconds: 19, document: { end_time: 19 } });
    expect(trace).toMatchObject({ root: undefined, partial: true, startSeconds: 11, endSeconds: 19 });
  });

  test('until the parent comes', () => {
    expect(draw(streamed('b', 'a'), segment('a'))).toBe('* a\n  - b');
  });

  test('also when a subsegment names no parent', () => {
    const lost = streamed('b', 'a');
    delete lost.parent_id;
    expect(draw(lost)).toBe('* unknown placeholder\n  - b orphan');
    expect(draw({ ...lost, parent_id: '0000000000000000' })).toBe('* unknown placeholder\n  - b orphan');
  });

  test('but not segments: they are tops, and roots when nothing better is there', () => {
    const late = segment('b', { parent_id: id('9'), start_time: 5 });
    expect(draw(late)).toBe('* b orphan');
    expect(assembleTrace(TRACE, [late]).root?.name).toBe('b');
    expect(assembleTrace(TRACE, [late, segment('a')]).root?.name).toBe('a');
    expect(assembleTrace(TRACE, [late]).partial).toBe(false);
  });
});

describe('assembleTrace() cuts circles', () => {
  test.each<[string, SegmentDocument[], string]>([
    ['a segment that is its own parent', [segment('a', { parent_id: id('a') })], '* a orphan'],
    ['a subsegment that is its own parent', [streamed('a', 'a')], '* unknown placeholder\n  - a orphan'],
    [
      'two segments, at the younger',
      [segment('a', { parent_id: id('b'), start_time: 11 }), segment('b', { parent_id: id('a') })],
      '* a orphan\n  * b',
    ],
    [
      'two of one age, at the greater id',
      [segment('a', { parent_id: id('b') }), segment('b', { parent_id: id('a') })],
      '* b orphan\n  * a',
    ],
    ['two subsegments', [streamed('a', 'b'), streamed('b', 'a', { start_time: 11 })], '* unknown placeholder\n  - b orphan\n    - a'],
    [
      'a segment called from within itself, at the segment',
      [segment('a', { parent_id: id('b'), subsegments: [embedded('b', { start_time: 15 })] })],
      '* a orphan\n  - b',
    ],
    ['a subsegment embedded in itself', [segment('a', { subsegments: [embedded('b', { subsegments: [embedded('b')] })] })], '* a\n  - b'],
  ])('%s', (_, documents, expected) => {
    expect(draw(...documents)).toBe(expected);
    expect(draw(...documents.reverse())).toBe(expected);
  });
});

describe('assembleTrace() bears', () => {
  test('an empty trace', () => {
    expect(assembleTrace(TRACE, [])).toMatchObject({ segments: [], root: undefined, startSeconds: 0, endSeconds: 0, revision: 0 });
  });

  test('damaged embedded subsegments', () => {
    const damaged = [null, 7, 'x', {}, { name: 'n' }, { id: '', subsegments: {} }] as unknown as SegmentDocument[];
    expect(draw(segment('a', { subsegments: damaged }))).toBe('* a\n  - unknown in-progress\n  - n in-progress\n  - unknown in-progress');
    expect(draw(segment('a', { subsegments: 'x' as unknown as SegmentDocument[] }))).toBe('* a');
  });

  test('documents without an id, by leaving them out', () => {
    const nameless = { name: 'n', start_time: 1 } as unknown as SegmentDocument;
    expect(assembleTrace(TRACE, [nameless])).toMatchObject({ segments: [], revision: 0 });
  });

  test('ends before starts, and huge times', () => {
    const trace = assembleTrace(TRACE, [segment('a', { end_time: 3 }), segment('b', { start_time: 1e308, end_time: 1e308 })]);
    expect(trace.root).toMatchObject({ startSeconds: 10, endSeconds: 10, document: { end_time: 3 } });
    expect(trace.endSeconds).toBe(1e308);
  });

  test('__proto__ as a key anywhere', () => {
    const hostile = JSON.parse(
      `{"name":"a","id":"${id('a')}","start_time":1,"end_time":2,"__proto__":{"fault":true,"inferred":true},
        "annotations":{"__proto__":{"x":1}},"subsegments":[{"__proto__":{"id":"x"},"id":"${id('b')}","name":"b","start_time":1,"end_time":2,"subsegments":[]}]}`,
    ) as SegmentDocument;
    const trace = assembleTrace(TRACE, [hostile, { ...hostile, user: 'u' }]);
    expect(drawTrace(trace)).toBe('* a\n  - b');
    expect(({} as Record<string, unknown>)['fault']).toBeUndefined();
  });

  test('its input unchanged', () => {
    const documents = [segment('a', { subsegments: [embedded('b', { namespace: 'remote' })] }), streamed('c', 'b'), streamed('d', '9')];
    const before = structuredClone(documents);
    assembleTrace(TRACE, documents);
    expect(documents).toEqual(before);
  });
});

describe('assembleTrace() is quick and does not recurse', () => {
  const hex = (n: number): string => (n + 1).toString(16).padStart(16, '0');
  const chain = (count: number, type?: string): SegmentDocument[] =>
    Array.from({ length: count }, (_, n) => ({
      name: `n${n}`,
      id: hex(n),
      start_time: n / 1000,
      end_time: 1000,
      ...(n === 0 ? {} : { parent_id: hex(n - 1) }),
      ...(n === 0 || type === undefined ? {} : { type }),
    }));

  function countEntities(trace: Trace): number {
    let count = 0;
    for (const each of trace.segments) forEachEntity(each, () => (count += 1));
    return count;
  }

  test.each([
    ['segments', chain(10_000)],
    ['subsegments', chain(10_000, 'subsegment')],
    ['segments, last first', chain(10_000).reverse()],
    ['subsegments, last first', chain(10_000, 'subsegment').reverse()],
  ])('with a chain of 10,000 %s', (_, documents) => {
    const start = performance.now();
    const trace = assembleTrace(TRACE, documents);
    const elapsed = performance.now() - start;
    expect(countEntities(trace)).toBe(10_000);
    expect(elapsed).toBeLessThan(1000);
  });

  test('with a circle of 10,000 segments', () => {
    const documents = chain(10_000);
    documents[0] = { ...(documents[0] as SegmentDocument), parent_id: hex(9_999) };
    const trace = assembleTrace(TRACE, documents);
    expect(trace.root?.name).toBe('n9999');
  });

  test('with subsegments embedded 5,000 deep', () => {
    let document = embedded('b');
    for (let depth = 0; depth < 5000; depth += 1) document = { ...embedded('b'), id: hex(depth), subsegments: [document] };
    expect(countEntities(assembleTrace(TRACE, [segment('a', { subsegments: [document] })]))).toBe(5002);
  });
});

describe('assembleTrace(), whatever it is given,', () => {
  const anyId = fc.constantFrom(...'0123456789ab').map(id);
  const times = fc.record(
    { start_time: fc.integer({ min: 0, max: 5 }), end_time: fc.integer({ min: 0, max: 9 }) },
    { requiredKeys: ['start_time'] },
  );
  const own = fc.record(
    {
      name: fc.constantFrom('x', 'y', '__proto__'),
      namespace: fc.constantFrom('aws', 'remote', 'local'),
      fault: fc.boolean(),
      inferred: fc.boolean(),
      traced: fc.boolean(),
      annotations: fc.dictionary(fc.constantFrom('k', '__proto__', 'constructor'), fc.integer({ min: 0, max: 2 })),
    },
    { requiredKeys: ['name'] },
  );
  const leaf = fc.tuple(anyId, times, own).map(([idText, when, members]) => ({ ...members, ...when, id: idText }) as SegmentDocument);
  const holder = fc
    .tuple(leaf, fc.array(fc.tuple(leaf, fc.array(leaf, { maxLength: 2 })), { maxLength: 3 }))
    .map(([top, inner]) =>
      inner.length === 0 ? top : { ...top, subsegments: inner.map(([sub, leaves]) => ({ ...sub, subsegments: leaves })) },
    );
  const sent = fc.tuple(holder, fc.option(anyId, { nil: undefined }), fc.boolean()).map(([document, parent, isSubsegment]) => ({
    ...document,
    ...(parent === undefined ? {} : { parent_id: parent }),
    ...(isSubsegment ? { type: 'subsegment' } : {}),
  }));
  const shuffled = fc
    .array(sent, { maxLength: 12 })
    .chain((documents) => fc.tuple(fc.constant(documents), fc.shuffledSubarray(documents, { minLength: documents.length })));

  test('does not depend on the order of arrival or on repeats', () => {
    fc.assert(
      fc.property(shuffled, fc.integer({ min: 1, max: 14 }), ([documents, other], maxDocuments) => {
        const first = flat(assembleTrace(TRACE, documents, { maxDocuments }));
        expect(flat(assembleTrace(TRACE, [...other, ...other], { maxDocuments }))).toEqual(first);
      }),
      { numRuns: 500 },
    );
  });

  test('makes a forest in which everything hangs together', () => {
    fc.assert(
      fc.property(shuffled, ([documents]) => checkForest(assembleTrace(TRACE, documents))),
      { numRuns: 300 },
    );
  });

  /** The trace without its circular references. */
  function flat(trace: Trace): unknown {
    const entities: unknown[] = [];
    const plain = ({ parent, children, callees, segment: owner, ...rest }: Entity): unknown => ({
      ...rest,
      parent: parent && `${parent.kind} ${parent.id}`,
      owner: owner.id,
      children: children.map((child) => child.id),
      callees: callees.map((callee) => callee.id),
    });
    for (const each of trace.segments) forEachEntity(each, (entity) => entities.push(plain(entity)));
    return { ...trace, segments: undefined, root: trace.root?.id, entities };
  }

  function checkForest(trace: Trace): void {
    const reached = new Set<Entity>();
    const pending: Entity[] = trace.segments.filter((each) => each.parent === undefined);
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      expect(reached.has(next)).toBe(false);
      reached.add(next);
      for (const child of next.children) expect([child.parent, child.segment, child.kind]).toEqual([next, next.segment, 'subsegment']);
      for (const callee of next.callees) expect([callee.parent, callee.segment, callee.kind]).toEqual([next, callee, 'segment']);
      pending.push(...next.children, ...next.callees);
    }
    for (const each of trace.segments) forEachEntity(each, (entity) => expect(reached.delete(entity)).toBe(true));
    expect(reached.size).toBe(0);
  }
});
