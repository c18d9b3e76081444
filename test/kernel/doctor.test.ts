import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type TestContext } from 'vitest';
import type { Finding } from '../../src/cli/doctor.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';

const MAIN = new URL('../../dist/cli/main.js', import.meta.url).pathname;
const NOBODY = 65_534;

/** What `fluoro doctor --json` says of looking into programs, by name. */
function examine(context: TestContext, uid: number, through: readonly string[] = []): Map<string, Finding> {
  requireOrSkip(context, process.getuid?.() === 0, 'only root can become another user');
  requireOrSkip(context, existsSync(MAIN), 'not built; run ./fluoro build');
  const data = mkdtempSync(join(tmpdir(), 'fluoro-doctor-'));
  context.onTestFinished(() => rmSync(data, { recursive: true }));
  const [program, ...words] = [...through, process.execPath, MAIN, 'doctor', '--json', '--data', join(data, 'none')];
  const run = spawnSync(program!, words, { uid, gid: uid, encoding: 'utf8', env: { PATH: process.env.PATH } });
  expect(run.stderr).toBe('');
  const findings = JSON.parse(run.stdout) as Finding[];
  return new Map(findings.filter(({ wing }) => wing === 'looking').map((finding) => [finding.what, finding]));
}

test('fluoro doctor finds what works as root, each thing that does not with its reason and the way out', (context) => {
  const findings = examine(context, 0);
  for (const name of ['maps', 'ring buffers', 'tracing programs', 'sampling', 'process memory', 'raw tracepoints', 'uprobes, one by one'])
    expect(findings.get(name)?.state, name).toBe('ok');
  for (const { state, detail, remedy } of findings.values()) {
    expect(detail.length).toBeGreaterThan(0);
    if (state !== 'ok') expect(remedy?.length).toBeGreaterThan(0);
  }
});

test('fluoro doctor names the missing rights as nobody', (context) => {
  const findings = examine(context, NOBODY);
  expect(findings.get('maps')).toMatchObject({ state: 'off', remedy: expect.stringContaining('CAP_BPF') });
  expect(findings.get('tracing programs')).toMatchObject({
    state: 'off',
    detail: expect.stringContaining('CAP_BPF and CAP_PERFMON are missing'),
  });
  expect(findings.get('process memory')).toMatchObject({ state: 'off', detail: expect.stringContaining('CAP_SYS_PTRACE is missing') });
  expect(findings.get('kernel function hooks')).toMatchObject({
    detail: expect.stringMatching(/EPERM: CAP_BPF and CAP_PERFMON are missing$/),
  });
  expect(findings.get('kernel symbols')).toMatchObject({ state: 'limited', detail: '/proc/kallsyms shows zeros' });
});

const LEAST = '+bpf,+perfmon,+sys_ptrace';

test('fluoro doctor finds all that is essential with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE alone', (context) => {
  const through = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', `--inh-caps=${LEAST}`, `--ambient-caps=${LEAST}`];
  const findings = examine(context, 0, through);
  expect([...findings.values()].filter(({ state }) => state === 'off')).toEqual([]);
  for (const name of ['uprobes', 'sampling', 'raw tracepoints', 'typed tracepoints', 'iterators', 'process memory'])
    expect(findings.get(name)?.state, name).toBe('ok');
  expect(findings.get('uprobes, one by one')).toMatchObject({
    state: 'limited',
    detail: expect.stringContaining('CAP_SYS_ADMIN is missing'),
  });
});

test('fluoro doctor tells a user namespace from a missing right', (context) => {
  requireOrSkip(context, spawnSync('unshare', ['-Ur', 'true']).status === 0, 'no user namespaces here');
  expect(examine(context, 0, ['unshare', '-Ur']).get('maps')).toMatchObject({
    state: 'off',
    detail: expect.stringContaining('in a user namespace'),
  });
});
