// Programs in the intermediate form, compiled, loaded into the kernel and attached to a function of a C program.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'vitest';
import { splitPerCpu, listCpus, type KernelObject } from '../../../src/kernel/index.ts';
import {
  CONTROL,
  decodeEvent,
  type Attachment,
  type EbpfOptions,
  type EbpfProgram,
  type Event,
} from '../../../src/y/engines/ebpf/index.ts';
import type { ProbePoint, Program } from '../../../src/y/ir/program.ts';
import { compileProgram, findNoCompiler } from '../../support/test-program.ts';
import { requireOrSkip, skipUnless } from '../../support/require-or-skip.ts';
import { compileOrThrow, readArray, readGlobal, readLosses, type Stored } from '../../support/y-ebpf.ts';
import { loadOrSkip, must, u32 } from './kernel.ts';

/** Calls `work` with the four numbers of each line, `times` times, and prints a line. */
const SOURCE = `
#include <stdio.h>
__attribute__((noinline)) long work(long a, long b, long c, long d) { __asm__ volatile("" : "+r"(a)); return a + b + c + d; }
const char *volatile text = "GET /index.html";
int main(void) {
  long times, a, b, c, d, sum = 0;
  setvbuf(stdout, 0, _IOLBF, 0);
  printf("%p %p\\n", (void *)work, (void *)text);
  while (scanf("%ld %ld %ld %ld %ld", &times, &a, &b, &c, &d) == 5) {
    while (times-- > 0) sum += work(a, b, c, d);
    printf("%ld\\n", sum);
  }
  return 0;
}
`;

/** The C program, waiting for calls. */
export class WorkTarget {
  readonly path: string;
  readonly pid: number;
  readonly fileOffset: number;
  /** Where "GET /index.html" lies in it. */
  readonly textAddress: bigint;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(path: string, child: ChildProcess, lines: AsyncIterator<string>, first: string) {
    this.path = path;
    this.pid = child.pid!;
    this.#child = child;
    this.#lines = lines;
    const [code, text] = first.split(' ').map((word) => BigInt(word)) as [bigint, bigint];
    this.fileOffset = this.#fileOffset(code);
    this.textAddress = text;
  }

  static async start(context: TestContext): Promise<WorkTarget> {
    requireOrSkip(context, process.getuid?.() === 0, 'loading eBPF programs needs root; `fluoro doctor` tells more');
    skipUnless(context, findNoCompiler());
    const folder = mkdtempSync(join(tmpdir(), 'fluoro-work-'));
    context.onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'work.c'), SOURCE);
    const path = compileProgram(join(folder, 'work.c'), ['-O1']);
    const child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] });
    context.onTestFinished(() => void child.kill('SIGKILL'));
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    return new WorkTarget(path, child, lines, (await lines.next()).value as string);
  }

  async call(times: number, ...values: readonly bigint[]): Promise<void> {
    const padded = [0, 1, 2, 3].map((index) => BigInt.asIntN(64, values[index] ?? 0n));
    this.#child.stdin!.write(`${times} ${padded.join(' ')}\n`);
    await this.#lines.next();
  }

  get point(): ProbePoint {
    return { kind: 'function', sites: [this.site('work')] };
  }

  site(name: string) {
    return { module: this.path, address: 0n, fileOffset: this.fileOffset, name, type: undefined, size: 16, code: new Uint8Array(0) };
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

export interface KernelRun {
  readonly compiled: EbpfProgram;
  readonly object: KernelObject;
  readonly stored: Stored;
  global(index: number): bigint | string;
  array(index: number): Record<string, bigint | string>;
  losses(): Record<string, bigint>;
  events(): Event[];
}

/** Loads; nothing is attached yet. */
export function loadRun(context: TestContext, of: Program, options: Partial<EbpfOptions> = {}): KernelRun {
  const compiled = compileOrThrow(of, { cpus: listCpus('possible').length, ...options });
  const object = loadOrSkip(context, compiled.object);
  const valuesOf = (map: string, value: Uint8Array): Uint8Array[] => {
    const { isPerCpu, shape } = object.map(map);
    return isPerCpu ? splitPerCpu(value, shape.valueBytes) : [value];
  };
  const stored: Stored = {
    bytes: (map, key) => valuesOf(map, must(object.map(map).lookup(key))!),
    entries: (map) => must(object.map(map).entries()).map(({ key, value }) => ({ key, values: valuesOf(map, value) })),
  };
  const ring = compiled.object.maps.some(({ name }) => name === compiled.events.ring)
    ? must(object.openRing(compiled.events.ring))
    : undefined;
  return {
    compiled,
    object,
    stored,
    global: (index) => readGlobal(of, compiled, stored, index),
    array: (index) => readArray(compiled, stored, index),
    losses: () => readLosses(compiled, stored),
    events: () => {
      const events: Event[] = [];
      ring?.drain((bytes, offset, length) => {
        const event = decodeEvent(compiled.events, bytes, offset, length);
        if (event !== undefined) events.push(event);
      });
      return events;
    },
  };
}

/** Loads and attaches everything; the filter's first process is the target. */
export function attachRun(
  context: TestContext,
  target: WorkTarget,
  of: (point: ProbePoint) => Program,
  options: Partial<EbpfOptions> = {},
): KernelRun {
  const run = loadRun(context, of(target.point), { filter: { kind: 'pid', follow: false }, ...options });
  const control = new Uint8Array(CONTROL.bytes);
  new DataView(control.buffer).setUint32(CONTROL.firstTarget, target.pid, true);
  must(run.object.map(run.compiled.storage.control).update(u32(0), control));
  for (const attachment of run.compiled.attachments) attach(run.object, attachment);
  return run;
}

export function attach(object: KernelObject, { program, point }: Attachment): void {
  if (point.kind === 'uprobe') {
    const modules = new Set(point.sites.map(({ module }) => module));
    for (const path of modules) {
      const places = point.sites.filter(({ module }) => module === path).map(({ fileOffset, cookie }) => ({ offset: fileOffset, cookie }));
      must(object.attachUprobes(program, { path, places, kind: point.isReturn ? 'return' : 'entry' }));
    }
  } else if (point.kind === 'raw-tracepoint') must(object.attachRawTracepoint(program, point.name));
  else if (point.kind === 'tracepoint') must(object.attachTracepoint(program, point.category, point.name));
  else if (point.kind === 'clock') must(object.attachSampler(program, { event: 'cpu-clock', frequency: point.hz }));
  else throw new Error(`${point.kind} cannot be attached here`);
}
