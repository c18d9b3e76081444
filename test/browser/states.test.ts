import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { servePage } from '../../web/dev/page-server.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { findChromium, launchChromium, NO_CHROMIUM, openPage } from './support/browser.ts';

let browser: Browser | undefined;
beforeAll(async () => {
  if (findChromium() !== undefined) browser = await launchChromium();
});
afterAll(() => browser?.close());

test('the first screen teaches how to send a trace and turns into the map when one arrives', async (context) => {
  requireOrSkip(context, browser !== undefined, NO_CHROMIUM);
  const server = await servePage(0, 'empty');
  const { page, complaints, close } = await openPage(browser!, `${server.url}/`);
  await page.getByText('Listening. Nothing has arrived yet.').waitFor();
  await page.getByText('AWS_XRAY_DAEMON_ADDRESS=127.0.0.1:2000').waitFor();
  await page.getByRole('tab', { name: 'OpenTelemetry' }).click();
  await page.getByText('OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318').waitFor();
  await page.getByRole('tab', { name: 'aws command' }).click();
  await page.getByText('aws xray put-trace-segments --endpoint-url http://127.0.0.1:7070').waitFor();
  await page.getByText('./fluoro demo').waitFor();
  server.api.setScenario('shop');
  await page.getByTestId('map-node').first().waitFor();
  expect(complaints).toEqual([]);
  await close();
  await server.close();
});

test('a lost server is told, what was shown stays, and all recovers by itself', async (context) => {
  requireOrSkip(context, browser !== undefined, NO_CHROMIUM);
  const first = await servePage();
  const { page, complaints, close } = await openPage(browser!, `${first.url}/traces`);
  await page.getByTestId('trace-row').first().waitFor();
  await page.waitForFunction('document.querySelector("[data-testid=live]").dataset.state === "live"');
  await first.close();
  await page.getByRole('alert').filter({ hasText: 'Lost the server, retrying' }).waitFor();
  expect(await page.getByTestId('trace-row').count()).toBeGreaterThan(5);
  const second = await servePage(first.port);
  await page.getByTestId('lost-banner').waitFor({ state: 'detached' });
  await page.waitForFunction('document.querySelector("[data-testid=live]").dataset.state === "live"');
  expect(complaints.filter((text) => !/Failed to load resource|ERR_/.test(text))).toEqual([]);
  await close();
  await second.close();
});
