// Attaches a uprobe and a sampler, says so, and waits to be killed: hold-probes.mjs PATH OFFSET PID
import { Assembler } from '../../../dist/bpf/index.js';
import { KernelObject } from '../../../dist/kernel/index.js';

const [path, offset, pid] = process.argv.slice(2);
const code = new Assembler().moveImm(0, 0).exit().assemble();
const loaded = KernelObject.load({
  maps: [],
  programs: [
    { name: 'probe', type: 'kprobe', attach: 'uprobeMulti', ...code },
    { name: 'old_probe', type: 'kprobe', ...code },
    { name: 'tick', type: 'perfEvent', ...code },
    { name: 'switch', type: 'rawTracepoint', ...code },
  ],
});
if (!loaded.ok) throw new Error(loaded.error.message);
const options = { path, places: [{ offset: Number(offset) }], kind: 'entry', pid: Number(pid) };
for (const attached of [
  loaded.value.attachUprobes('probe', options),
  loaded.value.attachUprobes('old_probe', options),
  loaded.value.attachSampler('tick', { event: 'cpu-clock', frequency: 99 }),
  loaded.value.attachRawTracepoint('switch', 'sched_switch'),
])
  if (!attached.ok) throw new Error(attached.error.message);
process.stdout.write('ready\n');
setInterval(() => {}, 1000);
