// How long the kernel's programs ran, by the kernel's own statistics.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const SWITCH = '/proc/sys/kernel/bpf_stats_enabled';

/** Runs of a process's programs, and nanoseconds in them. */
export interface ProgramTimes {
  readonly runs: number;
  readonly ns: number;
}

/** What the programs that a process holds do in the meantime. The statistics themselves cost two readings of the clock a run. */
export async function measurePrograms(pid: number, work: () => Promise<unknown>): Promise<ProgramTimes> {
  const before = readFileSync(SWITCH, 'utf8');
  writeFileSync(SWITCH, '1');
  try {
    const first = readProgramTimes(pid);
    await work();
    const last = readProgramTimes(pid);
    return { runs: last.runs - first.runs, ns: last.ns - first.ns };
  } finally {
    writeFileSync(SWITCH, before);
  }
}

function readProgramTimes(pid: number): ProgramTimes {
  const programs = new Map<string, ProgramTimes>();
  for (const text of readDescriptors(pid)) {
    const [id, runs, ns] = ['prog_id', 'run_cnt', 'run_time_ns'].map((field) => new RegExp(`^${field}:\\s+(\\d+)$`, 'm').exec(text)?.[1]);
    if (id !== undefined && runs !== undefined && ns !== undefined) programs.set(id, { runs: Number(runs), ns: Number(ns) });
  }
  return [...programs.values()].reduce((sum, one) => ({ runs: sum.runs + one.runs, ns: sum.ns + one.ns }), { runs: 0, ns: 0 });
}

function readDescriptors(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fdinfo`).flatMap((fd) => {
    try {
      return [readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8')];
    } catch {
      return []; // closed in the meantime
    }
  });
}
