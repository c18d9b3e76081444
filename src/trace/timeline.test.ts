import { expect, test } from 'vitest';
import { embedded, id, segment, streamed, TRACE } from '../../test/support/trace-documents.ts';
import { assembleTrace } from './assemble.ts';
import { timelineRows } from './timeline.ts';

const request = { method: 'GET', url: 'http://x/', user_agent: '' };

test('timelineRows() puts callees under their caller, before its own subsegments, each by start', () => {
  const rows = timelineRows(
    assembleTrace(TRACE, [
      segment('a', {
        origin: 'AWS::EC2::Instance',
        http: { request, response: { status: 503 } },
        subsegments: [embedded('b', { namespace: 'remote' }), embedded('c', { start_time: 9 })],
      }),
      segment('d', { parent_id: id('b'), start_time: 13, subsegments: [embedded('e')] }),
      segment('f', { parent_id: id('b'), start_time: 12 }),
      segment('1', { parent_id: id('a'), start_time: 19 }),
      streamed('2', '9', { start_time: 30, end_time: 31 }),
    ]),
  );
  expect(rows.map(({ name, depth, parent }) => `${'  '.repeat(depth)}${name} ${parent}`).join('\n')).toBe(
    `
a -1
  1 0
  c 0
  b 0
    f 3
    d 3
      e 5
unknown -1
  2 7`.slice(1),
  );
  expect(rows[0]).toEqual({
    id: id('a'),
    parent: -1,
    depth: 0,
    kind: 'segment',
    name: 'a',
    node: { name: 'a', type: 'AWS::EC2::Instance' },
    startSeconds: 10,
    endSeconds: 20,
    outcome: 'fault',
    inferred: false,
    orphan: false,
    placeholder: false,
    method: 'GET',
    url: 'http://x/',
    status: 503,
  });
  expect(rows[3]).toMatchObject({ kind: 'subsegment', namespace: 'remote', node: { name: 'a' } });
  expect(rows[7]).toMatchObject({ placeholder: true, orphan: false, kind: 'segment' });
  expect(rows[8]).toMatchObject({ placeholder: false, orphan: true, kind: 'subsegment' });
});

test('timelineRows() leaves the end out while in progress', () => {
  const running = segment('a', { in_progress: true });
  delete running.end_time;
  const [row] = timelineRows(assembleTrace(TRACE, [running]));
  expect(row && 'endSeconds' in row).toBe(false);
});

test('timelineRows() of an empty trace is empty', () => {
  expect(timelineRows(assembleTrace(TRACE, []))).toEqual([]);
});
