// /proc/PID read as values: a process may end between any two reads, and that is no error of ours.
import { readFileSync, readlinkSync, readdirSync } from 'node:fs';
import { err, ok, type Result } from '../base/index.ts';
import { findContainerId } from './container-id.ts';
import { parseAuxv, parseCommandLine, parseStatus, type ProcessStatus } from './proc-status.ts';
import type { Identity, TargetError } from './target.ts';

/** Reads `/proc/PID/name`. ENOENT and ESRCH: gone; EACCES and EPERM: forbidden; else unreadable. */
export function readProcFile(pid: number, name: string): Result<Uint8Array, TargetError> {
  const path = `/proc/${pid}/${name}`;
  try {
    return ok(readFileSync(path));
  } catch (error) {
    return err(toTargetError(pid, path, error));
  }
}

/** The same as text. */
export function readProcText(pid: number, name: string): Result<string, TargetError> {
  const bytes = readProcFile(pid, name);
  return bytes.ok ? ok(Buffer.from(bytes.value).toString('utf8')) : bytes;
}

/** Where a link such as `exe` or `map_files/…` leads. */
export function readProcLink(pid: number, name: string): Result<string, TargetError> {
  const path = `/proc/${pid}/${name}`;
  try {
    return ok(readlinkSync(path));
  } catch (error) {
    return err(toTargetError(pid, path, error));
  }
}

function toTargetError(pid: number, path: string, error: unknown): TargetError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  if (code === 'ENOENT' || code === 'ESRCH') return { kind: 'gone', message: `process ${pid} is gone (${path}: ${code})` };
  if (code === 'EACCES' || code === 'EPERM') return { kind: 'forbidden', message: `${path}: ${code}` };
  return { kind: 'unreadable', message: `${path}: ${code}` };
}

/** Thread ids of a process; empty when it is gone. */
export function listThreadIds(pid: number): number[] {
  return listNumbers(`/proc/${pid}/task`);
}

/** Process ids that this mount of /proc shows. */
export function listProcessIds(): number[] {
  return listNumbers('/proc');
}

function listNumbers(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return []; // the process is gone
  }
}

/** Status of a process, or why there is none. */
export function readStatus(pid: number): Result<ProcessStatus, TargetError> {
  const text = readProcText(pid, 'status');
  if (!text.ok) return text;
  const status = parseStatus(text.value);
  return status === undefined ? err({ kind: 'gone', message: `process ${pid} is ending` }) : ok(status);
}

/** Who the process is. Only the status must be readable; the rest is empty where it is not. */
export function readIdentity(pid: number): Result<Identity, TargetError> {
  const status = readStatus(pid);
  if (!status.ok) return status;
  const exe = readProcLink(pid, 'exe');
  const commandLine = readProcFile(pid, 'cmdline');
  const { name, namespacePids, parentPid, processGroup, uid, gid } = status.value;
  return ok({
    exe: exe.ok ? exe.value.replace(/ \(deleted\)$/, '') : '',
    comm: name,
    commandLine: commandLine.ok ? parseCommandLine(commandLine.value) : [],
    namespacePid: namespacePids.at(-1)!,
    parentPid,
    processGroup: processGroup >= 0 ? processGroup : readGroupOfStat(pid),
    uid,
    gid,
    container: readContainerId(pid),
  });
}

/** The container of a process; undefined outside of containers or when it cannot be read. */
export function readContainerId(pid: number): string | undefined {
  const text = readProcText(pid, 'cgroup');
  return text.ok ? findContainerId(text.value) : undefined;
}

function readGroupOfStat(pid: number): number {
  const stat = readProcText(pid, 'stat');
  return stat.ok ? Number(stat.value.slice(stat.value.lastIndexOf(')') + 2).split(' ')[2]) : -1;
}

/** The auxiliary vector; empty when it cannot be read. */
export function readAuxv(pid: number): ReadonlyMap<number, bigint> {
  const bytes = readProcFile(pid, 'auxv');
  return bytes.ok ? parseAuxv(bytes.value) : new Map();
}
