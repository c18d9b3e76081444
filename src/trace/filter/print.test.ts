import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FILTER_EXAMPLES } from '../../../test/fixtures/filter-traces.ts';
import { expressionTree } from '../../../test/support/filter-arbitraries.ts';
import { filterOf, withoutSpans } from '../../../test/support/filter-trees.ts';
import { printFilter } from './print.ts';

describe('printFilter()', () => {
  test.each([
    ['', ''],
    ['OK  Fault', 'ok AND fault'],
    ['((ok or fault)) and !((error))', '(ok OR fault) AND !error'],
    ['ok or (fault and error) or partial', 'ok OR fault AND error OR partial'],
    ['ok or (fault or error)', 'ok OR (fault OR error)'],
    ['!(ok fault)', '!(ok AND fault)'],
    ['! ! ok', '!!ok'],
    ['ok != true', 'ok = false'],
    ['http.statusCode=200', 'http.status = 200'],
    ['annotation.a.b = 1e3', 'annotation["a.b"] = 1000'],
    ['annotation[a]', 'annotation.a'],
    ['service(id(name:"a")){fault}', 'service("a") { fault }'],
    ['edge(,id(type:t))', 'edge(, id(type: "t"))'],
    ['edge("a",)', 'edge("a")'],
    ['rootcause.fault.client_impacting=true', 'rootcause.fault.client_impacting'],
    ['rootcause.json=#[ { "A" : null } ]', 'rootcause.json = #[{"A":null}]'],
  ])('%s is %s', (text, printed) => {
    expect(printFilter(filterOf(text))).toBe(printed);
  });

  test('escapes quotes and backslashes', () => {
    const text = 'user = "a \\"b\\" \\\\"';
    expect(printFilter(filterOf(text))).toBe(text);
  });

  test.each(FILTER_EXAMPLES)('keeps the meaning of $expression', ({ expression }) => {
    const tree = filterOf(expression);
    expect(withoutSpans(filterOf(printFilter(tree)))).toEqual(withoutSpans(tree));
  });

  test('gives a text that parses to the same tree, on random trees', () => {
    fc.assert(
      fc.property(expressionTree(), (tree) => {
        const text = printFilter(tree);
        fc.pre(text.length <= 4096);
        expect(withoutSpans(filterOf(text))).toEqual(withoutSpans(tree));
      }),
      { numRuns: 10_000 },
    );
  });
});
