/** Whole programs, compiled and run on the snapshot engine: with and without optimisation they say the same. */
import { describe, expect, test } from 'vitest';
import { ByteMemory, testEnvironment } from '../../test/support/y-program.ts';
import { stateKnowledge } from '../../test/support/y-state-target.ts';
import { compile } from './compile.ts';
import { SnapshotEngine } from './engines/snapshot/index.ts';
import { verifyIr } from './ir/verify.ts';
import type { Program } from './ir/program.ts';
import { renderDiagnostics } from './syntax/index.ts';

const RECORD = 0x10800n;

/** Where the fake target has its variables; everything else cannot be read. */
function targetMemory(): ByteMemory {
  const bytes = Buffer.alloc(0x4000);
  const record = 0x800;
  const write = (offset: number, value: bigint, size: number): void => {
    for (let index = 0; index < size; index++) bytes[offset + index] = Number((BigInt.asUintN(64, value) >> BigInt(index * 8)) & 0xffn);
  };
  write(record, -8n, 1);
  write(record + 1, 200n, 1);
  write(record + 2, -1600n, 2);
  write(record + 4, 60_000n, 2);
  write(record + 8, -320_000n, 4);
  write(record + 12, 4_000_000_000n, 4);
  bytes.writeFloatLE(2.5, record + 36);
  bytes.writeDoubleLE(-0.125, record + 40);
  write(record + 48, 6n, 4);
  write(record + 56, 0x13000n, 8);
  bytes.write('a title\0', 0x3000);
  write(record + 72, 3n, 4);
  write(record + 76, -4n, 4);
  // list: three nodes of 24 bytes.
  write(record + 168, 0x13100n, 8);
  [0, 1, 2].forEach((index) => {
    write(0x3100 + index * 24, BigInt(index * 10), 4);
    bytes.write(`node-${index}\0`, 0x3100 + index * 24 + 4);
    write(0x3100 + index * 24 + 16, index < 2 ? 0x13100n + BigInt((index + 1) * 24) : 0x10n, 8);
  });
  write(0x2000, 0x13100n, 8);
  return new ByteMemory({ start: 0x10000n, bytes });
}

function build(text: string, optimise: boolean): Program {
  const compiled = compile({ file: 'test.y', text, resolveInclude: () => undefined }, stateKnowledge(), { optimise });
  if (!compiled.ok) throw new Error(renderDiagnostics(compiled.error.diagnostics, compiled.error.sources, { color: false }));
  expect(verifyIr(compiled.value.program)).toEqual([]);
  return compiled.value.program;
}

/** Runs every probe of the host in turn. */
function run(program: Program): string {
  const { environment, recorded } = testEnvironment(program, targetMemory());
  const engine = new SnapshotEngine(program, environment);
  const ends = program.probes.map((_, index) => engine.run(index)).filter((outcome) => outcome.kind === 'ended');
  return recorded.text + ends.map((outcome) => `[${outcome.why}]`).join('');
}

function runBoth(text: string): string {
  const plain = run(build(text, false));
  expect(run(build(text, true))).toBe(plain);
  return plain;
}

/** Statements of a `_oneshot`. */
const once = (body: string, before = ''): string => `${before}\n_probe _oneshot { ${body} }`;

describe("arithmetic has C's widths and signs", () => {
  test.each([
    ['printf("%d %u %u", (int)0x80000000, 0u - 1, (unsigned char)300);', '-2147483648 4294967295 44'],
    ['int i = 2147483647; i++; printf("%d", i);', '-2147483648'],
    ['unsigned char c = 250; c += 10; printf("%d", c);', '4'],
    ['char c = 200; printf("%d %d", c, c >> 1);', '-56 -28'],
    ['short s = -1; unsigned short u = s; printf("%d %u", s, u);', '-1 65535'],
    ['int i = -7; printf("%d %d %d %d", i / 2, i % 3, i >> 1, (unsigned)i > 5);', '-3 -1 -4 1'],
    ['unsigned u = 4000000000u; long l = u; printf("%ld %d", l, (int)u < 0);', '4000000000 1'],
    ['printf("%d %d", -1 < 1u, -1L < 1u);', '0 1'],
    ['long l = 1L << 40; printf("%ld %lu", l, ~0ul);', '1099511627776 18446744073709551615'],
    ['bool b = 256; printf("%d %d", b, !b);', '1 0'],
    ['bool h = 0.5; printf("%d %d %d", h, (bool)0.0, 0.5 < 1);', '1 0 1'],
    ['double d = 7; d /= 2; printf("%.2f %d %d", d, (int)-d, d > 3);', '3.50 -3 1'],
    ['int n = 3; n *= 2.5; printf("%d", n);', '7'],
    ['printf("%d %d %d %d", _abs(-3), _min2(4, -4), _max2(4u, 5u), _log2(4096));', '3 -4 5 12'],
    ['printf("%.1f %.1f", _abs(-2.5), _max2(1, 2.5));', '2.5 2.5'],
    ['int a = 5; int b = a++; b += ++a; int d = a--; printf("%d %d %d", a, b, d);', '6 12 7'],
    ['int x = 0; int y = (x = 4, x + 1); printf("%d %d", y, x ? x : 9);', '5 4'],
    ['printf("%d %s", 3 ?: 4, 0 ? "a" : "b");', '3 b'],
  ])('%s', (body, expected) => {
    expect(runBoth(once(body))).toBe(expected);
  });
});

const CALLED = `
int counted;
int peek(int *p) { return *p; }
_str name(char *p) { counted++; return _ustr(p); }
int sum(int *p, int n) { int all = 0; for (int i = 0; i < n; i++) { counted++; all += peek(p + i); } return all; }
int inverse(int n) { return 1 / n; }
int twice(int n) { return 2 * inverse(n); }
int careful(int *p) { _try { return peek(p); } _catch { return -1; } }
`;

describe('control flow', () => {
  test.each([
    ['int n = 0; for (int i = 0; i < 10; i++) { if (i == 3) continue; if (i == 6) break; n += i; } printf("%d", n);', '12'],
    ['int i = 0; do { i++; } while (i < 5 && i != 3); printf("%d", i);', '3'],
    [
      'for (int i = 0; i < 7; i++) switch (i) { case 0: case 2: printf("a"); break; case 3 ... 5: printf("b"); default: printf("c"); }',
      'acabcbcbcc',
    ],
    ['int i = 0; if (i || (i = 3) && !(i == 4)) printf("%d", i); else printf("no");', '3'],
    ['for (;;) { for (;;) break; break; } printf("out");', 'out'],
    ['_try { printf("%d", *(int *)8); } _catch { printf("caught"); } printf("!");', 'caught!'],
    ['_try { _try { int x = *(int *)8; } _catch { printf("a%d", *(int *)16); } } _catch { printf("b"); }', 'b'],
    ['_try { printf("%d", peek((int *)8)); } _catch { printf("caught"); } printf("!");', 'caught!'],
    ['int n = 7; _try { n = peek((int *)8); } _catch { n++; } printf("%d", n);', '8'],
    ['_str s = "old"; _try { s = name((char *)8); } _catch { printf("%s ", s); } printf("on");', 'old on'],
    ['_try { printf("%d", sum((int *)8, 3)); } _catch { printf("%d", counted); }', '1'],
    ['_try { twice(0); printf("never"); } _catch { printf("by zero"); }', 'by zero'],
    ['printf("%d %d", careful((int *)8), careful(0)); twice(0);', '-1 -1[division-by-zero]'],
    ['int n = peek((int *)8); printf("never %d", n);', '[failed-read]'],
    ['int z = 0; _try { printf("%d", 1 / z); } _catch { printf("by zero"); }', 'by zero'],
    ['printf("x"); int y = *(int *)8; printf("never");', 'x[failed-read]'],
    ['_exit(); printf("never");', ''],
  ])('%s', (body, expected) => {
    expect(runBoth(once(body, CALLED))).toBe(expected);
  });

  test('functions call each other and themselves', () => {
    const functions = `int odd(int n); int even(int n) { return n == 0 ? 1 : odd(n - 1); } int odd(int n) { return n == 0 ? 0 : even(n - 1); }
      _str twice(_str s, int n) { return n > 0 ? twice(s + s, n - 1) : s; } double half(double d) { return d / 2; } void say(_str what) { printf("<%s>", what); }`;
    expect(runBoth(once('printf("%d %d %s %.2f", even(10), odd(10), twice("ab", 2), half(3)); say("hi");', functions))).toBe(
      '1 0 abababab 1.50<hi>',
    );
  });
});

describe('texts', () => {
  test.each([
    ['_str s = "abc"; s += "def"; printf("%s %d %d %s", s, _len(s), s[1], _substr(s, 2, 3));', 'abcdef 6 98 cde'],
    ['_str a = "x"; _str b = a; a += "y"; printf("%s %s %d %d", a, b, a > b, b == "x");', 'xy x 1 1'],
    ['_str<4> s = "abcdef"; printf("[%s]", s);', '[abcd]'],
    ['if ("k=v" ~~ rx/(\\w)=(\\w)/) { _str k = $1; printf("%s %s %s", $0, k, $2); }', 'k=v k v'],
    ['if ("z" !~~ rx/(q)/) printf("no"); if ("ab" ~~ rx/a(.)/ && $1 == "b") printf("[%s]", $1);', 'no[b]'],
    ['_str s; printf("[%s]%d", s, !s);', '[]1'],
    ['_json(record.at); _json("a\\"b");', '{"x":3,"y":-4}\n"a\\"b"\n'],
    ['printf("%s", _hex(&record.at, 8));', '03000000fcffffff'],
  ])('%s', (body, expected) => {
    expect(runBoth(once(body))).toBe(expected);
  });
});

describe('the target', () => {
  test.each([
    [
      'printf("%d %u %d %u %d %u", record.i8, record.u8, record.i16, record.u16, record.i32, record.u32);',
      '-8 200 -1600 60000 -320000 4000000000',
    ],
    ['printf("%.2f %.3f %e %s", record.real, record.precise, record.color, record.title);', '2.50 -0.125 BLUE a title'],
    ['struct point p = record.at; p.x += 10; printf("%d,%d %d", p.x, p.y, record.at.x);', '13,-4 3'],
    ['struct node *n = record.list; printf("%d %s %d", n[1].key, (n + 1)->name, *(int *)n->next);', '10 node-1 10'],
    ['for (struct node *n = record.list; _valid(n); n = n->next) printf("%d;", n->key);', '0;10;20;'],
    [
      'struct node *n = record.list + 2; int *k = &n->key; printf("%d %ld", _container_of(k, struct node, key) == n, n - record.list);',
      '1 2',
    ],
    ['printf("%lu %lu %lu", sizeof(struct node), offsetof(struct record, corners[1].y), sizeof record.grid);', '24 92 24'],
    ['const char *p = "GET"; printf("%lx", (long)p);', '5000'],
    ['printf("%d", _read(struct point, &record.at).y);', '-4'],
    [
      'struct pair { int a : 4; unsigned b : 12; long c; }; struct pair p = { 3, .c = 9 }; p.a = 15; p.b = 4097; printf("%d %d %ld", p.a, p.b, p.c);',
      '-1 1 9',
    ],
  ])('%s', (body, expected) => {
    expect(runBoth(once(body))).toBe(expected);
  });

  test('is read at the address of its variables', () => {
    expect(runBoth(once('printf("%lx", (long)&record);'))).toBe(RECORD.toString(16));
  });
});

describe('arrays, aggregates and globals', () => {
  test.each([
    [
      'long n; int small = 5; _percpu long p;',
      'n += 3; n++; int old = small--; p += 2; printf("%ld %d %d %ld", n, old, small, p);',
      '4 5 4 2',
    ],
    [
      'long a[_str, int];',
      'a["x", 1] = 5; a["x", 1]++; a["y", 2] += a["x", 1]; printf("%ld %ld %d %d %d", a["x", 1], a["y", 2], ("x", 1) in a, ("x", 2) in a, _len(a));',
      '6 6 1 0 2',
    ],
    [
      'int c[int];',
      'for (int i = 0; i < 5; i++) c[i] = 10 - i; _foreach (k, v in c; sort desc by v; limit 2) printf("%d=%d ", k, v); _delete c[0]; _foreach (k in c; sort by -k) printf("%d", k);',
      '0=10 1=9 4321',
    ],
    [
      '_agg g[int]; _agg h;',
      'g[1] <<< 4; g[1] <<< 6; h <<< 1; printf("%ld %ld %ld %.1f %ld", _count(g[1]), _sum(g[1]), _avg(g[1]), _stddev(g[1]), _max(h));',
      '2 10 5 1.0 1',
    ],
    [
      'struct pt { int x; long y; }; struct pt m[int]; struct pt g;',
      'm[3].y = 7; struct pt p = { 1, 2 }; m[4] = p; g = m[4]; g.y *= 10; printf("%ld %d %ld %ld", m[3].y, m[4].x, m[4].y, g.y);',
      '7 1 2 20',
    ],
    ['_str names[int];', 'names[1] = "one"; names[1] += "!"; printf("%s[%s]", names[1], names[2]);', 'one![]'],
    ['double d[int]; double total = 1.5;', 'd[1] = 2.5; d[1] += 1; total += d[1]; printf("%.1f %.1f", d[1], total);', '3.5 5.0'],
    ['_option int limit = 3; _str title = "t";', 'printf("%d %s", limit, title);', '3 t'],
  ])('%s %s', (before, body, expected) => {
    expect(runBoth(once(body, before))).toBe(expected);
  });
});

describe('a glob', () => {
  const sitesOf = (text: string) =>
    build(`int twice(int n) { return n * 2; }\n${text}`, true).probes.map(({ point }) =>
      point.kind === 'function' ? point.sites.map((site) => site.name).join(' ') : '',
    );

  test('is one probe when its bodies come out alike', () => {
    expect(sitesOf('long n; _probe t* { n += twice(1); } _probe _end { printf("%ld", n); }')).toEqual(['text truth', '']);
  });

  test('has a body for each type when the arguments are looked at', () => {
    expect(sitesOf('long n; _probe t*(x) { n += (long)x; }')).toEqual(['text', 'truth']);
  });
});
