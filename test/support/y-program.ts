// Programs in the intermediate form, written by hand, and an environment for the snapshot engine that keeps what it is given.

import type { Block, Format, Instruction, IrFunction, Operand, Program, Space, Terminator } from '../../src/y/ir/program.ts';
import type { Chart } from '../../src/y/output/index.ts';
import { MemoryStorage, type SnapshotEnvironment, type SnapshotMemory, type Storage } from '../../src/y/engines/snapshot/index.ts';

const PLACE = { file: 'test.y', line: 1, column: 1 };

/** An instruction without its place. */
type Bare = Instruction extends infer I ? (I extends unknown ? Omit<I, 'at'> : never) : never;

export function at(line: number, instruction: Bare): Instruction {
  return { ...instruction, at: { ...PLACE, line } } as Instruction;
}

export function r(register: number): Operand {
  return { register };
}

export function k(constant: bigint | number): Operand {
  return { constant: BigInt(constant) };
}

export function block(instructions: readonly (Instruction | Bare)[], end: Terminator = { op: 'return', value: undefined }): Block {
  return { instructions: instructions.map((instruction) => ({ at: undefined, ...instruction }) as Instruction), end };
}

export function irFunction(blocks: readonly Block[], rest: Partial<IrFunction> = {}): IrFunction {
  return {
    name: 'body',
    parameters: [],
    result: 'none',
    registers: new Array<'integer'>(16).fill('integer'),
    texts: [],
    objects: [],
    iterators: 0,
    place: PLACE,
    ...rest,
    blocks,
  };
}

export function branch(condition: Operand, then: number, otherwise: number): Terminator {
  // oxlint-disable-next-line unicorn/no-thenable -- a block's index, which no promise could be mistaken for
  return { op: 'branch', condition, then, else: otherwise };
}

/** A program whose first function is the body of a `_oneshot`. */
export function program(functions: readonly IrFunction[], rest: Partial<Program> = {}): Program {
  return {
    file: 'test.y',
    options: [],
    globals: [],
    arrays: [],
    literals: [],
    formats: [],
    regexes: [],
    probes: [{ point: { kind: 'oneshot' }, body: 0, where: 'host', global: false, place: PLACE, text: '_oneshot' }],
    header: undefined,
    sources: new Map(),
    ...rest,
    functions,
  };
}

/** `%ld` and the like, from verbs and texts in turn. */
export function format(...pieces: readonly (string | { readonly verb: 'd' | 'u' | 'x' | 's' | 'f' | 'e' })[]): Format {
  const plain = {
    size: 8,
    minus: false,
    plus: false,
    space: false,
    zero: false,
    alternate: false,
    width: undefined,
    precision: undefined,
  } as const;
  return { pieces: pieces.map((piece) => (typeof piece === 'string' ? { text: piece } : { ...plain, ...piece })) };
}

/** Memory from ranges of bytes; everything else cannot be read. */
export class ByteMemory implements SnapshotMemory {
  readonly #ranges: readonly { readonly start: bigint; readonly bytes: Uint8Array }[];
  reads = 0;
  drops = 0;

  constructor(...ranges: readonly { readonly start: bigint; readonly bytes: Uint8Array }[]) {
    this.#ranges = ranges;
  }

  read(address: bigint, length: number): Uint8Array | undefined {
    this.reads += 1;
    for (const { start, bytes } of this.#ranges) {
      const offset = Number(address - start);
      if (offset >= 0 && offset + length <= bytes.length) return bytes.slice(offset, offset + length);
    }
    return undefined;
  }

  drop(): void {
    this.drops += 1;
  }

  readText(address: bigint, limit: number): Uint8Array | undefined {
    const text: number[] = [];
    while (text.length < limit) {
      const byte = this.read(address + BigInt(text.length), 1);
      if (byte === undefined) return undefined;
      if (byte[0] === 0) break;
      text.push(byte[0]!);
    }
    return Uint8Array.from(text);
  }
}

export interface Recorded {
  /** What was printed, all streams in turn; warnings and errors after `warn: ` and `error: `. */
  text: string;
  readonly charts: Chart[];
  exits: number;
}

export interface TestEnvironment {
  readonly environment: SnapshotEnvironment;
  readonly storage: Storage;
  readonly recorded: Recorded;
}

/** An environment with fixed clocks and names; `memory` is the target's. */
export function testEnvironment(of: Program, memory?: SnapshotMemory, rest: Partial<SnapshotEnvironment> = {}): TestEnvironment {
  const storage = new MemoryStorage(of);
  const recorded: Recorded = { text: '', charts: [], exits: 0 };
  const environment: SnapshotEnvironment = {
    memory: (space: Space) => (space === 'user' ? memory : undefined),
    storage,
    describe: {
      symbol: (address, space) => `${space}:${address.toString(16)}`,
      source: (address) => `file.c:${address}`,
      stack: (id) => ['leaf', 'middle', 'main'].slice(0, Number(id)).map((name) => ({ name, text: `${name}+0x10` })),
    },
    output: {
      write: (stream, text) => void (recorded.text += stream === 'out' ? text : `${stream}: ${text}\n`),
      chart: (chart) => void recorded.charts.push(chart),
    },
    identity: {
      pid: 100,
      tid: 101,
      ppid: 1,
      pgid: 99,
      nspid: 7,
      uid: 1000,
      gid: 1001,
      cgroup: 5n,
      threadPointer: 0x7fff_0000_1000n,
      comm: 'target',
      exe: '/bin/target',
      container: '',
    },
    clock: { monotonicNs: () => 5_000_000_001n, wallNs: () => 1_700_000_000_000_000_000n },
    random: () => 42n,
    exit: () => void (recorded.exits += 1),
    ...rest,
  };
  return { environment, storage, recorded };
}
