// The same probe by two tracers, each a process of its own that is stopped by Ctrl-C.

import { spawn } from 'node:child_process';
import { listProcessTree, readCpuTimeMs, readPeakMemory } from '../harness/index.ts';
import type { Target } from './target.ts';

export type Tracer = 'fluoro' | 'bpftrace';

/** What is done at each hit, in both languages; `work` stands for the probe's place. */
export interface Action {
  readonly name: string;
  readonly fluoro: string;
  readonly bpftrace: string;
}

export const ACTIONS: readonly Action[] = [
  {
    name: 'counter',
    fluoro: '_percpu long n; _probe work { n++; } _probe _end { printf("%ld\\n", n); }',
    bpftrace: '{ @ = count(); }',
  },
  {
    name: 'count by name and thread',
    fluoro: '_percpu long n[_str, int]; _probe work { n[_comm(), _tid()]++; } _probe _end { _foreach (c, t, x in n) printf("%ld\\n", x); }',
    bpftrace: '{ @[comm, tid] = count(); }',
  },
  {
    name: 'histogram of the argument, by powers of two',
    fluoro: '_agg h; _probe work(long x) { h <<< x; } _probe _end { printf("%ld\\n", _count(h)); printf("%s", _hist_log(h)); }',
    bpftrace: '{ @ = hist(arg0); }',
  },
  {
    name: 'count by user stack',
    fluoro: '_percpu long n[_bt]; _probe work { n[_ubt()]++; } _probe _end { _foreach (s, x in n) printf("%ld\\n%s\\n", x, s); }',
    bpftrace: '{ @[ustack] = count(); }',
  },
];

/** A tracer at work. */
export interface RunningTracer {
  readonly pid: number;
  /** From the start of the process to the probe in the target's code. */
  readonly armedMs: number;
  /** Ends it; what it printed. */
  stop(): Promise<string>;
}

function commandOf(tracer: Tracer, action: Action, target: Target, program: string): readonly [string, ...string[]] {
  if (tracer === 'bpftrace') return ['bpftrace', '-p', String(target.pid), '-e', `uprobe:${target.path}:work ${action.bpftrace}`];
  // No limit: a function that does nothing else is what the limit is there for.
  return [process.execPath, program, 'run', '--max-overhead', '100%', '-p', String(target.pid), '-e', action.fluoro];
}

/** @param program our command line's main file */
export async function startTracer(tracer: Tracer, action: Action, target: Target, program: string): Promise<RunningTracer> {
  const [file, ...args] = commandOf(tracer, action, target, program);
  const started = process.hrtime.bigint();
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let errors = '';
  child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (errors += bytes.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const failed = ended.then((code): never => {
    throw new Error(`${file} ended with ${code}: ${errors}`);
  });
  const armed = await Promise.race([target.untilProbed(true), failed]);
  return {
    pid: child.pid!,
    armedMs: (armed - Number(started)) / 1e6,
    stop: async () => {
      child.kill('SIGINT');
      await ended;
      await target.untilProbed(false);
      return text;
    },
  };
}

/** What sampling costs for a while: processor time of our process in milliseconds, and its highest memory in bytes. */
export async function watchTracer(pid: number, during: Promise<unknown>): Promise<{ readonly cpuMs: number; readonly peakMemory: number }> {
  const before = readCpuTimeMs(pid) ?? 0;
  await during;
  const peaks = listProcessTree(pid).map((one) => readPeakMemory(one) ?? 0);
  return { cpuMs: (readCpuTimeMs(pid) ?? 0) - before, peakMemory: peaks.reduce((sum, bytes) => sum + bytes, 0) };
}
