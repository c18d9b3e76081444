/**
 * A compiled program, made ready for the target and the kernel that it is run on: places of probes, addresses of variables and offsets in the
 * kernel's types are found again by their names. Debug information of the target is not needed for that.
 */
import { err, ok, type Result } from '../base/index.ts';
import { findMember, strip } from '../ctypes/index.ts';
import type { Knowledge, Program } from '../y/index.ts';

type Probe = Program['probes'][number];
type Point = Probe['point'];
type Relocation = NonNullable<Program['relocations']>[number];
type IrFunction = Program['functions'][number];
type Instruction = IrFunction['blocks'][number]['instructions'][number];

/** All that cannot be found is in the error, a sentence each. */
export function relocateProgram(program: Program, knowledge: Knowledge): Result<Program, readonly string[]> {
  const missing: string[] = [];
  const note = <T>(found: Result<T, string>): T | undefined => {
    if (found.ok) return found.value;
    if (!missing.includes(found.error)) missing.push(found.error);
    return undefined;
  };
  const probes = program.probes.map((probe) => ({ ...probe, point: note(relocatePoint(probe, knowledge)) ?? probe.point }));
  const functions = program.functions.map((fn) => ({
    ...fn,
    blocks: fn.blocks.map((block) => ({ ...block, instructions: [...block.instructions] })),
  }));
  for (const relocation of program.relocations ?? []) {
    const { function: fn, block, instruction: at } = relocation;
    const { instructions } = functions[fn]!.blocks[block]!;
    const value = note(findNumber(relocation.target, knowledge));
    if (value !== undefined) instructions[at] = withNumber(instructions[at]!, value);
  }
  return missing.length > 0 ? err(missing) : ok({ ...program, probes, functions });
}

function relocatePoint({ point, text }: Probe, knowledge: Knowledge): Result<Point, string> {
  switch (point.kind) {
    case 'function':
    case 'return': {
      const sites = point.sites.map((site) => knowledge.findFunctions(site.name, site.module).find(({ name }) => name === site.name));
      const lost = point.sites.find((_, index) => sites[index] === undefined);
      if (lost !== undefined) return err(`${text}: the target has no function ${lost.name} in ${lost.module}`);
      return ok({ ...point, sites: sites.filter((site) => site !== undefined) });
    }
    case 'instruction':
      return err(`${text}: a compiled program cannot be put on an instruction; run its source`);
    case 'usdt': {
      const modules = new Set(point.sites.map(({ module }) => module));
      const [provider = '', name = ''] = point.name.split(':');
      const sites = knowledge.findUsdt(provider, name).filter(({ module }) => modules.has(module));
      const hasSame =
        sites.length === point.sites.length && sites.every(({ fileOffset }, index) => fileOffset === point.sites[index]!.fileOffset);
      return hasSame ? ok({ ...point, sites }) : err(`${text}: the target's file is another one; run the program's source`);
    }
    case 'tracepoint': {
      const { category, name, fields } = point.tracepoint;
      const found = knowledge.findTracepoint(category, name);
      if (found === undefined) return err(`${text}: the kernel has no such tracepoint`);
      if (JSON.stringify(found.fields) !== JSON.stringify(fields))
        return err(`${text}: this kernel's record has other fields; run the program's source`);
      return ok({ ...point, tracepoint: found });
    }
    default:
      return ok(point);
  }
}

function findNumber(target: Relocation['target'], knowledge: Knowledge): Result<bigint, string> {
  switch (target.kind) {
    case 'kernel-field': {
      const offset = findOffset(target.type, target.path, knowledge);
      return offset === undefined ? err(`the kernel has no ${target.type} with a member ${target.path}`) : ok(BigInt(offset));
    }
    case 'variable': {
      const address = knowledge.findVariables(target.name, target.module).find((site) => site.address !== undefined)?.address;
      return address === undefined ? err(`the target has no variable ${target.name} in ${target.module}`) : ok(address);
    }
    case 'literal': {
      const address = knowledge.findLiteral(target.bytes);
      return address === undefined ? err(`the target has no text "${new TextDecoder().decode(target.bytes)}"`) : ok(address);
    }
  }
}

function findOffset(type: string, path: string, knowledge: Knowledge): number | undefined {
  const [tag, name] =
    type.startsWith('struct ') || type.startsWith('union ') ? (type.split(' ') as ['struct' | 'union', string]) : (['any', type] as const);
  let current = knowledge.findType(name, tag, 'kernel');
  let offset = 0;
  for (const part of path.split('.')) {
    const record = current && strip(current);
    const found = record?.kind === 'record' ? findMember(record, part) : undefined;
    if (found === undefined) return undefined;
    offset += found.offset;
    current = found.member.type;
  }
  return offset;
}

/** The instruction with its number replaced: a read's offset, a sum's second part, a constant. */
function withNumber(instruction: Instruction, value: bigint): Instruction {
  if (instruction.op === 'read') return { ...instruction, offset: Number(value) };
  if (instruction.op === 'binary') return { ...instruction, right: { constant: value } };
  if (instruction.op === 'move') return { ...instruction, from: { constant: value } };
  return instruction;
}
