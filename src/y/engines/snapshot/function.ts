/** A function of the program, compiled on first use to arrays of closures, one array a block. */
import type { Block, IrFunction } from '../../ir/program.ts';
import { compileInstruction } from './compile-instruction.ts';
import { compileTerminator } from './control-steps.ts';
import { Frame, type ConstantPool } from './frame.ts';
import { HitEnded, LEAVE, NEXT, type Step } from './step.ts';
import { makeUnit, type Callable, type Machine, type Unit } from './unit.ts';

/** What one run of a probe may still take. Shared by all functions. */
export interface Budget {
  instructions: number;
  /** Instructions that the run began with. */
  allowed: number;
  depth: number;
}

/** Deeper calls end the hit: our own stack would. */
const MAX_DEPTH = 1000;

interface CompiledBlock {
  readonly steps: readonly Step[];
  readonly end: Step;
  readonly at: Block['instructions'][number]['at'];
}

export class CompiledFunction implements Callable {
  readonly source: IrFunction;
  readonly #budget: Budget;
  readonly #blocks: readonly CompiledBlock[];
  readonly #constants: ConstantPool;
  readonly #iterators: number;
  readonly #free: Frame[] = [];

  constructor(machine: Machine, source: IrFunction, budget: Budget) {
    this.source = source;
    this.#budget = budget;
    const unit = makeUnit(machine, source);
    this.#blocks = source.blocks.map((block) => compileBlock(unit, block));
    this.#constants = unit.constants;
    this.#iterators = countIterators(source);
  }

  acquire(): Frame {
    const registers = this.source.registers.length + this.#constants.num.length;
    const frame = this.#free.pop() ?? new Frame(this.source, registers, this.#iterators);
    frame.reset(this.#constants);
    return frame;
  }

  release(frame: Frame): void {
    this.#free.push(frame);
  }

  run(frame: Frame): void {
    const budget = this.#budget;
    budget.depth += 1;
    if (budget.depth > MAX_DEPTH) throw new HitEnded('loop-budget', this.source.place, `calls nest deeper than ${MAX_DEPTH}`);
    try {
      this.#runBlocks(frame);
    } finally {
      budget.depth -= 1;
    }
  }

  // hot: 0.2 to 0.4 µs a node of a list, nine instructions each (npm run bench -- snapshot-walk).
  #runBlocks(frame: Frame): void {
    const budget = this.#budget;
    const blocks = this.#blocks;
    let index = 0;
    while (index !== LEAVE) {
      const block = blocks[index]!;
      const { steps } = block;
      budget.instructions -= steps.length + 1;
      if (budget.instructions < 0) throw spent(budget, block.at ?? this.source.place);
      index = NEXT;
      for (let step = 0; step < steps.length && index === NEXT; step++) index = steps[step]!(frame);
      if (index === NEXT) index = block.end(frame);
    }
  }
}

function spent({ allowed }: Budget, at: CompiledBlock['at']): HitEnded {
  return new HitEnded('loop-budget', at, `the probe took its ${allowed.toLocaleString('en')} instructions`);
}

function compileBlock(unit: Unit, { instructions, end }: Block): CompiledBlock {
  const at = instructions.find((instruction) => instruction.at !== undefined)?.at;
  return {
    steps: instructions.map((instruction) => compileInstruction(unit, instruction)),
    end: end.op === 'fail' ? compileFail(end.why, at) : compileTerminator(unit, end),
    at,
  };
}

function compileFail(why: HitEnded['why'], at: HitEnded['at']): Step {
  return () => {
    throw new HitEnded(why, at, 'the program says so');
  };
}

/** A function that orders a `_foreach` has that loop's iterator without counting it as its own. */
function countIterators(source: IrFunction): number {
  let count = source.iterators;
  for (const { instructions } of source.blocks) {
    for (const instruction of instructions) {
      if (instruction.op === 'iterator-key') count = Math.max(count, instruction.iterator + 1);
    }
  }
  return count;
}
