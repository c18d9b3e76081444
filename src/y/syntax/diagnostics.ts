/**
 * What the compiler has to say to the user, and how it looks in a terminal.
 */
import type { Span } from './span.ts';

export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Short and stable, for tests and for documents: `unknown-type`. */
  readonly code: string;
  /** What is wrong, with the thing and the value; no final dot. */
  readonly message: string;
  /** Undefined only where no place of a source is to blame. */
  readonly span: Span | undefined;
  readonly notes: readonly Note[];
  /** The way out; undefined when there is none to offer. */
  readonly hint: string | undefined;
}

export interface Note {
  readonly message: string;
  readonly span: Span | undefined;
}

/** Source texts by file name, as in the spans. */
export type Sources = ReadonlyMap<string, string>;

export interface RenderOptions {
  /** With ANSI colours. */
  readonly color: boolean;
}

interface Style {
  readonly error: string;
  readonly warning: string;
  readonly note: string;
  readonly strong: string;
  readonly end: string;
}

const PLAIN: Style = { error: '', warning: '', note: '', strong: '', end: '' };
const COLORED: Style = { error: '\u001b[1;31m', warning: '\u001b[1;35m', note: '\u001b[36m', strong: '\u001b[1m', end: '\u001b[0m' };
const TAB = 8;
/** Columns of a source line that are shown; of a longer one, the part around the mark. */
const WIDEST = 160;

/** The diagnostics as text, in order, each ended by a newline; the source line under each with a caret under what is meant. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], sources: Sources, options: RenderOptions): string {
  return diagnostics.map((diagnostic) => renderOne(diagnostic, sources, options.color ? COLORED : PLAIN)).join('');
}

function renderOne(diagnostic: Diagnostic, sources: Sources, style: Style): string {
  const { severity, code, message, span } = diagnostic;
  const head = `${style[severity]}${severity}:${style.end} ${style.strong}${message}${style.end} [${code}]`;
  const lines = [`${place(span)}${head}`, ...excerpt(span, sources, style[severity], style.end)];
  if (span?.macro !== undefined)
    lines.push(...renderNote({ message: `expanded from macro ${span.macro.name}`, span: span.macro.span }, sources, style));
  for (const note of diagnostic.notes) lines.push(...renderNote(note, sources, style));
  if (diagnostic.hint !== undefined) lines.push(`  ${style.note}hint:${style.end} ${diagnostic.hint}`);
  return `${lines.join('\n')}\n`;
}

function renderNote(note: Note, sources: Sources, style: Style): readonly string[] {
  return [`${place(note.span)}${style.note}note:${style.end} ${note.message}`, ...excerpt(note.span, sources, style.note, style.end)];
}

function place(span: Span | undefined): string {
  return span === undefined ? '' : `${span.file}:${span.line}:${span.column}: `;
}

/** The source line and the marks under it; nothing when the source is not at hand. */
function excerpt(span: Span | undefined, sources: Sources, color: string, end: string): readonly string[] {
  const text = span === undefined ? undefined : sources.get(span.file);
  if (span === undefined || text === undefined) return [];
  const begin = span.start - span.column + 1;
  const newline = text.indexOf('\n', begin);
  const line = text.slice(begin, newline < 0 ? text.length : newline).replace(/\r$/, '');
  const marked = Math.min(Math.max(span.end - begin, span.column), Math.max(line.length, span.column));
  const before = toCells(line.slice(0, span.column - 1), 0);
  const inside = toCells(line.slice(span.column - 1, marked), before.width);
  const after = toCells(line.slice(marked), before.width + inside.width);
  const gutter = String(span.line);
  const shown = cut(before.text + inside.text + after.text, before.width);
  const caret = `^${'~'.repeat(Math.max(0, Math.min(inside.width, WIDEST) - 1))}`;
  return [
    `  ${gutter} | ${shown.text}`,
    `  ${' '.repeat(gutter.length)} | ${' '.repeat(before.width - shown.skipped)}${color}${caret}${end}`,
  ];
}

/** Leaves of a very long line (narrow characters, mostly) the part around column `at`. */
function cut(text: string, at: number): { text: string; skipped: number } {
  if (text.length <= WIDEST) return { text, skipped: 0 };
  const skipped = at < WIDEST / 2 ? 0 : at - WIDEST / 4;
  return { text: text.slice(skipped, skipped + WIDEST), skipped };
}

/** Tabs as blanks, control characters as `?`; with the columns that a terminal needs. `column` is where it begins. */
function toCells(text: string, column: number): { text: string; width: number } {
  let shown = '';
  let width = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    const size = character === '\t' ? TAB - ((column + width) % TAB) : cellsOf(point);
    shown += character === '\t' ? ' '.repeat(size) : point < 0x20 || (point >= 0x7f && point < 0xa0) ? '?' : character;
    width += size;
  }
  return { text: shown, width };
}

const COMBINING = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

/** East Asian Width W and F (Unicode 15, the blocks that matter), and emoji, take two. */
function cellsOf(point: number): 0 | 1 | 2 {
  if (point < 0x300) return 1;
  if (COMBINING.test(String.fromCodePoint(point))) return 0;
  const wide =
    (point >= 0x1100 && point <= 0x115f) ||
    (point >= 0x2e80 && point <= 0xa4cf && point !== 0x303f) ||
    (point >= 0xac00 && point <= 0xd7a3) ||
    (point >= 0xf900 && point <= 0xfaff) ||
    (point >= 0xfe30 && point <= 0xfe6f) ||
    (point >= 0xff00 && point <= 0xff60) ||
    (point >= 0xffe0 && point <= 0xffe6) ||
    (point >= 0x1f300 && point <= 0x1faff) ||
    (point >= 0x20000 && point <= 0x3fffd);
  return wide ? 2 : 1;
}
