import { expect, test } from 'vitest';
import { block, format, irFunction, program, r, testEnvironment } from '../../../../test/support/y-program.ts';
import { compileRegex } from '../../regex/index.ts';
import { SnapshotEngine } from './engine.ts';

/** `1` or `0`, then groups 0 and 1, which begin as `?`; group 0 is written over the subject's own place. */
function match(source: string, subject: string, captures: number): string {
  const regex = compileRegex(source, '', captures);
  if (!regex.ok) throw new Error(regex.error.message);
  const groups = [{ local: 0 }, { local: 1 }].slice(0, captures);
  const body = irFunction(
    [
      block([
        { op: 'copy-text', to: { local: 0 }, from: { literal: 0 } },
        { op: 'copy-text', to: { local: 1 }, from: { literal: 1 } },
        { op: 'match', to: 0, regex: 0, subject: { local: 0 }, groups },
        {
          op: 'print',
          stream: 'out',
          format: 0,
          values: [{ kind: 'integer', value: r(0) }, ...[0, 1].map((local) => ({ kind: 'text', text: { local } }) as const)],
        },
      ]),
    ],
    { texts: [32, 32] },
  );
  const formats = [format({ verb: 'd' }, ' ', { verb: 's' }, ' ', { verb: 's' })];
  const whole = program([body], { regexes: [regex.value], literals: [subject, '?'].map((text) => Buffer.from(text)), formats });
  const { environment, recorded } = testEnvironment(whole);
  expect(new SnapshotEngine(whole, environment).run(0)).toEqual({ kind: 'done' });
  return recorded.text;
}

test.each([
  ['b+', 'abbc', 0, '1 abbc ?'],
  ['^b', 'abbc', 0, '0 abbc ?'],
  ['b+', 'abbc', 1, '1 bb ?'],
  ['a(b*)', 'xabbc', 2, '1 abb bb'],
  ['a(z)?b', 'xabbc', 2, '1 ab '],
  ['(q)', 'xabbc', 2, '0 xabbc ?'],
])('%s on %s with %d groups gives %s', (source, subject, captures, expected) => {
  expect(match(source, subject, captures)).toBe(expected);
});
