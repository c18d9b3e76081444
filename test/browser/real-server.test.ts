import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { seedShop } from '../../web/dev/seed.ts';
import { startFluoro, type FluoroProcess } from '../support/fluoro-process.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { eventually } from './support/page-test.ts';
import { findChromium, launchChromium, NO_CHROMIUM, openPage } from './support/browser.ts';

let browser: Browser | undefined;
let server: FluoroProcess | undefined;
beforeAll(async () => {
  if (findChromium() === undefined) return;
  server = await startFluoro();
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test('from an empty `fluoro up` to the row where a request failed', async (context) => {
  requireOrSkip(context, browser !== undefined, NO_CHROMIUM);
  const url = `http://${server!.page}`;
  const { page, complaints, close } = await openPage(browser!, `${url}/`);
  await page.getByText('Listening. Nothing has arrived yet.').waitFor();
  await page.getByText(`AWS_XRAY_DAEMON_ADDRESS=${server!.xray}`).waitFor();
  await seedShop(url, 600);
  await page.getByRole('button', { name: /^payments, .*\/min/ }).waitFor({ timeout: 60_000 });
  await page.getByRole('link', { name: 'Traces', exact: true }).click();
  await page.locator('.cm-content').click();
  await page.keyboard.type('service("payments") { fault }');
  await page.keyboard.press('Enter');
  const outcomes = page.getByTestId('trace-row').locator('[role=cell]:first-child');
  await eventually(
    () => outcomes.allInnerTexts(),
    (texts) => texts.length > 0 && texts.every((text) => text.includes('Fault')),
  );
  await page.getByTestId('trace-row').first().getByRole('link').click();
  await page.getByTestId('likely-cause').click();
  await page.getByTestId('detail').getByText('PaymentDeclined').waitFor();
  expect(complaints).toEqual([]);
  await close();
});
