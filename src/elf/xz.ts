/** .xz files of one or more streams whose blocks use LZMA2 alone. Source: "The .xz File Format" 1.2.1. */
import { createHash } from 'node:crypto';
import * as zlib from 'node:zlib';
import type { Result } from '../base/index.ts';
import { FormatFault, parseAtBorder, type FormatError } from './format-error.ts';
import { decodeLzma2 } from './lzma2.ts';

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0];
const FILTER_LZMA2 = 0x21;
const CHECK_SIZES: Readonly<Record<number, number>> = { 0: 0, 1: 4, 4: 8, 10: 32 };

/** Unpacks a file of at most `maxSize` bytes unpacked. Headers and contents are held against their checksums. */
export function unpackXz(bytes: Uint8Array, maxSize: number): Result<Uint8Array, FormatError> {
  return parseAtBorder(() => {
    if (!MAGIC.every((byte, i) => bytes[i] === byte)) throw new FormatFault('not-this-format', 'no .xz header');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length < 24) throw new FormatFault('truncated', 'an .xz file of fewer than 24 bytes');
    const check = bytes[7]! & 0x0f;
    const checkSize = CHECK_SIZES[check];
    if (checkSize === undefined) throw new FormatFault('unsupported', `.xz check ${check}; none, CRC32, CRC64 and SHA-256 are known`);
    checkCrc32(bytes.subarray(6, 8), view.getUint32(8, true), 'stream header');
    const parts: Uint8Array[] = [];
    let at = 12;
    let left = maxSize;
    while (at < bytes.length && bytes[at] !== 0) {
      const block = unpackBlock(bytes, view, at, check, checkSize, left);
      parts.push(block.bytes);
      left -= block.bytes.length;
      at = block.end;
    }
    if (at >= bytes.length) throw new FormatFault('truncated', 'an .xz file ends before its index');
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  });
}

function checkCrc32(bytes: Uint8Array, expected: number, what: string): void {
  if (zlib.crc32(bytes) !== expected) throw new FormatFault('damaged', `the checksum of the .xz ${what} is wrong`);
}

function unpackBlock(bytes: Uint8Array, view: DataView, at: number, check: number, checkSize: number, maxSize: number) {
  const headerSize = (bytes[at]! + 1) * 4;
  if (at + headerSize > bytes.length) throw new FormatFault('truncated', 'an .xz file ends within a block header');
  checkCrc32(bytes.subarray(at, at + headerSize - 4), view.getUint32(at + headerSize - 4, true), 'block header');
  const size = readBlockSize(bytes, at + 1, maxSize);
  // Without a stated size the output grows as it must: the decoder is run with more room until it fits.
  let room = size ?? Math.min(maxSize, Math.max(65_536, bytes.length * 8));
  for (;;) {
    const output = new Uint8Array(room);
    const decoded = parseAtBorder(() => decodeLzma2(bytes, at + headerSize, output));
    if (decoded.ok) return endBlock(bytes, output.subarray(0, decoded.value.written), at, decoded.value.end, check, checkSize);
    if (decoded.error.kind !== 'too-large' || room >= maxSize || size !== undefined) {
      throw new FormatFault(decoded.error.kind, decoded.error.message);
    }
    room = Math.min(maxSize, room * 4);
  }
}

/** The unpacked size that a block header states, if any. Throws where the filters are not LZMA2 alone. */
function readBlockSize(bytes: Uint8Array, at: number, maxSize: number): number | undefined {
  const flags = bytes[at]!;
  const position = { at: at + 1 };
  if ((flags & 3) !== 0) throw new FormatFault('unsupported', 'an .xz block with filters before LZMA2');
  if ((flags & 0x40) !== 0) readVarint(bytes, position);
  const size = (flags & 0x80) === 0 ? undefined : readVarint(bytes, position);
  if (size !== undefined && size > maxSize)
    throw new FormatFault('too-large', `an .xz block of ${size} bytes, unpacked, is beyond the bound of ${maxSize}`);
  const filter = readVarint(bytes, position);
  if (filter !== FILTER_LZMA2) throw new FormatFault('unsupported', `.xz filter ${filter}; 33 (LZMA2) is known`);
  return size;
}

function readVarint(bytes: Uint8Array, position: { at: number }): number {
  let value = 0;
  for (let i = 0; i < 7; i++) {
    const byte = bytes[position.at++];
    if (byte === undefined) throw new FormatFault('truncated', 'an .xz file ends within a number');
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return value;
  }
  throw new FormatFault('damaged', 'an .xz number is beyond 2^49');
}

/** Blocks are padded to four bytes and followed by their check. */
function endBlock(bytes: Uint8Array, output: Uint8Array, start: number, packedEnd: number, check: number, checkSize: number) {
  const checkAt = start + Math.ceil((packedEnd - start) / 4) * 4;
  const expected = bytes.subarray(checkAt, checkAt + checkSize);
  if (expected.length < checkSize) throw new FormatFault('truncated', 'an .xz file ends within a check');
  if (Buffer.compare(computeCheck(output, check), expected) !== 0)
    throw new FormatFault('damaged', 'the checksum of an .xz block is wrong');
  return { bytes: output, end: checkAt + checkSize };
}

function computeCheck(bytes: Uint8Array, check: number): Uint8Array {
  const result = Buffer.alloc(CHECK_SIZES[check]!);
  if (check === 1) result.writeUInt32LE(zlib.crc32(bytes));
  else if (check === 4) writeCrc64(bytes, result);
  else if (check === 10) return createHash('sha256').update(bytes).digest();
  return result;
}

/** CRC-64/XZ (reflected ECMA-182 polynomial) in two 32-bit halves. */
function writeCrc64(bytes: Uint8Array, into: Buffer): void {
  const low = new Uint32Array(256);
  const high = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let l = i;
    let h = 0;
    for (let bit = 0; bit < 8; bit++) {
      const carry = l & 1;
      l = ((l >>> 1) | (h << 31)) >>> 0;
      h >>>= 1;
      if (carry === 1) {
        l = (l ^ 0xd7870f42) >>> 0;
        h = (h ^ 0xc96c5795) >>> 0;
      }
    }
    low[i] = l;
    high[i] = h;
  }
  let l = 0xffff_ffff;
  let h = 0xffff_ffff;
  for (let i = 0; i < bytes.length; i++) {
    const index = (l ^ bytes[i]!) & 0xff;
    l = ((l >>> 8) | (h << 24)) ^ low[index]!;
    h = (h >>> 8) ^ high[index]!;
  }
  into.writeUInt32LE(~l >>> 0, 0);
  into.writeUInt32LE(~h >>> 0, 4);
}
