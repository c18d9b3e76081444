// A sender in a process of its own: <protocol> <file> <spans per second> <host:port>. Prints what it did as one line of JSON.
// Paced by the clock: what is late is sent at once. Stops at the file's end.

import { createSocket } from 'node:dgram';
import { Agent, request } from 'node:http';
import { type Protocol, SPANS_PER_RECORD, TrafficReader } from './file.ts';

const [protocol, path, rate, target] = process.argv.slice(2) as [Protocol, string, string, string];
const [host, port] = [target.slice(0, target.lastIndexOf(':')), Number(target.slice(target.lastIndexOf(':') + 1))];
const recordsPerMs = Number(rate) / 1000 / SPANS_PER_RECORD[protocol];
const MAX_IN_FLIGHT = 16;
const TICK_MS = 5;

const reader = new TrafficReader(path);
const result = { sent: 0, acknowledged: 0, turnedAway: 0, failed: 0, seconds: 0, worstMs: 0, cpuMs: 0, lateMs: 0 };

function sendDatagrams(): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('error', () => result.failed++);
  return paced((record) => {
    socket.send(record, port, host);
    result.sent++;
  }).then(async () => {
    await new Promise((done) => setTimeout(done, 200));
    socket.close();
  });
}

async function sendRequests(): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_IN_FLIGHT });
  let inFlight = 0;
  let free: (() => void) | undefined;
  const post = (record: Buffer): Promise<void> =>
    new Promise((done) => {
      const startedMs = performance.now();
      const options = {
        host,
        port,
        agent,
        method: 'POST',
        path: protocol === 'otlp' ? '/v1/traces' : '/TraceSegments',
        headers: { 'content-type': protocol === 'otlp' ? 'application/x-protobuf' : 'application/json', 'content-length': record.length },
      };
      const call = request(options, (response) => {
        response.resume();
        response.on('end', () => {
          result.worstMs = Math.max(result.worstMs, performance.now() - startedMs);
          if (response.statusCode === 200) result.acknowledged += SPANS_PER_RECORD[protocol];
          else result.turnedAway += SPANS_PER_RECORD[protocol];
          done();
        });
      });
      call.on('error', () => {
        result.failed += SPANS_PER_RECORD[protocol];
        done();
      });
      call.end(record);
    });
  await paced(async (record) => {
    while (inFlight >= MAX_IN_FLIGHT) await new Promise<void>((done) => (free = done));
    inFlight++;
    result.sent += SPANS_PER_RECORD[protocol];
    void post(Buffer.from(record)).then(() => {
      inFlight--;
      free?.();
    });
  });
  while (inFlight > 0) await new Promise((done) => setTimeout(done, 5));
  agent.destroy();
}

/** Calls `send` for each record when it is due. */
async function paced(send: (record: Buffer) => unknown): Promise<void> {
  const startMs = performance.now();
  let done = 0;
  for (;;) {
    const due = Math.floor((performance.now() - startMs) * recordsPerMs);
    for (; done < due; done++) {
      const record = reader.next();
      if (!record) {
        result.seconds = (performance.now() - startMs) / 1000;
        result.lateMs = performance.now() - startMs - done / recordsPerMs;
        return;
      }
      await send(record);
    }
    await new Promise((later) => setTimeout(later, TICK_MS));
  }
}

const cpuBefore = process.cpuUsage();
await (protocol === 'udp' ? sendDatagrams() : sendRequests());
const cpu = process.cpuUsage(cpuBefore);
result.cpuMs = (cpu.user + cpu.system) / 1000;
process.stdout.write(`${JSON.stringify(result)}\n`);
