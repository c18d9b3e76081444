import { spawn } from 'node:child_process';
import { measureInTurn, type MeasureOptions } from './measure.ts';
import { listProcessTree, readCpuTimeMs, readPeakMemory } from './process-usage.ts';
import { summarize, type Summary } from './statistics.ts';

/** How often a running command is looked at: its last moments before the end go unseen. */
const LOOK_EVERY_MS = 25;

export interface CommandSummary {
  readonly wallMs: Summary;
  readonly cpuMs: Summary;
  /** Highest sum of the tree's peaks, in bytes. */
  readonly peakMemory: Summary;
}

interface CommandRun {
  readonly cpuMs: number;
  readonly peakMemory: number;
}

/** Runs commands in turn (see `measureInTurn`) and tells time, processor time and memory of each. A failed run throws. */
export async function compareCommands<Name extends string>(
  commands: Readonly<Record<Name, readonly [string, ...string[]]>>,
  options: MeasureOptions = {},
): Promise<Record<Name, CommandSummary>> {
  const names = Object.keys(commands) as Name[];
  const runs = new Map<Name, CommandRun[]>(names.map((name) => [name, []]));
  const cases = names.map((name) => [name, async () => runs.get(name)?.push(await runCommand(commands[name]))] as const);
  const wall = await measureInTurn(Object.fromEntries(cases) as Record<Name, () => unknown>, options);
  const summaries = names.map((name) => {
    const measured = (runs.get(name) ?? []).slice(-wall[name].count);
    const cpuMs = summarize(measured.map((run) => run.cpuMs));
    return [name, { wallMs: wall[name], cpuMs, peakMemory: summarize(measured.map((run) => run.peakMemory)) }];
  });
  return Object.fromEntries(summaries) as Record<Name, CommandSummary>;
}

function runCommand([file, ...args]: readonly [string, ...string[]]): Promise<CommandRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const seen = new Map<number, CommandRun>();
    let errors = '';
    const timer = setInterval(() => look(child.pid, seen), LOOK_EVERY_MS);
    child.stderr.on('data', (bytes: Buffer) => {
      errors = (errors + bytes.toString()).slice(-2000);
    });
    child.on('error', (error) => {
      clearInterval(timer);
      reject(error);
    });
    child.on('close', (code) => {
      clearInterval(timer);
      if (code === 0) resolve(sum(seen));
      else reject(new Error(`${[file, ...args].join(' ')} ended with ${code}: ${errors}`));
    });
  });
}

function look(root: number | undefined, seen: Map<number, CommandRun>): void {
  if (root === undefined) return;
  for (const pid of listProcessTree(root)) {
    const cpuMs = readCpuTimeMs(pid);
    const peakMemory = readPeakMemory(pid);
    if (cpuMs !== undefined && peakMemory !== undefined) seen.set(pid, { cpuMs, peakMemory });
  }
}

function sum(seen: ReadonlyMap<number, CommandRun>): CommandRun {
  const runs = [...seen.values()];
  return {
    cpuMs: runs.reduce((total, run) => total + run.cpuMs, 0),
    peakMemory: runs.reduce((total, run) => total + run.peakMemory, 0),
  };
}
