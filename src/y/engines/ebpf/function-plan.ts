/**
 * Where the locals of one function live while it runs in one program.
 *
 * Registers of ours get r7 and r8 (and r6, r9 where the program needs neither context nor frame), then the BPF stack, then the frame: a
 * piece of map memory that this hit owns. What lives across a jump back is always in the frame, since each round of a loop is a call of its
 * own. Texts and objects are in the frame too, but for short texts of simple use, which spare a program the frame altogether.
 */
import { assert } from '../../../base/index.ts';
import type { Register } from '../../../bpf/index.ts';
import type { Instruction, IrFunction, Program } from '../../ir/program.ts';
import { visitEffects } from './effects.ts';
import { findFlow, findIntervals, findLiveness, type FlowFacts, type Interval, type Liveness } from './liveness.ts';
import { capacityOf, roundUp, textBytes } from './storage-plan.ts';

export type Home =
  | { readonly kind: 'register'; readonly register: Register }
  | { readonly kind: 'stack'; readonly offset: number }
  | { readonly kind: 'frame'; readonly offset: number };

/** Bytes at the top of each stack that emitted code uses for itself; see `STACK`. */
export const FIXED_STACK_BYTES = 56;

/** What lies there: offsets from r10. */
export const STACK = { a: -8, b: -16, c: -24, context: -32, frame: -40, startTime: -48, pointer: -56 } as const;

/** The frame's own words, before the scratch areas: offsets from r9. */
export const FRAME = { busy: 0, budget: 8, probe: 16, compared: 24, first: 32 } as const;

export interface FunctionPlan {
  readonly index: number;
  readonly body: IrFunction;
  readonly flow: FlowFacts;
  readonly liveness: Liveness;
  readonly looped: boolean;
  /** Part of the main function: nothing calls it. */
  readonly inline: boolean;
  /** By register; undefined for one that never occurs. */
  readonly homes: readonly (Home | undefined)[];
  /** Of local texts and objects, and of a text that the function returns. */
  readonly texts: readonly Exclude<Home, { kind: 'register' }>[];
  readonly objects: readonly number[];
  readonly resultText: { readonly offset: number; readonly capacity: number };
  /** Frame offsets: which round comes next; an integer result. */
  readonly state: number;
  readonly result: number;
  /** Where keys are put together: offset on the stack, or undefined when they are put together in the frame. */
  readonly stackKey: number | undefined;
  readonly stackBytes: number;
  /** End of what it takes of the frame. */
  readonly frameEnd: number;
}

export interface PlanRequest {
  readonly program: Program;
  readonly index: number;
  /** Callee-saved registers that are free for values. */
  readonly registers: readonly Register[];
  /** Bytes of stack that it may take. */
  readonly stackLimit: number;
  /** Where its part of the frame begins. */
  readonly frameStart: number;
  /** Its body is part of the main function, with no parameters and nothing that outlives it. */
  readonly inline: boolean;
  /** Bytes of the longest key that it puts together. */
  readonly keyBytes: number;
}

const LONGEST_STACK_TEXT = 64;
const LONGEST_STACK_KEY = 128;

export function planFunction(request: PlanRequest): FunctionPlan {
  const body = request.program.functions[request.index]!;
  const flow = findFlow(body);
  const liveness = findLiveness(body, flow);
  const looped = flow.headers.length > 0;
  let frame = request.frameStart;
  let stack = FIXED_STACK_BYTES;
  const takeFrame = (bytes: number): number => (frame += roundUp(bytes, 8)) - roundUp(bytes, 8);
  const takeStack = (bytes: number): number => -(stack += roundUp(bytes, 8));
  const fits = (bytes: number): boolean => stack + roundUp(bytes, 8) <= request.stackLimit;
  const state = looped ? takeFrame(8) : -1;
  const result = request.inline ? -1 : takeFrame(8);
  const resultCapacity = longestResult(request.program, body);
  const resultText = {
    offset: resultCapacity === undefined ? -1 : takeFrame(localTextBytes(resultCapacity)),
    capacity: resultCapacity ?? 0,
  };
  const simple = looped ? new Set<number>() : findSimpleTexts(body);
  const texts = body.texts.map((capacity, text): Exclude<Home, { kind: 'register' }> => {
    const bytes = localTextBytes(capacity);
    const onStack = request.inline && simple.has(text) && capacity <= LONGEST_STACK_TEXT && fits(bytes);
    return onStack ? { kind: 'stack', offset: takeStack(bytes) } : { kind: 'frame', offset: takeFrame(bytes) };
  });
  const objects = body.objects.map((bytes) => takeFrame(bytes));
  const keyOnStack = request.keyBytes > 0 && request.keyBytes <= LONGEST_STACK_KEY && fits(request.keyBytes);
  const stackKey = keyOnStack ? takeStack(request.keyBytes) : undefined;
  const homes = new Array<Home | undefined>(body.registers.length).fill(undefined);
  const stays = findCrossing(body, flow, liveness);
  for (const [register, kind] of body.parameters.entries()) if (kind !== 'text') stays.add(register);
  const intervals = findIntervals(body, flow, liveness);
  for (const register of stays) homes[register] = { kind: 'frame', offset: takeFrame(8) };
  allocate(
    intervals.filter(({ register }) => !stays.has(register)),
    request.registers,
    homes,
    () => (fits(8) ? { kind: 'stack', offset: takeStack(8) } : { kind: 'frame', offset: takeFrame(8) }),
  );
  return {
    index: request.index,
    body,
    flow,
    liveness,
    looped,
    inline: request.inline,
    homes,
    texts,
    objects,
    resultText,
    state,
    result,
    stackKey,
    stackBytes: stack,
    frameEnd: frame,
  };
}

/** A local text has room for the NUL that helpers put behind it. */
export function localTextBytes(capacity: number): number {
  return textBytes(capacity + 1);
}

function longestResult(program: Program, body: IrFunction): number | undefined {
  const capacities = body.blocks.flatMap(({ end }) =>
    end.op === 'return' && end.value !== undefined && 'text' in end.value ? [capacityOf(program, body, end.value.text)] : [],
  );
  return capacities.length === 0 ? undefined : Math.max(...capacities);
}

/** Registers that some round of a loop gets from an earlier one. */
function findCrossing(body: IrFunction, { headers }: FlowFacts, { liveIn }: Liveness): Set<number> {
  const crossing = new Set<number>();
  for (const header of headers)
    for (let register = 0; register < body.registers.length; register++) if (liveIn[header]![register] === 1) crossing.add(register);
  return crossing;
}

const SIMPLE_USES: ReadonlySet<Instruction['op']> = new Set([
  'builtin-text',
  'copy-text',
  'compare-text',
  'text-length',
  'print',
  'array-load',
  'array-store',
  'array-add',
  'array-load-text',
  'array-store-text',
  'array-has',
  'array-delete',
  'aggregate',
  'read-text',
]);

/** Texts that no instruction reaches into at an offset known only when it runs. */
function findSimpleTexts(body: IrFunction): Set<number> {
  const simple = new Set(body.texts.keys());
  for (const { instructions, end } of body.blocks) {
    for (const instruction of instructions) {
      const touch = (kind: string, index: number): void => {
        if (kind === 'text' && !SIMPLE_USES.has(instruction.op)) simple.delete(index);
      };
      visitEffects(instruction, { use: touch, define: touch });
    }
    if (end.op === 'return' && end.value !== undefined && 'text' in end.value && 'local' in end.value.text)
      simple.delete(end.value.text.local);
  }
  return simple;
}

/** Linear scan: an interval that ends gives its place back; the least used of those at hand goes without a register. */
function allocate(
  intervals: readonly Interval[],
  registers: readonly Register[],
  homes: (Home | undefined)[],
  takeSlot: () => Exclude<Home, { kind: 'register' }>,
): void {
  const freeRegisters = [...registers];
  const freeSlots: Exclude<Home, { kind: 'register' }>[] = [];
  let active: Interval[] = [];
  for (const interval of intervals) {
    for (const ended of active.filter(({ last }) => last < interval.first)) {
      const home = homes[ended.register];
      assert(home !== undefined, 'an interval is active without a home');
      if (home.kind === 'register') freeRegisters.push(home.register);
      else freeSlots.push(home);
    }
    active = active.filter(({ last }) => last >= interval.first);
    active.push(interval);
    const register = freeRegisters.pop();
    if (register !== undefined) {
      homes[interval.register] = { kind: 'register', register };
      continue;
    }
    const least = findLeastUsed(active, homes);
    if (least === undefined || density(least) >= density(interval)) {
      homes[interval.register] = freeSlots.pop() ?? takeSlot();
      continue;
    }
    // A slot that another had before is no place for one that began earlier: it takes a new one.
    homes[interval.register] = homes[least.register];
    homes[least.register] = takeSlot();
  }
}

/** Of those that have a register. */
function findLeastUsed(active: readonly Interval[], homes: readonly (Home | undefined)[]): Interval | undefined {
  const held = active.filter(({ register }) => homes[register]?.kind === 'register');
  return held.toSorted((a, b) => density(a) - density(b))[0];
}

/** Density of use decides: a value that lives long and is used seldom is no loss on the stack. */
function density({ uses, first, last }: Interval): number {
  return uses / (last - first + 1);
}
