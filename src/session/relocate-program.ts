/**
 * A compiled program, made ready for the target and the kernel that it is run on.
 *
 * What the program knows of the target's files holds for these very files: a file is recognised by its build-id, wherever it lies and
 * wherever it is mapped. Places of probes then keep their offsets, and variables their distance from the file's beginning. A file
 * without a build-id must be at the same path and have its symbols at the same places. What belongs to the kernel is found again
 * by name. Debug information of the target is not needed for any of it.
 */
import { err, ok, type Result } from '../base/index.ts';
import { findMember, sizeOf, strip, type CType } from '../ctypes/index.ts';
import type { Knowledge, MappedFile, Program, Site } from '../y/index.ts';

type Point = Program['probes'][number]['point'];
type FunctionSite = Extract<Point, { kind: 'function' }>['sites'][number];
type Relocation = NonNullable<Program['relocations']>[number];
type Target = Relocation['target'];
type Instruction = Program['functions'][number]['blocks'][number]['instructions'][number];

/** Functions of one file that are looked up to see that the file is what its build-id says. All would take long for a glob, and tell no more. */
const CHECKED_FUNCTIONS = 16;

/** All that does not fit is in the error, a sentence each. */
export function relocateProgram(program: Program, knowledge: Knowledge): Result<Program, readonly string[]> {
  return new Relocator(program, knowledge).run();
}

class Relocator {
  readonly #program: Program;
  readonly #knowledge: Knowledge;
  readonly #files: readonly MappedFile[];
  readonly #problems = new Set<string>();
  readonly #checked = new Map<string, number>();

  constructor(program: Program, knowledge: Knowledge) {
    this.#program = program;
    this.#knowledge = knowledge;
    this.#files = knowledge.modules?.() ?? [];
  }

  run(): Result<Program, readonly string[]> {
    const probes = this.#program.probes.map((probe) => ({ ...probe, point: this.#point(probe.point, probe.text) }));
    const functions = this.#program.functions.map((fn) => ({
      ...fn,
      blocks: fn.blocks.map((block) => ({ ...block, instructions: [...block.instructions] })),
    }));
    for (const { function: fn, block, instruction: at, target } of this.#program.relocations ?? []) {
      const instructions = functions[fn]?.blocks[block]?.instructions;
      const before = instructions?.[at];
      if (instructions === undefined || before === undefined) this.#problems.add('the compiled program is damaged: compile it again');
      else instructions[at] = this.#number(before, target);
    }
    return this.#problems.size > 0 ? err([...this.#problems]) : ok({ ...this.#program, probes, functions });
  }

  #point(point: Point, text: string): Point {
    switch (point.kind) {
      case 'function':
      case 'return':
        return { ...point, sites: point.sites.map((site) => this.#function(site, text)) };
      case 'instruction':
        return { ...point, sites: point.sites.map((site) => ('name' in site ? this.#function(site, text) : this.#site(site, text))) };
      case 'usdt':
        return { ...point, sites: point.sites.map((site) => this.#site(site, text)) };
      case 'tracepoint':
        this.#checkTracepoint(point, text);
        return point;
      case 'syscall':
        for (const [index, name] of point.names.entries()) this.#checkSyscall(name, point.numbers[index], text);
        return point;
      default:
        return point;
    }
  }

  /** The mapped file; undefined, and said why, when there is none. */
  #file(module: string, buildId: string | undefined): MappedFile | undefined {
    const same = this.#files.filter((file) => file.buildId === buildId && (buildId !== undefined || file.path === module));
    // Of copies of a file, the one whose variables can be read.
    const found = same.find(({ bias }) => bias !== undefined) ?? same[0];
    if (found !== undefined) return found;
    const nameOf = (path: string): string | undefined => path.split('/').at(-1);
    const other = this.#files.find(({ path }) => path === module) ?? this.#files.find(({ path }) => nameOf(path) === nameOf(module));
    const expected = `was compiled for ${module} with ${describeBuildId(buildId)}`;
    const met =
      other === undefined ? 'the target maps no such file' : `the target has ${other.path} with ${describeBuildId(other.buildId)}`;
    this.#problems.add(`the program ${expected}, and ${met}: compile it again for this target`);
    return undefined;
  }

  #function(site: FunctionSite, text: string): FunctionSite {
    const file = this.#file(site.module, site.buildId);
    if (file === undefined) return site;
    const checked = this.#checked.get(file.path) ?? 0;
    this.#checked.set(file.path, checked + 1);
    if (site.buildId === undefined || checked < CHECKED_FUNCTIONS) this.#checkFunction(site, file, text);
    return { ...site, module: file.path };
  }

  /** A stripped file has no symbols to compare with: its build-id has to do. */
  #checkFunction({ name, fileOffset, buildId }: FunctionSite, { path }: MappedFile, text: string): void {
    const found = this.#knowledge.findFunctions(name, path);
    if (found.some((other) => other.fileOffset === fileOffset) || (found.length === 0 && buildId !== undefined)) return;
    const offset = (value: number): string => `0x${value.toString(16)}`;
    const met = found.length === 0 ? 'it has none' : `it is at ${found.map((other) => offset(other.fileOffset)).join(', ')}`;
    this.#problems.add(`${text}: ${name} was at ${offset(fileOffset)} of ${path}, and now ${met}: compile the program again`);
  }

  #site<S extends Site>(site: S, text: string): S {
    const file = this.#file(site.module, site.buildId);
    if (file === undefined) return site;
    if (site.buildId === undefined)
      this.#problems.add(`${text}: ${site.module} has no build-id, so nobody can tell whether the place is still the same: run the source`);
    return { ...site, module: file.path };
  }

  #checkTracepoint({ tracepoint }: Extract<Point, { kind: 'tracepoint' }>, text: string): void {
    const { category, name, fields } = tracepoint;
    const found = this.#knowledge.findTracepoint(category, name);
    if (found === undefined) this.#problems.add(`${text}: the kernel has no such tracepoint`);
    else if (JSON.stringify(found.fields) !== JSON.stringify(fields))
      this.#problems.add(`${text}: this kernel's record has other fields: compile the program again`);
  }

  #checkSyscall(name: string, number: number | undefined, text: string): void {
    const found = this.#knowledge.findSyscalls(name).find((call) => call.name === name);
    if (found !== undefined && found.number !== number)
      this.#problems.add(`${text}: system call ${name} has number ${found.number} here, not ${number}: compile the program again`);
  }

  #number(instruction: Instruction, target: Target): Instruction {
    switch (target.kind) {
      case 'kernel-field':
        return this.#kernelField(instruction, target);
      case 'variable':
        return withConstant(instruction, this.#variable(target));
      case 'literal': {
        const address = this.#knowledge.findLiteral(target.bytes);
        if (address === undefined) this.#problems.add(`the target has no text ${JSON.stringify(new TextDecoder().decode(target.bytes))}`);
        return withConstant(instruction, address);
      }
    }
  }

  #variable({ module, buildId, name, fileAddress }: Extract<Target, { kind: 'variable' }>): bigint | undefined {
    const file = this.#file(module, buildId);
    if (file === undefined) return undefined;
    if (file.bias === undefined) this.#problems.add(`${file.path}, where ${name} is, is not mapped into the process that is read`);
    if (file.bias === undefined || fileAddress === undefined) return undefined;
    const isThere = (): boolean => this.#knowledge.findVariables(name, file.path).some((site) => site.fileAddress === fileAddress);
    if (buildId === undefined && !isThere()) this.#problems.add(`${name} of ${module} is not where it was: compile the program again`);
    return BigInt.asUintN(64, fileAddress + file.bias);
  }

  #kernelField(instruction: Instruction, { type, path, addend }: Extract<Target, { kind: 'kernel-field' }>): Instruction {
    const field = findField(type, path, this.#knowledge);
    if (field === undefined) {
      this.#problems.add(`the kernel has no ${type} with a member ${path}`);
      return instruction;
    }
    if (instruction.op !== 'read') return withConstant(instruction, BigInt(field.offset + addend));
    if (addend === 0 && isScalar(field.size) && field.size !== instruction.size && !field.hasBits)
      this.#problems.add(`${path} of ${type} has ${field.size} bytes in this kernel, not ${instruction.size}: compile the program again`);
    return { ...instruction, offset: field.offset + addend };
  }
}

function describeBuildId(buildId: string | undefined): string {
  return buildId === undefined ? 'no build-id' : `build-id ${buildId}`;
}

function isScalar(size: number | undefined): boolean {
  return size === 1 || size === 2 || size === 4 || size === 8;
}

interface KernelField {
  readonly offset: number;
  readonly size: number | undefined;
  readonly hasBits: boolean;
}

/** @param type `struct task_struct`, or the name of a typedef */
function findField(type: string, path: string, knowledge: Knowledge): KernelField | undefined {
  const tagged = /^(struct|union) (.*)$/.exec(type);
  let current = tagged === null ? knowledge.findType(type, 'any', 'kernel') : knowledge.findType(tagged[2]!, tagOf(tagged[1]!), 'kernel');
  let field: KernelField | undefined;
  for (const part of path.split('.')) {
    const record = current && elementOf(strip(current));
    const found = record?.kind === 'record' ? findMember(record, part) : undefined;
    if (found === undefined) return undefined;
    current = found.member.type;
    field = { offset: (field?.offset ?? 0) + found.offset, size: sizeOf(current), hasBits: found.member.bits !== undefined };
  }
  return field;
}

/** A path leads through the first element of an array. */
function elementOf(type: CType): CType {
  return type.kind === 'array' ? elementOf(strip(type.element)) : type;
}

function tagOf(word: string): 'struct' | 'union' {
  return word === 'union' ? 'union' : 'struct';
}

/** A sum's second part, or a constant. */
function withConstant(instruction: Instruction, value: bigint | undefined): Instruction {
  if (value === undefined) return instruction;
  if (instruction.op === 'binary') return { ...instruction, right: { constant: value } };
  return instruction.op === 'move' ? { ...instruction, from: { constant: value } } : instruction;
}
