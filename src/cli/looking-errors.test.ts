import { expect, test } from 'vitest';
import type { LiveError } from '../session/index.ts';
import { failLive } from './looking-errors.ts';
import type { RunOutput } from './run-output.ts';

function collect(error: LiveError): { readonly status: number; readonly text: string } {
  let text = '';
  const output: RunOutput = {
    write: () => undefined,
    chart: () => undefined,
    end: () => undefined,
    commandEnd: () => undefined,
    close: () => undefined,
    diagnostics: (diagnostics) => (text += JSON.stringify(diagnostics)),
    fail: (kind, message) => (text += `${kind}: ${message}`),
  };
  return { status: failLive(output, error, new Map([['a.y', 'long n;\nlong m;\n']])), text };
}

test('a refusal by the verifier is our bug: the line, its last words, and where to go', () => {
  const line = { slot: 3, file: 'a.y', line: 2, column: 1, text: 'n++;' };
  const log = ['3: (79) r1 = *(u64 *)(r0 +0)', "R0 invalid mem access 'scalar'"];
  const message = "the kernel refuses program p: R0 invalid mem access 'scalar'; at a.y:2: n++;";
  const { status, text } = collect({ kind: 'kernel', error: { kind: 'refused', program: 'p', message, log, line, errno: 13 } });
  expect(status).toBe(70);
  expect(text).toBe(
    [
      `refused: this is our bug: ${message}`,
      ...log.map((one) => `  ${one}`),
      'please report it, with the program, these lines and what `fluoro doctor` says',
    ].join('\n'),
  );
});

test.each([
  ['forbidden', 69, /^forbidden: not permitted: probes need root, or CAP_BPF and CAP_PERFMON \(why\)$/],
  ['unsupported', 69, /^unsupported: why$/],
  ['not-found', 69, /^not-found: why$/],
  ['failed', 70, /^failed: why\nplease report it/],
] as const)('a kernel that answers "%s" gives status %i', (kind, expected, words) => {
  const { status, text } = collect({ kind: 'kernel', error: { kind, message: 'why', errno: 1 } });
  expect(status).toBe(expected);
  expect(text).toMatch(words);
});

test('what the engine cannot do is a mistake in the program, with its place', () => {
  const place = { file: 'a.y', line: 2, column: 6 };
  const { status, text } = collect({ kind: 'program', diagnostics: [{ code: 'recursion', message: 'no', place, hint: 'a loop' }] });
  expect(status).toBe(1);
  expect(JSON.parse(text)).toEqual([
    { severity: 'error', code: 'recursion', message: 'no', span: { ...place, start: 13, end: 14 }, notes: [], hint: 'a loop' },
  ]);
});
