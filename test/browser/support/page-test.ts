import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test as base, type TestContext } from 'vitest';
import { requireOrSkip } from '../../support/require-or-skip.ts';
import type { Scenario } from '../../../web/dev/mock-api.ts';
import { findChromium, launchChromium, NO_CHROMIUM, openPage } from './browser.ts';
import { startSubject, type Subject } from './subject.ts';

export interface PageTest {
  readonly page: Page;
  readonly subject: Subject;
  readonly complaints: readonly string[];
}

interface PageTestOptions extends BrowserContextOptions {
  /** Complaints of the console that belong to what is tested. */
  readonly allow?: RegExp;
  /** Only the made-up server can show this. */
  readonly mockOnly?: boolean;
}

/**
 * Tests of one file: a browser and a server for all of them, a fresh profile for each. `path` is where the tab opens. A test
 * fails when the console complained, whatever else it found.
 */
export function pageTests(scenario: Scenario = 'shop') {
  let browser: Browser | undefined;
  let subject: Subject | undefined;
  beforeAll(async () => {
    if (findChromium() === undefined) return;
    subject = await startSubject(scenario);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await subject?.close();
  });
  return (name: string, path: string, body: (tools: PageTest) => Promise<void>, options: PageTestOptions = {}): void => {
    base(name, async (context: TestContext) => {
      requireOrSkip(context, findChromium() !== undefined, NO_CHROMIUM);
      const { allow, mockOnly = false, ...contextOptions } = options;
      if (mockOnly && subject!.mock === undefined) context.skip('only the made-up server can show this');
      const opened = await openPage(browser!, `${subject!.url}${path}`, contextOptions);
      try {
        await body({ page: opened.page, subject: subject!, complaints: opened.complaints });
        expect(opened.complaints.filter((text) => allow === undefined || !allow.test(text))).toEqual([]);
      } finally {
        await opened.close();
      }
    });
  };
}

/** Waits until `read` gives a value that holds `wanted`. */
export async function eventually<T>(read: () => Promise<T> | T, wanted: (value: T) => boolean): Promise<void> {
  await expect.poll(read, { timeout: 15_000, interval: 50 }).toSatisfy(wanted);
}
