/** Opens listening sockets, and says who holds a port that cannot be had. */
import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:net';

/** A host and port to listen on; port 0 takes any free one. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A port could not be opened; the message names it, who has it where that can be known, and the way out. */
export class PortError extends Error {}

/** Listens, and tells the address that was taken. Throws `PortError`. */
export async function listen(server: Server, address: Address, what: string, option: string): Promise<Address> {
  await new Promise<void>((done, fail) => {
    const failed = (cause: NodeJS.ErrnoException): void => fail(portError(cause, address, what, option, 'tcp'));
    server.once('error', failed);
    server.listen(address.port, address.host, () => {
      server.off('error', failed);
      done();
    });
  });
  const bound = server.address();
  return typeof bound === 'object' && bound ? { host: bound.address, port: bound.port } : address;
}

/** For port 0 a TCP port that was free a moment ago: to open the same number for UDP first, where few ports are taken. */
export async function chooseTcpPort(address: Address): Promise<Address> {
  if (address.port !== 0) return address;
  const probe = createServer();
  return new Promise((done) => {
    probe.once('error', () => done(address)); // whoever opens it says what is wrong
    probe.listen(0, address.host, () => {
      const bound = probe.address();
      probe.close(() => done(typeof bound === 'object' && bound ? { host: address.host, port: bound.port } : address));
    });
  });
}

/** Why an address cannot be listened on, as `PortError` says it; undefined when it can. */
export async function findPortTrouble(
  address: Address,
  what: string,
  option: string,
  protocol: 'tcp' | 'udp',
): Promise<string | undefined> {
  const cause = await (protocol === 'tcp' ? tryTcp(address) : tryUdp(address));
  return cause && portError(cause, address, what, option, protocol).message;
}

async function tryTcp({ host, port }: Address): Promise<NodeJS.ErrnoException | undefined> {
  const server = createServer();
  return new Promise((done) => {
    server.once('error', done);
    server.listen(port, host, () => server.close(() => done(undefined)));
  });
}

async function tryUdp({ host, port }: Address): Promise<NodeJS.ErrnoException | undefined> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  return new Promise((done) => {
    socket.once('error', done);
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => done(undefined)));
  });
}

/** `host:port`, with brackets around an IPv6 host. */
export function addressText({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Turns the system's error into one that a person can act upon. */
export function portError(
  cause: { readonly code?: string | undefined; readonly message: string },
  address: Address,
  what: string,
  option: string,
  protocol: 'tcp' | 'udp',
): PortError {
  const place = `${addressText(address)}${protocol === 'udp' ? ' (UDP)' : ''}`;
  const none = option === '--listen' ? '' : `, or ${option} off`; // the page cannot be off
  const other = `take another with ${option} HOST:PORT (port 0: any free one)${none}`;
  switch (cause.code) {
    case 'EADDRINUSE': {
      const holder = findHolder(address.port, protocol);
      return new PortError(`cannot open ${what} on ${place}: ${holder ?? 'another process'} has it; end that, or ${other}`);
    }
    case 'EACCES':
      return new PortError(`cannot open ${what} on ${place}: not permitted (ports below 1024 need root or CAP_NET_BIND_SERVICE); ${other}`);
    case 'EADDRNOTAVAIL':
      return new PortError(`cannot open ${what} on ${place}: this machine has no address ${address.host}; ${other}`);
    default:
      return new PortError(`cannot open ${what} on ${place}: ${cause.message}; ${other}`);
  }
}

/** The process that listens on a port, from Linux's /proc; undefined when it cannot be known. */
function findHolder(port: number, protocol: 'tcp' | 'udp'): string | undefined {
  const inodes = socketInodes(port, protocol);
  if (inodes.size === 0) return undefined;
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const fd of list(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined && inodes.has(inode)) return `process ${pid} (${commandOf(pid)})`;
    }
  }
  return undefined;
}

function socketInodes(port: number, protocol: 'tcp' | 'udp'): Set<string> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const listening = protocol === 'tcp' ? '0A' : undefined;
  const inodes = new Set<string>();
  for (const path of [`/proc/net/${protocol}`, `/proc/net/${protocol}6`]) {
    for (const line of read(path).split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (!fields[1]?.endsWith(local) || (listening !== undefined && fields[3] !== listening)) continue;
      if (fields[9] !== undefined) inodes.add(fields[9]);
    }
  }
  return inodes;
}

function commandOf(pid: string): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, 80) || read(`/proc/${pid}/comm`).trim() || 'unknown';
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // not Linux, gone, or not ours to see
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
