// How long people wait with many spans stored.
//   --spans N (10000000)   --repeat N (15)   --data DIR: keep the loaded data there, and use it when it is there   --save

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine, formatMegabytes, formatNumber, formatSummary, formatTable, saveSection, summarize } from './harness/index.ts';
import { SERVICES } from './workload/spans.ts';
import { Random } from './workload/random.ts';
import { writeTraffic } from './workload/file.ts';
import { Product } from './workload/product.ts';

const { values } = parseArgs({
  options: {
    spans: { type: 'string', default: '10000000' },
    repeat: { type: 'string', default: '15' },
    data: { type: 'string' },
    save: { type: 'boolean', default: false },
  },
});

const HOURS = 6;
const SENDER = fileURLToPath(new URL('./workload/sender.js', import.meta.url));
const PART_SPANS = 1_000_000;

interface Listed {
  readonly traces: readonly { readonly id: string; readonly nodes: readonly string[] }[];
}

/** Sends the spans of the last hours in parts, and waits until the map is counted. */
async function load(product: Product, spans: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'fluoro-bench-'));
  const perSecond = spans / (HOURS * 3600);
  const start = Date.now() / 1000 - HOURS * 3600;
  for (let sent = 0; sent < spans; sent += PART_SPANS) {
    const traffic = writeTraffic(join(dir, 'traffic'), 'otlp', Math.min(PART_SPANS, spans - sent), start + sent / perSecond, perSecond);
    await new Promise((done) => {
      spawn(process.execPath, [SENDER, 'otlp', traffic.path, '60000', product.addresses.otlpHttp], {
        stdio: ['ignore', 'ignore', 'inherit'],
      }).once('close', done);
    });
    console.error(`loaded ${formatNumber(sent + traffic.spans)} spans`);
  }
  rmSync(dir, { recursive: true, force: true });
  console.error('waiting for the service map ...');
  await product.settle(1_800_000);
}

/** Runs a question over and over, with other values each time; the answers must not be empty. */
async function ask(product: Product, path: (turn: number) => string, found: (answer: never) => number): Promise<[string, string]> {
  const times: number[] = [];
  let results = 0;
  for (let turn = 0; turn < Number(values.repeat) + 2; turn++) {
    const startedMs = performance.now();
    const answer = await product.json<never>(path(turn));
    if (turn >= 2) times.push(performance.now() - startedMs);
    results += found(answer);
  }
  if (results === 0) throw new Error(`nothing was found by ${path(0)}`);
  return [formatSummary(summarize(times)), formatNumber(Math.round(results / (times.length + 2)))];
}

/** Memory and share of a core while nothing is asked. */
async function idle(one: Product): Promise<string> {
  const before = one.usage();
  await new Promise((done) => setTimeout(done, 30_000));
  const after = one.usage();
  const memory = after.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  const cpuMs = after.reduce((sum, { name, cpuMs: used }) => sum + used - (before.find((other) => other.name === name)?.cpuMs ?? 0), 0);
  const parts = after.map(({ name, memoryBytes }) => `${name} ${formatMegabytes(memoryBytes)}`).join(', ');
  return `${formatMegabytes(memory)} in all (${parts}), ${(cpuMs / 300).toFixed(1)} % of a core`;
}

const wanted = Number(values.spans);
const product = await Product.start(values.data);
const fresh = values.data === undefined || (await product.metric('fluoroscope_store_rows', 'table="spans"')) < wanted * 0.99;
if (fresh) await load(product, wanted);
const idleBefore = fresh ? 'not measured in the run that loads it' : await idle(product);
const stored = await product.metric('fluoroscope_store_rows', 'table="spans"');
const bytes = await product.metric('fluoroscope_store_bytes', 'table="spans"');

const { steps } = await product.json<{ steps: { startSeconds: number; outcomes: { total: number } }[] }>(
  `/api/v1/activity?from=${Date.now() / 1000 - 86_400 * 7}`,
);
const end = Math.max(...steps.filter((step) => step.outcomes.total > 0).map((step) => step.startSeconds)) + 3600;
const hour = `from=${end - 3600 * 1.5}&to=${end}`;
const random = new Random(7);
const ids: string[] = [];
for (let i = 0; i < 40; i++) {
  const from = end - 3600 * 5 * random.fraction();
  const page = await product.json<Listed>(`/api/v1/traces?from=${from - 600}&to=${from}&limit=5`);
  ids.push(...page.traces.map((trace) => trace.id));
}
const filter = (text: string): string => `&filter=${encodeURIComponent(text)}`;
const service = (): string => random.pick(SERVICES);
const traces = (answer: Listed): number => answer.traces.length;

const rows: string[][] = [];
const row = async (name: string, path: (turn: number) => string, found: (answer: never) => number): Promise<void> => {
  rows.push([name, ...(await ask(product, path, found))]);
  console.error(rows.at(-1)!.join(' | '));
};
await row(
  'trace by id, whole timeline',
  () => `/api/v1/traces/${random.pick(ids)}`,
  (answer: { rows: unknown[] }) => answer.rows.length,
);
await row(
  'service, hour, duration over 1 s, annotation; newest 20',
  () =>
    `/api/v1/traces?${hour}&limit=20${filter(`service("${service()}") { responsetime > 1 AND annotation.tenant = "tenant-${random.below(500)}" }`)}`,
  traces,
);
await row(
  'service, hour, faults; newest 20',
  () => `/api/v1/traces?${hour}&limit=20${filter(`service("${service()}") { fault }`)}`,
  traces,
);
await row(
  'one user among 100,000, hour',
  () => `/api/v1/traces?${hour}&limit=20${filter(`annotation[user.id] = "u${random.below(100_000)}"`)}`,
  traces,
);
await row('newest 20 of the hour', () => `/api/v1/traces?${hour}&limit=20`, traces);
await row(
  'service map, last hour',
  () => `/api/v1/graph?from=${end - 3600}&to=${end}`,
  (answer: { edges: unknown[] }) => answer.edges.length,
);
await row(
  'service map, 6 hours',
  () => `/api/v1/graph?from=${end - 3600 * 6}&to=${end}`,
  (answer: { edges: unknown[] }) => answer.edges.length,
);
await row(
  'activity, 6 hours',
  () => `/api/v1/activity?from=${end - 3600 * 6}&to=${end}`,
  (answer: { steps: unknown[] }) => answer.steps.length,
);

await new Promise((done) => setTimeout(done, 20_000));
const idleAfter = await idle(product);

const table = formatTable(['question', 'ms: median (range)', 'found, mean'], rows);
const body = `## Questions

\`npm run bench -- query\` on ${describeMachine()}

${formatNumber(stored)} spans of the made-up shop over ${HOURS} hours, ${(bytes / stored).toFixed(1)} bytes each on disk. Times are of the HTTP API, everything included; each turn asks for other values.

${table}

Idle as started on this data: ${idleBefore}. Idle after the questions: ${idleAfter}.`;
console.log(body);
if (values.save) await saveSection('query', body);
await product.stop(values.data !== undefined && existsSync(values.data));
