/**
 * Runs a program's host probes (`_begin`, `_end`, `_oneshot`, timers) in our own process: on a live process's memory, a frozen one's,
 * or a core dump's. Beside hit probes in the kernel it works on the same storage.
 */
import { assert } from '../../../base/index.ts';
import type { Loss, Program, SourcePlace, Space } from '../../ir/program.ts';
import { planAggregates } from '../aggregate-layout.ts';
import type { SnapshotEnvironment } from './environment.ts';
import { CompiledFunction, type Budget } from './function.ts';
import { HitEnded } from './step.ts';
import { TargetReader } from './target-reader.ts';
import type { Callable, Machine } from './unit.ts';

const DEFAULT_BUDGET = 100_000_000;

/** How a run of a probe ended: at its end, or before it and why. */
export type RunOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'ended'; readonly why: Loss; readonly at: SourcePlace | undefined; readonly message: string };

/** What was lost at one place of the program. */
export interface LossCount {
  readonly why: Loss;
  readonly at: SourcePlace | undefined;
  readonly count: number;
}

export class SnapshotEngine {
  readonly #program: Program;
  readonly #budget: Budget;
  readonly #machine: Machine;
  readonly #readers: Readonly<Record<Space, TargetReader>>;
  readonly #functions = new Map<number, CompiledFunction>();
  readonly #losses = new Map<string, LossCount>();

  constructor(program: Program, environment: SnapshotEnvironment) {
    this.#program = program;
    this.#budget = { instructions: 0, allowed: environment.loopBudget ?? DEFAULT_BUDGET, depth: 0 };
    const readers = {
      user: new TargetReader(environment.memory('user')),
      kernel: new TargetReader(environment.memory('kernel')),
    };
    this.#readers = readers;
    this.#machine = {
      program,
      environment,
      storage: environment.storage,
      layouts: planAggregates(program),
      reader: (space) => readers[space],
      countLoss: (why, at) => this.#countLoss(why, at),
      callable: (index) => this.#callable(index),
    };
  }

  /**
   * Runs the body of one probe to its end. Memory is read anew: pages are kept for this run only. What was lost on the way is in
   * `losses`; a run that ended early is counted there too.
   *
   * @param probe index in `program.probes`; a host probe
   */
  run(probe: number): RunOutcome {
    const found = this.#program.probes[probe];
    assert(found !== undefined && found.where === 'host', `probe ${probe} is none that runs in our process`);
    for (const reader of Object.values(this.#readers)) reader.drop();
    this.#budget.instructions = this.#budget.allowed;
    this.#budget.depth = 0;
    try {
      const body = this.#callable(found.body);
      const frame = body.acquire();
      body.run(frame);
      body.release(frame);
      return { kind: 'done' };
    } catch (error) {
      if (!(error instanceof HitEnded)) throw error;
      this.#countLoss(error.why, error.at);
      return { kind: 'ended', why: error.why, at: error.at, message: `${found.text} ended early${toPlace(error.at)}: ${error.detail}` };
    }
  }

  /** What was lost since the beginning, by reason and place, in the order of first appearance. */
  losses(): readonly LossCount[] {
    return [...this.#losses.values()];
  }

  #countLoss(why: Loss, at: SourcePlace | undefined): void {
    const name = `${why} ${at?.file}:${at?.line}:${at?.column}`;
    this.#losses.set(name, { why, at, count: (this.#losses.get(name)?.count ?? 0) + 1 });
  }

  #callable(index: number): Callable {
    const known = this.#functions.get(index);
    if (known !== undefined) return known;
    const source = this.#program.functions[index];
    assert(source !== undefined, `no function ${index}`);
    const compiled = new CompiledFunction(this.#machine, source, this.#budget);
    this.#functions.set(index, compiled);
    return compiled;
  }
}

function toPlace(at: SourcePlace | undefined): string {
  return at === undefined ? '' : ` at ${at.file}:${at.line}`;
}
