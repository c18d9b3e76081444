// Tests that need something of the machine (a kernel right, a browser, a system package) skip with a reason where it
// is missing. Where FLUORO_REQUIRE_KERNEL=1 says that the machine has everything, a skip would hide a broken setup,
// so it fails instead.

import type { TestContext } from 'vitest';

/**
 * Goes on when `condition` holds; else skips the running test with `reason`, or fails it when FLUORO_REQUIRE_KERNEL=1.
 *
 * @param context the context that vitest hands to the test function
 * @param reason what is missing and how to get it, e.g. "no chromium; install it: apt-get install chromium"
 */
export function requireOrSkip(context: Pick<TestContext, 'skip'>, condition: boolean, reason: string): void {
  if (condition) return;
  if (process.env.FLUORO_REQUIRE_KERNEL === '1') throw new Error(`this machine was said to have everything, but: ${reason}`);
  context.skip(reason);
}

/** Skips the running test with `reason`, or fails it when FLUORO_REQUIRE_KERNEL=1; `undefined` as reason goes on. */
export function skipUnless(context: Pick<TestContext, 'skip'>, reason: string | undefined): void {
  requireOrSkip(context, reason === undefined, reason ?? '');
}
