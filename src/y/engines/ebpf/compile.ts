/** The engine's entry: a program of the intermediate form to an object for the kernel. */
import { err, ok, type Result } from '../../../base/index.ts';
import type { MapSpec } from '../../../bpf/index.ts';
import type { IrFunction, Program } from '../../ir/program.ts';
import type { Attachment, EbpfDiagnostic, EbpfProgram } from './ebpf-program.ts';
import { followForks, forgetEnded } from './housekeeping.ts';
import { findUnavailable } from './kernel-points.ts';
import type { EbpfOptions } from './options.ts';
import { groupProbes } from './programs.ts';
import { MAPS, planStorage, type StoragePlan } from './storage-plan.ts';
import type { ObjectState } from './program-context.ts';
import { framesMap, Unit } from './unit.ts';
import { instructionsOf, reachableFrom } from './walk.ts';

const MOST_STACK_FRAMES = 127;
const MOST_LOOPS = 1 << 23;

/**
 * Compiles what runs in the kernel: the probes with `where: 'hit'` and all that they call. Errors are the author's, or say what
 * the kernel cannot do; there may be several. What the options promise of the kernel is taken as true.
 */
export function compileEbpf(program: Program, options: EbpfOptions): Result<EbpfProgram, readonly EbpfDiagnostic[]> {
  const roots = program.probes.filter(({ where }) => where === 'hit').map(({ body }) => body);
  const cycle = findCycle(program, roots);
  if (cycle !== undefined) return err([recursion(program, cycle)]);
  const functions = reachableFrom(program, roots).map((index) => program.functions[index]!);
  const capped = { ...options, limits: { ...options.limits, loopBudget: Math.min(options.limits.loopBudget, MOST_LOOPS - 1) } };
  const storage = planStorage(program, functions, capped);
  const state: ObjectState = {
    program,
    options: capped,
    storage,
    diagnostics: [
      ...refuseThreadAggregates(program, storage),
      ...refuseLargeHistograms(program, storage),
      ...refusePoints(program, options),
    ],
    prints: [undefined],
    maps: new Map(),
    names: new Uint8Array(0),
    frameBytes: 0,
    takesStacks: false,
  };
  const groups = groupProbes(program, capped);
  const hits = groups.map(({ request }) => new Unit(state, request).emit());
  const attachments = groups.map(({ request, point }): Attachment => ({
    program: request.name,
    probes: request.bodies.map(({ probe }) => probe),
    point,
  }));
  const forks = followForks(capped);
  const ended = forgetEnded(
    capped,
    storage.globals.some((global) => global?.kind === 'thread'),
  );
  if (state.diagnostics.length > 0) return err(state.diagnostics);
  // Children must be known before their first hit; who ends must be known to the last.
  return ok({
    object: {
      maps: [...storage.maps, ...extraMaps(state, functions)],
      programs: [...hits, ...[forks, ended].flatMap((own) => (own === undefined ? [] : [own.spec]))],
    },
    attachments: [...(forks === undefined ? [] : [forks.attachment]), ...attachments, ...(ended === undefined ? [] : [ended.attachment])],
    storage: {
      globals: storage.globals,
      arrays: storage.arrays,
      control: MAPS.control,
      losses: MAPS.losses,
      measures: capped.measure === 'nothing' ? undefined : MAPS.measures,
      targets: capped.filter.kind === 'pid' ? MAPS.targets : undefined,
      cgroups: capped.filter.kind === 'cgroup' ? MAPS.cgroups : undefined,
      stacks: state.takesStacks ? MAPS.stacks : undefined,
    },
    events: { ring: MAPS.events, prints: state.prints },
  });
}

/** Maps that only some programs need. */
function extraMaps(state: ObjectState, functions: readonly IrFunction[]): MapSpec[] {
  const { options, program, names } = state;
  const maps = [...state.maps.values()];
  const array = { type: 'array', keyBytes: 4, maxEntries: 1 } as const;
  if (state.frameBytes > 0) maps.push(framesMap(options, state.frameBytes));
  if (names.length > 0)
    maps.push({ ...array, name: 'names', valueBytes: names.length, entries: [{ key: new Uint8Array(4), value: names }] });
  if (state.takesStacks) {
    const { stacks } = options.limits;
    maps.push({ name: MAPS.stacks, type: 'stackTrace', keyBytes: 4, valueBytes: 8 * MOST_STACK_FRAMES, maxEntries: stacks });
  }
  if (functions.some((body) => instructionsOf(body).some(({ op }) => op === 'stack'))) maps.push(...(options.stacks?.maps ?? []));
  if (functions.some((body) => instructionsOf(body).some(({ op }) => op === 'print' || op === 'exit')))
    maps.push({ name: MAPS.events, type: 'ringBuffer', keyBytes: 0, valueBytes: 0, maxEntries: options.limits.ringBytes });
  if (options.measure !== 'nothing')
    maps.push({ name: MAPS.measures, type: 'perCpuArray', keyBytes: 4, valueBytes: 16, maxEntries: Math.max(1, program.probes.length) });
  return maps;
}

function refusePoints({ probes }: Program, options: EbpfOptions): EbpfDiagnostic[] {
  return probes.flatMap(({ point, place }) => {
    const unavailable = findUnavailable(point, options);
    return unavailable === undefined ? [] : [{ ...unavailable, place }];
  });
}

function refuseThreadAggregates({ globals }: Program, storage: StoragePlan): EbpfDiagnostic[] {
  return globals.flatMap(({ name, kind, sharing, place }, index) => {
    if (storage.globals[index] === undefined || kind !== 'aggregate' || sharing !== 'thread') return [];
    return [
      {
        code: 'thread-aggregate',
        message: `${name}: an aggregate cannot belong to a thread`,
        place,
        hint: '_agg x[int], with _tid() as its key',
      },
    ];
  });
}

/** The largest value of a per-CPU map (PCPU_MIN_UNIT_SIZE, include/linux/percpu.h). */
const MOST_PER_CPU_BYTES = 32 << 10;
const MOST_SPARSE_BUCKETS = 1 << 16;

function refuseLargeHistograms({ globals, arrays }: Program, storage: StoragePlan): EbpfDiagnostic[] {
  const hint = 'a larger step, or bounds nearer to each other';
  const dense = storage.globals.flatMap((global, index): EbpfDiagnostic[] => {
    if (global?.kind !== 'aggregate' || global.layout.denseBytes <= MOST_PER_CPU_BYTES) return [];
    const { name, place } = globals[index]!;
    const message = `${name}: its histograms take ${global.layout.denseBytes} bytes; a record in the kernel has at most ${MOST_PER_CPU_BYTES}`;
    return [{ code: 'histogram-size', message, place, hint }];
  });
  const sparse = storage.arrays.flatMap((array, index): EbpfDiagnostic[] => {
    const histograms = array?.value.kind === 'aggregate' ? array.value.layout.histograms : [];
    if (histograms.every(({ buckets }) => buckets <= MOST_SPARSE_BUCKETS)) return [];
    const { name, place } = arrays[index]!;
    return [{ code: 'histogram-size', message: `${name}: a histogram of more than ${MOST_SPARSE_BUCKETS} buckets`, place, hint }];
  });
  return [...dense, ...sparse];
}

/** Functions that call each other in a ring, the first one again at the end. */
function findCycle({ functions }: Program, roots: readonly number[]): number[] | undefined {
  const done = new Set<number>();
  const visit = (index: number, path: readonly number[]): number[] | undefined => {
    if (path.includes(index)) return [...path.slice(path.indexOf(index)), index];
    if (done.has(index)) return undefined;
    done.add(index);
    for (const instruction of instructionsOf(functions[index]!)) {
      const cycle = instruction.op === 'call' ? visit(instruction.function, [...path, index]) : undefined;
      if (cycle !== undefined) return cycle;
    }
    return undefined;
  };
  for (const root of roots) {
    const cycle = visit(root, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function recursion({ functions }: Program, cycle: readonly number[]): EbpfDiagnostic {
  const names = cycle.map((index) => functions[index]!.name).join(' → ');
  return {
    code: 'recursion',
    message: `a function that runs in the kernel cannot call itself: ${names}`,
    place: functions[cycle[0]!]!.place,
    hint: 'write it as a loop',
  };
}
