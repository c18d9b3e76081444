// The same by `perf record --call-graph=dwarf`, and by bpftrace's `ustack` (frame pointers).

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listProcessTree } from '../harness/index.ts';
import { isRooted } from './roots.ts';
import type { SampleOptions, StackCounts } from './sampler.ts';

const MAX_OUTPUT = 1 << 30;
/** Naming addresses takes longer than taking the stacks. */
const NAMING_TIMEOUT_MS = 120_000;

/** Undefined when the tool is not there or did not get through. */
export function perfStacks(root: number, { hz, milliseconds }: SampleOptions): StackCounts | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'fluoro-perf-'));
  const data = join(folder, 'perf.data');
  const pids = listProcessTree(root).join(',');
  const record = ['record', '-q', '-e', 'cpu-clock', '-F', String(hz), '--call-graph', 'dwarf', '-p', pids, '-o', data];
  try {
    execFileSync('perf', [...record, '--', 'sleep', String(milliseconds / 1000)], { stdio: 'ignore' });
    const script = ['script', '-F', 'ip,sym', '--no-inline', '-i', data];
    const text = execFileSync('perf', script, {
      encoding: 'utf8',
      maxBuffer: MAX_OUTPUT,
      timeout: NAMING_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const stacks = text.split(/\n\s*\n/).filter((block) => block.trim() !== '');
    return count(stacks.map((block) => ({ names: block.trim().split('\n').map(perfName), times: 1 })));
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `    7f0000001234 name` */
function perfName(line: string): string {
  return line.trim().replace(/^[0-9a-f]+ /, '');
}

export async function bpftraceStacks(root: number, { hz, milliseconds }: SampleOptions): Promise<StackCounts | undefined> {
  const wanted = listProcessTree(root).map((pid) => `pid == ${pid}`);
  const seconds = milliseconds / 1000;
  const text = `profile:hz:${hz} /${wanted.join(' || ')}/ { @[ustack(perf, 127)] = count(); } interval:s:${seconds} { exit(); }`;
  const output = await runBpftrace(text, milliseconds + NAMING_TIMEOUT_MS);
  if (output === undefined) return undefined;
  const stacks = [...output.matchAll(/@\[([^\]]*(?:\][^:][^\]]*)*)\]: (\d+)/g)];
  return count(stacks.map(([, lines, times]) => ({ names: lines!.trim().split('\n').map(bpftraceName), times: Number(times) })));
}

/** `	7f0000001234 name+12 (/path)` */
function bpftraceName(line: string): string {
  const [, name = ''] = /^[0-9a-f]+ (.*) \(/.exec(line.trim()) ?? [];
  return name.replace(/\+\d+$/, '');
}

function runBpftrace(program: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn('bpftrace', ['-e', program], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, BPFTRACE_MAP_KEYS_MAX: '65536' },
    });
    let text = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
    child.on('error', () => resolve(undefined));
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve(code === 0 ? text : undefined);
    });
  });
}

function count(stacks: readonly { readonly names: readonly string[]; readonly times: number }[]): StackCounts {
  const others = new Map<string, number>();
  let [samples, complete, frames] = [0, 0, 0];
  for (const { names, times } of stacks) {
    samples += times;
    frames += names.length * times;
    if (isRooted(names)) complete += times;
    else others.set(`ends at ${names.at(-1)}`, (others.get(`ends at ${names.at(-1)}`) ?? 0) + times);
  }
  return { samples, complete, frames, others };
}
