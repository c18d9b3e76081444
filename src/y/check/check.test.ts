import { describe, expect, test } from 'vitest';
import { stateKnowledge } from '../../../test/support/y-state-target.ts';
import { checkSource, compile } from '../compile.ts';
import { dumpTyped } from './index.ts';

/** `line: message (hint)` of everything that is said. */
function said(text: string): string[] {
  const checked = checkSource({ file: 't.y', text, resolveInclude: () => undefined }, stateKnowledge());
  const diagnostics = checked.ok ? checked.value.warnings : checked.error.diagnostics;
  return diagnostics.map(
    ({ severity, message, hint }) => `${severity === 'warning' ? 'warning: ' : ''}${message}${hint === undefined ? '' : ` (${hint})`}`,
  );
}

const once = (body: string): string => `_probe _oneshot { ${body} }`;
const hit = (body: string): string => `_probe one(int a) { ${body} }`;

describe('names', () => {
  test.each([
    [once('printf("%d", recrod.i8);'), 'there is no `recrod`; did you mean `record`?'],
    [once('printf("%d", zzz + zzz);'), 'there is no `zzz` in the script or the target'],
    [once('printf("%d", "lib*"::counter);'), 'there is no `counter` in `lib*`'],
    [once('printf("%d", _pdi());'), 'there is no function `_pdi`; did you mean `_pid`?'],
    [once('malloc(3);'), '`malloc` is a function of the target: it cannot be called (a probe sees its calls: `_probe malloc() { … }`)'],
    [once('long x = (long)_pid;'), '`_pid` is a built-in: it must be called (write `_pid()`)'],
    [once('int a; int a;'), '`a` is declared already (give one of the two another name)'],
    [once('struct nod *p;'), 'there is no type `struct nod`; did you mean `node`?'],
    [once('node *p;'), 'there is no type `node`; did you mean `struct node`?'],
    ['long calls[int];\n' + once('printf("%ld", calls);'), '`calls` is an array: a key in brackets is missing (write `calls[…]`)'],
    ['long calls[int];\n' + once('_clear(cals);'), 'there is no array `cals`; did you mean `calls`?'],
    [once('$1;'), '`$1` has no match before it in this block (match first: `if (s ~~ rx/(a+)/) { … $1 … }`)'],
    [once('if ("a" ~~ rx/a/) _print($2);'), 'there is no group $2: the pattern has 0'],
  ])('%s', (text, expected) => {
    expect(said(text)).toEqual([expected]);
  });
});

describe('records of the script', () => {
  test.each([
    [
      'another of the target has that name',
      'struct node { int own; struct node *next; };\n' + once('_print(((struct node *)8)->next->own);'),
    ],
    [
      'they point to each other',
      'struct a { struct b *b; }; struct b { struct a *a; int x; };\n' + once('_print(((struct a *)8)->b->a->b->x);'),
    ],
    ['it was announced', 'struct b; struct a { struct b *b; };\nstruct b { int x; };\n' + once('_print(((struct a *)8)->b->x);')],
    ['it is a typedef', 'typedef struct a { struct b *b; } a; typedef struct b { int x; } b;\n' + once('_print(((a *)8)->b->x);')],
  ])('have their own fields where %s', (_, text) => {
    expect(said(text)).toEqual([]);
  });
});

describe('members', () => {
  test.each([
    [
      'struct conn { int id; char *name; };\n' + once('struct conn *c = (struct conn *)8; _print(c->nme);'),
      '`nme` is not a member of `struct conn`; did you mean `name`?',
    ],
    [once('_print(record.at.zebra);'), '`zebra` is not a member of `struct point` (it has `x`, `y`)'],
    [once('_print(record_pointer.i8);'), '`record_pointer` is a pointer; write `->i8`'],
    [once('_print(record->i8);'), '`record` is a record and not a pointer; write `.i8`'],
    [once('_print(counter.x);'), '`counter` is of type `int`, which has no field `x`'],
    [
      'struct gone;\n' + once('struct gone *g = (struct gone *)8; _print(g->x);'),
      '`struct gone` is declared but its fields are not known (declare its fields in the script)',
    ],
    [once('_print(*record.opaque);'), 'what a `void *` points to has no type (cast it: `*(long *)p`)'],
    [once('_print(offsetof(struct bits, wide));'), '`wide` is a bit-field: it has no offset in bytes'],
    [
      '_probe _tracepoint.sched.sched_switch { _print(_args->prev_pdi); }',
      '`prev_pdi` is not a field of the tracepoint `sched:sched_switch`; did you mean `prev_pid`?',
    ],
  ])('%s', (text, expected) => {
    expect(said(text)).toEqual([expected]);
  });
});

describe('memory spaces', () => {
  const wakeUp = (body: string) => `_probe _kfunc.wake_up_new_task(p) { ${body} }`;
  test.each([
    [
      wakeUp('struct node *n = p;'),
      "`p` points into the kernel's memory, but `n` points into the target's memory (`_user(struct node *, …)` states the memory that an address is in)",
    ],
    [
      wakeUp('if (p == (void *)&record) _exit();'),
      "`p` points into the kernel's memory, but `(void *)&record` points into the target's memory (`_user(T *, x)` or `_kernel(T *, x)` states the memory that an address is in)",
    ],
    [
      wakeUp('void *v = 1 ? record.list : (struct node *)p;'),
      "`record.list` points into the target's memory, but `(struct node *)p` points into the kernel's memory (`_user(T *, x)` or `_kernel(T *, x)` states the memory that an address is in)",
    ],
    [
      once('_print(_kernel(struct task_struct *, 8)->pid);'),
      "the kernel's memory is only possible where an event of the target is seen, not in `_oneshot` (read it in a probe that runs in the kernel, and keep it in a global)",
    ],
    [
      'void *kept;\n' + wakeUp('kept = p;'),
      "`p` points into the kernel's memory, but `kept` points into the target's memory (`_user(void *, …)` states the memory that an address is in)",
    ],
  ])('%s', (text, expected) => {
    expect(said(text)).toEqual([expected]);
  });

  test('a function takes pointers of the memory it is called with', () => {
    const text =
      'int first(int *p) { return *p; }\n_probe _kfunc.wake_up_new_task(p) { _print(first(&p->pid)); }\n_probe pass(n) { _print(first(&n->key)); }';
    const compiled = compile({ file: 't.y', text, resolveInclude: () => undefined }, stateKnowledge());
    const spaces = compiled.ok
      ? compiled.value.program.functions
          .filter((fn) => fn.name === 'first')
          .map((fn) => JSON.stringify(fn.blocks, (_key, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)))
      : [];
    expect(spaces.map((one) => /"space":"(\w+)"/.exec(one)?.[1])).toEqual(['kernel', 'user']);
  });
});

describe('types', () => {
  test.each([
    [once('int x = "abc";'), '`x` takes `int`, not `_str`'],
    [once('_str s = record.title;'), '`s` takes `_str`, not `const char *` (`_ustr(record.title)` reads the text it points to)'],
    [once('struct node *n = 8;'), '`n` takes `struct node *`, not the number `8` (cast it: `(struct node *)8`)'],
    [
      once('const char *p = "nowhere";'),
      'the target\'s read-only data has no text "nowhere" (compare what the pointer points to: `_ustr(p) == "nowhere"`)',
    ],
    [
      once('if (record.title == "x") _exit();'),
      '`==` cannot join `const char *` and `_str` (`_ustr(record.title)` reads the text it points to)',
    ],
    [once('record.i8 = 1;'), "`record.i8` is in the target's memory: nothing is ever written there (assign to a variable of the script)"],
    [
      once('int x; int *p = &x;'),
      "`x`: only what lies in the target's memory has an address (variables of the program have none: pass the value)",
    ],
    ['_option int n = 1;\n' + once('n = 2;'), '`n` is an option: only the command line sets it (copy it into a variable of its own)'],
    ['_agg a;\n' + once('a = 2;'), '`a` is an aggregate: it takes samples (write `a <<< value`)'],
    [once('int x = 1 / 0;'), 'division by zero'],
    [once('5 = 3;'), '`5` is a value and cannot be assigned to'],
    ['long calls[_str, int];\n' + once('calls["a"]++;'), '`calls` has 2 keys (_str, int), and 1 is given'],
    ['long calls[_str];\n' + once('calls[3]++;'), 'the key of `calls` takes `_str`, not `int`'],
    [
      'long calls[double];\n' + once('_exit();'),
      '`double` cannot be a key (keys are integers, `_str` and `_bt`; several stand side by side: `[int, _str]`)',
    ],
    ['int a = b;\nint b;\n' + once('_exit();'), 'there is no `b` in the script or the target'],
    ['int a = _pid();\n' + once('_exit();'), 'the initial value of `a` must be constant (set it in `_begin`)'],
    ['int f(int x) { return x; }\n' + once('f();'), '`f` takes 1 argument, and 0 are given'],
    ['int f(int x) { return "a"; }\n' + once('_print(f(1));'), 'the result of `f` takes `int`, not `_str`'],
    [once('long x = 5; printf("%d", x);'), 'warning: `%d` prints 4 of the 8 bytes of `x` (use `%ld`)'],
    [once('printf("%s", 5);'), '`%s` cannot print `5` of type `int` (use `%d`)'],
    [once('printf("%d");'), 'the format has 1 conversion, and no values are given'],
    [once('_abs();'), '`_abs` takes 1 argument, and none are given'],
  ])('%s', (text, expected) => {
    expect(said(text)).toEqual([expected]);
  });
});

describe('probes', () => {
  test.each([
    ['_probe mallok(n) { }', 'there is no function `mallok` in the target; did you mean `malloc`? (`_probe?` makes it optional)'],
    ['_probe zz* { }', 'no function of the target matches `zz*` (`_probe?` makes it optional)'],
    ['_probe _syscall.opnat { }', 'there is no system call `opnat`; did you mean `openat`? (`_probe?` makes it optional)'],
    ['_probe _tracepoint.sched.nope { }', 'the kernel has no tracepoint `sched.nope` (`_probe?` makes it optional)'],
    ['_probe _usdt("a", "b") { }', 'the target has no static probe `a:b` (`_probe?` makes it optional)'],
    ['_probe bare(x) { }', '`bare` of /bin/fake has no debug information: its types must be given (write `bare(long x)`)'],
    [
      '_probe half(d) { printf("%f", d); }',
      '`d` of type `double` is passed in a floating-point register (floating-point registers cannot be read in the kernel; read the value where the function keeps it in memory)',
    ],
    ['_probe one(int a, int b) { }', 'it has 1 parameter by debug information, and this is number 2'],
    ['_probe finished() -> r { }', 'it returns nothing by debug information (write `() -> void`, or give `r` a type)'],
    ['_probe _timer.s(0) { }', 'a timer of 0 s: periods are from 1 us to a year'],
    [hit('_print(_ret());'), '`_ret` is only there at the return of a function (write the probe as `_probe fn() -> r { … }`)'],
    ['long n;', 'the program has no probe: nothing would run (begin with `_probe _oneshot { … }`)'],
  ])('%s', (text, expected) => {
    expect(said(text)).toEqual([expected]);
  });

  test.each([
    '_probe? mallok(n) { }\n' + once('_exit();'),
    '_probe half(d) { }',
    '_probe six { printf("%d %d", a, b); }',
    '_probe _global _syscall.* { }',
  ])('%s is fine', (text) => {
    expect(said(text)).toEqual([]);
  });
});

describe('where things are possible', () => {
  test.each([
    [
      '_agg g;\n' + hit('printf("%ld", _sum(g));'),
      '`_sum` is only possible in `_begin`, `_end`, `_oneshot` and timers, not in `one(int a)` (call it in `_end`, `_oneshot` or a timer)',
    ],
    [
      'long c[int];\n' + hit('_foreach (k in c) _print(k);'),
      '`_foreach` is only possible in `_begin`, `_end`, `_oneshot` and timers, not in `one(int a)` (write it in `_end`, `_oneshot` or a timer)',
    ],
    [
      '_probe _end { _print(_arg(0)); }',
      '`_arg` is only possible where an event of the target is seen, not in `_end` (call it in a probe of a function or an event, and keep it in a global)',
    ],
    [
      'long s[_bt];\n_probe _end { s[_ubt()]++; }',
      '`_ubt` is only possible where an event of the target is seen, and in `_oneshot`, not in `_end` (call it in a probe of a function or an event, and keep it in a global)',
    ],
    [
      'int cpu() { return _cpu(); }\n_probe _end { _print(cpu()); }',
      '`_cpu` is only possible where an event of the target is seen, not in `_end` (call it in a probe of a function or an event, and keep it in a global)',
    ],
    [
      '_thread int depth;\n_probe _end { _print(depth); }',
      '`_thread` variable `depth` is only possible where an event of the target is seen, not in `_end` (only a probe that runs in a thread of the target has one; use a shared global)',
    ],
    [
      hit('_str s = _sym(_reg("ip"));'),
      'the name of an address is only possible in `_begin`, `_end`, `_oneshot` and timers, not in `one(int a)` (print it with `%s`, or keep the address and name it later)',
    ],
  ])('%s', (text, expected) => {
    expect(said(text)).toEqual([expected]);
  });

  test('`_oneshot` reads the target, and its thread', () => {
    expect(said(once('printf("%d %s %s", record.i8, _sym(record.op), _ubt());'))).toEqual([]);
  });

  test('a name of an address can be printed anywhere', () => {
    expect(said(hit('printf("%s %s", _sym(_reg("ip")), _ubt());'))).toEqual([]);
  });
});

test('mistakes come together, in the order of the source', () => {
  const text = 'long n;\n_probe _oneshot {\n  n = zz;\n  n = "a";\n  record.zebra;\n}\n_probe nothing() { }\n';
  expect(said(text).map((one) => one.split(' (')[0])).toEqual([
    'there is no `zz` in the script or the target',
    '`n` takes `long`, not `_str`',
    '`zebra` is not a member of `struct record`',
    'there is no function `nothing` in the target',
  ]);
});

test('dumpTyped() shows what names and operators became', () => {
  const text = 'long n;\n_probe pass(p) / p->key > 2 / { n += p->next->key; }';
  const checked = checkSource({ file: 't.y', text, resolveInclude: () => undefined }, stateKnowledge());
  expect(checked.ok && dumpTyped(checked.value.program)).toBe(`probe pass(p) -> f0 hit

f0 pass(p): void
  user struct node * p = argument(index 0)
  if not(compare(operator gt, user*(p), 2))
    return
  n add= (long)user*(user*(p+16)) in long
`);
});
