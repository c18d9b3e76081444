/** Hopcroft's algorithm: the coarsest partition of a deterministic automaton's states that outputs and transitions allow. */

/** A deterministic automaton whose states have labels: states with different labels are never joined. */
export interface Labelled {
  readonly classes: number;
  /** `states * classes` entries. */
  readonly next: readonly number[];
  /** By state. */
  readonly labels: readonly string[];
}

/** Block of each state. Time is n·k·log n. */
export function findBlocks({ classes, next, labels }: Labelled): Int32Array {
  const partition = new Partition(labels);
  const inverse = invert(next, labels.length, classes);
  const waiting: [number, number][] = [];
  const isWaiting = new Set<number>();
  const add = (block: number, byClass: number): void => {
    if (isWaiting.has(block * classes + byClass)) return;
    isWaiting.add(block * classes + byClass);
    waiting.push([block, byClass]);
  };
  for (let block = 0; block < partition.blocks.length; block++) for (let at = 0; at < classes; at++) add(block, at);
  for (let work = waiting.pop(); work !== undefined; work = waiting.pop()) {
    const [block, byClass] = work;
    isWaiting.delete(block * classes + byClass);
    const sources = (partition.blocks[block] ?? []).flatMap((state) => inverse[state * classes + byClass] ?? []);
    for (const [old, made] of partition.split(sources)) {
      const smaller = (partition.blocks[old]?.length ?? 0) < (partition.blocks[made]?.length ?? 0) ? old : made;
      for (let at = 0; at < classes; at++) add(isWaiting.has(old * classes + at) ? made : smaller, at);
    }
  }
  return partition.blockOf;
}

class Partition {
  readonly blocks: number[][] = [];
  readonly blockOf: Int32Array;

  constructor(labels: readonly string[]) {
    this.blockOf = new Int32Array(labels.length);
    const known = new Map<string, number>();
    for (const [state, label] of labels.entries()) {
      const block = known.get(label) ?? this.blocks.push([]) - 1;
      known.set(label, block);
      this.blocks[block]?.push(state);
      this.blockOf[state] = block;
    }
  }

  /** Parts each block into those in `states` and the others; gives the blocks parted, with the new ones. */
  split(states: readonly number[]): readonly (readonly [number, number])[] {
    const hit = new Map<number, number[]>();
    for (const state of states) {
      const block = this.blockOf[state] as number;
      const list = hit.get(block);
      if (list === undefined) hit.set(block, [state]);
      else list.push(state);
    }
    const parted: (readonly [number, number])[] = [];
    for (const [block, inside] of hit) {
      if (inside.length === this.blocks[block]?.length) continue;
      const made = this.blocks.push(inside) - 1;
      for (const state of inside) this.blockOf[state] = made;
      this.blocks[block] = (this.blocks[block] ?? []).filter((state) => this.blockOf[state] === block);
      parted.push([block, made]);
    }
    return parted;
  }
}

/** The states that lead to a state by a class: `inverse[state * classes + class]`. */
function invert(next: readonly number[], states: number, classes: number): readonly (readonly number[] | undefined)[] {
  const inverse: (number[] | undefined)[] = Array.from({ length: states * classes }, () => undefined);
  for (const [at, to] of next.entries()) {
    const index = to * classes + (at % classes);
    (inverse[index] ??= []).push(Math.floor(at / classes));
  }
  return inverse;
}

export interface Renumbering {
  /** Old state that stands for each new one. New state 0 is dead, 1 the start; the others in the order of their discovery. */
  readonly representatives: readonly number[];
  /** New number of each old state. */
  readonly numberOf: Int32Array;
}

/** Numbers the blocks. Where the start is as dead as `dead`, it keeps a number of its own. */
export function renumber({ classes, next }: Labelled, blockOf: Int32Array, dead: number, start: number): Renumbering {
  const ofBlock = new Map<number, number>([[blockOf[dead] as number, 0]]);
  const representatives = [dead, start];
  if (blockOf[start] !== blockOf[dead]) ofBlock.set(blockOf[start] as number, 1);
  for (let at = 1; at < representatives.length; at++) {
    const from = representatives[at] as number;
    for (let byClass = 0; byClass < classes; byClass++) {
      const to = next[from * classes + byClass] as number;
      if (!ofBlock.has(blockOf[to] as number)) ofBlock.set(blockOf[to] as number, representatives.push(to) - 1);
    }
  }
  return { representatives, numberOf: Int32Array.from(blockOf, (block) => ofBlock.get(block) ?? 0) };
}
