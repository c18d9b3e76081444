/**
 * Finds the container that a process runs in, from the text of `/proc/PID/cgroup`.
 *
 * Known forms (cgroup v1 and v2, cgroupfs and systemd drivers): `/docker/ID`, `/system.slice/docker-ID.scope`, `/kubepods/burstable/podUID/ID`,
 * `…/cri-containerd-ID.scope`, `…:cri-containerd:ID`, `…/crio-ID.scope`, `/libpod-ID.scope`, `/machine.slice/libpod-ID.scope/container`, `/ecs/TASK/ID`,
 * `/garden/…`, `/lxc/…` (named, not numbered: not reported).
 *
 * @returns 64 hexadecimal digits (12 where the path has the short form), of the innermost container; undefined outside of containers
 */
export function findContainerId(cgroupText: string): string | undefined {
  for (const line of cgroupText.split('\n')) {
    const path = line.split(':').slice(2).join(':');
    const id = findInPath(path);
    if (id !== undefined) return id;
  }
  return undefined;
}

const FULL_ID = /^(?:[a-z][a-z0-9.]*-)*?(?:[a-z0-9-]+:)*?([0-9a-f]{64})(?:\.scope|\.service)?$/;
const RUNTIME_AND_SHORT_ID = /^(?:docker|libpod|crio|cri-containerd|containerd|nerdctl|podman)-([0-9a-f]{12})(?:\.scope)?$/;
const COLON_FORM = /:(?:cri-containerd|crio|docker|nerdctl|containerd|libpod):([0-9a-f]{64}|[0-9a-f]{12})$/;
/** conmon watches a container from outside of it. */
const MONITOR = /(?:^|-)conmon-/;

function findInPath(path: string): string | undefined {
  const parts = path.split('/');
  for (let i = parts.length - 1; i > 0; i--) {
    const part = parts[i]!;
    if (MONITOR.test(part)) return undefined;
    const id = (FULL_ID.exec(part) ?? COLON_FORM.exec(part) ?? RUNTIME_AND_SHORT_ID.exec(part))?.[1];
    if (id !== undefined) return id;
    if (/^[0-9a-f]{12}$/.test(part) && parts[i - 1] === 'docker') return part;
  }
  return undefined;
}

/** True when `wanted` (at least 4 digits, as people type them) names the container `id`. */
export function isSameContainer(id: string, wanted: string): boolean {
  const lower = wanted.toLowerCase();
  return lower.length >= 4 && (id.startsWith(lower) || lower.startsWith(id));
}
