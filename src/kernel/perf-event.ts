/** Perf events as carriers of programs: samplers, tracepoints, uprobes. Layout: struct perf_event_attr, include/uapi/linux/perf_event.h. */
import { err, ok, type Result } from '../base/index.ts';
import { ATTACH_TYPES } from '../bpf/index.ts';
import { callBpf, closeDescriptor, controlDescriptor, openPerfEvent } from '../native/index.ts';
import { Command } from './commands.ts';
import { toKernelError, type KernelError } from './error.ts';

/** PERF_ATTR_SIZE_VER5, of Linux 4.1: all that is used is in it. */
const ATTRIBUTE_BYTES = 112;
const FLAG_DISABLED = 1;
const FLAG_INHERIT = 2;
const FLAG_FREQUENCY = 1 << 10;
const IOC_ENABLE = 0x2400;
const IOC_SET_BPF = 0x40042408;

export interface PerfEvent {
  /** For messages. */
  readonly name: string;
  readonly type: number;
  readonly config: number | bigint;
  /** Samples a second; or `period`, events a sample. */
  readonly frequency?: number;
  readonly period?: number;
  /** A text that `config1` points to, and `config2`: the file of uprobes, the function of kprobes. */
  readonly path?: string;
  readonly offset?: number | bigint;
  /** Children of the process count too; not for all events. */
  readonly inherit?: boolean;
  /** -1: every process. */
  readonly pid: number;
  /** -1: any. */
  readonly cpu: number;
}

type Attributes = Pick<Parameters<Parameters<typeof openPerfEvent>[2]>[0], 'setU32' | 'setU64' | 'pointToText'>;

/** Writes struct perf_event_attr. */
export function writeAttributes(event: PerfEvent, attributes: Attributes): void {
  attributes.setU32(0, event.type);
  attributes.setU32(4, ATTRIBUTE_BYTES);
  attributes.setU64(8, event.config);
  attributes.setU64(16, event.frequency ?? event.period ?? 0);
  attributes.setU64(40, FLAG_DISABLED | (event.inherit === true ? FLAG_INHERIT : 0) | (event.frequency === undefined ? 0 : FLAG_FREQUENCY));
  if (event.path !== undefined) attributes.pointToText(56, event.path);
  if (event.offset !== undefined) attributes.setU64(64, event.offset);
}

/** Opens an event, switched off; a file descriptor, the caller's. */
export function openDisabledEvent(event: PerfEvent): Result<number, KernelError> {
  const fd = openPerfEvent(event.name, ATTRIBUTE_BYTES, (attributes) => writeAttributes(event, attributes), event.pid, event.cpu);
  return fd.ok ? fd : err(toKernelError(fd.error));
}

/** Opens an event, puts the program on it and switches it on. The descriptors are the caller's, to be closed in this order. */
export function startPerfEvent(event: PerfEvent, programFd: number, cookie?: bigint): Result<readonly number[], KernelError> {
  const opened = openDisabledEvent(event);
  if (!opened.ok) return opened;
  const fd = opened.value;
  const link =
    cookie === undefined ? controlDescriptor('PERF_EVENT_IOC_SET_BPF', fd, IOC_SET_BPF, programFd) : linkPerfEvent(programFd, fd, cookie);
  const enabled = link.ok ? controlDescriptor('PERF_EVENT_IOC_ENABLE', fd, IOC_ENABLE, 0) : link;
  const fds = cookie !== undefined && link.ok ? [link.value, fd] : [fd];
  if (enabled.ok) return ok(fds);
  for (const open of fds) closeDescriptor(open);
  return err(toKernelError(enabled.error, event.name));
}

/** A link can carry a cookie (Linux 5.15); the ioctl cannot. */
function linkPerfEvent(programFd: number, fd: number, cookie: bigint) {
  return callBpf('LINK_CREATE perf_event', Command.LINK_CREATE, 24, (attributes) => {
    attributes.setU32(0, programFd);
    attributes.setU32(4, fd);
    attributes.setU32(8, ATTACH_TYPES.perfEvent);
    attributes.setU64(16, cookie);
  });
}
