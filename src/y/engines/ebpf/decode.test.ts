import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeEvent,
  decodeKey,
  decodeText,
  encodeKey,
  encodeStoredText,
  EVENT,
  splitStackId,
  type ArrayLayout,
  type EventLayout,
  type KeyPartLayout,
} from './index.ts';

function layoutOf(keys: readonly KeyPartLayout[], keyBytes: number): ArrayLayout {
  return { map: 'a', perCpu: false, keyBytes, keys, valueBytes: 8, value: { kind: 'float' } };
}

describe('encodeKey()', () => {
  const layout = layoutOf(
    [
      { kind: 'integer', offset: 0, size: 2, signed: true },
      { kind: 'text', offset: 8, capacity: 12 },
      { kind: 'stack', offset: 32 },
      { kind: 'integer', offset: 40, size: 1, signed: false },
    ],
    44,
  );

  test('gives what decodeKey() reads', () => {
    const parts = fc.tuple(
      fc.bigInt({ min: -(2n ** 15n), max: 2n ** 15n - 1n }),
      fc.uint8Array({ maxLength: 12 }),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.bigInt({ min: 0n, max: 255n }),
    );
    fc.assert(
      fc.property(parts, (key) => {
        const encoded = encodeKey(layout, key)!;
        expect(encoded.length).toBe(44);
        expect(decodeKey(layout, encoded)).toEqual(key.map((part) => (typeof part === 'bigint' ? part : Uint8Array.from(part))));
      }),
    );
  });

  test('knows that a longer text is no key', () => {
    expect(encodeKey(layout, [0n, new Uint8Array(13), 0n, 0n])).toBeUndefined();
  });
});

test('encodeStoredText() cuts at the capacity and leaves zeros behind', () => {
  const stored = encodeStoredText(new TextEncoder().encode('abcdefghij'), 9);
  expect(stored.length).toBe(24);
  expect(new TextDecoder().decode(decodeText(stored, 0, 9))).toBe('abcdefghi');
  expect([...stored.subarray(17)]).toEqual([0, 0, 0, 0, 0, 0, 0]);
});

describe('decodeEvent()', () => {
  const layout: EventLayout = {
    ring: 'events',
    prints: [undefined, { stream: 'out', format: 0, values: [{ kind: 'integer' }, { kind: 'text' }], place: undefined }],
  };
  const record = (id: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(EVENT.values + 16 + 8);
    const data = new DataView(bytes.buffer);
    data.setUint32(EVENT.id, id, true);
    data.setUint32(EVENT.pid, 7, true);
    data.setBigInt64(EVENT.values, -1n, true);
    data.setUint32(EVENT.values + 8, EVENT.values + 16, true);
    data.setUint32(EVENT.values + 12, 3, true);
    bytes.set(new TextEncoder().encode('xyz'), EVENT.values + 16);
    return bytes.subarray(0, length);
  };

  test('reads a print from the middle of a ring', () => {
    const ring = new Uint8Array([...new Uint8Array(8), ...record(1, 56), ...new Uint8Array(8)]);
    expect(decodeEvent(layout, ring, 8, 56)).toMatchObject({ kind: 'print', pid: 7, values: [-1n, new TextEncoder().encode('xyz')] });
  });

  test('tells the wish to end, and what is no event', () => {
    expect(decodeEvent(layout, record(0, EVENT.values), 0, EVENT.values)).toMatchObject({ kind: 'exit', pid: 7 });
    expect(decodeEvent(layout, record(9, 56), 0, 56)).toBeUndefined();
    expect(decodeEvent(layout, record(1, 40), 0, 40)).toBeUndefined();
    expect(decodeEvent(layout, record(0, 16), 0, 16)).toBeUndefined();
  });
});

test('splitStackId() tells the parts', () => {
  expect(splitStackId(0n)).toEqual({ user: undefined, kernel: undefined });
  expect(splitStackId((5n << 32n) | 1n)).toEqual({ user: 0, kernel: 4 });
});
