/** What the eBPF engine must know of this machine: the kernel's features, offsets in its structs. */
import { readFileSync, statSync } from 'node:fs';
import { BtfTypes } from '../btf/index.ts';
import { findMember, strip, type CType } from '../ctypes/index.ts';
import { openTracingFiles } from '../kernel/index.ts';
import type { KernelFeatures, KernelOffsets } from '../y/index.ts';
import { examineKernelFunctions } from './kernel-functions.ts';

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
      // Only programs that probe such functions ask, and pay for the trial.
      get kernelFunctions() {
        return examineKernelFunctions(helpers.has('BPF_FUNC_get_func_ret'));
      },
      hasSyscallTracepoint: (name) => openTracingFiles().read(`syscalls/sys_enter_${name}/id`) !== undefined,
      lastThreadTold: parametersOf(types, 'btf_trace_sched_process_exit') > PARAMETERS_BEFORE_LAST_THREAD,
    },
    offsets: {
      ...known('taskTgid', offset('task_struct', 'tgid')),
      ...known('taskPid', offset('task_struct', 'pid')),
      ...known('taskState', offset('task_struct', '__state') ?? offset('task_struct', 'state')),
      ...known('taskComm', offset('task_struct', 'comm')),
      ...known('taskCredentials', offset('task_struct', 'cred')),
      ...known('taskCgroups', offset('task_struct', 'cgroups')),
      ...known('credentialsUid', offset('cred', 'uid')),
      ...known('credentialsGid', offset('cred', 'gid')),
      ...known('cgroupSetDefault', offset('css_set', 'dfl_cgrp')),
      ...known('cgroupNode', offset('cgroup', 'kn')),
      ...known('nodeId', offset('kernfs_node', 'id')),
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

/** The data pointer and the task: Linux 6.16 added whether the thread is the last. */
const PARAMETERS_BEFORE_LAST_THREAD = 2;

/** Parameters of the function that a type of this name points to; 0 when there is none. */
function parametersOf(types: BtfTypes | undefined, name: string): number {
  const type = types?.findType(name, 'typedef');
  const pointer = type && strip(type);
  const target = pointer?.kind === 'pointer' ? strip(pointer.target) : undefined;
  return target?.kind === 'function' ? target.parameters.length : 0;
}

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
