import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { Page } from 'playwright-core';
import { eventually, pageTests } from './support/page-test.ts';

const pageTest = pageTests();

const rows = (page: Page) => page.getByTestId('trace-row');
const box = (page: Page) => page.getByRole('textbox', { name: 'Filter expression' });
/** The editor takes the plain field's place once it is loaded. */
const editor = (page: Page) => page.locator('.cm-content');

pageTest('the list shows the newest traces first and says how far it searched', '/traces', async ({ page }) => {
  await rows(page).first().waitFor();
  const times = await rows(page).locator('[role=cell]:nth-child(2)').allInnerTexts();
  expect(times.slice(0, 8)).toEqual(times.slice(0, 8).toSorted().toReversed());
  expect(await page.getByTestId('search-progress').innerText()).toMatch(/\d+ found, [\d,]+ traces scanned/);
});

pageTest('Enter applies the filter, the URL keeps it, going back takes it away', '/traces', async ({ page }) => {
  await editor(page).waitFor();
  await box(page).click();
  await page.keyboard.type('fault');
  await page.keyboard.press('Enter');
  await page.waitForURL(/filter=fault/);
  await eventually(
    () => rows(page).locator('[role=cell]:first-child').allInnerTexts(),
    (texts) => texts.length > 0 && texts.every((text) => text.includes('Fault')),
  );
  await page.goBack();
  await eventually(
    () => rows(page).first().innerText(),
    (text) => !text.includes('Fault'),
  );
});

pageTest('completion offers keywords and names, Tab takes one', '/traces', async ({ page }) => {
  await editor(page).waitFor();
  await box(page).click();
  await page.keyboard.type('respo');
  await page.getByRole('option', { name: /^responsetime/ }).waitFor();
  await page.keyboard.press('Tab');
  await eventually(
    () => editor(page).innerText(),
    (text) => text.startsWith('responsetime'),
  );
  await page.keyboard.press('Control+A');
  await page.keyboard.type('service("pay');
  await page
    .getByRole('option', { name: /payments/ })
    .first()
    .waitFor();
  await page.keyboard.press('Tab');
  await eventually(
    () => editor(page).innerText(),
    (text) => text.startsWith('service("payments")'),
  );
});

pageTest('a mistake is marked at its place and not applied', '/traces', async ({ page }) => {
  await editor(page).waitFor();
  await box(page).click();
  await page.keyboard.type('fault AND respnsetime > 1');
  await page.keyboard.press('Enter');
  const error = page.getByTestId('filter-error');
  await error.waitFor();
  expect(await error.getAttribute('data-position')).toBe('10');
  expect(await error.innerText()).toContain('responsetime');
  expect(await page.locator('.cm-lintRange-error').innerText()).toBe('respnsetime');
  expect(page.url()).not.toContain('filter');
});

pageTest('a pasted trace id opens the trace', '/traces', async ({ page }) => {
  const link = rows(page).first().getByRole('link');
  await link.waitFor();
  const id = (await link.getAttribute('href'))!.split('/').at(-1)!;
  await editor(page).waitFor();
  await box(page).click();
  await page.keyboard.insertText(id.replace('1-', '').replace('-', ''));
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/traces/${id}`);
});

pageTest('j and k move, Enter opens, and the way back finds the same row', '/traces', async ({ page }) => {
  await rows(page).nth(3).waitFor();
  await page.keyboard.press('p');
  for (const key of ['j', 'j', 'j', 'k']) await page.keyboard.press(key);
  const current = page.locator('[data-testid=trace-row][aria-current]');
  const href = await current.getByRole('link').getAttribute('href');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${href}`);
  await page.goBack();
  await eventually(
    () => current.getByRole('link').getAttribute('href'),
    (value) => value === href,
  );
});

pageTest('dragging over the activity chart narrows the time range, the button widens it', '/traces', async ({ page }) => {
  await rows(page).first().waitFor();
  const chart = (await page.getByTestId('activity-chart').boundingBox())!;
  await page.mouse.move(chart.x + chart.width * 0.4, chart.y + 40);
  await page.mouse.down();
  await page.mouse.move(chart.x + chart.width * 0.6, chart.y + 40, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/range=\d{4}-/);
  expect(await page.getByTestId('live').getAttribute('data-state')).toBe('off');
  await page.getByRole('button', { name: /^Zoom out/ }).click();
  await eventually(
    () => decodeURIComponent(page.url()),
    (url) => /range=\d{4}/.test(url),
  );
});

pageTest('the time range can be chosen and typed', '/traces', async ({ page }) => {
  await page.getByTestId('range').click();
  await page.getByRole('button', { name: 'Last 15 minutes' }).click();
  await page.waitForURL(/range=15m/);
  await page.getByTestId('range').click();
  await page.getByLabel('The last…').fill('90m');
  await page.keyboard.press('Enter');
  await page.waitForURL(/range=90m/);
  await page.getByTestId('range').click();
  await page.getByLabel('From', { exact: true }).fill('yesterday');
  await page.getByRole('button', { name: 'Show this range' }).click();
  await page.getByText('Write a time like').waitFor();
});

pageTest('scrolling fetches older traces; columns sort what is loaded', '/traces', async ({ page }) => {
  await rows(page).first().waitFor();
  const scanned = async () =>
    Number(/([\d,]+) traces scanned/.exec(await page.getByTestId('search-progress').innerText())![1]!.replace(',', ''));
  const before = await scanned();
  await page.getByRole('table', { name: 'Traces' }).evaluate((element) => (element.scrollTop = element.scrollHeight));
  await eventually(scanned, (count) => count > before);
  await page.getByRole('button', { name: 'Duration' }).click();
  await page.waitForURL(/sort=-duration/);
  expect(await page.getByRole('columnheader', { name: 'Duration' }).getAttribute('aria-sort')).toBe('descending');
});

pageTest('the loaded traces are exported as CSV', '/traces', async ({ page }) => {
  await rows(page).first().waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: /Export/ }).click()]);
  const text = await readFile((await download.path())!, 'utf8');
  expect(text.split('\r\n')[0]).toMatch(/^id,outcome,partial,start,response_seconds/);
  expect(text.split('\r\n')[1]).toMatch(/^1-[0-9a-f]{8}-[0-9a-f]{24},/);
});

pageTest(
  'nothing found says where it looked and offers a wider range',
  '/traces?filter=http.url+%3D+"nowhere"&range=5m',
  async ({ page }) => {
    await page.getByText('No trace was found in this time range').waitFor();
    await page.getByRole('button', { name: 'Look at the last 15 minutes' }).click();
    await page.waitForURL(/range=15m/);
    await page.getByRole('button', { name: 'Without the filter' }).click();
    await rows(page).first().waitFor();
  },
);
