import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GraphFlag, type GraphRows, type GraphTally, mergeGraphs, type Tally, tallyGraph } from './graph.ts';

const { segment, inProgress, error, throttle, fault, traced } = GraphFlag;

interface Span {
  readonly trace: number;
  readonly id: number;
  /** 0: none. */
  readonly parent: number;
  readonly start: number;
  /** Nanoseconds. */
  readonly took: number;
  readonly flags: number;
  readonly service: string;
  readonly peer: string;
}

/** A span of trace 1 that starts at second 100 and takes 10 ms. */
function span(id: number, parent: number, members: Partial<Span> = {}): Span {
  return { trace: 1, id, parent, start: 100, took: 1e7, flags: 0, service: '', peer: '', ...members };
}

function served(id: number, parent: number, service: string, members: Partial<Span> = {}): Span {
  return span(id, parent, { service, ...members, flags: segment | (members.flags ?? 0) });
}

function rowsOf(spans: readonly Span[]): GraphRows {
  const ids = (width: number, read: (one: Span) => number): Uint8Array => {
    const bytes = Buffer.alloc(width * spans.length);
    spans.forEach((one, row) => bytes.writeUInt32BE(read(one), row * width + width - 4));
    return bytes;
  };
  return {
    count: spans.length,
    traceIds: ids(16, (one) => one.trace),
    spanIds: ids(8, (one) => one.id),
    parentIds: ids(8, (one) => one.parent),
    starts: Float64Array.from(spans, (one) => one.start),
    durationNanos: Float64Array.from(spans, (one) => one.took),
    flags: spans.map((one) => one.flags),
    service: spans.map((one) => one.service),
    type: spans.map((one) => (one.service === '' ? '' : 'svc')),
    peer: spans.map((one) => one.peer),
    peerType: spans.map((one) => (one.peer === '' ? '' : 'remote')),
  };
}

/** `shop*` answered a client, `(db)` is inferred; numbers are requests, then errors, throttles and faults where there are any. */
function picture(graph: GraphTally): string[] {
  const name = (node: { name: string; type: string }): string =>
    node.type === 'remote' ? `(${node.name})` : node.type === 'client' ? 'client' : node.name;
  const counts = ({ total, errors, throttles, faults }: { total: number; errors: number; throttles: number; faults: number }): string =>
    [total, errors > 0 ? `${errors}e` : '', throttles > 0 ? `${throttles}t` : '', faults > 0 ? `${faults}f` : '']
      .filter((part) => part !== '')
      .join(' ');
  const nodes = [...graph.nodes.values()].map(
    (node) => `${name(node)}${node.root ? '*' : ''}${node.active ? '' : '?'}: ${counts(node.tally)}`,
  );
  const edges = [...graph.edges.values()].map((edge) => `${name(edge.from)} -> ${name(edge.to)}: ${counts(edge.tally)}`);
  return [...nodes.sort(), ...edges.sort()];
}

describe('tallyGraph()', () => {
  test.each<[string, Span[], string[]]>([
    ['nothing', [], []],
    ['a segment by itself is called by a client', [served(1, 0, 'shop')], ['client?: 0', 'shop*: 1', 'client -> shop: 1']],
    [
      'a segment in progress is on the map and not counted',
      [served(1, 0, 'shop', { flags: inProgress })],
      ['client?: 0', 'shop*: 0', 'client -> shop: 0'],
    ],
    [
      'a call is counted as the caller’s subsegment saw it',
      [served(1, 0, 'shop'), span(2, 1, { peer: 'cart', flags: fault }), served(3, 2, 'cart')],
      ['cart: 1', 'client?: 0', 'shop*: 1', 'client -> shop: 1', 'shop -> cart: 1 1f'],
    ],
    [
      'a call that names the caller’s segment is counted as the callee saw it',
      [served(1, 0, 'shop'), served(2, 1, 'cart', { flags: error })],
      ['cart: 1 1e', 'client?: 0', 'shop*: 1', 'client -> shop: 1', 'shop -> cart: 1 1e'],
    ],
    [
      'a call that nobody answered stands for its callee',
      [served(1, 0, 'shop'), span(2, 1, { peer: 'db', flags: throttle | error })],
      ['(db)?: 1 1e 1t', 'client?: 0', 'shop*: 1', 'client -> shop: 1', 'shop -> (db): 1 1e 1t'],
    ],
    [
      'but not when it says that its callee is traced',
      [served(1, 0, 'shop'), span(2, 1, { peer: 'cart', flags: traced })],
      ['client?: 0', 'shop*: 1', 'client -> shop: 1'],
    ],
    [
      'a subsegment deep inside belongs to its segment',
      [served(1, 0, 'shop'), span(2, 1), span(3, 2), span(4, 3, { peer: 'db' })],
      ['(db)?: 1', 'client?: 0', 'shop*: 1', 'client -> shop: 1', 'shop -> (db): 1'],
    ],
    ['a subsegment whose segment has not come is left out', [span(2, 1, { peer: 'db' })], []],
    ['a segment whose caller has not come has no edge', [served(3, 2, 'cart')], ['cart: 1']],
    [
      'a service may call itself',
      [served(1, 0, 'shop'), span(2, 1), served(3, 2, 'shop')],
      ['client?: 0', 'shop*: 2', 'client -> shop: 1', 'shop -> shop: 1'],
    ],
    [
      'of two copies the complete one counts, then the longer',
      [
        served(1, 0, 'shop', { flags: inProgress, took: 0 }),
        served(1, 0, 'shop', { took: 5 }),
        served(1, 0, 'shop', { took: 9, flags: fault }),
      ],
      ['client?: 0', 'shop*: 1 1f', 'client -> shop: 1 1f'],
    ],
    [
      'the same ids in another trace are other spans',
      [served(1, 0, 'shop'), served(1, 0, 'shop', { trace: 2 }), span(2, 1, { peer: 'db', trace: 2 })],
      ['(db)?: 1', 'client?: 0', 'shop*: 2', 'client -> shop: 2', 'shop -> (db): 1'],
    ],
    [
      'a fault is not counted as an error too',
      [served(1, 0, 'shop', { flags: fault | error })],
      ['client?: 0', 'shop*: 1 1f', 'client -> shop: 1 1f'],
    ],
    ['a span that names itself as parent', [span(2, 2, { peer: 'db' }), served(1, 1, 'shop')], ['shop: 1']],
    ['spans that name each other as parents', [span(2, 3, { peer: 'db' }), span(3, 2, { peer: 'db' })], []],
  ])('%s', (_, spans, expected) => {
    expect(picture(tallyGraph(rowsOf(spans)))).toEqual(expected);
    expect(picture(tallyGraph(rowsOf(spans.toReversed())))).toEqual(expected);
  });

  test('counts what starts in the range; the rest is context', () => {
    const spans = [
      served(1, 0, 'shop', { start: 99 }),
      span(2, 1, { start: 100 }),
      served(3, 2, 'cart', { start: 100 }),
      served(4, 0, 'shop', { start: 160 }),
    ];
    expect(picture(tallyGraph(rowsOf(spans), 100, 160))).toEqual(['cart: 1', 'shop?: 0', 'shop -> cart: 1']);
  });

  test('times: sum, first and last', () => {
    const { tally } = [...tallyGraph(rowsOf([served(1, 0, 'a'), served(2, 1, 'a', { start: 103, took: 2e9 })])).nodes.values()][0]!;
    expect(tally).toMatchObject({ total: 2, nanos: 2.01e9, firstSeconds: 100, lastSeconds: 105 });
  });

  test('300,000 spans that every trace numbers from one are counted in seconds', () => {
    const spans = Array.from({ length: 300_000 }, (_, index) =>
      served(1 + (index % 2), index % 2, 'shop', { trace: Math.floor(index / 2) }),
    );
    const startedMs = performance.now();
    expect([...tallyGraph(rowsOf(spans)).nodes.values()][0]!.tally.total).toBe(300_000);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

const flags = fc.constantFrom(0, 0, error, throttle | error, fault, traced, inProgress);
const anySpan: fc.Arbitrary<Span> = fc
  .record({
    trace: fc.integer({ min: 1, max: 3 }),
    id: fc.integer({ min: 1, max: 12 }),
    parent: fc.integer({ min: 0, max: 12 }),
    start: fc.integer({ min: 0, max: 180 }),
    took: fc.integer({ min: 0, max: 1e9 }),
    flags,
    service: fc.constantFrom('', 'shop', 'cart', 'mail'),
    peer: fc.constantFrom('', '', 'db', 'cart'),
  })
  .map((one) => (one.service === '' ? one : { ...one, flags: one.flags | segment }));
const anySpans = fc.array(anySpan, { maxLength: 40 });

/** All numbers, in an order of their own. */
function numbersOf(graph: GraphTally): string[] {
  const text = ([key, { tally, ...others }]: [string, { tally: Tally }]): string =>
    JSON.stringify([key, others, { ...tally, histogram: tally.histogram.filled() }]);
  return [...[...graph.nodes].map(text), ...[...graph.edges].map(text)].sort();
}

function totals(graph: GraphTally, of: (edge: { from: string; to: string }) => boolean): number {
  return [...graph.edges.values()]
    .filter((edge) => of({ from: edge.from.type, to: edge.to.type }))
    .reduce((sum, edge) => sum + edge.tally.total, 0);
}

describe('tallyGraph() of any spans', () => {
  test('does not depend on their order, nor on copies of them', () => {
    const shuffled = anySpans.chain((spans) =>
      fc.tuple(fc.constant(spans), fc.shuffledSubarray([...spans, ...spans], { minLength: spans.length * 2 })),
    );
    fc.assert(
      fc.property(shuffled, ([spans, twice]) => {
        expect(numbersOf(tallyGraph(rowsOf(twice)))).toEqual(numbersOf(tallyGraph(rowsOf(spans))));
      }),
      { numRuns: 1_000 },
    );
  });

  test('is the sum over their traces, and over stretches of time', () => {
    fc.assert(
      fc.property(anySpans, (spans) => {
        const whole = numbersOf(tallyGraph(rowsOf(spans)));
        const byTrace = [1, 2, 3].map((trace) => tallyGraph(rowsOf(spans.filter((one) => one.trace === trace))));
        expect(numbersOf(mergeGraphs(byTrace))).toEqual(whole);
        const byMinute = [0, 60, 120, 180].map((from) => tallyGraph(rowsOf(spans), from, from + 60));
        expect(numbersOf(mergeGraphs(byMinute))).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  test('adds up: each request is at its node once, and on at most one edge', () => {
    fc.assert(
      fc.property(anySpans, (spans) => {
        // One copy of each span, so that counting needs no rule of which one wins.
        const single = [...new Map(spans.map((one) => [`${one.trace} ${one.id}`, one])).values()];
        const graph = tallyGraph(rowsOf(single));
        const complete = single.filter((one) => (one.flags & inProgress) === 0);
        const segments = complete.filter((one) => (one.flags & segment) !== 0);
        const active = [...graph.nodes.values()].filter((node) => node.type === 'svc');
        const atNodes = active.reduce((sum, node) => sum + node.tally.total, 0);
        expect(atNodes).toBe(segments.length);
        expect(totals(graph, ({ from }) => from === 'client')).toBe(segments.filter((one) => one.parent === 0).length);
        expect(totals(graph, ({ from, to }) => from === 'svc' && to === 'svc')).toBeLessThanOrEqual(
          single.filter((one) => one.parent !== 0).length,
        );
        const inferred = [...graph.nodes.values()].filter((node) => node.type === 'remote');
        expect(totals(graph, ({ to }) => to === 'remote')).toBe(inferred.reduce((sum, node) => sum + node.tally.total, 0));
        for (const { tally } of [...graph.nodes.values(), ...graph.edges.values()]) {
          expect(tally.errors + tally.faults).toBeLessThanOrEqual(tally.total);
          expect(tally.throttles).toBeLessThanOrEqual(tally.errors);
          expect(tally.histogram.total).toBe(tally.total);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
