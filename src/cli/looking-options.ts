/** Flags of the commands that look into programs, as the user wrote them, and what they mean. Loads nothing, so that help comes at once. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { err, ok, type Result } from '../base/index.ts';

/** As commander gives them: texts, unchecked. */
export interface LookingFlags {
  readonly eval?: string;
  readonly pid?: string;
  readonly command?: string;
  readonly exe?: string;
  readonly container?: string;
  readonly core?: string;
  readonly timeout?: string;
  readonly json?: boolean;
  readonly output?: string;
  readonly maxOverhead?: string;
  readonly freeze?: boolean;
  readonly stats?: boolean;
  readonly verbose?: boolean;
  readonly engine?: string;
  readonly include?: readonly string[];
  readonly define?: readonly string[];
  readonly debuginfod?: boolean;
  readonly dump?: string;
  readonly help?: boolean;
}

/** What is looked at; `command` is still to be started. */
export type TargetWish =
  | { readonly kind: 'host' }
  | { readonly kind: 'process'; readonly pid: number }
  | { readonly kind: 'group'; readonly group: number }
  | { readonly kind: 'executable'; readonly path: string }
  | { readonly kind: 'container'; readonly id: string }
  | { readonly kind: 'command'; readonly line: string }
  | { readonly kind: 'core'; readonly path: string; readonly exe: string | undefined };

export interface LookingWish {
  readonly target: TargetWish;
  readonly timeoutMs: number | undefined;
  /** Share of the target's CPU time, 0 to 1. */
  readonly maxOverhead: number | undefined;
  readonly engine: 'ebpf' | 'snapshot' | undefined;
  readonly freeze: boolean;
  readonly defines: ReadonlyMap<string, string>;
}

/** What the flags ask for; or what is wrong with one of them, in a sentence. */
export function readWish(flags: LookingFlags): Result<LookingWish, string> {
  const target = readTarget(flags);
  if (!target.ok) return target;
  const timeoutMs = readTimeout(flags.timeout);
  if (!timeoutMs.ok) return timeoutMs;
  const maxOverhead = readShare(flags.maxOverhead);
  if (!maxOverhead.ok) return maxOverhead;
  const { engine } = flags;
  if (engine !== undefined && engine !== 'ebpf' && engine !== 'snapshot')
    return err(`--engine is ebpf or snapshot, and not "${engine}"; without it the program's probes decide`);
  const freeze = flags.freeze === true;
  if (freeze && target.value.kind !== 'process') return err('--freeze stops one process: give it with -p PID');
  const defines = readDefines(flags.define ?? []);
  if (!defines.ok) return defines;
  return ok({ target: target.value, timeoutMs: timeoutMs.value, maxOverhead: maxOverhead.value, engine, freeze, defines: defines.value });
}

function readTarget({ pid, command, exe, container, core }: LookingFlags): Result<TargetWish, string> {
  const given = [
    ...(pid === undefined ? [] : ['-p']),
    ...(command === undefined ? [] : ['-c']),
    ...(exe === undefined || core !== undefined ? [] : ['--exe']),
    ...(container === undefined ? [] : ['--container']),
    ...(core === undefined ? [] : ['--core']),
  ];
  if (given.length > 1) return err(`${given.join(' and ')} both choose what to look at: give one of them`);
  if (core !== undefined) return ok({ kind: 'core', path: core, exe });
  if (pid !== undefined) return readPid(pid);
  if (command !== undefined) return command.trim() === '' ? err('-c needs a command') : ok({ kind: 'command', line: command });
  if (exe !== undefined) return ok({ kind: 'executable', path: toRealPath(exe) });
  if (container === undefined) return ok({ kind: 'host' });
  if (!/^[0-9a-f]{4,64}$/i.test(container)) return err(`--container is the first digits of an id, at least 4, and not "${container}"`);
  return ok({ kind: 'container', id: container });
}

function readPid(text: string): Result<TargetWish, string> {
  const number = /^-?[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
  if (number === 0) return err(`-p is a process id, or a process group's with a minus, and not "${text}"; \`pgrep NAME\` finds one`);
  return ok(number > 0 ? { kind: 'process', pid: number } : { kind: 'group', group: -number });
}

/** Processes name their executables by their real paths. */
function toRealPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

const LONGEST_TIMEOUT_S = 2_000_000;

function readTimeout(text: string | undefined): Result<number | undefined, string> {
  if (text === undefined) return ok(undefined);
  const seconds = /^\d+(\.\d+)?s?$/.test(text) ? Number.parseFloat(text) : 0;
  if (seconds > 0 && seconds <= LONGEST_TIMEOUT_S) return ok(seconds * 1000);
  return err(`--timeout is a number of seconds up to ${LONGEST_TIMEOUT_S}, and not "${text}"`);
}

function readShare(text: string | undefined): Result<number | undefined, string> {
  if (text === undefined) return ok(undefined);
  const number = /^\d+(\.\d+)?%$/.test(text) ? Number.parseFloat(text) / 100 : /^\d*\.?\d+$/.test(text) ? Number(text) : -1;
  return number > 0 && number <= 1 ? ok(number) : err(`--max-overhead is a share such as 1% or 0.01, and not "${text}"`);
}

function readDefines(texts: readonly string[]): Result<ReadonlyMap<string, string>, string> {
  const defines = new Map<string, string>();
  for (const text of texts) {
    const parts = /^([A-Za-z_]\w*)(?:=(.*))?$/s.exec(text);
    if (parts === null) return err(`-D is NAME or NAME=VALUE, and not "${text}"`);
    defines.set(parts[1]!, parts[2] ?? '1');
  }
  return ok(defines);
}

/** The words behind the flags: the program's file, and the program's own options. */
export interface ProgramWords {
  readonly file: string | undefined;
  readonly options: ReadonlyMap<string, string>;
}

/** `--name value`, `--name=value`, and `--name` alone for a truth value. @param hasText the program was given by `-e`: no word is a file */
export function readProgramWords(words: readonly string[], hasText: boolean): Result<ProgramWords, string> {
  const options = new Map<string, string>();
  let file: string | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const parts = /^--([A-Za-z_][\w-]*)(?:=(.*))?$/s.exec(word);
    if (parts === null) {
      if (word.startsWith('-') && word !== '-') return err(`there is no option ${word}`);
      if (hasText) return err(`"${word}" is one word too many: the program was given with -e`);
      if (file !== undefined) return err(`"${word}" is one word too many: the program is ${file}`);
      file = word;
      continue;
    }
    const next = words[at + 1];
    const isAlone = parts[2] === undefined && (next === undefined || next.startsWith('--'));
    options.set(parts[1]!, parts[2] ?? (isAlone ? 'true' : next!));
    if (parts[2] === undefined && !isAlone) at++;
  }
  return ok({ file, options });
}
