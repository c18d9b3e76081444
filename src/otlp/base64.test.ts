import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBase64, toBase64 } from './base64.ts';

test('toBase64() and parseBase64() agree with the platform', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const buffer = Buffer.from(bytes);
      expect(toBase64(bytes)).toBe(buffer.toString('base64'));
      expect(parseBase64(buffer.toString('base64'))).toEqual(bytes);
      expect(parseBase64(buffer.toString('base64url'))).toEqual(bytes);
    }),
  );
});

test.each(['a', 'ab c', 'abcde', 'ab=c', 'é', 'abc==='])('parseBase64(%j) is undefined', (text) => {
  expect(parseBase64(text)).toBeUndefined();
});
