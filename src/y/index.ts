export { check, dumpTyped, type Checked, type TypedProgram } from './check/index.ts';
export { checkSource, compile, type CompileFailure, type CompileOptions, type Compiled, type SourceText } from './compile.ts';
export { dumpIr } from './ir/dump.ts';
export type * from './ir/program.ts';
export type * from './knowledge.ts';
export { dumpAst, includeFrom, parse, renderDiagnostics, type Diagnostic, type Note, type Sources, type Span } from './syntax/index.ts';
