export type * from './ast.ts';
export { dumpAst } from './dump.ts';
export { renderDiagnostics, type Diagnostic, type Note, type RenderOptions, type Sources } from './diagnostics.ts';
export { parse, type Parsed } from './parse.ts';
export { includeFrom, type PreprocessOptions, type SourceFile } from './preprocess.ts';
export { findSimilar, nearest } from './similar.ts';
export { type MacroOrigin, type Span } from './span.ts';
