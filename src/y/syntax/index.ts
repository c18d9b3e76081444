export type * from './ast.ts';
export { spanOver, type MacroOrigin, type Span } from './span.ts';
export type { Diagnostic, Note, Sources } from './diagnostics.ts';
