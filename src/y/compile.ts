/** A source text to a program: every pass in order. */
import { err, ok, type Result } from '../base/index.ts';
import { check, type Checked } from './check/index.ts';
import { lower } from './ir/lower/lower.ts';
import { optimise } from './ir/optimise/index.ts';
import type { Program } from './ir/program.ts';
import { recordRelocations } from './ir/relocations.ts';
import type { Knowledge } from './knowledge.ts';
import { parse, type Diagnostic, type PreprocessOptions, type Sources } from './syntax/index.ts';

export interface SourceText {
  /** As diagnostics show it. */
  readonly file: string;
  readonly text: string;
  /** Finds what `#include "name"` in `from` means; `includeFrom` makes one. */
  readonly resolveInclude: PreprocessOptions['include'];
}

export interface CompileOptions {
  /** True unless it is set: the passes of `ir/optimise` run. */
  readonly optimise?: boolean | undefined;
  /** Macros from the command line: name to text. */
  readonly defines?: ReadonlyMap<string, string> | undefined;
}

export interface Compiled {
  readonly program: Program;
  readonly warnings: readonly Diagnostic[];
}

export interface CompileFailure {
  /** Errors and warnings; at least one error. */
  readonly diagnostics: readonly Diagnostic[];
  /** What the spans point into, for `renderDiagnostics`. */
  readonly sources: Sources;
}

const MISSING = new Set(['unknown-name', 'unknown-function', 'unknown-type', 'no-probe']);

/** Compiles a program for what `knowledge` knows. As many mistakes as can be found in one run are in the failure. */
export function compile(source: SourceText, knowledge: Knowledge, options: CompileOptions = {}): Result<Compiled, CompileFailure> {
  const checked = checkSource(source, knowledge, options);
  if (!checked.ok) return checked;
  const lowered = lower(checked.value.program);
  const program = recordRelocations(options.optimise === false ? lowered : optimise(lowered));
  return ok({ program, warnings: checked.value.warnings });
}

/** Preprocesses, parses and checks: what `--dump=typed` shows. */
export function checkSource(source: SourceText, knowledge: Knowledge, options: CompileOptions = {}): Result<Checked, CompileFailure> {
  const { file, text, resolveInclude: include } = source;
  const parsed = parse({ file, text, include, knowledge, defines: options.defines });
  const { sources } = parsed;
  const failed = parsed.diagnostics.some(({ severity }) => severity === 'error');
  const checked = check(parsed.unit, sources, knowledge);
  const own = checked.ok ? checked.value.warnings : checked.error;
  // What could not be parsed may have declared what is missing now.
  const diagnostics = [...parsed.diagnostics, ...(failed ? own.filter(({ code }) => !MISSING.has(code)) : own)];
  if (checked.ok && !failed) return ok({ program: checked.value.program, warnings: diagnostics });
  return err({ diagnostics: sortDiagnostics(diagnostics), sources });
}

/** In the order of the source, the main file's among themselves as they stand. */
function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.toSorted((a, b) => {
    if (a.span === undefined || b.span === undefined || a.span.file !== b.span.file) return 0;
    return a.span.start - b.span.start;
  });
}
