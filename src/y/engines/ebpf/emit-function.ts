/**
 * One function's blocks. A function with loops becomes the callback of bpf_loop: a call runs from one jump back to the next, and the frame
 * says with which block to go on. So the verifier sees each block once, whatever the loop's shape, and the budget is the number of rounds.
 */
import { assert } from '../../../base/index.ts';
import type { BinaryOperator, Instruction, IrFunction, KeyArgument, Operand } from '../../ir/program.ts';
import { emitAggregate } from './emit-aggregate.ts';
import {
  emitBinary,
  emitConvert,
  emitExtend,
  emitExtract,
  emitFloat,
  emitJump,
  emitLogarithm,
  emitMove,
  emitPopcount,
  isComparison,
  refuseFloat,
} from './emit-arithmetic.ts';
import {
  emitArgument,
  emitBuiltin,
  emitBuiltinText,
  emitContext,
  emitContextText,
  emitRead,
  emitRegister,
  emitReturnValue,
  emitStack,
  emitValid,
} from './emit-hit.ts';
import { emitMatch } from './emit-match.ts';
import { emitExit, emitPrint } from './emit-output.ts';
import {
  emitAddGlobal,
  emitArrayAdd,
  emitArrayClear,
  emitArrayDelete,
  emitArrayHas,
  emitArrayLoad,
  emitArrayLoadText,
  emitArrayStore,
  emitArrayStoreText,
  emitLoadGlobal,
  emitLoadObject,
  emitReadObject,
  emitStoreGlobal,
  emitStoreObject,
} from './emit-storage.ts';
import {
  emitCompareText,
  emitConcatenate,
  emitCopy,
  emitCopyText,
  emitReadText,
  emitSubstring,
  emitTextAt,
  emitTextLength,
  emitZero,
} from './emit-text.ts';
import { LOOP_STATE, OUTCOME, textEnd, type Emitter } from './emitter.ts';
import { FRAME } from './function-plan.ts';
import { diesAtEnd, isBackEdge } from './liveness.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;

/** Emits all blocks, and what they defer. Of a callback, r9 and r6 are set; of the others, the arguments are in the frame. */
export function emitFunctionBody(e: Emitter): void {
  const { flow } = e.plan;
  const stubs = new Map<number, string>();
  if (e.mode === 'callback') emitDispatch(e);
  emitFirstValues(e);
  for (const [place, block] of flow.order.entries()) emitBlock(e, block, flow.order[place + 1], stubs);
  e.defer(() => {
    for (const [header, label] of stubs) emitBackEdge(e, header, label);
  });
  e.finish();
}

/** By the number that the last round left. */
function emitDispatch(e: Emitter): void {
  const { headers } = e.plan.flow;
  e.loadFrame(0, e.plan.state);
  for (const header of headers) e.a.jumpIfImm('eq', 0, header + 1, e.blockLabel(header));
}

/** What may be read before it is written is zero. */
function emitFirstValues(e: Emitter): void {
  const { body, liveness, homes } = e.plan;
  const live = liveness.liveIn[0]!;
  const texts = body.parameters.filter((kind) => kind === 'text').length;
  for (let register = body.parameters.length; register < homes.length; register++) {
    if (live[register] !== 1) continue;
    e.load(0, { constant: 0n });
    e.store(register, 0);
  }
  for (const [text, capacity] of body.texts.entries())
    if (text >= texts && live[liveness.indexOf('text', text)] === 1) emitZero(e, e.localText(text), 0, textEnd(capacity));
  for (const [object, bytes] of body.objects.entries())
    if (live[liveness.indexOf('object', object)] === 1)
      emitZero(e, { kind: 'register', register: 9, offset: e.plan.objects[object]! }, 0, Math.ceil(bytes / 8) * 8);
}

/** One round less; the rest is for the next one. */
function emitBackEdge(e: Emitter, header: number, label: string): void {
  const { a } = e;
  a.label(label);
  e.loadFrame(0, FRAME.budget);
  a.aluImm('sub', 0, 1);
  e.storeFrame(FRAME.budget, 0, 1);
  a.jumpIfImm('eq', 0, 0, e.failure('loop-budget'));
  e.storeFrameImm(e.plan.state, header + 1, 1);
  a.moveImm(0, 0).exit();
}

function emitBlock(e: Emitter, block: number, next: number | undefined, stubs: Map<number, string>): void {
  const { body, flow, liveness } = e.plan;
  const { instructions, end } = body.blocks[block]!;
  const labelOf = (to: number): string => {
    if (!isBackEdge(flow, block, to)) return e.blockLabel(to);
    const label = stubs.get(to) ?? e.a.newLabel('again');
    stubs.set(to, label);
    return label;
  };
  const goTo = (to: number): void => {
    if (to !== next || isBackEdge(flow, block, to)) e.a.jump(labelOf(to));
  };
  e.a.label(e.blockLabel(block));
  const last = instructions.at(-1);
  const fused =
    end.op === 'branch' &&
    last?.op === 'binary' &&
    isComparison(last.operator) &&
    'register' in end.condition &&
    end.condition.register === last.to &&
    diesAtEnd(body, block, liveness, end.condition)
      ? last
      : undefined;
  for (const instruction of fused === undefined ? instructions : instructions.slice(0, -1)) emitWithLine(e, instruction, labelOf);
  if (fused !== undefined) emitLine(e, fused);
  if (end.op === 'jump') goTo(end.to);
  else if (end.op === 'fail') e.a.jump(e.failure(end.why));
  else if (end.op === 'return') emitReturn(e, end.value);
  else if (end.op === 'branch') {
    const test = fused ?? { operator: 'ne' as const, left: end.condition, right: { constant: 0n } };
    emitBranch(e, test, end, next, labelOf, goTo);
  } else assert(false, `${end.op} is for our own process only`);
}

const INVERSE: Partial<Readonly<Record<BinaryOperator, BinaryOperator>>> = {
  eq: 'ne',
  ne: 'eq',
  slt: 'sge',
  sge: 'slt',
  sle: 'sgt',
  sgt: 'sle',
  ult: 'uge',
  uge: 'ult',
  ule: 'ugt',
  ugt: 'ule',
};

function emitBranch(
  e: Emitter,
  test: { readonly operator: BinaryOperator; readonly left: Operand; readonly right: Operand },
  { then, else: otherwise }: { readonly then: number; readonly else: number },
  next: number | undefined,
  labelOf: (to: number) => string,
  goTo: (to: number) => void,
): void {
  if ('constant' in test.left && 'constant' in test.right && test.operator === 'ne') {
    return goTo(test.left.constant === test.right.constant ? otherwise : then);
  }
  if (then === next && otherwise !== next) {
    emitJump(e, INVERSE[test.operator]!, test.left, test.right, labelOf(otherwise));
    return goTo(then);
  }
  emitJump(e, test.operator, test.left, test.right, labelOf(then));
  goTo(otherwise);
}

function emitReturn(e: Emitter, value: KeyArgument | undefined): void {
  const { a, plan } = e;
  if (value !== undefined && plan.result >= 0) {
    if ('text' in value) {
      const { offset, capacity } = plan.resultText;
      emitCopy(e, { place: { kind: 'register', register: 9, offset }, capacity }, e.text(value.text));
    } else {
      e.load(0, value);
      e.storeFrame(plan.result, 0, 1);
    }
  }
  if (e.mode === 'inline') a.jump(e.endLabel);
  else if (e.mode === 'subprogram') a.moveImm(0, OUTCOME.done).exit();
  else {
    e.storeFrameImm(plan.state, LOOP_STATE.ended + OUTCOME.done, 1);
    a.moveImm(0, 1).exit();
  }
}

function emitLine(e: Emitter, { at }: Instruction): void {
  if (at === undefined) return;
  const text = e.program.sources.get(at.file)?.split('\n')[at.line - 1] ?? '';
  e.a.line({ file: at.file, line: at.line, column: at.column, text: text.trim() });
}

/** A failure handler may be a block that lies behind: its label goes by way of a jump back, as every other one. */
function emitWithLine(e: Emitter, instruction: Instruction, labelOf: (to: number) => string): void {
  emitLine(e, instruction);
  e.failureLabelOf = labelOf;
  emitInstruction(e, instruction);
}

type Emit<Op extends Instruction['op']> = (e: Emitter, instruction: Of<Op>) => void;

const EMITTERS: { readonly [Op in Instruction['op']]?: Emit<Op> } = {
  move: emitMove,
  binary: emitBinary,
  extend: emitExtend,
  extract: emitExtract,
  float: emitFloat,
  'float-binary': refuseFloat,
  convert: emitConvert,
  log2: (e, instruction) => emitLogarithm(e, instruction as Of<'log2'>),
  popcount: emitPopcount,
  'load-global': emitLoadGlobal,
  'store-global': emitStoreGlobal,
  'add-global': emitAddGlobal,
  'load-object': emitLoadObject,
  'store-object': emitStoreObject,
  read: emitRead,
  'read-object': emitReadObject,
  'read-text': emitReadText,
  valid: emitValid,
  builtin: emitBuiltin,
  'builtin-text': emitBuiltinText,
  argument: emitArgument,
  'return-value': emitReturnValue,
  register: emitRegister,
  context: emitContext,
  'context-text': emitContextText,
  stack: emitStack,
  'copy-text': emitCopyText,
  concatenate: emitConcatenate,
  substring: emitSubstring,
  'compare-text': emitCompareText,
  'text-length': emitTextLength,
  'text-at': emitTextAt,
  match: emitMatch,
  'array-load': emitArrayLoad,
  'array-store': emitArrayStore,
  'array-add': emitArrayAdd,
  'array-load-text': emitArrayLoadText,
  'array-store-text': emitArrayStoreText,
  'array-has': emitArrayHas,
  'array-delete': emitArrayDelete,
  'array-clear': emitArrayClear,
  aggregate: emitAggregate,
  call: emitCall,
  print: emitPrint,
  exit: emitExit,
};

function emitInstruction<Op extends Instruction['op']>(e: Emitter, instruction: Of<Op>): void {
  const emit = EMITTERS[instruction.op as Op] as Emit<Op> | undefined;
  if (emit === undefined) e.diagnose('host-only', `${instruction.op} works only in _begin, _end, _oneshot and timers`, instruction.at);
  else emit(e, instruction);
}

/** Arguments go into the callee's part of the frame; r0 is its outcome. */
function emitCall(e: Emitter, { to, function: callee, arguments: values, onFail }: Of<'call'>): void {
  const { a, unit } = e;
  const plan = unit.planOf(callee);
  let texts = 0;
  for (const [index, value] of values.entries()) {
    if ('text' in value) {
      const local = texts++;
      const home = plan.texts[local]!;
      emitCopy(e, { place: { kind: 'register', register: 9, offset: home.offset }, capacity: plan.body.texts[local]! }, e.text(value.text));
    } else {
      const home = plan.homes[index];
      if (home?.kind !== 'frame') continue;
      e.storeFrame(home.offset, e.inRegister(value, 0), 1);
    }
  }
  if (unit.usesContext) a.move(1, 6);
  else a.moveImm(1, 0);
  a.move(2, 9).callFunction(unit.functionLabel(callee)).jumpIfImm('ne', 0, OUTCOME.done, e.failureOfCall(onFail));
  takeResult(e, to, plan.body, callee);
}

function takeResult(e: Emitter, to: Of<'call'>['to'], body: IrFunction, callee: number): void {
  const plan = e.unit.planOf(callee);
  if (to === undefined || body.result === 'none') return;
  if (typeof to === 'number') {
    e.loadFrame(0, plan.result);
    e.store(to, 0);
  } else {
    const { offset, capacity } = plan.resultText;
    emitCopy(e, e.writableText(to), { place: { kind: 'register', register: 9, offset }, capacity });
  }
}
