/** One Fluoroscope per data directory, and one server at its spool: files that name who holds them. */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The directory cannot be used; the message says why and what to do. */
export class DataError extends Error {}

interface Holder {
  readonly pid: number;
  /** Start of the process in clock ticks since boot (Linux): tells it from a later one with the same id. */
  readonly startTicks: string | undefined;
  readonly since: string;
}

/** How long a server waits for another one, whose supervisor was killed, to write down what it has and end. */
const SERVER_WAIT_MS = 20_000;
/** A lock without a holder is being written, or was cut off while it was. */
const WRITING_MS = 100;

/** Claims the spool in `dir` for this process, when whoever has it is gone. Throws `DataError`. */
export async function claimSpool(dir: string): Promise<() => void> {
  const deadline = performance.now() + SERVER_WAIT_MS;
  for (;;) {
    try {
      return claimDirectory(dir, 'server.lock');
    } catch (cause) {
      if (!(cause instanceof DataError) || performance.now() > deadline) throw cause;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

/** Makes and claims `dir`. The answer gives it back. Throws `DataError`. */
export function claimDirectory(dir: string, name = 'lock'): () => void {
  try {
    makeDirectory(dir);
  } catch (cause) {
    throw new DataError(`cannot use the data directory ${dir}: ${(cause as Error).message}; give another with --data DIR`);
  }
  const path = join(dir, name);
  for (let attempt = 0; attempt < 3; attempt++) {
    if (writeLock(path, dir)) {
      return () => {
        if (readHolder(path)?.pid === process.pid) unlinkSync(path);
      };
    }
    const holder = readHolder(path) ?? readHolderLater(path);
    if (holder && isAlive(holder)) {
      throw new DataError(
        `the data in ${dir} is in use by process ${holder.pid}, which was started ${holder.since}; stop that one, or give another directory with --data DIR`,
      );
    }
    removeStale(path, holder); // left by a process that was killed
  }
  throw new DataError(`cannot lock the data in ${dir}: another process keeps taking it`);
}

/** As `mkdir -p`. Node's own never ends where the system says that a parent is missing although it is there (`/proc`). */
function makeDirectory(dir: string): void {
  if (existsSync(dir)) return;
  const parent = dirname(dir);
  if (parent !== dir) makeDirectory(parent);
  mkdirSync(dir, { mode: 0o700 });
}

/** The process that holds `dir` now; undefined when none does. */
export function findHolder(dir: string): { readonly pid: number; readonly since: string } | undefined {
  const holder = readHolder(join(dir, 'lock'));
  return holder && isAlive(holder) ? holder : undefined;
}

function writeLock(path: string, dir: string): boolean {
  try {
    const fd = openSync(path, 'wx', 0o600);
    const holder: Holder = { pid: process.pid, startTicks: startTicks(process.pid), since: new Date().toISOString() };
    writeSync(fd, JSON.stringify(holder));
    closeSync(fd);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new DataError(`cannot write to the data directory ${dir}: ${(cause as Error).message}; give another with --data DIR`);
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined; // gone meanwhile, or cut off while it was written
  }
}

function readHolderLater(path: string): Holder | undefined {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WRITING_MS);
  return readHolder(path);
}

function removeStale(path: string, holder: Holder | undefined): void {
  const now = readHolder(path);
  if (now?.pid !== holder?.pid || now?.since !== holder?.since) return; // another start was quicker
  try {
    unlinkSync(path);
  } catch {
    // another start was quicker
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
  return holder.startTicks === undefined || startTicks(holder.pid) === holder.startTicks;
}

function startTicks(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
  } catch {
    return undefined; // not Linux
  }
}
