// The program of test/kernel/targets/points.c, and what the kernel itself counts of it.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'vitest';
import { compileProgram } from '../../support/test-program.ts';
import { needKernel } from './lively.ts';

const SOURCE = fileURLToPath(new URL('../targets/points.c', import.meta.url));

export class Points {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid!;
    this.#lines = createInterface(child.stdout!)[Symbol.asyncIterator]();
  }

  /** Skips the test where sessions cannot be started. */
  static async start(context: TestContext): Promise<Points> {
    needKernel(context);
    const points = new Points(spawn(compileProgram(SOURCE, ['-g', '-O1', '-pthread']), { stdio: ['pipe', 'pipe', 'inherit'] }));
    context.onTestFinished(() => void points.#child.kill('SIGKILL'));
    await points.#line();
    return points;
  }

  /** Gives a command; the numbers of its answer. */
  async ask(command: string): Promise<readonly number[]> {
    this.#child.stdin!.write(`${command}\n`);
    const answer = await this.#line();
    await this.#untilAsleep();
    return answer.trim().split(' ').map(Number);
  }

  /** How often the first thread got a CPU, and how often it lost one. */
  switches(): { readonly on: number; readonly off: number } {
    const off = [...this.#read('status').matchAll(/ctxt_switches:\s+(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
    return { on: Number(this.#read('schedstat').split(' ')[2]), off };
  }

  /** Page faults of the process, minor and major. */
  faults(): number {
    const fields = this.#read('stat')
      .replace(/^.*\) /, '')
      .split(' ');
    return Number(fields[7]) + Number(fields[9]);
  }

  get comm(): string {
    return this.#read('comm').trim();
  }

  #read(file: string): string {
    return readFileSync(`/proc/${this.pid}/${file}`, 'utf8');
  }

  /** It answers shortly before it waits again. */
  async #untilAsleep(): Promise<void> {
    while (!/\) S /.test(this.#read('stat'))) await new Promise((done) => setTimeout(done, 1));
  }

  async #line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error('the target ended');
    return next.value;
  }
}
