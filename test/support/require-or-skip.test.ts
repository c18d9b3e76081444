import { afterEach, describe, expect, test, vi } from 'vitest';
import { requireOrSkip, skipUnless } from './require-or-skip.ts';

function fakeContext() {
  const reasons: string[] = [];
  return {
    reasons,
    skip: ((reason: string) => {
      reasons.push(reason);
    }) as never,
  };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('requireOrSkip()', () => {
  test('goes on when the condition holds', () => {
    vi.stubEnv('FLUORO_REQUIRE_KERNEL', '1');
    const context = fakeContext();
    requireOrSkip(context, true, 'nothing');
    expect(context.reasons).toEqual([]);
  });

  test('skips with the reason', () => {
    vi.stubEnv('FLUORO_REQUIRE_KERNEL', '');
    const context = fakeContext();
    requireOrSkip(context, false, 'no chromium');
    expect(context.reasons).toEqual(['no chromium']);
  });

  test('fails with the reason where skips are not allowed', () => {
    vi.stubEnv('FLUORO_REQUIRE_KERNEL', '1');
    expect(() => requireOrSkip(fakeContext(), false, 'no chromium')).toThrow(/no chromium/);
  });
});

describe('skipUnless()', () => {
  test.each([
    [undefined, []],
    ['no awscli', ['no awscli']],
  ])('reason %s leads to skips %j', (reason, skips) => {
    vi.stubEnv('FLUORO_REQUIRE_KERNEL', '');
    const context = fakeContext();
    skipUnless(context, reason);
    expect(context.reasons).toEqual(skips);
  });
});
