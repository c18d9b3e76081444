/** Serves the built page with the made-up API behind it, as the real server would: unknown paths give the page. */
import { createReadStream, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMockApi, type MockApi, type Scenario } from './mock-api.ts';

const PAGE = fileURLToPath(new URL('../../dist/web/', import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

export interface PageServer {
  readonly url: string;
  readonly port: number;
  readonly api: MockApi;
  /** Drops every connection and stops listening. */
  readonly close: () => Promise<void>;
}

/** `port` 0 takes any free one. */
export async function servePage(port = 0, scenario: Scenario = 'shop'): Promise<PageServer> {
  const api = createMockApi(scenario);
  const server: Server = createServer((request, response) => {
    if (api.handle(request, response)) return;
    const path = normalize(new URL(request.url ?? '/', 'http://mock').pathname);
    const file = isFile(join(PAGE, path)) ? join(PAGE, path) : join(PAGE, 'index.html');
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  const address = server.address();
  const taken = typeof address === 'object' && address ? address.port : port;
  return {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    api,
    close: () =>
      new Promise((resolve) => {
        api.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
