/**
 * Stopping threads and reading their registers: ptrace(2) with PTRACE_SEIZE, which sends no signal. The kernel lets all threads go
 * on when the tracer's thread ends, so a Fluoroscope that is killed leaves nothing stopped. All calls for one thread must come from
 * the thread of ours that froze it.
 */
import { readdirSync } from 'node:fs';
import { err, ok, type Result } from '../base/index.ts';
import { takeArena } from './arena.ts';
import { Errno } from './errno.ts';
import { errnoOf, systemError, type NativeError } from './error.ts';
import { lastError } from './libc.ts';
import { decodeRegisters, REGISTER_SET_BYTES, type ThreadRegisters } from './registers.ts';

/** A thread that is stopped and traced by us. */
export interface FrozenThread {
  readonly tid: number;
  /** A signal that the thread was about to receive; `detachThread` hands it on. 0: none. */
  readonly pendingSignal: number;
}

/** ptrace requests (include/uapi/linux/ptrace.h). */
const PTRACE_DETACH = 17;
const PTRACE_GETREGSET = 0x4204;
const PTRACE_SEIZE = 0x4206;
const PTRACE_INTERRUPT = 0x4207;
const PTRACE_EVENT_STOP = 128;
const SIGTRAP = 5;

/** Kinds of register sets (include/uapi/linux/elf.h). */
const NT_PRSTATUS = 1;
const NT_ARM_TLS = 0x401;

const WNOHANG = 1;
const WALL = 0x40000000;

const WAIT_STEP_MS = 0.2;
const DEFAULT_TIMEOUT_MS = 1_000;

/**
 * Stops one thread and waits until it stands. ETIMEDOUT when it does not within `timeoutMs` (a thread that waits in the kernel without
 * being interruptible, as on a dead disk); then it is let go again. EPERM: not permitted, or another tracer has it.
 */
export function freezeThread(tid: number, timeoutMs = DEFAULT_TIMEOUT_MS): Result<FrozenThread, NativeError> {
  const seized = seizeThread(tid);
  if (!seized.ok) return seized;
  const stopped = awaitStop(tid, timeoutMs);
  if (!stopped.ok) detachThread({ tid, pendingSignal: 0 });
  return stopped;
}

/**
 * Stops all threads of a process, those included that are born meanwhile. When one cannot be stopped, all are let go on and its error is
 * returned. Threads that end meanwhile are left out.
 */
export function freezeProcess(pid: number, timeoutMs = DEFAULT_TIMEOUT_MS): Result<readonly FrozenThread[], NativeError> {
  const frozen = new Map<number, FrozenThread>();
  const gone = new Set<number>();
  for (;;) {
    const fresh = listThreads(pid).filter((tid) => !frozen.has(tid) && !gone.has(tid));
    if (fresh.length === 0) break;
    const failure = freezeAll(fresh, frozen, gone, timeoutMs);
    if (failure !== undefined) {
      for (const thread of frozen.values()) detachThread(thread);
      return err(failure);
    }
  }
  if (frozen.size === 0) return err(systemError(`freezing process ${pid}`, Errno.ESRCH));
  return ok([...frozen.values()]);
}

/** First all are asked to stop, then each is waited for: they stop at nearly the same time. */
function freezeAll(
  tids: readonly number[],
  frozen: Map<number, FrozenThread>,
  gone: Set<number>,
  timeoutMs: number,
): NativeError | undefined {
  let failure: NativeError | undefined;
  const seized = tids.filter((tid) => {
    const result = failure === undefined ? seizeThread(tid) : undefined;
    if (result?.ok === false && errnoOf(result.error) === Errno.ESRCH) gone.add(tid);
    else if (result?.ok === false) failure = result.error;
    return result?.ok === true;
  });
  for (const tid of seized) {
    const stopped = awaitStop(tid, timeoutMs);
    if (!stopped.ok && errnoOf(stopped.error) === Errno.ESRCH) gone.add(tid);
    else frozen.set(tid, stopped.ok ? stopped.value : { tid, pendingSignal: 0 });
    if (!stopped.ok && !gone.has(tid)) failure ??= stopped.error;
  }
  return failure;
}

function listThreads(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return []; // the process is gone
  }
}

function seizeThread(tid: number): Result<void, NativeError> {
  const taken = takeArena();
  if (!taken.ok) return taken;
  const { libc } = taken.value;
  if (libc.ptrace(PTRACE_SEIZE, tid, 0, 0) < 0) return err(lastError(libc, `ptrace SEIZE of thread ${tid}`));
  if (libc.ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0) return err(lastError(libc, `ptrace INTERRUPT of thread ${tid}`));
  return ok(undefined);
}

function awaitStop(tid: number, timeoutMs: number): Result<FrozenThread, NativeError> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const status = pollStatus(tid);
    if (!status.ok) return status;
    if (status.value !== undefined) return readStop(tid, status.value);
    if (performance.now() > deadline) return err(systemError(`stopping thread ${tid}`, 110));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_STEP_MS);
  }
}

function pollStatus(tid: number): Result<number | undefined, NativeError> {
  const taken = takeArena();
  if (!taken.ok) return taken;
  const arena = taken.value;
  const index = arena.reserveZeroed(8);
  const answer = arena.libc.waitpid(tid, arena.address(index), WALL | WNOHANG);
  if (answer < 0) return err(lastError(arena.libc, `waitpid of thread ${tid}`));
  return ok(answer === 0 ? undefined : arena.data.getInt32(index, true));
}

/** wait(2): the low byte is 0x7f for a stop, the next the signal, the one above a ptrace event. */
function readStop(tid: number, status: number): Result<FrozenThread, NativeError> {
  if ((status & 0xff) !== 0x7f) return err(systemError(`stopping thread ${tid}`, Errno.ESRCH));
  const signal = (status >> 8) & 0xff;
  const isEvent = status >> 16 === PTRACE_EVENT_STOP || signal === SIGTRAP;
  return ok({ tid, pendingSignal: isEvent ? 0 : signal });
}

/** The registers of a thread that `freezeThread` stopped. */
export function readRegisters(tid: number): Result<ThreadRegisters, NativeError> {
  const general = readRegisterSet(tid, NT_PRSTATUS, REGISTER_SET_BYTES);
  if (!general.ok) return general;
  if (process.arch !== 'arm64') return ok(decodeRegisters('x86-64', general.value));
  const tls = readRegisterSet(tid, NT_ARM_TLS, 8);
  return tls.ok ? ok(decodeRegisters('aarch64', general.value, tls.value)) : tls;
}

function readRegisterSet(tid: number, kind: number, capacity: number): Result<Uint8Array, NativeError> {
  const taken = takeArena();
  if (!taken.ok) return taken;
  const arena = taken.value;
  const set = arena.reserveZeroed(capacity);
  const iovec = arena.reserve(16);
  arena.setU64(iovec, arena.address(set));
  arena.setU64(iovec + 8, capacity);
  const answer = arena.libc.ptrace(PTRACE_GETREGSET, tid, kind, arena.address(iovec));
  if (answer < 0) return err(lastError(arena.libc, `ptrace GETREGSET of thread ${tid}`));
  return ok(arena.bytes.slice(set, set + capacity));
}

/** Lets a frozen thread go on. A thread that is gone is no failure. */
export function detachThread(thread: FrozenThread): Result<void, NativeError> {
  const taken = takeArena();
  if (!taken.ok) return taken;
  const { libc } = taken.value;
  if (libc.ptrace(PTRACE_DETACH, thread.tid, 0, thread.pendingSignal) >= 0) return ok(undefined);
  const error = lastError(libc, `ptrace DETACH of thread ${thread.tid}`);
  return errnoOf(error) === Errno.ESRCH ? ok(undefined) : err(error);
}
