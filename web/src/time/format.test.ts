import { describe, expect, test } from 'vitest';
import { formatAge, formatBytes, formatCount, formatDuration, formatRate, formatShare } from './format.ts';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('formatDuration() gives three digits and a unit', () => {
  test.each([
    [0, '0 ms'],
    [0.00000042, '0.42 µs'],
    [0.00042, '420 µs'],
    [0.056, '56 ms'],
    [0.9994, '999 ms'],
    [0.9996, '1 s'],
    [1.2345, '1.23 s'],
    [59.96, '60 s'],
    [75, '1 min 15 s'],
    [3600, '1 h'],
    [3 * 86_400 + 4 * 3600, '3 d 4 h'],
    [-0.012, '−12 ms'],
    [Number.NaN, '–'],
  ])('%d s is %s', (seconds, text) => expect(plain(formatDuration(seconds))).toBe(text));
});

describe('formatShare() never rounds a failure away, nor up to all', () => {
  test.each([
    [0, '0 %'],
    [0.0000001, '<0.1 %'],
    [0.012, '1.2 %'],
    [0.5, '50 %'],
    [0.99951, '>99.9 %'],
    [1, '100 %'],
  ])('%d is %s', (share, text) => expect(plain(formatShare(share))).toBe(text));
});

test.each([
  [847, '847'],
  [12_345, '12,345'],
  [1_234_567, '1.23 M'],
])('formatCount() of %d is %s', (count, text) => expect(plain(formatCount(count))).toBe(text));

test.each([
  [0, 60, '0/min'],
  [1, 3600, '0.017/min'],
  [320, 60, '320/min'],
  [72_000, 3600, '1.2 k/min'],
])('formatRate() of %d in %d s is %s', (count, seconds, text) => expect(plain(formatRate(count, seconds))).toBe(text));

test('formatBytes() counts in powers of two', () => {
  expect(plain(formatBytes(512))).toBe('512 B');
  expect(plain(formatBytes(184_320))).toBe('180 KiB');
});

test('formatAge() says when it was', () => {
  expect(formatAge(100, 101)).toBe('just now');
  expect(plain(formatAge(100, 145))).toBe('45 s ago');
  expect(plain(formatAge(100, 100 + 7300))).toBe('2 h ago');
});
