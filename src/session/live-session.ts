/**
 * A session with hit probes: the program is compiled for this kernel, loaded, attached and read until it ends.
 *
 * Order matters twice. Before anything is attached the maps hold the targets and `_begin` has run, so the first hit finds
 * everything; and at the end probes are off before the last records are read and `_end` runs, so that nothing moves under it.
 */
import { err, ok, type Result } from '../base/index.ts';
import { KernelObject, type Attachment, type KernelError, type RingReader, type SampledEvent } from '../kernel/index.ts';
import { UnwindTables, UNWIND_STATUS_TEXTS } from '../unwind/index.ts';
import {
  CONTROL,
  LOSSES,
  splitStackId,
  type Attachment as PlannedAttachment,
  type EbpfDiagnostic,
  type EbpfProgram,
  type Loss,
  type OutputSink,
  type Program,
  type UprobeSite,
} from '../y/index.ts';
import { decodeEvent } from './events.ts';
import { HostRunner } from './host-runner.ts';
import { KernelStorage } from './kernel-storage.ts';
import { compileForKernel } from './kernel-program.ts';
import { describeNames, type NamedStack } from './names.ts';
import type { EndReason, LossReport, ProbeReport, SessionReport } from './report.ts';
import type { Session } from './snapshot-session.ts';
import type { Subject } from './subject.ts';
import { readStacks, USER_STACKS, type KeptStack } from './unwound-stacks.ts';

export interface LiveOptions {
  readonly output: OutputSink;
  readonly timeoutMs: number | undefined;
  /** End when the processes that were chosen are gone. */
  readonly endWithTarget: boolean;
  /** Share of the targets' CPU time that probes may cost, 0 to 1; undefined: no bound. */
  readonly maxOverhead?: number | undefined;
}

/** Why a session could not start. */
export type LiveError =
  | { readonly kind: 'program'; readonly diagnostics: readonly EbpfDiagnostic[] }
  | { readonly kind: 'kernel'; readonly error: KernelError }
  | { readonly kind: 'target'; readonly message: string };

const WATCH_MS = 250;
const FIRST = new Uint8Array(4);

export async function startLiveSession(program: Program, subject: Subject, options: LiveOptions): Promise<Result<Session, LiveError>> {
  const compiled = compileForKernel(program, subject);
  if (!compiled.ok) return err({ kind: 'program', diagnostics: compiled.error });
  const object = KernelObject.load(compiled.value.object);
  if (!object.ok) return err({ kind: 'kernel', error: object.error });
  const session = new LiveSession(program, compiled.value, object.value, subject, options);
  const started = await session.start();
  if (started.ok) return ok(session);
  await object.value.close();
  return started;
}

class LiveSession implements Session {
  readonly ended: Promise<SessionReport>;
  readonly #program: Program;
  readonly #compiled: EbpfProgram;
  readonly #object: KernelObject;
  readonly #subject: Subject;
  readonly #options: LiveOptions;
  readonly #host: HostRunner;
  readonly #attachments: Attachment[] = [];
  readonly #sites = new Map<number, number>();
  readonly #startMs = performance.now();
  #tables: UnwindTables | undefined;
  #ring: RingReader | undefined;
  #stacks: ReadonlyMap<number, KeptStack> = new Map();
  #watch: NodeJS.Timeout | undefined;
  #timeout: NodeJS.Timeout | undefined;
  #resolve: (report: SessionReport) => void = () => {};
  #reject: (cause: unknown) => void = () => {};
  #ending = false;

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
    const names = describeNames(subject, (id) => this.#findStack(id));
    this.#names = names;
    this.#host = new HostRunner(program, {
      storage: new KernelStorage(program, compiled.storage, object),
      describe: names,
      output: options.output,
      target: subject.main,
      onExit: () => this.#end('exit'),
    });
  }

  readonly #names: ReturnType<typeof describeNames>;

  async start(): Promise<Result<void, LiveError>> {
    this.#setControl();
    const targets = this.#setTargets();
    if (!targets.ok) return targets;
    this.#host.run('begin');
    for (const planned of this.#compiled.attachments) {
      const attached = this.#attach(planned);
      if (attached.ok) continue;
      for (const attachment of this.#attachments) await attachment.close();
      return err({ kind: 'kernel', error: attached.error });
    }
    const watched = this.#watchRing();
    if (!watched.ok) return err({ kind: 'kernel', error: watched.error });
    this.#host.startTimers();
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    if (this.#options.timeoutMs !== undefined) this.#timeout = setTimeout(() => this.#end('timeout'), this.#options.timeoutMs);
    return ok(undefined);
  }

  stop(): void {
    this.#end('stopped');
  }

  #end(reason: EndReason): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#finish(reason).then(this.#resolve, this.#reject);
  }

  async #finish(reason: EndReason): Promise<SessionReport> {
    clearInterval(this.#watch);
    clearTimeout(this.#timeout);
    this.#host.stopTimers();
    for (const attachment of this.#attachments) await attachment.close();
    this.#drain();
    this.#loadStacks();
    this.#host.run('end');
    const report = this.#report(reason);
    await this.#object.close();
    return report;
  }

  #setControl(): void {
    const control = new Uint8Array(CONTROL.bytes);
    const view = new DataView(control.buffer);
    view.setUint32(CONTROL.firstTarget, this.#subject.main?.pid ?? 0, true);
    view.setUint32(CONTROL.otherTargets, Math.max(0, this.#memberIds().length - 1), true);
    view.setBigUint64(CONTROL.wallOffset, BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint(), true);
    this.#object.map(this.#compiled.storage.control).update(FIRST, control);
  }

  #memberIds(): readonly number[] {
    const { main, processes } = this.#subject;
    return processes === undefined ? (main === undefined ? [] : [main.pid]) : [...processes.members.keys()];
  }

  #setTargets(): Result<void, LiveError> {
    const { targets } = this.#compiled.storage;
    if (this.#hasMap(USER_STACKS)) {
      const opened = UnwindTables.open(this.#object);
      if (!opened.ok) return err({ kind: 'target', message: opened.error });
      this.#tables = opened.value;
    }
    for (const pid of this.#memberIds()) {
      if (targets !== undefined) this.#object.map(targets).update(toKey(pid), new Uint8Array(8));
      this.#follow(pid);
    }
    return ok(undefined);
  }

  #hasMap(wanted: string): boolean {
    return this.#compiled.object.maps.some(({ name }) => name === wanted);
  }

  /** Makes a process known to the unwinder, and opens it so that its addresses can be named when it is gone. */
  #follow(pid: number): void {
    const opened = this.#subject.open(pid);
    if (opened !== undefined) this.#tables?.addProcess(opened.target);
  }

  #attach({ program, point, probes }: PlannedAttachment): Result<void, KernelError> {
    const results = this.#attachPoint(program, point);
    for (const result of results) {
      if (!result.ok) return result;
      this.#attachments.push(result.value);
    }
    const sites = point.kind === 'uprobe' ? point.sites.length : 1;
    for (const probe of probes) this.#sites.set(probe, (this.#sites.get(probe) ?? 0) + sites);
    return ok(undefined);
  }

  #attachPoint(program: string, point: PlannedAttachment['point']): Result<Attachment, KernelError>[] {
    switch (point.kind) {
      case 'uprobe': {
        return groupByModule(point.sites).map(([module, sites]) =>
          this.#object.attachUprobes(program, {
            path: this.#hostPath(module),
            kind: point.isReturn ? 'return' : 'entry',
            places: sites.map(({ fileOffset, cookie, semaphore }) => ({
              offset: fileOffset,
              cookie,
              ...(semaphore === undefined ? {} : { semaphoreOffset: semaphore }),
            })),
          }),
        );
      }
      case 'tracepoint':
        return [this.#object.attachTracepoint(program, point.category, point.name)];
      case 'raw-tracepoint':
        return [this.#object.attachRawTracepoint(program, point.name)];
      case 'clock':
        return [this.#object.attachSampler(program, { event: 'cpu-clock', frequency: point.hz })];
      case 'counter':
        return [this.#object.attachSampler(program, { event: point.event as SampledEvent, period: point.period })];
      case 'kprobe':
        return [
          err({ kind: 'unsupported', message: `kernel functions (${point.names.join(', ')}) cannot be probed by this kernel`, errno: 0 }),
        ];
    }
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
    if (!this.#hasMap(this.#compiled.events.ring)) return ok(undefined);
    const ring = this.#object.openRing(this.#compiled.events.ring);
    if (!ring.ok) return ring;
    this.#ring = ring.value;
    return ring.value.watch((bytes, offset, length) => this.#onRecord(bytes.subarray(offset, offset + length)));
  }

  #drain(): void {
    while ((this.#ring?.drain((bytes, offset, length) => this.#onRecord(bytes.subarray(offset, offset + length))) ?? 0) > 0);
  }

  #onRecord(record: Uint8Array): void {
    const event = decodeEvent(this.#program, this.#compiled.events, record, this.#names);
    if (event.kind === 'exit') this.#end('exit');
    else this.#options.output.write(event.stream, event.text);
  }

  /** Who joined, who left; mappings that changed. */
  #look(): void {
    const { processes } = this.#subject;
    const { targets } = this.#compiled.storage;
    if (processes !== undefined) {
      const { added } = processes.refresh();
      for (const { pid } of added) if (targets !== undefined) this.#object.map(targets).update(toKey(pid), new Uint8Array(8));
    }
    const members = targets === undefined ? [] : this.#readTargets(targets);
    for (const pid of members) this.#follow(pid);
    for (const { target } of this.#subject.targets.values()) this.#tables?.refresh(target);
    if (this.#options.endWithTarget && targets !== undefined && members.length === 0) this.#end('target-gone');
  }

  #readTargets(map: string): number[] {
    const items = this.#object.map(map).entries();
    return items.ok ? items.value.map(({ key }) => new DataView(key.buffer, key.byteOffset).getUint32(0, true)) : [];
  }

  #loadStacks(): void {
    if (!this.#hasMap(USER_STACKS)) return;
    const stacks = readStacks(this.#object);
    if (stacks.ok) this.#stacks = stacks.value;
  }

  #findStack(id: bigint): NamedStack | undefined {
    const { kernel } = splitStackId(id);
    const number = Number(BigInt.asUintN(32, id));
    if (number !== 0 && !this.#stacks.has(number)) this.#loadStacks();
    const found = this.#stacks.get(number);
    if (found === undefined && kernel === undefined) return undefined;
    const cut = found === undefined || found.status === 'complete' ? undefined : UNWIND_STATUS_TEXTS[found.status];
    return {
      pid: found?.pid ?? 0,
      user: found?.frames ?? [],
      exact: new Set(found?.exact ?? []),
      cut,
      kernel: this.#readKernelStack(kernel),
    };
  }

  #readKernelStack(id: number | undefined): readonly bigint[] {
    const { stacks } = this.#compiled.storage;
    if (id === undefined || stacks === undefined) return [];
    const value = this.#object.map(stacks).lookup(toKey(id));
    if (!value.ok || value.value === undefined) return [];
    const view = new DataView(value.value.buffer, value.value.byteOffset, value.value.byteLength);
    const addresses = Array.from({ length: view.byteLength / 8 }, (_, index) => view.getBigUint64(index * 8, true));
    const end = addresses.indexOf(0n);
    return end < 0 ? addresses : addresses.slice(0, end);
  }

  #report(reason: EndReason): SessionReport {
    const stats = this.#tables?.stats();
    return {
      reason,
      durationMs: performance.now() - this.#startMs,
      losses: [...this.#readLosses(), ...this.#host.losses],
      probes: this.#readProbes(),
      stacks: stats?.ok === true ? stats.value : undefined,
    };
  }

  #readLosses(): LossReport[] {
    const totals = this.#sumPerCpu(this.#compiled.storage.losses, FIRST, LOSSES.length);
    return LOSSES.flatMap((why: Loss, index) => (totals[index] === 0 ? [] : [{ why, count: totals[index]!, at: undefined }]));
  }

  #readProbes(): ProbeReport[] {
    const { measures } = this.#compiled.storage;
    return this.#program.probes.map(({ text }, index) => {
      const hits = measures === undefined ? 0 : this.#sumPerCpu(measures, toKey(index), 1)[0]!;
      return { text, sites: this.#sites.get(index) ?? 0, hits, detached: undefined };
    });
  }

  /** 64-bit counters of a per-CPU array's entry, summed. */
  #sumPerCpu(map: string, key: Uint8Array, count: number): number[] {
    const kernelMap = this.#object.map(map);
    const value = kernelMap.lookup(key);
    if (!value.ok || value.value === undefined) return Array<number>(count).fill(0);
    const view = new DataView(value.value.buffer, value.value.byteOffset, value.value.byteLength);
    const stride = (kernelMap.shape.valueBytes + 7) & ~7;
    return Array.from({ length: count }, (_, index) => {
      let sum = 0;
      for (let at = 0; at < view.byteLength; at += stride) sum += Number(view.getBigUint64(at + index * 8, true));
      return sum;
    });
  }
}

function toKey(number: number): Uint8Array {
  return new Uint8Array(new Uint32Array([number]).buffer);
}

function groupByModule(sites: readonly UprobeSite[]): [module: string, sites: UprobeSite[]][] {
  const groups = new Map<string, UprobeSite[]>();
  for (const site of sites) groups.set(site.module, [...(groups.get(site.module) ?? []), site]);
  return [...groups];
}
