/** Reading another process's memory: process_vm_readv(2), many ranges a call. */
import { assert, ok, err, type Result } from '../base/index.ts';
import { takeArena, type Arena } from './arena.ts';
import { Errno } from './errno.ts';
import { systemError, type NativeError } from './error.ts';

export interface MemoryRange {
  readonly address: bigint;
  readonly length: number;
}

export interface ReadOutcome {
  /** Bytes that were read, of all ranges together. */
  readonly bytesRead: number;
  /** Indexes of the ranges that could not be read whole, rising. Their places in the buffer hold nothing of use. */
  readonly failed: readonly number[];
}

/** IOV_MAX of Linux (include/uapi/linux/uio.h, UIO_MAXIOV). */
const MAX_RANGES = 1024;
const IOVEC_BYTES = 16;
const STAGE_BYTES = 4 << 20;

/**
 * Reads `ranges` of the process one after the other into `into`: range i lies where the lengths before it end, whether or not they
 * could be read. A range that is in part unreadable counts as failed. An error is returned only when the process itself cannot be
 * read: ESRCH (gone), EPERM (CAP_SYS_PTRACE is missing, or a security module forbids it), ENOSYS.
 */
export function readProcessMemory(pid: number, ranges: readonly MemoryRange[], into: Uint8Array): Result<ReadOutcome, NativeError> {
  const total = ranges.reduce((sum, range) => sum + range.length, 0);
  assert(total <= into.length, `a buffer of ${into.length} bytes for ${total} bytes of ranges`);
  const failed: number[] = [];
  let bytesRead = 0;
  let index = 0;
  let place = 0;
  while (index < ranges.length) {
    const count = fit(ranges, index);
    const batch = count === 0 ? readLarge(pid, ranges[index]!, into, place) : readBatch(pid, ranges, index, count, into, place);
    if (!batch.ok) return batch;
    const { whole, bytes, skipped } = batch.value;
    bytesRead += bytes;
    for (let i = index; i < index + whole; i++) place += ranges[i]!.length;
    index += whole;
    if (skipped) {
      failed.push(index);
      place += ranges[index]!.length;
      index++;
    }
  }
  return ok({ bytesRead, failed });
}

interface BatchOutcome {
  /** Ranges that were read whole, from the first on. */
  readonly whole: number;
  readonly bytes: number;
  /** The range after those cannot be read. */
  readonly skipped: boolean;
}

/** How many ranges from `index` on go into one call; 0 when the first alone is too large. */
function fit(ranges: readonly MemoryRange[], index: number): number {
  let bytes = 0;
  let count = 0;
  while (index + count < ranges.length && count < MAX_RANGES) {
    bytes += ranges[index + count]!.length;
    if (bytes > STAGE_BYTES) break;
    count++;
  }
  return count;
}

function readBatch(
  pid: number,
  ranges: readonly MemoryRange[],
  first: number,
  count: number,
  into: Uint8Array,
  place: number,
): Result<BatchOutcome, NativeError> {
  const taken = takeArena();
  if (!taken.ok) return taken;
  const arena = taken.value;
  const { stage, got } = transfer(arena, pid, ranges, first, count);
  if (got < 0) {
    const errno = arena.libc.errno();
    if (errno !== Errno.EFAULT) return err(systemError(`process_vm_readv of process ${pid}`, errno));
    return ok({ whole: 0, bytes: 0, skipped: true });
  }
  into.set(arena.bytes.subarray(stage, stage + got), place);
  let whole = 0;
  let bytes = 0;
  while (whole < count && bytes + ranges[first + whole]!.length <= got) bytes += ranges[first + whole++]!.length;
  return ok({ whole, bytes, skipped: whole < count });
}

/** One call for `count` ranges; the kernel stops at the first address that it cannot read. */
function transfer(arena: Arena, pid: number, ranges: readonly MemoryRange[], first: number, count: number) {
  let length = 0;
  const remote = arena.reserve(count * IOVEC_BYTES);
  for (let i = 0; i < count; i++) {
    const range = ranges[first + i]!;
    assert(Number.isSafeInteger(range.length) && range.length >= 0, `a range of ${range.length} bytes`);
    arena.setU64(remote + i * IOVEC_BYTES, range.address);
    arena.setU64(remote + i * IOVEC_BYTES + 8, range.length);
    length += range.length;
  }
  const stage = arena.reserve(length);
  const local = arena.reserve(IOVEC_BYTES);
  arena.setU64(local, arena.address(stage));
  arena.setU64(local + 8, length);
  const got = arena.libc.processVmReadv(pid, arena.address(local), 1, arena.address(remote), count, 0);
  return { stage, got };
}

/** A range larger than the stage, in pieces. */
function readLarge(pid: number, range: MemoryRange, into: Uint8Array, place: number): Result<BatchOutcome, NativeError> {
  for (let done = 0; done < range.length;) {
    const piece = { address: range.address + BigInt(done), length: Math.min(STAGE_BYTES, range.length - done) };
    const batch = readBatch(pid, [piece], 0, 1, into, place + done);
    if (!batch.ok) return batch;
    if (batch.value.skipped) return ok({ whole: 0, bytes: 0, skipped: true });
    done += piece.length;
  }
  return ok({ whole: 1, bytes: range.length, skipped: false });
}
