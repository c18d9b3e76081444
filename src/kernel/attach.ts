/** Attaching programs. Every attachment ends with its file descriptors: nothing is pinned, so nothing outlives the process. */
import { readdirSync } from 'node:fs';
import { err, ok, type Result } from '../base/index.ts';
import { ATTACH_TYPES } from '../bpf/index.ts';
import { callBpf, closeDescriptor } from '../native/index.ts';
import { Command } from './commands.ts';
import { listCpus } from './cpus.ts';
import { kernelError, toKernelError, type KernelError } from './error.ts';
import { startPerfEvent, type PerfEvent } from './perf-event.ts';
import { findPmuType, findTracepointId, readText } from './tracefs.ts';

/** A program that runs on events until it is closed. */
export interface Attachment {
  /** `uprobe_multi`, `perf uprobe`, `cpu-clock`, … */
  readonly how: string;
  /** Resolves when the kernel has detached. Slow kinds wait off the main thread. May be called twice. */
  close(): Promise<void>;
}

/** A place in a file that is to be probed. */
export interface UprobePlace {
  /** Bytes from the file's start (not an address). */
  readonly offset: number | bigint;
  /** What the program gets from `get_attach_cookie`. */
  readonly cookie?: bigint;
  /** File offset of a USDT semaphore, which the kernel counts up while attached. */
  readonly semaphoreOffset?: number | bigint;
}

export interface UprobeOptions {
  /** A path that we can open: of a process in another mount namespace, through /proc/PID/root. */
  readonly path: string;
  readonly places: readonly UprobePlace[];
  /** `return`: when the function returns. `session`: at entry and return (Linux 6.13; the program's `attach` is `uprobeSession`). */
  readonly kind: 'entry' | 'return' | 'session';
  /** Only this process; every process when absent. */
  readonly pid?: number;
}

/** Type and config of struct perf_event_attr: PERF_TYPE_HARDWARE 0, which needs a PMU that many virtual machines lack; PERF_TYPE_SOFTWARE 1. */
const EVENTS = {
  'cpu-clock': [1, 0],
  'task-clock': [1, 1],
  'page-faults': [1, 2],
  'context-switches': [1, 3],
  'cpu-migrations': [1, 4],
  'minor-faults': [1, 5],
  'major-faults': [1, 6],
  cycles: [0, 0],
  instructions: [0, 1],
  'cache-references': [0, 2],
  'cache-misses': [0, 3],
  branches: [0, 4],
  'branch-misses': [0, 5],
} as const satisfies Readonly<Record<string, readonly [type: number, config: number]>>;

/** Events that samplers count. */
export type SampledEvent = keyof typeof EVENTS;

export interface SamplerOptions {
  readonly event: SampledEvent;
  /** Samples a second on each processor; or `period`: events a sample. */
  readonly frequency?: number;
  readonly period?: number;
  /** Only this process: its threads, and what they start later. Every process when absent. */
  readonly pid?: number;
}

export const NO_KPROBES = 'this kernel has no kprobes (CONFIG_KPROBE_EVENTS)';
const PERF_TYPE_TRACEPOINT = 2;
const UPROBE_MULTI_RETURN = 1;

function attachment(how: string, fds: readonly number[], closeFd: (fd: number) => Promise<void> | void): Attachment {
  let closing: Promise<void> | undefined;
  const closeAll = async () => {
    for (const fd of fds) await closeFd(fd);
  };
  return { how, close: () => (closing ??= closeAll()) };
}

/** Closes those that are quick to end. */
export function quickAttachment(how: string, fds: readonly number[]): Attachment {
  return attachment(how, fds, closeDescriptor);
}

/** One link for all places (Linux 6.6). `programFd` was loaded for `uprobeMulti`, or `uprobeSession`. */
export function attachUprobeMulti(programFd: number, options: UprobeOptions): Result<Attachment, KernelError> {
  const { path, places, kind, pid } = options;
  const isSession = kind === 'session';
  const link = callBpf(`LINK_CREATE uprobe_multi ${path}`, Command.LINK_CREATE, 64, (attributes) => {
    attributes.setU32(0, programFd);
    attributes.setU32(8, isSession ? ATTACH_TYPES.uprobeSession : ATTACH_TYPES.uprobeMulti);
    attributes.pointToText(16, path);
    attributes.pointToNumbers(
      24,
      places.map(({ offset }) => offset),
    );
    if (places.some(({ semaphoreOffset }) => semaphoreOffset !== undefined))
      attributes.pointToNumbers(
        32,
        places.map(({ semaphoreOffset }) => semaphoreOffset ?? 0),
      );
    if (places.some(({ cookie }) => cookie !== undefined))
      attributes.pointToNumbers(
        40,
        places.map(({ cookie }) => cookie ?? 0),
      );
    attributes.setU32(48, places.length);
    attributes.setU32(52, kind === 'return' ? UPROBE_MULTI_RETURN : 0);
    attributes.setU32(56, pid ?? 0);
  });
  if (!link.ok) return err(toKernelError(link.error));
  return ok(quickAttachment('uprobe_multi', [link.value]));
}

/**
 * One perf event for each place: for kernels before 6.6. Needs CAP_SYS_ADMIN. Detaching takes 0.1 s for each place on kernels from 6.13 on, so
 * `closeSlowly` is to close off the main thread.
 */
export function attachPerfUprobes(
  programFd: number,
  options: UprobeOptions,
  closeSlowly: (fd: number) => Promise<void>,
): Result<Attachment, KernelError> {
  const type = findPmuType('uprobe');
  if (type === undefined) return err(kernelError('unsupported', 'this kernel has no uprobes (CONFIG_UPROBE_EVENTS)'));
  if (options.kind === 'session') return err(kernelError('unsupported', 'a uprobe session needs uprobe_multi links'));
  const fds: number[] = [];
  for (const { offset, cookie, semaphoreOffset } of options.places) {
    const config = (options.kind === 'return' ? 1n : 0n) | (BigInt(semaphoreOffset ?? 0) << 32n);
    const pid = options.pid ?? -1;
    // With pid -1 a processor must be named; the probe fires on all of them nevertheless.
    const event: PerfEvent = {
      name: `uprobe ${options.path}+${offset}`,
      type,
      config,
      path: options.path,
      offset,
      pid,
      cpu: pid < 0 ? 0 : -1,
    };
    const started = startPerfEvent(event, programFd, cookie);
    if (!started.ok) {
      for (const fd of fds) void closeSlowly(fd);
      return started;
    }
    fds.push(...started.value);
  }
  return ok(attachment('perf uprobe', fds, closeSlowly));
}

/** A classic tracepoint, `sched:sched_switch`; programs of type `tracepoint`. Fires on all processors. */
export function attachTracepoint(programFd: number, category: string, name: string): Result<Attachment, KernelError> {
  const id = findTracepointId(category, name);
  if (!id.ok) return id;
  const event: PerfEvent = {
    name: `tracepoint ${category}:${name}`,
    type: PERF_TYPE_TRACEPOINT,
    config: id.value,
    period: 1,
    pid: -1,
    cpu: 0,
  };
  const started = startPerfEvent(event, programFd);
  return started.ok ? ok(quickAttachment('tracepoint', started.value)) : started;
}

/** A raw tracepoint by name, for programs of type `rawTracepoint`; or, without a name, what a `tracing` program was loaded for. */
export function attachRawTracepoint(programFd: number, name: string | undefined): Result<Attachment, KernelError> {
  const link = callBpf(`RAW_TRACEPOINT_OPEN ${name ?? ''}`, Command.RAW_TRACEPOINT_OPEN, 16, (attributes) => {
    if (name !== undefined) attributes.pointToText(0, name);
    attributes.setU32(8, programFd);
  });
  if (!link.ok) return err(toKernelError(link.error));
  return ok(quickAttachment(name === undefined ? 'tracing' : 'raw tracepoint', [link.value]));
}

/** The event of a breakpoint on a kernel function, which fires on all processors: as for uprobes, config1 is the name, and bit 0 asks for returns. */
export function kprobeEvent(type: number, name: string, isReturn: boolean): PerfEvent {
  return { name: `kprobe ${name}`, type, config: isReturn ? 1 : 0, path: name, offset: 0, pid: -1, cpu: 0 };
}

/** A kernel function by a breakpoint; programs of type `kprobe`. */
export function attachKprobe(programFd: number, name: string, isReturn: boolean): Result<Attachment, KernelError> {
  const type = findPmuType('kprobe');
  if (type === undefined) return err(kernelError('unsupported', NO_KPROBES));
  const started = startPerfEvent(kprobeEvent(type, name, isReturn), programFd);
  return started.ok ? ok(quickAttachment('perf kprobe', started.value)) : started;
}

/** Samples by time or by counted events, on every processor that is online, or following the threads of one process. */
export function attachSampler(programFd: number, options: SamplerOptions): Result<Attachment, KernelError> {
  const [type, config] = EVENTS[options.event];
  const rate = options.period === undefined ? { frequency: options.frequency ?? 99 } : { period: options.period };
  const { pid } = options;
  const targets =
    pid === undefined
      ? listCpus('online').map((cpu) => ({ pid: -1, cpu }))
      : listThreads(pid).map((tid) => ({ pid: tid, cpu: -1, inherit: true }));
  const fds: number[] = [];
  for (const target of targets) {
    const started = startPerfEvent({ name: options.event, type, config, ...rate, ...target }, programFd);
    if (started.ok) fds.push(...started.value);
    else if (pid === undefined || started.error.kind !== 'not-found' || findPid(pid) === undefined) {
      for (const fd of fds) closeDescriptor(fd);
      return explainMissingEvent(options.event, started.error);
    }
  }
  if (fds.length === 0) return err(kernelError('not-found', `process ${pid} is gone`));
  return ok(quickAttachment(options.event, fds));
}

function findPid(pid: number): string | undefined {
  return readText(`/proc/${pid}/stat`);
}

function listThreads(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return []; // gone
  }
}

function explainMissingEvent(event: SampledEvent, error: KernelError): Result<never, KernelError> {
  if (error.kind !== 'not-found' && error.kind !== 'unsupported') return err(error);
  return err({ ...error, kind: 'unsupported', message: `this machine has no counter for ${event} (${error.message}): use cpu-clock` });
}
