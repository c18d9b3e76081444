/**
 * Watches what armed probes cost, about once a second, and takes the costliest off when they cost too much.
 *
 * Hits are counted in the kernel. What a run takes is measured by the kernel for 50 ms of each second, as that costs all programs of the
 * host two clock readings a run; where that is not permitted it is estimated. The trap's cost is known by its kind (`trap-cost`).
 */
import { measurePrograms, readProgramStatistics, type KernelObject, type ProgramStatistics } from '../kernel/index.ts';
import type { AttachedProbes, AttachedProgram } from './attached-probes.ts';
import { sumCounters } from './counters.ts';
import { ProcessClock, readHostCpuNs } from './cpu-time.ts';
import { describeExcess, findExcess, type ProgramWork, type Window } from './overhead.ts';
import { estimateTrapNs } from './trap-cost.ts';

export interface GuardOptions {
  readonly object: KernelObject;
  readonly probes: AttachedProbes;
  /** The per-CPU array of hits by probe. */
  readonly measures: string;
  readonly hostPath: (module: string) => string;
  /** Processes of the target; undefined: the whole host. */
  readonly pids: (() => readonly number[]) | undefined;
  readonly maxOverhead: number;
  readonly takesUserStacks: boolean;
  readonly onDetach: (program: AttachedProgram, why: string) => void;
  readonly onFailure: (cause: unknown) => void;
}

const MEASURE_MS = 50;
const WINDOW_MS = 1000;
/** Where the kernel may not measure: a small program, one that walks a stack (7.7–41 µs were measured). */
const ASSUMED_RUN_NS = 300;
const ASSUMED_STACK_NS = 20_000;

interface Meter {
  readonly program: AttachedProgram;
  readonly trapNs: number;
  hits: number;
  runNs: number;
  /** Runs a second when it was measured last; undefined: never. */
  runsPerSecond: number | undefined;
}

export class OverheadGuard {
  readonly #options: GuardOptions;
  readonly #assumedNs: number;
  readonly #meters: Meter[];
  readonly #clock = new ProcessClock();
  #hostCpuNs = readHostCpuNs();
  #windowStart = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #endMeasuring: (() => void) | undefined;
  #detaching: Promise<void> = Promise.resolve();

  constructor(options: GuardOptions) {
    this.#options = options;
    const { probes, hostPath, takesUserStacks, object, measures } = options;
    this.#assumedNs = takesUserStacks ? ASSUMED_STACK_NS : ASSUMED_RUN_NS;
    this.#meters = probes.programs
      .filter(({ planned }) => planned.probes.length > 0)
      .map((program) => ({
        program,
        trapNs: estimateTrapNs(program.planned.point, hostPath),
        hits: hitsOf(object, measures, program),
        runNs: this.#assumedNs,
        runsPerSecond: undefined,
      }));
    if (options.pids !== undefined) this.#clock.advance(options.pids());
  }

  start(): void {
    if (this.#meters.length > 0) this.#timer = setTimeout(() => this.#measure(), WINDOW_MS - MEASURE_MS);
  }

  /** Ends watching; resolves when a probe that was being taken off is off. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#endMeasuring?.();
    this.#endMeasuring = undefined;
    await this.#detaching;
  }

  #measure(): void {
    const measuring = measurePrograms();
    const before = measuring.ok ? this.#readStatistics() : [];
    const start = performance.now();
    this.#endMeasuring = measuring.ok ? measuring.value : undefined;
    this.#timer = setTimeout(() => {
      try {
        if (measuring.ok) this.#takeStatistics(before, performance.now() - start);
        this.#endMeasuring?.();
        this.#endMeasuring = undefined;
        this.#judge();
      } catch (cause) {
        this.#options.onFailure(cause);
        return;
      }
      // Whoever was told of a detached probe may have ended the session.
      if (this.#timer !== undefined) this.#timer = setTimeout(() => this.#measure(), WINDOW_MS - MEASURE_MS);
    }, MEASURE_MS);
  }

  #readStatistics(): (ProgramStatistics | undefined)[] {
    return this.#meters.map(({ program }) => {
      const statistics = readProgramStatistics(this.#options.object.program(program.planned.program).fd);
      return statistics.ok ? statistics.value : undefined;
    });
  }

  #takeStatistics(before: readonly (ProgramStatistics | undefined)[], elapsedMs: number): void {
    for (const [index, after] of this.#readStatistics().entries()) {
      const meter = this.#meters[index]!;
      const first = before[index];
      if (after === undefined || first === undefined) continue;
      const runs = after.runs - first.runs;
      meter.runsPerSecond = (runs * 1000) / elapsedMs;
      if (runs > 0) meter.runNs = (after.runTimeNs - first.runTimeNs) / runs;
    }
  }

  #judge(): void {
    const { maxOverhead, onDetach, probes } = this.#options;
    const window = this.#closeWindow();
    const works = this.#meters.map((meter) => this.#workOf(meter, window));
    const excess = findExcess(works, window, maxOverhead);
    if (excess === undefined) return;
    const [meter] = this.#meters.splice(excess.index, 1);
    const why = describeExcess(excess, window, maxOverhead);
    this.#detaching = this.#detaching.then(() => probes.detach(meter!.program, why));
    onDetach(meter!.program, why);
  }

  #closeWindow(): Window {
    const { pids } = this.#options;
    const now = performance.now();
    const host = readHostCpuNs();
    const hostCpuNs = Math.max(0, host - this.#hostCpuNs);
    const window = {
      lengthNs: (now - this.#windowStart) * 1e6,
      hostCpuNs,
      targetCpuNs: pids === undefined ? hostCpuNs : this.#clock.advance(pids()),
    };
    this.#hostCpuNs = host;
    this.#windowStart = now;
    return window;
  }

  #workOf(meter: Meter, { lengthNs }: Window): ProgramWork {
    const { object, measures } = this.#options;
    const total = hitsOf(object, measures, meter.program);
    const hits = total - meter.hits;
    meter.hits = total;
    const runs = Math.max(hits, ((meter.runsPerSecond ?? 0) * lengthNs) / 1e9);
    return { hits, runs, runNs: meter.runNs, assumedNs: this.#assumedNs, trapNs: meter.trapNs };
  }
}

/** Events of the target: probes on one point are hit by the same events. */
function hitsOf(object: KernelObject, measures: string, { planned }: AttachedProgram): number {
  return Math.max(...planned.probes.map((probe) => sumCounters(object, measures, probe, 1)[0]!));
}
