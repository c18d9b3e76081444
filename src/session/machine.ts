/** What the eBPF engine must know of this machine: the kernel's features, offsets in its structs. */
import { readFileSync, statSync } from 'node:fs';
import { BtfTypes } from '../btf/index.ts';
import { findMember, strip, type CType } from '../ctypes/index.ts';
import type { KernelFeatures, KernelOffsets } from '../y/index.ts';

export interface Machine {
  readonly features: KernelFeatures;
  readonly offsets: KernelOffsets;
  /** Of our own pid namespace. */
  readonly pidNamespace: { readonly device: bigint; readonly inode: bigint } | undefined;
  /** bpf_task_pt_regs (5.15). */
  readonly taskRegisters: 'helper' | { readonly stackOffset: number; readonly stackBytes: number };
}

const KERNEL_STACK_BYTES = 16_384;

/** Reads the kernel's own types; without them (before 5.4, or built without BTF) only the oldest features count as there. */
export function examineMachine(btfPath = '/sys/kernel/btf/vmlinux'): Machine {
  const types = loadTypes(btfPath);
  const helpers = namesOf(types?.findType('bpf_func_id', 'enum'));
  const attachTypes = namesOf(types?.findType('bpf_attach_type', 'enum'));
  const offset = (type: string, ...path: string[]): number | undefined => types && offsetOf(types.findType(type, 'struct'), path);
  const known = (name: keyof KernelOffsets, value: number | undefined): KernelOffsets => (value === undefined ? {} : { [name]: value });
  const isX86 = process.arch === 'x64';
  const stackOffset = offset('task_struct', 'stack');
  return {
    features: {
      loop: helpers.has('BPF_FUNC_loop'),
      forEachElement: helpers.has('BPF_FUNC_for_each_map_elem'),
      uprobeMulti: attachTypes.has('BPF_TRACE_UPROBE_MULTI'),
      cookies: helpers.has('BPF_FUNC_get_attach_cookie'),
    },
    offsets: {
      ...known('taskTgid', offset('task_struct', 'tgid')),
      ...known('taskPid', offset('task_struct', 'pid')),
      ...known('taskRealParent', offset('task_struct', 'real_parent')),
      ...known('taskSignal', offset('task_struct', 'signal')),
      ...known('signalLive', offset('signal_struct', 'live')),
      ...known('signalProcessGroup', addTo(offset('signal_struct', 'pids'), 8 * PIDTYPE_PGID)),
      ...known('pidNumber', offset('pid', 'numbers')),
      ...known('taskThreadPointer', isX86 ? offset('task_struct', 'thread', 'fsbase') : offset('task_struct', 'thread', 'uw', 'tp_value')),
    },
    pidNamespace: findPidNamespace(),
    taskRegisters:
      helpers.has('BPF_FUNC_task_pt_regs') || stackOffset === undefined ? 'helper' : { stackOffset, stackBytes: KERNEL_STACK_BYTES },
  };
}

/** enum pid_type (include/linux/pid_types.h): PID, TGID, PGID. */
const PIDTYPE_PGID = 2;

function namesOf(type: CType | undefined): ReadonlySet<string> {
  return new Set(type?.kind === 'enum' ? [...type.enumerators].map(({ name }) => name) : []);
}

function addTo(offset: number | undefined, more: number): number | undefined {
  return offset === undefined ? undefined : offset + more;
}

function offsetOf(type: CType | undefined, path: readonly string[]): number | undefined {
  let offset = 0;
  let current = type && strip(type);
  for (const name of path) {
    const found = current?.kind === 'record' ? findMember(current, name) : undefined;
    if (found === undefined) return undefined;
    offset += found.offset;
    current = strip(found.member.type);
  }
  return offset;
}

function loadTypes(path: string): BtfTypes | undefined {
  try {
    const types = BtfTypes.open(readFileSync(path));
    return types.ok ? types.value : undefined;
  } catch {
    return undefined;
  }
}

function findPidNamespace(): Machine['pidNamespace'] {
  try {
    const { dev, ino } = statSync('/proc/self/ns/pid', { bigint: true });
    return { device: dev, inode: ino };
  } catch {
    return undefined;
  }
}
