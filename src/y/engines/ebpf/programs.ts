/** From probes to programs: which share one, what each is attached to, and how their bodies tell their hits apart. */
import type { FunctionSite, LineSite, UsdtSite } from '../../knowledge.ts';
import type { Probe, ProbePoint, Program } from '../../ir/program.ts';
import type { AttachPoint, UprobeSite } from './ebpf-program.ts';
import { toKernelPoint, type KernelPoint } from './kernel-points.ts';
import { RETURN_REGISTER } from './machine.ts';
import type { EbpfOptions } from './options.ts';
import type { ArgumentSource, UnitBody, UnitRequest } from './program-context.ts';

/** A program to make, and where it goes. */
export interface Group {
  readonly request: UnitRequest;
  readonly point: AttachPoint;
}

/** `endbr64` (Intel SDM volume 2): four bytes. */
const ENDBR64 = [0xf3, 0x0f, 0x1e, 0xfa];

/** Probes on one point share a program, in source order, since the kernel promises no order between programs. */
export function groupProbes(program: Program, options: EbpfOptions): Group[] {
  const hits = program.probes.flatMap((probe, index) => (probe.where === 'hit' ? [{ probe, index }] : []));
  const uprobes = hits.filter(({ probe }) => 'sites' in probe.point);
  const others = hits.filter(({ probe }) => !('sites' in probe.point));
  return [...groupUprobes(program, uprobes, options), ...groupOthers(others, options)];
}

interface Hit {
  readonly probe: Probe;
  readonly index: number;
}

type PlacedSite = FunctionSite | LineSite | UsdtSite;

/** One place of a file, with all probes that are there. */
interface SharedSite {
  readonly site: PlacedSite;
  readonly fileOffset: number;
  readonly isReturn: boolean;
  readonly semaphore: number | undefined;
  readonly hits: { readonly hit: Hit; readonly site: PlacedSite }[];
}

function groupUprobes(program: Program, hits: readonly Hit[], options: EbpfOptions): Group[] {
  const shared = new Map<string, SharedSite>();
  for (const hit of hits) {
    const { point } = hit.probe;
    if (!('sites' in point)) continue;
    for (const site of point.sites) {
      const isReturn = point.kind === 'return';
      const fileOffset = point.kind === 'function' || isReturn ? skipMarker(site) : site.fileOffset;
      const semaphore = 'semaphore' in site ? site.semaphore : undefined;
      const key = [site.module, fileOffset, isReturn, semaphore].join('\n');
      const known = shared.get(key) ?? { site, fileOffset, isReturn, semaphore, hits: [] };
      shared.set(key, known);
      if (!known.hits.some((other) => other.hit === hit)) known.hits.push({ hit, site });
    }
  }
  const groups = new Map<string, SharedSite[]>();
  for (const site of shared.values()) {
    const key = [site.isReturn, ...site.hits.map(({ hit }) => hit.index)].join(',');
    groups.set(key, [...(groups.get(key) ?? []), site]);
  }
  return [...groups.values()].map((sites, index) => uprobeGroup(program, sites, index, options));
}

function skipMarker(site: PlacedSite): number {
  const marked = 'code' in site && ENDBR64.every((byte, index) => site.code[index] === byte);
  return site.fileOffset + (marked ? ENDBR64.length : 0);
}

/** Sites that differ in an operand or in a name that a body asks for are variants, told apart by the cookie. */
function uprobeGroup(program: Program, sites: readonly SharedSite[], index: number, options: EbpfOptions): Group {
  const { isReturn, hits } = sites[0]!;
  const variants = new Map<string, { readonly cookie: bigint; readonly site: SharedSite }>();
  const placed = sites.map((site): UprobeSite => {
    const key = JSON.stringify(
      site.hits.map(({ hit, site: at }) => ['operands' in at ? at.operands : 0, asksForName(program, hit.probe.body) ? nameOf(at) : 0]),
      (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value),
    );
    const variant = variants.get(key) ?? { cookie: BigInt(variants.size), site };
    variants.set(key, variant);
    return { module: site.site.module, fileOffset: site.fileOffset, cookie: variant.cookie, semaphore: site.semaphore };
  });
  const distinct = [...variants.values()].map(({ site }) => site);
  const bodies = hits.map(({ hit }, place): UnitBody => {
    const at = distinct.map((site) => site.hits[place]!.site);
    return { ...plainBody(hit), argumentSource: uprobeArguments(hit.probe.point, at, options), functionNames: at.map(nameOf) };
  });
  const request: UnitRequest = {
    name: `user_${index}`,
    type: 'kprobe',
    attach: options.features.uprobeMulti ? 'uprobeMulti' : undefined,
    task: undefined,
    bodies,
    hasRegisters: true,
    hasRecord: false,
    kernelCode: false,
    variants: variants.size,
  };
  return { request, point: { kind: 'uprobe', isReturn, sites: placed } };
}

function nameOf(site: PlacedSite): string {
  if ('name' in site) return site.name;
  return 'function' in site ? site.function : '';
}

function asksForName(program: Program, body: number): boolean {
  return program.functions[body]!.blocks.some(({ instructions }) =>
    instructions.some((instruction) => instruction.op === 'builtin-text' && instruction.name === 'probe-function'),
  );
}

function uprobeArguments(point: ProbePoint, sites: readonly PlacedSite[], { architecture }: EbpfOptions): ArgumentSource {
  if (point.kind === 'usdt') return { kind: 'usdt', variants: sites.map((site) => ('operands' in site ? site.operands : [])) };
  if (point.kind === 'return') return { kind: 'return', offset: RETURN_REGISTER[architecture] };
  return { kind: 'function' };
}

function plainBody({ probe, index }: Hit): UnitBody {
  return { probe: index, function: probe.body, global: probe.global, argumentSource: undefined, guard: undefined, functionNames: [''] };
}

function groupOthers(hits: readonly Hit[], options: EbpfOptions): Group[] {
  const groups = new Map<string, { readonly at: KernelPoint; readonly bodies: UnitBody[] }>();
  for (const hit of hits) {
    const at = toKernelPoint(hit.probe.point, options);
    const group = groups.get(at.key) ?? { at, bodies: [] };
    groups.set(at.key, group);
    group.bodies.push({ ...plainBody(hit), argumentSource: at.argumentSource, guard: at.guard });
  }
  return [...groups.values()].map(({ at, bodies }, index): Group => {
    const request: UnitRequest = {
      name: `kernel_${index}`,
      type: at.type,
      ...(at.attach === undefined ? {} : { attach: at.attach.kind, attachTo: at.attach.to }),
      task: at.task,
      bodies,
      hasRegisters: at.hasRegisters ?? false,
      hasRecord: at.hasRecord ?? false,
      kernelCode: true,
      variants: 1,
    };
    return { request, point: at.point };
  });
}
