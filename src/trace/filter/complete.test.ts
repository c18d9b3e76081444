import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expressionText, tokenSoup } from '../../../test/support/filter-arbitraries.ts';
import { completeFilter, type CompletionNames } from './complete.ts';
import { parseFilter } from './parse.ts';

const NAMES: CompletionNames = {
  nodes: [
    { name: 'api', type: 'AWS::EC2::Instance' },
    { name: 'api', type: 'remote' },
    { name: 'say "hi"', type: 'remote' },
  ],
  annotationKeys: ['age', 'gen_ai.agent'],
};

/** `|` is the cursor. Options as their labels. */
function labels(text: string): readonly string[] {
  const cursor = text.indexOf('|');
  return completeFilter(text.replace('|', ''), cursor, NAMES).options.map(({ label }) => label);
}

/** The text after the option of this label was taken. */
function take(text: string, label: string): string {
  const cursor = text.indexOf('|');
  const whole = text.replace('|', '');
  const { from, to, options } = completeFilter(whole, cursor, NAMES);
  const option = options.find((each) => each.label === label);
  return whole.slice(0, from) + (option?.apply ?? `<no ${label}>`) + whole.slice(to);
}

describe('completeFilter() offers', () => {
  test.each<[string, readonly string[]]>([
    // keywords of the scope, what begins as typed before what only contains it
    [
      'resp|',
      [
        'responsetime',
        'rootcause.responsetime.service',
        'rootcause.responsetime.entity',
        'rootcause.responsetime.client_impacting',
        'rootcause.responsetime.json',
      ],
    ],
    ['URL|', ['http.url']],
    ['ok AND par|', ['partial']],
    ['ok par|', ['partial']],
    ['!par|', ['partial']],
    ['(thr|', ['throttle']],
    ['service("a") { ro|', ['root']],
    ['http.|', ['http.status', 'http.url', 'http.method', 'http.useragent', 'http.clientip']],
    [
      'user = x rootcause.fault.|',
      [
        'rootcause.fault.service',
        'rootcause.fault.entity',
        'rootcause.fault.exception',
        'rootcause.fault.client_impacting',
        'rootcause.fault.json',
      ],
    ],
    ['service("a") { in|', ['inferred', 'instance.id']],
    ['edge("a", "b") { in|', ['instance.id']],
    ['edge("a", "b") { so|', ['source.annotation.']],
    ['edge("a", "b") { source.|', ['source.annotation.age', 'source.annotation["gen_ai.agent"]']],
    ['rootcause.fault.entity { |', ['first', 'last', 'remote', 'index', 'name']],
    ['rootcause.responsetime.entity { |', ['first', 'last', 'remote', 'index', 'coverage', 'name']],
    ['rootcause.fault.exception { m|', ['message']],
    ['service("a") { fault } rootcause.json|', ['rootcause.json']],
    ['annotation|', ['annotation.age', 'annotation["gen_ai.agent"]']],
    ['annotation.a|', ['annotation.age']],
    // operators that fit, then what may follow without one
    ['ok |', ['=', '!=', 'AND', 'OR']],
    ['responsetime |', ['=', '!=', '<', '<=', '>', '>=', 'AND', 'OR']],
    ['http.url |', ['=', '!=', 'CONTAINS', 'BEGINSWITH', 'ENDSWITH', 'AND', 'OR']],
    ['http.url CON|', ['CONTAINS']],
    ['annotation.age |', ['=', '!=', '<', '<=', '>', '>=', 'CONTAINS', 'BEGINSWITH', 'ENDSWITH', 'AND', 'OR']],
    ['annotation["a.b"] co|', ['CONTAINS']],
    ['group.name |', ['=', '!=', 'AND', 'OR']],
    ['responsetime > 5 |', ['AND', 'OR']],
    ['(ok) |', ['AND', 'OR']],
    ['service("a") |', ['{', 'AND', 'OR']],
    ['service("a") { fault } |', ['AND', 'OR']],
    // values
    ['ok = |', ['true', 'false']],
    ['http.method = P|', ['POST', 'PUT', 'PATCH']],
    ['service() { name = |', ['api', 'say "hi"']],
    ['service() { type = "rem|', ['remote']],
    ['responsetime > |', []],
    // nodes
    ['service(|', ['api', 'say "hi"', 'id(']],
    ['service("|', ['api', 'say "hi"']],
    ['service("p|', ['api']],
    ['edge("api", |', ['api', 'say "hi"', 'id(']],
    ['edge(, sa|', ['say "hi"']],
    ['service(id(|', ['name:', 'type:', 'account.id:']],
    ['service(id(name: |', ['api', 'say "hi"']],
    ['service(id(name: "api", |', ['name:', 'type:', 'account.id:']],
    ['edge(id(name: "api"), id(type: |', ['AWS::EC2::Instance', 'remote']],
    ['annotation[|', ['age', 'gen_ai.agent']],
  ])('%s', (text, expected) => {
    expect(labels(text)).toEqual(expected);
  });

  test('everything at the start', () => {
    expect(labels('|')).toEqual(
      expect.arrayContaining(['ok', 'responsetime', 'http.url', 'annotation.age', 'service', 'edge', 'group.name', 'rootcause.json']),
    );
    expect(labels('|')).not.toContain('name');
  });

  test('nothing in a text that is too long to be read', () => {
    expect(labels(`${' '.repeat(5000)}|`)).toEqual([]);
  });

  test('each node name once, with its types', () => {
    const { options } = completeFilter('service(', 8, NAMES);
    expect(options[0]).toEqual({ label: 'api', apply: '"api"', detail: 'AWS::EC2::Instance, remote', kind: 'node' });
  });
});

describe('completeFilter() replaces', () => {
  test.each([
    ['fault AND resp|', 'responsetime', 'fault AND responsetime'],
    ['re|sp > 5', 'responsetime', 'responsetime > 5'],
    ['service(|', 'api', 'service("api"'],
    ['service("a|") { fault }', 'api', 'service("api") { fault }'],
    ['service("a|', 'api', 'service("api"'],
    ['service(|)', 'say "hi"', 'service("say \\"hi\\"")'],
    ['http.url cont|', 'CONTAINS', 'http.url CONTAINS '],
    ['annotation.g| = 1', 'annotation["gen_ai.agent"]', 'annotation["gen_ai.agent"] = 1'],
    ['annotation|', 'annotation["gen_ai.agent"]', 'annotation["gen_ai.agent"]'],
    ['annotation[gen|]', 'gen_ai.agent', 'annotation["gen_ai.agent"]'],
    ['serv|', 'service', 'service('],
  ])('%s by %s: %s', (text, label, expected) => {
    expect(take(text, label)).toBe(expected);
  });

  test('nothing outside of the text, whatever it is', () => {
    const texts = fc.oneof(expressionText, tokenSoup, fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(texts, fc.nat(), (text, place) => {
        const cursor = place % (text.length + 1);
        const { from, to, options } = completeFilter(text, cursor, NAMES);
        expect(from).toBeGreaterThanOrEqual(0);
        expect(from).toBeLessThanOrEqual(cursor);
        expect(to).toBeGreaterThanOrEqual(cursor);
        expect(to).toBeLessThanOrEqual(text.length);
        expect(options.length).toBeLessThanOrEqual(100);
      }),
      { numRuns: 5_000 },
    );
  });

  test('a keyword of an expression by ones that are read in its place', () => {
    const conditions = fc.tuple(fc.constantFrom('', 'ok AND ', 'service("a") { ', 'edge("a", "b") { fault OR '), fc.nat());
    fc.assert(
      fc.property(conditions, ([start, pick]) => {
        const options = completeFilter(start, start.length, NAMES).options.filter(({ apply }) => !/[({=.#]\s*$|#$/.test(apply));
        const option = options[pick % options.length]!;
        expect(parseFilter(start + option.apply + (start.includes('{') ? ' }' : '')).ok).toBe(true);
      }),
    );
  });
});
