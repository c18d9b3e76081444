/** Runs the probes of our own process: `_begin`, `_oneshot`, timers, `_end`. */
import {
  SnapshotEngine,
  type Describer,
  type HostIdentity,
  type OutputSink,
  type Program,
  type SnapshotEnvironment,
  type SnapshotMemory,
  type Storage,
} from '../y/index.ts';
import { findCgroupId, findCgroupPath } from '../kernel/index.ts';
import type { Target } from '../target/index.ts';

export interface HostOptions {
  readonly storage: Storage;
  readonly describe: Describer;
  readonly output: OutputSink;
  /** The process or core dump that is read; undefined for the whole host. */
  readonly target: Target | undefined;
  readonly captureStack?: SnapshotEnvironment['captureStack'];
  readonly register?: SnapshotEnvironment['register'];
  /** `_exit()` was called. */
  readonly onExit: () => void;
  /** A timer's probe could not be run: its storage failed. Without it, the error is thrown where nobody can catch it. */
  readonly onFailure?: (cause: unknown) => void;
}

/** A longer timer of Node's fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** A timer may fire so much before its time. */
const EARLY_MS = 0.5;

export class HostRunner {
  readonly #program: Program;
  readonly #engine: SnapshotEngine;
  readonly #output: OutputSink;
  readonly #target: Target | undefined;
  readonly #onFailure: HostOptions['onFailure'];
  /** By the probe's index. */
  readonly #timers = new Map<number, NodeJS.Timeout>();

  constructor(program: Program, options: HostOptions) {
    this.#program = program;
    this.#output = options.output;
    this.#target = options.target;
    this.#onFailure = options.onFailure;
    const { captureStack, register } = options;
    this.#engine = new SnapshotEngine(program, {
      memory: (space) => (space === 'user' ? (options.target?.memory as SnapshotMemory | undefined) : undefined),
      storage: options.storage,
      describe: options.describe,
      output: options.output,
      identity: toIdentity(options.target),
      clock: { monotonicNs: () => process.hrtime.bigint(), wallNs: () => BigInt(Date.now()) * 1_000_000n },
      random: () => crypto.getRandomValues(new BigUint64Array(1))[0]!,
      exit: options.onExit,
      ...(captureStack === undefined ? {} : { captureStack }),
      ...(register === undefined ? {} : { register }),
    });
  }

  /** Runs all probes of a kind, in the order of the source. */
  run(kind: 'begin' | 'oneshot' | 'end'): void {
    for (const [index, { point }] of this.#program.probes.entries()) if (point.kind === kind) this.#runOne(index);
  }

  /** Starts the timers; they run until `stopTimers`. */
  startTimers(): void {
    for (const [index, { point }] of this.#program.probes.entries()) {
      if (point.kind !== 'timer') continue;
      const periodMs = Math.max(1, point.periodNs / 1e6);
      this.#schedule(index, periodMs, performance.now() + periodMs);
    }
  }

  stopTimers(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  get losses() {
    return this.#engine.losses();
  }

  /** Node's timers know whole milliseconds only: what is due is counted from the start, and periods that were missed are left out. */
  #schedule(index: number, periodMs: number, dueMs: number): void {
    const waitMs = Math.min(Math.max(1, dueMs - performance.now()), LONGEST_TIMER_MS);
    const onTimer = (): void => {
      const lateMs = performance.now() - dueMs;
      const isDue = lateMs >= -EARLY_MS;
      this.#schedule(index, periodMs, isDue ? dueMs + periodMs * (1 + Math.max(0, Math.floor(lateMs / periodMs))) : dueMs);
      if (isDue) this.#runTimer(index);
    };
    this.#timers.set(index, setTimeout(onTimer, waitMs));
  }

  #runTimer(index: number): void {
    try {
      this.#runOne(index);
    } catch (cause) {
      if (this.#onFailure === undefined) throw cause;
      this.#onFailure(cause);
    }
  }

  #runOne(index: number): void {
    // What a probe sees is the target as it is now.
    this.#target?.memory.drop();
    const outcome = this.#engine.run(index);
    if (outcome.kind === 'ended') this.#output.write('warn', outcome.message);
  }
}

/** As `_cgroup()` of a hit has it; 0 of a core dump, or where there are no control groups of version 2. */
function findControlGroup(target: Target | undefined): bigint {
  const path = target === undefined || target.kind === 'core' ? undefined : findCgroupPath(target.pid);
  const id = path === undefined ? undefined : findCgroupId(path);
  return id?.ok === true ? id.value : 0n;
}

function toIdentity(target: Target | undefined): HostIdentity {
  const identity = target?.identity;
  return {
    pid: target?.pid ?? 0,
    tid: target?.pid ?? 0,
    ppid: identity?.parentPid ?? 0,
    pgid: identity?.processGroup ?? 0,
    nspid: identity?.namespacePid ?? 0,
    uid: identity?.uid ?? 0,
    gid: identity?.gid ?? 0,
    cgroup: findControlGroup(target),
    threadPointer: undefined,
    comm: identity?.comm ?? '',
    exe: identity?.exe ?? '',
    container: identity?.container ?? '',
  };
}
