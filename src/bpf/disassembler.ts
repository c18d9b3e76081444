/** Instructions as text, in the form of the kernel's verifier and of `bpftool prog dump xlated` (kernel/bpf/disasm.c of Linux 6.18). */
import { findHelperName } from './helpers.ts';
import {
  Alu,
  Atomic,
  Class,
  decodeInstructions,
  immediate64,
  Jump,
  LOAD_IMM64,
  Mode,
  Pseudo,
  SOURCE_REGISTER,
  type Instruction,
} from './instruction.ts';
import type { ProgramSpec } from './object.ts';

const ALU_SYMBOLS: Readonly<Record<number, string>> = {
  [Alu.add]: '+=',
  [Alu.sub]: '-=',
  [Alu.mul]: '*=',
  [Alu.div]: '/=',
  [Alu.or]: '|=',
  [Alu.and]: '&=',
  [Alu.lsh]: '<<=',
  [Alu.rsh]: '>>=',
  [Alu.mod]: '%=',
  [Alu.xor]: '^=',
  [Alu.mov]: '=',
  [Alu.arsh]: 's>>=',
};

const JUMP_SYMBOLS: Readonly<Record<number, string>> = {
  [Jump.eq]: '==',
  [Jump.gt]: '>',
  [Jump.ge]: '>=',
  [Jump.set]: '&',
  [Jump.ne]: '!=',
  [Jump.sgt]: 's>',
  [Jump.sge]: 's>=',
  [Jump.lt]: '<',
  [Jump.le]: '<=',
  [Jump.slt]: 's<',
  [Jump.sle]: 's<=',
};

const SIZE_NAMES: Readonly<Record<number, string>> = { 0x00: 'u32', 0x08: 'u16', 0x10: 'u8', 0x18: 'u64' };
const FETCH_NAMES: Readonly<Record<number, string>> = { [Atomic.add]: 'add', [Atomic.and]: 'and', [Atomic.or]: 'or', [Atomic.xor]: 'xor' };

interface DisassembleOptions {
  /** Puts the source's lines between the instructions, as `; text @ file:line`. */
  readonly source?: boolean;
}

/** A whole program, one line an instruction: `3: (bf) r6 = r1`. Maps are named. */
export function disassemble(program: Pick<ProgramSpec, 'code' | 'maps' | 'functions' | 'lines'>, options: DisassembleOptions = {}): string {
  const slots = decodeInstructions(program.code);
  const maps = new Map(program.maps.map((relocation) => [relocation.slot, relocation]));
  const lines = new Map(options.source === true ? program.lines.map((line) => [line.slot, line]) : []);
  const functions = new Map(program.functions.map(({ slot, name }) => [slot, name]));
  const text: string[] = [];
  for (let index = 0; index < slots.length; index += slots[index]!.opcode === LOAD_IMM64 ? 2 : 1) {
    const name = functions.get(index);
    if (name !== undefined) text.push(`${name}:`);
    const line = lines.get(index);
    if (line !== undefined) text.push(`; ${line.text} @ ${line.file}:${line.line}`);
    const map = maps.get(index);
    const place = map === undefined ? undefined : map.kind === 'map' ? `map[${map.map}]` : `map[${map.map}][0]+${map.offset}`;
    text.push(`${index}: ${formatInstruction(slots, index, place)}`);
  }
  return `${text.join('\n')}\n`;
}

/**
 * One instruction without its number: `(0f) r1 += r2`. Of a 64-bit load, `index` is the first slot; `map` stands for its value.
 * What is no instruction is shown as `(8d) ?`.
 */
export function formatInstruction(slots: readonly Instruction[], index: number, map?: string): string {
  const slot = slots[index]!;
  const opcode = slot.opcode.toString(16).padStart(2, '0');
  const text = slot.opcode === LOAD_IMM64 ? formatWide(slots, index, map) : formatSlot(slot);
  return `(${opcode}) ${text ?? '?'}`;
}

function formatSlot(slot: Instruction): string | undefined {
  switch (slot.opcode & 7) {
    case Class.ALU:
    case Class.ALU64:
      return formatAlu(slot);
    case Class.JMP:
    case Class.JMP32:
      return formatJump(slot);
    case Class.LD:
      return formatPacketLoad(slot);
    case Class.LDX:
      return formatLoad(slot);
    default:
      return formatStore(slot);
  }
}

function formatWide(slots: readonly Instruction[], index: number, map: string | undefined): string {
  const { dst, src, imm } = slots[index]!;
  if (map !== undefined) return `r${dst} = ${map}`;
  if (src === Pseudo.func) return `r${dst} = func(pc${signed(imm)})`;
  return `r${dst} = 0x${immediate64(slots, index).toString(16)}`;
}

function signed(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}

function formatAlu({ opcode, dst, src, offset, imm }: Instruction): string | undefined {
  const wide = (opcode & 7) === Class.ALU64;
  const letter = wide ? 'r' : 'w';
  const operation = opcode & 0xf0;
  if (operation === Alu.end) return formatEndian(wide, opcode, dst, imm);
  if (operation === Alu.neg) return `${letter}${dst} = -${letter}${dst}`;
  const symbol = ALU_SYMBOLS[operation];
  if (symbol === undefined) return undefined;
  const fromRegister = (opcode & SOURCE_REGISTER) !== 0;
  if (operation === Alu.mov && fromRegister && offset !== 0) return `${letter}${dst} = (s${offset})${letter}${src}`;
  const sign = offset === 1 && (operation === Alu.div || operation === Alu.mod) ? 's' : '';
  return `${letter}${dst} ${sign}${symbol} ${fromRegister ? `${letter}${src}` : imm}`;
}

function formatEndian(wide: boolean, opcode: number, dst: number, bits: number): string {
  const order = wide ? 'bswap' : (opcode & SOURCE_REGISTER) !== 0 ? 'be' : 'le';
  return `r${dst} = ${order}${bits} r${dst}`;
}

function formatJump({ opcode, dst, src, offset, imm }: Instruction): string | undefined {
  const wide = (opcode & 7) === Class.JMP;
  const operation = opcode & 0xf0;
  const fromRegister = (opcode & SOURCE_REGISTER) !== 0;
  if (operation === Jump.ja) return wide ? `goto pc${signed(offset)}` : `gotol pc${signed(imm)}`;
  if (operation === Jump.call) {
    if (src === Pseudo.call) return `call pc${signed(imm)}`;
    if (src === Pseudo.kernelCall) return `call kernel-function#${imm}`;
    const name = findHelperName(imm);
    return name === undefined ? `call unknown#${imm}` : `call bpf_${name}#${imm}`;
  }
  if (operation === Jump.exit) return 'exit';
  const symbol = JUMP_SYMBOLS[operation];
  if (symbol === undefined) return undefined;
  const letter = wide ? 'r' : 'w';
  return `if ${letter}${dst} ${symbol} ${fromRegister ? `${letter}${src}` : `0x${(imm >>> 0).toString(16)}`} goto pc${signed(offset)}`;
}

function formatPacketLoad({ opcode, src, imm }: Instruction): string | undefined {
  const size = SIZE_NAMES[opcode & 0x18]!;
  if ((opcode & 0xe0) === Mode.ABS) return `r0 = *(${size} *)skb[${imm}]`;
  if ((opcode & 0xe0) === Mode.IND) return `r0 = *(${size} *)skb[r${src} ${signed(imm)}]`;
  return undefined;
}

function formatLoad({ opcode, dst, src, offset }: Instruction): string | undefined {
  const size = SIZE_NAMES[opcode & 0x18]!;
  const mode = opcode & 0xe0;
  if (mode !== Mode.MEM && mode !== Mode.MEMSX) return undefined;
  return `r${dst} = *(${mode === Mode.MEMSX ? size.replace('u', 's') : size} *)(r${src} ${signed(offset)})`;
}

function formatStore(slot: Instruction): string | undefined {
  const { opcode, dst, src, offset, imm } = slot;
  const size = SIZE_NAMES[opcode & 0x18]!;
  const mode = opcode & 0xe0;
  const place = `*(${size} *)(r${dst} ${signed(offset)})`;
  if ((opcode & 7) === Class.ST) return mode === Mode.MEM ? `${place} = ${imm}` : undefined;
  if (mode === Mode.MEM) return `${place} = r${src}`;
  return mode === Mode.ATOMIC ? formatAtomic(place, slot) : undefined;
}

function formatAtomic(place: string, { opcode, dst, src, offset, imm }: Instruction): string | undefined {
  const wide = (opcode & 0x18) === 0x18;
  const name = `atomic${wide ? '64' : ''}`;
  const pointer = `(${wide ? 'u64' : 'u32'} *)(r${dst} ${signed(offset)})`;
  if (imm === Atomic.xchg) return `r${src} = ${name}_xchg(${pointer}, r${src})`;
  if (imm === Atomic.cmpxchg) return `r0 = ${name}_cmpxchg(${pointer}, r0, r${src})`;
  const operation = FETCH_NAMES[imm & ~Atomic.fetch];
  if (operation === undefined) return undefined;
  if ((imm & Atomic.fetch) !== 0) return `r${src} = ${name}_fetch_${operation}(${pointer}, r${src})`;
  return `lock ${place} ${ALU_SYMBOLS[imm]} r${src}`;
}
