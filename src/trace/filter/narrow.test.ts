import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FILTER_EXAMPLES, FILTER_GROUPS, filterTraces } from '../../../test/fixtures/filter-traces.ts';
import { expressionTree, traceDocuments } from '../../../test/support/filter-arbitraries.ts';
import { filterOf } from '../../../test/support/filter-trees.ts';
import { meets, storedRows } from '../../../test/support/narrowing-model.ts';
import { segment, TRACE } from '../../../test/support/trace-documents.ts';
import { assembleTrace } from '../assemble.ts';
import { toXRayTraceId } from '../ids.ts';
import { evaluateFilter } from './evaluate.ts';
import { MAX_GROUP_DEPTH, type GroupLookup } from './groups.ts';
import { narrowFilter } from './narrow.ts';
import type { ColumnTest, Narrowing } from './narrowing.ts';
import { printFilter } from './print.ts';
import type { FilterExpression } from './syntax.ts';

/** A narrowing as one line: `[…]` is a row, with its tests. */
function draw(narrowing: Narrowing): string {
  switch (narrowing.kind) {
    case 'all':
      return 'all';
    case 'row':
      return `[${narrowing.test.map(drawTest).join(' ')}]`;
    default:
      return `(${narrowing.parts.map(draw).join(` ${narrowing.kind} `)})`;
  }
}

function drawTest(columnTest: ColumnTest): string {
  switch (columnTest.column) {
    case 'segment':
      return 'segment';
    case 'owner':
      return `owner=${JSON.stringify(columnTest.name)}`;
    case 'flags':
      return columnTest.anyOf.join('|');
    case 'duration':
      return `duration${columnTest.operator}${columnTest.seconds}`;
    case 'annotation':
      return `@${columnTest.key}${columnTest.operator === 'exists' ? '' : columnTest.operator + JSON.stringify(columnTest.value)}`;
    default:
      return `${columnTest.column}${columnTest.operator}${JSON.stringify(columnTest.value)}`;
  }
}

describe('narrowFilter()', () => {
  test.each([
    ['', 'all'],
    // one entity, one row
    ['fault', '[fault]'],
    ['!ok', '[error|throttle|fault]'],
    ['ok = false', '[error|throttle|fault]'],
    ['!(ok = true)', '[error|throttle|fault]'],
    ['http.status = 500', '[segment status=500]'],
    ['fault http.status = 500 responsetime > 2', '[fault segment status=500 duration>=1.999999]'],
    ['http.status != 200', '[segment status!=200]'],
    ['!(http.status = 200)', '[segment status!=200]'],
    ['!(http.status != 200)', '[segment status=200]'],
    ['http.status != 0', 'all'],
    ['http.url', '[segment url!=""]'],
    ['!http.url', '[segment url=""]'],
    ['http.url CONTAINS ""', '[segment url!=""]'],
    ['http.url != ""', 'all'],
    [
      'http.method = "GET" http.url BEGINSWITH "a" http.useragent ENDSWITH "b" http.clientip CONTAINS "c"',
      '[segment method="GET" urlBEGINSWITH"a" userAgentENDSWITH"b" clientIpCONTAINS"c"]',
    ],
    ['responsetime = 1', '[segment duration>=0.999999 duration<=1.000001]'],
    ['responsetime < 0', '[segment duration<=0.000001]'],
    ['responsetime > 0', 'all'],
    ['fault OR http.status = 404', '([fault] or [segment status=404])'],
    ['(fault OR error) responsetime > 1', '([fault segment duration>=0.999999] or [error segment duration>=0.999999])'],
    // any row
    ['user = "a" annotation.k > 5', '([user="a"] and [@k>5])'],
    ['user', '[user!=""]'],
    ['annotation.k', '[@k]'],
    ['annotation.k CONTAINS ""', '[@k]'],
    ['annotation.k = "x" OR annotation.k = true', '([@k="x"] or [@k=true])'],
    ['!(annotation.k != 5)', '[@k=5]'],
    // what no row shows
    ['ok', 'all'],
    ['!fault', 'all'],
    ['fault = false', 'all'],
    ['partial', 'all'],
    ['inferred', 'all'],
    ['duration > 5', 'all'],
    ['!annotation.k', 'all'],
    ['annotation.k != 5', 'all'],
    ['!(annotation.k > 5)', 'all'],
    ['user != "a"', 'all'],
    ['!user', 'all'],
    ['!(http.status > 5)', 'all'],
    ['availabilityzone = "a"', 'all'],
    ['fault OR ok', 'all'],
    ['fault AND !partial', '[fault]'],
    ['!service("a")', 'all'],
    ['!edge("a", "b")', 'all'],
    // nodes: a segment's own row, or the row that calls it
    ['service("a")', '([segment service="a"] or [peerType!="" peer="a"])'],
    ['service()', '([segment] or [peerType!=""])'],
    [
      'service(id(name: "a", type: "t", account.id: "1")) { fault }',
      '([segment service="a" type="t" fault] or [peerType!="" peer="a" peerType="t" fault])',
    ],
    [
      'service("a") { partial duration < 2 !(type = "t") }',
      '([segment service="a" inProgress duration<=2.000001 type!="t"] or [peerType!="" peer="a" inProgress duration<=2.000001 peerType!="t"])',
    ],
    ['service("a") { user = "u" }', '(([segment service="a"] and [user="u"]) or ([peerType!="" peer="a"] and [user="u"]))'],
    ['service("a") { duration > 2 root }', '([segment service="a"] or [peerType!="" peer="a"])'],
    [
      'edge("a", "b") { fault }',
      '(([segment service="a"] and [segment service="b"] and [fault]) or ([segment service="a"] and [peerType!="" peer="b" fault]))',
    ],
    [
      'edge(id(type: "client"), "b") { fault }',
      '(([segment type="client"] and [segment service="b"] and [fault]) or ([segment type="client"] and [peerType!="" peer="b" fault]) or [segment service="b" fault])',
    ],
    ['edge()', '([segment] or [peerType!=""])'],
    // root causes
    ['rootcause.fault.service { name = "x" }', '[fault]'],
    ['rootcause.error.json = #[{}]', '[error]'],
    ['rootcause.error.json = #[]', 'all'],
    ['rootcause.json = #[]', 'all'],
    ['rootcause.fault.json != #[]', 'all'],
    ['rootcause.fault.client_impacting = false', 'all'],
    ['!(rootcause.fault.client_impacting = false)', '[fault]'],
    ['rootcause.responsetime.service { first }', 'all'],
    // groups
    ['group.name = "g" http.status = 500', '[fault segment status=500]'],
    ['group.name != "g"', 'all'],
    ['group.name != "h"', '[segment url!=""]'],
    ['group.name = "unknown"', 'all'],
    ['group.name = "circle" error', '[error]'],
  ])('%s: %s', (text, drawn) => {
    const groups: Record<string, string> = { g: 'fault', h: '!http.url', circle: 'group.name = "circle"' };
    const lookup: GroupLookup = (name) => (groups[name] === undefined ? undefined : filterOf(groups[name]));
    expect(draw(narrowFilter(filterOf(text), lookup))).toBe(drawn);
  });

  test('multiplies a few alternatives out, and leaves many as they are', () => {
    const either = '(fault OR error) ';
    expect(draw(narrowFilter(filterOf(either.repeat(3)))).match(/\[/g)?.length).toBeLessThanOrEqual(24);
    const many = '(fault OR http.status = 1) '.repeat(100);
    expect(draw(narrowFilter(filterOf(many)))).toBe('([fault] or [segment status=1])');
  });

  test('stays small when groups multiply', () => {
    const groups: Record<string, string> = { g0: 'user = "u"' };
    for (let index = 1; index < MAX_GROUP_DEPTH; index++) {
      groups[`g${index}`] = Array.from({ length: 20 }, (_, at) => `(group.name = "g${index - 1}" OR annotation.a${at})`).join(' ');
    }
    const narrowing = narrowFilter(filterOf(groups[`g${MAX_GROUP_DEPTH - 1}`] ?? ''), (name) => filterOf(groups[name] ?? 'ok'));
    expect(JSON.stringify(narrowing).length).toBeLessThan(100_000);
  });
});

const traceId = toXRayTraceId(TRACE);

describe('narrowFilter() is met by every trace that matches', () => {
  test.each(FILTER_EXAMPLES)('$expression', ({ expression, matches }) => {
    const groups: GroupLookup = (name) => (FILTER_GROUPS[name] === undefined ? undefined : filterOf(FILTER_GROUPS[name]));
    const narrowing = narrowFilter(filterOf(expression), groups);
    const met = filterTraces().filter(({ id, documents }) => meets(narrowing, storedRows(id, documents)));
    expect(met.map(({ name }) => name)).toEqual(expect.arrayContaining([...matches]));
  });

  test('random expressions on random traces', () => {
    let matched = 0;
    let spared = 0;
    const check = (expression: FilterExpression, documents: Parameters<typeof assembleTrace>[1]): void => {
      const narrowing = narrowFilter(expression);
      const met = meets(narrowing, storedRows(TRACE, documents));
      if (!met) spared++;
      if (!evaluateFilter(expression, assembleTrace(TRACE, documents))) return;
      matched++;
      expect(met, `${printFilter(expression)}\n${draw(narrowing)}`).toBe(true);
    };
    fc.assert(fc.property(expressionTree(), traceDocuments(traceId), check), { numRuns: 6_000 });
    // Both kinds must come up often, or the property says nothing.
    expect(matched).toBeGreaterThan(600);
    expect(spared).toBeGreaterThan(300);
  });

  test('times to the last bit, which rows keep in whole nanoseconds', () => {
    const start = fc.double({ min: 1_600_000_000, max: 2_000_000_000, noNaN: true });
    const seconds = fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.double({ min: 0, max: 1e-5, noNaN: true }));
    const operator = fc.constantFrom('=', '<=', '>=');
    const check = (from: number, taken: number, comparison: string): void => {
      const document = { ...segment('a'), start_time: from, end_time: from + taken };
      const expression = filterOf(`responsetime ${comparison} ${document.end_time - document.start_time}`);
      expect(evaluateFilter(expression, assembleTrace(TRACE, [document]))).toBe(true);
      expect(meets(narrowFilter(expression), storedRows(TRACE, [document]))).toBe(true);
    };
    fc.assert(fc.property(start, seconds, operator, check), { numRuns: 5_000 });
  });

  test('random blocks, which match seldom by chance', () => {
    let matched = 0;
    const blocks = fc.oneof(
      expressionTree('service').map((block) => ({ kind: 'service' as const, selector: undefined, block, span: block.span })),
      expressionTree('edge').map((block) => ({
        kind: 'edge' as const,
        source: undefined,
        destination: undefined,
        block,
        span: block.span,
      })),
    );
    const check = (expression: FilterExpression, documents: Parameters<typeof assembleTrace>[1]): void => {
      if (!evaluateFilter(expression, assembleTrace(TRACE, documents))) return;
      matched++;
      const narrowing = narrowFilter(expression);
      expect(meets(narrowing, storedRows(TRACE, documents)), `${printFilter(expression)}\n${draw(narrowing)}`).toBe(true);
    };
    fc.assert(fc.property(blocks, traceDocuments(traceId), check), { numRuns: 6_000 });
    expect(matched).toBeGreaterThan(600);
  });
});
