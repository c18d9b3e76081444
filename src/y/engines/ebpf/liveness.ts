/** The order of a function's blocks, its loops, and which locals live where. */
import type { IrFunction, Operand } from '../../ir/program.ts';
import { successorsOf, visitEffects, visitKey, visitOperand, type EffectVisitor, type LocalKind } from './effects.ts';

export interface FlowFacts {
  /** Blocks that can be reached, in reverse postorder: but for loops, each stands after all that lead to it. */
  readonly order: readonly number[];
  /** Place in `order`; -1 for a block that is never reached. */
  readonly rank: readonly number[];
  /** Blocks that a jump leads back to, ascending by rank. Empty: the function has no loop. */
  readonly headers: readonly number[];
}

export interface Liveness {
  /** By block: locals whose value is needed at its start. */
  readonly liveIn: readonly Uint8Array[];
  /** Registers first, then texts, then objects. */
  indexOf(kind: LocalKind, index: number): number;
  readonly locals: number;
}

/** Whether going from one block to another leads back. */
export function isBackEdge(flow: FlowFacts, from: number, to: number): boolean {
  return flow.rank[to]! <= flow.rank[from]!;
}

export function findFlow(body: IrFunction): FlowFacts {
  const order = postorder(body).reverse();
  const rank = body.blocks.map(() => -1);
  for (const [place, block] of order.entries()) rank[block] = place;
  const headers = new Set<number>();
  for (const block of order) for (const to of successorsOf(body.blocks[block]!)) if (rank[to]! <= rank[block]!) headers.add(to);
  return { order, rank, headers: [...headers].sort((a, b) => rank[a]! - rank[b]!) };
}

/** Without recursion: functions of many blocks would end our own stack. */
function postorder({ blocks }: IrFunction): number[] {
  const seen = new Set([0]);
  const order: number[] = [];
  // The last successor is followed first, so that `then` comes right after its branch.
  const stack = [{ block: 0, next: [...successorsOf(blocks[0]!)] }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const to = top.next.pop();
    if (to === undefined) {
      order.push(top.block);
      stack.pop();
    } else if (!seen.has(to)) {
      seen.add(to);
      stack.push({ block: to, next: [...successorsOf(blocks[to]!)] });
    }
  }
  return order;
}

export function findLiveness(body: IrFunction, flow: FlowFacts): Liveness {
  const firstText = body.registers.length;
  const firstObject = firstText + body.texts.length;
  const locals = firstObject + body.objects.length;
  const indexOf = (kind: LocalKind, index: number): number =>
    kind === 'register' ? index : kind === 'text' ? firstText + index : firstObject + index;
  const liveIn: Uint8Array[] = body.blocks.map(() => new Uint8Array(locals));
  for (let changed = true; changed;) {
    changed = false;
    for (const block of flow.order.toReversed()) {
      const live = liveAtStart(body, block, liveIn, indexOf);
      if (live.some((bit, index) => bit !== liveIn[block]![index])) {
        liveIn[block] = live;
        changed = true;
      }
    }
  }
  return { liveIn, indexOf, locals };
}

function merge(into: Uint8Array, from: Uint8Array): void {
  for (let index = 0; index < into.length; index++) if (from[index] === 1) into[index] = 1;
}

function liveAtStart(body: IrFunction, block: number, liveIn: readonly Uint8Array[], indexOf: Liveness['indexOf']): Uint8Array {
  const { instructions, end } = body.blocks[block]!;
  const live = new Uint8Array(liveIn[block]!.length);
  for (const to of successorsOf({ instructions: [], end })) merge(live, liveIn[to]!);
  visitEnd(end, { use: (kind, index) => (live[indexOf(kind, index)] = 1), define: () => undefined });
  for (const instruction of instructions.toReversed()) {
    visitEffects(instruction, { use: () => undefined, define: (kind, index) => (live[indexOf(kind, index)] = 0) });
    // A failed instruction may have written or not: what its handler needs must live before it.
    if ('onFail' in instruction && instruction.onFail !== undefined) merge(live, liveIn[instruction.onFail]!);
    visitEffects(instruction, { use: (kind, index) => (live[indexOf(kind, index)] = 1), define: () => undefined });
  }
  return live;
}

function visitEnd(end: IrFunction['blocks'][number]['end'], visitor: EffectVisitor): void {
  if (end.op === 'branch') visitOperand(end.condition, visitor);
  if (end.op === 'return' && end.value !== undefined) visitKey(end.value, visitor);
}

/** From the first to the last place that a register is needed or written at, in the order of `flow`; `uses` counts both. */
export interface Interval {
  readonly register: number;
  first: number;
  last: number;
  uses: number;
}

/** Intervals of the registers that occur, by their first place. */
export function findIntervals(body: IrFunction, flow: FlowFacts, { liveIn }: Liveness): Interval[] {
  const intervals = new Map<number, Interval>();
  let place = 0;
  const touch = (register: number, uses: number): void => {
    const known = intervals.get(register);
    if (known === undefined) intervals.set(register, { register, first: place, last: place, uses });
    else {
      known.first = Math.min(known.first, place);
      known.last = Math.max(known.last, place);
      known.uses += uses;
    }
  };
  const visitor: EffectVisitor = {
    use: (kind, index) => kind === 'register' && touch(index, 1),
    define: (kind, index) => kind === 'register' && touch(index, 1),
  };
  const touchAll = (live: Uint8Array): void => {
    for (let register = 0; register < body.registers.length; register++) if (live[register] === 1) touch(register, 0);
  };
  for (const block of flow.order) {
    const { instructions, end } = body.blocks[block]!;
    touchAll(liveIn[block]!);
    for (const instruction of instructions) {
      place++;
      visitEffects(instruction, visitor);
      if ('onFail' in instruction && instruction.onFail !== undefined) touchAll(liveIn[instruction.onFail]!);
    }
    place++;
    visitEnd(end, visitor);
    for (const to of successorsOf({ instructions: [], end })) touchAll(liveIn[to]!);
    place++;
  }
  return [...intervals.values()].sort((a, b) => a.first - b.first);
}

/** Whether the register is used nowhere but in this operand of the block's end. */
export function diesAtEnd(body: IrFunction, block: number, liveness: Liveness, condition: Operand): boolean {
  if (!('register' in condition)) return false;
  const { end } = body.blocks[block]!;
  return successorsOf({ instructions: [], end }).every((to) => liveness.liveIn[to]![condition.register] === 0);
}
