/** `fluoro compile`: checks a program, shows what a pass of the compiler made of it, or stores it compiled. */
import { writeFileSync } from 'node:fs';
import { err, ok, type Result } from '../base/index.ts';
import { disassembleProgram, type Subject } from '../session/index.ts';
import { checkSource, compile, dumpAst, dumpIr, dumpTyped, encodeProgram, parse, type Program, type SourceText } from '../y/index.ts';
import { Exit } from './ending.ts';
import { failCommand, failCompilation, failProgram, failTarget } from './looking-errors.ts';
import { readProgramWords, readWish, type LookingFlags, type LookingWish } from './looking-options.ts';
import { chooseEngine } from './looking-plan.ts';
import { fetchDebugInformation, openWished, symbolOptions } from './looking-subject.ts';
import { describeProgram } from './program-help.ts';
import { readProgramText } from './program-text.ts';
import { openRunOutput, type RunOutput } from './run-output.ts';

const PASSES = ['ast', 'typed', 'ir', 'ebpf'] as const;
type Pass = (typeof PASSES)[number];

interface Compilation {
  readonly flags: LookingFlags;
  readonly wish: LookingWish;
  readonly pass: Pass | undefined;
  readonly source: SourceText;
  /** For mistakes. */
  readonly output: RunOutput;
}

/** Runs the command; the exit status. */
export async function compileProgram(words: readonly string[], flags: LookingFlags): Promise<number> {
  const compilation = readCompilation(words, flags);
  if (!compilation.ok) return refuse(compilation.error);
  const symbols = symbolOptions(flags.debuginfod === true);
  if (!symbols.ok) return refuse(symbols.error);
  const { wish, output } = compilation.value;
  const opened = await openWished(wish.target, symbols.value);
  if (!opened.ok) return opened.error.kind === 'target' ? failTarget(output, opened.error.error) : failCommand(output, opened.error.error);
  const { subject, command } = opened.value;
  try {
    if (flags.debuginfod === true) for (const line of await fetchDebugInformation(subject)) process.stderr.write(`${line}\n`);
    return compileFor(compilation.value, subject);
  } finally {
    subject.close();
    command?.kill('SIGKILL');
  }
}

function refuse(message: string): number {
  process.stderr.write(`fluoro compile: ${message}\n(see fluoro compile --help)\n`);
  return Exit.usage;
}

function readCompilation(words: readonly string[], flags: LookingFlags): Result<Compilation, string> {
  const wish = readWish(flags);
  if (!wish.ok) return wish;
  const parts = readProgramWords(words, flags.eval !== undefined);
  if (!parts.ok) return parts;
  if (parts.value.options.size > 0)
    return err(`options are set when the program runs, and not --${[...parts.value.options.keys()].join(', --')} here`);
  const pass = PASSES.find((one) => one === flags.dump);
  if (flags.dump !== undefined && pass === undefined) return err(`--dump is ${PASSES.join(', ')}, and not "${flags.dump}"`);
  const text = readProgramText(parts.value.file, flags);
  if (!text.ok) return text;
  if (text.value.kind === 'compiled') return err('the program is compiled already');
  const output = openRunOutput(undefined, flags.json === true);
  return output.ok ? ok({ flags, wish: wish.value, pass, source: text.value.source, output: output.value }) : output;
}

function compileFor(compilation: Compilation, subject: Subject): number {
  const { flags, wish, source, output, pass } = compilation;
  const { knowledge } = subject;
  const { defines } = wish;
  if (flags.help === true) return give(describeProgram(source, defines, knowledge), undefined);
  // What cannot be checked may be parsed, and one dump of it is of use.
  if (pass === 'ast') {
    const { file, text, resolveInclude: include } = source;
    const { unit, sources, diagnostics } = parse({ file, text, include, knowledge, defines });
    output.diagnostics(diagnostics, sources);
    return give(dumpAst(unit), flags.output) || (diagnostics.some(({ severity }) => severity === 'error') ? Exit.mistake : Exit.done);
  }
  const checked = checkSource(source, knowledge, { defines });
  const compiled = compile(source, knowledge, { defines });
  if (!checked.ok || !compiled.ok) {
    return failCompilation(output, checked.ok ? (compiled as Extract<typeof compiled, { ok: false }>).error : checked.error);
  }
  const { program, warnings } = compiled.value;
  output.diagnostics(warnings, program.sources);
  switch (pass) {
    case 'typed':
      return give(dumpTyped(checked.value.program), flags.output);
    case 'ir':
      return give(dumpIr(program), flags.output);
    case 'ebpf':
      return giveInstructions(compilation, program, subject);
    case undefined:
      return flags.output === undefined ? Exit.done : give(encodeProgram(program), flags.output);
  }
}

function giveInstructions({ flags, wish, output }: Compilation, program: Program, subject: Subject): number {
  const engine = chooseEngine(program, wish);
  if (!engine.ok) return refuse(engine.error);
  if (engine.value !== 'ebpf') return refuse('nothing of this program runs in the kernel');
  const text = disassembleProgram(program, subject);
  return text.ok ? give(text.value, flags.output) : failProgram(output, text.error, program.sources);
}

function give(content: string | Uint8Array, path: string | undefined): number {
  if (path === undefined) {
    process.stdout.write(content);
    return Exit.done;
  }
  try {
    writeFileSync(path, content);
    return Exit.done;
  } catch (cause) {
    return refuse(`cannot write ${path}: ${(cause as Error).message}`);
  }
}
