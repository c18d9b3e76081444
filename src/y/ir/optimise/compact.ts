/** Registers, texts and objects that nothing uses are taken away, the others numbered anew. */
import type { Instruction, IrFunction, TextPlace } from '../program.ts';
import { findUses, rewriteReads } from '../uses.ts';

export function compact(fn: IrFunction): IrFunction {
  const numbers = fn.parameters.filter((kind) => kind !== 'text').length;
  const texts = fn.parameters.length - numbers;
  const used = collect(fn);
  const register = renumber(fn.registers.length, (index) => index < numbers || used.registers.has(index));
  const text = renumber(fn.texts.length, (index) => index < texts || used.texts.has(index));
  const object = renumber(fn.objects.length, (index) => used.objects.has(index));
  const place = (one: TextPlace): TextPlace => ('local' in one ? { local: text.get(one.local)! } : one);
  const rewrite = {
    operand: (one: { readonly register: number } | { readonly constant: bigint }) =>
      'register' in one ? { register: register.get(one.register)! } : one,
    register: (one: number) => register.get(one)!,
    text: place,
  };
  const instruction = (one: Instruction): Instruction => {
    const read = rewriteReads(one, rewrite);
    const to = 'to' in read && read.to !== undefined ? { to: typeof read.to === 'number' ? register.get(read.to)! : place(read.to) } : {};
    const groups = read.op === 'match' ? { groups: read.groups.map((group) => group && place(group)) } : {};
    const moved = 'object' in read ? { object: object.get(read.object)! } : {};
    return { ...read, ...to, ...groups, ...moved } as Instruction;
  };
  return {
    ...fn,
    registers: fn.registers.filter((_, index) => register.has(index)),
    texts: fn.texts.filter((_, index) => text.has(index)),
    objects: fn.objects.filter((_, index) => object.has(index)),
    blocks: fn.blocks.map(({ instructions, end }) => ({ instructions: instructions.map(instruction), end: rewriteReads(end, rewrite) })),
  };
}

function renumber(count: number, keep: (index: number) => boolean): ReadonlyMap<number, number> {
  const kept = Array.from({ length: count }, (_, index) => index).filter(keep);
  return new Map(kept.map((index, position) => [index, position]));
}

function collect(fn: IrFunction): { readonly registers: Set<number>; readonly texts: Set<number>; readonly objects: Set<number> } {
  const [registers, texts, objects] = [new Set<number>(), new Set<number>(), new Set<number>()];
  for (const { instructions, end } of fn.blocks) {
    for (const one of [...instructions, end]) {
      const uses = findUses(one);
      for (const register of [...uses.reads, ...uses.writes]) registers.add(register);
      for (const text of [...uses.textReads, ...uses.textWrites]) if ('local' in text) texts.add(text.local);
      if ('object' in one) objects.add(one.object);
    }
  }
  return { registers, texts, objects };
}
