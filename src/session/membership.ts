/**
 * Which processes belong to a session, kept right in the kernel's filter while they come and go.
 *
 * A process and its children: the filter is a set of process ids, which programs in the kernel extend at forks and shrink at exits; here
 * only what joins or leaves by the query is added, about once a second. A container: the filter is the set of its control groups, so
 * that what is started in it belongs from its first instruction on. The host: there is no filter.
 */
import { ok, type Result } from '../base/index.ts';
import { findCgroupId, findCgroupPath, listCgroups, type KernelError, type KernelObject } from '../kernel/index.ts';
import { CONTROL, type StorageLayout, type TargetFilter } from '../y/index.ts';
import { toKey, toView } from './counters.ts';
import type { Subject } from './subject.ts';

/** Looking through /proc may take this share of our time. */
const REFRESH_SHARE = 0.002;
const REFRESH_MS = 1000;

/** The filter that fits a subject: control groups for a container that has its own, process ids for everything else but the host. */
export function chooseFilter(subject: Subject): TargetFilter {
  if (subject.choice.kind === 'host') return { kind: 'all' };
  return findContainerGroups(subject).length > 0 ? { kind: 'cgroup' } : { kind: 'pid', follow: true };
}

/** Paths of a container's control groups; none when that is not all that was asked for, or when it shares them with others. */
function findContainerGroups({ choice, processes }: Subject): string[] {
  if (choice.kind !== 'processes' || processes === undefined) return [];
  const { container, ...others } = choice.query;
  if (container === undefined || Object.values(others).some((value) => value !== undefined)) return [];
  const groups = new Set<string>();
  for (const pid of processes.members.keys()) {
    const path = findCgroupPath(pid);
    if (path === undefined) continue;
    const own = ownGroup(path, container);
    if (own === undefined) return [];
    groups.add(own);
  }
  return [...groups];
}

/** The part of a control group's path up to the container's id: what lies below is the container's too. */
export function ownGroup(path: string, container: string): string | undefined {
  const parts = path.split('/');
  const index = parts.findIndex((part) => part.includes(container.toLowerCase()));
  return index < 0 ? undefined : parts.slice(0, index + 1).join('/');
}

export class Membership {
  readonly #subject: Subject;
  readonly #storage: StorageLayout;
  readonly #object: KernelObject;
  #nextRefreshMs = 0;

  constructor(subject: Subject, storage: StorageLayout, object: KernelObject) {
    this.#subject = subject;
    this.#storage = storage;
    this.#object = object;
  }

  /** Fills the filter. Nothing is attached yet. */
  start(): Result<void, KernelError> {
    const pids = this.#chosen();
    const control = new Uint8Array(CONTROL.bytes);
    const view = toView(control);
    view.setUint32(CONTROL.firstTarget, pids[0] ?? 0, true);
    // A set may grow at any time; while this is 0, the programs look no further than at the first process.
    view.setUint32(CONTROL.otherTargets, this.#subject.processes === undefined ? 0 : 1, true);
    view.setBigUint64(CONTROL.wallOffset, BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint(), true);
    const set = this.#object.map(this.#storage.control).update(toKey(0), control);
    if (!set.ok) return set;
    this.#addGroups();
    for (const pid of pids) {
      const added = this.#add(pid);
      if (!added.ok) return added;
    }
    return ok(undefined);
  }

  /** Lets hits return at once, so that less happens while probes are taken off. */
  stopHits(): void {
    const control = this.#object.map(this.#storage.control);
    const value = control.lookup(toKey(0));
    if (!value.ok || value.value === undefined) return;
    toView(value.value).setUint32(CONTROL.stopped, 1, true);
    control.update(toKey(0), value.value);
  }

  /** Looks who joined and who left, when it is time again. */
  refresh(nowMs = performance.now()): void {
    const { processes } = this.#subject;
    if (processes === undefined || nowMs < this.#nextRefreshMs) return;
    const { added, gone } = processes.refresh();
    for (const { pid } of gone) this.#remove(pid);
    for (const { pid } of added) this.#add(pid);
    this.#addGroups();
    const spentMs = performance.now() - nowMs;
    this.#nextRefreshMs = nowMs + Math.max(REFRESH_MS, spentMs / REFRESH_SHARE);
  }

  /** Processes of the session that run now; empty for the host. Those that the kernel did not see ending are dropped. */
  pids(): readonly number[] {
    const { targets } = this.#storage;
    if (targets === undefined) return [...(this.#subject.processes?.members.keys() ?? [])];
    const items = this.#object.map(targets).entries();
    return items.ok ? items.value.map(({ key }) => toView(key).getUint32(0, true)) : [];
  }

  /** A process ended unseen: before the programs were attached. */
  forget(pid: number): void {
    this.#remove(pid);
  }

  #chosen(): readonly number[] {
    const { main, processes } = this.#subject;
    if (processes !== undefined) return [...processes.members.keys()];
    return main === undefined ? [] : [main.pid];
  }

  #add(pid: number): Result<void, KernelError> {
    const { targets } = this.#storage;
    return targets === undefined ? ok(undefined) : this.#object.map(targets).update(toKey(pid), new Uint8Array(8));
  }

  #remove(pid: number): void {
    const { targets } = this.#storage;
    if (targets === undefined) return;
    this.#object.map(targets).delete(toKey(pid));
    const control = this.#object.map(this.#storage.control);
    const value = control.lookup(toKey(0));
    if (!value.ok || value.value === undefined || toView(value.value).getUint32(CONTROL.firstTarget, true) !== pid) return;
    toView(value.value).setUint32(CONTROL.firstTarget, 0, true);
    control.update(toKey(0), value.value);
  }

  #addGroups(): void {
    const { cgroups } = this.#storage;
    if (cgroups === undefined) return;
    for (const path of findContainerGroups(this.#subject).flatMap(listCgroups)) {
      const id = findCgroupId(path);
      if (!id.ok) continue;
      const key = new Uint8Array(8);
      toView(key).setBigUint64(0, id.value, true);
      this.#object.map(cgroups).update(key, new Uint8Array(8));
    }
  }
}
