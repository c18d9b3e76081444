export {
  Assembler,
  type AccessSize,
  type AluOperation,
  type AssembledCode,
  type AtomicOperation,
  type Condition,
  type Register,
} from './assembler.ts';
export { encodeProgramBtf, encodeStorageBtf, FUNCTION_INFO_BYTES, LINE_INFO_BYTES, type ProgramBtf } from './btf-writer.ts';
export { disassemble, formatInstruction } from './disassembler.ts';
export { type HelperName } from './helpers.ts';
export { decodeInstructions, SLOT_BYTES, type Instruction } from './instruction.ts';
export {
  Interpreter,
  type Helper,
  type HelperCall,
  type HelperTable,
  type InterpreterFault,
  type InterpreterMap,
  type InterpreterOptions,
  type MapShape,
  type RunOptions,
  type RunOutcome,
} from './interpreter/index.ts';
export {
  ATTACH_TYPES,
  MAP_FLAGS,
  MAP_TYPES,
  PROGRAM_TYPES,
  type AttachType,
  type BpfObject,
  type FunctionInfo,
  type LineInfo,
  type MapEntry,
  type MapRelocation,
  type MapSpec,
  type MapType,
  type ParameterType,
  type ProgramSpec,
  type ProgramType,
} from './object.ts';
