/** Where a session's output goes: to people as text, to programs as JSON lines; to standard output or a file. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { assertNever, err, ok, type Result } from '../base/index.ts';
import { describeLosses, type SessionReport } from '../session/index.ts';
import { drawChart, renderDiagnostics, type Chart, type Diagnostic, type OutputSink } from '../y/index.ts';
import { describeStats } from './run-stats.ts';

export interface RunOutput extends OutputSink {
  diagnostics(diagnostics: readonly Diagnostic[], sources: ReadonlyMap<string, string>): void;
  /** What went wrong besides the program's text, one sentence. */
  fail(kind: string, message: string): void;
  /** The end of a session: losses, and more when `stats` is set. */
  end(report: SessionReport, stats: boolean): void;
  /** How the command of `-c` ended: with a status, by a signal, or not yet (neither). */
  commandEnd(command: string, status: number | undefined, signal: string | undefined): void;
  close(): void;
}

/** Writes to the file, or to standard output; its error says why the file cannot be written. */
export function openRunOutput(path: string | undefined, json: boolean): Result<RunOutput, string> {
  if (path === undefined) {
    const print = (text: string): void => void process.stdout.write(text);
    return ok(json ? new JsonOutput(print) : new TextOutput(print, process.stdout));
  }
  try {
    const fd = openSync(path, 'w');
    const print = (text: string): void => void writeSync(fd, text);
    const close = (): void => closeSync(fd);
    return ok(json || /\.jsonl?$/.test(path) ? new JsonOutput(print, close) : new TextOutput(print, undefined, close));
  } catch (cause) {
    return err(`cannot write ${path}: ${(cause as Error).message}`);
  }
}

const DEFAULT_COLUMNS = 100;

/** Losses and mistakes go to standard error, so that the output holds the program's words alone. */
class TextOutput implements RunOutput {
  readonly #print: (text: string) => void;
  readonly #terminal: NodeJS.WriteStream | undefined;
  readonly close: () => void;

  constructor(print: (text: string) => void, terminal: NodeJS.WriteStream | undefined, close: () => void = () => undefined) {
    this.#print = print;
    this.#terminal = terminal;
    this.close = close;
  }

  write(stream: 'out' | 'warn' | 'error', text: string): void {
    switch (stream) {
      case 'out':
        return this.#print(text);
      case 'warn':
        return complain(`warning: ${text}`);
      case 'error':
        return complain(`error: ${text}`);
      default:
        return assertNever(stream);
    }
  }

  chart(chart: Chart): void {
    const terminal = this.#terminal?.isTTY === true ? this.#terminal : undefined;
    this.#print(
      drawChart(chart, {
        columns: terminal?.columns ?? DEFAULT_COLUMNS,
        rows: terminal && Math.max(10, terminal.rows - 4),
        colours: terminal !== undefined && hasColours(terminal),
      }),
    );
  }

  diagnostics(diagnostics: readonly Diagnostic[], sources: ReadonlyMap<string, string>): void {
    process.stderr.write(renderDiagnostics(diagnostics, sources, { color: process.stderr.isTTY && hasColours(process.stderr) }));
  }

  fail(_kind: string, message: string): void {
    process.stderr.write(`fluoro: ${message}\n`);
  }

  end(report: SessionReport, stats: boolean): void {
    for (const line of [...describeLosses(report), ...(stats ? describeStats(report) : [])]) process.stderr.write(`${line}\n`);
  }

  commandEnd(command: string, status: number | undefined, signal: string | undefined): void {
    const how = signal === undefined ? (status === undefined ? 'still runs' : `ended with status ${status}`) : `was ended by ${signal}`;
    process.stderr.write(`"${command}" ${how}\n`);
  }
}

/** Each line is one object, told apart by `type`: a chart's, `print`, `warn`, `error`, `diagnostic`, `failure`, `end`, `command`. */
class JsonOutput implements RunOutput {
  readonly #print: (text: string) => void;
  readonly close: () => void;

  constructor(print: (text: string) => void, close: () => void = () => undefined) {
    this.#print = print;
    this.close = close;
  }

  write(stream: 'out' | 'warn' | 'error', text: string): void {
    this.#line({ type: stream === 'out' ? 'print' : stream, text });
  }

  chart(chart: Chart): void {
    this.#line(chart);
  }

  diagnostics(diagnostics: readonly Diagnostic[]): void {
    for (const { severity, code, message, span, notes, hint } of diagnostics)
      this.#line({
        type: 'diagnostic',
        severity,
        code,
        message,
        ...toPlace(span),
        ...(notes.length === 0 ? {} : { notes: notes.map((note) => ({ message: note.message, ...toPlace(note.span) })) }),
        hint,
      });
  }

  fail(kind: string, message: string): void {
    this.#line({ type: 'failure', kind, message });
    process.stderr.write(`fluoro: ${message}\n`);
  }

  end(report: SessionReport): void {
    const { reason, durationMs, losses, probes, stacks } = report;
    const failedModules = stacks && Object.fromEntries(stacks.failedModules);
    this.#line({ type: 'end', reason, durationMs, losses, probes, stacks: stacks && { ...stacks, failedModules } });
  }

  commandEnd(command: string, status: number | undefined, signal: string | undefined): void {
    this.#line({ type: 'command', command, status, signal });
  }

  #line(value: object): void {
    this.#print(`${JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? Number(one) : one))}\n`);
  }
}

function toPlace(span: Diagnostic['span']) {
  return span && { file: span.file, line: span.line, column: span.column };
}

function complain(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}

function hasColours(stream: NodeJS.WriteStream): boolean {
  return stream.hasColors();
}
