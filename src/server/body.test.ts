import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import { decodeBody, decodeZstd } from './body.ts';

const text: Buffer = Buffer.from(JSON.stringify({ TraceSegmentDocuments: Array.from({ length: 2_000 }, (_, i) => `{"id":"${i}"}`) }));

/** The text as `zstd -3 --no-check` frames it, without the tool: one frame of raw blocks. */
function rawZstd(content: Buffer, { window = 0x58, blockBytes = 100_000 } = {}): Buffer {
  const parts: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, window])];
  for (let at = 0; at === 0 || at < content.length; at += blockBytes) {
    const block = content.subarray(at, at + blockBytes);
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.length << 3) | (at + blockBytes >= content.length ? 1 : 0), 0, 3);
    parts.push(header, block);
  }
  return Buffer.concat(parts);
}

/** One block that repeats a byte. */
function runLengthZstd(count: number, window = 0x58): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((count << 3) | 2 | 1, 0, 3);
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, window]), header, Buffer.from([65])]);
}

describe('decodeBody()', () => {
  test.each([
    ['nothing', undefined, text],
    ['identity', 'identity', text],
    ['gzip', ' GZIP ', gzipSync(text)],
    ['deflate', 'deflate', deflateSync(text)],
    ['deflate without its header', 'deflate', deflateRawSync(text)],
    ['zstd', 'zstd', rawZstd(text)],
    [
      'two zstd frames with something to skip between them',
      'zstd',
      Buffer.concat([
        rawZstd(text.subarray(0, 500)),
        Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]),
        rawZstd(text.subarray(500)),
      ]),
    ],
  ])('takes off %s', async (_, encoding, body) => {
    const result = await decodeBody(body, encoding);
    expect(result.ok && result.value.equals(text)).toBe(true);
  });

  test.each(['gzip', 'deflate', 'zstd'])('refuses damaged %s with 400', async (encoding) => {
    for (const body of [
      Buffer.from('not at all'),
      Buffer.alloc(0),
      gzipSync(text).subarray(0, 40),
      rawZstd(text).subarray(0, 40),
      randomBytes(300),
    ]) {
      const result = await decodeBody(body, encoding);
      if (encoding !== 'zstd' || body.length > 0) expect(result).toMatchObject({ ok: false, error: { status: 400 } });
    }
  });

  test.each([
    ['none', '', Buffer.alloc(2_000)],
    ['gzip', 'gzip', gzipSync(Buffer.alloc(100_000))],
    ['deflate', 'deflate', deflateSync(Buffer.alloc(100_000))],
    ['zstd', 'zstd', runLengthZstd(100_000)],
  ])('refuses %s that swells over the limit with 413', async (_, encoding, body) => {
    expect(await decodeBody(body, encoding, 1_000)).toMatchObject({ ok: false, error: { status: 413 } });
  });

  test('refuses an unknown encoding with 415', async () => {
    expect(await decodeBody(text, 'br')).toMatchObject({ ok: false, error: { status: 415 } });
  });
});

describe('decodeZstd()', () => {
  test('reads what an encoder wrote', (context) => {
    const files: Buffer[] = [text, Buffer.alloc(0), randomBytes(300_000), Buffer.concat(Array.from({ length: 400 }, () => text))];
    for (const file of files) {
      for (const level of ['-1', '-9', '-19']) {
        const encoded = encode(file, level);
        if (encoded === undefined) return requireOrSkip(context, false, 'no zstd; install it: apt-get install zstd');
        const result = decodeZstd(encoded, 64e6);
        expect(result.ok && result.value.equals(file)).toBe(true);
      }
    }
  });

  test.each([
    ['a window of gigabytes', runLengthZstd(10, 0xf8)],
    ['a million tiny blocks with a large window', rawZstd(Buffer.alloc(100_000), { window: 0x70, blockBytes: 1 })],
    ['thousands of frames', Buffer.concat(Array.from({ length: 5_000 }, () => runLengthZstd(1)))],
    ['a frame that ends in its header', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xc0, 1, 2, 3, 4])],
  ])('refuses %s at once', (_, body) => {
    const start = performance.now();
    expect(decodeZstd(body, 64e6)).toMatchObject({ ok: false, error: { status: 400 } });
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});

function encode(file: Buffer, level: string): Buffer | undefined {
  try {
    return execFileSync('zstd', ['-q', '-c', level], { input: file, maxBuffer: 1e9 });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}
