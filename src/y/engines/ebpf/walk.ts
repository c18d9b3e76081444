/** Questions about functions as a whole. */
import type { Instruction, IrFunction, Program } from '../../ir/program.ts';
import { findFlow } from './liveness.ts';

export function instructionsOf({ blocks }: IrFunction): Instruction[] {
  return blocks.flatMap(({ instructions }) => instructions);
}

export function hasLoop(body: IrFunction): boolean {
  return findFlow(body).headers.length > 0;
}

/** Functions that the given ones call, themselves included; callers before those they call. There must be no cycle. */
export function reachableFrom(program: Program, roots: readonly number[]): number[] {
  const order: number[] = [];
  const seen = new Set<number>();
  const visit = (index: number): void => {
    if (seen.has(index)) return;
    seen.add(index);
    for (const instruction of instructionsOf(program.functions[index]!)) if (instruction.op === 'call') visit(instruction.function);
    order.push(index);
  };
  for (const root of roots) visit(root);
  return order.reverse();
}

/** Bytes of the longest text that the functions could touch. */
export function longestTextOf(program: Program, bodies: readonly IrFunction[]): number {
  const values = program.arrays.map(({ value }) => (value.kind === 'text' ? value.capacity : 0));
  const globals = program.globals.map(({ kind, size }) => (kind === 'text' ? size : 0));
  const literals = program.literals.map(({ length }) => length);
  return Math.max(16, ...values, ...globals, ...literals, ...bodies.flatMap(({ texts }) => texts));
}

/** JSON's replacer for big integers, where only equality counts. */
export function withBigInts(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
