import type { Connect, Plugin } from 'vite';
import { createMockApi, type Scenario } from './mock-api.ts';

/** Answers `/api` during `npm run dev` and `npm run preview`; `MOCK=wide` or `MOCK=empty` chooses another scenario. */
export function mockApi(): Plugin {
  const install = (middlewares: Connect.Server): void => {
    const api = createMockApi((process.env['MOCK'] ?? 'shop') as Scenario);
    middlewares.use((request, response, next) => {
      if (!api.handle(request, response)) next();
    });
  };
  return {
    name: 'fluoroscope-mock-api',
    apply: 'serve',
    configureServer: (server) => install(server.middlewares),
    configurePreviewServer: (server) => install(server.middlewares),
  };
}
