/**
 * A session with hit probes: the program is compiled for this kernel, loaded, attached and read until it ends.
 *
 * Order matters twice. Before anything is attached the maps hold the targets and `_begin` has run, so the first hit finds
 * everything; and at the end probes are off before the last records are read and `_end` runs, so that nothing moves under it.
 * However it ends, everything in the kernel is let go of: `finish` closes the object whatever throws.
 */
import { err, ok, type Result } from '../base/index.ts';
import { KernelObject, type KernelError, type RingReader } from '../kernel/index.ts';
import { UnwindTables } from '../unwind/index.ts';
import { DEFAULT_LIMITS, type Describer, type EbpfDiagnostic, type EbpfProgram, type OutputSink, type Program } from '../y/index.ts';
import { isAlive } from './alive.ts';
import { AttachedProbes } from './attached-probes.ts';
import { describeEvent } from './events.ts';
import { FollowedProcesses, readExecutableMappings } from './followed-processes.ts';
import { HostRunner } from './host-runner.ts';
import { KernelStorage } from './kernel-storage.ts';
import { compileForSession } from './kernel-program.ts';
import { LiveReport } from './live-report.ts';
import { LiveStacks } from './live-stacks.ts';
import { Membership } from './membership.ts';
import { describeNames } from './names.ts';
import { OverheadGuard } from './overhead-guard.ts';
import { releaseGarbage } from './release-garbage.ts';
import type { EndReason, SessionReport } from './report.ts';
import { SafeOutput } from './safe-output.ts';
import type { Session } from './snapshot-session.ts';
import type { Subject } from './subject.ts';
import { StackMaps, takesUserStacks } from './unwound-stacks.ts';

export interface LiveOptions {
  readonly output: OutputSink;
  readonly timeoutMs: number | undefined;
  /** End when the processes that were chosen, and their children, are gone. */
  readonly endWithTarget: boolean;
  /** Share of the target's CPU time that probes may cost, above 0; default 0.01. 1 and more: no bound. */
  readonly maxOverhead?: number | undefined;
}

/** Why a session could not start. */
export type LiveError =
  | { readonly kind: 'program'; readonly diagnostics: readonly EbpfDiagnostic[] }
  | { readonly kind: 'kernel'; readonly error: KernelError }
  | { readonly kind: 'target'; readonly message: string };

const DEFAULT_MAX_OVERHEAD = 0.01;
const LOOK_MS = 250;
/** Looks between two checks that processes still live. */
const LOOKS_PER_CHECK = 4;
/** Ring's worths that are read at most when probes are off: no more can be waiting. */
const LAST_DRAINS = 4;

/** Starts a session. When it cannot start, nothing of it is left. */
export async function startLiveSession(program: Program, subject: Subject, options: LiveOptions): Promise<Result<Session, LiveError>> {
  const compiled = compileForSession(program, subject);
  if (!compiled.ok) return err({ kind: 'program', diagnostics: compiled.error });
  const object = KernelObject.load(compiled.value.object);
  if (!object.ok) return err({ kind: 'kernel', error: object.error });
  let isStarted = false;
  try {
    const session = new LiveSession(program, compiled.value, object.value, subject, options);
    const started = session.start();
    isStarted = started.ok;
    return started.ok ? ok(session) : started;
  } finally {
    if (!isStarted) await object.value.close();
  }
}

class LiveSession implements Session {
  readonly ended: Promise<SessionReport>;
  readonly #program: Program;
  readonly #compiled: EbpfProgram;
  readonly #object: KernelObject;
  readonly #subject: Subject;
  readonly #options: LiveOptions;
  readonly #output: SafeOutput;
  readonly #host: HostRunner;
  readonly #probes: AttachedProbes;
  readonly #members: Membership;
  readonly #stackMaps: StackMaps | undefined;
  readonly #stacks: LiveStacks;
  readonly #report: LiveReport;
  readonly #describers = new Map<number, Describer>();
  #tables: UnwindTables | undefined;
  #followed: FollowedProcesses | undefined;
  #guard: OverheadGuard | undefined;
  #ring: RingReader | undefined;
  #mainMappings: string | undefined;
  #looks = 0;
  #isCrowded = false;
  #timers: NodeJS.Timeout[] = [];
  #isRunning = false;
  #end: EndReason | undefined;
  #resolve: (report: SessionReport) => void = () => {};
  #reject: (cause: unknown) => void = () => {};

  constructor(program: Program, compiled: EbpfProgram, object: KernelObject, subject: Subject, options: LiveOptions) {
    this.#program = program;
    this.#compiled = compiled;
    this.#object = object;
    this.#subject = subject;
    this.#options = options;
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#output = new SafeOutput(options.output, () => this.#endWith('output-failed'));
    this.#probes = new AttachedProbes(object, (module) => this.#hostPath(module));
    this.#members = new Membership(subject, compiled.storage, object);
    this.#stackMaps = takesUserStacks(compiled.object) ? new StackMaps(object) : undefined;
    this.#stacks = new LiveStacks(object, this.#stackMaps, compiled.storage.stacks, (pid, stack) => this.#followed?.find(pid, stack));
    this.#host = new HostRunner(program, {
      storage: new KernelStorage(program, compiled.storage, object),
      describe: describeNames(subject, (id) => this.#stacks.find(id)),
      output: this.#output,
      target: subject.main,
      onExit: () => this.#endWith('exit'),
      onFailure: (cause) => this.#fail(cause),
    });
    this.#report = new LiveReport(program, compiled, object, this.#probes);
  }

  /** Arms everything. After an error the caller closes the object. */
  start(): Result<void, LiveError> {
    const armed = this.#arm();
    if (!armed.ok) return armed;
    this.#host.startTimers();
    this.#timers.push(setInterval(() => this.#attempt(() => this.#look()), LOOK_MS));
    if (this.#options.timeoutMs !== undefined) this.#timers.push(setTimeout(() => this.#endWith('timeout'), this.#options.timeoutMs));
    this.#guard = this.#createGuard();
    this.#guard?.start();
    this.#isRunning = true;
    releaseGarbage();
    // Something may have asked for the end while we were starting.
    if (this.#end !== undefined) this.#finish(this.#end).then(this.#resolve, this.#reject);
    return ok(undefined);
  }

  stop(): void {
    this.#endWith('stopped');
  }

  #arm(): Result<void, LiveError> {
    const filled = this.#members.start();
    if (!filled.ok) return err({ kind: 'kernel', error: filled.error });
    if (this.#stackMaps !== undefined) {
      const tables = UnwindTables.open(this.#object);
      if (!tables.ok) return err({ kind: 'target', message: tables.error });
      this.#tables = tables.value;
      this.#followed = new FollowedProcesses(this.#subject, tables.value, this.#stackMaps);
      for (const pid of this.#subject.targets.keys()) this.#followed.add(pid);
    }
    this.#host.run('begin');
    const attached = this.#probes.attachAll(this.#compiled.attachments);
    if (!attached.ok) return err(this.#explain(attached.error));
    const watched = this.#watchRing();
    return watched.ok ? watched : err({ kind: 'kernel', error: watched.error });
  }

  /** A file that is not there any more because its process ended meanwhile. */
  #explain(error: KernelError): LiveError {
    const { main } = this.#subject;
    if (error.kind !== 'not-found' || main === undefined || isAlive(main.pid)) return { kind: 'kernel', error };
    return { kind: 'target', message: `process ${main.pid} ended while probes were attached (${error.message})` };
  }

  #createGuard(): OverheadGuard | undefined {
    const { measures } = this.#compiled.storage;
    const maxOverhead = this.#options.maxOverhead ?? DEFAULT_MAX_OVERHEAD;
    if (measures === undefined || maxOverhead >= 1) return undefined;
    return new OverheadGuard({
      object: this.#object,
      probes: this.#probes,
      measures,
      hostPath: (module) => this.#hostPath(module),
      pids: this.#subject.choice.kind === 'host' ? undefined : () => this.#members.pids(),
      maxOverhead,
      takesUserStacks: this.#stackMaps !== undefined,
      onDetach: ({ planned }, why) => {
        const texts = planned.probes.map((probe) => this.#program.probes[probe]!.text).join(', ');
        this.#output.write('warn', `detached ${texts}: ${why}`);
      },
      onFailure: (cause) => this.#fail(cause),
    });
  }

  #endWith(reason: EndReason): void {
    if (this.#end !== undefined) return;
    this.#end = reason;
    if (this.#isRunning) this.#finish(reason).then(this.#resolve, this.#reject);
  }

  /** A defect of ours, or a map that cannot be read: the session ends, and whoever waits for it learns why. */
  #fail(cause: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = 'stopped';
    void this.#release().finally(() => this.#reject(cause));
  }

  #attempt(work: () => void): void {
    try {
      if (this.#end === undefined) work();
    } catch (cause) {
      this.#fail(cause);
    }
  }

  async #finish(reason: EndReason): Promise<SessionReport> {
    try {
      await this.#disarm();
      for (let drains = 0; drains < LAST_DRAINS && this.#drain() > 0; drains++);
      this.#followed?.look([]);
      this.#host.run('end');
      return this.#report.create(reason, this.#host.losses, this.#tables?.stats(), this.#output.failure);
    } finally {
      await this.#release();
    }
  }

  async #disarm(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#host.stopTimers();
    this.#members.stopHits();
    await this.#guard?.stop();
    await this.#probes.close();
  }

  async #release(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#host.stopTimers();
    await this.#guard?.stop();
    this.#tables?.close();
    await this.#object.close();
  }

  #hostPath(module: string): string {
    for (const { target } of this.#subject.targets.values()) {
      const found = target.modules.find(({ path }) => path === module);
      if (found?.hostPath !== undefined) return found.hostPath;
    }
    return module;
  }

  #watchRing(): Result<void, KernelError> {
    // A program that prints nothing has no ring.
    const name = this.#compiled.events.ring;
    if (!this.#compiled.object.maps.some((map) => map.name === name)) return ok(undefined);
    const ring = this.#object.openRing(name);
    if (!ring.ok) return ring;
    this.#ring = ring.value;
    return ring.value.watch((bytes, offset, length) => this.#attempt(() => this.#onRecord(bytes.subarray(offset, offset + length))));
  }

  #drain(): number {
    return this.#ring?.drain((bytes, offset, length) => this.#onRecord(bytes.subarray(offset, offset + length))) ?? 0;
  }

  #onRecord(record: Uint8Array): void {
    const event = describeEvent(this.#program, this.#compiled.events, record, (pid) => this.#describerOf(pid));
    if (event.kind === 'exit') this.#endWith('exit');
    else this.#output.write(event.stream, event.text);
  }

  #describerOf(pid: number): Describer {
    const known = this.#describers.get(pid) ?? describeNames(this.#subject, (id) => this.#stacks.find(id), pid);
    if (this.#describers.size > 1000) this.#describers.clear();
    this.#describers.set(pid, known);
    return known;
  }

  /** Who joined, who left; mappings that changed. */
  #look(): void {
    this.#members.refresh();
    const pids = this.#members.pids();
    if (pids.length >= DEFAULT_LIMITS.targets) this.#warnOfCrowd();
    this.#followed?.look(pids);
    if (this.#looks++ % LOOKS_PER_CHECK !== 0) return;
    if (this.#followed === undefined) this.#refreshMain();
    if (this.#subject.choice.kind === 'host') return;
    const living = pids.filter((pid) => isAlive(pid));
    for (const pid of pids) if (!living.includes(pid)) this.#members.forget(pid);
    if (this.#options.endWithTarget && living.length === 0) this.#endWith('target-gone');
  }

  #warnOfCrowd(): void {
    if (this.#isCrowded) return;
    this.#isCrowded = true;
    this.#output.write('warn', `more than ${DEFAULT_LIMITS.targets} processes belong to the target: further children are not looked at`);
  }

  /** Without user stacks only the first process's addresses are named. */
  #refreshMain(): void {
    const main = this.#subject.main === undefined ? undefined : this.#subject.targets.get(this.#subject.main.pid);
    const mappings = main && readExecutableMappings(main.target.pid);
    if (main === undefined || mappings === undefined || mappings === this.#mainMappings) return;
    this.#mainMappings = mappings;
    if (main.target.refresh().ok) main.symbolizer.refresh();
  }
}
