import { describe, expect, test } from 'vitest';
import { readProgramWords, readWish, type LookingFlags } from './looking-options.ts';

const wish = (flags: LookingFlags) => readWish(flags);

describe('readWish()', () => {
  test.each<[LookingFlags, unknown]>([
    [{}, { kind: 'host' }],
    [{ pid: '12' }, { kind: 'process', pid: 12 }],
    [{ pid: '-12' }, { kind: 'group', group: 12 }],
    [{ exe: '/no/such/file' }, { kind: 'executable', path: '/no/such/file' }],
    [{ container: '3F2a' }, { kind: 'container', id: '3F2a' }],
    [{ command: 'gzip -k big' }, { kind: 'command', line: 'gzip -k big' }],
    [{ core: 'core.1' }, { kind: 'core', path: 'core.1', exe: undefined }],
    [
      { core: 'core.1', exe: '/bin/x' },
      { kind: 'core', path: 'core.1', exe: '/bin/x' },
    ],
  ])('%j chooses %j', (flags, target) => {
    expect(wish(flags)).toMatchObject({ ok: true, value: { target } });
  });

  test('reads times, shares, macros', () => {
    const flags: LookingFlags = { timeout: '1.5', maxOverhead: '2%', define: ['A', 'B=x=y', 'C='], engine: 'ebpf' };
    const defines = new Map([
      ['A', '1'],
      ['B', 'x=y'],
      ['C', ''],
    ]);
    expect(wish(flags)).toMatchObject({ ok: true, value: { timeoutMs: 1500, maxOverhead: 0.02, engine: 'ebpf', defines } });
    expect(wish({ maxOverhead: '0.5' })).toMatchObject({ ok: true, value: { maxOverhead: 0.5 } });
  });

  test.each<[LookingFlags, RegExp]>([
    [{ pid: '1', command: 'ls' }, /^-p and -c both choose/],
    [{ pid: 'nginx' }, /^-p is a process id.*not "nginx".*pgrep/],
    [{ pid: '0' }, /^-p is a process id/],
    [{ pid: '99999999999' }, /^-p is a process id/],
    [{ command: '  ' }, /^-c needs a command/],
    [{ container: 'abc' }, /at least 4, and not "abc"/],
    [{ timeout: '0' }, /^--timeout is a number of seconds up to 2000000, and not "0"/],
    [{ timeout: 'soon' }, /^--timeout/],
    [{ timeout: '3000000' }, /^--timeout/],
    [{ maxOverhead: '101%' }, /^--max-overhead is a share/],
    [{ maxOverhead: '0' }, /^--max-overhead/],
    [{ engine: 'gdb' }, /^--engine is ebpf or snapshot, and not "gdb"/],
    [{ freeze: true }, /^--freeze stops one process/],
    [{ define: ['1A'] }, /^-D is NAME or NAME=VALUE, and not "1A"/],
  ])('%j is refused', (flags, message) => {
    const result = wish(flags);
    expect(result).toMatchObject({ ok: false, error: expect.stringMatching(message) as string });
  });
});

describe('readProgramWords()', () => {
  test.each<[string[], string | undefined, Record<string, string>]>([
    [['a.y'], 'a.y', {}],
    [['-'], '-', {}],
    [['a.y', '--min-bytes', '1'], 'a.y', { 'min-bytes': '1' }],
    [['--min-bytes=1', 'a.y'], 'a.y', { 'min-bytes': '1' }],
    [['--min-bytes', '-1', 'a.y'], 'a.y', { 'min-bytes': '-1' }],
    [['a.y', '--all'], 'a.y', { all: 'true' }],
    [['a.y', '--all', '--name', 'x'], 'a.y', { all: 'true', name: 'x' }],
    [['a.y', '--name='], 'a.y', { name: '' }],
    [[], undefined, {}],
  ])('%j is the file %j with %j', (words, file, options) => {
    expect(readProgramWords(words, false)).toEqual({ ok: true, value: { file, options: new Map(Object.entries(options)) } });
  });

  test.each([
    [['a.y', 'b.y'], false, '"b.y" is one word too many: the program is a.y'],
    [['a.y'], true, '"a.y" is one word too many: the program was given with -e'],
    [['-z'], false, 'there is no option -z'],
  ])('%j is refused', (words, hasText, error) => {
    expect(readProgramWords(words, hasText)).toEqual({ ok: false, error });
  });
});
