import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { PageSkeleton } from '../ui/skeleton.tsx';
import { NotFound, PageBroken } from './error-pages.tsx';
import { Shell } from './shell.tsx';
import { parseQuery, stringifyQuery, validateView } from './view.ts';

const rootRoute = createRootRoute({ component: Shell, validateSearch: validateView, notFoundComponent: NotFound });

const mapRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  component: lazyRouteComponent(() => import('../map/map-page.tsx'), 'MapPage'),
});

const tracesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/traces',
  component: lazyRouteComponent(() => import('../traces/traces-page.tsx'), 'TracesPage'),
});

const traceRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/traces/$traceId',
  component: lazyRouteComponent(() => import('../trace/trace-page.tsx'), 'TracePage'),
});

const statusRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/status',
  component: lazyRouteComponent(() => import('../status/status-page.tsx'), 'StatusPage'),
});

const startRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/start',
  component: lazyRouteComponent(() => import('../start/start-page.tsx'), 'StartPage'),
});

const routeTree = rootRoute.addChildren([mapRoute, tracesRoute, traceRoute, statusRoute, startRoute]);

export const router = createRouter({
  routeTree,
  parseSearch: parseQuery,
  stringifySearch: stringifyQuery,
  defaultPreload: 'intent',
  defaultPendingComponent: PageSkeleton,
  defaultErrorComponent: PageBroken,
  defaultPendingMs: 150,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
