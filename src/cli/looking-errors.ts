/** Why a program could not be run or compiled, as a message and an exit status. */
import { assertNever } from '../base/index.ts';
import { openTracingFiles, type KernelError } from '../kernel/index.ts';
import type { CommandError, LiveError } from '../session/index.ts';
import type { TargetError } from '../target/index.ts';
import type { CompileFailure, Diagnostic, EbpfDiagnostic } from '../y/index.ts';
import type { RunOutput } from './run-output.ts';
import { Exit } from './ending.ts';

const REPORT = 'please report it, with the program, these lines and what `fluoro doctor` says';

/** Says what the target's error is; the exit status. */
export function failTarget(output: RunOutput, error: TargetError): number {
  output.fail(error.kind, error.message);
  return Exit.unavailable;
}

export function failCommand(output: RunOutput, error: CommandError): number {
  if (error.kind === 'kernel') return failKernel(output, error.error);
  output.fail('command', error.message);
  return Exit.unavailable;
}

/** @param sources the program's texts, for the lines under mistakes */
export function failLive(output: RunOutput, error: LiveError, sources: ReadonlyMap<string, string>): number {
  switch (error.kind) {
    case 'program':
      return failProgram(output, error.diagnostics, sources);
    case 'target':
      output.fail('target', error.message);
      return Exit.unavailable;
    case 'kernel':
      return failKernel(output, error.error);
    default:
      return assertNever(error);
  }
}

/** A tracepoint that is not found where none can be seen is no mistake of the program's author. */
export function failCompilation(output: RunOutput, { diagnostics, sources }: CompileFailure): number {
  output.diagnostics(diagnostics, sources);
  const isHidden = diagnostics.some(({ message }) => message.includes('has no tracepoint')) && openTracingFiles().list('.').length === 0;
  if (!isHidden) return Exit.mistake;
  output.fail(
    'forbidden',
    'not permitted: the tracepoints in /sys/kernel/tracing cannot be read from here; run it as root, or see `fluoro doctor`',
  );
  return Exit.unavailable;
}

export function failProgram(output: RunOutput, diagnostics: readonly EbpfDiagnostic[], sources: ReadonlyMap<string, string>): number {
  output.diagnostics(
    diagnostics.map((one) => toDiagnostic(one, sources)),
    sources,
  );
  return Exit.mistake;
}

function failKernel(output: RunOutput, error: KernelError): number {
  switch (error.kind) {
    case 'refused':
      output.fail('refused', [`this is our bug: ${error.message}`, ...error.log.map((line) => `  ${line}`), REPORT].join('\n'));
      return Exit.bug;
    case 'failed':
      output.fail('failed', `${error.message}\n${REPORT}`);
      return Exit.bug;
    case 'forbidden':
      output.fail(error.kind, `not permitted: probes need root, or CAP_BPF and CAP_PERFMON (${error.message})`);
      return Exit.unavailable;
    case 'unsupported':
    case 'not-found':
      output.fail(error.kind, error.message);
      return Exit.unavailable;
    default:
      return assertNever(error);
  }
}

function toDiagnostic({ code, message, place, hint }: EbpfDiagnostic, sources: ReadonlyMap<string, string>): Diagnostic {
  const start = place && findOffset(sources.get(place.file) ?? '', place.line, place.column);
  const span = place && { file: place.file, line: place.line, column: place.column, start: start!, end: start! + 1 };
  return { severity: 'error', code, message, span, notes: [], hint };
}

/** Where a line and column (from 1) are in a text. */
function findOffset(text: string, line: number, column: number): number {
  let start = 0;
  for (let at = 1; at < line; at++) start = text.indexOf('\n', start) + 1;
  return start + column - 1;
}
