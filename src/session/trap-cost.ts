/**
 * What an event costs the thread that it happens to before a program of ours runs, by the kind of attachment.
 *
 * Measured as thread CPU time on x86-64, Linux 6.18, with empty programs (0.1 µs of each figure for a uprobe is the program's):
 * nop 533 ns, 5-byte nop 256–265 ns, push 540–580 ns, single-stepped instructions 3.8–4.9 µs, a return probe 270 ns more than
 * its entry. An empty sampling program takes 105–160 ns. What is emulated: arch/x86/kernel/uprobes.c, Linux 6.18.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { PlannedPoint } from './attached-probes.ts';

/** Nanoseconds. */
const EMULATED_TRAP = 550;
const OPTIMISED_TRAP = 260;
const SINGLE_STEP = 4000;
const RETURN_TRAP = 270;
const TRACEPOINT = 100;
/** The timer's interrupt and perf's own work; not measured apart from the program: an upper estimate. */
const SAMPLER = 2000;

/** Longest opcode that tells how the kernel goes past a breakpoint. */
const CODE_BYTES = 5;
/** Sites of a glob that are looked at: the mean of so many stands for all. */
const MAX_EXAMINED = 1024;

/** Nanoseconds an event, without the program; of several places their mean. `hostPath`: where a module's file can be read. */
export function estimateTrapNs(point: PlannedPoint, hostPath: (module: string) => string): number {
  switch (point.kind) {
    case 'uprobe': {
      const files = new CodeFiles();
      const costs = point.sites.slice(0, MAX_EXAMINED).map((site) => instructionCost(files.read(hostPath(site.module), site.fileOffset)));
      files.close();
      const mean = costs.reduce((sum, cost) => sum + cost, 0) / Math.max(1, costs.length);
      return mean + (point.isReturn ? RETURN_TRAP : 0);
    }
    case 'kprobe':
    case 'kernel-hook':
    case 'tracepoint':
    case 'raw-tracepoint':
      return TRACEPOINT;
    case 'clock':
    case 'counter':
      return SAMPLER;
  }
}

/** Cost of a breakpoint on an instruction of x86-64. Without its bytes: that of the dearest kind. */
export function instructionCost(code: Uint8Array | undefined): number {
  if (code === undefined || code.length < 2) return SINGLE_STEP;
  if (NOP5.every((byte, index) => code[index] === byte)) return OPTIMISED_TRAP;
  const [first, second] = code as Uint8Array & { 0: number; 1: number };
  const opcode = (first & 0xf0) === 0x40 ? second! : first!;
  const isPush = opcode >= 0x50 && opcode <= 0x57;
  const isBranch = opcode === 0xe8 || opcode === 0xe9 || opcode === 0xeb || (opcode >= 0x70 && opcode <= 0x7f);
  const isLongBranch = first === 0x0f && second! >= 0x80 && second! <= 0x8f;
  return isPush || isBranch || isLongBranch || opcode === 0x90 ? EMULATED_TRAP : SINGLE_STEP;
}

/** `nopl 0(%rax,%rax,1)`, which the kernel replaces by a call (Linux 6.18). */
const NOP5 = [0x0f, 0x1f, 0x44, 0x00, 0x00];

/** Files whose code is looked at, each opened once. */
class CodeFiles {
  readonly #open = new Map<string, number | undefined>();

  read(path: string, offset: number): Uint8Array | undefined {
    if (!this.#open.has(path)) this.#open.set(path, openIfThere(path));
    const fd = this.#open.get(path);
    const code = new Uint8Array(CODE_BYTES);
    return fd === undefined ? undefined : code.subarray(0, readSync(fd, code, 0, CODE_BYTES, offset));
  }

  close(): void {
    for (const fd of this.#open.values()) if (fd !== undefined) closeSync(fd);
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}
