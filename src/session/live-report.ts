/** Counters of the kernel's maps, as a session's report. */
import type { Result } from '../base/index.ts';
import { readProgramStatistics, type KernelObject } from '../kernel/index.ts';
import type { UnwindStats } from '../unwind/index.ts';
import { LOSSES, type EbpfProgram, type Loss, type Program } from '../y/index.ts';
import type { AttachedProbes } from './attached-probes.ts';
import { sumCounters } from './counters.ts';
import type { EndReason, LossReport, ProbeReport, SessionReport } from './report.ts';

export class LiveReport {
  readonly #program: Program;
  readonly #compiled: EbpfProgram;
  readonly #object: KernelObject;
  readonly #probes: AttachedProbes;
  readonly #startMs = performance.now();

  constructor(program: Program, compiled: EbpfProgram, object: KernelObject, probes: AttachedProbes) {
    this.#program = program;
    this.#compiled = compiled;
    this.#object = object;
    this.#probes = probes;
  }

  /** Call it when probes are off and the object is open still. */
  create(
    reason: EndReason,
    hostLosses: readonly LossReport[],
    stacks: Result<UnwindStats, string> | undefined,
    outputFailure: string | undefined,
  ): SessionReport {
    return {
      reason,
      durationMs: performance.now() - this.#startMs,
      losses: [...this.#readLosses(), ...hostLosses],
      probes: this.#readProbes(),
      stacks: stacks?.ok === true ? stacks.value : undefined,
      outputFailure,
    };
  }

  #readLosses(): LossReport[] {
    const totals = sumCounters(this.#object, this.#compiled.storage.losses, 0, LOSSES.length);
    // The kernel itself leaves out events that come while the same program runs on that CPU.
    totals[LOSSES.indexOf('scratch-busy')]! += this.#countMissed();
    return LOSSES.flatMap((why: Loss, index) => (totals[index] === 0 ? [] : [{ why, count: totals[index]!, at: undefined }]));
  }

  #countMissed(): number {
    const hits = this.#compiled.attachments.filter(({ probes }) => probes.length > 0);
    return hits.reduce((sum, { program }) => {
      const statistics = readProgramStatistics(this.#object.program(program).fd);
      return sum + (statistics.ok ? statistics.value.missed : 0);
    }, 0);
  }

  #readProbes(): ProbeReport[] {
    const { measures } = this.#compiled.storage;
    return this.#program.probes.map(({ text }, index) => ({
      text,
      sites: this.#probes.sitesOf(index),
      hits: measures === undefined ? 0 : sumCounters(this.#object, measures, index, 1)[0]!,
      detached: this.#probes.detachedOf(index),
    }));
  }
}
