/** Blocks, registers and places of one function while it is made, and the tables of the program around it. */
import type {
  Block,
  Format,
  Instruction,
  InstructionKind,
  IrFunction,
  Operand,
  RelocationTarget,
  SourcePlace,
  Terminator,
  TextPlace,
} from '../program.ts';

/** Literals and formats of a program, each once. */
export class Tables {
  readonly literals: Uint8Array[] = [];
  readonly formats: Format[] = [];
  private readonly literalIndex = new Map<string, number>();
  private readonly formatIndex = new Map<string, number>();

  literal(bytes: Uint8Array): number {
    const key = bytes.join();
    const known = this.literalIndex.get(key);
    if (known !== undefined) return known;
    this.literalIndex.set(key, this.literals.length);
    return this.literals.push(bytes) - 1;
  }

  format(format: Format): number {
    const key = JSON.stringify(format);
    const known = this.formatIndex.get(key);
    if (known !== undefined) return known;
    this.formatIndex.set(key, this.formats.length);
    return this.formats.push(format) - 1;
  }
}

interface OpenBlock {
  readonly instructions: Instruction[];
  end: Terminator | undefined;
}

export class FunctionBuilder {
  readonly registers: ('integer' | 'float')[] = [];
  readonly texts: number[] = [];
  readonly objects: number[] = [];
  /** Where a failed read goes: the handler of the innermost `_try`. */
  onFail: number | undefined;
  private readonly blocks: OpenBlock[] = [];
  private current = 0;
  /** Temporary texts that the next statement may use again. */
  private readonly freeTexts: number[] = [];
  private readonly usedTexts: number[] = [];

  constructor() {
    this.block();
  }

  /** A new block; it is not entered. */
  block(): number {
    return this.blocks.push({ instructions: [], end: undefined }) - 1;
  }

  enter(block: number): void {
    this.current = block;
  }

  /** Adds an instruction; after the end of a block it is never reached and is left out. */
  emit(instruction: InstructionKind, at: SourcePlace | undefined, relocate?: RelocationTarget): void {
    const block = this.blocks[this.current]!;
    if (block.end !== undefined) return;
    block.instructions.push(relocate === undefined ? { ...instruction, at } : { ...instruction, at, relocate });
  }

  end(end: Terminator): void {
    this.blocks[this.current]!.end ??= end;
  }

  branch(condition: Operand, yes: number, no: number): void {
    // oxlint-disable-next-line unicorn/no-thenable -- a block's index, which no promise could be mistaken for
    this.end({ op: 'branch', condition, then: yes, else: no });
  }

  integer(): number {
    return this.registers.push('integer') - 1;
  }

  float(): number {
    return this.registers.push('float') - 1;
  }

  text(capacity: number): number {
    return this.texts.push(capacity) - 1;
  }

  object(size: number): number {
    return this.objects.push(Math.max(size, 1)) - 1;
  }

  /** A text for one statement. */
  temporaryText(capacity: number): TextPlace {
    const at = this.freeTexts.findIndex((text) => this.texts[text] === capacity);
    const local = at < 0 ? this.text(capacity) : this.freeTexts.splice(at, 1)[0]!;
    this.usedTexts.push(local);
    return { local };
  }

  /** Gives the temporary texts of the statements since `mark` back. */
  release(mark: number): void {
    this.freeTexts.push(...this.usedTexts.splice(mark));
  }

  mark(): number {
    return this.usedTexts.length;
  }

  finish(name: string, place: SourcePlace, shape: Pick<IrFunction, 'parameters' | 'result' | 'iterators'>): IrFunction {
    this.end({ op: 'return', value: undefined });
    const blocks = this.blocks.map(({ instructions, end }): Block => ({ instructions, end: end ?? { op: 'return', value: undefined } }));
    return { name, ...shape, registers: this.registers, texts: this.texts, objects: this.objects, blocks, place };
  }
}

export const ZERO: Operand = { constant: 0n };

export function constantOf(value: bigint): Operand {
  return { constant: BigInt.asIntN(64, value) };
}
