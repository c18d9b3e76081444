// Sustained intake to durable storage, without loss: UDP, PutTraceSegments and OTLP/HTTP, sender on the same machine.
//   --seconds N (60)   --udp RATE (15000)   --segments RATE (15000)   --otlp RATE (20000)   --only udp|segments|otlp   --save

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine, formatMegabytes, formatNumber, formatTable, saveSection } from './harness/index.ts';
import { type Protocol, writeTraffic } from './workload/file.ts';
import { Product, type Usage } from './workload/product.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    udp: { type: 'string', default: '15000' },
    segments: { type: 'string', default: '15000' },
    otlp: { type: 'string', default: '20000' },
    only: { type: 'string' },
    save: { type: 'boolean', default: false },
  },
});

interface Sent {
  readonly sent: number;
  readonly acknowledged: number;
  readonly turnedAway: number;
  readonly failed: number;
  readonly seconds: number;
  readonly worstMs: number;
  readonly cpuMs: number;
}

const SENDER = fileURLToPath(new URL('./workload/sender.js', import.meta.url));

async function runSender(protocol: Protocol, path: string, rate: number, target: string): Promise<Sent> {
  const child = spawn(process.execPath, [SENDER, protocol, path, String(rate), target], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((done) => child.once('close', done));
  return JSON.parse(output) as Sent;
}

async function measure(protocol: Protocol, rate: number, seconds: number): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'fluoro-bench-'));
  console.error(`${protocol}: making ${formatNumber(rate * seconds)} spans ...`);
  const traffic = writeTraffic(join(dir, 'traffic'), protocol, rate * seconds, Date.now() / 1000, rate);
  const product = await Product.start();
  const before = product.usage();
  console.error(`${protocol}: sending ${formatNumber(rate)} a second for ${seconds} s ...`);
  const target = { udp: product.addresses.xrayUdp, segments: product.addresses.page, otlp: product.addresses.otlpHttp }[protocol];
  const sent = await runSender(protocol, traffic.path, rate, target);
  const after = product.usage();
  const settledMs = await product.settle();
  const stored = await product.metric('fluoroscope_store_rows', 'table="spans"');
  await quiet(product);
  const bytes = await product.metric('fluoroscope_store_bytes', 'table="spans"');
  const peak = product.usage();
  const lost = sent.sent - sent.turnedAway - sent.failed - stored;
  await product.stop();
  rmSync(dir, { recursive: true, force: true });
  return [
    protocol,
    formatNumber(Math.round(sent.sent / sent.seconds)),
    formatNumber(stored),
    formatNumber(lost),
    formatNumber(sent.turnedAway + sent.failed),
    cpuShare(before, after, sent.seconds),
    `${Math.round(sent.cpuMs / sent.seconds / 10)} %`,
    peak.map((one) => `${one.name} ${formatMegabytes(one.peakBytes)}`).join(', '),
    `${(settledMs / 1000).toFixed(1)} s`,
    `${Math.round(traffic.bytesPerSpan)} → ${(bytes / stored).toFixed(1)}`,
  ];
}

/** Merges go on for a while after the last insert. */
async function quiet(product: Product): Promise<void> {
  let last = -1;
  for (let i = 0; i < 30; i++) {
    const bytes = await product.metric('fluoroscope_store_bytes', 'table="spans"');
    if (bytes === last) return;
    last = bytes;
    await new Promise((done) => setTimeout(done, 4_000));
  }
}

function cpuShare(before: readonly Usage[], after: readonly Usage[], seconds: number): string {
  return after
    .map((one) => {
      const used = one.cpuMs - (before.find((other) => other.name === one.name)?.cpuMs ?? 0);
      return `${one.name} ${Math.round(used / seconds / 10)} %`;
    })
    .join(', ');
}

const rates: Readonly<Record<Protocol, number>> = { udp: Number(values.udp), segments: Number(values.segments), otlp: Number(values.otlp) };
const rows: string[][] = [];
for (const protocol of ['udp', 'segments', 'otlp'] as const) {
  if (values.only !== undefined && values.only !== protocol) continue;
  rows.push(await measure(protocol, rates[protocol], Number(values.seconds)));
  console.error(rows.at(-1)!.join(' | '));
}
const header = [
  'intake',
  'sent a second',
  'stored',
  'lost',
  'turned away',
  'CPU of one core',
  'sender CPU',
  'peak memory',
  'settled after',
  'bytes a span: sent → on disk',
];
const body = `## Intake

\`npm run bench -- ingest --seconds ${values.seconds}\` on ${describeMachine()}

Spans of a made-up shop (20 services, 3 to 14 spans a trace, ten attributes and ids of their own each, segment documents of about 850 bytes), made beforehand and sent by
one process on the same machine. Stored means in the store, with the disk flushed. On disk means everything that is needed to give each document back, indexes included, after merges.

${formatTable(header, rows)}`;
console.log(body);
if (values.save) await saveSection('ingest', body);
