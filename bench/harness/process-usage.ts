// What Linux tells of other processes in /proc. A process that is gone has no figures: ask before it ends.

import { readFileSync, readdirSync } from 'node:fs';

/** Clock ticks a second in /proc/PID/stat: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Highest resident memory that a process has had, in bytes (VmHWM of /proc/PID/status); undefined when it is gone. */
export function readPeakMemory(pid: number): number | undefined {
  const status = readProc(`${pid}/status`);
  const kilobytes = status === undefined ? undefined : /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** Resident memory of a process now, in bytes (VmRSS); undefined when it is gone. */
export function readMemory(pid: number): number | undefined {
  const status = readProc(`${pid}/status`);
  const kilobytes = status === undefined ? undefined : /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** Processor time that a process has used, user and system, in milliseconds; undefined when it is gone. */
export function readCpuTimeMs(pid: number): number | undefined {
  const fields = readStat(pid);
  if (fields === undefined) return undefined;
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1000;
}

/** A process and all that descend from it, parents first. */
export function listProcessTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const parent = Number.isInteger(pid) ? Number(readStat(pid)?.[1]) : Number.NaN;
    if (Number.isInteger(parent)) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** The command line of a process, its arguments joined by spaces; undefined when it is gone. */
export function readCommandLine(pid: number): string | undefined {
  return readProc(`${pid}/cmdline`)?.replaceAll('\0', ' ').trim();
}

/** Fields of /proc/PID/stat after the name (which may hold anything): 0 state, 1 parent, 11 user time, 12 system time. */
function readStat(pid: number): string[] | undefined {
  const text = readProc(`${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return undefined; // ended in the meantime
  }
}
