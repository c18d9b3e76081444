// What a probe costs a hit and how soon it is there, against bpftrace; what sampling costs: npm run bench -- y-cost

import { spawn } from 'node:child_process';
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  describeMachine,
  formatMegabytes,
  formatNumber,
  formatSummary,
  formatTable,
  quantile,
  saveSection,
  summarize,
} from './harness/index.ts';
import { measurePrograms } from './y-cost/program-times.ts';
import { Target } from './y-cost/target.ts';
import { ACTIONS, startTracer, watchTracer, type Action, type RunningTracer, type Tracer } from './y-cost/tracers.ts';

const { values } = parseArgs({
  options: {
    repeat: { type: 'string', default: '7' },
    calls: { type: 'string', default: '20000' },
    only: { type: 'string', default: '' },
    /** The command line's program. */
    program: { type: 'string', default: 'dist/cli/main.js' },
    save: { type: 'boolean', default: false },
  },
});

const TRACERS: readonly Tracer[] = ['fluoro', 'bpftrace'];
const REPEAT = Number(values.repeat);
const CALLS = Number(values.calls);
/** Batches of calls in one run; the fastest counts, since whatever else runs can only make it slower. */
const BATCHES = 5;
const SAMPLER_SECONDS = 20;
const SAMPLER = '_percpu long n[_bt]; _probe _profile.hz(99) { n[_ubt()]++; }';

interface Costs {
  readonly nsPerHit: number[];
  readonly programNs: number[];
  readonly armedMs: number[];
}

async function fastest(target: Target, calls: number): Promise<number> {
  const times: number[] = [];
  for (let batch = 0; batch < BATCHES; batch++) times.push(await target.callTimes(calls));
  return Math.min(...times);
}

/** One run: cost a hit and the time to arm. Checks that no hit was lost. */
async function runOnce(target: Target, tracer: Tracer, action: Action, costs: Costs): Promise<void> {
  const plain = await fastest(target, CALLS);
  const running: RunningTracer = await startTracer(tracer, action, target, values.program);
  // The other programs of the session, if any, are attached now too; and what must settle, settles.
  await sleep(300);
  const probed = await fastest(target, CALLS);
  const programs = await measurePrograms(running.pid, () => target.callTimes(CALLS));
  const text = await running.stop();
  const hits = [...text.matchAll(/^\d+$/gm)].reduce((sum, [number]) => sum + Number(number), 0);
  if (tracer === 'fluoro' && hits !== (BATCHES + 1) * CALLS)
    throw new Error(`${action.name}: ${hits} hits of ${(BATCHES + 1) * CALLS}; it printed ${text.slice(0, 300)}`);
  costs.nsPerHit.push(probed - plain);
  costs.programNs.push(programs.ns / programs.runs);
  costs.armedMs.push(running.armedMs);
}

async function compareAction(target: Target, action: Action): Promise<Record<Tracer, Costs>> {
  const costs: Record<Tracer, Costs> = {
    fluoro: { nsPerHit: [], programNs: [], armedMs: [] },
    bpftrace: { nsPerHit: [], programNs: [], armedMs: [] },
  };
  for (let round = 0; round < REPEAT; round++) for (const tracer of TRACERS) await runOnce(target, tracer, action, costs[tracer]);
  return costs;
}

function formatRatio(ours: readonly number[], theirs: readonly number[]): string {
  return formatNumber(
    quantile(
      ours.map((value, index) => value / theirs[index]!),
      0.5,
    ),
  );
}

const loadBefore = loadavg()[0]!;
const costRows: string[][] = [];
const armed: Record<Tracer, number[]> = { fluoro: [], bpftrace: [] };
const target = await Target.start();
let plain: number;
try {
  plain = await fastest(target, CALLS);
  for (const action of ACTIONS) {
    if (values.only !== '' && !action.name.includes(values.only)) continue;
    const { fluoro, bpftrace } = await compareAction(target, action);
    const row = [
      action.name,
      ...[fluoro, bpftrace].map((costs) => formatSummary(summarize(costs.nsPerHit))),
      formatRatio(fluoro.nsPerHit, bpftrace.nsPerHit),
      ...[fluoro, bpftrace].map((costs) => formatSummary(summarize(costs.programNs))),
      formatRatio(fluoro.programNs, bpftrace.programNs),
    ];
    costRows.push(row);
    console.error(row.join(' | '));
    armed.fluoro.push(...fluoro.armedMs);
    armed.bpftrace.push(...bpftrace.armedMs);
  }
} finally {
  target.stop();
}

/** The sampler at 99 Hz on all processors, of a busy machine: a bash and a perl that loop. */
async function measureSampler(): Promise<string> {
  const loads = [
    spawn('perl', ['-e', 'sub f { my $n = shift; $n ? f($n - 1) : join(",", map { $_ * 2 } 1..500) } f(10) while 1'], { stdio: 'ignore' }),
    spawn('bash', ['-c', 'f() { for ((i = 0; i < 1000; i++)); do x=$((x + i)); done; }; while :; do f; done'], { stdio: 'ignore' }),
  ];
  const ours = spawn(
    process.execPath,
    [values.program, 'run', '--max-overhead', '100%', '-e', SAMPLER, '--timeout', String(SAMPLER_SECONDS + 60)],
    { stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => ours.once('close', resolve));
  try {
    await sleep(8000); // past the reading of all files
    const pid = ours.pid!;
    let usage = { cpuMs: 0, peakMemory: 0 };
    const programs = await measurePrograms(pid, async () => {
      usage = await watchTracer(pid, sleep(SAMPLER_SECONDS * 1000));
    });
    const share = (milliseconds: number): string => `${formatNumber(milliseconds / (SAMPLER_SECONDS * 10))} %`;
    return `Sampling at 99 Hz on all processors, user stacks of the whole busy host by our unwinder, ${SAMPLER_SECONDS} s: ${share(programs.ns / 1e6)} of one core in the kernel program, ${share(usage.cpuMs)} in the process that reads; its peak memory ${formatMegabytes(usage.peakMemory)}.`;
  } finally {
    ours.kill('SIGINT');
    await ended;
    for (const load of loads) load.kill('SIGKILL');
  }
}

const sampler = values.only === '' || values.only === 'sampler' ? await measureSampler() : '';
const costTable = formatTable(
  [
    'at each hit',
    'ours, ns a hit: median (range)',
    'bpftrace',
    'ours / bpftrace',
    'ours, ns in the program',
    'bpftrace',
    'ours / bpftrace',
  ],
  costRows,
);
const intro = `\`npm run bench -- y-cost\` on ${describeMachine()}; load average at the start ${loadBefore.toFixed(1)}.

A C program calls a function ${CALLS.toLocaleString('en-US')} times in a loop, ${BATCHES} times over; the fastest counts, less the same without a probe (${formatNumber(plain)} ns a call). Both probe the same instruction. ${REPEAT} runs of each, one of ours and one of bpftrace's in turn; ratios are medians of pairs.
Time in the program is the kernel's own statistics (\`bpf_stats_enabled\`), of another such loop; the rest of a hit is the kernel's breakpoint, alike for both.`;
const arming =
  armed.fluoro.length === 0
    ? ''
    : `From the start of the process to the probe in the target's code, all runs above: ours ${formatSummary(summarize(armed.fluoro))} ms, bpftrace ${formatSummary(summarize(armed.bpftrace))} ms.`;
const body = `## What a probe costs\n\n${intro}\n\n${costTable}\n\n${arming}\n\n${sampler}`;
console.log(body);
if (values.save) await saveSection('y-cost', body);
