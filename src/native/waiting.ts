/** Waiting for descriptors: on the event loop, or blocking in a worker of ours. */
import { ok, err, type Result } from '../base/index.ts';
import { takeArena } from './arena.ts';
import { Errno } from './errno.ts';
import type { NativeError } from './error.ts';
import { lastError, loadLibc } from './libc.ts';

const EPOLL_CLOEXEC = 0x80000;
const EPOLL_CTL_ADD = 1;
const EPOLLIN = 1;
const EVENT_BYTES = 16;
const MAX_EVENTS = 64;

/**
 * Calls `ready` on this thread's event loop whenever `fd` can be read (uv_poll: no thread, no blocking). The function returned ends it, and must be
 * called before the descriptor is closed.
 */
export function watchDescriptor(fd: number, ready: () => void): Result<() => void, NativeError> {
  const loaded = loadLibc();
  if (!loaded.ok) return loaded;
  return ok(loaded.value.libc.poll(fd, ready));
}

/** epoll(7) on a set of descriptors, for a thread that may block. */
export class DescriptorSet {
  readonly #epoll: number;

  private constructor(epoll: number) {
    this.#epoll = epoll;
  }

  static create(fds: readonly number[]): Result<DescriptorSet, NativeError> {
    const taken = takeArena();
    if (!taken.ok) return taken;
    const arena = taken.value;
    const { libc } = arena;
    const epoll = libc.epollCreate(EPOLL_CLOEXEC);
    if (epoll < 0) return err(lastError(libc, 'epoll_create1'));
    const event = arena.reserveZeroed(EVENT_BYTES);
    arena.data.setUint32(event, EPOLLIN, true);
    for (const fd of fds)
      if (libc.epollControl(epoll, EPOLL_CTL_ADD, fd, arena.address(event)) < 0) {
        const error = lastError(libc, `epoll_ctl of descriptor ${fd}`);
        libc.close(epoll);
        return err(error);
      }
    return ok(new DescriptorSet(epoll));
  }

  /** Blocks until one can be read, or `timeoutMs` have passed; whether one can. Keep it at 100 ms: a worker cannot be ended meanwhile. */
  wait(timeoutMs: number): Result<boolean, NativeError> {
    const taken = takeArena();
    if (!taken.ok) return taken;
    const arena = taken.value;
    const events = arena.reserve(EVENT_BYTES * MAX_EVENTS);
    const count = arena.libc.epollWait(this.#epoll, arena.address(events), MAX_EVENTS, timeoutMs);
    if (count >= 0) return ok(count > 0);
    const error = lastError(arena.libc, 'epoll_wait');
    return error.kind === 'system' && error.errno === Errno.EINTR ? ok(false) : err(error);
  }

  close(): void {
    const taken = takeArena();
    if (taken.ok) taken.value.libc.close(this.#epoll);
  }
}
