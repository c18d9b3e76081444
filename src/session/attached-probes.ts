/** What of a compiled program is attached, where, and what was taken off again. */
import { err, ok, type Result } from '../base/index.ts';
import type { Attachment, KernelError, KernelObject } from '../kernel/index.ts';
import type { EbpfProgram, UprobeSite } from '../y/index.ts';

const EINVAL = 22;

type Planned = EbpfProgram['attachments'][number];
export type PlannedPoint = Planned['point'];

/** A program of the object at its places. */
export interface AttachedProgram {
  readonly planned: Planned;
  readonly attachments: readonly Attachment[];
  /** Why it was taken off before the end. */
  detached: string | undefined;
}

export class AttachedProbes {
  readonly #object: KernelObject;
  readonly #hostPath: (module: string) => string;
  readonly #programs: AttachedProgram[] = [];
  #semaphores: ReadonlyMap<string, number> = new Map();

  /** @param hostPath a path that we can open, for one that the target sees */
  constructor(object: KernelObject, hostPath: (module: string) => string) {
    this.#object = object;
    this.#hostPath = hostPath;
  }

  get programs(): readonly AttachedProgram[] {
    return this.#programs;
  }

  /** Attaches one after the other. After an error the caller closes what is attached. */
  attachAll(planned: readonly Planned[]): Result<void, KernelError> {
    this.#semaphores = findSemaphores(planned);
    for (const one of planned) {
      const attachments: Attachment[] = [];
      this.#programs.push({ planned: one, attachments, detached: undefined });
      for (const attach of this.#steps(one)) {
        const attached = attach();
        if (!attached.ok) return attached;
        attachments.push(attached.value);
      }
    }
    return ok(undefined);
  }

  /** Places that a probe of the source was put on. */
  sitesOf(probe: number): number {
    const mine = this.#programs.filter(({ planned }) => planned.probes.includes(probe));
    return mine.reduce((sum, { planned: { point } }) => sum + (point.kind === 'uprobe' ? point.sites.length : 1), 0);
  }

  /** Why a probe, or a part of its places, was taken off; undefined when it was not. */
  detachedOf(probe: number): string | undefined {
    return this.#programs.find(({ planned, detached }) => detached !== undefined && planned.probes.includes(probe))?.detached;
  }

  async detach(program: AttachedProgram, why: string): Promise<void> {
    program.detached = why;
    for (const attachment of program.attachments) await attachment.close();
  }

  /** Takes all off: first those of the source, then the engine's own. May be called twice. */
  async close(): Promise<void> {
    const isOwn = ({ planned }: AttachedProgram): boolean => planned.probes.length === 0;
    const ordered = [...this.#programs.filter((program) => !isOwn(program)), ...this.#programs.filter(isOwn)];
    for (const { attachments } of ordered) for (const attachment of attachments) await attachment.close();
  }

  #steps({ program, point }: Planned): (() => Result<Attachment, KernelError>)[] {
    const object = this.#object;
    switch (point.kind) {
      case 'uprobe':
        return groupByModule(point.sites).map(
          ([module, sites]) =>
            () =>
              this.#attachUprobes(program, point.isReturn, module, sites),
        );
      case 'tracepoint':
        return [() => object.attachTracepoint(program, point.category, point.name)];
      case 'raw-tracepoint':
        return [() => object.attachRawTracepoint(program, point.name)];
      case 'clock':
        return [() => object.attachSampler(program, { event: 'cpu-clock', frequency: point.hz })];
      case 'counter':
        return [() => object.attachSampler(program, { event: point.event, period: point.period })];
      case 'kprobe':
        return [() => object.attachKprobe(program, point.name, point.isReturn)];
      case 'kernel-hook':
        return [() => object.attachTracing(program)];
    }
  }

  #attachUprobes(program: string, isReturn: boolean, module: string, sites: readonly UprobeSite[]): Result<Attachment, KernelError> {
    const places = sites.map((site) => {
      const semaphore = this.#semaphores.get(placeOf(site));
      return { offset: site.fileOffset, cookie: site.cookie, ...(semaphore === undefined ? {} : { semaphoreOffset: semaphore }) };
    });
    const attached = this.#object.attachUprobes(program, { path: this.#hostPath(module), kind: isReturn ? 'return' : 'entry', places });
    if (attached.ok || attached.error.errno !== EINVAL) return attached;
    const hint = 'perhaps another tracer probes one of these places as a function and we as a static probe, or the other way round';
    return err({ ...attached.error, message: `${attached.error.message}; ${hint}` });
  }
}

function placeOf({ module, fileOffset }: UprobeSite): string {
  return `${fileOffset} ${module}`;
}

/** Semaphores by place. All probes of one place must name the same one, or the kernel refuses the second (`ref_ctr_offset mismatch`). */
function findSemaphores(planned: readonly Planned[]): Map<string, number> {
  const semaphores = new Map<string, number>();
  for (const { point } of planned)
    for (const site of point.kind === 'uprobe' ? point.sites : [])
      if (site.semaphore !== undefined) semaphores.set(placeOf(site), site.semaphore);
  return semaphores;
}

function groupByModule(sites: readonly UprobeSite[]): [module: string, sites: UprobeSite[]][] {
  const groups = new Map<string, UprobeSite[]>();
  for (const site of sites) {
    const group = groups.get(site.module);
    if (group === undefined) groups.set(site.module, [site]);
    else group.push(site);
  }
  return [...groups];
}
