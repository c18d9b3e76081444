export type { Helper, HelperCall, HelperTable } from './helpers.ts';
export { Interpreter, type InterpreterFault, type InterpreterOptions, type RunOptions, type RunOutcome } from './interpreter.ts';
export type { InterpreterMap, MapShape } from './maps.ts';
