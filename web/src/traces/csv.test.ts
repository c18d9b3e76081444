import { expect, test } from 'vitest';
import type { TraceListItem } from '../core.ts';
import { toCsv } from './csv.ts';

const trace: TraceListItem = {
  id: '1-68a1b2c3-00112233445566778899aabb',
  startSeconds: 1_785_751_200,
  durationSeconds: 0.25,
  outcome: 'ok',
  partial: false,
  http: { url: 'https://shop.example/?q=a,"b"', userAgent: '=HYPERLINK("x")' },
  users: ['alice'],
  nodes: ['shop', 'db'],
  segments: 2,
  annotations: { tier: ['gold'] },
};

test('toCsv() quotes, leaves out what is unknown and disarms formulas', () => {
  const [head, row, end] = toCsv([trace]).split('\r\n');
  expect(head!.split(',')).toHaveLength(17);
  expect(row).toContain('"https://shop.example/?q=a,""b"""');
  expect(row).toContain(`"'=HYPERLINK(""x"")"`);
  expect(row).toContain('2026-08-03T10:00:00.000Z,,0.25,');
  expect(end).toBe('');
});
