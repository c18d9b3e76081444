/** What the engine must know of the machine, and how much a session may take of it. */
import type { Assembler, MapSpec, ProgramType } from '../../../bpf/index.ts';

export interface EbpfOptions {
  readonly architecture: 'x86-64' | 'aarch64';
  /** Possible CPUs (/sys/devices/system/cpu/possible), not only those online. */
  readonly cpus: number;
  readonly filter: TargetFilter;
  readonly features: KernelFeatures;
  readonly limits: EbpfLimits;
  /** Offsets in the kernel's structs, by BTF; what is missing makes the built-ins that need it a diagnostic. */
  readonly kernel: KernelOffsets;
  /** Of the namespace that `_nspid` answers for: device and inode of /proc/PID/ns/pid. */
  readonly pidNamespace: { readonly device: bigint; readonly inode: bigint } | undefined;
  /** What is measured of each probe; `time` costs two clock readings a hit. */
  readonly measure: 'nothing' | 'hits' | 'time';
  /** Takes user stacks in place of the kernel's frame-pointer walker. */
  readonly stacks: StackEmitter | undefined;
}

/**
 * `pid`: processes whose id is in the map `targets`, which the session fills and forks extend (`follow`). `cgroup`: those below the cgroups in
 * the map `cgroups`. `all`: every process.
 */
export type TargetFilter = { readonly kind: 'pid'; readonly follow: boolean } | { readonly kind: 'cgroup' } | { readonly kind: 'all' };

export interface KernelFeatures {
  /** bpf_loop (5.17). Without it a loop ends after `limits.smallLoopBudget` rounds. */
  readonly loop: boolean;
  /** bpf_for_each_map_elem (5.13). */
  readonly forEachElement: boolean;
  /** Links of uprobe_multi (6.6): programs are loaded for them. */
  readonly uprobeMulti: boolean;
  /** bpf_get_attach_cookie (5.15). */
  readonly cookies: boolean;
  /** How functions of the kernel are probed: by BTF (fentry and fexit, with bpf_get_func_ret: 5.17), by breakpoints, or why not. */
  readonly kernelFunctions: 'hook' | 'kprobe' | NoKernelFunctions;
  /** The tracepoint sched_process_exit says whether the thread is its process's last (6.16). */
  readonly lastThreadTold: boolean;
  /** Whether a system call has a tracepoint of its own that can be used; then other calls cost nothing. None when absent. */
  hasSyscallTracepoint?(name: string): boolean;
}

interface NoKernelFunctions {
  readonly why: string;
  /** What can be used in place of a function. */
  wayOut(name: string): string;
}

export interface EbpfLimits {
  /** Rounds of loops of one hit, in all; at most 8,388,608. */
  readonly loopBudget: number;
  /** The same without bpf_loop, where the verifier walks through every round; of n nested loops, each takes its n-th root. */
  readonly smallLoopBudget: number;
  /** Bytes of the ring of events: a power of two, at least a page. */
  readonly ringBytes: number;
  /** Different backtraces. */
  readonly stacks: number;
  /** Threads that have `_thread` variables at one time. */
  readonly threads: number;
  /** Processes or cgroups in the target. */
  readonly targets: number;
}

export const DEFAULT_LIMITS: EbpfLimits = {
  loopBudget: 100_000,
  smallLoopBudget: 64,
  ringBytes: 16 << 20,
  stacks: 16_384,
  threads: 65_536,
  targets: 4096,
};

/** Bytes from the start of `struct task_struct`, unless another is named. */
export interface KernelOffsets {
  readonly taskTgid?: number;
  readonly taskPid?: number;
  readonly taskRealParent?: number;
  readonly taskSignal?: number;
  readonly taskState?: number;
  readonly taskComm?: number;
  readonly taskCredentials?: number;
  readonly taskCgroups?: number;
  /** `struct cred`: `uid`, `gid`. */
  readonly credentialsUid?: number;
  readonly credentialsGid?: number;
  /** `struct css_set`: `dfl_cgrp`; `struct cgroup`: `kn`; `struct kernfs_node`: `id`. */
  readonly cgroupSetDefault?: number;
  readonly cgroupNode?: number;
  readonly nodeId?: number;
  /** `struct signal_struct`: `live` (atomic_t), and `pids[PIDTYPE_PGID]`. */
  readonly signalLive?: number;
  readonly signalProcessGroup?: number;
  /** `struct pid`: `numbers[0].nr`. */
  readonly pidNumber?: number;
  /** The thread pointer: `thread.fsbase` (x86-64), `thread.uw.tp_value` (AArch64). */
  readonly taskThreadPointer?: number;
}

/** Walks user stacks in the kernel, as code of ours. */
export interface StackEmitter {
  /** Maps that its code uses. */
  readonly maps: readonly MapSpec[];
  /** Bytes of stack that a call takes below ours, in all its functions; and how many of them call each other. */
  readonly stackBytes: number;
  readonly callDepth: number;
  /** Emits code that leaves the id of the user's stack in r0; 0 when there is none. r6 is the context; r1–r5 and the 24 bytes below r10 are free, r6–r9 must be kept. */
  emitUserStack(assembler: Assembler, programType: ProgramType): void;
  /** Emits the functions that this calls, once for each program that takes a stack, after its own code. */
  emitFunctions(assembler: Assembler, programType: ProgramType): void;
}
