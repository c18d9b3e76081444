import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'vitest';
import { requireOrSkip } from '../../support/require-or-skip.ts';

/**
 * Prints the addresses of a function and of a semaphore; then, for each line with a number, calls the function so often and prints the
 * semaphore's value.
 */
const SOURCE = `
#include <stdio.h>
#include <stdlib.h>
unsigned short semaphore __attribute__((section(".probes"))) = 0;
__attribute__((noinline)) int probed(int x) { __asm__ volatile("" : "+r"(x)); return x + 1; }
int main(void) {
  char line[64];
  printf("%p %p\\n", (void *)probed, (void *)&semaphore);
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    int n = atoi(line), sum = 0;
    for (int i = 0; i < n; i++) sum += probed(i);
    printf("%d %d\\n", *(volatile unsigned short *)&semaphore, sum);
    fflush(stdout);
  }
  return 0;
}
`;

/** A C program that waits for orders, whose functions can be probed. */
export class TargetProgram {
  readonly path: string;
  readonly pid: number;
  /** Where the function lies in the file, and in the process. */
  readonly functionOffset: number;
  readonly functionAddress: bigint;
  readonly semaphoreOffset: number;
  readonly #lines: AsyncIterator<string>;
  readonly #child: ChildProcess;

  private constructor(path: string, child: ChildProcess, lines: AsyncIterator<string>, first: string) {
    this.path = path;
    this.pid = child.pid!;
    this.#child = child;
    this.#lines = lines;
    const [code, data] = first.split(' ').map((text) => BigInt(text));
    this.functionAddress = code!;
    this.functionOffset = this.#fileOffset(code!);
    this.semaphoreOffset = this.#fileOffset(data!);
  }

  static async start(context: TestContext): Promise<TargetProgram> {
    let hasCompiler = true;
    try {
      execFileSync('gcc', ['--version'], { stdio: 'ignore' });
    } catch {
      hasCompiler = false;
    }
    requireOrSkip(context, hasCompiler, 'no gcc; install it: apt-get install gcc libc6-dev');
    const folder = mkdtempSync(join(tmpdir(), 'fluoro-target-'));
    writeFileSync(join(folder, 'target.c'), SOURCE);
    const path = join(folder, 'target');
    execFileSync('gcc', ['-O1', '-o', path, join(folder, 'target.c')]);
    const child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] });
    context.onTestFinished(() => {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    return new TargetProgram(path, child, lines, (await lines.next()).value as string);
  }

  /** Calls the function `times` times; the semaphore's value after that. */
  async call(times: number): Promise<number> {
    this.#child.stdin!.write(`${times}\n`);
    const line = (await this.#lines.next()).value as string;
    return Number(line.split(' ')[0]);
  }

  /** The byte at the function's start, as the process sees it: a breakpoint is 0xcc on x86-64. */
  firstByte(): number {
    const fd = openSync(`/proc/${this.pid}/mem`, 'r');
    const byte = new Uint8Array(1);
    readSync(fd, byte, 0, 1, this.functionAddress);
    closeSync(fd);
    return byte[0]!;
  }

  #fileOffset(address: bigint): number {
    for (const line of readFileSync(`/proc/${this.pid}/maps`, 'utf8').split('\n')) {
      const match = /^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+)/.exec(line);
      if (match === null) continue;
      const [start, end, offset] = match.slice(1).map((text) => BigInt(`0x${text}`)) as [bigint, bigint, bigint];
      if (address >= start && address < end) return Number(address - start + offset);
    }
    throw new Error(`0x${address.toString(16)} is not mapped`);
  }
}
