/**
 * Runs eBPF programs without a kernel, to test compilers and the unwinder: all of RFC 9669 but the loads from packets. Every access is
 * checked against the program's own memory; what the verifier would refuse ends the run with a fault that names the slot and the line.
 */
import { assert, err, ok, type Result } from '../../base/index.ts';
import type { BpfObject, LineInfo, ProgramSpec } from '../object.ts';
import { createRegisters } from './arithmetic.ts';
import { createHelpers, indexHelpers, type Helper, type HelperTable } from './helpers.ts';
import { Machine, ProgramFault } from './machine.ts';
import { InterpreterMap, type MapShape } from './maps.ts';
import { InterpreterMemory } from './memory.ts';
import { prepare, type ReadyProgram } from './program.ts';

export interface InterpreterOptions {
  /** Helpers that are missing here, or are to differ: the clock, the current process. */
  readonly helpers?: HelperTable;
  /** Memory outside of the program's own: of the target, or of the kernel. */
  readonly readOutside?: (space: 'user' | 'kernel', address: bigint, length: number) => Uint8Array | undefined;
  /** Processors, for per-CPU maps. 1 when absent. */
  readonly cpuCount?: number;
  /** The most instructions that a run takes; 10 million when absent. */
  readonly maxInstructions?: number;
}

export interface RunOptions {
  readonly cpu?: number;
  /** The program may write into its context (`syscall` programs). */
  readonly writableContext?: boolean;
}

export interface RunOutcome {
  /** r0 at the end, without sign. */
  readonly returnValue: bigint;
  readonly instructions: number;
}

/** A program did what the verifier would not let it do, or met what the interpreter lacks. */
export interface InterpreterFault {
  readonly program: string;
  readonly slot: number;
  /** Where the slot comes from, when the program says. */
  readonly line: LineInfo | undefined;
  readonly message: string;
}

const DEFAULT_MAX_INSTRUCTIONS = 10_000_000;

/** Maps and programs of one object, alive between runs. */
export class Interpreter {
  readonly memory = new InterpreterMemory();
  readonly #maps = new Map<string, InterpreterMap>();
  readonly #mapsByAddress = new Map<bigint, InterpreterMap>();
  readonly #programs = new Map<string, ReadyProgram>();
  readonly #helpers: ReadonlyMap<number, Helper>;
  readonly #options: InterpreterOptions;

  /** A program that names a map which the object lacks, or an entry that does, is a bug of its maker, and throws. */
  constructor(object: BpfObject, options: InterpreterOptions = {}) {
    this.#options = options;
    this.#helpers = indexHelpers(
      createHelpers(() => this.#maps.values()),
      options.helpers ?? {},
    );
    for (const map of object.maps) this.createMap(map.name, map);
    for (const spec of object.programs) this.#addProgram(spec);
    for (const map of object.maps)
      for (const { key, value } of map.entries ?? []) {
        const target = this.map(map.name);
        if (value instanceof Uint8Array) target.update(key, value);
        else if ('map' in value) target.update(key, this.map(value.map));
        else target.setProgram(key, value.program);
      }
  }

  /** Makes a map beside those of the object, for instance to put it into a map of maps. */
  createMap(name: string, shape: MapShape): InterpreterMap {
    const map = new InterpreterMap(name, shape, this.memory, this.#options.cpuCount ?? 1);
    this.#maps.set(name, map);
    this.#mapsByAddress.set(map.address, map);
    return map;
  }

  /** The map of this name, which must exist. */
  map(name: string): InterpreterMap {
    const map = this.#maps.get(name);
    assert(map !== undefined, `the object has no map ${name}`);
    return map;
  }

  /** Runs a program to its end. `context`: what r1 points to, in place. */
  run(name: string, context: Uint8Array, options: RunOptions = {}): Result<RunOutcome, InterpreterFault> {
    const program = this.#programs.get(name);
    assert(program !== undefined, `the object has no program ${name}`);
    const contextAddress = this.memory.add(context, options.writableContext === true);
    const machine = new Machine({
      program,
      memory: this.memory,
      helpers: this.#helpers,
      registers: createRegisters(),
      cpu: options.cpu ?? 0,
      maxInstructions: this.#options.maxInstructions ?? DEFAULT_MAX_INSTRUCTIONS,
      findMap: (address) => this.#mapsByAddress.get(address),
      findProgram: (programName) => this.#programs.get(programName),
      readOutside: this.#options.readOutside ?? (() => undefined),
    });
    try {
      const returnValue = machine.run(contextAddress);
      for (const map of this.#maps.values()) if (map.hasOpenRecords) machine.fault(`a record of ${map.name} was reserved and never ended`);
      return ok({ returnValue, instructions: machine.instructions });
    } catch (cause) {
      if (!(cause instanceof ProgramFault)) throw cause;
      return err(describe(cause));
    } finally {
      machine.close();
      this.memory.remove(contextAddress);
      for (const map of this.#maps.values()) map.settle();
    }
  }

  #addProgram(spec: ProgramSpec): void {
    const program = prepare(spec, (name) => this.#maps.get(name));
    assert(
      !('missing' in program),
      `program ${spec.name} uses a map that the object lacks: ${'missing' in program ? program.missing : ''}`,
    );
    assert(program.opcode.length > 0, `program ${spec.name} is empty`);
    this.#programs.set(spec.name, program);
  }
}

function describe({ program, slot, message }: ProgramFault): InterpreterFault {
  const line = program.spec.lines.findLast((candidate) => candidate.slot <= slot);
  return { program: program.spec.name, slot, line, message };
}
