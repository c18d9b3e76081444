// A sender in a process of its own: <protocol> <file> <spans per second> <host:port>. Prints what it did as one line of JSON.
// Paced by the clock: what is late is sent at once. Stops at the file's end.

import { createSocket } from 'node:dgram';
import { Agent, request } from 'node:http';
import { type Protocol, SPANS_PER_RECORD, TrafficReader } from './file.ts';

const [protocol, file, rate, target] = process.argv.slice(2) as [Protocol, string, string, string];
const [host, port] = [target.slice(0, target.lastIndexOf(':')), Number(target.slice(target.lastIndexOf(':') + 1))];
const recordsPerMs = Number(rate) / 1000 / SPANS_PER_RECORD[protocol];
const MAX_IN_FLIGHT = 16;
const TICK_MS = 5;

const reader = new TrafficReader(file);
const result = { sent: 0, acknowledged: 0, turnedAway: 0, failed: 0, seconds: 0, worstMs: 0, cpuMs: 0, lateMs: 0 };

async function sendDatagrams(): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('error', () => result.failed++);
  await paced((record) => {
    socket.send(record, port, host);
    result.sent++;
  });
  await new Promise((done) => setTimeout(done, 200)); // what was sent last is on its way
  socket.close();
}

async function sendRequests(): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_IN_FLIGHT });
  const underWay = new Set<Promise<void>>();
  await paced(async (record) => {
    while (underWay.size >= MAX_IN_FLIGHT) await Promise.race(underWay);
    result.sent += SPANS_PER_RECORD[protocol];
    const call = post(agent, Buffer.from(record)).finally(() => underWay.delete(call));
    underWay.add(call);
  });
  await Promise.all(underWay);
  agent.destroy();
}

function post(agent: Agent, record: Buffer): Promise<void> {
  const startedMs = performance.now();
  const spans = SPANS_PER_RECORD[protocol];
  const headers = { 'content-type': protocol === 'otlp' ? 'application/x-protobuf' : 'application/json', 'content-length': record.length };
  const path = protocol === 'otlp' ? '/v1/traces' : '/TraceSegments';
  return new Promise((done) => {
    const call = request({ host, port, agent, method: 'POST', path, headers }, (response) => {
      response.resume();
      response.on('end', () => {
        result.worstMs = Math.max(result.worstMs, performance.now() - startedMs);
        if (response.statusCode === 200) result.acknowledged += spans;
        else result.turnedAway += spans;
        done();
      });
    });
    call.on('error', () => {
      result.failed += spans;
      done();
    });
    call.end(record);
  });
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
