/** Leaves out what control never reaches: the kernel refuses a program with such instructions ("unreachable insn"). */
import { assert } from '../base/index.ts';
import { Class, Jump } from './instruction.ts';
import type { Item } from './layout.ts';

export interface Reachable {
  readonly items: readonly Item[];
  readonly labels: ReadonlyMap<string, number>;
  /** New index by old one; -1 for what was left out. */
  readonly indexes: readonly number[];
}

const JA = Class.JMP | Jump.ja;
const EXIT = Class.JMP | Jump.exit;

/** From the first instruction on, through jumps, calls and functions that are loaded. Conditions count as going both ways. */
export function keepReachable(items: readonly Item[], labels: ReadonlyMap<string, number>): Reachable {
  const kept = findReachable(items, labels);
  let next = 0;
  const indexes = items.map((_, index) => (kept.has(index) ? next++ : -1));
  const moved = new Map<string, number>();
  // A label whose instruction is gone can be the target of nothing that is left.
  for (const [label, index] of labels) if (kept.has(index)) moved.set(label, indexes[index]!);
  return { items: items.filter((_, index) => kept.has(index)), labels: moved, indexes };
}

function findReachable(items: readonly Item[], labels: ReadonlyMap<string, number>): Set<number> {
  const seen = new Set<number>();
  const open = [0];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    const item = items[index];
    if (item === undefined || seen.has(index)) continue;
    seen.add(index);
    const { opcode } = item.instruction;
    if (opcode !== JA && opcode !== EXIT) open.push(index + 1);
    if (item.target === undefined) continue;
    const target = labels.get(item.target.label);
    assert(target !== undefined, `the label ${item.target.label} is used and stands nowhere`);
    open.push(target);
  }
  return seen;
}
