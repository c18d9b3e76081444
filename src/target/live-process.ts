import { err, ok, type Result } from '../base/index.ts';
import { errnoOf, readProcessMemory, type NativeError } from '../native/index.ts';
import { FileModule, locateMappedFile } from './file-module.ts';
import { explainForbidden, loadAccessFacts } from './forbidden.ts';
import { groupModules } from './module-groups.ts';
import { PAGE_SIZE, PagedMemory, type PageSource } from './paged-memory.ts';
import { isFileMapping, parseMaps } from './proc-maps.ts';
import { listThreadIds, readAuxv, readIdentity, readProcText, readStatus } from './proc-files.ts';
import type { Architecture, Identity, Mapping, Target, TargetError, TargetModule, TargetThread } from './target.ts';

const ESRCH = 3;

/** A process that runs on: its memory may change between two reads; pages that were read stay as they were until `memory.drop`. */
export class LiveProcess implements Target {
  readonly kind: Target['kind'] = 'live';
  readonly architecture: Architecture = process.arch === 'arm64' ? 'aarch64' : 'x86-64';
  readonly pid: number;
  readonly memory: PagedMemory;
  #identity: Identity;
  #auxv: ReadonlyMap<number, bigint>;
  #map: readonly Mapping[] = [];
  #modules: readonly TargetModule[] = [];
  #problems: readonly string[] = [];

  constructor(pid: number, identity: Identity) {
    this.pid = pid;
    this.#identity = identity;
    this.memory = new PagedMemory(new ProcessPages(pid));
    this.#auxv = readAuxv(pid);
  }

  get identity(): Identity {
    return this.#identity;
  }

  get auxv(): ReadonlyMap<number, bigint> {
    return this.#auxv;
  }

  get map(): readonly Mapping[] {
    return this.#map;
  }

  get modules(): readonly TargetModule[] {
    return this.#modules;
  }

  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Reads the memory map again, and who the process is, and forgets cached pages. Modules that are as before stay the same objects. */
  refresh(): Result<void, TargetError> {
    const text = readProcText(this.pid, 'maps');
    if (!text.ok) return text.error.kind === 'forbidden' ? err(forbidden(this.pid, 'reading the memory map')) : text;
    const { mappings, skippedLines } = parseMaps(text.value);
    if (mappings.length === 0) return err({ kind: 'gone', message: `process ${this.pid} has no memory: it is ending, or a kernel thread` });
    const identity = readIdentity(this.pid);
    if (!identity.ok) return identity;
    this.#map = mappings;
    this.#identity = identity.value;
    this.#auxv = readAuxv(this.pid);
    this.#problems = skippedLines > 0 ? [`${skippedLines} lines of /proc/${this.pid}/maps were not understood`] : [];
    this.memory.drop();
    const known = new Map(this.#modules.map((module) => [identify(module.path, module.mappings), module]));
    this.#modules = groupModules(mappings, isFileMapping).map(
      (group) =>
        known.get(identify(group.path, group.mappings)) ??
        new FileModule(group, this.memory, () =>
          group.path === '[vdso]' ? { hostPath: undefined, note: undefined } : locateMappedFile(this.pid, group.mappings[0]!),
        ),
    );
    return ok(undefined);
  }

  threads(): Result<readonly TargetThread[], TargetError> {
    const tids = listThreadIds(this.pid);
    if (tids.length === 0) return err({ kind: 'gone', message: `process ${this.pid} is gone` });
    return ok(tids.map((tid) => ({ tid, name: readThreadName(this.pid, tid), registers: undefined })));
  }

  close(): void {
    this.memory.drop();
  }
}

function identify(path: string, mappings: readonly Mapping[]): string {
  return `${path} ${mappings.map((m) => `${m.start}-${m.end} ${m.fileOffset} ${m.inode} ${m.deleted}`).join(' ')}`;
}

/** Name of a thread; empty when it has ended. */
export function readThreadName(pid: number, tid: number): string {
  const text = readProcText(pid, `task/${tid}/comm`);
  return text.ok ? text.value.replace(/\n$/, '') : '';
}

/** Why the kernel refused, told by what /proc says of both processes. */
export function forbidden(pid: number, what: string): TargetError {
  const status = readStatus(pid);
  if (!status.ok && status.error.kind === 'gone') return status.error;
  const { uid, tracerPid } = status.ok ? status.value : { uid: -1, tracerPid: 0 };
  return explainForbidden(pid, what, loadAccessFacts(uid, tracerPid));
}

/** An error of a system call on a process, as an error of the target. */
export function toTargetError(pid: number, what: string, error: NativeError): TargetError {
  if (error.kind === 'no-ffi') return { kind: 'unreadable', message: error.message };
  if (error.errno === ESRCH) return { kind: 'gone', message: `process ${pid} is gone` };
  if (error.name === 'EPERM' || error.name === 'EACCES') return forbidden(pid, what);
  return { kind: 'unreadable', message: `${what} of process ${pid}: ${error.message}` };
}

/** Opens a running process; reads one word of it to learn whether that is permitted. */
export function openLiveProcess(pid: number): Result<LiveProcess, TargetError> {
  const identity = readIdentity(pid);
  if (!identity.ok) return identity;
  const target = new LiveProcess(pid, identity.value);
  const refreshed = target.refresh();
  if (!refreshed.ok) return refreshed;
  const permitted = checkReadable(target);
  return permitted.ok ? ok(target) : permitted;
}

function checkReadable(target: LiveProcess): Result<void, TargetError> {
  const mapping = target.map.find((m) => m.readable && !m.path.startsWith('[v'));
  if (mapping === undefined) return ok(undefined);
  const read = readProcessMemory(target.pid, [{ address: mapping.start, length: 8 }], new Uint8Array(8));
  return read.ok ? ok(undefined) : err(toTargetError(target.pid, 'reading the memory', read.error));
}

/** Pages of a process by process_vm_readv. */
class ProcessPages implements PageSource {
  readonly #pid: number;

  constructor(pid: number) {
    this.#pid = pid;
  }

  readPages(pageNumbers: readonly number[]): (Uint8Array | undefined)[] {
    const buffer = new Uint8Array(pageNumbers.length * PAGE_SIZE);
    const ranges = pageNumbers.map((page) => ({ address: BigInt(page) * BigInt(PAGE_SIZE), length: PAGE_SIZE }));
    const read = readProcessMemory(this.#pid, ranges, buffer);
    // A process that vanished while we looked has no readable page any more.
    if (!read.ok) return pageNumbers.map(() => undefined);
    const failed = new Set(read.value.failed);
    return pageNumbers.map((_page, i) => (failed.has(i) ? undefined : buffer.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE)));
  }
}

/** True of the error that a vanished process gives. */
export function isGone(error: NativeError): boolean {
  return errnoOf(error) === ESRCH;
}
