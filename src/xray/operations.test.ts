import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OPERATIONS } from './operations.ts';

test('OPERATIONS has the paths that the JavaScript client asks for, and no others', () => {
  const text = readFileSync(new URL('../../testdata/xray/client-requests.json', import.meta.url), 'utf8');
  const { js } = JSON.parse(text) as { readonly js: Readonly<Record<string, { readonly path: string }>> };
  const sent = Object.entries(js).map(([name, { path }]) => `${name} ${path}`);
  expect(OPERATIONS.map(({ name, path }) => `${name} ${path}`)).toEqual(sent.toSorted());
});
