// A walk over the memory of a real program: the same text from the live process, the frozen one and its core dump.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeLosses, openSubject, startSnapshotSession, type SubjectChoice } from '../../../src/session/index.ts';
import { compile, includeFrom, renderDiagnostics } from '../../../src/y/index.ts';

const FOLDER = fileURLToPath(new URL('../walks/', import.meta.url));

export interface Walked {
  readonly text: string;
  /** A line for each thing that was lost. */
  readonly lost: readonly string[];
  /** From the first probe to the end; opening and compiling are not in it. */
  readonly durationMs: number;
}

/** Runs a program of test/y/walks, and gives what it prints. @throws with the diagnostics when it does not compile */
export async function walk(name: string, choice: SubjectChoice): Promise<Walked> {
  const subject = openSubject(choice);
  if (!subject.ok) throw new Error(subject.error.message);
  try {
    const file = FOLDER + name;
    const compiled = compile(
      { file, text: readFileSync(file, 'utf8'), resolveInclude: includeFrom(readIfThere, []) },
      subject.value.knowledge,
    );
    if (!compiled.ok) throw new Error(renderDiagnostics(compiled.error.diagnostics, compiled.error.sources, { color: false }));
    let text = '';
    const output = {
      write: (stream: string, line: string) => void (text += stream === 'out' ? line : `${stream}: ${line}\n`),
      chart: () => {},
    };
    const session = startSnapshotSession(compiled.value.program, subject.value, { output, timeoutMs: 60_000 });
    const report = await session.ended;
    return { text, lost: describeLosses(report), durationMs: report.durationMs };
  } finally {
    subject.value.close();
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** What our gdb scripts print first. */
const SCRIPT = '-- script --\n';

/**
 * Runs a gdb script of test/y/walks on a core dump, and gives what the script prints.
 *
 * @param types an object file whose debug information gdb gets besides the program's own
 */
export function askGdb(script: string, program: string, core: string, types?: string): string {
  const commands = ['set confirm off', ...(types === undefined ? [] : [`add-symbol-file ${types} 0x1`])];
  const args = ['-batch', '-nx', ...commands.flatMap((command) => ['-ex', command]), '-x', FOLDER + script, program, core];
  const said = execFileSync('gdb', args, { encoding: 'utf8', stdio: 'pipe', env: { ...process.env, DEBUGINFOD_URLS: '' } });
  return said.slice(said.indexOf(SCRIPT) + SCRIPT.length);
}

/** A core dump of a process, made by gcore; its path. */
export function dumpCore(pid: number, prefix: string): string {
  execFileSync('gcore', ['-o', prefix, String(pid)], { stdio: 'pipe' });
  return `${prefix}.${pid}`;
}
