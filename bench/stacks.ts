// How many samples have the whole stack, of stock programs under load: npm run bench -- stacks

import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { describeMachine, formatNumber, formatTable, saveSection } from './harness/index.ts';
import { LOADS, type RunningLoad } from './stacks/loads.ts';
import { bpftraceStacks, perfStacks } from './stacks/others.ts';
import { sampleStacks, type StackCounts } from './stacks/sampler.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '4' },
    hz: { type: 'string', default: '199' },
    'ours-only': { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
  },
});

const HZ = Number(values.hz);
const options = { hz: HZ, milliseconds: Number(values.seconds) * 1000 };
const wanted = values.only === '' ? undefined : new Set(values.only.split(','));

interface Row {
  readonly name: string;
  readonly ours: StackCounts;
  readonly perf: StackCounts | undefined;
  readonly bpftrace: StackCounts | undefined;
}

async function measureLoad(name: string, load: RunningLoad): Promise<Row> {
  const ours = await sampleStacks(load.pid, options);
  if (values['ours-only']) return { name, ours, perf: undefined, bpftrace: undefined };
  return { name, ours, perf: perfStacks(load.pid, options), bpftrace: await bpftraceStacks(load.pid, options) };
}

function formatShare(counts: StackCounts | undefined): string {
  return counts === undefined || counts.samples === 0 ? '-' : `${((100 * counts.complete) / counts.samples).toFixed(1)} %`;
}

function formatDepth(counts: StackCounts | undefined): string {
  return counts === undefined || counts.samples === 0 ? '-' : formatNumber(counts.frames / counts.samples);
}

function formatOthers({ others }: StackCounts): string {
  return [...others]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, 6)
    .map(([reason, times]) => `${times} × ${reason}`)
    .join(', ');
}

const loadBefore = loadavg()[0]!;
const rows: Row[] = [];
const missing: string[] = [];
for (const { name, start } of LOADS) {
  if (wanted !== undefined && !wanted.has(name)) continue;
  const load = await start();
  if (load === undefined) {
    missing.push(name);
    continue;
  }
  try {
    const row = await measureLoad(name, load);
    rows.push(row);
    console.error(`${name}: ${formatShare(row.ours)} of ${row.ours.samples}, ${formatDepth(row.ours)} deep; ${formatOthers(row.ours)}`);
    for (const other of [row.perf, row.bpftrace])
      if (other !== undefined) console.error(`    ${formatShare(other)} of ${other.samples}; ${formatOthers(other)}`);
  } finally {
    await load.stop();
  }
}

const table = formatTable(
  [
    'program',
    'complete',
    'samples',
    'mean depth',
    'perf, DWARF',
    'mean depth',
    'bpftrace, frame pointers',
    'mean depth',
    'ours: what the others are',
  ],
  rows.map(({ name, ours, perf, bpftrace }) => [
    name,
    formatShare(ours),
    String(ours.samples),
    formatDepth(ours),
    formatShare(perf),
    formatDepth(perf),
    formatShare(bpftrace),
    formatDepth(bpftrace),
    formatOthers(ours),
  ]),
);
const intro = `\`npm run bench -- stacks\` on ${describeMachine()}; load average at the start ${loadBefore.toFixed(1)}, the loads' own work not counted.

Each program works for ${values.seconds} s under each of three samplers at ${HZ} Hz, one after the other. A stack is complete when its outermost frame is a thread's first function
(\`_start\`, \`clone\`, \`runtime.goexit\` and the like), judged by its name, alike for all three. perf copies 8 KiB of stack a sample (its default). Depth counts user frames; perf's also those of the kernel.`;
const body = `## Complete stacks\n\n${intro}\n\n${table}${missing.length === 0 ? '' : `\n\nNot on this machine: ${missing.join(', ')}.`}`;
console.log(body);
if (values.save) await saveSection('stacks', body);
