// The memory map of a core dump. The kernel writes a program header for every mapping, gdb's gcore only for those that it dumps: the others are
// known from the list of mapped files alone, without their rights.
import { closeSync, openSync, readSync } from 'node:fs';
import { parseElf, SEGMENT, type CoreMappedFile, type CoreNotes, type Segment } from '../elf/index.ts';
import type { Mapping } from './target.ts';

/** Keys of the auxiliary vector (include/uapi/linux/auxvec.h). */
const AT = { random: 25, sysinfoEhdr: 33 } as const;
const DELETED = ' (deleted)';
const HEADER_BYTES = 64 * 1024;

/** Mappings by start: those of the program headers, and what the list of files says beside them (marked by `isGuess`). */
export interface CoreMapping extends Mapping {
  /** The rights are not known. */
  readonly isGuess: boolean;
}

/** Joins both sources. */
export function toCoreMappings(loads: readonly Segment[], notes: CoreNotes): CoreMapping[] {
  const dumped = loads
    .filter((load) => load.memorySize > 0)
    .map((load) => fromSegment(load, notes))
    .sort(byStart);
  const undumped = notes.files.flatMap((file) => subtract(file, dumped).map(([start, end]) => fromFile(file, start, end)));
  return [...dumped, ...undumped].sort(byStart);
}

function byStart(a: Mapping, b: Mapping): number {
  return a.start < b.start ? -1 : a.start > b.start ? 1 : 0;
}

function fromSegment(load: Segment, notes: CoreNotes): CoreMapping {
  const start = BigInt.asUintN(64, BigInt(load.address));
  const end = start + BigInt(load.memorySize);
  const file = notes.files.find((f) => f.start <= start && start < f.end);
  const rights = { readable: load.readable, writable: load.writable, executable: load.executable };
  if (file !== undefined) return { ...fromFile(file, start, end), ...rights, isGuess: false };
  const holds = (address: bigint | undefined): boolean => address !== undefined && address >= start && address < end;
  const path = holds(notes.auxv.get(AT.sysinfoEhdr)) ? '[vdso]' : holds(notes.auxv.get(AT.random)) ? '[stack]' : '';
  return { start, end, ...rights, shared: false, fileOffset: 0, device: '00:00', inode: 0, path, deleted: false, isGuess: false };
}

function fromFile(file: CoreMappedFile, start: bigint, end: bigint): CoreMapping {
  const deleted = file.path.endsWith(DELETED);
  return {
    start,
    end,
    readable: true,
    writable: false,
    executable: true,
    shared: false,
    fileOffset: file.fileOffset + Number(start - file.start),
    device: '00:00',
    inode: 0,
    path: deleted ? file.path.slice(0, -DELETED.length) : file.path,
    deleted,
    isGuess: true,
  };
}

/** Parts of the file's range that no mapping of `dumped` (sorted) covers. */
function subtract(file: CoreMappedFile, dumped: readonly Mapping[]): [start: bigint, end: bigint][] {
  const parts: [bigint, bigint][] = [];
  let at = file.start;
  for (const { start, end } of dumped) {
    if (end <= at) continue;
    if (start >= file.end) break;
    if (start > at) parts.push([at, start]);
    at = end;
  }
  if (at < file.end) parts.push([at, file.end]);
  return parts;
}

/** Takes rights that are not known from the files' program headers; where there is no file, a part may be code. */
export function findRights(mappings: readonly CoreMapping[], hostPaths: ReadonlyMap<string, string | undefined>): Mapping[] {
  const segments = new Map<string, readonly Segment[]>();
  return mappings.map(({ isGuess, ...mapping }) => {
    const hostPath = hostPaths.get(mapping.path);
    if (!isGuess || hostPath === undefined) return mapping;
    const loads = segments.get(hostPath) ?? readLoads(hostPath);
    segments.set(hostPath, loads);
    const load = loads.find(
      (s) => s.fileOffset - (s.fileOffset % 4096) <= mapping.fileOffset && mapping.fileOffset < s.fileOffset + s.fileSize,
    );
    return { ...mapping, executable: load?.executable ?? false, writable: load?.writable ?? false };
  });
}

function readLoads(path: string): readonly Segment[] {
  try {
    const fd = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(HEADER_BYTES);
      const elf = parseElf(bytes.subarray(0, readSync(fd, bytes, 0, HEADER_BYTES, 0)));
      return elf.ok ? elf.value.segments.filter((s) => s.type === SEGMENT.load) : [];
    } finally {
      closeSync(fd);
    }
  } catch {
    return []; // the file went away since it was found: nothing is known of it
  }
}
