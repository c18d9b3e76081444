/** `fluoro run`: a program in Y on a process, a command, a core dump or the whole host. */
import { ok, type Result } from '../base/index.ts';
import {
  openSubject,
  relocateProgram,
  startLiveSession,
  startSnapshotSession,
  type LiveError,
  type Session,
  type SessionReport,
  type Subject,
} from '../session/index.ts';
import { applyOptions, compile, type Program } from '../y/index.ts';
import { Exit, untilStopAsked } from './ending.ts';
import { failCommand, failCompilation, failLive, failTarget } from './looking-errors.ts';
import { readProgramWords, readWish, type LookingFlags, type LookingWish, type ProgramWords } from './looking-options.ts';
import { announce, chooseEngine } from './looking-plan.ts';
import { fetchDebugInformation, openWished, symbolOptions, type OpenedSubject } from './looking-subject.ts';
import { describeProgram } from './program-help.ts';
import { readProgramText, type ProgramText } from './program-text.ts';
import { openRunOutput, type RunOutput } from './run-output.ts';

/** What was asked for, checked as far as that goes without looking at anything. */
interface Run {
  readonly flags: LookingFlags;
  readonly wish: LookingWish;
  readonly options: ProgramWords['options'];
  readonly text: ProgramText;
  readonly output: RunOutput;
}

const INTERRUPTED = 130;
const LONGEST_GOODBYE_MS = 2_000;

/** Runs the command; the exit status. @param words the program's file and its own options */
export async function runProgram(words: readonly string[], flags: LookingFlags): Promise<number> {
  const wish = readWish(flags);
  const parts = readProgramWords(words, flags.eval !== undefined);
  if (!wish.ok || !parts.ok) return refuse([wish, parts].flatMap((one) => (one.ok ? [] : [one.error])).join('; '));
  const text = readProgramText(parts.value.file, flags);
  if (!text.ok) return refuse(text.error);
  if (flags.help === true) return printHelp(text.value, wish.value);
  const output = openRunOutput(flags.output, flags.json === true);
  if (!output.ok) return refuse(output.error);
  const run = { flags, wish: wish.value, options: parts.value.options, text: text.value, output: output.value };
  try {
    return await open(run);
  } finally {
    output.value.close();
  }
}

function refuse(message: string): number {
  process.stderr.write(`fluoro run: ${message}\n(see fluoro run --help)\n`);
  return Exit.usage;
}

function printHelp(text: ProgramText, wish: LookingWish): number {
  if (text.kind === 'compiled') return refuse('a compiled program has no help; ask its source');
  const host = openSubject({ kind: 'host' });
  if (host.ok) process.stdout.write(describeProgram(text.source, wish.defines, host.value.knowledge));
  return Exit.done;
}

async function open(run: Run): Promise<number> {
  const symbols = symbolOptions(run.flags.debuginfod === true);
  if (!symbols.ok) return refuse(symbols.error);
  const opened = await openWished(run.wish.target, symbols.value);
  if (!opened.ok) {
    const { error } = opened;
    return error.kind === 'target' ? failTarget(run.output, error.error) : failCommand(run.output, error.error);
  }
  const { subject, command } = opened.value;
  try {
    if (run.flags.debuginfod === true) for (const line of await fetchDebugInformation(subject)) process.stderr.write(`${line}\n`);
    // A dump that was cut short, a file that was replaced: what is missing is said, and the rest is looked at.
    for (const problem of subject.main?.problems ?? []) process.stderr.write(`fluoro: warning: ${problem}\n`);
    return await prepare(run, opened.value);
  } finally {
    subject.close();
    command?.kill('SIGKILL');
  }
}

/** Compiles the program for what was opened, and chooses its engine. */
async function prepare(run: Run, opened: OpenedSubject): Promise<number> {
  const { output, wish } = run;
  const compiled = compileText(run, opened.subject);
  if (typeof compiled === 'number') return compiled;
  const program = applyOptions(compiled, run.options);
  if (!program.ok) return refuse(program.error.map(({ message }) => message).join('; '));
  const engine = chooseEngine(program.value, wish);
  if (!engine.ok) return refuse(engine.error);
  if (run.flags.verbose === true || (process.stderr.isTTY && engine.value === 'ebpf'))
    process.stderr.write(`${announce(program.value, opened.subject, wish.timeoutMs)}\n`);
  if (engine.value === 'ebpf') return runSession(run, opened, () => startLive(run, program.value, opened.subject), program.value);
  if (!wish.freeze) return runSession(run, opened, () => startSnapshot(run, program.value, opened.subject), program.value);
  // Compiled while it runs, so that it stands still no longer than the walk takes.
  const frozen = openSubject({ kind: 'process', pid: opened.subject.main?.pid ?? 0, freeze: true });
  if (!frozen.ok) return failTarget(output, frozen.error);
  try {
    return await runSession(run, opened, () => startSnapshot(run, program.value, frozen.value), program.value);
  } finally {
    frozen.value.close();
  }
}

/** The program; an exit status when it has mistakes. */
function compileText({ text, wish, output }: Run, { knowledge }: Subject): Program | number {
  if (text.kind === 'compiled') {
    const relocated = relocateProgram(text.program, knowledge);
    if (relocated.ok) return relocated.value;
    output.fail('target', `the compiled program does not fit: ${relocated.error.join('; ')}`);
    return Exit.unavailable;
  }
  const compiled = compile(text.source, knowledge, { defines: wish.defines });
  if (!compiled.ok) {
    return failCompilation(output, compiled.error);
  }
  output.diagnostics(compiled.value.warnings, compiled.value.program.sources);
  return compiled.value.program;
}

function startLive({ output, wish }: Run, program: Program, subject: Subject): Promise<Result<Session, LiveError>> {
  const { timeoutMs, maxOverhead } = wish;
  return startLiveSession(program, subject, { output, timeoutMs, endWithTarget: subject.choice.kind !== 'host', maxOverhead });
}

async function startSnapshot({ output, wish }: Run, program: Program, subject: Subject): Promise<Result<Session, LiveError>> {
  const others = (subject.processes?.members.size ?? 1) - 1;
  if (others > 0) process.stderr.write(`fluoro: ${others + 1} processes fit; the program walks the first, ${subject.main?.pid}\n`);
  return ok(startSnapshotSession(program, subject, { output, timeoutMs: wish.timeoutMs }));
}

/** Starts, waits for the end, and says what was lost. */
async function runSession(
  run: Run,
  { command }: OpenedSubject,
  start: () => Promise<Result<Session, LiveError>>,
  { sources }: Program,
): Promise<number> {
  const asked = untilStopAsked();
  void asked.second.then(() => {
    command?.kill('SIGKILL');
    process.exit(INTERRUPTED);
  });
  const started = await start();
  if (!started.ok) return failLive(run.output, started.error, sources);
  if (run.flags.verbose === true) process.stderr.write(`armed ${(performance.now() / 1000).toFixed(2)} s after the start\n`);
  const session = started.value;
  void asked.first.then(() => session.stop());
  const isPipeClosed = stopWithReader(session);
  command?.resume();
  let isCommandGone = false;
  const commandEnded = command?.ended.then((outcome) => {
    isCommandGone = true;
    session.stop();
    return outcome;
  });
  const ended = await session.ended;
  const report: SessionReport = isCommandGone && ended.reason === 'stopped' ? { ...ended, reason: 'target-gone' } : ended;
  if (!isPipeClosed()) run.output.end(report, run.flags.stats === true);
  if (command !== undefined) {
    command.kill('SIGTERM');
    reportCommand(run, await Promise.race([commandEnded, delay(LONGEST_GOODBYE_MS)]));
  }
  return Exit.done;
}

/** Whoever reads our output may go: then there is nobody to look for. */
function stopWithReader(session: Session): () => boolean {
  let isClosed = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    isClosed = true;
    session.stop();
  });
  return () => isClosed;
}

function reportCommand(
  { wish, output }: Run,
  outcome: { readonly status: number | undefined; readonly signal: string | undefined } | void,
): void {
  if (wish.target.kind !== 'command') return;
  output.commandEnd(wish.target.line, outcome?.status, outcome === undefined ? undefined : outcome.signal);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
