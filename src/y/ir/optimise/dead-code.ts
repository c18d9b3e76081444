/** Takes away what has no effect and whose result nobody reads. Reads of the target stay: that they fail may be what is asked. */
import type { Block, Instruction, IrFunction } from '../program.ts';
import { findUses } from '../uses.ts';

const PURE = new Set<Instruction['op']>([
  'move',
  'extend',
  'extract',
  'float',
  'float-binary',
  'convert',
  'log2',
  'popcount',
  'load-global',
  'load-object',
  'valid',
  'builtin',
  'builtin-text',
  'argument',
  'return-value',
  'register',
  'context',
  'context-text',
  'copy-text',
  'concatenate',
  'substring',
  'compare-text',
  'text-length',
  'text-at',
  'describe',
  'array-load',
  'array-load-text',
  'array-has',
  'array-count',
  'aggregate-read',
  'iterator-key',
]);

/** Division by a register may end the hit. */
function isPure(one: Instruction): boolean {
  if (one.op !== 'binary') return PURE.has(one.op);
  const divides = one.operator.endsWith('div') || one.operator.endsWith('mod');
  return !divides || ('constant' in one.right && one.right.constant !== 0n);
}

export function dropDeadCode(fn: IrFunction): IrFunction {
  const texts = findReadTexts(fn);
  const objects = findLoadedObjects(fn);
  const live = findLiveAtEnd(fn);
  return { ...fn, blocks: fn.blocks.map((block, index) => sweep(block, live[index]!, texts, objects, handlersLive(fn, block, live))) };
}

/** Local texts that something reads, anywhere. */
function findReadTexts(fn: IrFunction): ReadonlySet<number> {
  const read = new Set<number>();
  for (const { instructions, end } of fn.blocks) {
    for (const one of [...instructions, end]) for (const text of findUses(one).textReads) if ('local' in text) read.add(text.local);
  }
  return read;
}

function findLoadedObjects(fn: IrFunction): ReadonlySet<number> {
  const loaded = new Set<number>();
  for (const { instructions } of fn.blocks) for (const one of instructions) if (one.op === 'load-object') loaded.add(one.object);
  return loaded;
}

/** Registers that are read after each block, before they are written. Iterates to a fixed point; each round only adds. */
export function findLiveAtEnd(fn: IrFunction): ReadonlySet<number>[] {
  const atStart = fn.blocks.map(() => new Set<number>());
  const atEnd = fn.blocks.map(() => new Set<number>());
  for (let changed = true; changed;) {
    changed = false;
    for (let index = fn.blocks.length - 1; index >= 0; index--) {
      const block = fn.blocks[index]!;
      const end = atEnd[index]!;
      for (const target of findUses(block.end).targets) for (const register of atStart[target]!) end.add(register);
      const live = new Set(end);
      for (const one of [block.end, ...block.instructions.toReversed()]) {
        const uses = findUses(one);
        for (const register of uses.writes) live.delete(register);
        for (const register of uses.reads) live.add(register);
        for (const target of one === block.end ? [] : uses.targets) for (const register of atStart[target]!) live.add(register);
      }
      const start = atStart[index]!;
      const before = start.size;
      for (const register of live) start.add(register);
      changed ||= start.size !== before;
    }
  }
  return atEnd;
}

/** Registers that a handler of the block may read. */
function handlersLive(fn: IrFunction, block: Block, atEnd: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  const live = new Set<number>();
  for (const one of block.instructions) {
    for (const target of findUses(one).targets) {
      for (const register of atEnd[target]!) live.add(register);
      const handler = fn.blocks[target]!;
      for (const inner of [...handler.instructions, handler.end]) for (const register of findUses(inner).reads) live.add(register);
    }
  }
  return live;
}

function sweep(
  block: Block,
  atEnd: ReadonlySet<number>,
  texts: ReadonlySet<number>,
  objects: ReadonlySet<number>,
  handlers: ReadonlySet<number>,
): Block {
  const live = new Set([...atEnd, ...findUses(block.end).reads]);
  const overwritten = new Set<string>();
  const kept: Instruction[] = [];
  for (const one of block.instructions.toReversed()) {
    const uses = findUses(one);
    if (isUseless(one, live, texts, objects, handlers) || isOverwritten(one, overwritten)) continue;
    for (const register of uses.writes) if (!handlers.has(register)) live.delete(register);
    for (const register of uses.reads) live.add(register);
    kept.push(one);
  }
  return { instructions: kept.toReversed(), end: block.end };
}

function isUseless(
  one: Instruction,
  live: ReadonlySet<number>,
  texts: ReadonlySet<number>,
  objects: ReadonlySet<number>,
  handlers: ReadonlySet<number>,
): boolean {
  if (one.op === 'store-object') return !objects.has(one.object);
  if (one.op === 'move' && 'register' in one.from && one.from.register === one.to) return true;
  if (!isPure(one) || !('to' in one) || one.to === undefined) return false;
  if (typeof one.to === 'number') return !live.has(one.to) && !handlers.has(one.to);
  return 'local' in one.to && !texts.has(one.to.local);
}

/** A store into an object that a later one of the block covers, with no look at the object in between. */
function isOverwritten(one: Instruction, overwritten: Set<string>): boolean {
  if (one.op === 'store-object') {
    const key = `${one.object}:${one.offset}:${one.size}`;
    if (overwritten.has(key)) return true;
    overwritten.add(key);
    return false;
  }
  if (one.op === 'load-object' || findUses(one).targets.length > 0) overwritten.clear();
  return false;
}
