import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RegexProgram } from '../ir/program.ts';
import { compileRegex, runRegex } from './index.ts';

function compile(source: string, flags = '', captures = 0): RegexProgram {
  const compiled = compileRegex(source, flags, captures);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.error.message}`);
  return compiled.value;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The groups' texts; undefined when nothing matches. */
function groups(source: string, flags: string, count: number, subject: string): readonly (string | undefined)[] | undefined {
  const bytes = bytesOf(subject);
  const found = runRegex(compile(source, flags, count), bytes);
  if (found === undefined) return undefined;
  const text = (index: number): string => new TextDecoder().decode(bytes.subarray(found[2 * index], found[2 * index + 1]));
  return Array.from({ length: count }, (_, index) => (found[2 * index + 1] === -1 ? undefined : text(index)));
}

function matches(source: string, flags: string, subject: string | Uint8Array): boolean {
  const bytes = typeof subject === 'string' ? bytesOf(subject) : subject;
  const plain = runRegex(compile(source, flags), bytes) !== undefined;
  expect(runRegex(compile(source, flags, 1), bytes) !== undefined, 'both automata agree').toBe(plain);
  return plain;
}

function errorOf(source: string, flags = '', captures = 0): string {
  const compiled = compileRegex(source, flags, captures);
  return compiled.ok ? 'compiled' : `${compiled.error.start}-${compiled.error.end} ${compiled.error.message}`;
}

describe('runRegex()', () => {
  test.each([
    ['abc', '', 'xxabcxx', true],
    ['^abc', '', 'xabc', false],
    ['^abc$', '', 'abc', true],
    ['abc$', '', 'abc\n', false],
    ['^b', '', 'a\nb', false],
    ['^b$', 'm', 'a\nb\nc', true],
    ['\\Ab', 'm', 'a\nb', false],
    ['a\\z', 'm', 'a\nb', false],
    ['\\bfoo\\b', '', 'a foo.', true],
    ['\\bfoo\\b', '', 'afoo', false],
    ['foo\\b', '', 'foo', true],
    ['\\Bfoo', '', 'afoo', true],
    ['a.b', '', 'a\nb', false],
    ['a.b', 's', 'a\nb', true],
    ['HELLO', 'i', 'hello', true],
    ['[^A-Z]', 'i', 'qQ', false],
    ['ÄÖ', 'i', 'äö', true],
    ['a b # comment\n c', 'x', 'abc', true],
    ['[ ]', 'x', ' ', true],
    ['^[[:alpha:]_]+[[:^digit:]]$', '', 'ab_c!', true],
    ['^\\h+$', '', ' \t', true],
    ['^a{2,3}$', '', 'aaaa', false],
    ['^a{2,}$', '', 'aaaa', true],
    ['^a{2}$', '', 'aa', true],
    ['a{,2}', '', 'a{,2}', true],
    ['[]x]', '', ']', true],
    ['[a\\-z]', '', '-', true],
    ['[a-]', '', '-', true],
    ['\\/\\.\\x41\\u0042\\x{43}', '', '/.ABC', true],
    ['^.$', '', 'é', true],
    ['^..$', '', 'é', false],
    ['^[à-ü€😀]+$', '', 'é€😀', true],
    ['^[^x]$', '', '€', true],
    ['^[^€]$', '', '€', false],
    ['^\\W$', '', 'é', true],
    ['', '', '', true],
    ['a|', '', 'b', true],
  ])('%j with "%s" on %j gives %j', (source, flags, subject, expected) => {
    expect(matches(source, flags, subject)).toBe(expected);
  });

  test('bytes above 127 match by their number', () => {
    expect(matches('^\\xff[\\x80-\\xfe]$', '', Uint8Array.of(0xff, 0x90))).toBe(true);
    expect(matches('^[^\\x80]$', '', Uint8Array.of(0x81))).toBe(true);
    expect(matches('^.$', '', Uint8Array.of(0x81))).toBe(false);
    expect(matches('a\\x00b', '', Uint8Array.of(97, 0, 98))).toBe(true);
  });

  test.each([
    ['(a+)(b+)', 3, 'xaabbb', ['aabbb', 'aa', 'bbb']],
    ['(a|ab)(c|bcd)(d*)', 4, 'abcd', ['abcd', 'a', 'bcd', '']],
    ['a+?', 1, 'aaa', ['a']],
    ['<(.*?)>', 2, '<a><b>', ['<a>', 'a']],
    ['<(.*)>', 2, '<a><b>', ['<a><b>', 'a><b']],
    ['(a)|(b)', 3, 'b', ['b', undefined, 'b']],
    ['(?:(a)|b)*', 2, 'ab', ['ab', 'a']],
    ['(?:(\\w+)=(\\d+);?)+', 3, 'x=1;yy=22;', ['x=1;yy=22;', 'yy', '22']],
    ['(\\d+)\\.(\\d+)$', 3, 'v1.2 10.33', ['10.33', '10', '33']],
    ['^(GET|POST) ([^ ?]*)', 3, 'GET /a/b?c=1 HTTP/1.1', ['GET /a/b', 'GET', '/a/b']],
    ['()', 2, 'x', ['', '']],
    ['\\b(\\w+)\\b$', 2, 'one two', ['two', 'two']],
  ])('%j finds the groups (%d) of %j', (source, count, subject, expected) => {
    expect(groups(source, '', count, subject)).toEqual(expected);
  });

  test('reads only the groups that are asked for', () => {
    expect(groups('(a)(b)(c)', '', 2, 'abc')).toEqual(['abc', 'a']);
    expect(compile('(a)(b)(c)', '', 2).capturing?.registers).toBeLessThanOrEqual(6);
  });
});

describe('compileRegex()', () => {
  test('gives the minimal automaton', () => {
    // Dead, start, after a, after ab, accepting.
    expect(compile('abc').states).toBe(5);
    expect(compile('(?:a|b|c)(?:x|y)').states).toBe(compile('[abc][xy]').states);
    expect(compile('^a').states).toBe(3);
    const never = compile('[^\\x00-\\x{10ffff}]');
    expect([never.states, never.accepting[1]]).toEqual([2, 0]);
  });

  test.each([
    ['(a', '0-1 this group is not closed'],
    ['a)', '1-2 ")" closes nothing'],
    ['[a', '0-1 this class is not closed'],
    ['*a', '0-1 "*" has nothing to repeat'],
    ['a**', '2-3 a quantifier after a quantifier'],
    ['a*+', '2-3 there are no possessive quantifiers'],
    ['(a)\\1', '3-5 there are no back-references'],
    ['(?=a)', '0-3 there is no look-around'],
    ['(?<!a)b', '0-3 there is no look-around'],
    ['(?<n>a)', '0-3 groups have no names'],
    ['(?>a)', '0-3 there are no atomic groups'],
    ['a{3,2}', '0-6 {3,2} is upside down'],
    ['a{2000}', '0-7 more than 1000 repetitions'],
    ['[z-a]', '1-4 this range is upside down'],
    ['[[:foo:]]', '1-8 there is no class [:foo:]'],
    ['\\q', '0-2 "\\q" means nothing'],
    ['a\\', '1-2 a backslash at the end'],
    ['[\\xff€]', '0-7 this class mixes bytes (\\x80 to \\xff) and characters'],
    ['a{900}{900}', '6-11 a quantifier after a quantifier'],
    ['(?:a{900}){900}', '0-15 this repetition makes 900 copies: the regular expression needs more than 20000 nodes'],
    ['a.{200}b', '1-7 this repetition makes 200 copies: the regular expression needs more than 4096 states'],
  ])('refuses %j', (source, expected) => {
    expect(errorOf(source)).toBe(expected);
  });

  test('refuses deep nesting', () => {
    expect(errorOf('(?:'.repeat(3000))).toBe('600-601 groups are nested more than 200 deep');
  });

  test('refuses flags and groups that are not there', () => {
    expect(errorOf('a', 'g')).toBe('1-1 there is no flag "g"');
    expect(errorOf('(a)', '', 3)).toBe('0-3 there is no group $2: the pattern has 1');
  });

  test('hints say the way out', () => {
    const compiled = compileRegex('(?=a)', '', 0);
    expect(compiled.ok ? '' : compiled.error.hint).toContain('two patterns');
  });
});

interface Piece {
  readonly text: string;
  readonly nullable: boolean;
  readonly groups: number;
}

const LITERALS = ['a', 'b', '_', ' ', '1', '\\n', '\\d', '\\w', '\\W', '\\s', '.', '[ab]', '[^a]', '[a-c1]', '\\S', '\\.'];
const PLACES = ['^', '$', '\\b', '\\B'];

/**
 * Patterns that mean the same to JavaScript. Left out: groups inside of loops, which JavaScript resets and Perl does not, and
 * repetitions of what may be empty, where JavaScript refuses an empty round.
 */
const pieces = fc.letrec<{ piece: Piece }>((tie) => ({
  piece: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(...LITERALS).map((text) => ({ text, nullable: false, groups: 0 })),
    fc.constantFrom(...PLACES).map((text) => ({ text: `(?:${text})`, nullable: true, groups: 0 })),
    fc
      .tuple(tie('piece'), tie('piece'))
      .map(([a, b]) => ({ text: a.text + b.text, nullable: a.nullable && b.nullable, groups: a.groups + b.groups })),
    fc.tuple(tie('piece'), tie('piece')).map(([a, b]) => ({
      text: `(?:${a.text}|${b.text})`,
      nullable: a.nullable || b.nullable,
      groups: a.groups + b.groups,
    })),
    tie('piece').map((one) => ({ text: `(${one.text})`, nullable: one.nullable, groups: one.groups + 1 })),
    fc.tuple(tie('piece'), fc.constantFrom('*', '+', '*?', '+?', '?', '??', '{2}', '{1,3}', '{0,2}?', '{2,}')).map(([one, quantifier]) => {
      if (one.nullable || (one.groups > 0 && !quantifier.startsWith('?'))) return one;
      return { text: `(?:${one.text})${quantifier}`, nullable: /^[*?]|\{0/.test(quantifier), groups: one.groups };
    }),
  ),
})).piece;

const subjects = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'A', '_', ' ', '1', '\n', '.'), maxLength: 12 });
const flagSets = fc.subarray(['i', 's', 'm']).map((flags) => flags.join(''));

describe('compared with JavaScript', () => {
  test('finds the same match and the same groups', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(pieces, flagSets, fc.array(subjects, { minLength: 5, maxLength: 12 }), (piece, flags, texts) => {
        const reference = new RegExp(piece.text, `d${flags}`);
        const plain = compileRegex(piece.text, flags, 0);
        const tagged = compileRegex(piece.text, flags, piece.groups + 1);
        // A bound may be passed by what is generated; the errors have tests of their own.
        fc.pre(plain.ok && tagged.ok);
        for (const text of texts) {
          const expected = reference.exec(text);
          expect(runRegex(plain.value, bytesOf(text)) !== undefined).toBe(expected !== null);
          const found = runRegex(tagged.value, bytesOf(text));
          const wanted = expected?.indices?.flatMap((pair) => pair ?? [-1, -1]);
          expect(found === undefined ? undefined : [...found], `${piece.text} on ${JSON.stringify(text)}`).toEqual(wanted);
        }
      }),
      { numRuns: 1500 },
    );
  });

  test('never fails on what is no pattern', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'ab()[]{}|*+?^$\\.-:,<=!123xn\u00e9\u{1F600}'), maxLength: 24 }),
        flagSets,
        (text, flags) => {
          const compiled = compileRegex(text, flags, 0);
          if (compiled.ok) runRegex(compiled.value, bytesOf('ab1\u00e9'));
          else expect(compiled.error.message).not.toBe('');
        },
      ),
      { numRuns: 2000 },
    );
  });
});
