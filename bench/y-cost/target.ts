// The C program whose function is probed.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** From dist-bench/bench/y-cost, where this runs, to the source. */
const SOURCE = fileURLToPath(new URL('../../../bench/y-cost/target.c', import.meta.url));

export class Target {
  readonly path: string;
  readonly pid: number;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(folder: string, path: string, child: ChildProcess, lines: AsyncIterator<string>) {
    this.#folder = folder;
    this.path = path;
    this.pid = child.pid!;
    this.#child = child;
    this.#lines = lines;
  }

  /** With frame pointers, which bpftrace needs for stacks; so the function's first instruction is `push %rbp` for both. */
  static async start(): Promise<Target> {
    const folder = mkdtempSync(join(tmpdir(), 'fluoro-cost-'));
    const path = join(folder, 'target');
    execFileSync('gcc', ['-O2', '-g', '-fno-omit-frame-pointer', '-fno-optimize-sibling-calls', '-o', path, SOURCE]);
    const child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    await lines.next();
    return new Target(folder, path, child, lines);
  }

  /** Nanoseconds a call. */
  callTimes(times: number): Promise<number> {
    return this.#ask(`c ${times}`);
  }

  /** Waits until the function is probed, or is not any more; when that was, in nanoseconds of the monotonic clock. */
  untilProbed(probed: boolean): Promise<number> {
    return this.#ask(`w ${probed ? 1 : 0}`);
  }

  stop(): void {
    this.#child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true });
  }

  async #ask(order: string): Promise<number> {
    this.#child.stdin!.write(`${order}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error('the target has ended');
    return Number(line.value);
  }
}
