/** An object of maps and programs, loaded into the kernel. */
import { assert, err, ok, type Result } from '../base/index.ts';
import type { BpfObject, MapSpec, ProgramSpec } from '../bpf/index.ts';
import { closeDescriptor, closeDescriptorSlowly } from '../native/index.ts';
import {
  attachKprobe,
  attachPerfUprobes,
  attachRawTracepoint,
  attachSampler,
  attachTracepoint,
  attachUprobeMulti,
  type Attachment,
  type SamplerOptions,
  type UprobeOptions,
} from './attach.ts';
import { kernelError, type KernelError } from './error.ts';
import { iterate, type IterateOptions } from './iterate.ts';
import { KernelMap } from './kernel-map.ts';
import type { BtfTypes } from '../btf/index.ts';
import { loadKernelTypes } from './kernel-types.ts';
import { loadProgram, type LoadedProgram } from './program-load.ts';
import { RingReader } from './ring-reader.ts';
import { testRun } from './test-run.ts';
import { hasUprobeLink } from './uprobe-multi.ts';

export interface LoadOptions {
  /** How uprobes are attached; found out when absent. `perf` is for kernels before 6.6. */
  readonly uprobes?: 'multi' | 'perf';
  /** Already loaded types of the kernel, so that several objects read them once. */
  readonly types?: BtfTypes;
  /** Keep the verifier's logs of programs that pass. */
  readonly verbose?: boolean;
}

/** Owns maps, programs and attachments. When the process ends, however it ends, the kernel detaches and frees all of it. */
export class KernelObject {
  readonly #maps: ReadonlyMap<string, KernelMap>;
  readonly #programs: ReadonlyMap<string, LoadedProgram & { readonly spec: ProgramSpec }>;
  readonly #uprobes: 'multi' | 'perf';
  readonly #attachments = new Set<Attachment>();
  readonly #rings: RingReader[] = [];
  #closed = false;

  private constructor(
    maps: ReadonlyMap<string, KernelMap>,
    programs: ReadonlyMap<string, LoadedProgram & { readonly spec: ProgramSpec }>,
    uprobes: 'multi' | 'perf',
  ) {
    this.#maps = maps;
    this.#programs = programs;
    this.#uprobes = uprobes;
  }

  /** Makes the maps, loads the programs, fills the maps. When one fails, all are let go and its error is returned. */
  static load(object: BpfObject, options: LoadOptions = {}): Result<KernelObject, KernelError> {
    const maps = new Map<string, KernelMap>();
    const programs = new Map<string, LoadedProgram & { readonly spec: ProgramSpec }>();
    const error = loadParts(object, options, maps, programs);
    const loaded = new KernelObject(maps, programs, chooseUprobes(object, options));
    if (error === undefined) return ok(loaded);
    void loaded.close();
    return err(error);
  }

  /** The map of this name, which must exist. */
  map(name: string): KernelMap {
    const map = this.#maps.get(name);
    assert(map !== undefined, `the object has no map ${name}`);
    return map;
  }

  /** The program of this name, which must exist: its descriptor, and the verifier's log if it was asked for. */
  program(name: string): LoadedProgram & { readonly spec: ProgramSpec } {
    const program = this.#programs.get(name);
    assert(program !== undefined, `the object has no program ${name}`);
    assert(!this.#closed, 'the object is closed');
    return program;
  }

  /** Probes places of a file; one link for all where the program was loaded for that. */
  attachUprobes(program: string, options: UprobeOptions): Result<Attachment, KernelError> {
    const { fd, spec } = this.program(program);
    const multi = spec.attach === 'uprobeSession' || (spec.attach === 'uprobeMulti' && this.#uprobes === 'multi');
    return this.#keep(multi ? attachUprobeMulti(fd, options) : attachPerfUprobes(fd, options, closeDescriptorSlowly));
  }

  /** A classic tracepoint, for programs of type `tracepoint`. */
  attachTracepoint(program: string, category: string, name: string): Result<Attachment, KernelError> {
    return this.#keep(attachTracepoint(this.program(program).fd, category, name));
  }

  /** A kernel function by a breakpoint, for programs of type `kprobe`. */
  attachKprobe(program: string, name: string, isReturn: boolean): Result<Attachment, KernelError> {
    return this.#keep(attachKprobe(this.program(program).fd, name, isReturn));
  }

  /** A raw tracepoint, for programs of type `rawTracepoint`. */
  attachRawTracepoint(program: string, name: string): Result<Attachment, KernelError> {
    return this.#keep(attachRawTracepoint(this.program(program).fd, name));
  }

  /** What a `tracing` program was loaded for: a tracepoint with types, a function's entry or exit. */
  attachTracing(program: string): Result<Attachment, KernelError> {
    return this.#keep(attachRawTracepoint(this.program(program).fd, undefined));
  }

  /** Samples, for programs of type `perfEvent`. */
  attachSampler(program: string, options: SamplerOptions): Result<Attachment, KernelError> {
    return this.#keep(attachSampler(this.program(program).fd, options));
  }

  /** Runs an iterator once; what it wrote. */
  iterate(program: string, options: IterateOptions = {}): Result<Uint8Array, KernelError> {
    return iterate(this.program(program).fd, options);
  }

  /** Lets the kernel run a `syscall` or `socketFilter` program once; r0's lower half. */
  testRun(program: string, input: Parameters<typeof testRun>[1] = {}): Result<number, KernelError> {
    return testRun(this.program(program).fd, input);
  }

  /** The reader of a ring buffer; closed with the object. One reader a ring. */
  openRing(map: string): Result<RingReader, KernelError> {
    const { fd, shape } = this.map(map);
    const ring = RingReader.open(fd, shape.maxEntries);
    if (ring.ok) this.#rings.push(ring.value);
    return ring;
  }

  /** Makes a map that is not in the object, to put it into a map of maps. The caller closes it. */
  createMap(name: string, shape: Omit<MapSpec, 'name' | 'entries'>): Result<KernelMap, KernelError> {
    return KernelMap.create(name, shape);
  }

  /** Detaches everything, then lets go of programs and maps. Resolves when the kernel has done so. May be called twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const attachment of this.#attachments) await attachment.close();
    for (const ring of this.#rings) ring.close();
    for (const { fd } of this.#programs.values()) closeDescriptor(fd);
    for (const map of this.#maps.values()) map.close();
  }

  #keep(result: Result<Attachment, KernelError>): Result<Attachment, KernelError> {
    if (!result.ok) return result;
    const { how, close } = result.value;
    const kept: Attachment = {
      how,
      close: async () => {
        await close();
        this.#attachments.delete(kept);
      },
    };
    this.#attachments.add(kept);
    return ok(kept);
  }
}

function chooseUprobes(object: BpfObject, options: LoadOptions): 'multi' | 'perf' {
  if (options.uprobes !== undefined) return options.uprobes;
  return object.programs.some(({ attach }) => attach === 'uprobeMulti') && !hasUprobeLink('uprobeMulti') ? 'perf' : 'multi';
}

function loadParts(
  object: BpfObject,
  options: LoadOptions,
  maps: Map<string, KernelMap>,
  programs: Map<string, LoadedProgram & { readonly spec: ProgramSpec }>,
): KernelError | undefined {
  for (const { name, entries: _, ...shape } of object.maps) {
    const map = KernelMap.create(name, shape);
    if (!map.ok) return map.error;
    maps.set(name, map.value);
  }
  let types: Result<BtfTypes, KernelError> | undefined = options.types === undefined ? undefined : ok(options.types);
  const context = {
    findMap: (name: string) => maps.get(name),
    types: () => (types ??= loadKernelTypes()),
    uprobes: chooseUprobes(object, options),
    verbose: options.verbose ?? false,
  };
  for (const spec of object.programs) {
    const program = loadProgram(spec, context);
    if (!program.ok) return program.error;
    programs.set(spec.name, { ...program.value, spec });
  }
  return fillMaps(object, maps, programs);
}

function fillMaps(
  object: BpfObject,
  maps: ReadonlyMap<string, KernelMap>,
  programs: ReadonlyMap<string, LoadedProgram>,
): KernelError | undefined {
  for (const { name, entries } of object.maps)
    for (const { key, value } of entries ?? []) {
      const map = maps.get(name)!;
      if (value instanceof Uint8Array) {
        const set = map.update(key, value);
        if (!set.ok) return set.error;
        continue;
      }
      const fd = 'map' in value ? maps.get(value.map)?.fd : programs.get(value.program)?.fd;
      if (fd === undefined) return kernelError('failed', `map ${name} holds ${JSON.stringify(value)}, which the object lacks`);
      const set = map.updateDescriptor(key, fd);
      if (!set.ok) return set.error;
    }
  return undefined;
}
