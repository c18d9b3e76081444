import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FILTER_EXAMPLES } from '../../../test/fixtures/filter-traces.ts';
import { expressionText, tokenSoup } from '../../../test/support/filter-arbitraries.ts';
import { withoutSpans } from '../../../test/support/filter-trees.ts';
import { MAX_FILTER_LENGTH, parseFilter } from './parse.ts';
import type { FilterError, FilterExpression } from './syntax.ts';

const tree = (text: string): unknown => {
  const result = parseFilter(text);
  if (!result.ok) throw new Error(result.error.message);
  return withoutSpans(result.value);
};

const failure = (text: string): FilterError => {
  const result = parseFilter(text);
  if (result.ok) throw new Error(`${text} was read`);
  return result.error;
};

const flag = (key: string, expected = true): unknown => ({ kind: 'flag', key, expected });
const number = (key: string, operator: string, value: number): unknown => ({ kind: 'number', key, operator, value });
const text = (key: string, operator: string, value: string): unknown => ({ kind: 'text', key, operator, value });
const annotation = (key: string, operator: string, value: unknown, owner = 'own'): unknown => ({
  kind: 'annotation',
  owner,
  key,
  operator,
  value,
});
const named = (name: string): unknown => ({ name, type: undefined, accountId: undefined });

describe('parseFilter() reads', () => {
  test.each(FILTER_EXAMPLES.map(({ expression }) => expression))('%s', (expression) => {
    expect(parseFilter(expression).ok).toBe(true);
  });

  test.each<[string, unknown]>([
    ['', { kind: 'everything' }],
    ['  \n', { kind: 'everything' }],
    ['ok', flag('ok')],
    ['OK', flag('ok')],
    ['!ok', { kind: 'not', operand: flag('ok') }],
    ['! ! ok', { kind: 'not', operand: { kind: 'not', operand: flag('ok') } }],
    ['ok = true', flag('ok')],
    ['ok = "FALSE"', flag('ok', false)],
    ['ok != false', flag('ok')],
    ['((ok))', flag('ok')],
    ['responseTime > 5', number('responsetime', '>', 5)],
    ['duration>=.5', number('duration', '>=', 0.5)],
    ['duration < -1.5e+2', number('duration', '<', -150)],
    ['duration = -0', number('duration', '=', 0)],
    ['http.statusCode != 200', number('http.status', '!=', 200)],
    ['http.url', { kind: 'set', key: 'http.url' }],
    ['responsetime', { kind: 'set', key: 'responsetime' }],
    ['user contains ""', text('user', 'CONTAINS', '')],
    ['user = alice', text('user', '=', 'alice')],
    ['user = 42', text('user', '=', '42')],
    ['http.clientip BeginsWith 10.0.0.1', text('http.clientip', 'BEGINSWITH', '10.0.0.1')],
    ['user = "a \\"b\\" \\\\ \\_ \\n"', text('user', '=', 'a "b" \\ _ n')],
    ['user = "日本 😀"', text('user', '=', '日本 😀')],
    ['annotation.age > 29', annotation('age', '>', 29)],
    ['annotation.Age = "30"', annotation('Age', '=', '30')],
    ['annotation.on = true', annotation('on', '=', true)],
    ['annotation.on = "true"', annotation('on', '=', 'true')],
    ['annotation.on = yes', annotation('on', '=', 'yes')],
    ['annotation.on CONTAINS 5', annotation('on', 'CONTAINS', '5')],
    ['annotation[gen_ai.agent] = "x"', annotation('gen_ai.agent', '=', 'x')],
    ['annotation["gen ai"] = "x"', annotation('gen ai', '=', 'x')],
    ['annotation[5] = 6', annotation('5', '=', 6)],
    ['annotation.gen_ai.agent = "x"', annotation('gen_ai.agent', '=', 'x')],
    ['ANNOTATION.a', { kind: 'annotation-set', owner: 'own', key: 'a' }],
    ['!annotation.a', { kind: 'not', operand: { kind: 'annotation-set', owner: 'own', key: 'a' } }],
    ['service()', { kind: 'service', selector: undefined, block: undefined }],
    ['service("")', { kind: 'service', selector: undefined, block: undefined }],
    ['service(api)', { kind: 'service', selector: named('api'), block: undefined }],
    ['Service("a"){fault}', { kind: 'service', selector: named('a'), block: flag('fault') }],
    ['edge()', { kind: 'edge', source: undefined, destination: undefined, block: undefined }],
    ['edge("a")', { kind: 'edge', source: named('a'), destination: undefined, block: undefined }],
    ['edge(, "b")', { kind: 'edge', source: undefined, destination: named('b'), block: undefined }],
    [
      'edge(id(name: "a", type: AWS::SQS::Queue, account.id: 012345678901), id)',
      {
        kind: 'edge',
        source: { name: 'a', type: 'AWS::SQS::Queue', accountId: '012345678901' },
        destination: named('id'),
        block: undefined,
      },
    ],
    [
      'edge("a", "b") { source.annotation.k = 1 }',
      { kind: 'edge', source: named('a'), destination: named('b'), block: annotation('k', '=', 1, 'source') },
    ],
    ['group.ARN != "arn:x"', { kind: 'group', by: 'arn', operator: '!=', value: 'arn:x' }],
    ['rootcause.fault.client_impacting = false', { kind: 'rootcause-impact', cause: 'fault', expected: false }],
    ['rootcause.error.json = # {"a": [1, null]}', { kind: 'rootcause-json', cause: 'error', operator: '=', pattern: { a: [1, null] } }],
    [
      'rootcause.responsetime.entity { coverage > 0.7 }',
      { kind: 'rootcause', cause: 'responsetime', part: 'entity', block: number('coverage', '>', 0.7) },
    ],
    // AND binds tighter than OR, `!` tighter than both; AND may be left out
    ['ok fault', { kind: 'and', operands: [flag('ok'), flag('fault')] }],
    ['ok AND fault and error', { kind: 'and', operands: [flag('ok'), flag('fault'), flag('error')] }],
    ['ok or fault error', { kind: 'or', operands: [flag('ok'), { kind: 'and', operands: [flag('fault'), flag('error')] }] }],
    ['(ok or fault) error', { kind: 'and', operands: [{ kind: 'or', operands: [flag('ok'), flag('fault')] }, flag('error')] }],
    ['!ok fault', { kind: 'and', operands: [{ kind: 'not', operand: flag('ok') }, flag('fault')] }],
    [
      'ok !partial duration <3',
      { kind: 'and', operands: [flag('ok'), { kind: 'not', operand: flag('partial') }, number('duration', '<', 3)] },
    ],
  ])('%s as it is meant', (expression, expected) => {
    expect(tree(expression)).toEqual(expected);
  });

  test('gives each node its place in the text', () => {
    const source = ' fault AND !( user = "x" ) ';
    const result = parseFilter(source);
    const spans: string[] = [];
    const collect = (node: FilterExpression): void => {
      spans.push(source.slice(node.span.start, node.span.end));
      if (node.kind === 'and') node.operands.forEach(collect);
      if (node.kind === 'not') collect(node.operand);
    };
    if (result.ok) collect(result.value);
    expect(spans).toEqual(['fault AND !( user = "x" )', 'fault', '!( user = "x" )', 'user = "x"']);
  });
});

describe('parseFilter() refuses', () => {
  test.each<[string, number, number, string]>([
    ['respnsetime > 5', 0, 11, '"respnsetime" at position 0 is not a keyword outside of blocks. Did you mean "responsetime"?'],
    ['ok AND statsu = 1', 7, 6, '"statsu" at position 7 is not a keyword outside of blocks. Did you mean "http.status"?'],
    ['status = 500', 0, 6, '"status" at position 0 is not a keyword outside of blocks. Did you mean "http.status"?'],
    ['not fault', 0, 3, '"not" at position 0 is not a keyword outside of blocks. Did you mean "!"?'],
    ['http.status = "200"', 14, 5, 'Expected a number, found "200" at position 14. Write numbers without quotes.'],
    ['duration > 500ms', 11, 5, 'Expected a number, found "500ms" at position 11. Write a plain number; times are in seconds.'],
    ['duration >', 10, 0, 'Expected a number, but the expression ends.'],
    ['duration 5', 9, 1, 'Expected one of = != < <= > >= after "duration", found "5" at position 9.'],
    ['http.status CONTAINS 2', 12, 8, 'Expected one of = != < <= > >= after "http.status", found "CONTAINS" at position 12.'],
    ['user > "a"', 5, 1, 'Expected one of = != CONTAINS BEGINSWITH ENDSWITH after "user", found ">" at position 5.'],
    ['ok > 1', 3, 1, 'Expected one of = != after "ok", found ">" at position 3.'],
    ['ok = 1', 5, 1, 'Expected true or false, found "1" at position 5.'],
    ['ok AND', 6, 0, 'Expected a keyword such as "fault" or "responsetime", "!" or "(", but the expression ends.'],
    ['ok AND OR fault', 7, 2, 'Expected a keyword such as "fault" or "responsetime", "!" or "(", found "OR" at position 7.'],
    ['(ok', 3, 0, 'Expected ")" to close the parenthesis, AND or OR, but the expression ends.'],
    ['ok)', 2, 1, 'Expected AND, OR or the end of the expression, found ")" at position 2.'],
    ['service("a") { fault', 20, 0, 'Expected "}" to close the block, AND or OR, but the expression ends.'],
    ['service("a") {}', 14, 1, 'Expected a keyword such as "fault" or "responsetime", "!" or "(", found "}" at position 14.'],
    ['service "a"', 8, 3, 'Expected "(" after "service", found "a" at position 8.'],
    ['service(id(nme: "a"))', 11, 3, 'Expected name:, type: or account.id:, found "nme" at position 11.'],
    ['service(id(name: "a", name: "b"))', 22, 4, '"name" is given twice, again at position 22.'],
    [
      'service("a") { index > 1 }',
      15,
      5,
      '"index" has no meaning in the block of service() (position 15); it belongs to rootcause.<cause>.service {…}, rootcause.<cause>.entity {…}, rootcause.<cause>.exception {…}.',
    ],
    [
      'name = "x"',
      0,
      4,
      '"name" has no meaning outside of blocks (position 0); it belongs to service() {…}, rootcause.<cause>.service {…}, rootcause.<cause>.entity {…}, rootcause.<cause>.exception {…}.',
    ],
    [
      'rootcause.fault.entity { coverage > 1 }',
      25,
      8,
      '"coverage" has no meaning in the block of rootcause.<cause>.entity (position 25); it belongs to rootcause.responsetime.entity.',
    ],
    [
      'edge("a","b") { service("c") }',
      16,
      7,
      '"service" cannot stand in the block of edge() (position 16): close the block first and join the two by AND.',
    ],
    [
      'source.annotation.k',
      0,
      19,
      '"source.annotation.k" has no meaning outside of blocks (position 0); it belongs to the block of edge().',
    ],
    ['annotation = 5', 11, 1, 'Expected the annotation\'s key: annotation.key or annotation["key"], found "=" at position 11.'],
    ['annotation.a > "b"', 15, 3, 'Expected a number, found "b" at position 15. Write numbers without quotes.'],
    [
      'rootcause.foult.service { first }',
      0,
      23,
      '"rootcause.foult.service" at position 0 is no root cause: write rootcause.json or rootcause.fault.service {…}. Did you mean "rootcause.fault.service"?',
    ],
    ['rootcause.fault.service', 23, 0, 'Expected "{" after "rootcause.fault.service", but the expression ends.'],
    ['rootcause.json = "x"', 17, 3, 'Expected JSON after "#", such as #[{"Services": […]}], found "x" at position 17.'],
    ['rootcause.json = #[{"a": }]', 25, 1, 'Expected a JSON value in the JSON after "#", at position 25.'],
    ['rootcause.json = #[', 19, 0, 'Expected a JSON value in the JSON after "#", at the end of the expression.'],
    ['user = "abc', 7, 4, 'The text that begins at position 7 has no closing quote.'],
    ['user == "a"', 5, 2, 'Write "=", not ==, at position 5.'],
    ['ok && fault', 3, 2, 'Write "AND", not &&, at position 3.'],
    ["user = 'a'", 7, 1, "Write double quotes around text, not ', at position 7."],
    ['ok ; fault', 3, 1, 'Unexpected ";", at position 3.'],
    ['duration > 1e999', 11, 5, 'The number 1e999 is too large, at position 11.'],
    ['1-58406520-a006649127e371903a2de979', 0, 35, 'This is a trace id, not a condition. Open the trace by its id instead.'],
  ])('%s', (expression, position, length, message) => {
    expect(failure(expression)).toMatchObject({ position, length, message });
  });

  test('more characters than the limit, and reads as many', () => {
    const longest = `user = "${'x'.repeat(MAX_FILTER_LENGTH - 9)}"`;
    expect(parseFilter(longest).ok).toBe(true);
    expect(failure(`${longest} `)).toMatchObject({ position: MAX_FILTER_LENGTH, length: 1 });
  });

  test.each([
    ['(', 'ok', ')'],
    ['!', 'ok', ''],
    ['service(){', 'ok', '}'],
    ['rootcause.json = #', '', ''],
  ])('more than 128 levels of %s', (open, middle, close) => {
    if (open === 'service(){') return expect(failure(`${open.repeat(2)}${middle}${close.repeat(2)}`).position).toBe(10);
    if (open.endsWith('#')) {
      expect(parseFilter(`${open}${'['.repeat(128)}${']'.repeat(128)}`).ok).toBe(true);
      return expect(failure(`${open}${'['.repeat(129)}${']'.repeat(129)}`).position).toBe(open.length + 128);
    }
    expect(parseFilter(open.repeat(128) + middle + close.repeat(128)).ok).toBe(true);
    return expect(failure(open.repeat(129) + middle + close.repeat(129))).toMatchObject({ position: 128, length: 1 });
  });

  test('with what could have stood there', () => {
    expect(failure('ok falt').expected).toEqual(['fault']);
    expect(failure('duration ~').expected).toEqual(['a keyword', 'an operator', 'a value']);
    expect(failure('ok AND').expected).toEqual(expect.arrayContaining(['responsetime', 'service', 'annotation', '!', '(']));
  });
});

/** Whatever the text: an answer, and a fault that lies inside of it. */
function checkAnyText(source: string): void {
  const result = parseFilter(source);
  if (result.ok) return;
  const { position, length, message } = result.error;
  expect(message).not.toBe('');
  expect(position).toBeGreaterThanOrEqual(0);
  expect(length).toBeGreaterThanOrEqual(0);
  expect(position + length).toBeLessThanOrEqual(source.length);
}

describe('parseFilter() never throws', () => {
  test('on random text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), checkAnyText), { numRuns: 10_000 });
  });

  test('on random sequences of tokens', () => {
    fc.assert(fc.property(tokenSoup, checkAnyText), { numRuns: 10_000 });
  });

  test('on expressions with one character changed', () => {
    const changed = fc.tuple(expressionText, fc.nat(), fc.string({ unit: 'binary', maxLength: 1 }));
    fc.assert(
      fc.property(changed, ([source, at, character]) => {
        const index = at % (source.length + 1);
        checkAnyText(source.slice(0, index) + character + source.slice(index + 1));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each(['(', '!', '{', '"', '\\', 'a', '1', '.', '::', '#[', '#{"a":', '"\\', 'ok ', '<', '$-', 'service(', 'annotation[', '#"'])(
    'on a long run of %s, and takes linear time',
    (piece) => {
      for (const start of ['', 'user = "', 'rootcause.json = #[', 'ok ']) {
        const source = start + piece.repeat(MAX_FILTER_LENGTH).slice(0, MAX_FILTER_LENGTH - start.length);
        const began = performance.now();
        checkAnyText(source);
        // Linear takes a millisecond; quadratic on 4,096 characters would take far more than this.
        expect(performance.now() - began).toBeLessThan(200);
      }
    },
  );
});
