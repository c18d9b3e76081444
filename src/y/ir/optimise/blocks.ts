/** Control flow: jumps through empty blocks, chains of blocks joined, blocks that nothing reaches taken away. */
import type { Block, IrFunction, Terminator } from '../program.ts';
import { findUses, rewriteReads } from '../uses.ts';

export function simplifyBlocks(fn: IrFunction): IrFunction {
  return dropUnreachable(joinChains(threadJumps(fn)));
}

/** Where a jump to `block` ends up: through blocks that only jump. A ring of them is left as it is. */
function destination(blocks: readonly Block[], block: number): number {
  const seen = new Set<number>();
  let at = block;
  while (!seen.has(at)) {
    seen.add(at);
    const { instructions, end } = blocks[at]!;
    if (instructions.length > 0 || end.op !== 'jump') return at;
    at = end.to;
  }
  return block;
}

/** Jumps go straight to where they end, also through a branch whose outcome the jumping block has just decided. */
export function threadJumps(fn: IrFunction): IrFunction {
  const { blocks } = fn;
  const block = (target: number): number => destination(blocks, target);
  return {
    ...fn,
    blocks: blocks.map((one) => ({
      instructions: one.instructions.map((instruction) => rewriteReads(instruction, { block })),
      end: straighten(threadBranch(blocks, one, rewriteReads(one.end, { block }), block)),
    })),
  };
}

function straighten(end: Terminator): Terminator {
  return end.op === 'branch' && end.then === end.else ? { op: 'jump', to: end.then } : end;
}

function threadBranch(blocks: readonly Block[], from: Block, end: Terminator, block: (target: number) => number): Terminator {
  if (end.op !== 'jump') return end;
  const target = blocks[end.to]!;
  const last = from.instructions.at(-1);
  if (target.instructions.length > 0 || target.end.op !== 'branch' || last?.op !== 'move') return end;
  const { condition, then, else: otherwise } = target.end;
  if (!('register' in condition) || condition.register !== last.to || !('constant' in last.from)) return end;
  return { op: 'jump', to: block(last.from.constant === 0n ? otherwise : then) };
}

/** A block with a single way in, a jump at the end of another block, becomes part of it. */
export function joinChains(fn: IrFunction): IrFunction {
  const ways = new Array<number>(fn.blocks.length).fill(0);
  const handlers = new Set<number>();
  const blocks: Block[] = [...fn.blocks];
  const reached = findReachable(fn);
  fn.blocks.forEach(({ instructions, end }, index) => {
    if (!reached.has(index)) return;
    for (const target of findUses(end).targets) ways[target]!++;
    for (const one of instructions) for (const target of findUses(one).targets) handlers.add(target);
  });
  const joined = new Set<number>();
  for (let index = 0; index < blocks.length; index++) {
    if (joined.has(index) || !reached.has(index)) continue;
    for (;;) {
      const { instructions, end } = blocks[index]!;
      if (end.op !== 'jump' || end.to === 0 || end.to === index || ways[end.to] !== 1 || handlers.has(end.to) || joined.has(end.to)) break;
      const next = blocks[end.to]!;
      joined.add(end.to);
      blocks[index] = { instructions: [...instructions, ...next.instructions], end: next.end };
      blocks[end.to] = { instructions: [], end: { op: 'return', value: undefined } };
    }
  }
  return { ...fn, blocks };
}

function findReachable(fn: IrFunction): ReadonlySet<number> {
  const reached = new Set([0]);
  for (const index of reached) {
    const { instructions, end } = fn.blocks[index]!;
    for (const one of [...instructions, end]) for (const target of findUses(one).targets) reached.add(target);
  }
  return reached;
}

/** Blocks are numbered anew, in their order. */
export function dropUnreachable(fn: IrFunction): IrFunction {
  const reached = findReachable(fn);
  const order = fn.blocks.map((_, index) => index).filter((index) => reached.has(index));
  const numbers = new Map(order.map((index, position) => [index, position]));
  const block = (target: number): number => numbers.get(target)!;
  const blocks = order.map((index): Block => {
    const { instructions, end } = fn.blocks[index]!;
    return { instructions: instructions.map((one) => rewriteReads(one, { block })), end: rewriteReads(end, { block }) };
  });
  return { ...fn, blocks };
}
