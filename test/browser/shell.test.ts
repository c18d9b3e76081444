import { expect } from 'vitest';
import { eventually, pageTests } from './support/page-test.ts';

const pageTest = pageTests();

pageTest('the theme follows the system, can be changed, and is remembered', '/', async ({ page }) => {
  const theme = () => page.evaluate('document.documentElement.dataset.theme') as Promise<string>;
  const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor') as Promise<string>;
  expect(await theme()).toBe('dark');
  const dark = await background();
  await page.getByRole('button', { name: 'Light theme' }).click();
  await eventually(theme, (value) => value === 'light');
  expect(await background()).not.toBe(dark);
  await page.reload();
  expect(await theme()).toBe('light');
});

pageTest('Ctrl-K leads to services, pages and pasted trace ids', '/traces', async ({ page }) => {
  await page.getByTestId('trace-row').first().waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('option', { name: /^inventory/ }).waitFor();
  await page.keyboard.type('inventory');
  await page.keyboard.press('Enter');
  await page.waitForURL(/node=inventory/);
  await page.keyboard.press('Control+k');
  await page.keyboard.insertText('1-68a1b2c3-00112233445566778899aabb');
  await page.getByRole('option', { name: /^Open trace/ }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

pageTest('? shows the keys; g and a letter goes to a page', '/', async ({ page }) => {
  await page.getByTestId('map-node').first().waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await page.waitForURL('**/status');
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await page.waitForURL('**/traces');
});

pageTest('range and filter go along from page to page', '/?range=15m&filter=fault', async ({ page }) => {
  await page.getByRole('link', { name: 'Traces', exact: true }).click();
  await page.waitForURL('**/traces?range=15m&filter=fault');
  await page.getByRole('link', { name: 'Status', exact: true }).click();
  await page.getByRole('link', { name: 'Map', exact: true }).click();
  await eventually(
    () => page.url(),
    (url) => url.includes('range=15m') && url.includes('filter=fault'),
  );
});

pageTest('links in the form of the AWS console lead to the same place', '/#/traces?filter=fault&timeRange=PT15M', async ({ page }) => {
  await page.getByTestId('search-progress').waitFor();
  expect(await page.getByTestId('range').innerText()).toContain('Last 15 minutes');
  expect(page.url()).toContain('filter=fault');
});

pageTest('live updates pause and go on', '/', async ({ page }) => {
  const live = page.getByTestId('live');
  await eventually(
    () => live.getAttribute('data-state'),
    (state) => state === 'live',
  );
  await page.keyboard.press('p');
  await eventually(
    () => live.getAttribute('data-state'),
    (state) => state === 'paused',
  );
  await live.click();
  await eventually(
    () => live.getAttribute('data-state'),
    (state) => state === 'live',
  );
});

pageTest('the status page shows what came in, what was refused and why', '/status', async ({ page }) => {
  await page.getByTestId('store-state').getByText('Ready').waitFor();
  const intake = page.getByRole('table', { name: 'Intake by source' });
  expect(await intake.getByRole('row').count()).toBeGreaterThan(3);
  await page.getByText('Refused lately, and why').waitFor();
  await page
    .getByRole('button', { name: /^Copy the address of/ })
    .first()
    .waitFor();
});
