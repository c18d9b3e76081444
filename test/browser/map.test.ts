import { expect } from 'vitest';
import { eventually, pageTests } from './support/page-test.ts';

const pageTest = pageTests();

pageTest('the map shows every service with its kind, rate, latency and outcomes', '/', async ({ page }) => {
  const nodes = page.getByTestId('map-node');
  await nodes.first().waitFor();
  const labels = await nodes.evaluateAll((elements) => elements.map((element) => element.getAttribute('aria-label') ?? ''));
  expect(labels.length).toBeGreaterThan(3);
  expect(labels.some((label) => label.startsWith('Clients of '))).toBe(true);
  expect(labels.some((label) => /\/min, average .+(ms|s), .+ok/.test(label))).toBe(true);
});

pageTest('clients stand left of what they call', '/', async ({ page }) => {
  await page.getByTestId('map-node').first().waitFor();
  const client = page.getByRole('button', { name: /^Clients of/ }).first();
  const name = (await client.getAttribute('aria-label'))!.replace('Clients of ', '');
  const [left, right] = await Promise.all([
    client.boundingBox(),
    page
      .getByRole('button', { name: `${name},` })
      .first()
      .boundingBox(),
  ]);
  expect(left!.x + left!.width).toBeLessThan(right!.x);
});

pageTest('a node opens its panel, whose choice becomes a filter for the trace list', '/', async ({ page }) => {
  await page.getByRole('button', { name: /^orders,/ }).click();
  const panel = page.getByRole('complementary', { name: 'Details of orders' });
  await panel.getByRole('checkbox', { name: 'OK' }).uncheck();
  await panel.getByRole('checkbox', { name: 'Error' }).uncheck();
  expect(await panel.getByTestId('panel-filter').innerText()).toBe('service("orders") { (throttle OR fault) }');
  const chart = (await panel.getByTestId('latency-chart').boundingBox())!;
  await page.mouse.move(chart.x + chart.width * 0.3, chart.y + 60);
  await page.mouse.down();
  await page.mouse.move(chart.x + chart.width * 0.7, chart.y + 60, { steps: 4 });
  await page.mouse.up();
  expect(await panel.getByTestId('panel-filter').innerText()).toMatch(
    /^service\("orders"\) \{ \(throttle OR fault\) AND responsetime >= [\d.]+ AND responsetime <= [\d.]+ \}$/,
  );
  await panel.getByRole('link', { name: 'View traces' }).click();
  await page.waitForURL(/\/traces\?filter=service/);
});

pageTest('an edge opens its panel as the caller saw it', '/', async ({ page }) => {
  await page.getByRole('button', { name: /^payments,/ }).click();
  await page.getByTestId('map-panel').getByTitle('These calls in detail').first().click();
  await page.getByRole('complementary', { name: 'Details of the calls from orders to payments' }).waitFor();
  expect(await page.getByTestId('panel-filter').innerText()).toBe('edge("orders", "payments")');
});

pageTest('arrow keys walk along calls, Enter opens the panel, Escape closes it', '/', async ({ page }) => {
  await page.getByTestId('map-node').first().waitFor();
  await page.keyboard.press('ArrowRight');
  const focused = () => page.evaluate('document.activeElement.getAttribute("aria-label") ?? ""') as Promise<string>;
  await eventually(focused, (label) => /^(storefront|mobile-api),/.test(label));
  await page.keyboard.press('ArrowLeft');
  await eventually(focused, (label) => label.startsWith('Clients of'));
  await page.keyboard.press('ArrowRight');
  await eventually(focused, (label) => label.includes('/min'));
  await page.keyboard.press('Enter');
  await page.getByTestId('map-panel').waitFor();
  expect(page.url()).toContain('node=');
  await page.keyboard.press('Escape');
  await page.getByTestId('map-panel').waitFor({ state: 'detached' });
});

pageTest('search dims what does not match and counts the rest', '/', async ({ page }) => {
  await page.getByTestId('map-node').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('catalog');
  await eventually(
    () => page.getByTestId('map-totals').innerText(),
    (text) => text.startsWith('2 of'),
  );
  expect(await page.locator('[data-testid=map-node][data-emphasis=plain]').count()).toBe(2);
  await page.keyboard.press('Enter');
  await page.getByRole('complementary', { name: /^Details of catalog/ }).waitFor();
});

pageTest('the map narrows to what a service calls and is called by', '/?node=inventory@AWS::EKS::Container', async ({ page }) => {
  await page.getByTestId('map-node').first().waitFor();
  const all = await page.getByTestId('map-node').count();
  await page.getByRole('button', { name: 'Only what it calls and is called by' }).click();
  await eventually(
    () => page.getByTestId('map-node').count(),
    (count) => count > 1 && count < all,
  );
  await page.getByRole('button', { name: /^Only around inventory/ }).click();
  await eventually(
    () => page.getByTestId('map-node').count(),
    (count) => count === all,
  );
});

pageTest('the list shows the same services as a table that sorts', '/?view=list', async ({ page }) => {
  const rows = page.getByRole('table', { name: 'Services' }).getByRole('row');
  await rows.nth(1).waitFor();
  await page.getByRole('button', { name: 'Service', exact: true }).click();
  expect(await page.getByRole('columnheader', { name: 'Service' }).getAttribute('aria-sort')).toBe('ascending');
  const names = await rows.locator('td:first-child').allInnerTexts();
  expect(names).toEqual(names.toSorted((a, b) => a.localeCompare(b)));
});

pageTest('figures change with live updates and nodes stay where they are', '/', async ({ page, subject }) => {
  const node = page.getByRole('button', { name: /^storefront,/ });
  await node.waitFor();
  await eventually(
    () => page.getByTestId('live').getAttribute('data-state'),
    (state) => state === 'live',
  );
  const before = await node.boundingBox();
  const answered = page.waitForResponse((response) => response.url().includes('/api/v1/graph'));
  subject.mock?.api.announce();
  await answered;
  await page.waitForTimeout(300);
  expect(await node.boundingBox()).toEqual(before);
});
