// A module of a target: its file read from wherever the very file can still be read, else its image in memory.
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { err, ok, type Result } from '../base/index.ts';
import { findBuildId, parseElf, SEGMENT, type ElfFile } from '../elf/index.ts';
import { findBias, type ModuleGroup } from './module-groups.ts';
import type { Mapping, Memory, TargetError, TargetModule } from './target.ts';

/** Program headers and the build-id's note lie in the first pages of every file that a linker wrote. */
const HEADER_BYTES = 64 * 1024;
/** An image larger than this is not put together from memory. */
const LARGEST_IMAGE = 512 * 2 ** 20;

/** Where a module's file can be read, and what must be said about it. */
export interface FileLocation {
  readonly hostPath: string | undefined;
  readonly note: string | undefined;
}

/** A module whose facts are read when they are first asked for, and kept. */
export class FileModule implements TargetModule {
  readonly path: string;
  readonly name: string;
  readonly start: bigint;
  readonly end: bigint;
  readonly mappings: readonly Mapping[];
  readonly #memory: Memory;
  readonly #locate: () => FileLocation;
  #location: FileLocation | undefined;
  #header: { readonly elf: ElfFile | undefined } | undefined;
  /** What cannot be read again: an image in memory, a file that only its living process leads to. */
  #kept: Result<Uint8Array, TargetError> | undefined;
  /** A file's bytes are let go of when nobody uses them any more: programs may have hundreds of megabytes. */
  #file: WeakRef<Uint8Array> | undefined;
  #bias: bigint | undefined;
  #buildId: { readonly value: string | undefined } | undefined;

  constructor(group: ModuleGroup, memory: Memory, locate: () => FileLocation) {
    this.path = group.path;
    this.name = basename(group.path);
    this.start = group.mappings[0]!.start;
    this.end = group.mappings.at(-1)!.end;
    this.mappings = group.mappings;
    this.#memory = memory;
    this.#locate = locate;
  }

  get hostPath(): string | undefined {
    return (this.#location ??= this.#locate()).hostPath;
  }

  get note(): string | undefined {
    return (this.#location ??= this.#locate()).note;
  }

  get bias(): bigint {
    this.#bias ??= this.#findBias();
    return this.#bias;
  }

  get buildId(): string | undefined {
    this.#buildId ??= { value: this.#findBuildId() };
    return this.#buildId.value;
  }

  #findBias(): bigint {
    const elf = this.#readHeader();
    const bias = elf === undefined ? undefined : findBias(elf, this.mappings);
    return bias ?? this.start - BigInt(this.mappings[0]!.fileOffset);
  }

  #findBuildId(): string | undefined {
    const elf = this.#readHeader();
    if (elf === undefined) return undefined;
    const id = findBuildId(elf);
    if (id !== undefined || this.#allNotesRead(elf)) return id;
    const bytes = this.bytes();
    const whole = bytes.ok ? parseElf(bytes.value) : undefined;
    return whole?.ok === true ? findBuildId(whole.value) : undefined;
  }

  bytes(): Result<Uint8Array, TargetError> {
    if (this.#kept !== undefined) return this.#kept;
    const known = this.#file?.deref();
    if (known !== undefined) return ok(known);
    const { hostPath } = this;
    const read = this.#readBytes();
    if (!read.ok || hostPath === undefined || hostPath.startsWith('/proc/')) return (this.#kept = read);
    this.#file = new WeakRef(read.value);
    return read;
  }

  #allNotesRead(elf: ElfFile): boolean {
    return elf.segments.every((s) => s.type !== SEGMENT.note || s.fileOffset + s.fileSize <= elf.bytes.length);
  }

  #readHeader(): ElfFile | undefined {
    this.#header ??= { elf: this.#parseHeader() };
    return this.#header.elf;
  }

  #parseHeader(): ElfFile | undefined {
    const fromMemory = readAsMuch(this.#memory, this.mappings.find((m) => m.fileOffset === 0)?.start, HEADER_BYTES);
    const bytes = this.hostPath === undefined ? fromMemory : (readFileHead(this.hostPath, HEADER_BYTES) ?? fromMemory);
    const elf = bytes === undefined ? undefined : parseElf(bytes);
    return elf?.ok === true ? elf.value : undefined;
  }

  #readBytes(): Result<Uint8Array, TargetError> {
    if (this.hostPath === undefined) return this.#readImage();
    try {
      return ok(readFileSync(this.hostPath));
    } catch (error) {
      const image = this.#readImage();
      return image.ok ? image : err({ kind: 'unreadable', message: `${this.hostPath}: ${String(error)}` });
    }
  }

  /** The file as its mappings show it: complete for the vDSO, else only when everything that is mapped can be read. */
  #readImage(): Result<Uint8Array, TargetError> {
    const base = this.mappings[0]!.fileOffset;
    const size = Math.max(...this.mappings.map((m) => m.fileOffset + Number(m.end - m.start)));
    if (base !== 0 || size > LARGEST_IMAGE)
      return err({ kind: 'unreadable', message: `${this.path}: neither the file nor its whole image in memory can be read` });
    const image = new Uint8Array(size);
    for (const mapping of this.mappings) {
      if (!mapping.readable) continue;
      const bytes = this.#memory.read(mapping.start, Number(mapping.end - mapping.start));
      if (bytes === undefined) return err({ kind: 'unreadable', message: this.note ?? `${this.path}: its image in memory is incomplete` });
      image.set(bytes, mapping.fileOffset);
    }
    return ok(image);
  }
}

function readAsMuch(memory: Memory, start: bigint | undefined, length: number): Uint8Array | undefined {
  if (start === undefined) return undefined;
  for (let size = length; size >= 4096; size /= 2) {
    const bytes = memory.read(start, size);
    if (bytes !== undefined) return bytes;
  }
  return undefined;
}

function readFileHead(path: string, length: number): Uint8Array | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, 0));
  } catch {
    return undefined; // the caller goes on with the image in memory
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Finds where the very file that `mapping` maps can be read: by its path, through the process's root, or through map_files. */
export function locateMappedFile(pid: number, mapping: Mapping): FileLocation {
  const candidates = [mapping.path, `/proc/${pid}/root${mapping.path}`];
  let seen: string | undefined;
  if (!mapping.deleted) {
    for (const path of candidates) {
      const match = compareFile(path, mapping);
      if (match === 'same') return { hostPath: path, note: undefined };
      if (match !== 'missing') seen = match;
    }
  }
  const mapFile = `/proc/${pid}/map_files/${mapping.start.toString(16)}-${mapping.end.toString(16)}`;
  const why = mapping.deleted
    ? `${mapping.path} was deleted or replaced after it was mapped`
    : (seen ?? `${mapping.path} is not to be found`);
  if (compareFile(mapFile, mapping) !== 'missing') return { hostPath: mapFile, note: `${why}; read through ${mapFile}` };
  return { hostPath: undefined, note: `${why}, and ${mapFile} cannot be read (needs CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN)` };
}

/** `same`, `missing`, or a sentence that says how the file differs. */
function compareFile(path: string, mapping: Mapping): string {
  try {
    const stat = statSync(path);
    if (stat.ino === mapping.inode && isSameDevice(stat.dev, mapping.device)) return 'same';
    return `${path} is not the mapped file (inode ${stat.ino}, mapped is ${mapping.inode})`;
  } catch {
    return 'missing';
  }
}

/** File systems without a device of their own (major 0: overlay, btrfs) show another number in maps than in stat: then the inode decides. */
function isSameDevice(dev: number, printed: string): boolean {
  const [major, minor] = printed.split(':').map((part) => Number.parseInt(part, 16));
  if (major === 0) return true;
  // glibc's gnu_dev_major and gnu_dev_minor, below 2^32.
  return ((dev >>> 8) & 0xfff) === major && ((dev & 0xff) | ((dev >>> 12) & 0xfff00)) === minor;
}
