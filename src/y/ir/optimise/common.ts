/** A value that the block has computed already is taken from the register that still holds it. */
import type { Block, Instruction, IrFunction, Operand } from '../program.ts';
import { findUses } from '../uses.ts';

export function shareCommonValues(fn: IrFunction): IrFunction {
  return { ...fn, blocks: fn.blocks.map(shareInBlock) };
}

function shareInBlock(block: Block): Block {
  const holders = new Map<string, number>();
  const instructions = block.instructions.map((one): Instruction => {
    const key = keyOf(one);
    const holder = key === undefined ? undefined : holders.get(key);
    const { writes } = findUses(one);
    for (const register of writes) drop(holders, register);
    const [to] = writes;
    if (key === undefined || to === undefined) return one;
    if (holder !== undefined && holder !== to) return { op: 'move', to, from: { register: holder }, at: one.at };
    if (!key.includes(`r${to}.`)) holders.set(key, to);
    return one;
  });
  return { instructions, end: block.end };
}

function drop(holders: Map<string, number>, register: number): void {
  for (const [key, holder] of holders) if (holder === register || key.includes(`r${register}.`)) holders.delete(key);
}

const show = (operand: Operand): string => ('register' in operand ? `r${operand.register}.` : operand.constant.toString());

/** What is computed; undefined for what may differ from one time to the next, or fail. */
function keyOf(one: Instruction): string | undefined {
  switch (one.op) {
    case 'move':
      if (one.relocate === undefined || one.relocate.kind === 'kernel-field') return undefined;
      return one.relocate.kind === 'variable'
        ? `variable ${one.relocate.module} ${one.relocate.name} ${one.relocate.fileAddress}`
        : `literal ${one.relocate.bytes.join()}`;
    case 'binary':
      if (one.relocate !== undefined || one.operator.endsWith('div') || one.operator.endsWith('mod')) return undefined;
      return `${one.operator} ${show(one.left)} ${show(one.right)}`;
    case 'extend':
      return `extend ${one.bits} ${one.signed} ${show(one.from)}`;
    case 'extract':
      return `extract ${one.shift} ${one.bits} ${one.signed} ${show(one.from)}`;
    case 'argument':
      return `argument ${one.index}`;
    case 'return-value':
      return 'return-value';
    default:
      return undefined;
  }
}
