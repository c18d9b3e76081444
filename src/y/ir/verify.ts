/** Checks that a program is well-formed: every index is there, every operand is of the kind that its instruction takes. */
import { findUses, type Uses } from './uses.ts';
import type { Block, Instruction, IrFunction, Program, TextPlace } from './program.ts';

/** What is wrong, one line each; empty for a good program. Used by tests after each pass. */
export function verifyIr(program: Program): string[] {
  const problems: string[] = [];
  program.functions.forEach((fn, index) => {
    const say = (block: number, at: number, what: string): void => void problems.push(`f${index} ${fn.name} b${block}.${at}: ${what}`);
    verifyFunction(program, fn, say);
  });
  program.probes.forEach((probe) => {
    const body = program.functions[probe.body];
    if (body === undefined) problems.push(`probe ${probe.text}: no function ${probe.body}`);
    else if (body.parameters.length > 0 || body.result !== 'none') problems.push(`probe ${probe.text}: its body takes or gives values`);
    if (probe.where === 'hit' && body !== undefined) problems.push(...hostOnly(program, probe.body, probe.text));
  });
  return problems;
}

type Say = (block: number, at: number, what: string) => void;

const HOST_ONLY = new Set<Instruction['op']>(['describe', 'aggregate-read', 'array-count', 'iterate', 'iterator-key', 'chart']);

/** Instructions of the host in what a hit runs. */
function hostOnly(program: Program, from: number, text: string): string[] {
  const seen = new Set([from]);
  const problems: string[] = [];
  for (const index of seen) {
    for (const block of program.functions[index]?.blocks ?? []) {
      for (const one of block.instructions) {
        if (HOST_ONLY.has(one.op)) problems.push(`probe ${text}: ${one.op} in a hit`);
        if (one.op === 'call') seen.add(one.function);
      }
    }
  }
  return problems;
}

function verifyFunction(program: Program, fn: IrFunction, say: Say): void {
  if (fn.blocks.length === 0) say(0, 0, 'no blocks');
  const numbers = fn.parameters.filter((kind) => kind !== 'text');
  if (fn.parameters.slice(0, numbers.length).includes('text')) say(0, 0, 'a text parameter stands before a number');
  numbers.forEach((kind, index) => {
    if (fn.registers[index] !== kind) say(0, 0, `parameter ${index} is ${kind}, its register ${fn.registers[index]}`);
  });
  fn.blocks.forEach((block, index) => {
    block.instructions.forEach((instruction, at) => verifyInstruction(program, fn, instruction, (what) => say(index, at, what)));
    verifyEnd(program, fn, block, (what) => say(index, block.instructions.length, what));
  });
}

function verifyUses(program: Program, fn: IrFunction, uses: Uses, say: (what: string) => void): void {
  for (const register of [...uses.reads, ...uses.writes]) if (fn.registers[register] === undefined) say(`no register ${register}`);
  for (const text of [...uses.textReads, ...uses.textWrites]) verifyText(program, fn, text, say);
  for (const text of uses.textWrites) if ('literal' in text) say('a literal is written');
  for (const target of uses.targets) if (fn.blocks[target] === undefined) say(`no block ${target}`);
}

function verifyText(program: Program, fn: IrFunction, text: TextPlace, say: (what: string) => void): void {
  if ('local' in text && fn.texts[text.local] === undefined) say(`no text ${text.local}`);
  if ('literal' in text && program.literals[text.literal] === undefined) say(`no literal ${text.literal}`);
  if ('global' in text && program.globals[text.global]?.kind !== 'text') say(`global ${text.global} is no text`);
}

function verifyEnd(program: Program, fn: IrFunction, block: Block, say: (what: string) => void): void {
  const { end } = block;
  verifyUses(program, fn, findUses(end), say);
  if (end.op === 'branch' && 'register' in end.condition && fn.registers[end.condition.register] !== 'integer') say('a branch on a double');
  if (end.op === 'next' && end.iterator >= fn.iterators) say(`no iterator ${end.iterator}`);
  if (end.op !== 'return') return;
  const kind =
    end.value === undefined
      ? 'none'
      : 'text' in end.value
        ? 'text'
        : 'register' in end.value
          ? fn.registers[end.value.register]
          : 'integer';
  if (kind !== fn.result) say(`returns ${kind}, not ${fn.result}`);
}

/** Instructions whose numbers may be doubles as well: they move bytes. */
const ANY_KIND = new Set<Instruction['op']>([
  'move',
  'load-global',
  'store-global',
  'array-load',
  'array-store',
  'call',
  'aggregate-read',
  'convert',
  'read',
  'print',
  'load-object',
  'store-object',
  'context',
]);

function verifyInstruction(program: Program, fn: IrFunction, i: Instruction, say: (what: string) => void): void {
  const uses = findUses(i);
  verifyUses(program, fn, uses, say);
  const kindOf = (register: number) => fn.registers[register];
  if (i.op === 'float' || i.op === 'float-binary') {
    const compares = i.op === 'float-binary' && !['add', 'sub', 'mul', 'div'].includes(i.operator);
    if (kindOf(i.to) !== (compares ? 'integer' : 'float')) say(`${i.op} into ${kindOf(i.to)}`);
    if (i.op === 'float-binary' && (kindOf(i.left) !== 'float' || kindOf(i.right) !== 'float')) say('float-binary of integers');
  } else if (!ANY_KIND.has(i.op)) {
    for (const register of [...uses.reads, ...uses.writes]) if (kindOf(register) === 'float') say(`${i.op} of a double`);
  }
  if (i.op === 'move' && 'register' in i.from && kindOf(i.from.register) !== kindOf(i.to)) say('a move between kinds');
  if (i.op === 'convert') verifyConvert(i, kindOf, say);
  verifyTables(program, fn, i, say);
}

function verifyConvert(
  i: Extract<Instruction, { op: 'convert' }>,
  kindOf: (register: number) => string | undefined,
  say: (what: string) => void,
): void {
  const from = 'register' in i.from ? kindOf(i.from.register) : 'integer';
  const isInteger = i.form === 'truncate' || i.form === 'to-float32';
  const [wantedFrom, wantedTo] = isInteger ? ['float', 'integer'] : ['integer', 'float'];
  if (from !== wantedFrom || kindOf(i.to) !== wantedTo) say(`convert ${i.form} from ${from} to ${kindOf(i.to)}`);
}

function verifyTables(program: Program, fn: IrFunction, i: Instruction, say: (what: string) => void): void {
  if ('global' in i && program.globals[i.global] === undefined) say(`no global ${i.global}`);
  if ('object' in i && fn.objects[i.object] === undefined) say(`no object ${i.object}`);
  if ('object' in i && i.offset + i.size > (fn.objects[i.object] ?? 0)) say(`object ${i.object} has no bytes at ${i.offset}`);
  if ('array' in i) verifyArray(program, i.array, 'keys' in i ? i.keys : undefined, say);
  if (i.op === 'aggregate' && 'array' in i.into) verifyArray(program, i.into.array, i.into.keys, say);
  if ('iterator' in i && i.iterator >= fn.iterators) say(`no iterator ${i.iterator}`);
  if (i.op === 'print' && program.formats[i.format]?.pieces.filter((piece) => 'verb' in piece).length !== i.values.length)
    say('a format and its values differ in number');
  if (i.op === 'match' && program.regexes[i.regex] === undefined) say(`no regex ${i.regex}`);
  if (i.op !== 'call') return;
  const callee = program.functions[i.function];
  if (callee === undefined) return say(`no function ${i.function}`);
  if (callee.parameters.length !== i.arguments.length) say(`${i.arguments.length} arguments for ${callee.parameters.length}`);
  callee.parameters.forEach((kind, index) => {
    const argument = i.arguments[index];
    const given =
      argument === undefined
        ? 'nothing'
        : 'text' in argument
          ? 'text'
          : 'register' in argument
            ? fn.registers[argument.register]
            : 'integer';
    if (given !== kind) say(`argument ${index} is ${given}, not ${kind}`);
  });
}

function verifyArray(program: Program, index: number, keys: readonly unknown[] | undefined, say: (what: string) => void): void {
  const array = program.arrays[index];
  if (array === undefined) return say(`no array ${index}`);
  if (keys !== undefined && keys.length !== array.keys.length) say(`${keys.length} keys for \`${array.name}\``);
  keys?.forEach((key, position) => {
    const text = typeof key === 'object' && key !== null && 'text' in key;
    if (text !== (array.keys[position]?.kind === 'text')) say(`key ${position} of \`${array.name}\` is of another kind`);
  });
}
