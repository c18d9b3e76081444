/** What a program's host probes need from around them. Whoever composes a session builds it; the engine touches nothing else. */
import type { Chart } from '../../output/index.ts';
import type { Space } from '../../ir/program.ts';
import type { Describer } from './describer.ts';
import type { Storage } from './storage.ts';

/** Reads of memory, as the target room's `Memory` gives them. Addresses are unsigned. */
export interface SnapshotMemory {
  /** Exactly `length` bytes; undefined when any of them cannot be read. */
  read(address: bigint, length: number): Uint8Array | undefined;
  /** Bytes up to a NUL (not included) or `limit`; undefined when unreadable before that. */
  readText(address: bigint, limit: number): Uint8Array | undefined;
  /** Forgets what is cached: called before each run of a probe, so that a timer sees the target as it is then. */
  drop?(): void;
}

/** Who the program looks at; what `_pid()` and the like say in host probes. */
export interface HostIdentity {
  readonly pid: number;
  readonly tid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly nspid: number;
  readonly uid: number;
  readonly gid: number;
  /** The control group's id; 0 when unknown. */
  readonly cgroup: bigint;
  /** Of the main thread; undefined when it cannot be known (a running process): `_tls()` is 0 then. */
  readonly threadPointer: bigint | undefined;
  readonly comm: string;
  readonly exe: string;
  /** Empty outside of containers. */
  readonly container: string;
}

export interface HostClock {
  /** CLOCK_MONOTONIC, as the kernel's probes see it. */
  monotonicNs(): bigint;
  /** CLOCK_REALTIME. */
  wallNs(): bigint;
}

/** Where the program's output goes, in the order in which it is made. */
export interface OutputSink {
  /** `out` is what `printf` prints; a `warn` or `error` is one message. */
  write(stream: 'out' | 'warn' | 'error', text: string): void;
  chart(chart: Chart): void;
}

export type StackForm = 'user' | 'kernel' | 'both' | 'mixed' | { readonly language: string };

export interface SnapshotEnvironment {
  /** Undefined when that space cannot be read here: each read of it fails. */
  memory(space: Space): SnapshotMemory | undefined;
  readonly storage: Storage;
  readonly describe: Describer;
  readonly output: OutputSink;
  readonly identity: HostIdentity;
  readonly clock: HostClock;
  /** 64 random bits. */
  random(): bigint;
  /** Instructions that one run of a probe may take. Default 100,000,000. */
  readonly loopBudget?: number;
  /** Called by `_exit()`: the session is to end after this probe. */
  exit(): void;
  /** Backtrace of the main thread of a frozen process or a core dump, as an id for `describe.stack`; undefined when it has none. */
  captureStack?(form: StackForm): bigint | undefined;
  /** A machine register of the main thread of a frozen process or a core dump. */
  register?(name: string): bigint | undefined;
}
