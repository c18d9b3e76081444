// The reporter in real runs of vitest on a made-up test file.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const VITEST = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const REPORTER = fileURLToPath(new URL('count-reporter.mjs', import.meta.url));

/** Runs vitest on one file of tests; tells its exit status and the last line that it printed. */
async function runVitest(text, { args = [], env = {} } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'fluoro-reporter-'));
  writeFileSync(join(root, 'a.test.mjs'), text);
  const command = [VITEST, 'run', '--globals', '--root', root, '--reporter', 'default', '--reporter', REPORTER, ...args];
  const result = await new Promise((resolve) => {
    const options = { env: { ...process.env, FLUORO_REQUIRE_KERNEL: '', ...env } };
    execFile(process.execPath, command, options, (error, stdout) =>
      resolve({ code: error?.code ?? 0, last: stdout.trimEnd().split('\n').at(-1) }),
    );
  });
  rmSync(root, { recursive: true });
  return result;
}

const FINE = "test('fine', () => {});";
const REQUIRED = { FLUORO_REQUIRE_KERNEL: '1' };

describe('the last line and the exit status', () => {
  test.each([
    ['of a passing run', FINE, {}, '1 passed, 0 failed, 0 skipped', 0],
    ['of a failure', `${FINE} test('bad', () => expect(1).toBe(2));`, {}, '1 passed, 1 failed, 0 skipped', 1],
    ['of a skip', `${FINE} test('later', (context) => context.skip('no'));`, {}, '1 passed, 0 failed, 1 skipped', 0],
    ['of a skip where none may be', `${FINE} test.skip('later', () => {});`, { env: REQUIRED }, '1 passed, 0 failed, 1 skipped', 1],
    ['of a chosen test', `${FINE} test('other', () => {});`, { env: REQUIRED, args: ['-t', 'fine'] }, '1 passed, 0 failed, 1 skipped', 0],
    ['of a file that does not load', "throw new Error('no');", {}, '0 passed, 1 failed, 0 skipped', 1],
    [
      'of a suite that is not ready',
      `describe('s', () => { beforeAll(() => { throw 1; }); ${FINE} });`,
      {},
      '0 passed, 1 failed, 1 skipped',
      1,
    ],
    [
      'of an error outside tests',
      `${FINE} setTimeout(() => { throw new Error('stray'); }, 0); test('waits', () => new Promise((r) => setTimeout(r, 50)));`,
      {},
      '2 passed, 1 failed, 0 skipped',
      1,
    ],
    ['of a run without tests', FINE, { args: ['nothing-matches'] }, '0 passed, 0 failed, 0 skipped', 1],
  ])('%s', async (_, text, options, last, code) => {
    expect(await runVitest(text, options)).toEqual({ last, code });
  });
});
