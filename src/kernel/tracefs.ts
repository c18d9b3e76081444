/** Files of the kernel's tracing: where they are mounted, ids of tracepoints, types of perf event sources. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { err, ok, type Result } from '../base/index.ts';
import { openDetachedMount } from '../native/index.ts';
import { kernelError, type KernelError } from './error.ts';

/** Mount point of a file system of this type, from /proc/mounts; undefined when it is not mounted here. */
export function findMount(type: string, mounts = readText('/proc/self/mounts') ?? ''): string | undefined {
  for (const line of mounts.split('\n')) {
    const [, place, kind] = line.split(' ');
    // Spaces and the like are written in octal.
    if (kind === type) return place?.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  }
  return undefined;
}

/** Files below tracefs' `events/`. */
export interface TracingFiles {
  /** A file's text; undefined when it cannot be read. */
  read(path: string): string | undefined;
  /** Names in a folder; none when it cannot be read. */
  list(path: string): readonly string[];
}

/** The kernel's descriptions of its tracepoints. */
export function openTracingFiles(): TracingFiles {
  const root = `${findTracefs()}/events`;
  return {
    read: (path) => readText(`${root}/${path}`),
    list: (path) => {
      try {
        return readdirSync(`${root}/${path}`);
      } catch {
        return [];
      }
    },
  };
}

/** Kept for the life of the process: it is a fact of the machine, not state of the product. */
const opened: { root?: string } = {};

/** Where tracefs can be read: its mount point, or a mount of our own that nobody else sees. A path that may not exist. */
function findTracefs(): string {
  return (opened.root ??= findMount('tracefs') ?? openOwnTracefs() ?? '/sys/kernel/tracing');
}

function openOwnTracefs(): string | undefined {
  const mount = openDetachedMount('tracefs');
  return mount.ok ? `/proc/self/fd/${mount.value}` : undefined;
}

/** The id by which perf_event_open knows a tracepoint. */
export function findTracepointId(category: string, name: string): Result<number, KernelError> {
  const path = `${findTracefs()}/events/${category}/${name}/id`;
  try {
    return ok(Number(readFileSync(path, 'utf8')));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM')
      return err({
        kind: 'forbidden',
        message: `${path}: ${code}; only root reads tracefs: use the raw or the BTF tracepoint ${name}`,
        errno: 13,
      });
    return err(
      kernelError(
        'not-found',
        `${path}: ${code ?? 'unreadable'}; ${existsSync(`${findTracefs()}/events`) ? 'no such tracepoint' : 'tracefs cannot be read (mount -t tracefs nodev /sys/kernel/tracing)'}: use the raw or the BTF tracepoint ${name}`,
      ),
    );
  }
}

/** The number of a perf event source (`uprobe`); undefined when the kernel has none. */
export function findPmuType(name: string): number | undefined {
  const text = readText(`/sys/bus/event_source/devices/${name}/type`);
  return text === undefined ? undefined : Number(text);
}

/** A file's text; undefined when it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
