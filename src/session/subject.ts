/** What a session looks at: a process, several, a core dump, or the whole host; opened, with what names and explains it. */
import { err, ok, type Result } from '../base/index.ts';
import { openTracingFiles } from '../kernel/index.ts';
import { Symbolizer, type SymbolizerOptions } from '../symbols/index.ts';
import { findProcesses, openTarget, type ProcessQuery, type ProcessSet, type Target, type TargetError } from '../target/index.ts';
import type { Knowledge } from '../y/index.ts';
import { DebugFiles, hasDebugInfo } from './debug-files.ts';
import { KernelKnowledge } from './kernel-knowledge.ts';
import { TargetKnowledge } from './target-knowledge.ts';

/** How a subject is chosen. `processes` may grow while we look; without a condition it is every process of the host. */
export type SubjectChoice =
  | { readonly kind: 'process'; readonly pid: number; readonly freeze: boolean }
  | { readonly kind: 'processes'; readonly query: ProcessQuery }
  | { readonly kind: 'core'; readonly path: string; readonly exe: string | undefined }
  | { readonly kind: 'host' };

/** At most so many processes of a set are opened when a program is compiled: the files they map are what matters. */
const MAX_OPENED = 64;

export class Subject {
  readonly choice: SubjectChoice;
  readonly knowledge: Knowledge;
  /** The set of processes, where there may be several. */
  readonly processes: ProcessSet | undefined;
  readonly #options: SymbolizerOptions;
  readonly #targets = new Map<number, { readonly target: Target; readonly symbolizer: Symbolizer }>();
  readonly #main: Target | undefined;
  readonly #debugFiles: DebugFiles;

  constructor(choice: SubjectChoice, targets: readonly Target[], processes: ProcessSet | undefined, options: SymbolizerOptions) {
    this.choice = choice;
    this.processes = processes;
    this.#options = { sharedFiles: new Map(), ...options };
    this.#debugFiles = new DebugFiles(options.debugDirectories ?? ['/usr/lib/debug']);
    this.#main = targets[0];
    const architecture = this.#main?.architecture ?? (process.arch === 'arm64' ? 'aarch64' : 'x86-64');
    const known = targets.map((target) => this.#keep(target));
    this.knowledge = new TargetKnowledge(architecture, known, new KernelKnowledge(architecture, openTracingFiles()), (elf, debug, path) =>
      this.#debugFiles.open(hasDebugInfo(elf) || debug === undefined ? elf : debug, path, this.#root(this.#main)),
    );
  }

  /** The process or core dump whose memory is read; undefined for the whole host, and for a set without members. */
  get main(): Target | undefined {
    return this.#main;
  }

  /** Processes that were opened, by pid. Those that ended stay, so that their addresses can still be named. */
  get targets(): ReadonlyMap<number, { readonly target: Target; readonly symbolizer: Symbolizer }> {
    return this.#targets;
  }

  /** Opens a process that joined; undefined when it is gone or may not be read. */
  open(pid: number): { readonly target: Target; readonly symbolizer: Symbolizer } | undefined {
    const known = this.#targets.get(pid);
    if (known !== undefined) return known;
    const target = openTarget({ pid });
    return target.ok ? this.#keep(target.value) : undefined;
  }

  /** Opens a process again, whose mappings have changed so that the old knowledge is of another program; the old one stays as it was. */
  reopen(pid: number): { readonly target: Target; readonly symbolizer: Symbolizer } | undefined {
    const target = openTarget({ pid });
    return target.ok ? this.#keep(target.value) : undefined;
  }

  close(): void {
    for (const { target } of this.#targets.values()) target.close();
  }

  #keep(target: Target) {
    const openLines: SymbolizerOptions['openLines'] = (file, _main, path) => this.#debugFiles.open(file, path, this.#root(target));
    const known = { target, symbolizer: Symbolizer.forTarget(target, { ...this.#options, openLines }) };
    this.#targets.set(target.pid, known);
    return known;
  }

  /** Where a target's files are seen from here. */
  #root(target: Target | undefined): string {
    return this.#options.root ?? (target === undefined || target.kind === 'core' ? '' : `/proc/${target.pid}/root`);
  }
}

/** Opens what was chosen. The caller closes it. */
export function openSubject(choice: SubjectChoice, options: SymbolizerOptions = {}): Result<Subject, TargetError> {
  switch (choice.kind) {
    case 'host':
      return ok(new Subject(choice, [], undefined, options));
    case 'processes':
      return openProcesses(choice, options);
    case 'core':
    case 'process': {
      const target =
        choice.kind === 'core'
          ? openTarget({ core: choice.path, ...(choice.exe === undefined ? {} : { exe: choice.exe }) })
          : openTarget({ pid: choice.pid }, { freeze: choice.freeze });
      return target.ok ? ok(new Subject(choice, [target.value], undefined, options)) : target;
    }
  }
}

function openProcesses(choice: Extract<SubjectChoice, { kind: 'processes' }>, options: SymbolizerOptions): Result<Subject, TargetError> {
  const set = findProcesses(choice.query);
  const targets: Target[] = [];
  let refused: TargetError | undefined;
  for (const pid of [...set.members.keys()].slice(0, MAX_OPENED)) {
    const target = openTarget({ pid });
    if (target.ok) targets.push(target.value);
    else refused ??= target.error;
  }
  if (targets.length > 0) return ok(new Subject(choice, targets, set, options));
  const what = Object.entries(choice.query)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
  return err(refused ?? { kind: 'gone', message: `no process with ${what}` });
}
