/**
 * Several fields of one record, read one after the other, become one wider read and loads from it.
 *
 * Only where nobody can tell: between the first and the last read of a group nothing is said, stored or called, and no register that
 * a handler might see is written. All bytes of the wide read lie between fields that are read anyway, less than a page apart, so that
 * it fails exactly when one of them does. Reads with a relocation stay by themselves: their distances differ from kernel to kernel.
 */
import type { Block, Instruction, IrFunction, Operand } from '../program.ts';
import { findUses } from '../uses.ts';

/** Bytes: wider reads cost more than the second read they save. */
const WIDEST = 256;
/** Bytes between two fields that are read for nothing, at most. */
const WIDEST_GAP = 64;

type Read = Extract<Instruction, { op: 'read' }>;

interface Group {
  readonly key: string;
  /** Indices of the reads in the block. */
  readonly reads: number[];
  low: number;
  high: number;
}

export function mergeReads(fn: IrFunction): IrFunction {
  const objects = [...fn.objects];
  const registers = [...fn.registers];
  const escaping = findEscaping(fn);
  const blocks = fn.blocks.map((block) => mergeBlock(block, objects, registers, escaping));
  return { ...fn, objects, registers, blocks };
}

/** Registers that more than one block uses: a handler may read them. */
function findEscaping(fn: IrFunction): ReadonlySet<number> {
  const home = new Map<number, number>();
  const escaping = new Set<number>();
  fn.blocks.forEach(({ instructions, end }, index) => {
    for (const one of [...instructions, end]) {
      const uses = findUses(one);
      for (const register of [...uses.reads, ...uses.writes]) {
        if (home.has(register) && home.get(register) !== index) escaping.add(register);
        else home.set(register, index);
      }
    }
  });
  return escaping;
}

/** What may stand between two reads that are done at once: nothing that is seen outside, and nothing that can end the hit. */
const QUIET = new Set<Instruction['op']>([
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
  'builtin',
  'argument',
  'return-value',
  'register',
  'context',
  'text-length',
  'text-at',
  'compare-text',
  'array-load',
]);

function isMergeable(one: Instruction): one is Read {
  return one.op === 'read' && one.relocate === undefined;
}

function keyOf({ space, address, onFail }: Read): string {
  return `${space} ${'register' in address ? `r${address.register}` : address.constant} ${onFail ?? ''}`;
}

function findGroups(block: Block, escaping: ReadonlySet<number>): Group[] {
  const done: Group[] = [];
  let open: Group[] = [];
  const close = (which: (group: Group) => boolean): void => {
    done.push(...open.filter(which));
    open = open.filter((group) => !which(group));
  };
  block.instructions.forEach((one, index) => {
    const uses = findUses(one);
    if (isMergeable(one)) {
      // Another read that may fail comes between the reads of every other group.
      close((group) => group.key !== keyOf(one));
      const group = open[0];
      if (group === undefined || !grow(group, one, index)) {
        close(() => true);
        open = [{ key: keyOf(one), reads: [index], low: one.offset, high: one.offset + one.size }];
      }
    } else if (!QUIET.has(one.op)) close(() => true);
    const handled = open[0] !== undefined && (block.instructions[open[0].reads[0]!] as Read).onFail !== undefined;
    close((group) => uses.writes.some((register) => group.key.includes(`r${register} `) || (handled && escaping.has(register))));
  });
  close(() => true);
  return done.filter((group) => group.reads.length > 1);
}

function grow(group: Group, read: Read, index: number): boolean {
  const [low, high] = [Math.min(group.low, read.offset), Math.max(group.high, read.offset + read.size)];
  const gap = Math.max(read.offset - group.high, group.low - (read.offset + read.size));
  if (high - low > WIDEST || gap > WIDEST_GAP) return false;
  [group.low, group.high] = [low, high];
  group.reads.push(index);
  return true;
}

function mergeBlock(block: Block, objects: number[], registers: ('integer' | 'float')[], escaping: ReadonlySet<number>): Block {
  const starts = new Map<number, { readonly group: Group; readonly object: number }>();
  const members = new Map<number, { readonly group: Group; readonly object: number }>();
  for (const group of findGroups(block, escaping)) {
    const merged = { group, object: objects.push(group.high - group.low) - 1 };
    starts.set(group.reads[0]!, merged);
    for (const read of group.reads) members.set(read, merged);
  }
  if (members.size === 0) return block;
  const instructions = block.instructions.flatMap((one, index): Instruction[] => {
    const merged = members.get(index);
    if (merged === undefined || one.op !== 'read') return [one];
    const { group, object } = merged;
    const { to, signed, size, at } = one;
    const load: Instruction = { op: 'load-object', to, object, offset: one.offset - group.low, size, signed, at };
    return starts.has(index) ? [...wideRead(one, group, object, registers), load] : [load];
  });
  return { instructions, end: block.end };
}

/** The read of the whole group, with its offset added to the address. */
function wideRead(first: Read, group: Group, object: number, registers: ('integer' | 'float')[]): Instruction[] {
  const { space, onFail, at } = first;
  const size = group.high - group.low;
  const read = (address: Operand): Instruction => ({ op: 'read-object', object, offset: 0, space, address, size, onFail, at });
  if (group.low === 0) return [read(first.address)];
  const to = registers.push('integer') - 1;
  const right: Operand = { constant: BigInt(group.low) };
  return [{ op: 'binary', to, operator: 'add', left: first.address, right, at }, read({ register: to })];
}
