import { describe, expect, test } from 'vitest';
import { type GraphEdgeTally, type GraphNodeTally, GraphFlag, Tally } from '../trace/index.ts';
import { fillPeriods, toWireHistogram, toWirePeriod, toWireServices, toWireStatistics } from './graph-responses.ts';

/** Requests of 5 ms, one for each letter: o(k), e(rror), t(hrottle), f(ault). */
function tally(requests: string, startSeconds = 1_000): Tally {
  const sum = new Tally();
  const flags: Record<string, number> = { o: 0, e: GraphFlag.error, t: GraphFlag.throttle | GraphFlag.error, f: GraphFlag.fault };
  [...requests].forEach((letter, index) => sum.add(flags[letter] ?? 0, startSeconds + index, 5e6));
  return sum;
}

function node(name: string, requests: string, members: Partial<GraphNodeTally> = {}): GraphNodeTally {
  return { name, type: 'unknown', root: false, active: true, tally: tally(requests), ...members };
}

function edge(from: string, to: string, requests: string, types: { from?: string; to?: string } = {}): GraphEdgeTally {
  return { from: { name: from, type: types.from ?? 'unknown' }, to: { name: to, type: types.to ?? 'unknown' }, tally: tally(requests) };
}

const range = { fromSeconds: 900, toSeconds: 1_900 };

describe('toWireServices()', () => {
  test('draws client, root and inferred node', () => {
    const services = toWireServices(
      {
        nodes: [node('api', 'ooef', { root: true }), node('table', 'oo', { type: 'AWS::DynamoDB::Table', active: false })],
        edges: [edge('api', 'table', 'oo', { to: 'AWS::DynamoDB::Table' }), edge('api', 'api', 'ooef', { from: 'client' })],
      },
      range,
    );
    expect(services).toMatchObject([
      {
        ReferenceId: 0,
        Name: 'table',
        Names: ['table'],
        Type: 'AWS::DynamoDB::Table',
        State: 'unknown',
        Edges: [],
        SummaryStatistics: { TotalCount: 2 },
      },
      {
        ReferenceId: 1,
        Name: 'api',
        Type: 'client',
        State: 'unknown',
        StartTime: 1_000,
        EndTime: 1_003.005,
        Edges: [{ ReferenceId: 2, Aliases: [], SummaryStatistics: { TotalCount: 4 } }],
      },
      {
        ReferenceId: 2,
        Name: 'api',
        Type: 'unknown',
        Root: true,
        State: 'active',
        StartTime: 1_000,
        EndTime: 1_003.005,
        Edges: [{ ReferenceId: 0 }],
        SummaryStatistics: {
          OkCount: 2,
          ErrorStatistics: { ThrottleCount: 0, OtherCount: 1, TotalCount: 1 },
          FaultStatistics: { OtherCount: 1, TotalCount: 1 },
          TotalCount: 4,
          TotalResponseTime: 0.02,
        },
        DurationHistogram: [{ Value: 0.005, Count: 4 }],
        ResponseTimeHistogram: [{ Value: 0.005, Count: 4 }],
      },
    ]);
    expect(services[0]).not.toHaveProperty('Root');
    expect(services[1]).not.toHaveProperty('SummaryStatistics');
    expect(services[1]).not.toHaveProperty('ResponseTimeHistogram');
  });

  test('takes client nodes that are given as nodes too', () => {
    const edges = [edge('api', 'api', 'o', { from: 'client' })];
    const client = node('api', '', { type: 'client', active: false });
    expect(toWireServices({ nodes: [client, node('api', 'o')], edges }, range)).toEqual(
      toWireServices({ nodes: [node('api', 'o')], edges }, range),
    );
  });

  test('draws nodes that are known from edges only', () => {
    const services = toWireServices({ nodes: [], edges: [edge('busy', 'api', 'o')] }, range);
    expect(services).toMatchObject([
      { Name: 'api', State: 'unknown', StartTime: 900, EndTime: 1_900, SummaryStatistics: { TotalCount: 0, TotalResponseTime: 0 } },
      { Name: 'busy', State: 'active', Edges: [{ ReferenceId: 0, StartTime: 1_000 }] },
    ]);
    expect(JSON.stringify(services)).not.toContain('null');
  });

  test('gives no times where none are known', () => {
    const [service] = toWireServices({ nodes: [node('api', '')], edges: [] });
    expect(service).not.toHaveProperty('StartTime');
  });

  test('gives the same references whatever the order', () => {
    const nodes = [node('a', 'o'), node('b', 'o'), node('b', 'o', { type: 'remote' })];
    const edges = [edge('a', 'b', 'o'), edge('a', 'b', 'o', { to: 'remote' })];
    const ids = (list: readonly unknown[]): unknown =>
      (list as { Name: string; Type: string; ReferenceId: number }[]).map((s) => [s.Name, s.Type, s.ReferenceId]);
    expect(ids(toWireServices({ nodes: nodes.toReversed(), edges: edges.toReversed() }, range))).toEqual(
      ids(toWireServices({ nodes, edges }, range)),
    );
  });
});

test.each(['', 'o', 'oooe', 'ttt', 'eftof'])('toWireStatistics() of %j adds up, in whole numbers', (requests) => {
  const { OkCount, ErrorStatistics, FaultStatistics, TotalCount } = toWireStatistics(tally(requests)) as {
    OkCount: number;
    ErrorStatistics: { ThrottleCount: number; OtherCount: number; TotalCount: number };
    FaultStatistics: { OtherCount: number; TotalCount: number };
    TotalCount: number;
  };
  const count = (letter: string): number => requests.split(letter).length - 1;
  expect({ OkCount, TotalCount }).toEqual({ OkCount: count('o'), TotalCount: requests.length });
  expect(ErrorStatistics).toEqual({ ThrottleCount: count('t'), OtherCount: count('e'), TotalCount: count('t') + count('e') });
  expect(FaultStatistics).toEqual({ OtherCount: count('f'), TotalCount: count('f') });
});

test('toWireHistogram() stays within 100 entries and loses no request', () => {
  const sum = new Tally();
  for (let i = 0; i < 5_000; i++) sum.add(0, i, 1.01 ** (i % 2_000) * 1e3);
  const entries = toWireHistogram(sum) as { Value: number; Count: number }[];
  expect(entries.length).toBeLessThanOrEqual(100);
  expect(entries.reduce((total, entry) => total + entry.Count, 0)).toBe(5_000);
  expect(new Set(entries.map((entry) => entry.Value)).size).toBe(entries.length);
});

describe('fillPeriods()', () => {
  const found = [{ startSeconds: 120, tally: tally('o', 130) }];

  test('puts empty periods around', () => {
    const periods = fillPeriods(found, { fromSeconds: 61, toSeconds: 240, periodSeconds: 60 });
    expect(periods.map(({ startSeconds, tally: sum }) => [startSeconds, sum?.total])).toEqual([
      [60, undefined],
      [120, 1],
      [180, undefined],
    ]);
  });

  test('leaves empty periods out of a very long range', () => {
    expect(fillPeriods(found, { fromSeconds: 0, toSeconds: 4e9, periodSeconds: 60 })).toEqual(found);
  });

  test('of an empty range is empty', () => {
    expect(fillPeriods([], { fromSeconds: 60, toSeconds: 60, periodSeconds: 60 })).toEqual([]);
  });
});

test('toWirePeriod() has statistics of a node or of edges, zeros when nothing happened', () => {
  expect(toWirePeriod('node', { startSeconds: 60, tally: tally('o') })).toMatchObject({
    Timestamp: 60,
    ServiceSummaryStatistics: { TotalCount: 1 },
  });
  const empty = toWirePeriod('edge', { startSeconds: 60, tally: undefined });
  expect(empty).toMatchObject({ EdgeSummaryStatistics: { OkCount: 0, TotalCount: 0, TotalResponseTime: 0 }, ResponseTimeHistogram: [] });
  expect(empty).not.toHaveProperty('ServiceSummaryStatistics');
});
