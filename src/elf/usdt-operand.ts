/**
 * Arguments of USDT probes, as <sys/sdt.h> leaves them: assembler operands with a size in front.
 * x86-64 in AT&T spelling (`-4@%eax 8@-1204(%rbp) 8@$5 8@counter(%rip)`), AArch64 (`8@x0 -4@[sp, 12] 4@7`).
 * Source: systemtap wiki, "UserSpaceProbeImplementation"; gcc's operand modifiers.
 */
import { MACHINE } from './elf-file.ts';

/** One register as an operand names it. */
export interface OperandRegister {
  /** As it was spelled, without `%`. */
  readonly name: string;
  /** DWARF number: x86-64 0 rax … 15 r15, 16 rip; AArch64 0–30, 31 sp. Undefined for registers that no general-purpose one holds (xmm0, v0). */
  readonly dwarf: number | undefined;
  /** Width of the spelled part, bytes (`eax` 4, `w0` 4). */
  readonly sizeBytes: number;
  /** True for ah, bh, ch, dh: bits 8–15. */
  readonly high: boolean;
}

export type UsdtOperand =
  | { readonly kind: 'constant'; readonly value: bigint }
  | { readonly kind: 'register'; readonly register: OperandRegister }
  /** The value lies in memory at `symbol + base + index * scale + displacement`. */
  | {
      readonly kind: 'memory';
      readonly base: OperandRegister | undefined;
      readonly index: OperandRegister | undefined;
      readonly scale: number;
      readonly displacement: number;
      readonly symbol: string | undefined;
    }
  /** A spelling that we do not know. */
  | { readonly kind: 'unknown' };

export interface UsdtArgument {
  /** Bytes: 1, 2, 4, 8; 0 when the probe does not say (take the operand's own width). */
  readonly sizeBytes: number;
  readonly signed: boolean;
  /** The size is that of a floating-point value (`8f@`). */
  readonly float: boolean;
  readonly operand: UsdtOperand;
  /** As the file spells it. */
  readonly text: string;
}

/** Parses the argument text of one probe; never fails: what is not understood becomes `unknown`. At most 32 arguments. */
export function parseUsdtArguments(text: string, machine: number): UsdtArgument[] {
  return splitArguments(text)
    .slice(0, 32)
    .map((argument) => {
      const prefix = /^(-?)(\d{1,2})(f?)@/.exec(argument);
      const spelled = argument.slice(prefix?.[0].length ?? 0);
      return {
        sizeBytes: Number(prefix?.[2] ?? 0),
        signed: prefix?.[1] === '-',
        float: prefix?.[3] === 'f',
        operand: machine === MACHINE.aarch64 ? parseAarch64(spelled) : parseX86(spelled),
        text: argument,
      };
    });
}

/** At blanks, but not inside of brackets. */
function splitArguments(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const char of text) {
    if (char === '[' || char === '(') depth++;
    else if (char === ']' || char === ')') depth--;
    if (char !== ' ' || depth > 0) part += char;
    else if (part !== '') {
      parts.push(part);
      part = '';
    }
  }
  return part === '' ? parts : [...parts, part];
}

function parseX86(text: string): UsdtOperand {
  const constant = /^\$(-?(?:0x[0-9a-f]+|\d+))$/i.exec(text);
  if (constant) return { kind: 'constant', value: toBigint(constant[1]!) };
  if (/^%[a-z0-9]+$/.test(text)) return { kind: 'register', register: x86Register(text.slice(1)) };
  const memory = /^([^()]*)\((%[a-z0-9]+)?(?:,\s*(%[a-z0-9]+)(?:,\s*([1248]))?)?\)$/.exec(text);
  const place = parsePlace(memory ? memory[1]! : text);
  if (place === undefined || (!memory && place.symbol === undefined && place.displacement === 0)) return { kind: 'unknown' };
  return {
    kind: 'memory',
    base: memory?.[2] ? x86Register(memory[2].slice(1)) : undefined,
    index: memory?.[3] ? x86Register(memory[3].slice(1)) : undefined,
    scale: Number(memory?.[4] ?? 1),
    ...place,
  };
}

/** `-8`, `counter`, `counter+16`, `16+counter`, or nothing. */
function parsePlace(text: string): { symbol: string | undefined; displacement: number } | undefined {
  let symbol: string | undefined;
  let displacement = 0;
  for (const term of text.replace(/\s/g, '').match(/[+-]?[^+-]+/g) ?? []) {
    const number = /^([+-]?)(0x[0-9a-f]+|\d+)$/i.exec(term);
    if (number) displacement += Number(number[2]) * (number[1] === '-' ? -1 : 1);
    else if (symbol === undefined && /^\+?[A-Za-z_.$][\w.$@]*$/.test(term)) symbol = term.replace(/^\+/, '');
    else return undefined;
  }
  return { symbol, displacement };
}

function parseAarch64(text: string): UsdtOperand {
  const constant = /^#?(-?(?:0x[0-9a-f]+|\d+))$/i.exec(text);
  if (constant) return { kind: 'constant', value: toBigint(constant[1]!) };
  if (/^[a-z][a-z0-9]*$/.test(text)) return { kind: 'register', register: aarch64Register(text) };
  const memory = /^\[([a-z][a-z0-9]*)(?:,\s*(?:#?(-?\d+)|([wx]\d+|xzr|wzr)(?:,\s*(?:lsl|sxtw|uxtw)\s*#?(\d)?)?))?\]$/.exec(text);
  if (!memory) return { kind: 'unknown' };
  return {
    kind: 'memory',
    base: aarch64Register(memory[1]!),
    index: memory[3] ? aarch64Register(memory[3]) : undefined,
    scale: 2 ** Number(memory[4] ?? 0),
    displacement: Number(memory[2] ?? 0),
    symbol: undefined,
  };
}

function toBigint(text: string): bigint {
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}

const X86_WORDS = ['ax', 'dx', 'cx', 'bx', 'si', 'di', 'bp', 'sp'];

function x86Register(name: string): OperandRegister {
  const numbered = /^r(8|9|1[0-5])([dwb]?)$/.exec(name);
  if (numbered) return { name, dwarf: Number(numbered[1]), sizeBytes: { '': 8, d: 4, w: 2, b: 1 }[numbered[2]!] ?? 8, high: false };
  if (name === 'rip' || name === 'eip') return { name, dwarf: 16, sizeBytes: name === 'rip' ? 8 : 4, high: false };
  const byte = /^([abcd])([lh])$/.exec(name);
  if (byte) return { name, dwarf: X86_WORDS.indexOf(`${byte[1]}x`), sizeBytes: 1, high: byte[2] === 'h' };
  const word = /^([re]?)([a-ds][xip])$|^([re]?)(di|bp)$/.exec(name);
  const stem = word?.[2] ?? word?.[4] ?? (/^(si|di|bp|sp)l$/.test(name) ? name.slice(0, 2) : '');
  const at = X86_WORDS.indexOf(stem);
  if (at < 0) return { name, dwarf: undefined, sizeBytes: name.startsWith('xmm') ? 16 : 8, high: false };
  const sizeBytes = name.endsWith('l') ? 1 : ({ r: 8, e: 4, '': 2 }[word?.[1] ?? word?.[3] ?? ''] ?? 2);
  return { name, dwarf: at, sizeBytes, high: false };
}

function aarch64Register(name: string): OperandRegister {
  const numbered = /^([wx])(\d|[12]\d|30)$/.exec(name);
  if (numbered) return { name, dwarf: Number(numbered[2]), sizeBytes: numbered[1] === 'x' ? 8 : 4, high: false };
  if (name === 'sp' || name === 'wsp') return { name, dwarf: 31, sizeBytes: name === 'sp' ? 8 : 4, high: false };
  return { name, dwarf: undefined, sizeBytes: name.startsWith('w') || name.startsWith('s') ? 4 : 8, high: false };
}
