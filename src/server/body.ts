/** Request bodies: as they were sent, and without their compression. What a small body may swell to is bounded. */
import zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { err, ok, type Result } from '../base/index.ts';

/** Why a body cannot be read, with the HTTP status that says so: 413 too large, 400 damaged, 415 unknown encoding. */
export interface BodyError {
  readonly status: 400 | 413 | 415;
  readonly message: string;
}

/** Largest body, before and after decompression. */
export const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** What node:zlib calls back with. */
type Done = (cause: Error | null, result: Buffer) => void;

/** Node has zstd since 22.15; its types here are those of the oldest Node. */
const { zstdDecompress } = zlib as { readonly zstdDecompress?: (body: Uint8Array, options: zlib.ZlibOptions, done: Done) => void };

/** Takes off the compression that `content-encoding` names: gzip, deflate, zstd or none. Yields at most `maxBytes`. */
export async function decodeBody(
  body: Buffer,
  contentEncoding: string | undefined,
  maxBytes = MAX_BODY_BYTES,
): Promise<Result<Buffer, BodyError>> {
  if (body.length > maxBytes) return err(tooLarge(maxBytes));
  const encoding = (contentEncoding ?? '').trim().toLowerCase();
  switch (encoding) {
    case '':
    case 'identity':
      return ok(body);
    case 'gzip':
    case 'x-gzip':
      return inflate(encoding, maxBytes, (done) => zlib.gunzip(body, { maxOutputLength: maxBytes }, done));
    case 'deflate':
      return inflate(encoding, maxBytes, (done) =>
        (hasZlibHeader(body) ? zlib.inflate : zlib.inflateRaw)(body, { maxOutputLength: maxBytes }, done),
      );
    case 'zstd':
      // Node's reader stops after the first frame without a word.
      if (!zstdDecompress || measureZstd(body)?.frames !== 1) return decodeZstd(body, maxBytes);
      return inflate(encoding, maxBytes, (done) => zstdDecompress(body, { maxOutputLength: maxBytes }, done));
    default:
      return err({ status: 415, message: `content-encoding ${encoding.slice(0, 40)} is not known: send gzip, deflate, zstd or none` });
  }
}

function tooLarge(maxBytes: number): BodyError {
  return { status: 413, message: `the body is larger than ${maxBytes} bytes: send it in parts` };
}

function damaged(encoding: string, reason: string): BodyError {
  return { status: 400, message: `the body is not what content-encoding says (${encoding}): ${reason}` };
}

async function inflate(encoding: string, maxBytes: number, run: (done: Done) => void): Promise<Result<Buffer, BodyError>> {
  return new Promise((resolve) => {
    run((cause, result) => {
      if (cause === null) resolve(ok(result));
      else if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') resolve(err(tooLarge(maxBytes)));
      else resolve(err(damaged(encoding, cause.message)));
    });
  });
}

/** `deflate` means the zlib format; some senders leave out its two-byte header (RFC 9110, section 8.4.1.2). */
function hasZlibHeader(body: Buffer): boolean {
  return body.length >= 2 && (body[0]! & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;
}

/**
 * zstd in JavaScript, for a Node without it. Its reader allocates the window that a frame asks for, moves it once a block, and does not
 * check the frame's checksum: frames are measured first, and what is in the body is checked by whoever parses it.
 */
export function decodeZstd(body: Buffer, maxBytes: number): Result<Buffer, BodyError> {
  const sizes = measureZstd(body);
  if (sizes === undefined) return err(damaged('zstd', 'not a whole zstd frame'));
  if (sizes.largestWindow > MAX_WINDOW_BYTES) return err(damaged('zstd', `its window is larger than ${MAX_WINDOW_BYTES} bytes`));
  if (sizes.movedBytes > MAX_MOVED_BYTES) return err(damaged('zstd', 'it is cut into too many blocks'));
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  const decoder = new Decompress((part) => {
    sizeBytes += part.length;
    if (sizeBytes > maxBytes) throw new RangeError('too large');
    parts.push(part);
  });
  try {
    decoder.push(body, true);
  } catch (cause) {
    return err(sizeBytes > maxBytes ? tooLarge(maxBytes) : damaged('zstd', (cause as Error).message));
  }
  return ok(Buffer.concat(parts, sizeBytes));
}

/** RFC 8878, section 3.1.1.1.2 recommends decoders to take 8 MB; encoders go above it only when told to. */
const MAX_WINDOW_BYTES = 16 * 1024 * 1024;
/** About two seconds of moving memory. A 64 MB body in the usual blocks of 128 KB with a window of 8 MB moves 4 GB. */
const MAX_MOVED_BYTES = 16 * 1024 * 1024 * 1024;
const MAX_FRAMES = 1_000;
const ZSTD_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

interface ZstdSizes {
  /** Those to skip are counted too. */
  frames: number;
  largestWindow: number;
  /** Window size times blocks: what decoding moves about. */
  movedBytes: number;
}

/** Walks frames and blocks (RFC 8878, section 3.1) without decoding them; undefined when they do not fit the body. */
function measureZstd(body: Buffer): ZstdSizes | undefined {
  const sizes: ZstdSizes = { frames: 0, largestWindow: 0, movedBytes: 0 };
  for (let at = 0; at < body.length; sizes.frames++) {
    if (sizes.frames === MAX_FRAMES || at + 8 > body.length) return undefined;
    const magic = body.readUInt32LE(at);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) at += 8 + body.readUInt32LE(at + 4);
    else if (magic === ZSTD_MAGIC) at = measureFrame(body, at + 4, sizes);
    else return undefined;
    if (!(at <= body.length)) return undefined;
  }
  return sizes;
}

/** Measures the frame whose header begins at `start`, and tells where it ends; NaN when it is cut short. */
function measureFrame(body: Buffer, start: number, sizes: ZstdSizes): number {
  const descriptor = body[start]!;
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const contentSizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const contentSizeAt = start + 1 + (singleSegment ? 0 : 1) + dictionaryBytes;
  let at = contentSizeAt + contentSizeBytes;
  if (at > body.length) return Number.NaN;
  const window = singleSegment ? contentSize(body, contentSizeAt, contentSizeBytes) : windowSize(body[start + 1]!);
  sizes.largestWindow = Math.max(sizes.largestWindow, window);
  for (let last = false; !last;) {
    if (at + 3 > body.length) return Number.NaN;
    const header = body.readUIntLE(at, 3);
    last = (header & 1) !== 0;
    const runLength = ((header >> 1) & 3) === 1;
    at += 3 + (runLength ? 1 : header >> 3);
    sizes.movedBytes += window;
  }
  return at + ((descriptor & 4) !== 0 ? 4 : 0);
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(body: Buffer, at: number, sizeBytes: number): number {
  if (sizeBytes === 8) return Number(body.readBigUInt64LE(at));
  return body.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}
