import { describe, expect, test } from 'vitest';
import { fakeKnowledge } from '../../../test/support/y-knowledge.ts';
import { passParameters, passResult, type Passed } from './calling-convention.ts';

const TYPES = `
struct small { int x, y; }; struct pair { long a; int b; }; struct big { long a, b, c; }; struct mixed { long a; double d; }; struct floats { double a, b; };
void plain(int a, char *b, long c); void seven(long a, long b, long c, long d, long e, long f, int g, long h);
void doubles(double a, int b, float c, long d); void records(struct small s, struct pair p, long c); void large(struct big b, int a);
void full(long a, long b, long c, long d, long e, struct pair p, int last); void halves(struct mixed m, int a, struct floats f, int b);
struct small gives_small(void); struct pair gives_pair(void); struct big gives_big(void); double gives_double(void); struct mixed gives_mixed(void); char *gives_pointer(void);
`;

function typeOf(name: string) {
  return fakeKnowledge({ target: TYPES }).findFunctions(name, undefined)[0]!.type!;
}

function show(passed: Passed | undefined): string {
  if (passed?.kind === 'pieces') return passed.pieces.map((piece) => `${piece.index}:${piece.offset}+${piece.size}`).join(' ');
  return passed === undefined ? 'lost' : passed.kind === 'float' ? 'float' : `${passed.kind === 'address' ? '*' : ''}${passed.index}`;
}

describe('passParameters()', () => {
  test.each([
    ['x86-64', 'plain', '0, 1, 2'],
    ['x86-64', 'seven', '0, 1, 2, 3, 4, 5, 6, 7'],
    ['x86-64', 'doubles', 'float, 0, float, 1'],
    ['x86-64', 'records', '0:0+8, 1:0+8 2:8+8, 3'],
    ['x86-64', 'large', '6:0+8 7:8+8 8:16+8, 0'],
    ['x86-64', 'full', '0, 1, 2, 3, 4, 6:0+8 7:8+8, 5'],
    ['x86-64', 'halves', 'float, 1, float, 2'],
    ['aarch64', 'seven', '0, 1, 2, 3, 4, 5, 6, 7'],
    ['aarch64', 'records', '0:0+8, 1:0+8 2:8+8, 3'],
    ['aarch64', 'large', '*0, 1'],
    ['aarch64', 'halves', '0:0+8 1:8+8, 2, float, 3'],
  ] as const)('%s %s', (architecture, name, expected) => {
    const types = typeOf(name).parameters.map((parameter) => parameter.type);
    expect(passParameters(architecture, types).map(show).join(', ')).toBe(expected);
  });
});

describe('passResult()', () => {
  test.each([
    ['x86-64', 'gives_pointer', { kind: 'word' }],
    ['x86-64', 'gives_small', { kind: 'pieces', size: 8, second: 'dx' }],
    ['x86-64', 'gives_pair', { kind: 'pieces', size: 16, second: 'dx' }],
    ['x86-64', 'gives_big', { kind: 'address' }],
    ['x86-64', 'gives_double', { kind: 'float' }],
    ['x86-64', 'gives_mixed', { kind: 'float' }],
    ['aarch64', 'gives_pair', { kind: 'pieces', size: 16, second: 'x1' }],
    ['aarch64', 'gives_big', { kind: 'lost' }],
  ] as const)('%s %s', (architecture, name, expected) => {
    expect(passResult(architecture, typeOf(name).result)).toEqual(expected);
  });
});
