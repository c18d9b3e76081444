/** Opens what a command looks at: starts the command, finds processes, fetches debug information. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { assertNever, err, ok, type Result } from '../base/index.ts';
import { openSubject, splitWords, StartedCommand, type CommandError, type Subject, type SubjectChoice } from '../session/index.ts';
import { debuginfodUrls, type SymbolizerOptions } from '../symbols/index.ts';
import type { TargetError } from '../target/index.ts';
import type { TargetWish } from './looking-options.ts';

export interface OpenedSubject {
  readonly subject: Subject;
  /** Stands still at its first instruction. */
  readonly command: StartedCommand | undefined;
}

export type SubjectError =
  | { readonly kind: 'target'; readonly error: TargetError }
  | { readonly kind: 'command'; readonly error: CommandError };

/** The caller closes the subject, and lets the command go on or kills it. @param options see `symbolOptions` */
export async function openWished(wish: TargetWish, options: SymbolizerOptions): Promise<Result<OpenedSubject, SubjectError>> {
  const started = wish.kind === 'command' ? await StartedCommand.start(splitWords(wish.line)) : undefined;
  if (started?.ok === false) return err({ kind: 'command', error: started.error });
  const command = started?.value;
  const opened = openSubject(toChoice(wish, command), options);
  if (opened.ok) return ok({ subject: opened.value, command });
  command?.kill('SIGKILL');
  return err({ kind: 'target', error: explain(wish, opened.error) });
}

function toChoice(wish: TargetWish, command: StartedCommand | undefined): SubjectChoice {
  switch (wish.kind) {
    case 'host':
    case 'core':
      return wish;
    case 'process':
      return { kind: 'process', pid: wish.pid, freeze: false };
    case 'command':
      return { kind: 'process', pid: command?.pid ?? 0, freeze: false };
    case 'group':
      return { kind: 'processes', query: { group: wish.group } };
    case 'executable':
      return { kind: 'processes', query: { exe: wish.path } };
    case 'container':
      return { kind: 'processes', query: { container: wish.id } };
    default:
      return assertNever(wish);
  }
}

/** Says what was asked for, where only a condition on processes was not met. */
function explain(wish: TargetWish, error: TargetError): TargetError {
  if (error.kind !== 'gone') return error;
  switch (wish.kind) {
    case 'process':
      return { ...error, message: `there is no process ${wish.pid}; \`pgrep NAME\` finds one` };
    case 'group':
      return { ...error, message: `there is no process group ${wish.group}; \`ps -eo pgid,args\` lists them` };
    case 'executable':
      return { ...error, message: `no process runs ${wish.path}; start it, or let -c start it` };
    case 'container':
      return {
        ...error,
        message: `no process is in a container ${wish.id}…; the ids are those of \`docker ps\`, \`podman ps\` or \`crictl ps\``,
      };
    default:
      return error;
  }
}

/** Where debug information may be fetched from. Nothing is asked without `allowed`. */
export function symbolOptions(allowed: boolean): Result<SymbolizerOptions, string> {
  if (!allowed) return ok({});
  const urls = debuginfodUrls(process.env);
  if (urls.length === 0) return err('--debuginfod needs servers in DEBUGINFOD_URLS, such as https://debuginfod.debian.net');
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return ok({ debuginfodUrls: urls, debuginfodTimeoutMs: 60_000, cacheDirectory: join(cache, 'fluoroscope') });
}

/** Fetches what is missing for the opened processes; a line for each file that no server has or that failed. */
export async function fetchDebugInformation(subject: Subject): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { symbolizer } of subject.targets.values()) {
    const { fetched, notFound, failed } = await symbolizer.fetchMissing();
    if (fetched.length > 0) lines.push(`debug information fetched: ${fetched.join(', ')}`);
    if (notFound.length > 0) lines.push(`no server has debug information of ${notFound.join(', ')}`);
    for (const one of failed) lines.push(`debug information was not fetched: ${one}`);
  }
  return lines;
}
