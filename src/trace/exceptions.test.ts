import { describe, expect, test } from 'vitest';
import { embedded, id, nodeSamples, pythonSamples, segment, TRACE } from '../../test/support/trace-documents.ts';
import { assembleTrace } from './assemble.ts';
import type { CauseBlock, SegmentDocument } from './document.ts';
import { exceptionsOf } from './exceptions.ts';
import { parseTraceId, type TraceId } from './ids.ts';
import type { Entity } from './model.ts';
import { findEntity } from './walk.ts';

function find(documents: readonly SegmentDocument[] | undefined, name: string): Entity {
  const trace = assembleTrace(parseTraceId(documents?.[0]?.trace_id ?? '') as TraceId, documents ?? []);
  const found = trace.segments.map((each) => findEntity(each, (entity) => entity.name === name)).find(Boolean);
  if (found === undefined) throw new Error(`no entity ${name}`);
  return found;
}

const messages = (entity: Entity): unknown => exceptionsOf(entity).map(({ type, message }) => `${type}: ${message}`);

describe('exceptionsOf()', () => {
  test('follows the Node SDK from a segment to the subsegment that failed', () => {
    const documents = nodeSamples()['exception'];
    expect(messages(find(documents, 'boom'))).toEqual(['TypeError: bad thing']);
    expect(messages(find(documents, 'my-app'))).toEqual(['TypeError: bad thing']);
  });

  test('reads the Python SDK', () => {
    const documents = pythonSamples().filter(({ name }) => name === 'py-app');
    expect(messages(find(documents, 'boom'))).toEqual(['ValueError: nope']);
    expect(messages(find(documents, 'py-app'))).toEqual([]);
  });

  test('gives an inferred segment its caller’s', () => {
    const trace = assembleTrace(parseTraceId('1-6b00f7bd-5eaf3c44a5281a1c46401262') as TraceId, nodeSamples()['refused'] ?? []);
    const inferred = trace.segments.find((each) => each.inferred);
    expect(inferred && messages(inferred)).toEqual(['Error: connect ECONNREFUSED 127.0.0.1:1']);
  });

  const first = { id: id('1'), type: 'A', message: 'first' };
  const second = { id: id('2'), type: 'B', message: 'second' };
  const withCause = (cause: unknown): Entity => {
    const inner = embedded('c', { cause: { exceptions: [first, second] } });
    const outer = embedded('b', { cause: { id: id('c') }, subsegments: [inner] });
    const top = segment('a', { subsegments: [outer], ...(cause === undefined ? {} : { cause: cause as CauseBlock }) });
    const { root } = assembleTrace(TRACE, [top]);
    if (root === undefined) throw new Error('no root');
    return root;
  };

  test.each<[string, unknown, string[]]>([
    ['no cause', undefined, []],
    ['its own exceptions', { exceptions: [second] }, ['B: second']],
    ['its own before a reference', { id: id('c'), exceptions: [second] }, ['B: second']],
    ['an exception’s id as text', id('2'), ['B: second']],
    ['an exception’s id in capitals', id('c').toUpperCase(), ['A: first', 'B: second']],
    ['an exception’s id in an object', { id: id('1'), exceptions: [] }, ['A: first']],
    ['a subsegment’s id, which refers on', { id: id('b') }, ['A: first', 'B: second']],
    ['an id that is not there', id('9'), []],
    ['its own id', id('a'), []],
    ['damage', { exceptions: 'x' }, []],
    ['damaged exceptions', { exceptions: [null, 7, second] }, ['B: second']],
    ['null', null, []],
  ])('with %s', (_, cause, expected) => {
    expect(messages(withCause(cause))).toEqual(expected);
  });
});
