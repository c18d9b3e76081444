/** A session without hit probes: a walk of a live or frozen process, or of a core dump, or timers on one. */
import { ModuleTables, UNWIND_STATUS_TEXTS, unwindThread } from '../unwind/index.ts';
import { MemoryStorage, type OutputSink, type Program } from '../y/index.ts';
import { HostRunner } from './host-runner.ts';
import { describeNames, type NamedStack } from './names.ts';
import type { EndReason, SessionReport } from './report.ts';
import type { Subject } from './subject.ts';

export interface Session {
  /** Resolves when the session is over and everything of it is gone. */
  readonly ended: Promise<SessionReport>;
  /** Ends it; `_end` still runs. */
  stop(): void;
}

export interface SnapshotOptions {
  readonly output: OutputSink;
  readonly timeoutMs: number | undefined;
}

export function startSnapshotSession(program: Program, subject: Subject, options: SnapshotOptions): Session {
  const started = performance.now();
  const ending = new EventTarget();
  const stacks = new CapturedStacks(subject);
  let reason: EndReason | undefined;
  const end = (why: EndReason): void => {
    reason ??= why;
    ending.dispatchEvent(new Event('end'));
  };
  const host = new HostRunner(program, {
    storage: new MemoryStorage(program),
    describe: describeNames(subject, (id) => stacks.find(id)),
    output: options.output,
    target: subject.main,
    captureStack: (form) => stacks.capture(form),
    register: (name) => stacks.register(name),
    onExit: () => end('exit'),
  });
  const finish = (): SessionReport => {
    host.stopTimers();
    host.run('end');
    return report(program, reason ?? 'finished', performance.now() - started, host);
  };
  host.run('begin');
  const isOnce =
    program.probes.some(({ point }) => point.kind === 'oneshot') || !program.probes.some(({ point }) => point.kind === 'timer');
  if (reason === undefined && isOnce) host.run('oneshot');
  if (reason !== undefined || isOnce) return { ended: Promise.resolve(finish()), stop: () => {} };
  host.startTimers();
  const timeout = options.timeoutMs === undefined ? undefined : setTimeout(() => end('timeout'), options.timeoutMs);
  const ended = new Promise<SessionReport>((resolve) => {
    const onEnd = (): void => {
      clearTimeout(timeout);
      resolve(finish());
    };
    ending.addEventListener('end', onEnd, { once: true });
  });
  return { ended, stop: () => end('stopped') };
}

function report(program: Program, reason: EndReason, durationMs: number, host: HostRunner): SessionReport {
  return {
    reason,
    durationMs,
    losses: host.losses,
    probes: program.probes.map(({ text }) => ({ text, sites: 0, hits: 0, detached: undefined })),
    stacks: undefined,
    outputFailure: undefined,
  };
}

/** DWARF numbers of x86-64's registers, by name (System V ABI supplement, figure 3.36). */
const X86_REGISTERS = ['ax', 'dx', 'cx', 'bx', 'si', 'di', 'bp', 'sp'];

/** Backtraces of the main thread of a target that stands still. */
class CapturedStacks {
  readonly #subject: Subject;
  readonly #tables = new ModuleTables();
  readonly #stacks: NamedStack[] = [];

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  find(id: bigint): NamedStack | undefined {
    return this.#stacks[Number(id) - 1];
  }

  capture(form: unknown): bigint | undefined {
    const target = this.#subject.main;
    const registers = this.#registers();
    if (target === undefined || registers === undefined || (form !== 'user' && form !== 'both')) return undefined;
    const stack = unwindThread(target, registers, this.#tables);
    const cut = stack.status === 'complete' ? undefined : UNWIND_STATUS_TEXTS[stack.status];
    this.#stacks.push({ pid: target.pid, kernel: [], user: stack.frames, exact: new Set(stack.exact), cut });
    return BigInt(this.#stacks.length);
  }

  register(name: string): bigint | undefined {
    const registers = this.#registers();
    if (registers === undefined) return undefined;
    if (name === 'ip' || name === 'pc' || name === 'rip') return registers.ip;
    const plain = name.replace(/^r(?=[a-z])/, '');
    const index = X86_REGISTERS.indexOf(plain);
    if (index >= 0) return registers.byDwarf[index];
    const number = /^[rx](\d+)$/.exec(name)?.[1];
    return number === undefined ? undefined : registers.byDwarf[Number(number)];
  }

  #registers() {
    const target = this.#subject.main;
    const threads = target?.threads();
    if (target === undefined || threads?.ok !== true) return undefined;
    return (threads.value.find(({ tid }) => tid === target.pid) ?? threads.value[0])?.registers;
  }
}
