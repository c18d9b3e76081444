import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FILTER_EXAMPLES, FILTER_GROUPS, filterTraces } from '../../../test/fixtures/filter-traces.ts';
import { expressionTree, traceDocuments } from '../../../test/support/filter-arbitraries.ts';
import { filterOf } from '../../../test/support/filter-trees.ts';
import { embedded, id, segment, streamed, TRACE } from '../../../test/support/trace-documents.ts';
import { assembleTrace } from '../assemble.ts';
import type { SegmentDocument } from '../document.ts';
import { toXRayTraceId } from '../ids.ts';
import { evaluateFilter } from './evaluate.ts';
import { MAX_GROUP_DEPTH, type GroupLookup } from './groups.ts';
import type { FilterExpression } from './syntax.ts';

const TRACES = filterTraces().map(({ name, id: traceId, documents }) => ({ name, trace: assembleTrace(traceId, documents) }));

function lookup(texts: Readonly<Record<string, string>>): GroupLookup {
  return (name) => {
    const text = texts[name];
    return text === undefined ? undefined : filterOf(text);
  };
}

const holds = (text: string, documents: readonly SegmentDocument[], groups: Readonly<Record<string, string>> = {}): boolean =>
  evaluateFilter(filterOf(text), assembleTrace(TRACE, documents), { groups: lookup(groups) });

describe('evaluateFilter() on the fixture', () => {
  test.each(FILTER_EXAMPLES)('finds exactly the traces that match $expression', ({ expression, matches }) => {
    const context = { groups: lookup(FILTER_GROUPS) };
    const found = TRACES.filter(({ trace }) => evaluateFilter(filterOf(expression), trace, context));
    expect(found.map(({ name }) => name).toSorted()).toEqual([...matches].toSorted());
  });

  test('has a match and a miss for nearly every example', () => {
    const oneSided = FILTER_EXAMPLES.filter(({ matches }) => matches.length === 0 || matches.length === TRACES.length);
    expect(oneSided.map(({ expression }) => expression)).toEqual(['', 'throttle', 'annotation.age = 40']);
  });
});

describe('evaluateFilter() joins conditions', () => {
  // On this trace `fault` is true and `error` is false.
  const trace = [segment('a', { fault: true })];
  test.each<[string, boolean]>([
    ['fault', true],
    ['error', false],
    ['!fault', false],
    ['!error', true],
    ['!!fault', true],
    ['fault AND fault', true],
    ['fault AND error', false],
    ['error AND fault', false],
    ['error AND error', false],
    ['fault fault', true],
    ['fault error', false],
    ['error fault', false],
    ['error error', false],
    ['fault OR fault', true],
    ['fault OR error', true],
    ['error OR fault', true],
    ['error OR error', false],
    ['!(fault AND error)', true],
    ['!(fault OR error)', false],
    ['fault OR error AND error', true],
    ['(fault OR error) AND error', false],
    ['fault OR error error', true],
    ['!error AND !error OR error', true],
    ['!fault OR fault', true],
  ])('%s: %s', (text, expected) => {
    expect(holds(text, trace)).toBe(expected);
  });
});

describe('evaluateFilter() compares', () => {
  const documents = [
    segment('a', {
      user: 'alice',
      annotations: { n: 30, s: '30', t: true, f: 'false', empty: '', ['__proto__']: 1 },
      http: { request: { url: 'http://a/b', user_agent: '' }, response: { status: 404 } },
      subsegments: [embedded('b', { user: 'bob', annotations: { n: 5 } })],
    }),
  ];
  test.each<[string, boolean]>([
    // numbers
    ['http.status = 404', true],
    ['http.status = 404.0', true],
    ['http.status != 404', false],
    ['http.status != 200', true],
    ['http.status < 404', false],
    ['http.status <= 404', true],
    ['http.status > 403', true],
    ['http.status >= 405', false],
    ['responsetime = 10', true],
    // texts, upper and lower case told apart
    ['http.url = "http://a/b"', true],
    ['http.url = "HTTP://A/B"', false],
    ['http.url != "x"', true],
    ['http.url CONTAINS "/a/"', true],
    ['http.url CONTAINS "/A/"', false],
    ['http.url BEGINSWITH "http"', true],
    ['http.url BEGINSWITH "ttp"', false],
    ['http.url ENDSWITH "/b"', true],
    ['http.url ENDSWITH "/a"', false],
    ['http.url CONTAINS ""', true],
    // what is not set, or set to nothing, equals nothing
    ['http.useragent', false],
    ['http.useragent = ""', false],
    ['http.useragent != ""', true],
    ['http.useragent CONTAINS ""', false],
    ['http.method', false],
    ['http.method = "GET"', false],
    ['http.method != "GET"', true],
    ['!http.method', true],
    // several values: any may match, and != is true of none
    ['user = "alice"', true],
    ['user = "bob"', true],
    ['user = "alice" user = "bob"', true],
    ['user != "bob"', false],
    ['user != "carol"', true],
    ['user BEGINSWITH "b"', true],
    ['annotation.n = 30', true],
    ['annotation.n = 5', true],
    ['annotation.n < 10', true],
    ['annotation.n != 5', false],
    ['annotation.n != 6', true],
    // types must agree
    ['annotation.n = "30"', false],
    ['annotation.s = 30', false],
    ['annotation.s = "30"', true],
    ['annotation.s > 29', false],
    ['!(annotation.s > 29)', true],
    ['annotation.s != 30', true],
    ['annotation.n CONTAINS "3"', false],
    ['annotation.n CONTAINS ""', true],
    // true and false, with or without quotes
    ['annotation.t = true', true],
    ['annotation.t = "true"', true],
    ['annotation.t = false', false],
    ['annotation.t != false', true],
    ['annotation.t = "TRUE"', false],
    ['annotation.f = false', true],
    ['annotation.t', true],
    ['annotation.f', true],
    ['annotation.t > 0', false],
    // present
    ['annotation.empty', true],
    ['annotation.empty = ""', true],
    ['annotation.empty CONTAINS ""', true],
    ['annotation.none', false],
    ['annotation.none CONTAINS ""', false],
    ['annotation.none != 1', true],
    ['annotation.N', false],
    ['annotation.__proto__ = 1', true],
    ['annotation.constructor', false],
  ])('%s: %s', (text, expected) => {
    expect(holds(text, documents)).toBe(expected);
  });
});

describe('evaluateFilter() knows', () => {
  const rootless = [streamed('b', 'a', { fault: true, namespace: 'remote' })];
  test.each(['http.status = 200', 'http.status != 200', '!(http.status = 200)', '!http.url', 'responsetime < 99', '!(responsetime < 99)'])(
    'nothing of a root that was not received: %s does not match',
    (text) => {
      expect(holds(text, rootless)).toBe(false);
    },
  );

  test.each<[string, boolean]>([
    ['fault', true],
    ['!ok', true],
    ['ok', false],
    ['!error', true],
    ['partial', true],
    ['duration = 10', true],
    ['edge(, "b")', true],
    ['edge("unknown", "b")', false],
    ['service("unknown")', false],
    ['service() { inferred }', true],
  ])('such a trace by what is at its top: %s is %s', (text, expected) => {
    expect(holds(text, rootless)).toBe(expected);
  });

  test('time after the answer as duration, not as response time', () => {
    const late = [segment('a', { subsegments: [embedded('b', { end_time: 25 })] })];
    expect(holds('service("a") { responsetime = 10 and duration = 15 }', late)).toBe(true);
    expect(holds('duration = 10', late)).toBe(true);
  });

  test('a status only as a whole number that the store can hold', () => {
    const withStatus = (status: unknown): SegmentDocument[] => [segment('a', { http: { response: { status: status as number } } })];
    expect(holds('http.status = 200', withStatus('200'))).toBe(true);
    expect(holds('http.status', withStatus(200.5))).toBe(false);
    expect(holds('http.status', withStatus(0))).toBe(false);
    expect(holds('http.status', withStatus(70_000))).toBe(false);
  });

  test('each request from outside as a call by a client', () => {
    const twice = [segment('a'), segment('b', { fault: true }), segment('c', { parent_id: id('9') })];
    expect(holds('edge(id(type: "client"), "b") { fault }', twice)).toBe(true);
    expect(holds('edge(id(name: "b", type: "client"), "b")', twice)).toBe(true);
    expect(holds('edge("b", "b")', twice)).toBe(false);
    expect(holds('edge(, "c")', twice)).toBe(false);
  });

  test('annotations of a caller apart from those of a client, who has none', () => {
    const chain = [
      segment('a', { annotations: { k: 1 }, subsegments: [embedded('b', { namespace: 'remote' })] }),
      segment('c', { parent_id: id('b') }),
    ];
    expect(holds('edge(, "a") { source.annotation.k }', chain)).toBe(false);
    expect(holds('edge() { source.annotation.k }', chain)).toBe(true);
    expect(holds('edge(id(type: "client"), "a") { destination.annotation.k }', chain)).toBe(true);
  });

  test('what a block is about: its conditions hold for one segment', () => {
    const two = [segment('a', { fault: true, parent_id: id('9') }), segment('b', { name: 'a', error: true })];
    expect(holds('service("a") { fault } service("a") { error }', two)).toBe(true);
    expect(holds('service("a") { fault error }', two)).toBe(false);
    expect(holds('!service("a") { fault error }', two)).toBe(true);
    expect(holds('service("a") { !fault }', two)).toBe(true);
  });
});

describe('evaluateFilter() is quick', () => {
  test('on a segment that makes ten thousand calls', () => {
    const calls = Array.from({ length: 10_000 }, (_, index) =>
      embedded('b', { id: String(index).padStart(16, '0'), namespace: 'remote', user: `u${index}`, annotations: { k: index } }),
    );
    const trace = assembleTrace(TRACE, [segment('a', { subsegments: calls })]);
    const expression = filterOf('edge() { source.annotation.k < 0 OR user = "x" OR annotation.k = -1 } OR rootcause.fault.entity { last }');
    const began = performance.now();
    expect(evaluateFilter(expression, trace)).toBe(false);
    // Some 10 ms; looking through the caller for each of its calls would take seconds.
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe('evaluateFilter() follows groups', () => {
  const fault = [segment('a', { fault: true })];
  test.each<[string, Record<string, string>, boolean]>([
    ['group.name = "g"', { g: 'fault' }, true],
    ['group.name != "g"', { g: 'fault' }, false],
    ['!group.name = "g"', { g: 'error' }, true],
    ['group.arn = "arn:x"', { 'arn:x': 'group.name = "g"', g: 'fault' }, true],
    ['group.name = "all"', { all: '' }, true],
    ['group.name = "none"', {}, false],
    ['group.name != "none"', {}, false],
    ['group.name = "g"', { g: 'group.name = "h"', h: 'group.name = "g"' }, false],
    ['!group.name = "g"', { g: '!group.name = "g"' }, false],
    ['group.name = "g" OR fault', { g: 'group.name = "g"' }, true],
  ])('%s of %j: %s', (text, groups, expected) => {
    expect(holds(text, fault, groups)).toBe(expected);
  });

  test('that refer to each other many times over, in no time', () => {
    const groups: Record<string, string> = { g0: 'fault' };
    for (let index = 1; index < MAX_GROUP_DEPTH; index++) {
      groups[`g${index}`] = Array.from({ length: 20 }, () => `group.name = "g${index - 1}"`).join(' ');
    }
    expect(holds(`group.name = "g${MAX_GROUP_DEPTH - 1}"`, fault, groups)).toBe(true);
  });
});

const everyTrace = traceDocuments(toXRayTraceId(TRACE)).map((documents) => assembleTrace(TRACE, documents));
const everyExpression = expressionTree();
const not = (operand: FilterExpression): FilterExpression => ({ kind: 'not', operand, span: operand.span });

describe('evaluateFilter() on random expressions and traces', () => {
  test('never fails, and never matches both an expression and its negation', () => {
    fc.assert(
      fc.property(everyExpression, everyTrace, (expression, trace) => {
        const positive = evaluateFilter(expression, trace);
        const negative = evaluateFilter(not(expression), trace);
        expect(positive && negative).toBe(false);
        // Only what is asked of a missing root is neither.
        if (trace.root !== undefined) expect(positive || negative).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });

  test('says of != what it says of a negated =', () => {
    fc.assert(
      fc.property(everyExpression, everyTrace, (expression, trace) => {
        if (!('operator' in expression) || expression.operator !== '!=') return;
        const equal = { ...expression, operator: '=' } as FilterExpression;
        expect(evaluateFilter(expression, trace)).toBe(evaluateFilter(not(equal), trace));
      }),
      { numRuns: 5_000 },
    );
  });
});
