import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { KEYS } from './keys.ts';
import { parseFilter } from './parse.ts';

const PAGE = readFileSync(new URL('../../../docs/reference/filter-expressions.md', import.meta.url), 'utf8');

/** The rows of the table under a heading, as cells. */
function rowsUnder(heading: string): readonly (readonly string[])[] {
  const section = PAGE.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) => row.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));
}

const code = (cell: string | undefined): string => /`(.*)`/.exec(cell ?? '')?.[1] ?? '';

describe('the reference for filter expressions', () => {
  test.each(rowsUnder('Examples').map(([cell]) => code(cell)))('gives an example that is read: %s', (expression) => {
    expect(parseFilter(expression).ok).toBe(true);
  });

  test.each(rowsUnder('Errors').map(([cell, message]) => [code(cell), message?.replace(/\\/g, '').replace(/ …$/, '') ?? '']))(
    'quotes the message for %s',
    (expression, message) => {
      const result = parseFilter(expression);
      expect(result.ok ? '' : result.error.message).toContain(message);
    },
  );

  test('names every keyword', () => {
    expect(KEYS.filter(({ key }) => !PAGE.includes(`\`${key}\``))).toEqual([]);
  });
});
