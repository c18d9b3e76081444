import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  compareCommands,
  describeMachine,
  formatMegabytes,
  formatNumber,
  formatSummary,
  formatTable,
  listProcessTree,
  measure,
  measureInTurn,
  quantile,
  readCommandLine,
  readCpuTimeMs,
  readMemory,
  readPeakMemory,
  replaceSection,
  saveSection,
  summarize,
} from './index.ts';

const NO_PROCESS = 2 ** 22 + 1; // above the kernel's highest process id

describe('quantile()', () => {
  test.each([
    [[5], 0.5, 5],
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.5, 2.5],
    [[10, 9, 100], 1, 100],
    [[1, 2, 3, 4, 5], 0.25, 2],
    [[], 0.5, Number.NaN],
  ])('of %j at %d is %d', (values, q, expected) => {
    expect(quantile(values, q)).toBe(expected);
  });
});

describe('summarize()', () => {
  test('tells median, range and spread', () => {
    expect(summarize([1, 2, 3, 4, 100])).toEqual({ count: 5, median: 3, min: 1, max: 100, mad: 1 });
  });

  test('refuses nothing', () => {
    expect(() => summarize([])).toThrow('nothing was measured');
  });
});

describe('measure()', () => {
  test('waits for asynchronous work', async () => {
    const summary = await measure(() => new Promise((resolve) => setTimeout(resolve, 5)), { repeat: 3 });
    expect(summary.count).toBe(3);
    expect(summary.min).toBeGreaterThan(3);
  });
});

describe('measureInTurn()', () => {
  test('lets the cases take turns, after warming up', async () => {
    let order = '';
    const cases = { a: () => (order += 'a'), b: () => (order += 'b') };
    const summaries = await measureInTurn(cases, { repeat: 2, warmUp: 1 });
    expect(order).toBe('ababab');
    expect(summaries.a.count).toBe(2);
  });
});

describe('the figures of a process', () => {
  test('are read for this one', () => {
    const memory = readMemory(process.pid) ?? Number.NaN;
    expect(memory).toBeGreaterThan(2 ** 20);
    expect(readPeakMemory(process.pid)).toBeGreaterThanOrEqual(memory);
    expect(readCpuTimeMs(process.pid)).toBeGreaterThan(0);
    expect(readCommandLine(process.pid)).toContain('node');
    expect(listProcessTree(process.ppid)).toContain(process.pid);
  });

  test('are undefined for one that is gone', () => {
    for (const read of [readMemory, readPeakMemory, readCpuTimeMs, readCommandLine]) expect(read(NO_PROCESS)).toBeUndefined();
    expect(listProcessTree(NO_PROCESS)).toEqual([NO_PROCESS]);
  });
});

describe('compareCommands()', () => {
  test('tells time, processor time and memory of each', async () => {
    const busy = 'const end = Date.now() + 150; while (Date.now() < end);';
    const commands = { busy: [process.execPath, '-e', busy], idle: ['sleep', '0.15'] } as const;
    const { busy: worked, idle } = await compareCommands(commands, { repeat: 2, warmUp: 0 });
    expect(worked.wallMs.median).toBeGreaterThan(140);
    expect(idle.wallMs.median).toBeGreaterThan(140);
    expect(worked.cpuMs.median).toBeGreaterThan(idle.cpuMs.median);
    expect(worked.peakMemory.median).toBeGreaterThan(idle.peakMemory.median);
  });

  test.each([
    ['that fails', ['sh', '-c', 'echo why >&2; exit 3'], /ended with 3: why/],
    ['that does not exist', ['/no/such/command'], /ENOENT/],
  ] as const)('refuses a command %s', async (_, command, message) => {
    await expect(compareCommands({ command: command as readonly [string, ...string[]] })).rejects.toThrow(message);
  });
});

describe('describeMachine()', () => {
  test('names no host', () => {
    expect(describeMachine()).toMatch(/^\d+ cores \(.+\), \d+ GB, \w+ \S+, Node v\d+/);
  });
});

describe('formatTable()', () => {
  test('lines up its columns, figures to the right', () => {
    expect(
      formatTable(
        ['case', 'ms'],
        [
          ['one', '1,200'],
          ['another', '3'],
        ],
      ),
    ).toBe(['| case    |    ms |', '|---------|------:|', '| one     | 1,200 |', '| another |     3 |'].join('\n'));
  });
});

describe('the formats', () => {
  test.each([
    [0, '0'],
    [0.012345, '0.0123'],
    [1.2345, '1.23'],
    [123.45, '123'],
    [1234567, '1,234,567'],
    [Number.NaN, '-'],
  ])('of the number %d is %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  test('of memory and of a summary', () => {
    expect(formatMegabytes(237 * 2 ** 20)).toBe('237 MB');
    expect(formatSummary(summarize([1, 2, 3]))).toBe('2 (1 .. 3)');
  });
});

describe('replaceSection()', () => {
  const one = '<!-- bench:one -->\nold\n<!-- /bench:one -->';

  test.each([
    ['', '<!-- bench:one -->\nnew\n<!-- /bench:one -->\n'],
    ['# Title\n', '# Title\n\n<!-- bench:one -->\nnew\n<!-- /bench:one -->\n'],
    [`before\n${one}\nafter\n`, 'before\n<!-- bench:one -->\nnew\n<!-- /bench:one -->\nafter\n'],
  ])('in %j', (document, expected) => {
    expect(replaceSection(document, 'one', 'new\n')).toBe(expected);
  });

  test('refuses a section without end, and a bad name', () => {
    expect(() => replaceSection('<!-- bench:one -->', 'one', '')).toThrow('without');
    expect(() => replaceSection('', 'a b', '')).toThrow('letters');
  });
});

describe('saveSection()', () => {
  test('begins the document and keeps other sections', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fluoro-bench-'));
    const file = join(folder, 'docs/benchmarks.md');
    await saveSection('one', 'first', file);
    await saveSection('two', 'second', file);
    await saveSection('one', 'third', file);
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(/^# Benchmarks\n[^]*third[^]*second/);
    expect(text).not.toContain('first');
    await rm(folder, { recursive: true });
  });
});
