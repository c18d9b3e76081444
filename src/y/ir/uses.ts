/** What an instruction reads and writes; the one place that knows it for every instruction. */
import type { AggregatePlace, Instruction, KeyArgument, Operand, OutputValue, Terminator, TextPlace } from './program.ts';

export interface Uses {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly textReads: readonly TextPlace[];
  readonly textWrites: readonly TextPlace[];
  /** Blocks that control may go to. */
  readonly targets: readonly number[];
}

/** How to rewrite what an instruction reads. */
export interface Rewrite {
  readonly operand?: ((operand: Operand) => Operand) | undefined;
  /** A register that must stay one (of a double). */
  readonly register?: ((register: number) => number) | undefined;
  readonly text?: ((text: TextPlace) => TextPlace) | undefined;
  readonly block?: ((block: number) => number) | undefined;
}

export function findUses(i: Instruction | Terminator): Uses {
  const reads: number[] = [];
  const textReads: TextPlace[] = [];
  const targets: number[] = [];
  rewriteReads(i, {
    operand: (operand) => {
      if ('register' in operand) reads.push(operand.register);
      return operand;
    },
    register: (register) => {
      reads.push(register);
      return register;
    },
    text: (text) => {
      textReads.push(text);
      return text;
    },
    block: (block) => {
      targets.push(block);
      return block;
    },
  });
  const writes: number[] = [];
  const textWrites: TextPlace[] = [];
  if ('to' in i && i.op !== 'jump' && i.to !== undefined) {
    if (typeof i.to === 'number') writes.push(i.to);
    else textWrites.push(i.to);
  }
  if (i.op === 'match') for (const group of i.groups) if (group !== undefined) textWrites.push(group);
  return { reads, writes, textReads, textWrites, targets };
}

const same = <T>(value: T): T => value;

/** The instruction with its operands, read texts and targets replaced. */
export function rewriteReads<T extends Instruction | Terminator>(i: T, rewrite: Rewrite): T {
  return rewriteAny(i, rewrite) as T;
}

function rewriteAny(i: Instruction | Terminator, rewrite: Rewrite): Instruction | Terminator {
  const operand = rewrite.operand ?? same;
  const register = rewrite.register ?? same;
  const text = rewrite.text ?? same;
  const block = rewrite.block ?? same;
  const key = (argument: KeyArgument): KeyArgument => ('text' in argument ? { text: text(argument.text) } : operand(argument));
  const onFail = (target: number | undefined): number | undefined => (target === undefined ? undefined : block(target));
  switch (i.op) {
    case 'jump':
      return { ...i, to: block(i.to) };
    case 'branch':
      // oxlint-disable-next-line unicorn/no-thenable -- a block's index, which no promise could be mistaken for
      return { ...i, condition: operand(i.condition), then: block(i.then), else: block(i.else) };
    case 'return':
      return { ...i, value: i.value && key(i.value) };
    case 'next':
      return { ...i, body: block(i.body), done: block(i.done) };
    case 'move':
    case 'extend':
    case 'extract':
    case 'convert':
    case 'log2':
    case 'popcount':
    case 'describe':
      return { ...i, from: operand(i.from) };
    case 'binary':
      return { ...i, left: operand(i.left), right: operand(i.right), ...(i.onFail === undefined ? {} : { onFail: block(i.onFail) }) };
    case 'float-binary':
      return { ...i, left: register(i.left), right: register(i.right) };
    case 'store-global':
    case 'add-global':
    case 'store-object':
      return { ...i, value: operand(i.value) };
    case 'read':
    case 'read-object':
      return { ...i, address: operand(i.address), onFail: onFail(i.onFail) };
    case 'read-text':
      return { ...i, address: operand(i.address), length: i.length && operand(i.length), onFail: onFail(i.onFail) };
    case 'valid':
      return { ...i, address: operand(i.address), size: operand(i.size) };
    default:
      return rewriteTextual(i, rewrite);
  }
}

/** Instructions on texts, arrays and what goes out. */
function rewriteTextual(i: Instruction | Terminator, rewrite: Rewrite): Instruction | Terminator {
  const operand = rewrite.operand ?? same;
  const register = rewrite.register ?? same;
  const text = rewrite.text ?? same;
  const key = (argument: KeyArgument): KeyArgument => ('text' in argument ? { text: text(argument.text) } : operand(argument));
  const keys = (list: readonly KeyArgument[]): KeyArgument[] => list.map(key);
  const aggregate = (place: AggregatePlace): AggregatePlace => ('array' in place ? { array: place.array, keys: keys(place.keys) } : place);
  switch (i.op) {
    case 'copy-text':
    case 'text-length':
      return { ...i, from: text(i.from) };
    case 'concatenate':
    case 'compare-text':
      return { ...i, left: text(i.left), right: text(i.right) };
    case 'substring':
      return { ...i, from: text(i.from), start: operand(i.start), length: operand(i.length) };
    case 'text-at':
      return { ...i, from: text(i.from), index: operand(i.index) };
    case 'match':
      return { ...i, subject: text(i.subject) };
    case 'array-load':
    case 'array-load-text':
    case 'array-has':
    case 'array-delete':
      return { ...i, keys: keys(i.keys) };
    case 'array-store':
    case 'array-add':
      return { ...i, keys: keys(i.keys), value: operand(i.value) };
    case 'array-store-text':
      return { ...i, keys: keys(i.keys), value: text(i.value) };
    case 'aggregate':
      return { ...i, into: aggregate(i.into), value: operand(i.value) };
    case 'aggregate-read':
      return { ...i, from: aggregate(i.from) };
    case 'iterate':
      return { ...i, limit: i.limit && operand(i.limit) };
    case 'call':
      return { ...i, arguments: keys(i.arguments), ...(i.onFail === undefined ? {} : { onFail: (rewrite.block ?? same)(i.onFail) }) };
    case 'print':
      return { ...i, values: i.values.map((value) => rewriteValue(value, operand, register, text, aggregate)) };
    default:
      return i;
  }
}

function rewriteValue(
  value: OutputValue,
  operand: (operand: Operand) => Operand,
  register: (register: number) => number,
  text: (text: TextPlace) => TextPlace,
  aggregate: (place: AggregatePlace) => AggregatePlace,
): OutputValue {
  switch (value.kind) {
    case 'integer':
    case 'described':
      return { ...value, value: operand(value.value) };
    case 'float':
      return { ...value, register: register(value.register) };
    case 'text':
      return { ...value, text: text(value.text) };
    case 'histogram':
      return { ...value, from: aggregate(value.from) };
  }
}
