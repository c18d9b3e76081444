import type { Plugin } from 'vite';
import { createMockApi, type Scenario } from './mock-api.ts';

/** Answers `/api` during `npm run dev`; `MOCK=wide` or `MOCK=empty` chooses another scenario. */
export function mockApi(): Plugin {
  return {
    name: 'fluoroscope-mock-api',
    apply: 'serve',
    configureServer(server) {
      const api = createMockApi((process.env['MOCK'] ?? 'shop') as Scenario);
      server.middlewares.use((request, response, next) => {
        if (!api.handle(request, response)) next();
      });
    },
  };
}
