/**
 * What works here, found out by doing: each probe loads, opens or reads the smallest thing of its kind and lets go of it. Versions and settings
 * only explain what failed.
 */
import { readdirSync } from 'node:fs';
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { err, ok, type Result } from '../base/index.ts';
import { kprobeEvent, NO_KPROBES } from './attach.ts';
import { Assembler, type MapSpec, type ProgramSpec } from '../bpf/index.ts';
import { closeDescriptor, readProcessMemory } from '../native/index.ts';
import { toKernelError, kernelError, type KernelError } from './error.ts';
import { KernelMap } from './kernel-map.ts';
import { KernelObject } from './kernel-object.ts';
import { loadKernelTypes } from './kernel-types.ts';
import { openDisabledEvent } from './perf-event.ts';
import { readPrivileges, type Capability, type Privileges } from './privileges.ts';
import { findPmuType, findTracepointId, readText } from './tracefs.ts';
import { hasUprobeLink } from './uprobe-multi.ts';

export type FeatureName =
  | 'maps'
  | 'ring buffers'
  | 'tracing programs'
  | 'loops in programs'
  | 'uprobes'
  | 'uprobe sessions'
  | 'uprobes, one by one'
  | 'sampling'
  | 'hardware counters'
  | 'tracepoints'
  | 'raw tracepoints'
  | 'typed tracepoints'
  | 'kernel function hooks'
  | 'kernel function probes'
  | 'iterators'
  | 'process memory'
  | 'kernel types'
  | 'kernel symbols';

export interface Feature {
  readonly name: FeatureName;
  readonly works: boolean;
  /** Why not; or, when it works, what was done. */
  readonly why: string;
  /** What to do; undefined when it works, or nothing can be done here. */
  readonly wayOut: string | undefined;
  /** Without it, the product cannot look into programs; else something else takes its place. */
  readonly essential: boolean;
}

interface Probe {
  readonly name: FeatureName;
  readonly essential?: true;
  /** Rights without which it cannot work. */
  readonly needs: readonly Capability[];
  readonly run: () => Result<string, KernelError>;
  /** What takes its place, or how the kernel gets it. */
  readonly instead: string;
}

/** Tries everything once; some tens of milliseconds. */
export function probeFeatures(): Feature[] {
  const privileges = readPrivileges();
  return PROBES.map(({ name, essential, needs, run, instead }) => {
    const result = run();
    const common = { name, essential: essential === true };
    if (result.ok) return { ...common, works: true, why: result.value, wayOut: undefined };
    const { why, wayOut } = explain(result.error, needs, privileges, instead);
    return { ...common, works: false, why, wayOut };
  });
}

const MAX_PROCESSES = 100;

const YES = (assembler = new Assembler()) => assembler.moveImm(0, 0).exit().assemble();

const PROBES: readonly Probe[] = [
  {
    name: 'maps',
    essential: true,
    needs: ['BPF'],
    run: () => tryMap({ type: 'hash', keyBytes: 4, valueBytes: 8, maxEntries: 1 }),
    instead: 'a kernel with CONFIG_BPF_SYSCALL',
  },
  {
    name: 'ring buffers',
    essential: true,
    needs: ['BPF'],
    run: () => tryMap({ type: 'ringBuffer', keyBytes: 0, valueBytes: 0, maxEntries: 65_536 }),
    instead: 'Linux 5.8 or later',
  },
  {
    name: 'tracing programs',
    essential: true,
    needs: ['BPF', 'PERFMON'],
    run: () => tryProgram({ name: 'probe', type: 'kprobe', ...YES() }),
    instead: 'a kernel with CONFIG_BPF_EVENTS',
  },
  { name: 'loops in programs', needs: ['BPF', 'PERFMON'], run: tryLoop, instead: 'Linux 5.17 or later; bounded loops take its place' },
  {
    name: 'uprobes',
    needs: ['BPF', 'PERFMON'],
    run: () => tryUprobeLink('uprobeMulti'),
    instead: 'Linux 6.6 or later; uprobes one by one take their place',
  },
  {
    name: 'uprobe sessions',
    needs: ['BPF', 'PERFMON'],
    run: () => tryUprobeLink('uprobeSession'),
    instead: 'Linux 6.13 or later; two probes take its place',
  },
  { name: 'uprobes, one by one', needs: ['SYS_ADMIN'], run: tryPerfUprobe, instead: 'a kernel with CONFIG_UPROBE_EVENTS' },
  {
    name: 'sampling',
    essential: true,
    needs: ['PERFMON'],
    run: () => tryEvent('cpu-clock', 1, 0),
    instead: 'a kernel with CONFIG_PERF_EVENTS',
  },
  {
    name: 'hardware counters',
    needs: ['PERFMON'],
    run: () => tryEvent('cycles', 0, 0),
    instead: 'nothing in a virtual machine without a PMU; the processor clock is sampled',
  },
  {
    name: 'tracepoints',
    needs: ['PERFMON'],
    run: tryTracepoint,
    instead: 'mount -t tracefs nodev /sys/kernel/tracing; raw and typed tracepoints need none',
  },
  { name: 'raw tracepoints', needs: ['BPF', 'PERFMON'], run: tryRawTracepoint, instead: 'Linux 4.17 or later' },
  {
    name: 'typed tracepoints',
    needs: ['BPF', 'PERFMON'],
    run: () => tryTracing('traceRawTracepoint', 'sched_switch', 'attached to sched_switch'),
    instead: 'Linux 5.5 or later with CONFIG_DEBUG_INFO_BTF; raw tracepoints take their place',
  },
  {
    name: 'kernel function hooks',
    needs: ['BPF', 'PERFMON'],
    run: tryHook,
    instead: 'nothing, where the kernel is locked down; kernel function probes take their place',
  },
  {
    name: 'kernel function probes',
    needs: ['BPF', 'PERFMON'],
    run: tryKprobe,
    instead: 'a kernel with CONFIG_KPROBE_EVENTS; tracepoints take their place',
  },
  {
    name: 'iterators',
    needs: ['BPF', 'PERFMON'],
    run: tryIterator,
    instead: 'Linux 5.8 or later with CONFIG_DEBUG_INFO_BTF; /proc takes their place',
  },
  {
    name: 'process memory',
    essential: true,
    needs: ['SYS_PTRACE'],
    run: tryProcessMemory,
    instead: 'a kernel with CONFIG_CROSS_MEMORY_ATTACH',
  },
  { name: 'kernel types', needs: [], run: tryTypes, instead: 'a kernel with CONFIG_DEBUG_INFO_BTF' },
  {
    name: 'kernel symbols',
    needs: [],
    run: trySymbols,
    instead: 'run as root with sysctl kernel.kptr_restrict=1 or 0; kernel frames have no names meanwhile',
  },
];

function tryMap(shape: Omit<MapSpec, 'name' | 'entries'>): Result<string, KernelError> {
  const map = KernelMap.create('probe', shape);
  if (!map.ok) return map;
  map.value.close();
  return ok('one was made');
}

function withObject(spec: ProgramSpec, attempt: (object: KernelObject) => Result<string, KernelError>): Result<string, KernelError> {
  const object = KernelObject.load({ maps: [], programs: [spec] }, { uprobes: 'multi' });
  if (!object.ok) return object;
  const result = attempt(object.value);
  void object.value.close(); // none of these is slow to end
  return result;
}

function tryProgram(spec: ProgramSpec): Result<string, KernelError> {
  return withObject(spec, () => ok('one was loaded'));
}

function tryLoop(): Result<string, KernelError> {
  const assembler = new Assembler()
    .function('main', [{ name: 'context', type: 'pointer' }])
    .moveImm(1, 1)
    .loadFunction(2, 'body')
    .moveImm(3, 0)
    .moveImm(4, 0)
    .call('loop');
  assembler
    .moveImm(0, 0)
    .exit()
    .function('body', [
      { name: 'index', type: 'u32' },
      { name: 'context', type: 'pointer' },
    ]);
  return tryProgram({ name: 'probe', type: 'kprobe', ...YES(assembler) });
}

function tryUprobeLink(attach: 'uprobeMulti' | 'uprobeSession'): Result<string, KernelError> {
  // What fails for want of a right must not read as a kernel that is too old.
  const allowed = tryProgram({ name: 'probe', type: 'kprobe', ...YES() });
  if (!allowed.ok) return allowed;
  return hasUprobeLink(attach) ? ok('the kernel knows the link') : err(kernelError('unsupported', 'the kernel does not know the link'));
}

function tryPerfUprobe(): Result<string, KernelError> {
  const type = findPmuType('uprobe');
  if (type === undefined) return err(kernelError('unsupported', 'there is no source of uprobe events'));
  // No process executes this file, so no process gets a breakpoint.
  return tryEvent('uprobe', type, 0, { path: fileURLToPath(import.meta.url), offset: 0, pid: 0, cpu: -1 });
}

function tryEvent(
  name: string,
  type: number,
  config: number,
  more: { path?: string; offset?: number; pid?: number; cpu?: number } = {},
): Result<string, KernelError> {
  const fd = openDisabledEvent({ name, type, config, pid: -1, cpu: 0, ...more });
  if (!fd.ok) return fd;
  closeDescriptor(fd.value);
  return ok('one event was opened');
}

function tryTracepoint(): Result<string, KernelError> {
  const id = findTracepointId('sched', 'sched_switch');
  return id.ok ? tryEvent('tracepoint', 2, id.value) : id;
}

function tryRawTracepoint(): Result<string, KernelError> {
  return withObject({ name: 'probe', type: 'rawTracepoint', ...YES() }, (object) => {
    const attached = object.attachRawTracepoint('probe', 'sched_switch');
    return attached.ok ? ok('attached to sched_switch') : attached;
  });
}

function tryTracing(attach: 'traceRawTracepoint' | 'traceEntry', attachTo: string, done: string): Result<string, KernelError> {
  return withObject({ name: 'probe', type: 'tracing', attach, attachTo, ...YES() }, (object) => {
    const attached = object.attachTracing('probe');
    return attached.ok ? ok(done) : attached;
  });
}

function tryHook(): Result<string, KernelError> {
  return tryTracing('traceEntry', 'vfs_read', 'attached to vfs_read');
}

function tryKprobe(): Result<string, KernelError> {
  const type = findPmuType('kprobe');
  if (type === undefined) return err(kernelError('unsupported', NO_KPROBES));
  const fd = openDisabledEvent(kprobeEvent(type, 'vfs_read', false));
  if (!fd.ok) return fd;
  closeDescriptor(fd.value);
  return ok('one event was opened');
}

/** How functions of the kernel can be probed here, found out by doing; or why they cannot. Some tens of milliseconds. */
export function findKernelFunctionWay(ways: 'any' | 'kprobe'): Result<'hook' | 'kprobe', KernelError> {
  const hook = ways === 'any' ? tryHook() : err(kernelError('unsupported', 'hooks do not tell results before Linux 5.17'));
  if (hook.ok) return ok('hook');
  const kprobe = tryKprobe();
  if (kprobe.ok) return ok('kprobe');
  const reason = hook.error.message.replace(/^program \w+: /, '').replace(/; use tracepoints.*$/, '');
  return err({ ...kprobe.error, message: `${kprobe.error.message}; ${reason}` });
}

function tryIterator(): Result<string, KernelError> {
  return withObject({ name: 'probe', type: 'tracing', attach: 'traceIterator', attachTo: 'task', ...YES() }, (object) => {
    const bytes = object.iterate('probe');
    return bytes.ok ? ok('visited all tasks') : bytes;
  });
}

/**
 * How many processes may be read: the right is checked before the address, so an address that is never mapped will do. Those of other users
 * count; where there are none, all others.
 */
function tryProcessMemory(): Result<string, KernelError> {
  const others = listProcesses().filter(({ pid }) => pid !== process.pid);
  const foreign = others.filter(({ uid }) => uid !== process.getuid?.());
  const asked = (foreign.length > 0 ? foreign : others).slice(0, MAX_PROCESSES);
  let readable = 0;
  let refusal: KernelError | undefined;
  for (const { pid } of asked) {
    const result = readProcessMemory(pid, [{ address: 0n, length: 1 }], new Uint8Array(1));
    if (result.ok) readable++;
    else if (toKernelError(result.error).kind === 'forbidden') refusal ??= toKernelError(result.error);
  }
  const whose = foreign.length > 0 ? 'processes of other users' : 'other processes';
  return readable === 0 && refusal !== undefined ? err(refusal) : ok(`${readable} of ${asked.length} ${whose} may be read`);
}

/** Processes with memory of their own: kernel threads have no mappings, and no command line. */
function listProcesses(): { readonly pid: number; readonly uid: number }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && (readText(`/proc/${name}/cmdline`) ?? '') !== '')
    .map((name) => ({ pid: Number(name), uid: Number(/^Uid:\s+(\d+)/m.exec(readText(`/proc/${name}/status`) ?? '')?.[1] ?? -1) }));
}

function tryTypes(): Result<string, KernelError> {
  const types = loadKernelTypes();
  return types.ok ? ok('/sys/kernel/btf/vmlinux is read') : types;
}

function trySymbols(): Result<string, KernelError> {
  const first = (readText('/proc/kallsyms') ?? '').slice(0, 4096);
  if (first === '') return err(kernelError('unsupported', '/proc/kallsyms cannot be read'));
  if (/^0*[1-9a-f][0-9a-f]* /m.test(first)) return ok('/proc/kallsyms shows addresses');
  return err({ kind: 'forbidden', message: '/proc/kallsyms shows zeros', errno: 0 });
}

/** The cause of a refusal, from the outermost on: filter, namespace, capability, policy, kernel. */
function explain(
  error: KernelError,
  needs: readonly Capability[],
  privileges: Privileges,
  instead: string,
): { readonly why: string; readonly wayOut: string } {
  const why = error.message.replace(/; `fluoro doctor`.*$/, '');
  const call = why.includes('perf_event_open') ? 'perf_event_open' : 'bpf';
  const blocked = needs.length === 0 ? undefined : privileges.blockedCalls.find((candidate) => candidate.call === call);
  if (error.kind !== 'forbidden' || needs.length === 0) return { why, wayOut: instead };
  if (blocked !== undefined && /bpf|perf_event_open/.test(why))
    return blocked.reason === 'absent'
      ? { why: `${why}: the kernel was built without ${call}`, wayOut: 'another kernel' }
      : {
          why: `${why}: a filter of system calls (seccomp) refuses ${call}`,
          wayOut: `let the container's seccomp profile allow bpf and perf_event_open`,
        };
  if (privileges.inUserNamespace)
    return { why: `${why}: in a user namespace, capabilities do not count`, wayOut: 'run outside of it: not in a rootless container' };
  const missing = needs.filter((need) => !privileges.capabilities.has(need));
  if (missing.length > 0) {
    const names = missing.map((name) => `CAP_${name}`).join(' and ');
    return {
      why: `${why.replace(/: this kernel's policy.*$/, ': EPERM')}: ${names} ${missing.length > 1 ? 'are' : 'is'} missing`,
      wayOut: `run as root, or with ${names} (docs/guide/privileges.md)`,
    };
  }
  if (isBefore(5, 11) && /bpf MAP_CREATE|bpf PROG_LOAD|bpf BTF_LOAD/.test(why))
    return { why: `${why}: before Linux 5.11, maps and programs count as locked memory`, wayOut: 'ulimit -l unlimited' };
  return { why, wayOut: instead };
}

function isBefore(major: number, minor: number): boolean {
  const [ours = 0, second = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  return ours < major || (ours === major && second < minor);
}
