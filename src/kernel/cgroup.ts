/** Control groups, version 2. */
import { readdirSync, statSync } from 'node:fs';
import { err, ok, type Result } from '../base/index.ts';
import { kernelError, type KernelError } from './error.ts';
import { findMount, readText } from './tracefs.ts';

/**
 * The id that `bpf_get_current_cgroup_id` gives for a group. `path` is relative to the mount, as in /proc/PID/cgroup. On 64-bit kernels since 5.5
 * the id is the directory's inode number (kernfs_id, fs/kernfs).
 */
export function findCgroupId(path: string): Result<bigint, KernelError> {
  const mount = findMount('cgroup2');
  if (mount === undefined) return err(kernelError('unsupported', 'no control groups of version 2 are mounted here'));
  try {
    return ok(statSync(`${mount}${path}`, { bigint: true }).ino);
  } catch (cause) {
    return err(kernelError('not-found', `control group ${path}: ${(cause as Error).message}`));
  }
}

/** The group of version 2 that a process is in, as in /proc/PID/cgroup; undefined when the process is gone or there is none. */
export function findCgroupPath(pid: number): string | undefined {
  return /^0::(.*)$/m.exec(readText(`/proc/${pid}/cgroup`) ?? '')?.[1];
}

const MAX_DEPTH = 16;

/** A group of version 2 and all below it, as paths like `path`; empty when it is not there. */
export function listCgroups(path: string): readonly string[] {
  const mount = findMount('cgroup2');
  return mount === undefined ? [] : listBelow(mount, path, MAX_DEPTH);
}

function listBelow(mount: string, path: string, depth: number): string[] {
  if (depth === 0) return [];
  try {
    const folders = readdirSync(`${mount}${path}`, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [path, ...folders.flatMap(({ name }) => listBelow(mount, `${path}/${name}`, depth - 1))];
  } catch {
    return []; // removed meanwhile
  }
}
