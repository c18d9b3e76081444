import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hex8, isUtf8, TextReader } from './text.ts';

function decodes(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

describe('isUtf8()', () => {
  test('agrees with the platform on any bytes', () => {
    const edgy = fc.constantFrom(
      0x41,
      0x7f,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xbf,
      0xc0,
      0xc2,
      0xdf,
      0xe0,
      0xed,
      0xef,
      0xf0,
      0xf4,
      0xf5,
      0xff,
    );
    fc.assert(
      fc.property(fc.array(edgy, { maxLength: 6 }), (list) => {
        const bytes = Uint8Array.from(list);
        expect(isUtf8(bytes, 0, bytes.length)).toBe(decodes(bytes));
      }),
      { numRuns: 5000 },
    );
  });
});

describe('TextReader', () => {
  test('reads strings that fall on the same slots', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 6 }), { minLength: 1, maxLength: 200 }), (texts) => {
        const parts = texts.map((text) => Buffer.from(text));
        const reader = new TextReader(Buffer.concat(parts));
        let at = 0;
        const read = parts.map((part) => reader.read(at, (at += part.length)));
        expect(read).toEqual(texts);
      }),
    );
  });

  test('gives undefined for what is not UTF-8, known or not', () => {
    const reader = new TextReader(Uint8Array.of(0xff, 0x61, 0xff));
    expect([reader.read(0, 1), reader.read(2, 3), reader.read(1, 2), reader.read(0, 1)]).toEqual([undefined, undefined, 'a', undefined]);
  });

  test('keeps a byte order mark', () => {
    expect(new TextReader(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)).read(0, 4)).toBe('\ufeffa');
  });
});

test('hex8() writes eight bytes', () => {
  expect(hex8(Uint8Array.of(9, 0, 1, 0x7f, 0x80, 0xff, 0xab, 0xcd, 0x10, 9), 1)).toBe('00017f80ffabcd10');
});
