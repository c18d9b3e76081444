/**
 * Function tables on disk, by build-id: what a debug file taught once need not be searched or fetched again.
 *
 * One file a build-id: header (magic, version, counts, base), columns, names; the header has the CRC-32 of the rest. A file
 * that is damaged, cut short, or of another version is as good as absent. Writers make a file of their own and rename
 * it into place, so that readers and other writers see whole files only.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { FunctionTable } from './function-table.ts';

const MAGIC = 0x59534c46; // "FLSY"
const VERSION = 1;
/** Magic, version, checksum, rows, size of names, reserved, base as a double. All little-endian. */
const HEADER_SIZE = 32;

/** Bytes of a table in the cache's form. */
export function encodeTable(table: FunctionTable): Uint8Array {
  const { count, names } = table;
  const bytes = Buffer.alloc(HEADER_SIZE + count * 12 + names.length);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(VERSION, 4);
  bytes.writeUInt32LE(count, 12);
  bytes.writeUInt32LE(names.length, 16);
  bytes.writeDoubleLE(table.base, 24);
  let at = HEADER_SIZE;
  for (const column of [table.starts, table.ends, table.nameOffsets]) {
    for (let i = 0; i < count; i++, at += 4) bytes.writeUInt32LE(column[i]!, at);
  }
  bytes.set(names, at);
  bytes.writeUInt32LE(crc32(bytes.subarray(12)), 8);
  return bytes;
}

/** The table, or undefined when the bytes are not whole or of another version. */
export function decodeTable(bytes: Uint8Array): FunctionTable | undefined {
  if (bytes.length < HEADER_SIZE) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== VERSION) return undefined;
  const count = view.getUint32(12, true);
  const nameBytes = view.getUint32(16, true);
  if (HEADER_SIZE + count * 12 + nameBytes !== bytes.length || crc32(bytes.subarray(12)) !== view.getUint32(8, true)) return undefined;
  const column = (index: number): Uint32Array => {
    const start = HEADER_SIZE + index * count * 4;
    return Uint32Array.from({ length: count }, (_, i) => view.getUint32(start + i * 4, true));
  };
  return {
    base: view.getFloat64(24, true),
    count,
    starts: column(0),
    ends: column(1),
    nameOffsets: column(2),
    names: bytes.subarray(HEADER_SIZE + count * 12),
  };
}

/** A directory of tables. It is made at the first write; failures to read or write are no errors, only misses. */
export class TableCache {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  load(buildId: string): FunctionTable | undefined {
    if (!isBuildId(buildId)) return undefined;
    try {
      return decodeTable(readFileSync(this.#path(buildId)));
    } catch {
      return undefined;
    }
  }

  /** True when it was written. */
  save(buildId: string, table: FunctionTable): boolean {
    if (!isBuildId(buildId)) return false;
    const temporary = `${this.#path(buildId)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
      writeFileSync(temporary, encodeTable(table), { mode: 0o600, flag: 'wx' });
      renameSync(temporary, this.#path(buildId));
      return true;
    } catch {
      removeIfThere(temporary);
      return false;
    }
  }

  #path(buildId: string): string {
    return join(this.#directory, `${buildId}.v${VERSION}.symbols`);
  }
}

function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Nothing was written where there is no directory.
  }
}

/** Lower case hexadecimal, 2 to 128 digits: safe as a file name and in a URL. */
export function isBuildId(text: string): boolean {
  return /^(?:[0-9a-f]{2}){1,64}$/.test(text);
}
