/**
 * A command that is started to be looked at: it stands still at its first instruction until it is told to go on.
 *
 * A shell stops itself and then becomes the command. Meanwhile a probe lies on the entry point of the executable; when the
 * process gets there, the kernel stops it again (bpf_send_signal, 5.3). By then the loader has mapped the libraries, so that
 * names in all of them can be found before the first line of the program runs.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { err, ok, type Result } from '../base/index.ts';
import { Assembler } from '../bpf/index.ts';
import { findFileOffset, parseElf } from '../elf/index.ts';
import { KernelObject, type KernelError } from '../kernel/index.ts';

export type CommandError =
  /** There is no such command, or it cannot be executed. */
  { readonly kind: 'command'; readonly message: string } | { readonly kind: 'kernel'; readonly error: KernelError };

export interface CommandOutcome {
  /** Exit status; undefined when a signal ended it. */
  readonly status: number | undefined;
  readonly signal: string | undefined;
}

const SIGSTOP = 19;
const PROGRAM = 'fluoro_stop';
const STOP_THEN_BECOME = 'kill -STOP $$; exec "$@"';
const MOST_INTERPRETERS = 4;
const POLL_MS = 1;
const START_LIMIT_MS = 10_000;

/** A started command, stopped. Its standard streams are ours. */
export class StartedCommand {
  /** Resolves when it is gone. */
  readonly ended: Promise<CommandOutcome>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ended: Promise<CommandOutcome>) {
    this.#child = child;
    this.ended = ended;
  }

  /** Starts `words` and waits until it stands at its entry point. The caller lets it go on, or kills it. */
  static async start(words: readonly string[]): Promise<Result<StartedCommand, CommandError>> {
    const place = findEntry(words);
    if (!place.ok) return place;
    const object = KernelObject.load({ maps: [], programs: [stopper()] });
    if (!object.ok) return err({ kind: 'kernel', error: object.error });
    const child = spawn('/bin/sh', ['-c', STOP_THEN_BECOME, 'sh', ...words], { stdio: 'inherit' });
    const command = new StartedCommand(child, waitForEnd(child));
    const stopped = await command.#stopAtEntry(object.value, place.value);
    await object.value.close();
    if (stopped === undefined) return ok(command);
    command.kill('SIGKILL');
    return err(stopped);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Lets it run. */
  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** A stopped command gets the signal when it goes on, but for SIGKILL. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#child.kill(signal);
    if (signal !== 'SIGKILL') this.resume();
  }

  async #stopAtEntry(object: KernelObject, { path, offset }: EntryPoint): Promise<CommandError | undefined> {
    if (!(await this.#untilStopped())) return { kind: 'command', message: 'the shell that starts the command ended before it stopped' };
    const attached = object.attachUprobes(PROGRAM, { path, places: [{ offset }], kind: 'entry', pid: this.pid });
    if (!attached.ok) return { kind: 'kernel', error: attached.error };
    this.resume();
    const isThere = await this.#untilStopped();
    if (!isThere) return { kind: 'command', message: `${path} never came to its entry point` };
    return undefined;
  }

  /** False when it ended, or did not stop in time. */
  async #untilStopped(): Promise<boolean> {
    const limit = performance.now() + START_LIMIT_MS;
    while (performance.now() < limit) {
      const state = readState(this.pid);
      if (state === 'T') return true;
      if (state === undefined || state === 'Z' || state === 'X') return false;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return false;
  }
}

/** Splits a command line as a shell does: blanks, single and double quotes, backslashes. No variables, no patterns. */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  for (const [word] of line.matchAll(/(?:'[^']*'?|"(?:\\.|[^"\\])*"?|\\.|[^\s'"\\])+/gs)) words.push(unquote(word));
  return words;
}

function unquote(word: string): string {
  return word.replaceAll(/'([^']*)'?|"((?:\\.|[^"\\])*)"?|\\(.)/gs, (_, single?: string, double?: string, escaped?: string) =>
    double === undefined ? (single ?? escaped ?? '') : double.replaceAll(/\\(["\\$`])/g, '$1'),
  );
}

interface EntryPoint {
  readonly path: string;
  /** Bytes from the file's start. */
  readonly offset: number;
}

/** Follows `#!` to the file that the kernel executes. */
function findEntry(words: readonly string[]): Result<EntryPoint, CommandError> {
  let name = words[0] ?? '';
  for (let depth = 0; depth <= MOST_INTERPRETERS; depth++) {
    const path = findExecutable(name);
    if (path === undefined) return refuse(words, name === '' ? 'the command is empty' : `there is no executable file ${name}`);
    const bytes = readFileSync(path);
    const elf = parseElf(bytes);
    if (elf.ok) {
      const offset = findFileOffset(elf.value, elf.value.entry);
      return offset === undefined ? refuse(words, `${path} has no entry point`) : ok({ path, offset });
    }
    const interpreter = findInterpreter(bytes);
    if (interpreter === undefined) return refuse(words, `${path} is neither an ELF file nor a script with #!`);
    name = interpreter;
  }
  return refuse(words, 'its interpreters are scripts, one after another');
}

function refuse(words: readonly string[], why: string): Result<never, CommandError> {
  return err({ kind: 'command', message: `cannot start "${words.join(' ')}": ${why}` });
}

/** `env` is seen through: it becomes what it names. */
function findInterpreter(bytes: Uint8Array): string | undefined {
  const line = /^#!\s*([^\n]+)/.exec(new TextDecoder('latin1').decode(bytes.subarray(0, 256)))?.[1];
  const [path, ...rest] = line?.trim().split(/\s+/) ?? [];
  if (path === undefined) return undefined;
  return basename(path) === 'env' ? rest.find((word) => !word.startsWith('-') && !word.includes('=')) : path;
}

function findExecutable(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(':');
  const candidates = name === '' ? [] : name.includes('/') ? [name] : folders.map((folder) => join(folder === '' ? '.' : folder, name));
  const found = candidates.find(isExecutable);
  return found && realpathSync(found);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function stopper() {
  const code = new Assembler().moveImm(1, SIGSTOP).call('send_signal').moveImm(0, 0).exit().assemble();
  return { name: PROGRAM, type: 'kprobe', attach: 'uprobeMulti', ...code } as const;
}

function waitForEnd(child: ChildProcess): Promise<CommandOutcome> {
  return new Promise((resolve) => {
    child.once('exit', (status, signal) => resolve({ status: status ?? undefined, signal: signal ?? undefined }));
    child.once('error', () => resolve({ status: undefined, signal: undefined }));
  });
}

/** The letter of /proc/PID/stat, behind the name in parentheses. */
function readState(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2)[0];
  } catch {
    return undefined;
  }
}
