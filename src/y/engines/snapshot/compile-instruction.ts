/** From an instruction to its closure. */
import type { Instruction } from '../../ir/program.ts';
import {
  compileBinary,
  compileDivision,
  compileExtend,
  compileExtract,
  compileLog2,
  compileMove,
  compilePopcount,
  isDivision,
} from './arithmetic.ts';
import { compileCall } from './control-steps.ts';
import { compileConvert, compileFloat, compileFloatBinary } from './float-steps.ts';
import { compileBuiltin, compileBuiltinText, compileRegister, compileStack } from './hit-steps.ts';
import { compileIterate, compileIteratorKey } from './iteration-steps.ts';
import { compileMatch } from './match-steps.ts';
import { compileChart, compileDescribe, compilePrint } from './output-steps.ts';
import { NEXT, type Step } from './step.ts';
import {
  compileAddGlobal,
  compileAggregate,
  compileAggregateRead,
  compileArrayAdd,
  compileArrayClear,
  compileArrayCount,
  compileArrayDelete,
  compileArrayHas,
  compileArrayLoad,
  compileArrayLoadText,
  compileArrayStore,
  compileArrayStoreText,
  compileLoadGlobal,
  compileLoadObject,
  compileStoreGlobal,
  compileStoreObject,
} from './storage-steps.ts';
import { compileRead, compileReadObject, compileReadText, compileValid } from './target-steps.ts';
import {
  compileCompareText,
  compileConcatenate,
  compileCopyText,
  compileSubstring,
  compileTextAt,
  compileTextLength,
} from './text-steps.ts';
import { compileFailure, registerOf, type Unit } from './unit.ts';

type Op = Instruction['op'];
type Of<O extends Op> = Extract<Instruction, { op: O }>;

const COMPILERS: { readonly [O in Op]: (unit: Unit, instruction: Of<O>) => Step } = {
  move: (unit, { to, from }) => compileMove(to, registerOf(unit, from)),
  binary: compileBinaryInstruction,
  extend: (unit, { to, from, bits, signed }) => compileExtend(to, registerOf(unit, from), bits, signed),
  extract: (unit, { to, from, shift, bits, signed }) => compileExtract(to, registerOf(unit, from), shift, bits, signed),
  float: (_unit, instruction) => compileFloat(instruction),
  'float-binary': (_unit, instruction) => compileFloatBinary(instruction),
  convert: compileConvert,
  log2: (unit, { to, from }) => compileLog2(to, registerOf(unit, from)),
  popcount: (unit, { to, from }) => compilePopcount(to, registerOf(unit, from)),
  'load-global': compileLoadGlobal,
  'store-global': compileStoreGlobal,
  'add-global': compileAddGlobal,
  'load-object': compileLoadObject,
  'store-object': compileStoreObject,
  read: compileRead,
  'read-object': compileReadObject,
  'read-text': compileReadText,
  valid: compileValid,
  builtin: compileBuiltin,
  'builtin-text': compileBuiltinText,
  argument: refuse,
  'return-value': refuse,
  register: compileRegister,
  context: refuse,
  'context-text': refuse,
  stack: compileStack,
  'copy-text': compileCopyText,
  concatenate: compileConcatenate,
  substring: compileSubstring,
  'compare-text': compileCompareText,
  'text-length': compileTextLength,
  'text-at': compileTextAt,
  match: compileMatch,
  describe: compileDescribe,
  'array-load': compileArrayLoad,
  'array-store': compileArrayStore,
  'array-add': compileArrayAdd,
  'array-load-text': compileArrayLoadText,
  'array-store-text': compileArrayStoreText,
  'array-has': compileArrayHas,
  'array-delete': compileArrayDelete,
  'array-clear': compileArrayClear,
  aggregate: compileAggregate,
  'aggregate-read': compileAggregateRead,
  'array-count': compileArrayCount,
  iterate: compileIterate,
  'iterator-key': compileIteratorKey,
  call: compileCall,
  print: compilePrint,
  chart: compileChart,
  exit: compileExit,
};

export function compileInstruction(unit: Unit, instruction: Instruction): Step {
  // The table pairs each `op` with its own compiler, which a call through a union cannot express.
  const compile = COMPILERS[instruction.op] as (unit: Unit, instruction: Instruction) => Step;
  return compile(unit, instruction);
}

function compileBinaryInstruction(unit: Unit, instruction: Of<'binary'>): Step {
  const { to, operator, onFail, at } = instruction;
  const registers = { to, left: registerOf(unit, instruction.left), right: registerOf(unit, instruction.right) };
  if (!isDivision(operator)) return compileBinary(operator, registers);
  return compileDivision(operator, registers, compileFailure(onFail, 'division-by-zero', at, 'the divisor is 0'));
}

/** The session ends after this probe, which goes on. */
function compileExit(unit: Unit): Step {
  const { environment } = unit.machine;
  return () => {
    environment.exit();
    return NEXT;
  };
}

function refuse(_unit: Unit, { op }: Instruction): never {
  throw new Error(`Bug: the instruction ${op} is in a host probe, where there is no hit to ask about`);
}
