// Compiled programs on other runs of the target: mapped elsewhere, copied elsewhere, built again.
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, type TestContext } from 'vitest';
import { openSubject, relocateProgram, startLiveSession, startSnapshotSession, type Subject } from '../../src/session/index.ts';
import { compile, decodeProgram, encodeProgram, type OutputSink, type Program } from '../../src/y/index.ts';
import { requireOrSkip, skipUnless } from '../support/require-or-skip.ts';
import { findNoCompiler } from '../support/test-program.ts';
import { RunningTarget, SOURCES } from '../y/support/targets.ts';

const SOURCE = join(SOURCES, 'state.c');
const WALK = '_probe _oneshot { char *z = "zero"; printf("%d %d %s %s\\n", counter, numbers[3], record.title, z); }';
const COUNT = 'long n; _probe one(int i) { n += i + counter; } _probe _end { printf("%ld\\n", n); }';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fluoro-compiled-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A position-independent executable with a build-id of its contents. */
function build(name: string, ...flags: readonly string[]): string {
  const out = join(folder, name);
  execFileSync('gcc', ['-g', '-O1', '-pthread', '-fPIE', '-pie', '-Wl,--build-id=sha1', ...flags, SOURCE, '-o', out], { stdio: 'pipe' });
  return out;
}

function buildFirst(context: TestContext): string {
  requireOrSkip(context, process.getuid?.() === 0, 'looking into a process needs root');
  skipUnless(context, findNoCompiler());
  return build('state');
}

async function startAt(context: TestContext, program: string): Promise<{ readonly target: RunningTarget; readonly subject: Subject }> {
  const target = new RunningTarget(spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] }));
  context.onTestFinished(() => target.stop());
  await target.line();
  const subject = openSubject({ kind: 'process', pid: target.pid, freeze: false });
  if (!subject.ok) throw new Error(subject.error.message);
  context.onTestFinished(() => subject.value.close());
  return { target, subject: subject.value };
}

/** What a file has of it. */
function compileFor({ knowledge }: Subject, text: string): Uint8Array {
  const compiled = compile({ file: 'test.y', text, resolveInclude: () => undefined }, knowledge);
  if (!compiled.ok) throw new Error(compiled.error.diagnostics.map(({ message }) => message).join('\n'));
  return encodeProgram(compiled.value.program);
}

function loadFor({ knowledge }: Subject, bytes: Uint8Array) {
  const program = decodeProgram(bytes);
  if (!program.ok) throw new Error(program.error.message);
  return relocateProgram(program.value, knowledge);
}

class Printed implements OutputSink {
  text = '';
  write(_stream: string, text: string): void {
    this.text += text;
  }
  chart(): void {}
}

async function walk(program: Program, subject: Subject): Promise<string> {
  const output = new Printed();
  await startSnapshotSession(program, subject, { output, timeoutMs: 5000 }).ended;
  return output.text;
}

test('a program compiled for one run walks another one, at another address, and of a copy elsewhere', async (context) => {
  const path = buildFirst(context);
  const first = await startAt(context, path);
  const bytes = compileFor(first.subject, WALK);
  const copy = join(folder, 'moved');
  copyFileSync(path, copy);
  for (const program of [path, copy]) {
    const { subject } = await startAt(context, program);
    const executable = (one: Subject) => one.main!.modules.find((module) => module.path === one.main!.identity.exe)!;
    expect(executable(subject).bias).not.toBe(executable(first.subject).bias);
    const relocated = loadFor(subject, bytes);
    if (!relocated.ok) throw new Error(relocated.error.join('\n'));
    expect(await walk(relocated.value, subject)).toBe('41 9 a title zero\n');
  }
});

test('its probes are put on the copy too', async (context) => {
  const path = buildFirst(context);
  const first = await startAt(context, path);
  const bytes = compileFor(first.subject, COUNT);
  const copy = join(folder, 'probed');
  copyFileSync(path, copy);
  const { target, subject } = await startAt(context, copy);
  const relocated = loadFor(subject, bytes);
  if (!relocated.ok) throw new Error(relocated.error.join('\n'));
  const output = new Printed();
  const session = await startLiveSession(relocated.value, subject, { output, timeoutMs: 10_000, endWithTarget: true });
  if (!session.ok) throw new Error(JSON.stringify(session.error));
  await target.round();
  session.value.stop();
  await session.value.ended;
  // `one` is called with 0 to 9, and counts `counter` up from 41 each time.
  expect(output.text).toBe(`${45 + 10 * 41 + 45}\n`);
});

test('another build is refused, with both build-ids', async (context) => {
  const path = buildFirst(context);
  const first = await startAt(context, path);
  const [walking, counting] = [compileFor(first.subject, WALK), compileFor(first.subject, COUNT)];
  // In the same place, as after an update.
  const rebuilt = build('state', '-O2');
  const { subject } = await startAt(context, rebuilt);
  const idOf = (one: Subject) => one.main!.modules.find((module) => module.path === one.main!.identity.exe)!.buildId!;
  const [expected, found] = [idOf(first.subject), idOf(subject)];
  expect(found).not.toBe(expected);
  for (const bytes of [walking, counting]) {
    const relocated = loadFor(subject, bytes);
    const why = `the program was compiled for ${path} with build-id ${expected}, and the target has ${path} with build-id ${found}: compile it again for this target`;
    expect(relocated.ok ? 'fits' : relocated.error).toEqual([why]);
  }
});
