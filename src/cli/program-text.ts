/** The text of a program in Y, from a file, the command line or standard input, and where its includes are. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { err, ok, type Result } from '../base/index.ts';
import { decodeProgram, includeFrom, type Program, type SourceText } from '../y/index.ts';
import type { LookingFlags } from './looking-options.ts';

/** What is shared by programs of the catalogue. */
const STANDARD_LIBRARY = fileURLToPath(new URL('../../analyzers/lib', import.meta.url));
const COMPILED_SUFFIX = '.yo';

export type ProgramText =
  | { readonly kind: 'source'; readonly source: SourceText }
  /** `fluoro compile -o FILE.yo` made it. */
  | { readonly kind: 'compiled'; readonly program: Program };

/** Reads what `-e`, FILE or `-` name; or says in a sentence why not. */
export function readProgramText(file: string | undefined, flags: LookingFlags): Result<ProgramText, string> {
  const folders = [...(flags.include ?? []), ...(existsSync(STANDARD_LIBRARY) ? [STANDARD_LIBRARY] : [])];
  const resolveInclude = includeFrom(readText, folders);
  const { eval: text } = flags;
  if (text !== undefined) return ok({ kind: 'source', source: { file: '<command line>', text, resolveInclude } });
  if (file === undefined) return err("give a program: a file, -e 'CODE', or - for standard input");
  try {
    if (file.endsWith(COMPILED_SUFFIX)) return readCompiled(file);
    const name = file === '-' ? '<standard input>' : file;
    return ok({ kind: 'source', source: { file: name, text: readFileSync(file === '-' ? 0 : file, 'utf8'), resolveInclude } });
  } catch (cause) {
    return err(`cannot read the program: ${(cause as Error).message}`);
  }
}

function readCompiled(file: string): Result<ProgramText, string> {
  const program = decodeProgram(readFileSync(file));
  return program.ok ? ok({ kind: 'compiled', program: program.value }) : err(`${file}: ${program.error.message}`);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
