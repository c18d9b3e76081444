// Runs an example on an engine, and gives what a person would see.
import { inspect } from 'node:util';
import {
  applyOptions,
  compile,
  drawChart,
  renderDiagnostics,
  type EbpfDiagnostic,
  type OutputSink,
  type Program,
} from '../../../src/y/index.ts';
import {
  describeLosses,
  openSubject,
  startLiveSession,
  startSnapshotSession,
  type SessionReport,
  type Subject,
} from '../../../src/session/index.ts';
import type { Engine, Example } from './examples.ts';
import { SOURCES, type RunningTarget, type Targets } from './targets.ts';

const FILE = 'example.y';
const TOO_LONG_MS = 10_000;
/** How targets spell the last function of a round, where it is not `finished`. */
const FINISHED: Readonly<Record<string, string>> = { 'state-cc': '`shop::finished`', 'state-go': '`main.Finished`' };
/** Files that examples include. */
const INCLUDED = new Map([
  ['shared.y', '#pragma once\n#define SHARED 12\nint twice(int n) { return n * 2; }\n'],
  ['again.y', '#include "again.y"\n'],
]);

/** This kernel cannot do what the program asks for. */
export class Unsupported extends Error {}

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
    const subject = await this.#subject(targetOf(example, engine), engine);
    const compiled = compile({ file: FILE, text: example.code, resolveInclude: findInclude }, subject.knowledge, {
      defines: new Map([['PROBE', engine === 'ebpf' ? (FINISHED[example.target ?? ''] ?? 'finished') : '_oneshot']]),
    });
    if (!compiled.ok)
      return this.#targets.hideFolder(renderDiagnostics(compiled.error.diagnostics, compiled.error.sources, { color: false }));
    const { warnings } = compiled.value;
    if (example.expected.kind === 'error' && warnings.length > 0)
      return renderDiagnostics(warnings, new Map([[FILE, example.code]]), { color: false });
    const program = applyOptions(compiled.value.program, readArguments(example.args));
    if (!program.ok) return program.error.map(({ message }) => `error: ${message}\n`).join('');
    return engine === 'ebpf' ? this.#runLive(example, program.value, subject) : runSnapshot(example, program.value, subject);
  }

  /** Whether the target's compiler is there. */
  canBuild({ target }: Example): boolean {
    return target === undefined || this.#targets.build(target) !== undefined;
  }

  async #runLive(example: Example, program: Program, subject: Subject): Promise<string> {
    const output = new Collected(example.json);
    const session = await startLiveSession(program, subject, { output, timeoutMs: timeoutOf(example), endWithTarget: true });
    if (!session.ok)
      return session.error.kind === 'program' ? session.error.diagnostics.map(renderOne).join('') : `${inspect(session.error)}\n`;
    const target = targetOf(example, 'ebpf');
    if (target !== undefined) await (await this.#process(this.#busy, target)).round();
    if (example.until === undefined) session.value.stop();
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

async function runSnapshot(example: Example, program: Program, subject: Subject): Promise<string> {
  const output = new Collected(example.json);
  const session = startSnapshotSession(program, subject, { output, timeoutMs: timeoutOf(example) });
  return output.finish(await session.ended);
}

function timeoutOf({ until }: Example): number {
  return until === undefined || until === 'exit' ? TOO_LONG_MS : Number(until);
}

function findInclude(name: string): { readonly file: string; readonly text: string } | undefined {
  const text = INCLUDED.get(name);
  return text === undefined ? undefined : { file: name, text };
}

function readArguments(args: readonly string[]): ReadonlyMap<string, string> {
  return new Map(args.flatMap((word, index) => (word.startsWith('--') ? [[word.slice(2), args[index + 1] ?? ''] as const] : [])));
}

function renderOne({ place, code, message, hint }: EbpfDiagnostic): string {
  const where = place === undefined ? '' : `${place.file}:${place.line}:${place.column}: `;
  return `${where}error: ${message} [${code}]\n${hint === undefined ? '' : `  hint: ${hint}\n`}`;
}

/** What goes to standard output and standard error, in one text. */
class Collected implements OutputSink {
  readonly #json: boolean;
  #text = '';

  constructor(json: boolean) {
    this.#json = json;
  }

  write(stream: 'out' | 'warn' | 'error', text: string): void {
    this.#text += stream === 'out' ? text : `${stream}: ${text}\n`;
  }

  chart(chart: Parameters<OutputSink['chart']>[0]): void {
    this.#text += this.#json ? `${JSON.stringify(chart)}\n` : drawChart(chart, { columns: 80, rows: undefined, colours: false });
  }

  /** Places in the target's source are shown without its folder, which is another on every machine. */
  finish(report: SessionReport): string {
    return (
      this.#text.replaceAll(SOURCES, '') +
      describeLosses(report)
        .map((line) => `${line}\n`)
        .join('')
    );
  }
}

/** Where a program can run: what has hit probes in the kernel, what has none everywhere else. */
export function enginesOf(example: Example): readonly Engine[] {
  if (example.engines !== undefined) return example.engines;
  // A mistake is found before there is an engine.
  const all = enginesFor(example);
  return example.expected.kind === 'error' ? all.slice(0, 1) : all;
}

function enginesFor(example: Example): readonly Engine[] {
  if (/^_(global )?probe\??(?!\s+(_begin|_end|_oneshot|_timer|PROBE))/m.test(example.code)) return ['ebpf'];
  if (/^_probe PROBE/m.test(example.code)) return example.target === undefined ? ['live', 'ebpf'] : ['live', 'frozen', 'core', 'ebpf'];
  return example.target === undefined ? ['live'] : ['live', 'frozen', 'core'];
}

/** The kernel hits probes only in a process: what looks at none waits for the plainest. */
function targetOf({ target, code }: Example, engine: Engine): string | undefined {
  return target ?? (engine === 'ebpf' && code.includes('PROBE') ? 'state' : undefined);
}
