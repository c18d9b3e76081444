export { type Address, addressText, findPortTrouble, PortError } from './listen.ts';
export { type RunningServer, type ServerAddresses, type ServerOptions, startServer, StoreStartError } from './server.ts';
