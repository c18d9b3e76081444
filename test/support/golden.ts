// Golden files: small texts that say what a picture or a report looks like. `UPDATE_GOLDEN=1 npx vitest run …` rewrites them;
// read the difference before you commit it.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const ROOT = fileURLToPath(new URL('../../testdata', import.meta.url));

/**
 * Fails when `text` is not what the file holds.
 *
 * @param name under testdata/
 */
export function expectGolden(name: string, text: string): void {
  const path = join(ROOT, name);
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  expect(text).toBe(readFileSync(path, 'utf8'));
}
