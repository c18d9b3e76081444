import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { err, ok, type Result } from '../base/index.ts';
import { findBuildId, MACHINE, parseElf, SEGMENT, type CoreNotes, type Segment } from '../elf/index.ts';
import { openCoreFile, readCoreHead, type CoreFile, type CoreHead } from './core-file.ts';
import { findRights, toCoreMappings } from './core-mappings.ts';
import { FileModule, type FileLocation } from './file-module.ts';
import { groupModules, type ModuleGroup } from './module-groups.ts';
import { PAGE_SIZE, PagedMemory, type PageSource } from './paged-memory.ts';
import type { Architecture, Identity, Mapping, Registers, Target, TargetError, TargetModule, TargetThread } from './target.ts';

/** Key of the auxiliary vector (include/uapi/linux/auxvec.h). */
const AT_ENTRY = 9;
const HEADER_BYTES = 64 * 1024;

export interface CoreOptions {
  /** The executable, where it is not at the path that the dump names. */
  readonly exe?: string;
  /** A folder under which files are looked for by their whole path first (the root of a container's image, or of another machine). */
  readonly root?: string;
}

/** What is left of a process. Pages of files that the kernel did not dump are read from the files, when they are the same ones. */
export class CoreDump implements Target {
  readonly kind = 'core';
  readonly architecture: Architecture;
  readonly pid: number;
  readonly map: readonly Mapping[];
  readonly modules: readonly TargetModule[];
  readonly memory: PagedMemory;
  readonly auxv: ReadonlyMap<number, bigint>;
  readonly identity: Identity;
  readonly problems: readonly string[];
  readonly #file: CoreFile;
  readonly #notes: CoreNotes;
  readonly #pages: CorePages;

  constructor(file: CoreFile, head: CoreHead, options: CoreOptions) {
    this.#file = file;
    this.#notes = head.notes;
    this.architecture = head.elf.machine === MACHINE.aarch64 ? 'aarch64' : 'x86-64';
    const loads = head.elf.segments.filter((s) => s.type === SEGMENT.load);
    this.auxv = head.notes.auxv;
    this.#pages = new CorePages(file, loads);
    this.memory = new PagedMemory(this.#pages);
    const mappings = toCoreMappings(loads, head.notes);
    const dumped = groupModules(mappings, isFile);
    const mainPath = findMainPath(mappings, this.auxv);
    const located = dumped.map((group) => this.#locate(group, group.path === mainPath ? options.exe : undefined, options.root));
    const hostPaths = new Map(dumped.map((group, i) => [group.path, located[i]!.hostPath]));
    this.map = findRights(mappings, hostPaths);
    const withRights = new Map(mappings.map((mapping, i) => [mapping as Mapping, this.map[i]!]));
    const groups = dumped.map(({ path, mappings: parts }) => ({ path, mappings: parts.map((part) => withRights.get(part)!) }));
    this.modules = groups.map((group, i) => new FileModule(group, this.memory, () => located[i]!));
    for (const [i, group] of groups.entries()) if (located[i]!.hostPath !== undefined) this.#pages.addFile(group, located[i]!.hostPath!);
    this.memory.drop();
    this.identity = toIdentity(head.notes, mainPath);
    this.pid = this.identity.namespacePid;
    this.problems = [...head.problems, ...describeDamage(file, loads), ...describeMissing(groups, located)];
  }

  refresh(): Result<void, TargetError> {
    return ok(undefined);
  }

  threads(): Result<readonly TargetThread[], TargetError> {
    return ok(
      this.#notes.threads.map(({ tid, registers, ip, sp, threadPointer }): TargetThread => {
        const kept: Registers = { byDwarf: registers, ip, sp, threadPointer };
        return { tid, name: tid === this.pid ? this.identity.comm : '', registers: kept };
      }),
    );
  }

  close(): void {
    this.memory.drop();
    this.#pages.close();
    this.#file.close();
  }

  /** Where the very file of a module is: by build-id where the dump has the file's first page, else by path alone. */
  #locate(group: ModuleGroup, exe: string | undefined, root: string | undefined): FileLocation {
    if (group.path === '[vdso]') return { hostPath: undefined, note: undefined };
    const wanted = this.#findDumpedBuildId(group);
    const candidates = [exe, root === undefined ? undefined : root + group.path, group.path].filter((path) => path !== undefined);
    let note = `${group.path} is missing: its code and constants are not in the dump`;
    for (const path of candidates) {
      if (!existsSync(path)) continue;
      const found = readFileBuildId(path);
      if (wanted === undefined) return { hostPath: path, note: `${path} was taken by its name alone: the dump has no build-id of it` };
      if (found === wanted) return { hostPath: path, note: undefined };
      note = `${path} is another file than the one that ran (build-id ${found ?? 'none'}, the dump says ${wanted})`;
    }
    return { hostPath: undefined, note };
  }

  #findDumpedBuildId(group: ModuleGroup): string | undefined {
    const first = group.mappings.find((mapping) => mapping.fileOffset === 0);
    if (first === undefined) return undefined;
    const length = Math.min(Number(first.end - first.start), PAGE_SIZE);
    const page = this.memory.read(first.start, length);
    const elf = page === undefined ? undefined : parseElf(page);
    return elf?.ok === true ? findBuildId(elf.value) : undefined;
  }
}

/** Opens a core dump. What is cut off or missing is told in `problems`; only a file that is no core dump fails. */
export function openCoreDump(path: string, options: CoreOptions = {}): Result<CoreDump, TargetError> {
  const file = openCoreFile(path);
  if (!file.ok) return file;
  const head = readCoreHead(file.value);
  if (!head.ok) {
    file.value.close();
    return err(head.error);
  }
  return ok(new CoreDump(file.value, head.value, options));
}

function isFile(mapping: Mapping): boolean {
  return mapping.path.startsWith('/');
}

function findMainPath(map: readonly Mapping[], auxv: ReadonlyMap<number, bigint>): string {
  const entry = auxv.get(AT_ENTRY);
  return (entry === undefined ? undefined : map.find((m) => m.start <= entry && entry < m.end)?.path) ?? '';
}

function toIdentity(notes: CoreNotes, exe: string): Identity {
  const { process } = notes;
  return {
    exe,
    comm: process?.comm ?? basename(exe),
    commandLine: process === undefined || process.commandLine === '' ? [] : process.commandLine.split(' '),
    namespacePid: process?.pid ?? notes.threads[0]?.tid ?? 0,
    parentPid: process?.parentPid ?? 0,
    processGroup: process?.processGroup ?? 0,
    uid: process?.uid ?? -1,
    gid: process?.gid ?? -1,
    container: undefined,
  };
}

function describeDamage(file: CoreFile, loads: readonly Segment[]): string[] {
  const end = Math.max(0, ...loads.map((load) => load.fileOffset + load.fileSize));
  if (end <= file.sizeBytes) return [];
  const cut = loads.filter((load) => load.fileOffset + load.fileSize > file.sizeBytes && load.fileSize > 0).length;
  return [`the dump is cut off: ${file.sizeBytes} of ${end} bytes are there, ${cut} of ${loads.length} memory segments are incomplete`];
}

function describeMissing(groups: readonly ModuleGroup[], located: readonly FileLocation[]): string[] {
  return groups.flatMap((group, i) => {
    const { hostPath, note } = located[i]!;
    const hasCode = group.mappings.some((mapping) => mapping.executable);
    return hasCode && hostPath === undefined && note !== undefined ? [note] : [];
  });
}

function readFileBuildId(path: string): string | undefined {
  const fd = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(HEADER_BYTES);
    const elf = parseElf(bytes.subarray(0, readSync(fd, bytes, 0, HEADER_BYTES, 0)));
    return elf.ok ? findBuildId(elf.value) : undefined;
  } catch {
    return undefined; // a folder, or a file that cannot be read: not the one
  } finally {
    closeSync(fd);
  }
}

interface FileWindow {
  readonly start: number;
  readonly end: number;
  readonly fileOffset: number;
  readonly fd: number;
}

/** Pages of a core dump: those that were dumped, else those of the mapped files. */
class CorePages implements PageSource {
  readonly #file: CoreFile;
  readonly #loads: readonly Segment[];
  readonly #windows: FileWindow[] = [];
  readonly #descriptors = new Map<string, number>();

  constructor(file: CoreFile, loads: readonly Segment[]) {
    this.#file = file;
    this.#loads = [...loads].sort((a, b) => a.address - b.address);
  }

  /** From now on pages of this module that were not dumped come from the file. A file that cannot be opened gives none. */
  addFile(group: ModuleGroup, path: string): void {
    let fd = this.#descriptors.get(path);
    try {
      fd ??= openSync(path, 'r');
    } catch {
      return;
    }
    this.#descriptors.set(path, fd);
    for (const { start, end, fileOffset } of group.mappings) this.#windows.push({ start: Number(start), end: Number(end), fileOffset, fd });
  }

  close(): void {
    for (const fd of this.#descriptors.values()) closeSync(fd);
    this.#descriptors.clear();
    this.#windows.length = 0;
  }

  readPages(pageNumbers: readonly number[]): (Uint8Array | undefined)[] {
    return pageNumbers.map((page) => this.#readDumped(page * PAGE_SIZE) ?? this.#readMapped(page * PAGE_SIZE));
  }

  #readDumped(address: number): Uint8Array | undefined {
    let low = 0;
    let high = this.#loads.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#loads[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    const load = this.#loads[low - 1];
    if (load === undefined || address + PAGE_SIZE > load.address + load.fileSize) return undefined;
    const bytes = this.#file.readUpTo(load.fileOffset + (address - load.address), PAGE_SIZE);
    return bytes.length === PAGE_SIZE ? bytes : undefined;
  }

  #readMapped(address: number): Uint8Array | undefined {
    const window = this.#windows.find((w) => w.start <= address && address < w.end);
    if (window === undefined) return undefined;
    const bytes = new Uint8Array(PAGE_SIZE);
    // A file's last page is filled up with zeros, as in memory.
    const got = readSync(window.fd, bytes, 0, PAGE_SIZE, window.fileOffset + (address - window.start));
    return got > 0 ? bytes : undefined;
  }
}
