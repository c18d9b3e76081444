import { describe, expect, test } from 'vitest';
import { decodePageToken, encodePageToken } from './page-token.ts';

const query = { fromSeconds: 1, toSeconds: 2.5, filter: 'fault' };

describe('decodePageToken()', () => {
  test('gives back the place, spaces and all', () => {
    const place = { position: 'a b|ü', page: 7 };
    expect(decodePageToken('X', query, encodePageToken('X', query, place))).toEqual({ ok: true, value: place });
  });

  test('begins at the start without a token', () => {
    expect(decodePageToken('X', query, undefined)).toEqual({ ok: true, value: undefined });
  });

  test.each([
    ['another operation', 'Y', query],
    ['another filter', 'X', { ...query, filter: '' }],
    ['another time', 'X', { ...query, toSeconds: 3 }],
  ])('refuses the token of %s', (_, operation, other) => {
    const result = decodePageToken(operation, other, encodePageToken('X', query, { position: '5', page: 1 }));
    expect(result).toMatchObject({ ok: false, error: { type: 'InvalidRequestException', status: 400 } });
  });

  test.each(['', 'n', 'AAAA', '%%%', Buffer.from('1 x -1 5').toString('base64url'), Buffer.from('1 x 1').toString('base64url')])(
    'refuses %j',
    (token) => {
      expect(decodePageToken('X', query, token)).toMatchObject({ ok: false, error: { type: 'InvalidRequestException' } });
    },
  );
});

test('encodePageToken() gives every page its own token, fit for a URL', () => {
  const tokens = [1, 2, 3].map((page) => encodePageToken('X', query, { position: '5', page }));
  expect(new Set(tokens).size).toBe(3);
  for (const token of tokens) expect(token).toMatch(/^[\w-]{20,100}$/);
});
