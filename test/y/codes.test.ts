// Every diagnostic that the compiler can give is seen: in the conformance sets with its exact text, or in a test beside the source.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const SETS = fileURLToPath(new URL('.', import.meta.url));
const ROOM = fileURLToPath(new URL('../../src/y/', import.meta.url));
const KERNEL_TESTS = fileURLToPath(new URL('../kernel/', import.meta.url));

/** Why no test on this machine can bring some about. */
const UNSEEN: Readonly<Record<string, string>> = {
  context: 'the checker refuses it before the engine can',
  cookies: 'a kernel without bpf_get_attach_cookie',
  counter: 'a machine without performance counters',
  'kernel-clear': 'a kernel without bpf_for_each_map_elem',
  'kernel-function': 'a kernel without kprobes',
  'kernel-histogram': 'the checker refuses it before the engine can',
  'kernel-type': 'a kernel without BTF',
  'lone-regex': 'the parser refuses it before the checker can',
  'old-kernel': 'a kernel without bpf_loop',
  'other-thread': 'a kernel without kprobes',
  'pid-namespace': 'a process without a pid namespace',
  register: 'the checker refuses it before the engine can',
  'thread-aggregate': 'the checker refuses it before the engine can',
  'tracepoint-array': 'no tracepoint of every kernel has such a field',
  'ambiguous-name': 'needs two variables of one name in one module',
};

/** `report(c, 'code', …`, `this.complain(\n'code', …`, `code: 'code'`. */
const GIVEN =
  /\b(?:complain|fail|warn|report|mistake|diagnose|bad|stop)\(\s*(?:c,\s*)?(?:[\w.]+\.(?:length|end),\s*|end,\s*)?'([a-z]+(?:-[a-z]+)*)'|\bcode: '([a-z-]+)'/g;

describe('diagnostics', () => {
  const sources = files(ROOM, /(?<!\.test)\.ts$/);
  const codes = new Set(sources.flatMap((text) => [...text.matchAll(GIVEN)].map((match) => match[1] ?? match[2]!)));
  const seen = [...files(SETS, /\.md$/), ...files(ROOM, /\.test\.ts$/), ...files(KERNEL_TESTS, /\.test\.ts$/)].join('\n');

  test('there are many', () => expect(codes.size).toBeGreaterThan(120));

  test.each([...codes].sort())('%s is seen', (code) => {
    const isSeen = seen.includes(`[${code}]`) || seen.includes(`'${code}'`);
    expect(isSeen || code in UNSEEN).toBe(true);
  });
});

function files(folder: string, name: RegExp): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((one) => name.test(one)).map((one) => readFileSync(folder + one, 'utf8'));
}
