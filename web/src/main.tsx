import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiFailure, createApiClient } from './api/client.ts';
import { createConnection } from './api/connection.ts';
import { ServicesProvider } from './api/context.tsx';
import { translateHash } from './app/deep-links.ts';
import { router } from './app/router.tsx';
import './styles.css';

const connection = createConnection();
const services = { api: createApiClient(connection), connection };
const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // A lost server is watched by the live loop, which asks everything again when it is back.
      retry: (count, error) => error instanceof ApiFailure && error.status >= 500 && count < 2,
      networkMode: 'always',
    },
  },
});

const target = translateHash(location.hash);
if (target !== undefined) history.replaceState(null, '', target);

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <ServicesProvider value={services}>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ServicesProvider>
  </StrictMode>,
);
