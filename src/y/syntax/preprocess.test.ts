import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { CType } from '../../ctypes/index.ts';
import type { Knowledge } from '../knowledge.ts';
import { includeFrom, preprocess, type Preprocessed } from './preprocess.ts';

const INT: CType = { kind: 'integer', name: 'int', size: 4, signed: true, role: 'number' };
const INNER: CType = {
  kind: 'record',
  form: 'struct',
  name: undefined,
  size: 4,
  declaration: false,
  members: [{ name: 'deep', type: INT, offset: 0, bits: undefined, base: false }],
};
const REQUEST: CType = {
  kind: 'record',
  form: 'struct',
  name: 'request',
  size: 8,
  declaration: false,
  members: [
    { name: 'uri', type: INT, offset: 0, bits: undefined, base: false },
    { name: 'inner', type: INNER, offset: 4, bits: undefined, base: false },
    { name: undefined, type: INNER, offset: 4, bits: undefined, base: false },
  ],
};

/** A target with one of each. */
const TARGET: Knowledge = {
  architecture: 'x86-64',
  findType: (name, tag, space) => {
    if (name === 'request' && (tag === 'any' || tag === 'struct') && space === 'user') return REQUEST;
    if (name === 'request_t' && tag === 'any' && space === 'user') return { kind: 'named', form: 'typedef', name, target: REQUEST };
    if (name === 'std::vector<int>') return INT;
    return name === 'task_struct' && space === 'kernel' ? INT : undefined;
  },
  findVariables: (name) => (name === 'count' ? [{ name, module: '/x', type: INT, address: 1n, threadOffset: undefined }] : []),
  findEnumerator: (name) => (name === 'RED' ? { value: 1n, type: INT } : undefined),
  findFunctions: (pattern, scope) =>
    pattern === 'run' && (scope === undefined || scope === 'liba*')
      ? [{ module: '/x', address: 1n, fileOffset: 1, name: 'run', type: undefined, size: 1, code: new Uint8Array() }]
      : [],
  findLine: () => [],
  findUsdt: () => [],
  hasModule: (glob) => glob === 'libssl.so*',
  findKernelFunction: () => undefined,
  findTracepoint: () => undefined,
  findSyscalls: () => [],
  findLiteral: () => undefined,
  similar: () => [],
};

function run(text: string, files: Readonly<Record<string, string>> = {}): Preprocessed {
  const include = includeFrom((path) => (Object.hasOwn(files, path) ? files[path] : undefined), ['lib']);
  return preprocess({ file: 'dir/main.y', text, include, knowledge: TARGET, defines: new Map([['GIVEN', '7']]) });
}

/** The tokens' texts, blanks between them. */
function texts(source: Preprocessed): string {
  return source.tokens
    .slice(0, -1)
    .map((token) => token.text)
    .join(' ');
}

function expand(text: string): string {
  const source = run(text);
  expect(source.diagnostics).toEqual([]);
  return texts(source);
}

function faults(text: string, files?: Readonly<Record<string, string>>): readonly string[] {
  return run(text, files).diagnostics.map((one) => `${one.span?.line}:${one.span?.column} ${one.code}`);
}

describe('macros', () => {
  test.each([
    ['an object-like one', '#define A 1 + B\n#define B 2\nA', '1 + 2'],
    ['one that names itself', '#define A A + B\n#define B A\nA', 'A + A'],
    [
      'a function-like one',
      '#define MAX(a, b) ((a) > (b) ? (a) : (b))\nMAX(x + 1, f(y, z))',
      '( ( x + 1 ) > ( f ( y , z ) ) ? ( x + 1 ) : ( f ( y , z ) ) )',
    ],
    ['its name alone', '#define F(x) x\nF + F(1) F\n(2)', 'F + 1 2'],
    ['no parameters', '#define F() 1\nF() F( )', '1 1'],
    ['a text that is made a string', '#define S(x) #x\nS(a  +  "b\\n" \'"\')', '"a + \\"b\\\\n\\" \'\\"\'"'],
    ['a pasted name', '#define P(a, b) a ## b\nP(x, y) P(, z) P(w, ) P(,) P(1, 2)', 'xy z w 12'],
    ['three pasted', '#define P(a, b, c) a##b##c\nP(x,,z) P(x,y,z)', 'xz xyz'],
    ['arguments expanded but not when pasted', '#define A 1\n#define P(x) x x##x #x\nP(A)', '1 AA "A"'],
    ['any number of arguments', '#define P(f, ...) printf(f, __VA_ARGS__)\nP("a", 1, 2)', 'printf ( "a" , 1 , 2 )'],
    ['none of them', '#define P(f, ...) printf(f, ##__VA_ARGS__)\nP("a") P("a", 1)', 'printf ( "a" ) printf ( "a" , 1 )'],
    ['named ones', '#define P(args...) f(args)\nP(1, 2) P()', 'f ( 1 , 2 ) f ( )'],
    ['several lines', '#define A 1 \\\n 2\nA', '1 2'],
    ['arguments on several lines', '#define F(x) <x>\nF(1\n+\n2)', '< 1 + 2 >'],
    [
      'C11 6.10.3.5, example 3',
      '#define x 3\n#define f(a) f(x * (a))\n#undef x\n#define x 2\n#define g f\n#define z z[0]\n#define h g(~\n#define m(a) a(w)\n#define w 0,1\n#define t(a) a\nf(y+1) + f(f(z)) % t(t(g)(0) + t)(1);\ng(x+(3,4)-w) | h 5) & m(f)^m(m);',
      'f ( 2 * ( y + 1 ) ) + f ( 2 * ( f ( 2 * ( z [ 0 ] ) ) ) ) % f ( 2 * ( 0 ) ) + t ( 1 ) ; f ( 2 * ( 2 + ( 3 , 4 ) - 0 , 1 ) ) | f ( 2 * ( ~ 5 ) ) & f ( 2 * ( 0 , 1 ) ) ^ m ( 0 , 1 ) ;',
    ],
    ['the command line', 'GIVEN', '7'],
    ['the place', '__LINE__\n__LINE__ __FILE__', '1 2 "dir/main.y"'],
    ['regular expressions and comments in bodies', '#define R rx/a#b/i // no\nR', 'rx/a#b/i'],
  ])('expand %s', (_, text, expected) => {
    expect(expand(text)).toBe(expected);
  });

  it('blame their use, and tell where the text came from', () => {
    const { tokens } = run('#define B 1 2\n#define A B 3\n  A x');
    expect(
      tokens.map(({ text, span }) => [text, span.line, span.column, span.macro?.name, span.macro?.span.line, span.macro?.span.column]),
    ).toEqual([
      ['1', 3, 3, 'B', 1, 11],
      ['2', 3, 3, 'B', 1, 13],
      ['3', 3, 3, 'A', 2, 13],
      ['x', 3, 5, undefined, undefined, undefined],
      ['', 3, 6, undefined, undefined, undefined],
    ]);
  });

  test.each([
    ['too few arguments', '#define F(a, b) a\nF(1)', ['2:1 macro-arguments']],
    ['open arguments', '#define F(a) a\nF(1', ['2:1 open-arguments']],
    ['a bad paste', '#define F(a) a ## +\nF(b)', ['2:1 bad-paste']],
    ['a paste of nothing', '#define F ## a', ['1:11 bad-directive']],
    [
      'bad parameters',
      '#define F(a, 1) a\n#define G(a b) a\n#define H(..., a) a\n#define I(a',
      Array.from({ length: 4 }, (_, at) => `${at + 1}:9 bad-directive`),
    ],
    ['another definition', '#define A 1\n#define A 2\n#define A 2', ['2:9 redefined-macro']],
    ['no name', '#define 1\n#define defined\n#undef', ['1:9 bad-directive', '2:9 bad-directive', '3:1 bad-directive']],
  ])('complain of %s', (_, text, expected) => {
    expect(faults(text)).toEqual(expected);
  });

  it('stop growing', { timeout: 30_000 }, () => {
    const lines = ['#define M0 x', ...Array.from({ length: 40 }, (_, at) => `#define M${at + 1} M${at} M${at}`), 'M40'];
    expect(faults(lines.join('\n'))).toEqual(['42:1 macro-too-large']);
    const deep = `#define F(x) x\n${'F('.repeat(5000)}1${')'.repeat(5000)}`;
    expect(faults(deep)).toEqual(['2:403 macro-too-large']);
  });
});

describe('conditions', () => {
  test.each([
    ['1 + 2 * 3 == 7 && !0', true],
    ['defined A && !defined(B)', true],
    ['defined A ? A == 5 : 0', true],
    ['UNKNOWN', false],
    ['0 && 1 / 0', false],
    ['1 || 1 / 0', true],
    ['(1 ? 2 : 1 / 0) == 2', true],
    ["'a' == 97 && 0x10 == 16 && 010 == 8", true],
    ['-1 < 0 && ~0 == -1', true],
    ['1 << 3 | 1 ^ 1 & 3', true],
    ['TWO(3) == 6', true],
    ['7 % 4 - 3 >> 1 != 0', false],
  ])('#if %s is %j', (condition, expected) => {
    expect(expand(`#define A 5\n#define TWO(x) (2 * (x))\n#if ${condition}\nyes\n#else\nno\n#endif`)).toBe(expected ? 'yes' : 'no');
  });

  test.each([
    ['#ifdef A\na\n#elif 1\nb\n#else\nc\n#endif', 'b'],
    ['#ifndef A\na\n#elif 1\nb\n#endif\nd', 'a d'],
    ['#if 0\n#if 1\na\n#else\nb\n#endif\ndon\'t " #bogus @\n#bogus\n#error no\n#elif 0\nc\n#endif\nd', 'd'],
    ['#if 1\n#if 0\n#elif 1\na\n#else\nb\n#endif\n#else\nc\n#endif', 'a'],
    ['#if 1\na\n#elif 1 / 0\nb\n#endif', 'a'],
    ['#\n# if 1 // x\na\n# endif', 'a'],
  ])('%j gives %j', (text, expected) => {
    expect(expand(text)).toBe(expected);
  });

  test.each([
    ['ifdeftype request', true],
    ['ifdeftype struct request', true],
    ['ifdeftype union request', false],
    ['ifdeftype `std::vector<int>`', true],
    ['ifdeftype task_struct', true],
    ['ifndeftype request', false],
    ['ifdeffield request_t uri', true],
    ['ifdeffield struct request inner.deep', true],
    ['ifdeffield request deep', true],
    ['ifdeffield request nothing', false],
    ['ifndeffield request nothing', true],
    ['ifdeffunc run', true],
    ['ifdeffunc "liba*"::run', true],
    ['ifdeffunc "libb*"::run', false],
    ['ifndeffunc walk', true],
    ['ifdefvar count', true],
    ['ifdefvar counts', false],
    ['ifdefenum RED', true],
    ['ifndefenum RED', false],
    ['ifdefmodule "libssl.so*"', true],
    ['ifndefmodule "libssl.so*"', false],
  ])('##%s is %j of the target', (directive, expected) => {
    expect(expand(`##${directive}\nyes\n##else\nno\n##endif`)).toBe(expected ? 'yes' : 'no');
    expect(expand(`##ifdeffunc none\nfirst\n##el${directive}\nyes\n##else\nno\n##endif`)).toBe(expected ? 'yes' : 'no');
  });

  test.each([
    ['no end', '#if 1\n##ifdeftype x', ['1:1 open-condition', '2:1 open-condition']],
    ['no beginning', '#endif\n##else\n#elif 1', ['1:1 stray-directive', '2:1 stray-directive', '3:1 stray-directive']],
    ['two elses', '#if 1\n#else\n#else\n#elif 1\n#endif', ['3:1 bad-directive', '4:1 bad-directive']],
    ['a mixture', '##ifdeftype x\n#else\n#endif\n#if 1\n##endif', ['2:1 mixed-directives', '3:1 mixed-directives', '5:1 mixed-directives']],
    [
      'bad conditions',
      '#if 1 +\n#elif (1\n#elif 1 2\n#elif "a"\n#elif 1 / 0\n#elif 1.5\n#endif',
      ['1:7 bad-condition', '2:7 bad-condition', '3:9 bad-condition', '4:7 bad-condition', '5:9 bad-condition', '6:7 bad-condition'],
    ],
    [
      'unknown directives',
      '#inclde "x"\n##ifdeftyp x\n##endif\n##define A\n#ifdeftype x',
      ['1:1 unknown-directive', '2:1 unknown-directive', '4:1 unknown-directive', '5:1 unknown-directive'],
    ],
    [
      'bad target directives',
      '##ifdeftype\n##elifdeffield a\n##elifdefmodule a\n##elifdeffunc 1\n##elifdefvar a b\n##endif',
      ['1:1 bad-directive', '2:1 bad-directive', '3:1 bad-directive', '4:1 bad-directive', '5:1 bad-directive'],
    ],
    ['#error and #warning', '#error not  "here"\n#warning w\n#pragma p', ['1:1 hash-error', '2:1 hash-warning', '3:1 unknown-pragma']],
  ])('complain of %s', (_, text, expected) => {
    expect(faults(text)).toEqual(expected);
  });

  it('say what the way out is', () => {
    const [unknown] = run('#inclde "x"').diagnostics;
    expect(unknown?.hint).toBe('did you mean "include"?');
    const [mixed] = run('##ifdeftype x\n#endif').diagnostics;
    expect([mixed?.message, mixed?.hint]).toEqual([
      '#endif cannot go with ##ifdeftype: directives with # and with ## are never mixed',
      'write ##endif',
    ]);
    expect(run('#error not  "here"').diagnostics[0]?.message).toBe('not  "here"');
    expect(run('#ifdeftype x').diagnostics[0]?.hint).toBe('write ##ifdeftype');
  });
});

describe('#include', () => {
  it('looks beside the file, then in the library', () => {
    const files = { 'dir/sub/a.y': '#include "b.y"\na', 'dir/sub/b.y': 'b', 'lib/c.y': 'c', 'lib/sub/a.y': 'wrong' };
    const source = run('#include "sub/a.y"\n#define C "c.y"\n#include C\nd', files);
    expect(texts(source)).toBe('b a c d');
    expect([...source.sources.keys()]).toEqual(['dir/main.y', 'dir/sub/a.y', 'dir/sub/b.y', 'lib/c.y']);
  });

  it('reads a file with #pragma once one time', () => {
    expect(texts(run('#include "a.y"\n#include "./a.y"', { 'dir/a.y': '#pragma once\na' }))).toBe('a');
    expect(texts(run('#include "a.y"\n#include "a.y"', { 'dir/a.y': 'a' }))).toBe('a a');
  });

  it('bounds the depth', () => {
    expect(faults('#include "a.y"', { 'dir/a.y': '#include "a.y"\n' })).toEqual(['1:10 include-depth']);
    const twice = run('#include "a.y"', { 'dir/a.y': '#include "a.y"\n#include "a.y"\n' });
    expect(twice.sources.size).toBe(2);
    expect(new Set(twice.diagnostics.map((one) => one.code))).toEqual(new Set(['include-depth', 'too-many']));
  });

  test.each([
    ['#include "none.y"', ['1:10 include-not-found']],
    ['#include <stdio.h>', ['1:10 bad-directive']],
    ['#include', ['1:1 bad-directive']],
    ['#include "a.y" b', ['1:16 extra-tokens']],
  ])('%s gives %j', (text, expected) => {
    expect(faults(text, { 'dir/a.y': '' })).toEqual(expected);
  });
});

describe('robustness of preprocess()', () => {
  const words =
    'A F ( ) , ... # ## a 1 "s" defined __VA_ARGS__ \n#define \n#define_A \n#undef \n#if \n#ifdef \n#elif \n#else \n#endif \n#include "a.y" \n##ifdefvar \n##else \\\n'
      .split(' ')
      .map((word) => word.replace('_A', ' A').replace('#define ', '#define F(A,...) '));

  it('survives random directives', { timeout: 30_000 }, () => {
    const files = { 'dir/a.y': 'A F(A)\n#define A F(A\n', 'dir/b.y': '#if' };
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 40 }), (list) => {
        const source = run(list.join(' '), files);
        expect(source.tokens.at(-1)?.kind).toBe('end');
      }),
      { numRuns: 2000 },
    );
  });
});
