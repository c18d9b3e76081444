import { expect } from 'vitest';
import type { Page } from 'playwright-core';
import { eventually, pageTests, type PageTest } from './support/page-test.ts';

const pageTest = pageTests();

const rows = (page: Page) => page.getByTestId('timeline-row');
const selected = (page: Page) => page.locator('[data-testid=timeline-row][aria-selected=true]');

/** Opens the newest failed trace of a checkout from the list. */
async function openFailed(page: Page): Promise<void> {
  await page.getByTestId('trace-row').first().getByRole('link').click();
  await rows(page).first().waitFor();
}

const FAILED = '/traces?range=1d&filter=fault+AND+http.url+CONTAINS+"checkout"';

pageTest('the header and the timeline tell of the whole request', FAILED, async ({ page }) => {
  await openFailed(page);
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toMatch(/^POST .*checkout$/);
  expect(await page.getByTestId('trace-id').innerText()).toMatch(/^1-[0-9a-f]{8}-[0-9a-f]{24}$/);
  const first = rows(page).first();
  expect(await first.getAttribute('aria-level')).toBe('1');
  expect(await first.innerText()).toMatch(/starts at 0.ms, takes .+, Fault/);
  expect(await paintedPixels(page)).toBeGreaterThan(1000);
});

/** How many pixels of the canvas are not empty. */
async function paintedPixels(page: Page): Promise<number> {
  return (await page.evaluate(`(() => {
    const canvas = document.querySelector('[data-testid=timeline-canvas]');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at] > 0) count++;
    return count;
  })()`)) as number;
}

pageTest('the row where it failed is one click away, with its exceptions and their cause', FAILED, async ({ page }) => {
  await openFailed(page);
  await page.getByTestId('likely-cause').click();
  const detail = page.getByTestId('detail');
  await detail.getByRole('tab', { name: /Exceptions/ }).click();
  await detail.getByRole('heading', { name: 'PaymentDeclined' }).waitFor();
  await detail.getByText('Caused by').waitFor();
  await detail.getByRole('heading', { name: 'HttpError' }).waitFor();
  expect(page.url()).toMatch(/row=[0-9a-f]{16}/);
  expect(page.url()).toContain('tab=exceptions');
});

pageTest(
  'details: annotations, metadata, SQL, resources and raw JSON',
  FAILED,
  async ({ page }) => {
    await openFailed(page);
    const detail = page.getByTestId('detail');
    await rows(page).first().click();
    await detail.getByRole('tab', { name: /Annotations/ }).click();
    await detail.getByText('order_total').waitFor();
    await detail.getByRole('tab', { name: 'Metadata' }).click();
    await detail.getByText('currency').waitFor();
    await detail.getByRole('tab', { name: 'Resources' }).click();
    await detail.getByText('ec2.instance_id').waitFor();
    await rows(page).filter({ hasText: 'ledger@db.shop.internal' }).first().click();
    await detail.getByRole('tab', { name: 'SQL' }).click();
    await detail.getByText('INSERT INTO ledger').waitFor();
    await detail.getByRole('tab', { name: 'Raw' }).click();
    const raw = JSON.parse(await detail.getByTestId('raw-json').innerText()) as { name: string };
    expect(raw.name).toBe('ledger@db.shop.internal');
    await detail.getByRole('button', { name: 'Copy' }).click();
    await detail.getByRole('button', { name: 'Copied' }).waitFor();
  },
  { permissions: ['clipboard-read', 'clipboard-write'] },
);

pageTest('keys walk the tree, fold and unfold it', FAILED, async ({ page }) => {
  await openFailed(page);
  const all = await rows(page).count();
  await page.keyboard.press('ArrowDown');
  await eventually(
    () => selected(page).getAttribute('aria-level'),
    (level) => level === '1',
  );
  await page.keyboard.press('ArrowLeft');
  await eventually(
    () => rows(page).count(),
    (count) => count === 1,
  );
  expect(await selected(page).getAttribute('aria-expanded')).toBe('false');
  await page.keyboard.press('ArrowRight');
  await eventually(
    () => rows(page).count(),
    (count) => count === all,
  );
  await page.keyboard.press('ArrowRight');
  await eventually(
    () => selected(page).getAttribute('aria-level'),
    (level) => level === '2',
  );
  await page.keyboard.press('f');
  await eventually(
    () => selected(page).getAttribute('data-outcome'),
    (outcome) => outcome === 'fault',
  );
  await page.keyboard.press('Escape');
  await selected(page).waitFor({ state: 'detached' });
});

pageTest('the list ends with its last row', FAILED, async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 600 });
  await openFailed(page);
  await page.getByRole('treegrid').evaluate((element) => (element.scrollTop = 1e6));
  const count = Number(await page.getByRole('treegrid').getAttribute('aria-rowcount'));
  const last = page.locator(`[data-testid=timeline-row][aria-rowindex="${count}"]`);
  await last.waitFor();
  const [row, list] = await Promise.all([last.boundingBox(), page.getByRole('treegrid').boundingBox()]);
  expect(Math.abs(row!.y + row!.height - (list!.y + list!.height))).toBeLessThan(2);
});

pageTest('search counts, marks and steps through matches', FAILED, async ({ page }) => {
  await openFailed(page);
  await page.keyboard.press('/');
  await page.keyboard.type('ledger');
  await eventually(
    () => page.getByTestId('find-count').innerText(),
    (text) => text === '2 found',
  );
  await page.keyboard.press('Enter');
  await eventually(
    () => selected(page).innerText(),
    (text) => text.includes('ledger'),
  );
  await eventually(
    () => page.getByTestId('find-count').innerText(),
    (text) => text.startsWith('1 of 2'),
  );
  expect(await page.locator('[data-testid=timeline-row][data-match]').count()).toBe(2);
  await eventually(
    () => page.url(),
    (url) => url.includes('find=ledger'),
  );
});

pageTest('the time axis zooms by keys and by dragging, and back', FAILED, async ({ page }) => {
  await openFailed(page);
  const all = page.getByRole('button', { name: 'All', exact: true });
  expect(await all.isDisabled()).toBe(true);
  await rows(page).nth(3).click();
  await page.keyboard.press('z');
  await eventually(
    () => all.isDisabled(),
    (disabled) => !disabled,
  );
  await page.keyboard.press('0');
  await eventually(
    () => all.isDisabled(),
    (disabled) => disabled,
  );
  const overview = (await page.getByTestId('timeline-overview').boundingBox())!;
  await page.mouse.move(overview.x + 100, overview.y + 20);
  await page.mouse.down();
  await page.mouse.move(overview.x + 200, overview.y + 20, { steps: 3 });
  await page.mouse.up();
  await eventually(
    () => all.isDisabled(),
    (disabled) => !disabled,
  );
});

pageTest('the URL alone brings back the selected row and its tab', FAILED, async ({ page }) => {
  await openFailed(page);
  await page.getByTestId('likely-cause').click();
  await page.getByTestId('detail').getByRole('tab', { name: 'Raw' }).click();
  await eventually(
    () => page.url(),
    (url) => url.includes('row=') && url.includes('tab=raw'),
  );
  const name = await page.getByTestId('detail').getByRole('heading', { level: 2 }).innerText();
  await page.reload();
  await page.getByTestId('raw-json').waitFor();
  expect(await page.getByTestId('detail').getByRole('heading', { level: 2 }).innerText()).toBe(name);
});

pageTest(
  'a trace that is not there says what may have happened',
  '/traces/1-00000000-000000000000000000000000',
  async ({ page }) => {
    await page.getByText('This trace is not here').waitFor();
  },
  { allow: /404/ },
);

async function openLarge({ page, subject }: PageTest): Promise<void> {
  const answer = await fetch(`${subject.url}/__mock/large-trace?rows=10000`);
  const { id } = (await answer.json()) as { id: string };
  await page.goto(`${subject.url}/traces/${id}`);
  await rows(page).first().waitFor();
}

pageTest(
  'a trace of 10,000 rows keeps few elements and scrolls fluently',
  '/status',
  async (tools) => {
    const { page } = tools;
    await openLarge(tools);
    expect(await page.getByRole('treegrid').getAttribute('aria-rowcount')).toBe('10000');
    expect(await rows(page).count()).toBeLessThan(80);
    const medianMs = (await page.evaluate(`(async () => {
    const list = document.querySelector('[role=treegrid]');
    const times = [];
    let last = performance.now();
    for (let frame = 0; frame < 90; frame++) {
      list.scrollTop += 120;
      await new Promise(requestAnimationFrame);
      times.push(performance.now() - last);
      last = performance.now();
    }
    return times.sort((a, b) => a - b)[45];
  })()`)) as number;
    // 60 frames a second on an idle machine; the bound leaves room for a busy one.
    expect(medianMs).toBeLessThan(60);
    await page.keyboard.press('End');
    await eventually(
      () => selected(page).getAttribute('aria-rowindex'),
      (index) => index === '10000',
    );
  },
  { mockOnly: true },
);
