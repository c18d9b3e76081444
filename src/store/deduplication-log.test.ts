import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { repairDeduplicationLogs } from './deduplication-log.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'fluoro-log-'));
});

afterEach(() => {
  rmSync(dir, { recursive: true });
});

/** A table with these parts and logs; the path of the newest log. */
function makeTable(parts: readonly string[], ...logs: readonly string[][]): string {
  const table = join(dir, 'store', 'abc', 'abcdef');
  for (const part of [...parts, 'detached', 'deduplication_logs']) mkdirSync(join(table, part), { recursive: true });
  const path = (number: number): string => join(table, 'deduplication_logs', `deduplication_log_${number}.txt`);
  logs.forEach((lines, index) => writeFileSync(path(index + 9), lines.map((line) => `${line}\n`).join('')));
  return path(logs.length + 8);
}

const added = (part: string): string => `1\t${part}\t20261121_1_2`;

describe('repairDeduplicationLogs()', () => {
  test.each<[string, string[], string[], string[]]>([
    ['a part that is there', ['20261121_1_1_0'], [added('20261121_1_1_0')], [added('20261121_1_1_0')]],
    [
      'parts that were merged',
      ['20261121_1_7_2'],
      [added('20261121_1_1_0'), added('20261121_7_7_0')],
      [added('20261121_1_1_0'), added('20261121_7_7_0')],
    ],
    ['a part with a mutation', ['20261121_1_1_0_5'], [added('20261121_1_1_0')], [added('20261121_1_1_0')]],
    [
      'a part that was not finished',
      ['20261121_1_1_0', 'tmp_insert_20261121_2_2_0'],
      [added('20261121_1_1_0'), added('20261121_2_2_0')],
      [added('20261121_1_1_0')],
    ],
    ['a part of another day', ['20261121_5_5_0'], [added('20261120_4_4_0')], []],
    ['a line that was cut off', ['20261121_1_1_0'], [added('20261121_1_1_0'), '1\t2026'], [added('20261121_1_1_0')]],
    ['a token that was dropped', [], ['2\t20261121_1_1_0\t20261121_1_2'], ['2\t20261121_1_1_0\t20261121_1_2']],
  ])('%s', (_, parts, lines, expected) => {
    const path = makeTable(parts, lines);
    expect(repairDeduplicationLogs(dir)).toBe(lines.length - expected.length);
    expect(readFileSync(path, 'utf8')).toBe(expected.map((line) => `${line}\n`).join(''));
    expect(repairDeduplicationLogs(dir)).toBe(0);
  });

  test('a log without its last newline gets one when it is written anew', () => {
    const path = makeTable([], []);
    writeFileSync(path, `2\t20261121_1_1_0\tx\n1\t20261121_2_2_0\tx`);
    expect(repairDeduplicationLogs(dir)).toBe(1);
    expect(readFileSync(path, 'utf8')).toBe('2\t20261121_1_1_0\tx\n');
  });

  test('only the newest log can have been cut off', () => {
    const path = makeTable([], [added('20261121_1_1_0')], [added('20261121_2_2_0')]);
    expect(repairDeduplicationLogs(dir)).toBe(1);
    expect(readFileSync(path.replace('_10.txt', '_9.txt'), 'utf8')).toBe(`${added('20261121_1_1_0')}\n`);
  });

  test('a new store, and tables without a log', () => {
    expect(repairDeduplicationLogs(join(dir, 'none'))).toBe(0);
    mkdirSync(join(dir, 'store', 'abc', 'abcdef', '20261121_1_1_0'), { recursive: true });
    expect(repairDeduplicationLogs(dir)).toBe(0);
  });
});
