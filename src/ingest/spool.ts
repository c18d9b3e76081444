/**
 * What stands between an acknowledgement and the store: records in append-only files, each with a checksum, flushed to the disk
 * before anyone is told that they are safe. Records are taken out in batches whose bounds are written down before they are sent,
 * so that a batch whose outcome is unknown is sent again as exactly the same batch (the store knows it by its token).
 *
 * Files: `NNNNNNNNNNNNNNNN.log` (records; the name is the first sequence number), `taken` (how far it is done, and the bounds of the
 * batch under way; of fixed size, so that a full disk cannot stop it) and `id`.
 * A record: magic, payload bytes, CRC-32, sequence (u32 each; the sequence as two), rows, count of minutes, minutes (u32 each), payload.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  unlinkSync,
  write,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { assert } from '../base/index.ts';

const writeAsync = promisify(write);
const fdatasyncAsync = promisify(fdatasync);

const MAGIC = 0x50534c46; // "FLSP"
const HEADER_BYTES = 28;
const FILE_LIMIT_BYTES = 64 * 1024 * 1024;

/** What goes into the spool as one unit. */
export interface SpoolRecord {
  /** A block that can be sent to the store as it is. */
  readonly payload: Uint8Array;
  readonly rows: number;
  /** Minutes (epoch seconds / 60) that its spans start in. */
  readonly minutes: readonly number[];
}

/** Consecutive records to send as one. */
export interface SpoolBatch {
  /** The same for the same records, also after a restart. */
  readonly token: string;
  readonly first: number;
  readonly last: number;
  readonly payloads: readonly Uint8Array[];
  readonly rows: number;
  readonly minutes: readonly number[];
}

/** What was found on disk when the spool was opened. */
export interface SpoolRecovery {
  readonly records: number;
  /** Bytes at the end of the newest file that were not a whole record: a write that was cut off, never acknowledged. */
  readonly tornBytes: number;
  /** Bytes elsewhere, or of a whole record, whose checksum did not fit: the disk lost them. */
  readonly damagedBytes: number;
  /** Files in which those bytes are kept (`<file>.<offset>.damaged`). */
  readonly kept: readonly string[];
}

interface RecordPlace {
  readonly sequence: number;
  readonly file: SpoolFile;
  readonly offset: number;
  readonly payloadBytes: number;
  readonly rows: number;
  readonly minutes: readonly number[];
  readonly headerBytes: number;
  readonly atMs: number;
}

interface SpoolFile {
  readonly path: string;
  readonly fd: number;
  sizeBytes: number;
  records: number;
}

export class Spool {
  readonly recovery: SpoolRecovery;
  readonly #dir: string;
  readonly #id: string;
  #files: SpoolFile[] = [];
  #waiting: RecordPlace[] = [];
  #next: number;
  readonly #progress: ProgressFile;
  #bytes = 0;
  #rows = 0;

  private constructor(dir: string) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.#id = loadId(dir);
    this.#progress = new ProgressFile(join(dir, 'taken'));
    // Never a number that a batch was sent with: the store would take the new record for the old one.
    this.#next = Math.max(this.#progress.done, this.#progress.bounds?.last ?? 0) + 1;
    this.recovery = this.#recover(this.#progress.done);
  }

  /** Opens the spool in `dir` and finds what it still holds. Throws when the directory cannot be used. */
  static open(dir: string): Spool {
    return new Spool(dir);
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Records that wait. */
  get records(): number {
    return this.#waiting.length;
  }

  /** When the oldest waiting record was written (`Date.now()` scale); undefined when none waits. */
  get oldestMs(): number | undefined {
    return this.#waiting[0]?.atMs;
  }

  /** Rows of all waiting records. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * Writes a record and flushes it. Resolved: it is on the disk. Rejected (`ENOSPC`, an I/O error): it is not, and nothing of it will come
   * back. One call at a time.
   */
  async append(record: SpoolRecord): Promise<void> {
    const file = this.#currentFile();
    const sequence = this.#next;
    const header = encodeHeader(record, sequence);
    const sizeBytes = header.length + record.payload.length;
    file.records++; // the file stays open while it is written to
    try {
      await writeAll(file.fd, header, file.sizeBytes);
      await writeAll(file.fd, record.payload, file.sizeBytes + header.length);
      await fdatasyncAsync(file.fd);
    } catch (cause) {
      file.records--;
      ftruncateSync(file.fd, file.sizeBytes); // what was not acknowledged must not come back
      throw cause;
    }
    this.#next++;
    this.#add({
      sequence,
      file,
      offset: file.sizeBytes,
      payloadBytes: record.payload.length,
      rows: record.rows,
      minutes: record.minutes,
      headerBytes: header.length,
      atMs: Date.now(),
    });
    file.sizeBytes += sizeBytes;
  }

  #add(place: RecordPlace): void {
    this.#waiting.push(place);
    this.#bytes += place.headerBytes + place.payloadBytes;
    this.#rows += place.rows;
  }

  /** The next batch: the one whose bounds are written down already, or as much as the limits allow. Undefined when nothing waits. */
  take(maxRows: number, maxBytes: number): SpoolBatch | undefined {
    if (this.#waiting.length === 0) return undefined;
    const bounds = this.#progress.bounds;
    const { first, last } =
      bounds !== undefined && bounds.last >= this.#waiting[0]!.sequence ? bounds : this.#chooseBounds(maxRows, maxBytes);
    const places: RecordPlace[] = [];
    for (const place of this.#waiting) {
      if (place.sequence > last) break;
      places.push(place);
    }
    return {
      token: `${this.#id}:${first}-${last}`,
      first,
      last,
      payloads: places.map((place) => readPayload(place)),
      rows: places.reduce((sum, place) => sum + place.rows, 0),
      minutes: [...new Set(places.flatMap((place) => place.minutes))],
    };
  }

  #chooseBounds(maxRows: number, maxBytes: number): Bounds {
    const first = this.#waiting[0]!.sequence;
    let last = first;
    let rows = 0;
    let bytes = 0;
    for (const place of this.#waiting) {
      rows += place.rows;
      bytes += place.payloadBytes;
      if (place.sequence !== first && (rows > maxRows || bytes > maxBytes)) break;
      last = place.sequence;
    }
    this.#progress.write(this.#progress.done, { first, last });
    return { first, last };
  }

  /** The store has everything up to `batch.last`: forget it, and free its space. */
  done(batch: SpoolBatch): void {
    this.#progress.write(batch.last, undefined);
    let count = 0;
    for (const place of this.#waiting) {
      if (place.sequence > batch.last) break;
      place.file.records--;
      this.#bytes -= place.headerBytes + place.payloadBytes;
      this.#rows -= place.rows;
      count++;
    }
    this.#waiting.splice(0, count);
    this.#dropEmptyFiles();
  }

  close(): void {
    for (const file of this.#files) closeSync(file.fd);
    this.#progress.close();
  }

  #currentFile(): SpoolFile {
    const newest = this.#files.at(-1);
    if (newest && newest.sizeBytes < FILE_LIMIT_BYTES) return newest;
    const path = join(this.#dir, `${String(this.#next).padStart(16, '0')}.log`);
    const file = { path, fd: openSync(path, 'w+', 0o600), sizeBytes: 0, records: 0 };
    try {
      syncDirectory(this.#dir);
    } catch (cause) {
      closeSync(file.fd);
      throw cause;
    }
    this.#files.push(file);
    return file;
  }

  #dropEmptyFiles(): void {
    this.#files = this.#files.filter((file, index) => {
      const newest = index === this.#files.length - 1;
      if (file.records > 0 || (newest && file.sizeBytes < FILE_LIMIT_BYTES)) return true;
      closeSync(file.fd);
      unlinkSync(file.path);
      return false;
    });
    // Nothing waits: give the newest file's space back too, so that a full disk is not kept full by what is done.
    const only = this.#files[0];
    if (this.#files.length === 1 && only && only.records === 0 && only.sizeBytes > 0) {
      closeSync(only.fd);
      unlinkSync(only.path);
      this.#files = [];
    }
  }

  #recover(done: number): SpoolRecovery {
    const names = readdirSync(this.#dir)
      .filter((name) => /^\d{16}\.log$/.test(name))
      .sort();
    const lost: Lost = { tornBytes: 0, damagedBytes: 0, kept: [] };
    for (const [index, name] of names.entries()) {
      this.#recoverFile(join(this.#dir, name), done, index === names.length - 1, lost);
    }
    this.#dropEmptyFiles();
    return { records: this.#waiting.length, ...lost };
  }

  /** Finds the whole records of a file, also behind damaged ones; adds up in `lost` what is none. */
  #recoverFile(path: string, done: number, newest: boolean, lost: Lost): void {
    const fd = openSync(path, 'r+');
    const bytes = readFileSync(fd);
    const file: SpoolFile = { path, fd, sizeBytes: 0, records: 0 };
    this.#files.push(file);
    for (let at = 0; ;) {
      const offset = findRecord(bytes, at);
      if (offset === undefined) break;
      const found = decodeRecord(bytes, offset)!;
      // What stood before a record that is next in turn was done already.
      if (offset > file.sizeBytes && found.sequence > done + 1) {
        lost.damagedBytes += offset - file.sizeBytes;
        keepDamaged(path, bytes, file.sizeBytes, offset, lost);
      }
      if (found.sequence > done) {
        file.records++;
        this.#add({ ...found, file, offset, atMs: Date.now() });
      }
      this.#next = Math.max(this.#next, found.sequence + 1);
      at = offset + found.headerBytes + found.payloadBytes;
      file.sizeBytes = at;
    }
    const tail = bytes.length - file.sizeBytes;
    if (tail === 0) return;
    if (newest && !isWhole(bytes, file.sizeBytes)) lost.tornBytes += tail;
    else lost.damagedBytes += tail;
    keepDamaged(path, bytes, file.sizeBytes, bytes.length, lost);
    ftruncateSync(fd, file.sizeBytes);
  }
}

interface Lost {
  tornBytes: number;
  damagedBytes: number;
  readonly kept: string[];
}

/** The first offset from `from` on at which a whole record stands. */
function findRecord(bytes: Buffer, from: number): number | undefined {
  if (decodeRecord(bytes, from)) return from;
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(MAGIC);
  for (let at = bytes.indexOf(magic, from + 1); at >= 0; at = bytes.indexOf(magic, at + 1)) {
    if (decodeRecord(bytes, at)) return at;
  }
  return undefined;
}

interface Bounds {
  readonly first: number;
  readonly last: number;
}

const SLOT_BYTES = 512;

/** Two slots of fixed size, written in turn: a write that is cut off leaves the other one whole. */
class ProgressFile {
  /** The last sequence number that the store has for certain; 0 for none. */
  done = 0;
  /** The batch that was sent or is about to be. */
  bounds: Bounds | undefined;
  readonly #fd: number;
  #generation = 0;

  constructor(path: string) {
    const fresh = !existsSync(path);
    this.#fd = openSync(path, fresh ? 'w+' : 'r+', 0o600);
    if (fresh) writeSync(this.#fd, Buffer.alloc(2 * SLOT_BYTES));
    else this.#read();
  }

  write(done: number, bounds: Bounds | undefined): void {
    this.done = done;
    this.bounds = bounds;
    this.#generation++;
    const text = JSON.stringify({ generation: this.#generation, done, ...bounds });
    const slot = Buffer.alloc(SLOT_BYTES);
    slot.write(`${text} ${crc32(text).toString(16)}\n`);
    writeSync(this.#fd, slot, 0, SLOT_BYTES, (this.#generation % 2) * SLOT_BYTES);
    fdatasyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #read(): void {
    const bytes = Buffer.alloc(2 * SLOT_BYTES);
    readSync(this.#fd, bytes, 0, bytes.length, 0);
    for (const start of [0, SLOT_BYTES]) {
      const line = bytes.toString('utf8', start, start + SLOT_BYTES).split('\n')[0] ?? '';
      const [, text, sum] = /^(\{.*\}) ([0-9a-f]+)$/.exec(line) ?? [];
      if (text === undefined || crc32(text).toString(16) !== sum) continue;
      const state = JSON.parse(text) as { generation: number; done: number; first?: number; last?: number };
      if (state.generation <= this.#generation) continue;
      this.#generation = state.generation;
      this.done = state.done;
      this.bounds = state.first === undefined || state.last === undefined ? undefined : { first: state.first, last: state.last };
    }
  }
}

function encodeHeader(record: SpoolRecord, sequence: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES + record.minutes.length * 4);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(record.payload.length, 4);
  header.writeUInt32LE(sequence >>> 0, 12);
  header.writeUInt32LE(Math.floor(sequence / 4294967296), 16);
  header.writeUInt32LE(record.rows, 20);
  header.writeUInt32LE(record.minutes.length, 24);
  record.minutes.forEach((minute, index) => header.writeUInt32LE(minute, HEADER_BYTES + index * 4));
  header.writeUInt32LE(crc32(record.payload, crc32(header.subarray(12))), 8);
  return header;
}

/** Whether a record that begins at `offset` has all its bytes, right or wrong: then it was written to its end. */
function isWhole(bytes: Buffer, offset: number): boolean {
  if (offset + HEADER_BYTES > bytes.length || bytes.readUInt32LE(offset) !== MAGIC) return false;
  return offset + HEADER_BYTES + bytes.readUInt32LE(offset + 24) * 4 + bytes.readUInt32LE(offset + 4) <= bytes.length;
}

function decodeRecord(
  bytes: Buffer,
  offset: number,
): { sequence: number; payloadBytes: number; rows: number; minutes: number[]; headerBytes: number } | undefined {
  if (offset + HEADER_BYTES > bytes.length || bytes.readUInt32LE(offset) !== MAGIC) return undefined;
  const payloadBytes = bytes.readUInt32LE(offset + 4);
  const minuteCount = bytes.readUInt32LE(offset + 24);
  const headerBytes = HEADER_BYTES + minuteCount * 4;
  const end = offset + headerBytes + payloadBytes;
  if (end > bytes.length) return undefined;
  if (crc32(bytes.subarray(offset + 12, end)) !== bytes.readUInt32LE(offset + 8)) return undefined;
  const minutes = Array.from({ length: minuteCount }, (_, i) => bytes.readUInt32LE(offset + HEADER_BYTES + i * 4));
  const sequence = bytes.readUInt32LE(offset + 12) + bytes.readUInt32LE(offset + 16) * 4294967296;
  return { sequence, payloadBytes, rows: bytes.readUInt32LE(offset + 20), minutes, headerBytes };
}

/** Checked once more: what the disk lost since must not reach the store. The next start finds it and sorts it out. */
function readPayload(place: RecordPlace): Uint8Array {
  const record = Buffer.allocUnsafe(place.headerBytes + place.payloadBytes);
  const read = readSync(place.file.fd, record, 0, record.length, place.offset);
  assert(read === record.length, `spool file ${place.file.path} is shorter than it was`);
  assert(decodeRecord(record, 0)?.sequence === place.sequence, `spool file ${place.file.path} changed on disk at ${place.offset}`);
  return record.subarray(place.headerBytes);
}

async function writeAll(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await writeAsync(fd, bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

/** Names this spool in tokens: two spools must never share one. */
function loadId(dir: string): string {
  const path = join(dir, 'id');
  if (existsSync(path)) {
    const id = readFileSync(path, 'utf8').trim();
    if (/^[0-9a-f]{16}$/.test(id)) return id;
  }
  const id = randomBytes(8).toString('hex');
  const fd = openSync(path, 'w', 0o600);
  writeSync(fd, `${id}\n`);
  fsyncSync(fd);
  closeSync(fd);
  syncDirectory(dir);
  return id;
}

function keepDamaged(path: string, bytes: Buffer, from: number, to: number, lost: Lost): void {
  const kept = `${path}.${from}.damaged`;
  try {
    writeFileSync(kept, bytes.subarray(from, to), { mode: 0o600 });
    lost.kept.push(kept);
  } catch {
    // A full disk: the count in the log must do.
  }
}

/** A new or renamed file is only safe when its directory is. */
function syncDirectory(dir: string): void {
  const fd = openSync(dir, 'r');
  fsyncSync(fd);
  closeSync(fd);
}
