/** Places of instructions, and the distances of jumps. */
import { assert } from '../base/index.ts';
import { Class, Jump, type Instruction } from './instruction.ts';

/** An instruction before its place is known. */
export interface Item {
  readonly instruction: Instruction;
  /** Upper half of a 64-bit immediate; undefined where there is but one slot. */
  readonly second: number | undefined;
  readonly target: { readonly label: string; readonly kind: 'jump' | 'call' | 'function' } | undefined;
}

interface Layout {
  readonly slots: readonly Instruction[];
  /** First slot of each item. */
  readonly slotOfItem: readonly number[];
}

const JA = Class.JMP | Jump.ja;
const GOTOL: Instruction = { opcode: Class.JMP32 | Jump.ja, dst: 0, src: 0, offset: 0, imm: 0 };

/** Begins with short jumps everywhere and lengthens those that do not reach, until all do; a jump once long stays so, thus it ends. */
export function layOut(items: readonly Item[], labels: ReadonlyMap<string, number>): Layout {
  const long = new Set<number>();
  for (;;) {
    const slotOfItem = place(items, long);
    const short = items.flatMap((item, index) => {
      if (item.target?.kind !== 'jump' || long.has(index)) return [];
      const distance = slotOf(item, labels, slotOfItem) - slotOfItem[index]! - 1;
      return distance > 0x7fff || distance < -0x8000 ? [index] : [];
    });
    if (short.length === 0) return { slots: emit(items, labels, slotOfItem, long), slotOfItem };
    for (const index of short) long.add(index);
  }
}

function place(items: readonly Item[], long: ReadonlySet<number>): number[] {
  let next = 0;
  const slots = items.map((item, index) => {
    const slot = next;
    // A long conditional jump: if condition goto +1; goto +1; gotol target.
    const jumpSlots = long.has(index) && item.instruction.opcode !== JA ? 3 : 1;
    next += item.second === undefined ? jumpSlots : 2;
    return slot;
  });
  slots.push(next);
  return slots;
}

function slotOf(item: Item, labels: ReadonlyMap<string, number>, slotOfItem: readonly number[]): number {
  const { label } = item.target!;
  const index = labels.get(label);
  assert(index !== undefined, `the label ${label} is used and stands nowhere`);
  return slotOfItem[index]!;
}

function emit(
  items: readonly Item[],
  labels: ReadonlyMap<string, number>,
  slotOfItem: readonly number[],
  long: ReadonlySet<number>,
): Instruction[] {
  return items.flatMap((item, index): Instruction[] => {
    const { instruction, second, target } = item;
    const upper = second === undefined ? [] : [{ opcode: 0, dst: 0, src: 0, offset: 0, imm: second }];
    if (target === undefined) return [instruction, ...upper];
    const destination = slotOf(item, labels, slotOfItem);
    const distance = destination - slotOfItem[index]! - 1;
    if (target.kind !== 'jump') return [{ ...instruction, imm: distance }, ...upper];
    if (!long.has(index)) return [{ ...instruction, offset: distance }];
    if (instruction.opcode === JA) return [{ ...GOTOL, imm: distance }];
    return [
      { ...instruction, offset: 1 },
      { opcode: JA, dst: 0, src: 0, offset: 1, imm: 0 },
      { ...GOTOL, imm: distance - 2 },
    ];
  });
}
