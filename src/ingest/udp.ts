/**
 * The X-Ray daemon's UDP intake: one datagram is a header line, a newline and one document (or an array of them).
 * Nothing is acknowledged, so all that can be done for the sender is a large kernel buffer and honest counts of what was lost.
 * Source: aws-xray-daemon `pkg/tracesegment`; header `{"format":"json","version":1}`.
 */
import { createSocket, type Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';

/** Asked for; the kernel gives at most `net.core.rmem_max`. */
const RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024;
const USUAL_HEADER = '{"format":"json","version":1}';

export interface UdpEvents {
  document(body: Buffer): void;
  /** Not a datagram of an X-Ray SDK. */
  malformed(message: string): void;
  failed(message: string): void;
}

export interface UdpListener {
  readonly host: string;
  readonly port: number;
  /** What the kernel gave, in bytes. */
  readonly bufferBytes: number;
  /** Datagrams that the kernel threw away because we were too slow, since the start; undefined where it does not tell. */
  kernelDrops(): number | undefined;
  close(): Promise<void>;
}

/** Listens on `host:port` (port 0: any). Rejected with the system's error (`EADDRINUSE`, `EACCES`). */
export async function listenUdp(host: string, port: number, events: UdpEvents): Promise<UdpListener> {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4' });
  await new Promise<void>((done, fail) => {
    socket.once('error', fail);
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off('error', fail);
      done();
    });
  });
  socket.on('error', (cause) => events.failed(cause.message));
  socket.on('message', (datagram) => readDatagram(datagram, events));
  const bufferBytes = enlargeBuffer(socket);
  const bound = socket.address();
  return {
    host: bound.address,
    port: bound.port,
    bufferBytes,
    kernelDrops: () => kernelDrops(bound.port),
    close: () => new Promise((done) => socket.close(() => done())),
  };
}

function enlargeBuffer(socket: Socket): number {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
  } catch {
    // The system's limit is lower and it does not clamp (macOS): its default must do.
  }
  return socket.getRecvBufferSize();
}

function readDatagram(datagram: Buffer, events: UdpEvents): void {
  const newline = datagram.indexOf(0x0a);
  if (newline < 0) return events.malformed('no newline after the header');
  const header = datagram.toString('latin1', 0, Math.min(newline, 256));
  if (header !== USUAL_HEADER && !isHeader(header)) {
    return events.malformed(`the header ${JSON.stringify(header.slice(0, 60))} is not {"format":"json","version":1}`);
  }
  if (newline + 1 === datagram.length) return events.malformed('no document after the header');
  events.document(datagram.subarray(newline + 1));
}

function isHeader(text: string): boolean {
  try {
    const header = JSON.parse(text) as { format?: unknown; version?: unknown } | null;
    return String(header?.format).toLowerCase() === 'json' && header?.version === 1;
  } catch {
    return false;
  }
}

/** The last column of the socket's line in Linux's /proc/net/udp{,6}. */
function kernelDrops(port: number): number | undefined {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  let drops: number | undefined;
  for (const path of ['/proc/net/udp', '/proc/net/udp6']) {
    for (const line of readLines(path)) {
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(local)) drops = (drops ?? 0) + Number(fields.at(-1));
    }
  }
  return drops;
}

function readLines(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(1);
  } catch {
    return []; // not Linux, or no IPv6
  }
}
