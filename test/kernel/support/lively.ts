// The program of test/kernel/targets/lively.c, and sessions on it.
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, closeSync, copyFileSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';
import {
  describeLosses,
  openSubject,
  startLiveSession,
  type LiveOptions,
  type SessionReport,
  type Subject,
  type SubjectChoice,
} from '../../../src/session/index.ts';
import { compile, renderDiagnostics, type OutputSink } from '../../../src/y/index.ts';
import { requireOrSkip, skipUnless } from '../../support/require-or-skip.ts';
import { compileProgram, findNoCompiler } from '../../support/test-program.ts';

const SOURCES = fileURLToPath(new URL('../targets/', import.meta.url));

export function buildLively(): string {
  return compileProgram(`${SOURCES}lively.c`, ['-g', '-O1', '-pthread', '-rdynamic', '-ldl']);
}

/** A copy of its own: probes are on files, so that those of other tests on this machine would show in its code. */
export function copyLively(context: Pick<TestContext, 'onTestFinished'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'fluoro-lively-'));
  context.onTestFinished(() => rmSync(folder, { recursive: true }));
  copyFileSync(buildLively(), join(folder, 'lively'));
  chmodSync(join(folder, 'lively'), 0o755);
  return join(folder, 'lively');
}

export function buildPlugin(): string {
  return compileProgram(`${SOURCES}plugin.c`, ['-g', '-O1', '-shared', '-fPIC']);
}

/** Skips unless sessions can be started and programs be built here. */
export function needKernel(context: TestContext): void {
  requireOrSkip(context, process.getuid?.() === 0, 'loading eBPF programs needs root; `fluoro doctor` tells more');
  skipUnless(context, findNoCompiler());
}

export class Lively {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #code = 0n;
  #semaphore = 0n;

  private constructor(child: ChildProcess) {
    this.child = child;
    this.pid = child.pid!;
    this.#lines = createInterface(child.stdout!)[Symbol.asyncIterator]();
  }

  static async start(context: Pick<TestContext, 'onTestFinished'>, path = buildLively()): Promise<Lively> {
    const lively = new Lively(spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] }));
    context.onTestFinished(() => void lively.child.kill('SIGKILL'));
    lively.#readPlaces(await lively.#line());
    return lively;
  }

  /** Gives a command; its answer. */
  async ask(command: string): Promise<string> {
    this.child.stdin!.write(`${command}\n`);
    const answer = await this.#line();
    if (command === 'exec') this.#readPlaces(answer);
    return answer;
  }

  /** Bytes of the probed function's start and of the static probe's place: a breakpoint shows in them. */
  code(): string {
    return Buffer.from(this.#read(this.#code, 64)).toString('hex');
  }

  /** How many tracers the static probe counts. */
  semaphore(): number {
    return new DataView(this.#read(this.#semaphore, 2).buffer).getUint16(0, true);
  }

  #readPlaces(line: string): void {
    const [, code, semaphore] = line.split(' ');
    this.#code = BigInt(code!);
    this.#semaphore = BigInt(semaphore!);
  }

  #read(address: bigint, length: number): Uint8Array {
    const fd = openSync(`/proc/${this.pid}/mem`, 'r');
    const bytes = new Uint8Array(length);
    readSync(fd, bytes, 0, length, address);
    closeSync(fd);
    return bytes;
  }

  async #line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error('the target ended');
    return next.value;
  }
}

/** Keeps what a session writes. */
export class Kept implements OutputSink {
  text = '';
  readonly warnings: string[] = [];

  write(stream: 'out' | 'warn' | 'error', text: string): void {
    if (stream === 'out') this.text += text;
    else this.warnings.push(text);
  }

  chart(): void {}
}

export interface Ended {
  readonly report: SessionReport;
  readonly output: Kept;
  readonly losses: readonly string[];
}

export interface LiveRun {
  readonly subject: Subject;
  readonly output: Kept;
  readonly ended: Promise<SessionReport>;
  stop(): Promise<Ended>;
  /** Waits until it ends by itself. */
  wait(): Promise<Ended>;
}

/** Starts a session on a subject; without other options it ends when it is told to. */
export async function startRun(
  context: Pick<TestContext, 'onTestFinished'>,
  choice: SubjectChoice,
  code: string,
  options: Partial<LiveOptions> = {},
): Promise<LiveRun> {
  const subject = openSubject(choice);
  if (!subject.ok) throw new Error(subject.error.message);
  context.onTestFinished(() => subject.value.close());
  const compiled = compile({ file: 'test.y', text: code, resolveInclude: () => undefined }, subject.value.knowledge);
  if (!compiled.ok) throw new Error(renderDiagnostics(compiled.error.diagnostics, compiled.error.sources, { color: false }));
  const output = new Kept();
  const defaults = { output, timeoutMs: 30_000, endWithTarget: true, maxOverhead: 1 };
  const session = await startLiveSession(compiled.value.program, subject.value, { ...defaults, ...options });
  if (!session.ok) throw new Error(JSON.stringify(session.error));
  const { value } = session;
  const wait = async (): Promise<Ended> => {
    const report = await value.ended;
    return { report, output, losses: describeLosses(report) };
  };
  const stop = (): Promise<Ended> => {
    value.stop();
    return wait();
  };
  context.onTestFinished(() => void stop().catch(() => undefined));
  return { subject: subject.value, output, ended: value.ended, stop, wait };
}

export function onProcess(pid: number): SubjectChoice {
  return { kind: 'process', pid, freeze: false };
}
