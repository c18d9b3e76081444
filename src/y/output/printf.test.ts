import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { requireOrSkip } from '../../../test/support/require-or-skip.ts';
import type { FormatPiece } from '../ir/program.ts';
import { formatText, type PrintValue } from './printf.ts';

type Conversion = Exclude<FormatPiece, { readonly text: string }>;

interface Case {
  readonly piece: Conversion;
  /** As a C expression's text. */
  readonly argument: string;
  readonly value: PrintValue;
}

const LENGTHS = { 1: 'hh', 2: 'h', 4: '', 8: 'l' } as const;
const FLAGS = ['', '-', '+', ' ', '0', '#', '-#', '+0', ' 0', '#0', '+-'];
const WIDTHS = [undefined, 1, 12];

describe('formatText()', () => {
  test('writes what glibc writes', (context) => {
    requireOrSkip(context, hasCompiler(), 'no gcc; install it: apt-get install gcc');
    const cases = [...integerCases(), ...floatCases(), ...textCases()];
    expect(cases.length).toBeGreaterThan(2000);
    const expected = runC(cases);
    expect(expected.length).toBe(cases.length);
    const wrong = cases.flatMap((item, index) => {
      const got = formatText({ pieces: [item.piece] }, [item.value]);
      return got === expected[index] ? [] : [`${spell(item.piece)} of ${item.argument}: '${got}', C says '${expected[index]}'`];
    });
    expect(wrong).toEqual([]);
  });

  test.each<[string, Partial<Conversion>, PrintValue, string]>([
    ['an enumerator by name', { verb: 'e', width: 8 }, { kind: 'string', text: 'RED' }, '     RED'],
    ['an enumerator without a name as a number', { verb: 'e' }, { kind: 'integer', value: 7n }, '7'],
    ['a double asked for as an integer', { verb: 'd' }, { kind: 'float', value: 2.5 }, '2.5'],
    ['an integer asked for as a double', { verb: 'f', precision: 1 }, { kind: 'integer', value: -3n }, '-3.0'],
    ['zeros that were asked for', { verb: 'g', alternate: true }, { kind: 'float', value: 999999.5 }, '1.00000e+06'],
    ['an integer asked for as text', { verb: 's' }, { kind: 'integer', value: 42n }, '42'],
    ['bytes as hexadecimal', { verb: 's', encoding: 'hex', width: 8 }, { kind: 'text', bytes: Uint8Array.of(0, 0xab, 0x10) }, '  00ab10'],
    ['a text as JSON', { verb: 's', encoding: 'json' }, { kind: 'text', bytes: Buffer.from('a"\n\x1bé') }, '"a\\"\\n\\u001bé"'],
    ['bad bytes as JSON', { verb: 's', encoding: 'json' }, { kind: 'text', bytes: Uint8Array.of(0x61, 0xff) }, '"a\\\\xff"'],
    ['bytes that are not UTF-8', { verb: 's' }, { kind: 'text', bytes: Uint8Array.of(0x61, 0xff, 0xc3, 0xa9) }, 'a\\xffé'],
    ['half of a character', { verb: 's', precision: 1 }, { kind: 'text', bytes: Buffer.from('é') }, '\\xc3'],
    ['what would move the cursor', { verb: 's' }, { kind: 'text', bytes: Buffer.from('\x1b[2J\0\tx\n') }, '\\x1b[2J\\x00\tx\n'],
    ['a byte that is no character', { verb: 'c' }, { kind: 'integer', value: 0x1ffn }, '\\xff'],
  ])('shows %s', (_name, piece, value, expected) => {
    expect(formatText({ pieces: [{ ...plain('d'), ...piece }] }, [value])).toBe(expected);
  });

  test('joins texts and conversions', () => {
    const pieces: FormatPiece[] = [{ text: 'n=' }, plain('d'), { text: ' s=' }, plain('s'), { text: '\n' }];
    const values: PrintValue[] = [
      { kind: 'integer', value: -1n },
      { kind: 'text', bytes: Buffer.from('ok') },
    ];
    expect(formatText({ pieces }, values)).toBe('n=-1 s=ok\n');
  });

  test('refuses a missing value as our bug', () => {
    expect(() => formatText({ pieces: [plain('d')] }, [])).toThrow('Bug: a format has more conversions');
  });
});

function plain(verb: Conversion['verb']): Conversion {
  return {
    verb,
    size: 8,
    minus: false,
    plus: false,
    space: false,
    zero: false,
    alternate: false,
    width: undefined,
    precision: undefined,
  };
}

function withFlags(verb: Conversion['verb'], flags: string, rest: Partial<Conversion>): Conversion {
  return {
    ...plain(verb),
    minus: flags.includes('-'),
    plus: flags.includes('+'),
    space: flags.includes(' '),
    zero: flags.includes('0'),
    alternate: flags.includes('#'),
    ...rest,
  };
}

function* shapes(verb: Conversion['verb'], precisions: readonly (number | undefined)[]): Generator<Conversion> {
  for (const flags of FLAGS) {
    for (const width of WIDTHS) {
      for (const precision of precisions) yield withFlags(verb, flags, { width, precision });
    }
  }
}

function* integerCases(): Generator<Case> {
  for (const verb of ['d', 'u', 'x', 'X', 'o', 'p'] as const) {
    for (const shape of shapes(verb, [undefined, 0, 5])) {
      for (const value of [0n, 1n, -1n, 255n, 0x8000_0000n, -(1n << 63n)]) {
        // What a flag means is defined only for the conversions that C says it is for.
        if (verb === 'p' && (shape.alternate || shape.precision !== undefined || shape.plus || shape.space || shape.zero)) continue;
        const size = verb === 'p' ? 8 : value === 255n ? 1 : value === 1n ? 2 : value === 0x8000_0000n ? 4 : 8;
        const cast = verb === 'p' ? '(void *)' : '(long)';
        yield {
          piece: { ...shape, size },
          argument: `${cast}0x${BigInt.asUintN(64, value).toString(16)}UL`,
          value: { kind: 'integer', value },
        };
      }
    }
  }
  for (const shape of [plain('c'), withFlags('c', '-', { width: 4 }), withFlags('c', '', { width: 4 })]) {
    yield { piece: shape, argument: "'x'", value: { kind: 'integer', value: 0x78n } };
  }
}

function* floatCases(): Generator<Case> {
  const values = [0, -0, 1, -1.5, 0.5, 2.5, 0.125, 1e-5, 9.9999995, 999999.5, 123456789, 1e21, 1.7976931348623157e308, 5e-324, Infinity];
  for (const verb of ['f', 'g', 'e'] as const) {
    for (const shape of shapes(verb, [undefined, 0, 1, 3, 20])) {
      for (const value of values) {
        // glibc 2.36 drops the zeros that `#` asks for when rounding reaches the next power of ten (it prints `1.e+06`); C says they stay.
        if (value === 999999.5 && verb === 'g' && shape.alternate) continue;
        const argument = value === Infinity ? '(1.0 / 0.0)' : Object.is(value, -0) ? '-0.0' : `(double)${value.toExponential()}`;
        yield { piece: shape, argument, value: { kind: 'float', value } };
      }
    }
  }
}

function* textCases(): Generator<Case> {
  for (const flags of ['', '-']) {
    for (const width of WIDTHS) {
      for (const precision of [undefined, 0, 3, 20]) {
        for (const text of ['', 'hello', 'naïve']) {
          if (text === 'naïve' && precision === 3) continue;
          const piece = withFlags('s', flags, { width, precision });
          yield { piece, argument: JSON.stringify(text), value: { kind: 'text', bytes: Buffer.from(text) } };
        }
      }
    }
  }
}

function spell(piece: Conversion): string {
  const flags = [piece.minus && '-', piece.plus && '+', piece.space && ' ', piece.zero && '0', piece.alternate && '#'];
  const precision = piece.precision === undefined ? '' : `.${piece.precision}`;
  const length = 'duxXo'.includes(piece.verb) ? LENGTHS[piece.size] : '';
  return `%${flags.filter(Boolean).join('')}${piece.width ?? ''}${precision}${length}${piece.verb}`;
}

function hasCompiler(): boolean {
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** One line for each case, as the C library prints it. */
function runC(cases: readonly Case[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'fluoro-printf-'));
  try {
    const lines = cases.map(({ piece, argument }) => `  printf("${spell(piece)}\\n", ${argument});`);
    const source = join(folder, 'cases.c');
    writeFileSync(source, `#include <stdio.h>\nint main(void) {\n${lines.join('\n')}\n  return 0;\n}\n`);
    execFileSync('gcc', ['-w', '-O0', '-o', join(folder, 'cases'), source]);
    return execFileSync(join(folder, 'cases'), { encoding: 'utf8', maxBuffer: 1 << 24 })
      .split('\n')
      .slice(0, -1);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
