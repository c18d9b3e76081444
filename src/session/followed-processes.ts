/**
 * What is known of each process that stacks are taken of: its mappings for the unwinder, and what names its addresses, also when it
 * is gone.
 *
 * Opening a process costs milliseconds, so one is opened only when a stack of it was met and no other process has the same mappings:
 * a child shares what is known of its parent until it executes something else or loads something. When mappings go away (exec,
 * dlclose) the old knowledge is kept for the stacks taken before: stacks are numbered as they are first seen, and each state of a
 * process knows from which number on it counts.
 */
import { readFileSync } from 'node:fs';
import type { Symbolizer } from '../symbols/index.ts';
import type { Target } from '../target/index.ts';
import type { UnwindTables } from '../unwind/index.ts';
import type { Subject } from './subject.ts';
import type { StackMaps } from './unwound-stacks.ts';

interface Opened {
  readonly target: Target;
  readonly symbolizer: Symbolizer;
}

/** What held of a process from a stack's number on. */
interface State extends Opened {
  readonly from: number;
}

interface Known {
  readonly states: State[];
  /** Its executable mappings, as /proc/PID/maps has them; empty once it is gone. */
  mappings: string;
  /** Shares its target with the process that it was forked from. */
  shared: boolean;
}

/** Time that one look may take for processes that nobody asked about. */
const ROUND_MS = 1;
const MAX_ANCESTORS = 64;
/** Processes kept by number after their end; of more the oldest are forgotten. */
const MAX_KNOWN = 65_536;

export class FollowedProcesses {
  readonly #subject: Subject;
  readonly #tables: UnwindTables;
  readonly #stacks: StackMaps;
  readonly #known = new Map<number, Known>();
  /** Whose mappings are compared next, when there is time. */
  #round: number[] = [];
  /** Modules whose files can be read only while their process lives, and are not read yet. */
  readonly #fragile: (() => void)[] = [];

  constructor(subject: Subject, tables: UnwindTables, stacks: StackMaps) {
    this.#subject = subject;
    this.#tables = tables;
    this.#stacks = stacks;
  }

  /** Makes a process known to the unwinder. */
  add(pid: number): void {
    const mappings = readExecutableMappings(pid);
    if (mappings === undefined) return;
    const parent = this.#ancestorOf(pid);
    if (parent?.known.mappings === mappings) this.#adopt(pid, parent.pid, parent.known);
    else this.#open(pid, mappings);
  }

  /** What changed since the last look; `pids` are the session's processes, when it has a set of them. */
  look(pids: readonly number[]): void {
    for (const { pid, isMissing } of this.#stacks.takeAsked()) {
      if (isMissing) this.#tables.removeProcess(pid);
      if (this.#known.has(pid)) this.#compare(pid, isMissing);
      else this.add(pid);
    }
    for (const pid of pids) if (!this.#known.has(pid)) this.#adoptUnseen(pid);
    this.#lookRound();
    this.#fragile.shift()?.();
  }

  /** What names addresses of a stack: of the process as it was when the stack was first seen. */
  find(pid: number, stack: number): Symbolizer | undefined {
    const states = (this.#known.get(pid) ?? this.#ancestorOf(pid)?.known)?.states ?? [];
    const found = states.findLast(({ from }) => from <= stack) ?? states[0];
    return found?.symbolizer;
  }

  #open(pid: number, mappings: string): void {
    const isReused = this.#known.has(pid);
    const opened = isReused ? this.#subject.reopen(pid) : this.#subject.open(pid);
    if (opened === undefined) return;
    this.#keep(pid, opened, mappings, false);
    this.#tables.addProcess(opened.target);
    for (const module of opened.target.modules)
      if (module.hostPath?.startsWith('/proc/') === true) this.#fragile.push(() => void opened.symbolizer.symbolsOf(module));
  }

  #keep(pid: number, { target, symbolizer }: Opened, mappings: string, shared: boolean): void {
    const states = this.#known.get(pid)?.states ?? [];
    states.push({ target, symbolizer, from: states.length === 0 ? 0 : this.#stacks.count + 1 });
    this.#known.delete(pid);
    this.#known.set(pid, { states, mappings, shared });
    if (this.#known.size > MAX_KNOWN) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const [pid, { mappings }] of this.#known)
      if (mappings === '') {
        this.#known.delete(pid);
        return;
      }
  }

  /** A child of one that we know, not looked at: the kernel gave it its parent's table already, which now counts as used. */
  #adoptUnseen(pid: number): void {
    const parent = this.#ancestorOf(pid);
    if (parent !== undefined) this.#adopt(pid, parent.pid, parent.known);
  }

  #adopt(pid: number, parentPid: number, parent: Known): void {
    if (!this.#tables.hasProcess(parentPid)) return;
    this.#tables.addChild(parentPid, pid);
    this.#keep(pid, parent.states.at(-1)!, parent.mappings, true);
  }

  #ancestorOf(pid: number): { readonly pid: number; readonly known: Known } | undefined {
    let child = pid;
    for (let depth = 0; depth < MAX_ANCESTORS; depth++) {
      const parent = this.#stacks.parentOf(child);
      if (parent === undefined) return undefined;
      const known = this.#known.get(parent);
      if (known !== undefined) return { pid: parent, known };
      child = parent;
    }
    return undefined;
  }

  /** Compares mappings with those of the process now. `rewrite`: the kernel's table of it is gone, so that it is written in any case. */
  #compare(pid: number, rewrite: boolean): void {
    const known = this.#known.get(pid)!;
    const mappings = readExecutableMappings(pid);
    if (mappings === undefined) {
      known.mappings = '';
      this.#tables.removeProcess(pid);
      return;
    }
    if (mappings === known.mappings) {
      if (rewrite) this.#tables.addProcess(known.states.at(-1)!.target);
      return;
    }
    const now = new Set(mappings.split('\n'));
    const onlyMore = known.mappings !== '' && known.mappings.split('\n').every((line) => now.has(line));
    if (known.shared || !onlyMore) return this.#open(pid, mappings);
    const { target, symbolizer } = known.states.at(-1)!;
    known.mappings = mappings;
    this.#tables.refresh(target);
    symbolizer.refresh();
  }

  /** Mappings that changed without a stack that met the change: code that took the place of other code. */
  #lookRound(): void {
    const end = performance.now() + ROUND_MS;
    if (this.#round.length === 0) this.#round = [...this.#known].filter(([, { mappings }]) => mappings !== '').map(([pid]) => pid);
    while (this.#round.length > 0 && performance.now() < end) {
      const pid = this.#round.pop()!;
      if (this.#known.get(pid)?.mappings !== '') this.#compare(pid, false);
    }
  }
}

/** Lines of /proc/PID/maps that are executable; undefined when the process is gone. */
export function readExecutableMappings(pid: number): string | undefined {
  try {
    const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').match(/^[0-9a-f]+-[0-9a-f]+ ..x. .*$/gm);
    return lines?.filter((line) => !line.endsWith('[vsyscall]')).join('\n');
  } catch {
    return undefined;
  }
}
