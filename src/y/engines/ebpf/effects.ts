/** What instructions read and write, and where control goes: the facts that liveness and allocation rest on. */
import type { AggregatePlace, Block, Instruction, KeyArgument, Operand, TextPlace } from '../../ir/program.ts';

/** Told of each local that an instruction reads or overwrites as a whole. A partly written object counts as read. */
export interface EffectVisitor {
  use(kind: LocalKind, index: number): void;
  define(kind: LocalKind, index: number): void;
}

export type LocalKind = 'register' | 'text' | 'object';

export function visitOperand(operand: Operand, visitor: EffectVisitor): void {
  if ('register' in operand) visitor.use('register', operand.register);
}

function visitText(place: TextPlace, visitor: EffectVisitor): void {
  if ('local' in place) visitor.use('text', place.local);
}

function defineText(place: TextPlace, visitor: EffectVisitor): void {
  if ('local' in place) visitor.define('text', place.local);
}

export function visitKey(key: KeyArgument, visitor: EffectVisitor): void {
  if ('text' in key) visitText(key.text, visitor);
  else visitOperand(key, visitor);
}

function visitPlace(place: AggregatePlace, visitor: EffectVisitor): void {
  if ('array' in place) for (const key of place.keys) visitKey(key, visitor);
}

function define(to: number | TextPlace | undefined, visitor: EffectVisitor): void {
  if (typeof to === 'number') visitor.define('register', to);
  else if (to !== undefined) defineText(to, visitor);
}

/** Reads first, then writes. */
export function visitEffects(instruction: Instruction, visitor: EffectVisitor): void {
  visitReads(instruction, visitor);
  visitWrites(instruction, visitor);
}

function visitReads(instruction: Instruction, visitor: EffectVisitor): void {
  if ('keys' in instruction) for (const key of instruction.keys) visitKey(key, visitor);
  switch (instruction.op) {
    case 'move':
    case 'extend':
    case 'extract':
    case 'convert':
    case 'log2':
    case 'popcount':
    case 'describe':
      return visitOperand(instruction.from, visitor);
    case 'binary':
      visitOperand(instruction.left, visitor);
      return visitOperand(instruction.right, visitor);
    case 'float-binary':
      visitor.use('register', instruction.left);
      return visitor.use('register', instruction.right);
    case 'store-global':
    case 'add-global':
    case 'array-store':
    case 'array-add':
      return visitOperand(instruction.value, visitor);
    case 'load-object':
      return visitor.use('object', instruction.object);
    case 'store-object':
      visitor.use('object', instruction.object);
      return visitOperand(instruction.value, visitor);
    case 'read':
    case 'read-object':
      return visitOperand(instruction.address, visitor);
    case 'read-text':
      visitOperand(instruction.address, visitor);
      if (instruction.length !== undefined) visitOperand(instruction.length, visitor);
      return;
    case 'valid':
      visitOperand(instruction.address, visitor);
      return visitOperand(instruction.size, visitor);
    default:
      visitTextReads(instruction, visitor);
  }
}

function visitTextReads(instruction: Instruction, visitor: EffectVisitor): void {
  switch (instruction.op) {
    case 'copy-text':
    case 'text-length':
      return visitText(instruction.from, visitor);
    case 'concatenate':
    case 'compare-text':
      visitText(instruction.left, visitor);
      return visitText(instruction.right, visitor);
    case 'substring':
      visitText(instruction.from, visitor);
      visitOperand(instruction.start, visitor);
      return visitOperand(instruction.length, visitor);
    case 'text-at':
      visitText(instruction.from, visitor);
      return visitOperand(instruction.index, visitor);
    case 'match':
      return visitText(instruction.subject, visitor);
    case 'array-store-text':
      return visitText(instruction.value, visitor);
    case 'aggregate':
      visitPlace(instruction.into, visitor);
      return visitOperand(instruction.value, visitor);
    case 'aggregate-read':
      return visitPlace(instruction.from, visitor);
    case 'call':
      for (const argument of instruction.arguments) visitKey(argument, visitor);
      return;
    case 'print':
      for (const value of instruction.values) {
        if (value.kind === 'text') visitText(value.text, visitor);
        else if (value.kind === 'float') visitor.use('register', value.register);
        else if (value.kind === 'histogram') visitPlace(value.from, visitor);
        else visitOperand(value.value, visitor);
      }
      return;
    default:
  }
}

function visitWrites(instruction: Instruction, visitor: EffectVisitor): void {
  // A match leaves the groups as they were when it fails.
  if (instruction.op === 'match') for (const group of instruction.groups) if (group !== undefined) visitText(group, visitor);
  if ('to' in instruction) define(instruction.to, visitor);
  if (instruction.op === 'read-object') visitor.use('object', instruction.object);
}

/** The blocks that may follow, those of failures included; doubles possible. */
export function successorsOf(block: Block): number[] {
  const successors: number[] = [];
  for (const instruction of block.instructions)
    if ('onFail' in instruction && instruction.onFail !== undefined) successors.push(instruction.onFail);
  const { end } = block;
  if (end.op === 'jump') successors.push(end.to);
  if (end.op === 'branch') successors.push(end.then, end.else);
  if (end.op === 'next') successors.push(end.body, end.done);
  return successors;
}
