import { basename } from 'node:path';
import { isSameContainer } from './container-id.ts';
import { parseStartTicks } from './proc-status.ts';
import { listProcessIds, readIdentity, readProcText, readStatus } from './proc-files.ts';
import type { Identity } from './target.ts';

/** Which processes are meant; one that fits everything given is a member. Without any condition, all processes are. */
export interface ProcessQuery {
  readonly pid?: number;
  /** Process group. */
  readonly group?: number;
  /** Path of the executable as the process sees it. */
  readonly exe?: string;
  /** A container's id, or at least four first digits of it. */
  readonly container?: string;
  /** Name of the main thread, or of the executable's file, or the first word of the command line without its folder. */
  readonly command?: string;
}

/** A process that was found. */
export interface FoundProcess {
  readonly pid: number;
  /** Clock ticks since boot; tells apart two processes that had the same pid one after the other. */
  readonly startTicks: number;
  readonly identity: Identity;
}

export interface ProcessChanges {
  readonly added: readonly FoundProcess[];
  /** Ended, or became something that the query does not mean (another executable, another group). */
  readonly gone: readonly FoundProcess[];
}

/** Processes that fit a query, as of the last `refresh`. Kernel threads are never members. */
export class ProcessSet {
  readonly #query: ProcessQuery;
  readonly #members = new Map<number, FoundProcess>();

  constructor(query: ProcessQuery) {
    this.#query = query;
  }

  /** By pid. */
  get members(): ReadonlyMap<number, FoundProcess> {
    return this.#members;
  }

  /** Looks again. A process that ends while we look is simply not there. */
  refresh(): ProcessChanges {
    const { pid } = this.#query;
    const now = new Map<number, FoundProcess>();
    for (const candidate of pid === undefined ? listProcessIds() : [pid]) {
      const found = this.#examine(candidate);
      if (found !== undefined) now.set(candidate, found);
    }
    const isSame = (a: FoundProcess | undefined, b: FoundProcess): boolean => a?.startTicks === b.startTicks;
    const gone = [...this.#members.values()].filter((member) => !isSame(now.get(member.pid), member));
    const added = [...now.values()].filter((found) => !isSame(this.#members.get(found.pid), found));
    this.#members.clear();
    for (const [key, found] of now) this.#members.set(key, found);
    return { added, gone };
  }

  #examine(pid: number): FoundProcess | undefined {
    const stat = readProcText(pid, 'stat');
    const startTicks = stat.ok ? parseStartTicks(stat.value) : undefined;
    const status = readStatus(pid);
    if (startTicks === undefined || !status.ok || status.value.isKernelThread) return undefined;
    if (status.value.state === 'Z' || status.value.state === 'X') return undefined;
    const identity = readIdentity(pid);
    if (!identity.ok || !fits(this.#query, identity.value)) return undefined;
    return { pid, startTicks, identity: identity.value };
  }
}

function fits(query: ProcessQuery, identity: Identity): boolean {
  if (query.group !== undefined && identity.processGroup !== query.group) return false;
  if (query.exe !== undefined && identity.exe !== query.exe) return false;
  if (query.container !== undefined && !(identity.container !== undefined && isSameContainer(identity.container, query.container)))
    return false;
  return query.command === undefined || isCommand(identity, query.command);
}

function isCommand(identity: Identity, command: string): boolean {
  const first = identity.commandLine[0];
  return (
    identity.comm === command.slice(0, 15) || basename(identity.exe) === command || (first !== undefined && basename(first) === command)
  );
}

/** Finds processes; the set starts with those that are there now. */
export function findProcesses(query: ProcessQuery): ProcessSet {
  const set = new ProcessSet(query);
  set.refresh();
  return set;
}
