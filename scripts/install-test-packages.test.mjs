// The installer of system packages with stand-ins for Debian's tools; what they were asked is noted in calls.txt.

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('install-test-packages.sh', import.meta.url));
let folder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fluoro-packages-'));
  mkdirSync(join(folder, 'bin'));
  copyFileSync(SCRIPT, join(folder, 'install.sh'));
  writeFileSync(join(folder, 'test-packages.txt'), '# comment\nbrowser   to browse\n\npython    to run # really\n');
  for (const tool of ['sh', 'sed', 'awk', 'mktemp', 'rm', 'tail', 'cat']) {
    symlinkSync(execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(), join(folder, 'bin', tool));
  }
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function standIn(name, body) {
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

function run({ installed, user, aptGet = '' }) {
  if (installed) standIn('dpkg-query', `case "${installed.join(' ')}" in *"$3"*) echo installed ;; *) exit 1 ;; esac`);
  standIn('id', `echo ${user ?? 0}`);
  standIn('apt-get', `echo "$*" >> "${folder}/calls.txt"\n${aptGet}`);
  const { status, stderr } = spawnSync('sh', [join(folder, 'install.sh')], { encoding: 'utf8', env: { PATH: join(folder, 'bin') } });
  const calls = join(folder, 'calls.txt');
  return { status, stderr, calls: existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [] };
}

const INSTALL = 'install --yes --no-install-recommends python';

test('does and says nothing when all is there', () => {
  expect(run({ installed: ['browser', 'python'] })).toEqual({ status: 0, stderr: '', calls: [] });
});

test('installs what is missing, and says so', () => {
  const { status, stderr, calls } = run({ installed: ['browser'] });
  expect({ status, calls }).toEqual({ status: 0, calls: [INSTALL] });
  expect(stderr).toMatch(/installing system packages: python\n[^]*installed: python/);
});

test('reads the package lists only when the first try fails', () => {
  const { status, calls } = run({ installed: ['browser'], aptGet: `[ "$(cat "${folder}/calls.txt")" != "${INSTALL}" ]` });
  expect({ status, calls }).toEqual({ status: 0, calls: [INSTALL, 'update', INSTALL] });
});

test('goes on when it cannot install, with the reason', () => {
  const { status, stderr } = run({ installed: ['browser'], aptGet: 'echo no network; exit 1' });
  expect(status).toBe(0);
  expect(stderr).toMatch(/no network[^]*could not install them/);
});

test('without root says what is missing and the command', () => {
  const { status, stderr, calls } = run({ installed: [], user: 1000 });
  expect({ status, calls }).toEqual({ status: 0, calls: [] });
  expect(stderr).toMatch(/missing system packages: browser python\n[^]*sudo apt-get install .* browser python/);
});

test('on another system names the programs', () => {
  const { status, stderr, calls } = run({});
  expect({ status, calls }).toEqual({ status: 0, calls: [] });
  expect(stderr).toMatch(/no dpkg here; .*: browser python/);
});
