// Runs an example on an engine, and gives what a person would see.
import { compile, drawChart, renderDiagnostics, type OutputSink, type Program } from '../../../src/y/index.ts';
import {
  describeLosses,
  openSubject,
  startLiveSession,
  startSnapshotSession,
  type SessionReport,
  type Subject,
} from '../../../src/session/index.ts';
import type { Engine, Example } from './examples.ts';
import type { RunningTarget, Targets } from './targets.ts';

const NO_ROUND_MS = 10_000;

/** Targets and what is known of them, kept from example to example. */
export class Bench {
  readonly #targets: Targets;
  readonly #still = new Map<string, Promise<RunningTarget>>();
  readonly #busy = new Map<string, Promise<RunningTarget>>();
  readonly #subjects = new Map<string, Subject>();

  constructor(targets: Targets) {
    this.#targets = targets;
  }

  close(): void {
    for (const subject of this.#subjects.values()) subject.close();
    this.#targets.close();
  }

  /** Output and losses, or the diagnostics when it does not compile. */
  async run(example: Example, engine: Engine): Promise<string> {
    const subject = await this.#subject(example.target, engine);
    const compiled = compile({ file: 'example.y', text: example.code, resolveInclude: () => undefined }, subject.knowledge);
    if (!compiled.ok) return renderDiagnostics(compiled.error.diagnostics, compiled.error.sources, { colours: false });
    const { program } = compiled.value;
    return engine === 'ebpf' ? this.#runLive(example, program, subject) : runSnapshot(program, subject);
  }

  async #runLive(example: Example, program: Program, subject: Subject): Promise<string> {
    const output = new Collected();
    const session = await startLiveSession(program, subject, { output, timeoutMs: NO_ROUND_MS, endWithTarget: true });
    if (!session.ok) return `cannot start: ${JSON.stringify(session.error, undefined, 1)}\n`;
    if (example.target !== undefined) await (await this.#process(this.#busy, example.target)).round();
    session.value.stop();
    return output.finish(await session.value.ended);
  }

  async #subject(target: string | undefined, engine: Engine): Promise<Subject> {
    const key = `${target} ${engine}`;
    const known = this.#subjects.get(key);
    if (known !== undefined) return known;
    const opened = openSubject(await this.#choose(target, engine));
    if (!opened.ok) throw new Error(opened.error.message);
    this.#subjects.set(key, opened.value);
    return opened.value;
  }

  async #choose(target: string | undefined, engine: Engine): Promise<Parameters<typeof openSubject>[0]> {
    if (target === undefined) return { kind: 'host' };
    // A frozen target never runs again, so each engine that stops or dumps it has one of its own.
    if (engine === 'frozen') return { kind: 'process', pid: (await this.#targets.start(target)).pid, freeze: true };
    if (engine === 'ebpf') return { kind: 'process', pid: (await this.#process(this.#busy, target)).pid, freeze: false };
    const still = await this.#process(this.#still, target);
    if (engine === 'live') return { kind: 'process', pid: still.pid, freeze: false };
    return { kind: 'core', path: this.#targets.dump(still), exe: undefined };
  }

  #process(processes: Map<string, Promise<RunningTarget>>, name: string): Promise<RunningTarget> {
    const known = processes.get(name) ?? this.#targets.start(name);
    processes.set(name, known);
    return known;
  }
}

async function runSnapshot(program: Program, subject: Subject): Promise<string> {
  const output = new Collected();
  const session = startSnapshotSession(program, subject, { output, timeoutMs: NO_ROUND_MS });
  return output.finish(await session.ended);
}

/** What goes to standard output and standard error, in one text. */
class Collected implements OutputSink {
  #text = '';

  write(stream: 'out' | 'warn' | 'error', text: string): void {
    this.#text += stream === 'out' ? text : `${stream}: ${text}\n`;
  }

  chart(chart: Parameters<OutputSink['chart']>[0]): void {
    this.#text += drawChart(chart, { columns: 80, rows: undefined, colours: false });
  }

  finish(report: SessionReport): string {
    return (
      this.#text +
      describeLosses(report)
        .map((line) => `${line}\n`)
        .join('')
    );
  }
}

/** Where a program can run: what has hit probes in the kernel, what has none everywhere else. */
export function enginesOf(example: Example): readonly Engine[] {
  if (example.engines !== undefined) return example.engines;
  if (/^_probe\??(?!\s+(_begin|_end|_oneshot|_timer))/m.test(example.code)) return ['ebpf'];
  return example.target === undefined ? ['live'] : ['live', 'frozen', 'core'];
}
