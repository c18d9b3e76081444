import { createContext, use } from 'react';
import type { ApiClient } from './client.ts';
import type { Connection } from './connection.ts';

/** What the composition root (main.tsx) built for the components. */
export interface Services {
  readonly api: ApiClient;
  readonly connection: Connection;
}

const ServicesContext = createContext<Services | undefined>(undefined);

export const ServicesProvider = ServicesContext.Provider;

export function useServices(): Services {
  const services = use(ServicesContext);
  if (!services) throw new Error('Bug: no ServicesProvider above this component');
  return services;
}
