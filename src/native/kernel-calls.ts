/** bpf(2), perf_event_open(2) and what belongs to their file descriptors. */
import { err, ok, type Result } from '../base/index.ts';
import { takeArena } from './arena.ts';
import { Errno } from './errno.ts';
import type { NativeError } from './error.ts';
import { lastError } from './libc.ts';
import { Structure } from './structure.ts';

/** perf_event_open: close the descriptor when another program is started. */
const PERF_FLAG_FD_CLOEXEC = 8;

/** The largest room that fits a call beside its other arguments, bytes. */
export const MAX_ROOM_BYTES = 16 << 20;

/**
 * bpf(2) with a command and the first `size` bytes of union bpf_attr, which `fill` writes. Returns what the call returns: mostly a file
 * descriptor, which the caller closes with `closeDescriptor`. `after` reads back from the structure, also when the call failed.
 */
export function callBpf(
  name: string,
  command: number,
  size: number,
  fill: (attributes: Structure) => void,
  after?: (attributes: Structure) => void,
): Result<number, NativeError> {
  const taken = takeArena();
  if (!taken.ok) return taken;
  const { libc, numbers } = taken.value;
  const attributes = new Structure(taken.value, size);
  fill(attributes);
  for (let attempt = 0; ; attempt++) {
    const answer = libc.syscall3(numbers.bpf, command, attributes.address, size);
    const error = answer < 0 ? lastError(libc, `bpf ${name}`) : undefined;
    // PROG_LOAD says EAGAIN when a signal is pending; libbpf tries five times as well.
    if (error?.kind === 'system' && error.errno === Errno.EAGAIN && attempt < 5) continue;
    after?.(attributes);
    return error === undefined ? ok(answer) : err(error);
  }
}

/** perf_event_open(2): `fill` writes struct perf_event_attr. `pid` -1: all; `cpu` -1: any. A file descriptor. */
export function openPerfEvent(
  name: string,
  size: number,
  fill: (attributes: Structure) => void,
  pid: number,
  cpu: number,
): Result<number, NativeError> {
  const taken = takeArena();
  if (!taken.ok) return taken;
  const { libc, numbers } = taken.value;
  const attributes = new Structure(taken.value, size);
  fill(attributes);
  const answer = libc.syscall5(numbers.perfEventOpen, attributes.address, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  return answer < 0 ? err(lastError(libc, `perf_event_open ${name}`)) : ok(answer);
}

/** Calls perf_event_open without attributes: EFAULT says that the kernel was reached, EPERM or ENOSYS that a filter stands before it. */
export function pokePerfEvent(): Result<number, NativeError> {
  const taken = takeArena();
  if (!taken.ok) return taken;
  const { libc, numbers } = taken.value;
  const answer = libc.syscall5(numbers.perfEventOpen, 0, 0, -1, -1, 0);
  return answer < 0 ? err(lastError(libc, 'perf_event_open')) : ok(answer);
}

/** ioctl(2) with a number as argument. */
export function controlDescriptor(name: string, fd: number, request: number, argument: number): Result<number, NativeError> {
  const taken = takeArena();
  if (!taken.ok) return taken;
  const { libc } = taken.value;
  const answer = libc.ioctl(fd, request, argument);
  return answer < 0 ? err(lastError(libc, `ioctl ${name}`)) : ok(answer);
}

/** close(2). The kernel has closed it, whatever it answers. */
export function closeDescriptor(fd: number): void {
  const taken = takeArena();
  if (taken.ok) taken.value.libc.close(fd);
}

/** As `closeDescriptor` for one that may take long (0.1 s for a uprobe of the perf kind): on another thread, one at a time if you await each. */
export async function closeDescriptorSlowly(fd: number): Promise<void> {
  const taken = takeArena();
  if (taken.ok) await taken.value.libc.closeElsewhere(fd);
}

/** read(2) of at most `length` bytes, at most 16 MiB; an empty array at the end. The array is the caller's. */
export function readDescriptor(fd: number, length: number): Result<Uint8Array, NativeError> {
  const taken = takeArena();
  if (!taken.ok) return taken;
  const arena = taken.value;
  const index = arena.reserve(Math.min(length, MAX_ROOM_BYTES));
  for (;;) {
    const got = arena.libc.read(fd, arena.address(index), Math.min(length, MAX_ROOM_BYTES));
    if (got >= 0) return ok(arena.bytes.slice(index, index + got));
    const error = lastError(arena.libc, 'read');
    if (error.kind !== 'system' || error.errno !== Errno.EINTR) return err(error);
  }
}
