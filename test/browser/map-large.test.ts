import { expect } from 'vitest';
import { eventually, pageTests } from './support/page-test.ts';

const pageTest = pageTests('wide');

pageTest('a map of 500 nodes is laid out once, stays usable, and is as wide as it is high', '/', async ({ page, subject }) => {
  await page.getByTestId('map-node').first().waitFor();
  expect(await page.getByTestId('map-node').count()).toBe(500);
  const boxes = await page.getByTestId('map-node').evaluateAll((elements) =>
    elements.map((element) => {
      const { left, right, top, bottom } = element.getBoundingClientRect();
      return { left, right, top, bottom };
    }),
  );
  const width = Math.max(...boxes.map((box) => box.right)) - Math.min(...boxes.map((box) => box.left));
  const height = Math.max(...boxes.map((box) => box.bottom)) - Math.min(...boxes.map((box) => box.top));
  expect(width / height).toBeGreaterThan(0.6);
  const layout = await page.getByTestId('service-map').getAttribute('data-layout-ms');
  subject.mock?.api.announce();
  await page.waitForResponse((response) => response.url().includes('/api/v1/graph'));
  await page.waitForTimeout(500);
  expect(await page.getByTestId('service-map').getAttribute('data-layout-ms')).toBe(layout);
  await page.keyboard.press('/');
  await page.keyboard.type('store-4');
  await eventually(
    () => page.getByTestId('map-totals').innerText(),
    (text) => /^\d+ of 488/.test(text),
  );
});
