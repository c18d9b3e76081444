// What the tests look at: the built page in front of made-up data, or with FLUORO_PAGE_URL a real server that has traces of the
// last hour. What only the made-up server can show (nothing ever received, 10,000 rows) is skipped then.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { servePage, type PageServer } from '../../../web/dev/page-server.ts';
import type { Scenario } from '../../../web/dev/mock-api.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Subject {
  readonly url: string;
  /** Undefined when the server is a real one. */
  readonly mock: PageServer | undefined;
  readonly close: () => Promise<void>;
}

export async function startSubject(scenario: Scenario = 'shop'): Promise<Subject> {
  const url = process.env['FLUORO_PAGE_URL'];
  if (url !== undefined && scenario === 'shop') return { url: url.replace(/\/$/, ''), mock: undefined, close: async () => undefined };
  if (!existsSync(`${ROOT}/dist/web/index.html`)) await promisify(execFile)('npm', ['run', 'build', '--workspace', 'web'], { cwd: ROOT });
  const mock = await servePage(0, scenario);
  return { url: mock.url, mock, close: mock.close };
}
