/** Programs in Y from their text to what they print, with and without the compiler's optimisations. */
import { describe, expect, test } from 'vitest';
import { EMPTY_KNOWLEDGE } from '../../../../test/support/y-knowledge.ts';
import { ByteMemory, testEnvironment } from '../../../../test/support/y-program.ts';
import { compile } from '../../compile.ts';
import { renderDiagnostics } from '../../syntax/index.ts';
import { SnapshotEngine } from './engine.ts';

/** Runs all probes in the order of the source. */
function run(text: string, optimise: boolean, memory = new ByteMemory()) {
  const compiled = compile({ file: 'test.y', text, resolveInclude: () => undefined }, EMPTY_KNOWLEDGE, { optimise });
  if (!compiled.ok) throw new Error(renderDiagnostics(compiled.error.diagnostics, compiled.error.sources, { color: false }));
  const { program } = compiled.value;
  const { environment, recorded } = testEnvironment(program, memory);
  const engine = new SnapshotEngine(program, environment);
  const outcomes = program.probes.map((_probe, index) => engine.run(index));
  return { text: recorded.text, charts: recorded.charts, outcomes, losses: engine.losses() };
}

const PROGRAMS: readonly [name: string, body: string, expected: string][] = [
  ['arithmetic', 'printf("%d %ld %u %lld", -7 / 2, -7 % 3, (unsigned)-1, 1LL << 62);', '-3 -1 4294967295 4611686018427387904'],
  ['doubles', 'double d = 4.5; d *= 3; printf("%f %g %e %5.2f", d, d / 7, d / 7, d);', '13.500000 1.92857 1.928571e+00 13.50'],
  ['records', 'struct { int a; long b; } p; p.a = 3; p.b = -4; printf("%d %ld", p.a, p.b);', '3 -4'],
  ['calls', 'printf("%ld %ld", square(1 << 20, "yes"), square(5, "no"));', '1099511627776 0'],
  ['matches', 'if ("GET /a?x" ~~ rx/^(\\w+) ([^?]*)/) printf("[%s] [%s] [%s]", $0, $1, $2);', '[GET /a] [GET] [/a]'],
  ['globals', 'ratio = 1.5; total += 5; total++; printf("%g %ld %s", ratio, total, motto);', '1.5 6 see'],
  ['loops with an order', 'fill(); _foreach (n, k in calls; sort desc by k % 3; limit 2) printf("%s%d ", n, k);', 'n2 n1 '],
  ['loops by value', 'fill(); _foreach (n, k in calls; sort desc) printf("%d=%ld ", k, calls[n, k]);', '4=16 3=9 2=4 1=1 0=0 '],
  ['aggregates', 'fill(); printf("%ld %ld %ld %.2f", _count(sizes), _avg(sizes), _quantile(sizes, 0.5), _stddev(sizes));', '5 6 4 5.90'],
  ['reads', 'struct node *n = (struct node *)0x1000; printf("%d %d %s", n->number, n->next->number, n->name);', '7 8 seven'],
  ['reads that fail', '_try { printf("%d", ((struct node *)16)->number); } _catch { printf("caught"); }', 'caught'],
];

const DECLARATIONS = `
struct node { struct node *next; int number; char name[12]; };
_agg sizes;
long calls[_str, int];
double ratio;
long total;
_str motto = "see";
long square(long x, _str name) { if (name == "no") return 0; return x * x; }
void fill() { for (int i = 0; i < 5; i++) { calls["n", i] = i * i; sizes <<< i * i; } }
`;

function targetMemory(): ByteMemory {
  const bytes = Buffer.alloc(64);
  bytes.writeBigUInt64LE(0x1020n, 0);
  bytes.writeInt32LE(7, 8);
  bytes.write('seven', 12);
  bytes.writeInt32LE(8, 0x28);
  return new ByteMemory({ start: 0x1000n, bytes });
}

describe.each([
  ['as lowered', false],
  ['optimised', true],
] as const)('a program %s', (_name, optimise) => {
  test.each(PROGRAMS)('runs %s', (_what, body, expected) => {
    const ran = run(`${DECLARATIONS}_probe _oneshot { ${body} }`, optimise, targetMemory());
    expect([ran.text, ran.outcomes, ran.losses]).toEqual([expected, [{ kind: 'done' }], []]);
  });

  test('keeps what it knows from probe to probe', () => {
    const text = 'long n = 1; _probe _begin { n = 5; } _probe _oneshot { n++; } _probe _end { printf("%ld", n); }';
    expect(run(text, optimise).text).toBe('6');
  });

  test('ends where a read fails, and says where', () => {
    const { text, losses } = run('_probe _oneshot {\n  printf("a");\n  printf("%d", *(int *)16);\n  printf("b");\n}', optimise);
    expect(text).toBe('a');
    expect(losses).toMatchObject([{ why: 'failed-read', at: { file: 'test.y', line: 3 }, count: 1 }]);
  });

  test('draws charts', () => {
    const { charts } = run(`${DECLARATIONS}_probe _oneshot { fill(); _histogram(sizes, "bytes"); _table(calls, "Calls"); }`, optimise);
    expect(charts.map(({ type, title, unit }) => [type, title, unit])).toEqual([
      ['dist-bar', 'sizes', 'bytes'],
      ['table', 'Calls', ''],
    ]);
    expect(charts[0]).toMatchObject({
      series: { data: { '0': 1, '1': 1, '4': 1, '8': 1, '16': 1 } },
      summary: { min: 0, max: 16, avg: 6, cnt: 5 },
    });
  });
});
