/**
 * A glob makes one body for each type of function that it matches. Bodies that came out alike become one, with the sites of all:
 * `ngx_http_*` is one program when nobody looks at the arguments.
 */
import type { Instruction, IrFunction, Probe, Program } from '../program.ts';

export function mergeProbes(program: Program): Program {
  const merged = new Map<string, Probe>();
  for (const [index, probe] of program.probes.entries()) {
    const key = keyOf(program, probe) ?? `probe ${index}`;
    const before = merged.get(key);
    merged.set(key, before === undefined ? probe : withSitesOf(before, probe));
  }
  if (merged.size === program.probes.length) return program;
  return dropUnusedFunctions({ ...program, probes: [...merged.values()] });
}

/** Equal for probes that can be one; undefined for those that have no list of sites. */
function keyOf(program: Program, { point, body, where, global, place, text }: Probe): string | undefined {
  if (point.kind !== 'function' && point.kind !== 'return') return undefined;
  const plain = (_name: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);
  return JSON.stringify([point.kind, where, global, place, text, program.functions[body]], plain);
}

function withSitesOf(probe: Probe, other: Probe): Probe {
  const [point, more] = [probe.point, other.point];
  if ((point.kind !== 'function' && point.kind !== 'return') || more.kind !== point.kind) return probe;
  return { ...probe, point: { ...point, sites: [...point.sites, ...more.sites] } };
}

/** Functions that no probe reaches any more are taken away, the others numbered anew. */
function dropUnusedFunctions(program: Program): Program {
  const reached = new Set(program.probes.map((probe) => probe.body));
  for (const index of reached) for (const callee of findCallees(program.functions[index]!)) reached.add(callee);
  const order = program.functions.map((_, index) => index).filter((index) => reached.has(index));
  const numbers = new Map(order.map((index, position) => [index, position]));
  const functions = order.map((index) => renumberCalls(program.functions[index]!, numbers));
  return { ...program, functions, probes: program.probes.map((probe) => ({ ...probe, body: numbers.get(probe.body)! })) };
}

function sortFunction(one: Instruction): number | undefined {
  return one.op === 'iterate' && one.order !== undefined && typeof one.order.by === 'object' ? one.order.by.function : undefined;
}

function findCallees(fn: IrFunction): number[] {
  return fn.blocks.flatMap(({ instructions }) =>
    instructions.map((one) => (one.op === 'call' ? one.function : sortFunction(one))).filter((callee) => callee !== undefined),
  );
}

function renumberCalls(fn: IrFunction, numbers: ReadonlyMap<number, number>): IrFunction {
  const renumber = (one: Instruction): Instruction => {
    if (one.op === 'call') return { ...one, function: numbers.get(one.function)! };
    const sort = sortFunction(one);
    if (one.op !== 'iterate' || one.order === undefined || sort === undefined) return one;
    return { ...one, order: { ...one.order, by: { function: numbers.get(sort)! } } };
  };
  return { ...fn, blocks: fn.blocks.map((block) => ({ ...block, instructions: block.instructions.map(renumber) })) };
}
