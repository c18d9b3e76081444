import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Knowledge } from '../knowledge.ts';
import { dumpAst, parse, renderDiagnostics, type Parsed } from './index.ts';

/** A target that has nothing. */
const NOTHING: Knowledge = {
  architecture: 'x86-64',
  findType: () => undefined,
  findVariables: () => [],
  findEnumerator: () => undefined,
  findFunctions: () => [],
  findLine: () => [],
  findUsdt: () => [],
  hasModule: () => false,
  findKernelFunction: () => undefined,
  findTracepoint: () => undefined,
  findSyscalls: () => [],
  findLiteral: () => undefined,
  similar: () => [],
};

function read(text: string): Parsed {
  return parse({ file: 'test.y', text, include: () => undefined, knowledge: NOTHING });
}

/** The dump of a program that must have no fault. */
function dump(text: string): string {
  const parsed = read(text);
  expect(renderDiagnostics(parsed.diagnostics, parsed.sources, { color: false })).toBe('');
  return dumpAst(parsed.unit);
}

/** `line:column code` of each diagnostic. */
function faults(text: string): readonly string[] {
  return read(text).diagnostics.map((one) => `${one.span?.line}:${one.span?.column} ${one.code}`);
}

const TOUR = `/** @analyzer malloc-size-by-stack
 *  @title    Heap requests by call path
 *  @category memory      @chart flame     @scope processes
 */
_option long min_bytes = 4096;        // requests smaller than this are ignored

_agg  bytes[_bt];                     // associative array: key is a backtrace, value an aggregate
long  calls[_str, int];               // two keys: command name, thread id

_probe malloc(size_t n) {             // entry of a function of the target, any module
    if (n < min_bytes) return;
    bytes[_ubt()] <<< n;
    calls[_comm(), _tid()]++;
}

_probe malloc() -> void *p {          // its return; p is the value returned
    if (!p) _warn("malloc failed in thread %d", _tid());
}

_probe _timer.s(10) { _exit(); }

_probe _end {
    _foreach (name, tid in calls; sort desc; limit 10) printf("%s/%d %ld\\n", name, tid, calls[name, tid]);
    _flame(bytes, _sum, "bytes");
}
`;

const WALK = `_probe _oneshot {
    ngx_cycle_t *cycle = ngx_cycle;                    // a global of the target, by its C name
    printf("%ld connections, %ld free\\n", cycle->connection_n, cycle->free_connection_n);
    for (ngx_uint_t i = 0; i < cycle->connection_n; i++) {
        ngx_connection_t *c = &cycle->connections[i];
        if (c->fd != -1) printf("fd %d sent %ld\\n", c->fd, c->sent);
    }
}
`;

/** The dump of one expression, without what is around it. */
function expression(text: string): string {
  const lines = dump(`_probe _begin { x = ${text}; }`).split('\n');
  const at = lines.findIndex((line) => line.startsWith('        value: '));
  return lines
    .slice(at)
    .map((line, index) => (index === 0 ? line.trim().replace(/^value: /, '') : line.trim()))
    .filter((line) => line !== '')
    .join(' | ');
}

/** The dump of one probe point. */
function point(text: string): string {
  const lines = dump(`_probe ${text} {}`).split('\n').slice(1);
  const end = lines.findIndex((line) => line.startsWith('  body:'));
  const trimmed = lines.slice(0, end).map((line) => line.trim());
  return [trimmed[0]?.replace(/^points: /, '').replace(/ text=".*"$/, ''), ...trimmed.slice(1)].join(' | ');
}

/** The dump of declarations. */
function declarations(text: string): string {
  return dump(text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' | ');
}

describe('parse()', () => {
  it('reads the tour', () => {
    expect(dump(TOUR)).toContain('@title Heap requests by call path\n@category memory\n@chart flame\n@scope processes\n');
    expect(dump(TOUR)).toContain('variable min_bytes option help="requests smaller than this are ignored"');
    expect(dump(WALK)).toContain('declarations: variable cycle\n        type: pointer\n          to: named ngx_cycle_t');
  });

  test.each([
    ['a + b * c', 'binary + | left: name a | right: binary * | left: name b | right: name c'],
    ['a - b - c', 'binary - | left: binary - | left: name a | right: name b | right: name c'],
    ['a = b = 1', 'assign | target: name a | value: assign | target: name b | value: integer 1 type="int"'],
    ['a & b == c', 'binary & | left: name a | right: binary == | left: name b | right: name c'],
    [
      'a ? b : c ? d : e',
      'conditional | condition: name a | then: name b | else: conditional | condition: name c | then: name d | else: name e',
    ],
    ['-a[1]++', 'unary - | operand: update ++ | operand: index | object: name a | indices: integer 1 type="int"'],
    ['*p->q.r', 'unary * | operand: member r | object: member q arrow | object: name p'],
    ['~~a', 'unary ~ | operand: unary ~ | operand: name a'],
    ['!~~a', 'unary ! | operand: unary ~ | operand: unary ~ | operand: name a'],
    ['s ~~ rx/a\\/b/i', 'match | subject: name s | pattern: regex pattern="a\\\\/b" flags="i"'],
    ['s !~~ rx{a{2}}', 'match negated | subject: name s | pattern: regex pattern="a{2}"'],
    ['$1', 'capture index=1'],
    ['k in arr && 1', 'logical && | left: in | keys: name k | array: name arr | right: integer 1 type="int"'],
    ['(a, b) in arr', 'in | keys: name a | keys: name b | array: name arr'],
    ['arr[a, b]', 'index | object: name arr | indices: name a | indices: name b'],
    ['(T *)y', 'cast | type: pointer | to: named T | operand: name y'],
    ['(T **const)y', 'cast | type: pointer constant | to: pointer | to: named T | operand: name y'],
    ['(struct s *)y', 'cast | type: pointer | to: tag tag="struct" s | operand: name y'],
    ['(unsigned long long)y', 'cast | type: basic unsigned long long | operand: name y'],
    ['(T)y', 'cast | type: named T | operand: name y'],
    ['(T)(y)', 'ambiguous-call | name: name T | arguments: name y'],
    ['(size_t)(y)', 'cast | type: named size_t | operand: name y'],
    ['(T) - y', 'binary - | left: name T | right: name y'],
    ['(ngx_t) - y', 'cast | type: named ngx_t | operand: unary - | operand: name y'],
    ['(a) * b', 'binary * | left: name a | right: name b'],
    ['(int (*)(int))y', 'cast | type: pointer | to: function-type | result: basic int | parameters: | type: basic int | operand: name y'],
    ['(`std::vector<int>` *)y', 'cast | type: pointer | to: named `std::vector<int>` | operand: name y'],
    ['`ns::x` + 1', 'binary + | left: name `ns::x` | right: integer 1 type="int"'],
    ['"libx.so*"::fn', 'name fn | scope: string text="libx.so*"'],
    ['sizeof(struct s)', 'sizeof | type: tag tag="struct" s'],
    ['sizeof(T)', 'sizeof | operand: name T'],
    ['sizeof(T *)', 'sizeof | type: pointer | to: named T'],
    ['sizeof x + 1', 'binary + | left: sizeof | operand: name x | right: integer 1 type="int"'],
    [
      'offsetof(T, a.b[2])',
      'offsetof | type: named T | path: member-step a | path: member-step b | path: index-step | index: integer 2 type="int"',
    ],
    ['_container_of(p, struct s, f)', 'container-of | pointer: name p | type: tag tag="struct" s | path: member-step f'],
    ['_user(T *, y)', 'space-cast space="user" | type: pointer | to: named T | operand: name y'],
    ['_read(T, y)', 'read | type: named T | address: name y'],
    [
      '(struct s){1, .a = 2}',
      'cast | type: tag tag="struct" s | operand: initializer-list | items: | designators: none | value: integer 1 type="int" | items: | designators: member-step a | value: integer 2 type="int"',
    ],
    ['a ?: b', 'conditional | condition: name a | else: name b'],
    ['p->rx[0]', 'index | object: member rx arrow | object: name p | indices: integer 0 type="int"'],
    ['"a" "\\x41\\n"', 'string text="aA\\n"'],
    ["'\\0' + 'a'", 'binary + | left: character 0 | right: character 97'],
    [
      '0x1Fu + 017 + 0b11 + 10ul',
      'binary + | left: binary + | left: binary + | left: integer 31 type="unsigned int" | right: integer 15 type="int" | right: integer 3 type="int" | right: integer 10 type="unsigned long"',
    ],
    [
      '4294967296 + 0xffffffff + 18446744073709551615u',
      'binary + | left: binary + | left: integer 4294967296 type="long" | right: integer 4294967295 type="unsigned int" | right: integer 18446744073709551615 type="unsigned long"',
    ],
    [
      '1.5e3f + .5 + 0x1p4',
      'binary + | left: binary + | left: float 1500 type="float" | right: float 0.5 type="double" | right: float 16 type="double"',
    ],
  ])('reads the expression %s', (text, expected) => {
    expect(expression(text)).toBe(expected);
  });

  test.each([
    ['_begin', 'begin'],
    ['_end', 'end'],
    ['_oneshot', 'oneshot'],
    ['_timer.ms(10)', 'timer unit="ms" | amount: integer 10 type="int"'],
    ['_profile.hz(99)', 'profile | hz: integer 99 type="int"'],
    ['_pmu("cycles", 1000)', 'pmu | event: string text="cycles" | period: integer 1000 type="int"'],
    ['fn', 'function-entry | function: fn'],
    [
      'fn(int a, char *b)',
      'function-entry | function: fn | parameters: a | type: basic int | parameters: b | type: pointer | to: basic char',
    ],
    [
      'fn(a, T b, U *)',
      'function-entry | function: fn | parameters: a | parameters: b | type: named T | parameters: | type: pointer | to: named U',
    ],
    ['fn(void)', 'function-entry | function: fn | parameters: none'],
    ['fn() -> T r', 'function-return | function: fn | result: r | type: named T'],
    ['fn() -> r', 'function-return | function: fn | result: r'],
    ['fn -> void *p', 'function-return | function: fn | result: p | type: pointer | to: basic void'],
    ['fn+0x1c', 'instruction offset=28 | function: fn'],
    ['ngx_http_*', 'function-entry | function: ngx_http_* glob'],
    ['*_init', 'function-entry | function: *_init glob'],
    ['a?b*2', 'function-entry | function: a?b*2 glob'],
    ['"libx.so*"::fn', 'function-entry | function: fn | scope: string text="libx.so*"'],
    ['"file.c"::fn() -> int r', 'function-return | function: fn | scope: string text="file.c" | result: r | type: basic int'],
    ['`ns::C::m(int)`(C *x)', 'function-entry | function: `ns::C::m(int)` | parameters: x | type: pointer | to: named C'],
    ['_start(x)', 'function-entry | function: _start | parameters: x'],
    ['_syscall.read(int fd)', 'syscall read | parameters: fd | type: basic int'],
    ['_syscall.*', 'syscall *'],
    ['_syscall.open* -> long r', 'syscall-return open* | result: r | type: basic long'],
    ['_kfunc.tcp_sendmsg() -> int r', 'kfunc-return tcp_sendmsg | result: r | type: basic int'],
    ['_tracepoint.sched.sched_switch', 'tracepoint category=sched sched_switch'],
    ['_cpu.off', 'cpu direction="off"'],
    ['_process.fork', 'life event="fork"'],
    ['_thread.exit', 'life event="thread-exit"'],
    ['_page_fault(void *addr)', 'page-fault | parameters: addr | type: pointer | to: basic void'],
    ['_addr(0x401000)', 'address | address: integer 4198400 type="int"'],
    ['"file.c":123', 'line line=123'],
    ['_usdt("py", "gc")(long a)', 'usdt | provider: string text="py" | name: string text="gc" | parameters: a | type: basic long'],
  ])('reads the probe point %s', (text, expected) => {
    expect(point(text)).toBe(expected);
  });

  it('reads probes with several points, a condition, and marks', () => {
    const parsed = dump('_probe? _global a, b+4 / x / 2 > 1 / { } _global _probe c {}');
    expect(parsed).toContain('probe optional global');
    expect(parsed).toContain('condition: binary >\n    left: binary /');
    expect(dump('_probe foo*/pid == 1/ {}')).toContain('condition: binary ==');
  });

  test.each([
    [
      'int a, *b[3], (*c)(int, char *);',
      'variable a | type: basic int | variable b | type: array | of: pointer | to: basic int | size: integer 3 type="int" | variable c | type: pointer | to: function-type | result: basic int | parameters: | type: basic int | parameters: | type: pointer | to: basic char',
    ],
    [
      'long m[_str, int] : 1024;',
      'variable m | type: basic long | keys: string-type | keys: basic int | capacity: integer 1024 type="int"',
    ],
    ['_percpu long m[pid_t];', 'variable m percpu | type: basic long | keys: named pid_t'],
    [
      'enum { N = 4 }; int a[N];',
      'type-declaration | type: enum | enumerators: N | value: integer 4 type="int" | variable a | type: array | of: basic int | size: name N',
    ],
    [
      '_lru _agg a[_bt, struct s *];',
      'variable a lru | type: aggregate-type | keys: backtrace-type | keys: pointer | to: tag tag="struct" s',
    ],
    ['_str<512> s = "x";', 'variable s | type: string-type | capacity: integer 512 type="int" | initializer: string text="x"'],
    [
      'typedef int (*F)(T *); F f;',
      'typedef F | type: pointer | to: function-type | result: basic int | parameters: | type: pointer | to: named T | variable f | type: named F',
    ],
    ['_thread T x;', 'variable x thread | type: named T'],
    [
      'typedef struct s { int a : 3, : 2, b; union { char c; }; } T; T *p;',
      'typedef T | type: record tag="struct" s | members: a | type: basic int | bits: integer 3 type="int" | members: | type: basic int | bits: integer 2 type="int" | members: b | type: basic int | members: | type: record tag="union" | members: c | type: basic char | variable p | type: pointer | to: named T',
    ],
    [
      'const char *f(T *t, ...);',
      'function f | type: function-type variadic | result: pointer | to: basic char constant | parameters: t | type: pointer | to: named T',
    ],
    [
      'struct p { int a; } __attribute__((packed));',
      'type-declaration | type: record tag="struct" p packed | members: a | type: basic int',
    ],
    [
      'int a[2] = { 1, [1] = 2, };',
      'variable a | type: array | of: basic int | size: integer 2 type="int" | initializer: initializer-list | items: | designators: none | value: integer 1 type="int" | items: | designators: index-step | index: integer 1 type="int" | value: integer 2 type="int"',
    ],
    ['extern `ns::T` &r;', 'variable r extern | type: reference | to: named `ns::T`'],
  ])('reads the declaration %s', (text, expected) => {
    expect(declarations(text)).toBe(expected);
  });

  it('reads every statement', () => {
    const text = `long arr[int]; _agg g;
      int f(T *t) {
        for (;;) break;
        for (int i = 0, j = 1; i < 2; i++, j--) { continue; }
        while (t) t = t->next;
        do { ; } while (0);
        switch (t->kind) { case 1: case 2 ... 5: g <<< 1; break; default: return 0; }
        _foreach (k in arr; sort asc by arr[k]; limit 2 + 1) _delete arr[k];
        _try { x *y = t->y; (void)y; } _catch { _clear(arr); }
        x * z;
        x (*call)(int) = z;
        f(t), f(t);
        if (t) return 1; else if (!t) return 2; else { }
      }`;
    const parsed = dump(text);
    for (const part of ['labels: case', 'for', 'while', 'do-while', 'switch', 'foreach', 'delete', 'try', 'clear', 'comma', 'if', 'return'])
      expect(parsed).toContain(part);
    expect(parsed).toContain('declarations: variable call');
    expect(parsed).toContain('declarations: variable z\n        type: pointer\n          to: named x');
  });
});

describe('diagnostics of parse()', () => {
  test.each([
    [
      'one for each damaged statement',
      '_probe _begin {\n a = ;\n b = 1 1;\n c();\n d(;\n}\n_probe _end { e = ]; }',
      ['2:6 expected', '3:8 expected', '5:4 expected', '7:19 expected'],
    ],
    ['a forgotten semicolon', '_probe _begin {\n int a = 1\n int b = 2;\n f()\n}', ['2:11 expected', '4:5 expected']],
    ['a brace that is not closed', '_probe _begin { f();\n\n_probe _end { g(); }', ['1:15 open-brace']],
    [
      'a damaged head of a loop',
      '_probe _begin { for (i = 0 i < 2; i++) { f( ; } g(; }',
      ['1:28 expected', '1:45 expected', '1:51 expected'],
    ],
    ['a damaged struct', 'struct s { int a; 5; int b; };\nint c\nint d;', ['1:19 expected', '2:6 expected']],
    ['a damaged switch', '_probe _begin { switch (a) { f(); } g(; }', ['1:30 expected', '1:39 expected']],
    ['a statement outside', 'printf("x");\n_probe _begin {}', ['1:1 stray-statement']],
    ['an unknown probe', '_probe _begn {}\n_probe _timer.m(3) {}', ['1:8 unknown-probe', '2:15 unknown-probe']],
    ['plain C++ names', '_probe std::f {}\n_probe _begin { x = std::y; }', ['1:8 plain-cpp-name', '2:21 plain-cpp-name']],
    ['a string for a pattern', '_probe _begin { x = s ~~ "a"; }', ['1:26 expected-regex']],
    ['characters that mean nothing', '_probe _begin { a @ b; }', ['1:19 stray-character']],
    ['open literals', '_probe _begin { f("abc);\n g(\'x);\n }', ['1:19 open-literal', '2:4 open-literal']],
    ['no labels', '_probe _begin { a: b(); goto a; }', ['1:17 no-goto', '1:25 no-goto']],
    ['a capacity without keys', 'long a : 10;', ['1:8 stray-capacity']],
    [
      'bad numbers',
      'int a = 08; int b = 12abc; int c = 99999999999999999999;',
      ['1:9 bad-number', '1:21 bad-number', '1:36 number-too-large'],
    ],
    ['a stray brace', '}\n_probe _begin { }', ['1:1 stray-brace']],
    ['an unclosed comment', 'int a; /* b', ['1:8 open-comment']],
    ['parameters at a return', '_probe f(int a) -> int r {}', ['1:10 entry-parameters']],
    ['unknown tags', '/** @analyzer a\n * @titel b\n */', ['2:4 unknown-tag']],
    ['unnamed end', '_probe', ['1:7 expected']],
  ])('%s', (_, text, expected) => {
    expect(faults(text)).toEqual(expected);
  });

  test.each([
    ['_probe f { T<int> x; }', 'a C++ name is written in backquotes: `std::vector<int>`'],
    ['_probe f { x = int; }', 'a type stands here only in parentheses, as a cast'],
    ['_probe f { x = case; }', '"case" is a word of the language'],
  ])('help with %s', (text, hint) => {
    expect(read(text).diagnostics.map((one) => one.hint)).toEqual([hint]);
  });

  it('look like this', () => {
    const parsed = read(
      '#define TWICE(x) ((x) + + )\n_probe _begin {\n\tprintf("é世", a b);\n\tc = TWICE(1);\n}\n_probe _proces.exec {}\n',
    );
    expect(renderDiagnostics(parsed.diagnostics, parsed.sources, { color: false })).toMatchInlineSnapshot(`
      "test.y:3:17: error: expected ")" after the arguments, got "b" [expected]
        3 |         printf("é世", a b);
          |                         ^
      test.y:4:6: error: expected an expression, got ")" [expected]
        4 |         c = TWICE(1);
          |             ^~~~~
      test.y:1:27: note: expanded from macro TWICE
        1 | #define TWICE(x) ((x) + + )
          |                           ^
      test.y:6:8: error: there is no probe point "_proces" [unknown-probe]
        6 | _probe _proces.exec {}
          |        ^~~~~~~
        hint: did you mean "_process"?
      "
    `);
    expect(renderDiagnostics(parsed.diagnostics.slice(0, 1), parsed.sources, { color: true })).toContain('\u001b[1;31merror:\u001b[0m');
  });

  test.each([
    ['parentheses', `_probe _begin { x = ${'('.repeat(50_000)}; }`],
    ['blocks', `_probe _begin ${'{'.repeat(50_000)}`],
    ['unary operators', `_probe _begin { x = ${'!'.repeat(50_000)}1; }`],
    ['pointers', `int ${'*'.repeat(50_000)}p;`],
    ['declarators', `int ${'('.repeat(50_000)}p;`],
    ['arrays', `int a${'[1]'.repeat(50_000)};`],
    ['initialisers', `int a = ${'{'.repeat(50_000)};`],
    ['structs', `${'struct { '.repeat(50_000)}`],
    ['else', `_probe _begin { ${'if (1) ; else '.repeat(50_000)}; }`],
    ['conditionals', `_probe _begin { x = ${'a ? '.repeat(50_000)}; }`],
    ['conditions', `#if ${'('.repeat(50_000)}\n#endif`],
    ['casts', `_probe _begin { x = ${'(int)'.repeat(50_000)}1; }`],
    ['assignments', `_probe _begin { ${'a = '.repeat(50_000)}1; }`],
    ['sums', `_probe _begin { x = ${'a + '.repeat(50_000)}1; }`],
    ['members', `_probe _begin { x = a${'.b'.repeat(50_000)}; }`],
    ['indices', `_probe _begin { x = ${'a['.repeat(50_000)}; }`],
  ])('bounds the depth of %s', (_, text) => {
    const { unit, diagnostics } = read(text);
    expect(diagnostics.length).toBe(1);
    expect(['too-deep', 'too-long', 'bad-condition']).toContain(diagnostics[0]?.code);
    dumpAst(unit);
  });
});

const WORDS = (
  '_probe _begin _end _global _option _agg _str _bt _percpu _thread _foreach _try _catch _delete _clear in sort by limit desc ' +
  'int long struct enum typedef const static if else for while do switch case default break return sizeof offsetof _user _read _container_of ' +
  'a b T size_t 1 0x1f 1.5 08 "s" \'c\' rx/a/ rx{ `n::m` ` " \' $1 /* */ // ( ) [ ] { } < > ; , : :: ? . -> + ++ - * / & && | = == ~ ~~ !~~ <<< ... @ # ## ' +
  '\n#define \n#if \n#else \n#endif \n##ifdeftype \n##endif \n#include defined __VA_ARGS__ _timer.s(1) _syscall. \n \\\n'
).split(' ');

describe('robustness of parse()', () => {
  const check = (text: string): void => {
    const parsed = read(text);
    dumpAst(parsed.unit);
    renderDiagnostics(parsed.diagnostics, parsed.sources, { color: false });
    for (const { span } of parsed.diagnostics) {
      if (span === undefined) continue;
      expect(span.start).toBeLessThanOrEqual(span.end);
      expect(text.slice(0, span.start).split('\n').length).toBe(span.line);
      expect(span.start - text.lastIndexOf('\n', span.start - 1)).toBe(span.column);
    }
  };

  it('survives random tokens', { timeout: 30_000 }, () => {
    const texts = fc.array(fc.constantFrom(...WORDS), { maxLength: 60 }).map((words) => words.join(' '));
    fc.assert(
      fc.property(texts, fc.boolean(), (text, wrapped) => check(wrapped ? `_probe _begin { ${text} }` : text)),
      { numRuns: 3000 },
    );
  });

  it('survives every cut of a program, and every token left out', { timeout: 30_000 }, () => {
    const program = TOUR + WALK;
    for (let end = 0; end < program.length; end += 3) check(program.slice(0, end));
    const words = program.split(/(?<=\W)|(?=\W)/);
    for (let at = 0; at < words.length; at++) check([...words.slice(0, at), ...words.slice(at + 1)].join(''));
  });

  test.each([
    '/*\n',
    'rx(\n',
    'rx/\n',
    '`a\n',
    '"a\n',
    '@',
    'a ',
    'a;\n',
    '}',
    '_probe f {\n',
    '_probe _begin { f(); }\n',
    'int a = 1;\n',
    'struct s { int a; };\n',
    '#if 1\n',
    '#define F(x) x\nF(\n',
    '#include "x.y"\n',
    '(',
    '[',
    '{',
    '"a" ',
    '1 ',
    "'a' ",
    '$1',
    '/** @analyzer a',
    '\\\n',
    '\u{1F600}',
  ])('takes little time for 100,000 characters of %j', { timeout: 30_000 }, (part) => {
    for (const before of ['', '_probe _begin { x = ', '#define F(x) x\nF(']) check(before + part.repeat(100_000 / part.length));
  });

  it('survives random characters', { timeout: 30_000 }, () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => check(text)),
      { numRuns: 2000 },
    );
  });
});
