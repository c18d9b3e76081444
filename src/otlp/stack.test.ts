import { describe, expect, test } from 'vitest';
import { parseStack } from './stack.ts';

describe('parseStack()', () => {
  test('reads Java with causes', () => {
    const text = [
      'java.lang.IllegalStateException: cart is gone',
      '\tat com.shop.Cart.get(Cart.java:42)',
      '\tat java.base/java.lang.Thread.run(Thread.java:829)',
      '\tat jdk.internal.Reflect.invoke0(Native Method)',
      '\tSuppressed: java.io.IOException: close',
      'Caused by: java.sql.SQLException: no: connection',
      'still its message',
      '\tat org.db.Pool.take(Pool.java:7)',
      '\t... 12 more',
    ].join('\n');
    expect(parseStack('java.lang.IllegalStateException', 'cart is gone', text)).toEqual([
      {
        type: 'java.lang.IllegalStateException',
        message: 'cart is gone',
        truncated: 0,
        frames: [
          { path: 'Cart.java', line: 42, label: 'com.shop.Cart.get' },
          { path: 'Thread.java', line: 829, label: 'java.base/java.lang.Thread.run' },
          { path: 'Native Method', label: 'jdk.internal.Reflect.invoke0' },
          { label: 'Suppressed: java.io.IOException: close' },
        ],
      },
      {
        type: 'java.sql.SQLException',
        message: 'no: connection',
        truncated: 12,
        frames: [{ path: 'Pool.java', line: 7, label: 'org.db.Pool.take' }],
      },
    ]);
  });

  test('reads JavaScript', () => {
    const text = [
      'TypeError: x is not a function',
      '    over two lines',
      '    at Cart.get (/app/cart.js:10:5)',
      '    at async Promise.all (index 0)',
      '    at new Pool (file:///app/pool.mjs:3:1)',
      '    at Object.<anonymous> (/app/with space/a.js:1:2)',
      '    at get x [as y] (/app/a.js:2:2)',
      '    at /app/index.js:1:1',
      '    at node:internal/main:28:49',
      '    at eval (eval at run (/app/e.js:1:1), <anonymous>:1:1)',
    ].join('\n');
    const [exception] = parseStack('TypeError', 'x is not a function', text);
    expect(exception!.frames).toEqual([
      { path: '/app/cart.js', line: 10, label: 'Cart.get' },
      { path: 'index 0', label: 'Promise.all' },
      { path: 'file:///app/pool.mjs', line: 3, label: 'new Pool' },
      { path: '/app/with space/a.js', line: 1, label: 'Object.<anonymous>' },
      { path: '/app/a.js', line: 2, label: 'get x [as y]' },
      { path: '/app/index.js', line: 1 },
      { path: 'node:internal/main', line: 28 },
      { label: 'at eval (eval at run (/app/e.js:1:1), <anonymous>:1:1)' },
    ]);
  });

  test('reads Python, innermost frame and last exception first', () => {
    const text = [
      'Traceback (most recent call last):',
      '  File "/app/db.py", line 3, in take',
      '    raise OSError("down")',
      'OSError: down',
      '',
      'The above exception was the direct cause of the following exception:',
      '',
      'Traceback (most recent call last):',
      '  File "/app/main.py", line 20, in <module>',
      '    main()',
      '  File "/app/cart.py", line 7, in get',
      '    ~~~^^^',
      'shop.CartError: gone',
    ].join('\n');
    expect(parseStack(undefined, 'gone!', text)).toEqual([
      {
        type: 'shop.CartError',
        message: 'gone!',
        truncated: 0,
        frames: [
          { path: '/app/cart.py', line: 7, label: 'get' },
          { path: '/app/main.py', line: 20, label: '<module>' },
        ],
      },
      { type: 'OSError', message: 'down', truncated: 0, frames: [{ path: '/app/db.py', line: 3, label: 'take' }] },
    ]);
  });

  test.each<[string, string, unknown[]]>([
    [
      '.NET',
      'System.Exception: m\n   at Shop.Cart.Get(Int32 id) in C:\\src\\Cart.cs:line 12',
      [{ path: 'C:\\src\\Cart.cs', line: 12, label: 'Shop.Cart.Get(Int32 id)' }],
    ],
    [
      'Go',
      'goroutine 1 [running]:\nmain.(*Cart).get(0xc000)\n\t/src/cart.go:12 +0x1d',
      [{ path: '/src/cart.go', line: 12, label: 'main.(*Cart).get(0xc000)' }],
    ],
    [
      'Ruby',
      "/app/cart.rb:3:in `get': gone (RuntimeError)\n\tfrom /app/main.rb:9:in `<main>'",
      [{ path: '/app/main.rb', line: 9, label: '<main>' }],
    ],
    [
      'PHP',
      '#0 /app/index.php(12): Cart->get()\n#1 {main}',
      [{ path: '/app/index.php', line: 12, label: 'Cart->get()' }, { label: '#1 {main}' }],
    ],
    ['an unknown form line by line', 'one\n\n  two', [{ label: 'one' }, { label: 'two' }]],
    ['nothing', '', []],
  ])('reads %s', (_name, text, frames) => {
    expect(parseStack('T', undefined, text)).toEqual([{ type: 'T', message: undefined, truncated: 0, frames }]);
  });

  test('is bounded for long and hostile text', () => {
    const lines = [
      'at (((((',
      'x'.repeat(50_000),
      'f('.repeat(500),
      `at ${' ('.repeat(400)}`,
      `at ${'a.'.repeat(490)} (`,
      `  ${'a.rb:1'.repeat(150)}`,
    ];
    const text = Array.from({ length: 30_000 }, (_, index) => lines[index % lines.length]).join('\n\t/a.go:1\n');
    const start = performance.now();
    const [exception] = parseStack('T', 'm', text);
    expect(exception!.frames).toHaveLength(500);
    expect(exception!.truncated).toBeGreaterThan(10_000);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
